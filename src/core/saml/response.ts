/**
 * Responses of SAML providers (SAML Core, section 3.3.3; Profiles, section 4.1.4): whether one may be believed, and what it
 * says. The checks stand in the order of the specification.
 *
 * What is believed is read from bytes that a key of the provider has signed: those of the assertion, or those of the
 * response around it. Where signed bytes and message differ, the message counts for nothing.
 */
import type { KeyObject } from 'node:crypto'
import { textOf, type XmlElement } from '../xml.ts'
import {
  all,
  atMostOne,
  elementsOf,
  everyElement,
  exactlyOne,
  isNamed,
  malformed,
  momentOf,
  plainText,
  readMessage,
} from './elements.ts'
import { decryptAssertion } from './encryption.ts'
import { SamlFault } from './fault.ts'
import { bearer, ns, statusSuccess } from './names.ts'
import { findSignature, readSigned } from './signature.ts'

/** What a response must say to be the one that is waited for. */
export interface ExpectedResponse {
  /** Milliseconds since the epoch. */
  now: number
  /** The entity id of the provider. */
  issuer: string
  /** The entity id of the pool. */
  audience: string
  /** The URL of the assertion consumer service, at which the response has arrived. */
  recipient: string
  /** The id of the request that is answered; undefined when the provider has begun the sign-in itself. */
  requestId: string | undefined
  /** Those of the provider's metadata. */
  keys: readonly KeyObject[]
  /** Opens encrypted assertions. */
  privateKey: KeyObject
  /** Whether an assertion that is not encrypted is refused. */
  mustBeEncrypted: boolean
}

export interface SamlAnswer {
  /** Unique among the assertions of the provider. */
  assertionId: string
  /** When the assertion is refused for its age in any case, in milliseconds since the epoch. */
  expiresAt: number
  nameId: NameId
  /** By which the provider knows its session with the browser. */
  sessionIndex: string | undefined
  /** Values by name, in the order of the assertion. */
  attributes: ReadonlyMap<string, string[]>
}

/** A name as it has to be repeated to the provider. */
export interface NameId {
  value: string
  format?: string
  nameQualifier?: string
  spNameQualifier?: string
}

/** How far the clocks of provider and pool may differ. */
export const clockSkewMs = 180_000
/** How old an assertion may be that nobody has asked for. */
const unsolicitedAgeMsMax = 360_000
const idLengthMax = 256
const subjectLengthMax = 1_024
const valueLengthMax = 2_048
const detailLengthMax = 256

/** What the response says, which may be any text. @throws SamlFault */
export const readResponse = (text: string, expected: ExpectedResponse): SamlAnswer => {
  const response = readMessage(text)
  if (!isNamed(response, ns.protocol, 'Response')) throw malformed('another message')
  assertUniqueIds(response)
  checkStatus(response)
  const { head, assertion } = readTrusted(response, expected)
  checkHead(head, expected)
  return readAssertion(assertion, expected)
}

// ---------------------------------------------------------------------------------------------- what is signed

const idAttributes = ['ID', 'Id', 'id', '{http://www.w3.org/XML/1998/namespace}id']

/** An id that is there twice could be the signed one in one place and the believed one in another. @throws SamlFault */
export const assertUniqueIds = (root: XmlElement): void => {
  const seen = new Set<string>()
  for (const element of everyElement(root)) {
    for (const attribute of idAttributes) {
      const id = element.attributes.get(attribute)
      if (id === undefined) continue
      if (seen.has(id)) throw malformed('the same ID twice')
      seen.add(id)
    }
  }
}

/**
 * The response for what it says beside the assertion, and the assertion itself, from signed bytes. The response need not be
 * signed when the assertion is: whom it is for and what it answers stands in both.
 */
