/**
 * The tokens that this server signs: JSON Web Signatures in compact form (RFC 7515), RS256, with the header members
 * `kid` and `alg` and no others. Reading accepts exactly the form that writing produces; there is no algorithm to choose
 * and no key to be fetched, so the attacks on both have nothing to hold on to.
 */
import { constants, type KeyObject, verify } from 'node:crypto'

export type Claims = Record<string, unknown>

/** Longer than any token with a hundred groups, and short enough to be looked at. */
const tokenLengthMax = 131_072
/** A signature under RSA-2048. */
const signatureBytes = 256

const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')

const headerText = (kid: string): string => JSON.stringify({ kid, alg: 'RS256' })

/** Header and claims as they are signed; the token is this, a dot, and the signature in base64url. */
export const signingInput = (kid: string, claims: Claims): string =>
  `${encode(headerText(kid))}.${encode(JSON.stringify(claims))}`

/** A token that has the right form. Nothing in it can be trusted before the signature is verified. */
export interface ParsedToken {
  kid: string
  claims: Claims
  signedText: string
  signature: Buffer
}

/**
 * The parts of a token; undefined when it is not three canonical base64url parts with exactly our header, a JSON object
 * and a signature of the right length.
 */
export const parseToken = (token: string): ParsedToken | undefined => {
  if (token.length > tokenLengthMax) return undefined
  const parts = token.split('.', 4)
  if (parts.length !== 3) return undefined
  const [header, payload, signature] = parts.map(decodeCanonical)
  if (header === undefined || payload === undefined || signature?.length !== signatureBytes) return undefined
  const kid = parseObject(header)?.['kid']
  if (typeof kid !== 'string' || header.toString('utf8') !== headerText(kid)) return undefined
  const claims = parseObject(payload)
  return claims && { kid, claims, signedText: token.slice(0, token.lastIndexOf('.')), signature }
}

/** True when the signature was made with the private half of this RSA key (RSASSA-PKCS1-v1_5 with SHA-256). */
export const isSignedWith = ({ signedText, signature }: ParsedToken, publicKey: KeyObject): boolean =>
  verify('sha256', Buffer.from(signedText), { key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature)

/** True for what has the outer form of a signed token, whoever signed it: three parts and a header that names `alg`. */
export const looksLikeSignedToken = (token: string): boolean => {
  if (token.length > tokenLengthMax) return false
  const parts = token.split('.', 4)
  const header = decodeCanonical(parts[0] ?? '')
  return parts.length === 3 && header !== undefined && typeof parseObject(header)?.['alg'] === 'string'
}

/**
 * The bytes of a base64url text; undefined when it is empty, holds foreign characters or padding, or sets bits that do
 * not belong to a byte, so that each value has one spelling only.
 */
export const decodeCanonical = (text: string): Buffer | undefined => {
  if (text === '') return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

const parseObject = (bytes: Buffer): Claims | undefined => {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}
