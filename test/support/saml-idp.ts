/**
 * What an honest SAML identity provider sends, and what a dishonest one could. Messages are put together as text and signed
 * and encrypted by other people's libraries, so that nothing here shares a mistake with the server.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { makeSigningCertificate } from '../../src/features/user-pools/certificate.ts'
import { keyDescriptor, samlMetadata, service } from './saml.ts'

// One of the libraries has no types, and those of the others bring the types of a browser with them.
const load = createRequire(import.meta.url)

const { SignedXml, ExclusiveCanonicalization } = load('xml-crypto') as {
  SignedXml: new (
    options: object,
  ) => {
    addReference(reference: object): void
    computeSignature(xml: string, options: object): void
    getSignedXml(): string
  }
  ExclusiveCanonicalization: new () => { process(element: unknown, options: object): string }
}

const { encrypt } = load('xml-encryption') as {
  encrypt(text: string, options: object, done: (error: Error | null, data: string) => void): void
}

const { DOMParser } = createRequire(load.resolve('xml-crypto'))('@xmldom/xmldom') as {
  DOMParser: new () => { parseFromString(text: string, type: string): { documentElement: unknown } }
}

/** The canonical form of the root, as another implementation has it. */
export const canonicalElsewhere = (text: string, inclusive: readonly string[] = []): string =>
  new ExclusiveCanonicalization().process(new DOMParser().parseFromString(text, 'text/xml').documentElement, {
    inclusiveNamespacesPrefixList: inclusive,
  })

/** A key of a provider and its certificate, DER in base64. */
export interface IdpKey {
  privateKey: KeyObject
  publicKey: KeyObject
  certificate: string
}

const yearMs = 365 * 86_400_000

/** A new key; its certificate is valid for ten years from this moment on (milliseconds since the epoch). */
export const makeIdpKey = (from = Date.now() - yearMs, modulusLength = 2_048): IdpKey => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return { privateKey, publicKey, certificate: certificateOf({ privateKey, publicKey }, from) }
}

const certificateOf = ({ privateKey, publicKey }: Omit<IdpKey, 'certificate'>, from: number): string =>
  makeSigningCertificate({ id: 'idp' }, { kid: 'idp', privateKey, publicKey, publicJwk: {}, createdAt: from }, from)

/** Making a key takes a while, so the tests of a process share this one. */
let shared: IdpKey | undefined
export const sharedIdpKey = (): IdpKey => {
  shared ??= makeIdpKey()
  return shared
}

