/**
 * Verification of AWS Signature Version 4: both the form with an `Authorization` header and the pre-signed form whose
 * parameters stand in the query. It follows the AWS documentation "Create a signed AWS API request" step by step, so
 * that the two can be read side by side.
 *
 * The signature has no nonce: a request that is sent twice within its five minutes is accepted twice, as on AWS.
 *
 * All texts of a request are byte strings, one character a byte, as Node delivers them. They are hashed as these bytes.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import * as errors from './errors.ts'

/** A request as it came over the wire, before anything decoded, merged or normalised it. */
export interface SignedRequest {
  method: string
  /** The path of the request line, up to the first `?`. */
  path: string
  /** What follows the first `?` of the request line, or the empty text. */
  query: string
  /** Name, value, name, value …, in the order and the spelling of the request, repetitions included. */
  rawHeaders: readonly string[]
  /** The bytes of the body as sent, so compressed if they were sent compressed. */
  body: Uint8Array
}

export interface VerifyOptions {
  /** The secret of an access key; undefined for an unknown key. The same object for the same secret, see `signingKey`. */
  findKey: (accessKeyId: string) => { readonly secret: string } | undefined
  /** Milliseconds since the epoch. */
  now: number
  /** The service name in the credential scope, for example `cognito-idp`. */
  service: string
  /** `form-only` accepts any signature that is written correctly and proves nothing. */
  mode: 'verify' | 'form-only'
}