const readTrusted = (
  response: XmlElement,
  { keys, privateKey, mustBeEncrypted }: ExpectedResponse,
): { head: XmlElement; assertion: XmlElement } => {
  const isResponseSigned = findSignature(response) !== undefined
  const head = isResponseSigned ? readSignedResponse(response, keys) : response
  const plain = atMostOne(head, ns.assertion, 'Assertion')
  const encrypted = atMostOne(head, ns.assertion, 'EncryptedAssertion')
  assertPlaces(head, plain ?? encrypted)
  if ((plain === undefined) === (encrypted === undefined)) throw malformed('not exactly one assertion')
  if (plain === undefined) {
    return { head, assertion: openAssertion(encrypted as XmlElement, { keys, privateKey, isResponseSigned }) }
  }
  if (mustBeEncrypted) throw new SamlFault('notEncrypted', 'the assertion is not encrypted')
  if (findSignature(plain) === undefined && isResponseSigned) return { head, assertion: plain }
  // As it was sent: the signature may be about declarations that stand further outside.
  return { head, assertion: readSigned(exactlyOne(response, ns.assertion, 'Assertion'), keys) }
}

/** The assertion in its encryption. Whether it does not open, is not XML, or is not signed, is one and the same fault. */
const openAssertion = (
  encrypted: XmlElement,
  { keys, privateKey, isResponseSigned }: Pick<ExpectedResponse, 'keys' | 'privateKey'> & { isResponseSigned: boolean },
): XmlElement => {
  try {
    const assertion = decryptAssertion(encrypted, privateKey)
    if (!isNamed(assertion, ns.assertion, 'Assertion')) throw malformed('something else was encrypted')
    assertUniqueIds(assertion)
    assertPlaces(assertion, assertion)
    return findSignature(assertion) === undefined && isResponseSigned ? assertion : readSigned(assertion, keys)
  } catch (error) {
    if (!(error instanceof SamlFault)) throw error
    throw new SamlFault('signature', `the encrypted assertion does not hold: ${error.message}`)
  }
}

const readSignedResponse = (response: XmlElement, keys: readonly KeyObject[]): XmlElement => {
  try {
    return readSigned(response, keys)
  } catch (error) {
    throw error instanceof SamlFault ? new SamlFault('responseSignature', error.message) : error
  }
}

const carriers = new Set(['Assertion', 'EncryptedAssertion', 'Response'])

/** Signatures, assertions and responses stand nowhere but where they are looked for. */
const assertPlaces = (root: XmlElement, assertion: XmlElement | undefined): void => {
  for (const element of everyElement(root)) {
    for (const child of elementsOf(element)) {
      const carries = child.namespace === ns.assertion || child.namespace === ns.protocol
      if (carries && carriers.has(child.name) && child !== assertion) throw malformed(`a ${child.name} out of place`)
      const isSignature = isNamed(child, ns.signature, 'Signature')
      if (isSignature && element !== root && element !== assertion) throw malformed('a signature out of place')
    }
  }
}

// ---------------------------------------------------------------------------------------------- the response

/** A failure need not be signed, and often is not: all that follows from it is that nobody is signed in. */
const checkStatus = (response: XmlElement): void => {
  const status = exactlyOne(response, ns.protocol, 'Status')
  const code = exactlyOne(status, ns.protocol, 'StatusCode')
  if (code.attributes.get('Value') === statusSuccess) return
  const message = atMostOne(status, ns.protocol, 'StatusMessage')
  const inner = atMostOne(code, ns.protocol, 'StatusCode') ?? code
  const detail = (message && plainText(message)) || (inner.attributes.get('Value') ?? '')
  throw new SamlFault('status', 'the provider refuses', detail.replaceAll(/\p{C}/gu, ' ').slice(0, detailLengthMax))
}