const pem = (certificate: string): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`

/** Metadata of a provider with these keys. */
export const idpMetadata = (
  keys: readonly IdpKey[],
  {
    entityId = idpEntityId,
    signOn = 'https://idp.example.com/sso',
    logout,
  }: { entityId?: string; signOn?: string; logout?: string } = {},
): string =>
  samlMetadata({
    entityId,
    role: [
      ...keys.map(key => keyDescriptor(key.certificate)),
      ...(logout === undefined ? [] : [service('SingleLogoutService', logout)]),
      service('SingleSignOnService', signOn),
    ].join(''),
  })

export const idpEntityId = 'https://idp.example.com/saml'

// ---------------------------------------------------------------------------------------------- messages

/** What stands in a response. Texts go in as they are, so that a test can put markup into them. */
export interface ResponseContent {
  /** Milliseconds since the epoch. */
  now: number
  audience: string
  recipient: string
  /** Undefined when nothing was asked. */
  requestId: string | undefined
  issuer: string
  nameId: string
  nameIdAttributes: string
  attributes: Readonly<Record<string, string | readonly string[]>>
  assertionId: string
  responseId: string
  destination: string | undefined
  status: string
  /** Each replaces the element of its name; the empty text leaves it out. */
  confirmation: string
  conditions: string
  statement: string
  issueInstant: string
  /** Goes into the assertion behind everything else. */
  extra: string
  sessionIndex: string
}

export const instant = (ms: number): string => new Date(ms).toISOString()

const minute = 60_000

/** A response that is right in everything but what the test changes. */
export const responseXml = (
  content: Pick<ResponseContent, 'now' | 'audience' | 'recipient' | 'requestId'> & Partial<ResponseContent>,
): string => {
  const { now, audience, recipient, requestId } = content
  const answers = requestId === undefined ? '' : ` InResponseTo="${requestId}"`
  const {
    issuer = idpEntityId,
    nameId = 'ann@corp.example',
    nameIdAttributes = '',
    attributes = { email: 'ann@corp.example' },
    assertionId = `_a${crypto.randomUUID()}`,
    responseId = `_r${crypto.randomUUID()}`,
    destination = recipient,
    status = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
    confirmation = `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${instant(now + 5 * minute)}" Recipient="${recipient}"${answers}/></saml:SubjectConfirmation>`,
    conditions = `<saml:Conditions NotBefore="${instant(now - minute)}" NotOnOrAfter="${instant(now + 5 * minute)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    sessionIndex = '_session1',
    statement = `<saml:AuthnStatement AuthnInstant="${instant(now)}" SessionIndex="${sessionIndex}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    issueInstant = instant(now),
    extra = '',
  } = content
  const values = Object.entries(attributes).map(
    ([name, value]) =>
      `<saml:Attribute Name="${name}">${[value]
        .flat()
        .map(item => `<saml:AttributeValue xsi:type="xs:string">${item}</saml:AttributeValue>`)
        .join('')}</saml:Attribute>`,
  )
  const subject = `<saml:Subject><saml:NameID${nameIdAttributes}>${nameId}</saml:NameID>${confirmation}</saml:Subject>`
  const statements = `${statement}${values.length === 0 ? '' : `<saml:AttributeStatement>${values.join('')}</saml:AttributeStatement>`}`
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${responseId}" Version="2.0" IssueInstant="${issueInstant}"${destination === '' ? '' : ` Destination="${destination}"`}${answers}><saml:Issuer>${issuer}</saml:Issuer>${status}<saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="${assertionId}" Version="2.0" IssueInstant="${issueInstant}"><saml:Issuer>${issuer}</saml:Issuer>${subject}${conditions}${statements}${extra}</saml:Assertion></samlp:Response>`
}

// ---------------------------------------------------------------------------------------------- signing

export interface Signing {
  key: IdpKey
  /** XPath of the element that is signed. */
  of: string
  signatureAlgorithm: string
  digestAlgorithm: string
  transforms: readonly string[]
  canonicalizationAlgorithm: string
}

export const assertionPath = "//*[local-name(.)='Assertion']"
export const messagePath = '/*'

export const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
export const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'