/** Who signed, and for which region. */
export interface Signer {
  accessKeyId: string
  region: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const terminator = 'aws4_request'
const windowSeconds = 5 * 60
const presignedSecondsMax = 7 * 24 * 60 * 60
const authorizationLengthMax = 8_192
const targetLengthMax = 16_384
const signedHeadersMax = 100

/**
 * Says who signed the request. In mode `form-only` the claim is returned unproven.
 *
 * Throws MissingAuthenticationTokenException without a signature, IncompleteSignatureException when it is malformed,
 * InvalidSignatureException when it is wrong, too old or for another service, and UnrecognizedClientException for an
 * unknown access key or any session token, since no temporary credentials are issued here.
 */
export const verifySignature = (request: SignedRequest, options: VerifyOptions): Signer => {
  const headers = readHeaders(request.rawHeaders)
  const query = readQuery(request.query)
  const claim = readClaim(headers, query)
  const scope = readCredential(claim.credential)

  if (options.mode === 'form-only') {
    checkScope(scope, options.service)
    return { accessKeyId: scope.accessKeyId, region: scope.region }
  }

  refuseRepetitions(headers, query)
  const signedAt = readTime(claim.signedAt)
  checkWindow(signedAt, options.now, claim.lifetime)
  const signedHeaders = readSignedHeaders(claim.signedHeaders, headers)
  checkScope(scope, options.service, claim.signedAt)
  const payloadHash = hashPayload(request.body, headers, query)

  const canonical = canonicalRequest(request, query, headers, signedHeaders, payloadHash)
  const stringToSign = [
    algorithm,
    claim.signedAt,
    `${scope.date}/${scope.region}/${scope.service}/${terminator}`,
    hash('sha256', Buffer.from(canonical, 'latin1'), 'hex'),
  ].join('\n')

  // An unknown key costs the same work as a wrong signature.
  const key = options.findKey(scope.accessKeyId)
  const signature = hmac(signingKey(key ?? unknownKey, scope), stringToSign)
  const matches = isSignature(claim.signature, signature)
  if (key === undefined) throw errors.unrecognizedClient()
  if (!matches) throw errors.signatureMismatch()
  if (headers.has(tokenName) || query.named.has(tokenName)) throw errors.unrecognizedClient()
  return { accessKeyId: scope.accessKeyId, region: scope.region }
}

/**
 * The signer that a well-formed signature names, without any proof, or undefined. For operations that need no signature
 * and only take the region from one.
 */
export const findClaimedSigner = (request: SignedRequest, service: string): Signer | undefined => {
  try {
    return verifySignature(request, { findKey: () => undefined, now: 0, service, mode: 'form-only' })
  } catch (error) {
    if (errors.isCognitoError(error)) return undefined
    throw error
  }
}

// ---------------------------------------------------------------------------------------------- the claim

/** What the request says about its signature; nothing of it is proven. */
interface Claim {
  credential: string
  signedHeaders: string
  signature: string
  /** X-Amz-Date as sent. */
  signedAt: string | undefined
  /** X-Amz-Expires as sent, in the pre-signed form only. */
  lifetime: string | undefined
}

const tokenName = 'x-amz-security-token'
const payloadHashName = 'x-amz-content-sha256'
const signatureName = 'x-amz-signature'

const readClaim = (headers: Values, query: Query): Claim => {
  const authorization = single(headers, 'authorization')
  const presigned = ['x-amz-algorithm', 'x-amz-credential', signatureName].some(name => query.named.has(name))
  if (authorization !== undefined && presigned) throw errors.signedInHeaderAndQuery()
  if (authorization !== undefined) return claimOfHeader(authorization, single(headers, 'x-amz-date'))
  if (presigned) return claimOfQuery(query.named)
  throw errors.missingAuthenticationToken()
}

const claimOfHeader = (authorization: string, signedAt: string | undefined): Claim => {
  const digest = () => hash('sha256', authorization, 'base64')
  const space = authorization.indexOf(' ')
  if (authorization.length > authorizationLengthMax || space === -1 || !authorization.startsWith('AWS4-')) {
    throw errors.authorizationHeaderMalformed(digest())
  }
  checkAlgorithm(authorization.slice(0, space))

  const parameters: Values = new Map()
  for (const parameter of authorization.slice(space).split(',')) {
    const [name, value] = splitAt(parameter.replace(/^[ \t]+/, ''), '=')
    if (name === '' || value === undefined) throw errors.authorizationHeaderMalformed(digest())
    addValue(parameters, name, value)
  }
  const names = ['Credential', 'Signature', 'SignedHeaders']
  const missing = names.filter(name => !single(parameters, name))
  if (missing.length > 0) throw errors.authorizationHeaderIncomplete(missing, digest())
  const [credential = '', signature = '', signedHeaders = ''] = names.map(name => single(parameters, name))
  return { credential, signature, signedHeaders, signedAt, lifetime: undefined }
}

const claimOfQuery = (parameters: Values): Claim => {
  const names = ['Algorithm', 'Credential', 'Signature', 'SignedHeaders', 'Date', 'Expires'].map(
    name => `X-Amz-${name}`,
  )
  const values = names.map(name => single(parameters, name.toLowerCase()))
  const missing = names.filter((_, index) => !values[index])
  if (missing.length > 0) throw errors.queryAuthenticationIncomplete(missing)
  const [claimedAlgorithm = '', credential = '', signature = '', signedHeaders = '', signedAt, lifetime] = values
  checkAlgorithm(claimedAlgorithm)
  return { credential, signature, signedHeaders, signedAt, lifetime }
}

/** Refuses among others the asymmetric AWS4-ECDSA-P256-SHA256, for which an access key has no public key here. */
const checkAlgorithm = (claimed: string): void => {
  if (claimed !== algorithm) throw errors.signatureAlgorithmUnsupported(printable(claimed))
}

/**
 * AWS lets a header be repeated and joins the values. For those that decide what is done, by whom and when, a
 * repetition means that two readers of the same request may see two different requests.
 */
const refuseRepetitions = (headers: Values, query: Query): void => {
  for (const [name, values] of headers) {
    if (values.length > 1 && (singleHeaders.has(name) || isAmzName(name))) {
      throw errors.repeatedInSignature(printable(name))
    }
  }
  for (const [name, values] of query.named) {
    if (values.length > 1 && isAmzName(name)) throw errors.repeatedInSignature(printable(name))
  }
}

const singleHeaders = new Set(['authorization', 'host', 'content-type', 'date'])

const isAmzName = (name: string): boolean => name.startsWith('x-amz-')

// ---------------------------------------------------------------------------------------------- the scope

interface Scope {
  accessKeyId: string
  date: string
  region: string
  service: string
  terminator: string
}

const readCredential = (credential: string): Scope => {
  const [accessKeyId, date, region, service, end, ...rest] = credential.split('/', 6)
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    end === undefined ||
    rest.length > 0
  ) {
    throw errors.credentialMalformed(printable(credential))
  }
  return { accessKeyId, date, region, service, terminator: end }
}

/**
 * Every region is valid, because one server serves all of them; the region of a request is the one it is signed for.
 * Without `signedAt` the date is not compared.
 */