/** What the head of a response says of itself: from whom, for whom, in answer to what. @throws SamlFault */
export const checkHead = (
  head: XmlElement,
  { issuer, recipient, requestId }: Pick<ExpectedResponse, 'issuer' | 'recipient' | 'requestId'>,
): void => {
  checkVersion(head)
  if (atMostOne(head, ns.assertion, 'Issuer') !== undefined) checkIssuer(head, issuer)
  const destination = head.attributes.get('Destination')
  if (destination !== undefined && destination !== recipient) {
    throw new SamlFault('destination', 'the response is for another URL')
  }
  checkInResponseTo(head, requestId)
}

const checkVersion = (element: XmlElement): void => {
  if (element.attributes.get('Version') !== '2.0') throw malformed('another version')
}

const checkIssuer = (element: XmlElement, issuer: string): void => {
  if (plainText(exactlyOne(element, ns.assertion, 'Issuer')) !== issuer) {
    throw new SamlFault('issuer', 'another provider')
  }
}

/** An answer names what it answers, and what answers nothing names nothing. */
const checkInResponseTo = (element: XmlElement, requestId: string | undefined): void => {
  const given = element.attributes.get('InResponseTo')
  if (given === requestId) return
  throw new SamlFault(requestId === undefined ? 'unsolicited' : 'inResponseTo', 'the answer to another request')
}

// ---------------------------------------------------------------------------------------------- the assertion

const readAssertion = (assertion: XmlElement, expected: ExpectedResponse): SamlAnswer => {
  const assertionId = assertion.attributes.get('ID')
  if (!assertionId || assertionId.length > idLengthMax) throw malformed('an assertion without an ID')
  checkVersion(assertion)
  checkIssuer(assertion, expected.issuer)
  const issuedAt = checkAge(assertion, expected)
  const subject = exactlyOne(assertion, ns.assertion, 'Subject')
  const nameId = readNameId(subject)
  const confirmedUntil = checkConfirmation(subject, expected)
  checkConditions(assertion, expected)
  return {
    assertionId,
    expiresAt: Math.min(
      confirmedUntil + clockSkewMs,
      expected.requestId === undefined ? issuedAt + unsolicitedAgeMsMax + 1 : Number.POSITIVE_INFINITY,
    ),
    nameId,
    sessionIndex: checkAuthentication(assertion, expected),
    attributes: readAttributes(assertion),
  }
}

/** When the assertion was issued. */
const checkAge = (assertion: XmlElement, { now, requestId }: ExpectedResponse): number => {
  const issuedAt = momentOf(assertion, 'IssueInstant')
  if (issuedAt === undefined) throw malformed('IssueInstant is missing')
  if (issuedAt > now + clockSkewMs) throw new SamlFault('period', 'the assertion was issued later than now')
  if (requestId === undefined && now - issuedAt > unsolicitedAgeMsMax) {
    throw new SamlFault('tooOld', 'the assertion was issued too long ago')
  }
  return issuedAt
}

const readNameId = (subject: XmlElement): NameId => {
  const element = atMostOne(subject, ns.assertion, 'NameID')
  const value = element === undefined ? '' : plainText(element)
  if (element === undefined || value === '' || value.length > subjectLengthMax) {
    throw new SamlFault('subject', 'no subject of modest length')
  }
  const attribute = (name: string) => element.attributes.get(name)
  const [format, nameQualifier, spNameQualifier] = ['Format', 'NameQualifier', 'SPNameQualifier'].map(attribute)
  return {
    value,
    ...(format !== undefined && { format }),
    ...(nameQualifier !== undefined && { nameQualifier }),
    ...(spNameQualifier !== undefined && { spNameQualifier }),
  }
}

/** One confirmation by bearer must hold; until when one does. */
const checkConfirmation = (subject: XmlElement, expected: ExpectedResponse): number => {
  let fault = new SamlFault('confirmation', 'no confirmation by bearer')
  let until: number | undefined
  for (const confirmation of all(subject, ns.assertion, 'SubjectConfirmation')) {
    if (confirmation.attributes.get('Method') !== bearer) continue
    try {
      const data = exactlyOne(confirmation, ns.assertion, 'SubjectConfirmationData')
      until = Math.max(until ?? 0, checkBearer(data, expected))
    } catch (error) {
      if (!(error instanceof SamlFault)) throw error
      fault = error
    }
  }
  if (until === undefined) throw fault
  return until
}

