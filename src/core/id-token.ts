/**
 * ID tokens of others (OpenID Connect Core, section 3.1.3.7): signatures of the algorithms that providers use, and what the
 * claims have to say. An algorithm takes keys of its own kind only: a shared secret is never looked for among public keys,
 * nor a public key taken for a secret.
 */
import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { type Claims, decodeCanonical } from './jwt.ts'
import { parseUnambiguousJson } from './unambiguous-json.ts'

/** Longer than any ID token with all its claims. */
const tokenLengthMax = 65_536
const subjectLengthMax = 255
/** How far the clocks of two servers may be apart. */
const skewSeconds = 60
/** A token is made for the sign-in that it belongs to, which takes five minutes at most. */
const ageSecondsMax = 600
const rsaBitsMin = 2_048

interface Algorithm {
  kind: 'RSA' | 'PSS' | 'EC' | 'HMAC'
  hash: 'sha256' | 'sha384' | 'sha512'
  /** The curve of an EC key. */
  curve?: string
}

const algorithms: Readonly<Record<string, Algorithm>> = {
  RS256: { kind: 'RSA', hash: 'sha256' },
  RS384: { kind: 'RSA', hash: 'sha384' },
  RS512: { kind: 'RSA', hash: 'sha512' },
  PS256: { kind: 'PSS', hash: 'sha256' },
  PS384: { kind: 'PSS', hash: 'sha384' },
  PS512: { kind: 'PSS', hash: 'sha512' },
  ES256: { kind: 'EC', hash: 'sha256', curve: 'P-256' },
  ES384: { kind: 'EC', hash: 'sha384', curve: 'P-384' },
  ES512: { kind: 'EC', hash: 'sha512', curve: 'P-521' },
  HS256: { kind: 'HMAC', hash: 'sha256' },
  HS384: { kind: 'HMAC', hash: 'sha384' },
  HS512: { kind: 'HMAC', hash: 'sha512' },
}

/** An ID token in the right form. Nothing in it can be trusted before the signature is verified. */
export interface ParsedIdToken {
  algorithm: Algorithm
  alg: string
  kid: string | undefined
  claims: Claims
  signedText: string
  signature: Buffer
}

/** Undefined when it is no signed token, or signed in a way that is not accepted, `none` among them. */
export const parseIdToken = (token: string): ParsedIdToken | undefined => {
  if (token.length > tokenLengthMax) return undefined
  const parts = token.split('.', 4)
  if (parts.length !== 3) return undefined
  const [headerBytes, claimBytes, signature] = parts.map(decodeCanonical)
  const header = headerBytes && parseUnambiguousJson(headerBytes)
  const claims = claimBytes && parseUnambiguousJson(claimBytes)
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  const { alg, kid } = header
  // What a header calls critical must be understood (RFC 7515, section 4.1.11), and nothing of the kind is.
  if (typeof alg !== 'string' || !Object.hasOwn(algorithms, alg) || 'crit' in header) return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const algorithm = algorithms[alg] as Algorithm
  return { algorithm, alg, kid, claims, signedText: token.slice(0, token.lastIndexOf('.')), signature }
}

/** Whether the signature is made with a shared secret. */
export const isSignedWithSecret = ({ algorithm }: ParsedIdToken): boolean => algorithm.kind === 'HMAC'

export const matchesSecret = ({ algorithm, signedText, signature }: ParsedIdToken, secret: string): boolean => {
  if (algorithm.kind !== 'HMAC' || secret === '') return false
  const expected = createHmac(algorithm.hash, secret).update(signedText).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}

/** Whether the token was signed by one of the published keys that has its `kid` and is for its algorithm. */
export const isSignedByOneOf = (token: ParsedIdToken, keys: readonly PublishedKey[]): boolean =>
  token.kid !== undefined &&
  keys.some(jwk => {
    const key = jwk.kid === token.kid ? publicKeyFor(token, jwk) : undefined
    return key !== undefined && isSignedBy(token, key)
  })

/** A key of a JWK Set (RFC 7517) that has a `kid`. */
export type PublishedKey = Record<string, unknown> & { kid: string }

const publicKeyFor = ({ algorithm, alg }: ParsedIdToken, jwk: PublishedKey): KeyObject | undefined => {
  if ((jwk['alg'] ?? alg) !== alg || (jwk['use'] ?? 'sig') !== 'sig') return undefined
  const isEc = algorithm.kind === 'EC'
  if (algorithm.kind === 'HMAC' || jwk['kty'] !== (isEc ? 'EC' : 'RSA')) return undefined
  if (isEc && jwk['crv'] !== algorithm.curve) return undefined
  const names = isEc ? ['kty', 'crv', 'x', 'y'] : ['kty', 'n', 'e']
  try {
    const picked = Object.fromEntries(names.map(name => [name, jwk[name]])) as JsonWebKey
    const key = createPublicKey({ key: picked, format: 'jwk' })
    return isEc || (key.asymmetricKeyDetails?.modulusLength ?? 0) >= rsaBitsMin ? key : undefined
  } catch {
    return undefined
  }
}

const isSignedBy = ({ algorithm: { kind, hash }, signedText, signature }: ParsedIdToken, key: KeyObject): boolean => {
  const options =
    kind === 'EC'
      ? { key, dsaEncoding: 'ieee-p1363' as const }
      : kind === 'PSS'
        ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : { key, padding: constants.RSA_PKCS1_PADDING }
  return verify(hash, Buffer.from(signedText), options, signature)
}

/** What the claims are compared with. */
export interface ExpectedClaims {
  /** Spellings of the issuer; one of them, byte by byte. */
  issuers: readonly string[]
  clientId: string
  nonce: string
  /** The access token that came beside the ID token. */
  accessToken: string
  /** Seconds since the epoch. */
  now: number
}

export type IdTokenFault = 'issuer' | 'audience' | 'expiry' | 'issue time' | 'nonce' | 'at_hash' | 'subject'

/** The first claim that is not as it has to be; undefined when all are. */
export const faultInClaims = (
  { claims, algorithm }: ParsedIdToken,
  { issuers, clientId, nonce, accessToken, now }: ExpectedClaims,
): IdTokenFault | undefined => {
  const { iss, aud, azp, exp, iat, nbf, sub } = claims
  if (typeof iss !== 'string' || !issuers.includes(iss)) return 'issuer'
  const audiences = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(clientId)) return 'audience'
  if ((azp ?? (audiences.length > 1 ? undefined : clientId)) !== clientId) return 'audience'
  if (!isTime(exp) || exp <= now - skewSeconds) return 'expiry'
  if (!isTime(iat) || iat > now + skewSeconds || iat < now - ageSecondsMax) return 'issue time'
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + skewSeconds)) return 'issue time'
  if (claims['nonce'] !== nonce) return 'nonce'
  const hash = claims['at_hash']
  if (hash !== undefined && hash !== leftHalf(algorithm, accessToken)) return 'at_hash'
  if (typeof sub !== 'string' || sub === '' || sub.length > subjectLengthMax) return 'subject'
  return undefined
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** `at_hash` is made with the hash of the signature (section 3.1.3.6). */
const leftHalf = ({ hash }: Algorithm, accessToken: string): string => {
  const digest = createHash(hash).update(accessToken).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