const checkScope = (scope: Scope, service: string, signedAt?: string): void => {
  const day = signedAt?.slice(0, 8)
  const wrong = {
    ...(!isRegion(scope.region) && { region: true as const }),
    ...(scope.service !== service && { service: { expected: service } }),
    ...(scope.terminator !== terminator && { terminator: { got: printable(scope.terminator) } }),
    ...(signedAt !== undefined &&
      day !== undefined &&
      scope.date !== day && { date: { got: printable(scope.date), expected: day, signedAt } }),
  }
  if (Object.keys(wrong).length > 0) throw errors.credentialScopeInvalid(wrong)
}

/** The region ends up in pool ids and ARNs, hence the narrow alphabet. */
const isRegion = (text: string): boolean => text.length <= 32 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text)

// ---------------------------------------------------------------------------------------------- the time

/** X-Amz-Date in milliseconds since the epoch. */
const readTime = (text: string | undefined): number => {
  if (text === undefined) throw errors.signatureDateMissing()
  const fields = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text.slice(0, 17))?.slice(1).map(Number)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields ?? []
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC carries over what is out of range, such as a 30th of February.
  if (fields === undefined || basicFormat(time) !== text) throw errors.signatureDateMalformed(printable(text))
  return time
}

/**
 * Five minutes to either side, in whole seconds, which is the resolution of X-Amz-Date. A pre-signed request may set
 * itself a shorter life with X-Amz-Expires. A longer one is accepted as a number, but has no effect: a signature here
 * is never good for more than five minutes, so that a URL found in a log is worthless.
 */
const checkWindow = (signedAt: number, now: number, lifetime: string | undefined): void => {
  const age = lifetime === undefined ? windowSeconds : Math.min(readLifetime(lifetime), windowSeconds)
  const second = Math.floor(now / 1000) * 1000
  const earliest = second - age * 1000
  const latest = second + windowSeconds * 1000
  if (signedAt < earliest) {
    throw errors.signatureExpired(basicFormat(signedAt), basicFormat(earliest), basicFormat(second), duration(age))
  }
  if (signedAt > latest) {
    const window = duration(windowSeconds)
    throw errors.signatureNotYetCurrent(basicFormat(signedAt), basicFormat(latest), basicFormat(second), window)
  }
}

const readLifetime = (text: string): number => {
  const seconds = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0
  if (seconds < 1 || seconds > presignedSecondsMax) throw errors.signatureLifetimeInvalid()
  return seconds
}

const duration = (seconds: number): string => (seconds % 60 === 0 ? `${seconds / 60} min.` : `${seconds} sec.`)

/** ISO 8601 basic format, for example `20150830T123600Z`. */
const basicFormat = (time: number): string => `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

// ---------------------------------------------------------------------------------------------- the canonical request

/**
 * The names in SignedHeaders. AWS requires `host` and every x-amz-* header of the request among them, so that nobody on
 * the way can turn a signed ListUsers into an AdminDeleteUser. It does not require `content-type`, which the SDKs for
 * PHP and JavaScript 2 leave out; nothing but one content type is served, so there is nothing to gain by changing it.
 */
const readSignedHeaders = (text: string, headers: Values): string[] => {
  const names = text.split(';', signedHeadersMax + 1)
  if (names.length > signedHeadersMax) throw errors.signatureMismatch()
  const wellFormed = names.every(
    (name, index) =>
      /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && headers.has(name) && (index === 0 || name > (names[index - 1] ?? '')),
  )
  if (!names.includes('host') || !headers.has('host')) throw errors.hostNotSigned()
  if (!wellFormed) throw errors.signatureMismatch()
  const signed = new Set(names)
  for (const name of headers.keys()) {
    if (isAmzName(name) && !signed.has(name)) throw errors.headerNotSigned(printable(name))
  }
  return names
}

/**
 * The hash of the body in hex, always made from the bytes received. A declared hash must be that one; UNSIGNED-PAYLOAD
 * and the STREAMING-… forms are refused with all other values, because they leave the body open to change.
 */
const hashPayload = (body: Uint8Array, headers: Values, query: Query): string => {
  const digest = hash('sha256', body, 'hex')
  for (const declared of [single(headers, payloadHashName), single(query.named, payloadHashName)]) {
    if (declared !== undefined && declared !== digest) throw errors.signatureMismatch()
  }
  return digest
}

const canonicalRequest = (
  request: SignedRequest,
  query: Query,
  headers: Values,
  signedHeaders: string[],
  payloadHash: string,
): string => {
  const text = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(query),
    ...signedHeaders.map(name => `${name}:${canonicalValue(headers.get(name) ?? [])}`),
    '',
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
  // Characters beyond a byte cannot have come over the wire and would not survive the hashing.
  if (/[^\x00-\xff]/.test(text)) throw errors.signatureMismatch()
  return text
}

/** Dot segments resolved, empty segments dropped, each segment encoded once more than it already was (all but S3). */
const canonicalPath = (path: string): string => {
  if (path.length > targetLengthMax) throw errors.signatureMismatch()
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(percentEncode(segment))
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`
}

