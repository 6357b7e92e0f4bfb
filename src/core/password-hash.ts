/**
 * Password hashes that other systems have made: their notations, and what a hash may cost. A hash is checked at each
 * sign-in until the first right password, so the costs have the upper bounds that Cognito sets them.
 */
import type { PasswordHashingAlgorithmType } from '../contract/types.ts'

export type PasswordHash =
  | { algorithm: 'BCRYPT'; version: 'a' | 'b' | 'x' | 'y'; cost: number; salt: string; digest: string }
  | { algorithm: 'SCRYPT'; cost: number; blockSize: number; parallelization: number; salt: Buffer; digest: Buffer }
  | { algorithm: 'ARGON2ID'; memory: number; passes: number; parallelism: number; salt: Buffer; digest: Buffer }
  | { algorithm: 'PBKDF2_SHA256'; iterations: number; salt: Buffer; digest: Buffer }

/** A hash in its notation. */
export interface HashText {
  algorithm: PasswordHashingAlgorithmType
  text: string
}

const textLengthMax = 512
const saltBytesMax = 64
const digestBytesMin = 16
const digestBytesMax = 64

const costsMax = {
  bcryptCost: 12,
  scryptCost: 65_536,
  scryptBlockSize: 8,
  scryptParallelization: 1,
  /** KiB. */
  argon2Memory: 19_456,
  argon2Passes: 2,
  argon2Parallelism: 1,
  pbkdf2Iterations: 600_000,
}

/**
 * The parts of a hash:
 * - BCRYPT `$2a$`, `$2b$`, `$2x$` or `$2y$`, cost, salt and digest in bcrypt's own base64;
 * - SCRYPT `N$r$p$salt$digest`, both in hex;
 * - ARGON2ID in the PHC notation, version 1.3: `$argon2id$v=19$m=…,t=…,p=…$salt$digest`;
 * - PBKDF2_SHA256 `$pbkdf2-sha256$iterations$salt$digest`, or with the parameters `i=…` and `l=…` of PHC.
 *
 * Undefined for what is not well formed or costs more than is allowed.
 */
export const parsePasswordHash = ({ algorithm, text }: HashText): PasswordHash | undefined =>
  text.length > textLengthMax ? undefined : parsers[algorithm](text)

const parsers: Record<PasswordHashingAlgorithmType, (text: string) => PasswordHash | undefined> = {
  BCRYPT(text) {
    const match = /^\$2([abxy])\$([0-9]{2})\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/.exec(text)
    if (match === null) return undefined
    const [, version, digits, salt = '', digest = ''] = match
    const cost = within(digits, 4, costsMax.bcryptCost)
    if (!cost) return undefined
    return { algorithm: 'BCRYPT', version: version as 'a' | 'b' | 'x' | 'y', cost, salt, digest }
  },

  SCRYPT(text) {
    const [n, r, p, saltText, digestText, ...rest] = text.split('$')
    const cost = within(n, 2, costsMax.scryptCost)
    const blockSize = within(r, 1, costsMax.scryptBlockSize)
    const parallelization = within(p, 1, costsMax.scryptParallelization)
    const salt = saltOf(fromHex(saltText))
    const digest = digestOf(fromHex(digestText))
    if (rest.length > 0 || !cost || !isPowerOfTwo(cost) || !blockSize || !parallelization) return undefined
    return salt && digest && { algorithm: 'SCRYPT', cost, blockSize, parallelization, salt, digest }
  },

  ARGON2ID(text) {
    const [empty, name, version, parameters = '', saltText, digestText, ...rest] = text.split('$')
    if (empty !== '' || name !== 'argon2id' || version !== 'v=19' || rest.length > 0) return undefined
    const match = /^m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})$/.exec(parameters)
    const parallelism = within(match?.[3], 1, costsMax.argon2Parallelism)
    const memory = within(match?.[1], 8 * (parallelism ?? 1), costsMax.argon2Memory)
    const passes = within(match?.[2], 1, costsMax.argon2Passes)
    const salt = saltOf(fromBase64(saltText))
    const digest = digestOf(fromBase64(digestText))
    if (!memory || !passes || !parallelism || salt === undefined || salt.length < argon2SaltBytesMin) return undefined
    return digest && { algorithm: 'ARGON2ID', memory, passes, parallelism, salt, digest }
  },

  PBKDF2_SHA256(text) {
    const [empty, name, parameters = '', saltText, digestText, ...rest] = text.split('$')
    if (empty !== '' || name !== 'pbkdf2-sha256' || rest.length > 0) return undefined
    const match = /^(?:([0-9]{1,9})|i=([0-9]{1,9})(?:,l=([0-9]{1,3}))?)$/.exec(parameters)
    const iterations = within(match?.[1] ?? match?.[2], 1, costsMax.pbkdf2Iterations)
    const salt = saltOf(fromBase64(saltText))
    const digest = digestOf(fromBase64(digestText))
    if (!iterations || salt === undefined || digest === undefined) return undefined
    if (match?.[3] !== undefined && Number(match[3]) !== digest.length) return undefined
    return { algorithm: 'PBKDF2_SHA256', iterations, salt, digest }
  },
}

/** RFC 9106, section 3.1. */
const argon2SaltBytesMin = 8

/** The number in decimal digits, when it is within the bounds; both are above zero. */
const within = (digits: string | undefined, min: number, max: number): number | undefined => {
  if (digits === undefined || !/^[0-9]{1,9}$/.test(digits)) return undefined
  const value = Number(digits)
  return value >= min && value <= max ? value : undefined
}

const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0

const fromHex = (text = ''): Buffer | undefined =>
  text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text) ? Buffer.from(text, 'hex') : undefined

/** Base64 without padding; passlib writes a dot for the plus sign. */
const fromBase64 = (text = ''): Buffer | undefined =>
  text.length % 4 !== 1 && /^[A-Za-z0-9+/.]*$/.test(text) ? Buffer.from(text.replaceAll('.', '+'), 'base64') : undefined

const saltOf = (bytes: Buffer | undefined): Buffer | undefined =>
  bytes !== undefined && bytes.length >= 1 && bytes.length <= saltBytesMax ? bytes : undefined

const digestOf = (bytes: Buffer | undefined): Buffer | undefined =>
  bytes !== undefined && bytes.length >= digestBytesMin && bytes.length <= digestBytesMax ? bytes : undefined