/** The document with a signature behind the issuer of the element that is signed, by default the assertion. */
export const signXml = (
  xml: string,
  {
    key = sharedIdpKey(),
    of = assertionPath,
    signatureAlgorithm = rsaSha256,
    digestAlgorithm = sha256,
    transforms = [enveloped, exclusive],
    canonicalizationAlgorithm = exclusive,
  }: Partial<Signing> = {},
): string => {
  const signer = new SignedXml({
    privateKey: key.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    publicCert: pem(key.certificate),
    signatureAlgorithm,
    canonicalizationAlgorithm,
  })
  signer.addReference({ xpath: of, transforms: [...transforms], digestAlgorithm })
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${of}/*[local-name(.)='Issuer']`, action: 'after' },
  })
  return signer.getSignedXml()
}

/**
 * The document with a signed assertion whose canonical form includes prefixes that the response declares. The library signs
 * such assertions in a way of its own, so this follows the specification by hand.
 */
export const signWithPrefixes = (
  xml: string,
  inclusive: readonly string[],
  { privateKey, hash }: { privateKey: KeyObject; hash: string } = {
    privateKey: sharedIdpKey().privateKey,
    hash: 'sha256',
  },
): string => {
  const algorithm = `http://www.w3.org/2001/04/xmldsig-more#${privateKey.asymmetricKeyType === 'ec' ? 'ecdsa' : 'rsa'}-${hash}`
  const [assertion = ''] = /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml) ?? []
  const [, declarations = ''] = /<samlp:Response((?: xmlns:\w+="[^"]*")*)/.exec(xml) ?? []
  const canonical = canonicalElsewhere(assertion.replace('<saml:Assertion', `$&${declarations}`), inclusive)
  const [, id = ''] = /ID="([^"]*)"/.exec(assertion) ?? []
  const transform = `<ds:Transform Algorithm="${exclusive}"><ec:InclusiveNamespaces xmlns:ec="${exclusive}" PrefixList="${inclusive.join(' ')}"></ec:InclusiveNamespaces></ds:Transform>`
  const signedInfo = `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="${exclusive}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${algorithm}"></ds:SignatureMethod><ds:Reference URI="#${id}"><ds:Transforms><ds:Transform Algorithm="${enveloped}"></ds:Transform>${transform}</ds:Transforms><ds:DigestMethod Algorithm="${sha256}"></ds:DigestMethod><ds:DigestValue>${createHash('sha256').update(canonical).digest('base64')}</ds:DigestValue></ds:Reference></ds:SignedInfo>`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  const value = sign(hash, Buffer.from(signedInfo), key).toString('base64')
  const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">${signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`
  return xml.replace(assertion, () => assertion.replace('</saml:Issuer>', `$&${signature}`))
}

export const signedResponse = (content: Parameters<typeof responseXml>[0], signing: Partial<Signing> = {}): string =>
  signXml(responseXml(content), signing)

// ---------------------------------------------------------------------------------------------- encryption

export interface Encryption {
  /** DER in base64: ActiveEncryptionCertificate as it is described. */
  certificate: string
  cipher: string
  keyEncryption: string
  keyEncryptionDigest: string
  keyEncryptionMgf: string | undefined
}

/** The document with its assertion encrypted to the certificate. */
export const encryptAssertion = async (
  xml: string,
  {
    certificate,
    cipher = 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyEncryption = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
    keyEncryptionDigest = 'sha1',
    keyEncryptionMgf,
  }: Partial<Encryption> & { certificate: string },
): Promise<string> => {
  const [assertion] = /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml) ?? []
  if (assertion === undefined) throw new Error('There is no assertion to encrypt.')
  const own = assertion.replace('<saml:Assertion', '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"')
  const data = await encryptText(own, {
    certificate,
    cipher,
    keyEncryption,
    keyEncryptionDigest,
    keyEncryptionMgf,
  })
  return xml.replace(assertion, () => `<saml:EncryptedAssertion>${data}</saml:EncryptedAssertion>`)
}

/** EncryptedData with the text in it. */
export const encryptText = (
  text: string,
  { certificate, cipher, keyEncryption, keyEncryptionDigest, keyEncryptionMgf }: Encryption,
): Promise<string> =>
  promisify(encrypt)(text, {
    rsa_pub: pem(certificate),
    pem: pem(certificate),
    encryptionAlgorithm: cipher,
    keyEncryptionAlgorithm: keyEncryption,
    keyEncryptionDigest,
    keyEncryptionMgf,
    disallowEncryptionWithInsecureAlgorithm: false,
    warnInsecureAlgorithm: false,
  })

// ---------------------------------------------------------------------------------------------- sign-out

/** The answer to a LogoutRequest, not yet signed. */
export const logoutResponseXml = ({
  now,
  recipient,
  requestId,
  issuer = idpEntityId,
  status = 'urn:oasis:names:tc:SAML:2.0:status:Success',
}: {
  now: number
  recipient: string
  requestId: string
  issuer?: string
  status?: string
}): string =>
  `<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_l${crypto.randomUUID()}" Version="2.0" IssueInstant="${instant(now)}"${recipient === '' ? '' : ` Destination="${recipient}"`} InResponseTo="${requestId}"><saml:Issuer>${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status></samlp:LogoutResponse>`