/** Sorted by encoded name, then by encoded value, without the signature itself. */
const canonicalQuery = (query: Query): string =>
  query.pairs
    .filter(([name]) => name.toLowerCase() !== signatureName)
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Values trimmed, runs of blanks made one, repetitions joined in the order sent. */
const canonicalValue = (values: readonly string[]): string =>
  values
    .map(value => {
      if (/[\r\n\0]/.test(value)) throw errors.signatureMismatch()
      return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
    })
    .join(',')

const percentEncode = (text: string): string =>
  text.replace(/[^A-Za-z0-9\-._~]/g, character => escapes[character.charCodeAt(0)] ?? character)

const escapes = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)

// ---------------------------------------------------------------------------------------------- the signature

const unknownKey = { secret: 'no access key has this secret' }

/**
 * The signing key, kept for a few scopes for as long as the access key object lives. The region is the caller's choice,
 * so the number of scopes is bounded. An access key that gets a new secret is a new object, and its old signing keys go
 * with the old one.
 */
const signingKey = (key: { readonly secret: string }, scope: Scope): Buffer => {
  const scopes = signingKeys.get(key) ?? new Map<string, Buffer>()
  signingKeys.set(key, scopes)
  const name = `${scope.date}/${scope.region}/${scope.service}`
  const known = scopes.get(name)
  if (known !== undefined) return known
  const derived = [scope.date, scope.region, scope.service, terminator].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${key.secret}`),
  )
  if (scopes.size >= scopesMax) scopes.clear()
  scopes.set(name, derived)
  return derived
}

const scopesMax = 16
const signingKeys = new WeakMap<object, Map<string, Buffer>>()

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

const isSignature = (claimed: string, signature: Buffer): boolean =>
  /^[0-9a-f]{64}$/.test(claimed.slice(0, 65)) && timingSafeEqual(Buffer.from(claimed, 'hex'), signature)

// ---------------------------------------------------------------------------------------------- reading

type Values = Map<string, string[]>

interface Query {
  /** Decoded, in the order sent. */
  pairs: readonly (readonly [name: string, value: string])[]
  /** By lower-case name. */
  named: Values
}

const readHeaders = (raw: readonly string[]): Values => {
  const headers: Values = new Map()
  for (let index = 0; index + 1 < raw.length; index += 2) {
    addValue(headers, (raw[index] ?? '').toLowerCase(), raw[index + 1] ?? '')
  }
  return headers
}

/** A plus sign is a plus sign: SigV4 knows no form encoding. */
const readQuery = (raw: string): Query => {
  if (raw.length > targetLengthMax) throw errors.signatureMismatch()
  const named: Values = new Map()
  const pairs = raw
    .split('&')
    .filter(pair => pair !== '')
    .map(pair => {
      const [name, value = ''] = splitAt(pair, '=')
      return [percentDecode(name), percentDecode(value)] as const
    })
  for (const [name, value] of pairs) addValue(named, name.toLowerCase(), value)
  return { pairs, named }
}

/** Refuses what is no escape, or `%zz` and `%25zz` would have the same signature. */
const percentDecode = (text: string): string => {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw errors.signatureMismatch()
  return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const splitAt = (text: string, separator: string): [string, string | undefined] => {
  const index = text.indexOf(separator)
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)]
}

const addValue = (values: Values, name: string, value: string): void => {
  const present = values.get(name)
  if (present === undefined) values.set(name, [value])
  else present.push(value)
}

/** The value of a name that must not be repeated. */
const single = (values: Values, name: string): string | undefined => {
  const [value, ...rest] = values.get(name) ?? []
  if (rest.length > 0) throw errors.repeatedInSignature(name)
  return value
}

/** Short enough and plain enough to be repeated in a message and in a response header. */
const printable = (text: string): string => text.slice(0, 128).replace(/[^\x20-\x7e]/g, '?')