const checkBearer = (data: XmlElement, { now, recipient, requestId }: ExpectedResponse): number => {
  if (data.attributes.get('Recipient') !== recipient) {
    throw new SamlFault('recipient', 'the assertion is for another URL')
  }
  checkInResponseTo(data, requestId)
  checkPeriod(data, now)
  const until = momentOf(data, 'NotOnOrAfter')
  if (until === undefined) throw new SamlFault('period', 'a confirmation without an end')
  return until
}

const checkPeriod = (element: XmlElement, now: number): void => {
  const from = momentOf(element, 'NotBefore')
  const until = momentOf(element, 'NotOnOrAfter')
  if (from !== undefined && from > now + clockSkewMs) throw new SamlFault('period', 'too early')
  if (until !== undefined && until <= now - clockSkewMs) throw new SamlFault('period', 'too late')
}

const knownConditions = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'])

/** The assertion is for the pool and for nobody else, and a condition that is not understood is not met (section 2.5.1.1). */
const checkConditions = (assertion: XmlElement, { now, audience }: ExpectedResponse): void => {
  const [conditions, ...more] = all(assertion, ns.assertion, 'Conditions')
  if (conditions === undefined || more.length > 0) throw new SamlFault('conditions', 'not exactly one Conditions')
  checkPeriod(conditions, now)
  const isKnown = (condition: XmlElement) => condition.namespace === ns.assertion && knownConditions.has(condition.name)
  if (!elementsOf(conditions).every(isKnown)) throw new SamlFault('conditions', 'an unknown condition')
  const restrictions = all(conditions, ns.assertion, 'AudienceRestriction')
  const isOurs = (restriction: XmlElement): boolean => {
    const [only, ...others] = all(restriction, ns.assertion, 'Audience').map(plainText)
    return only === audience && others.length === 0
  }
  if (restrictions.length === 0 || !restrictions.every(isOurs)) {
    throw new SamlFault('audience', 'the assertion is not for the pool alone')
  }
}

/** Somebody has signed in, in a session that has not ended; the index of the session. */
const checkAuthentication = (assertion: XmlElement, { now }: ExpectedResponse): string | undefined => {
  const statements = all(assertion, ns.assertion, 'AuthnStatement')
  const [first] = statements
  if (first === undefined) throw new SamlFault('authentication', 'nobody has signed in')
  for (const statement of statements) {
    const until = momentOf(statement, 'SessionNotOnOrAfter')
    if (until !== undefined && until <= now - clockSkewMs) throw new SamlFault('session', 'the session has ended')
  }
  const index = first.attributes.get('SessionIndex')
  if ((index?.length ?? 0) > subjectLengthMax) throw malformed('a long SessionIndex')
  return index
}

/** Characters outside of the basic plane are refused, as in the service. */
const isAccepted = (value: string): boolean => value.length <= valueLengthMax && !/[\u{10000}-\u{10FFFF}]/u.test(value)

const readAttributes = (assertion: XmlElement): Map<string, string[]> => {
  const attributes = new Map<string, string[]>()
  for (const statement of all(assertion, ns.assertion, 'AttributeStatement')) {
    for (const attribute of all(statement, ns.assertion, 'Attribute')) {
      const name = attribute.attributes.get('Name')
      if (!name) throw malformed('an attribute without a name')
      // Some values are elements themselves, such as the identifier that Shibboleth gives; their text is the value.
      const values = all(attribute, ns.assertion, 'AttributeValue').map(value => textOf(value).trim())
      if (!values.every(isAccepted)) throw new SamlFault('attributes', 'a value that is not accepted')
      attributes.set(name, [...(attributes.get(name) ?? []), ...values])
    }
  }
  return attributes
}
