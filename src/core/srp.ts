/**
 * Secure Remote Password as Amazon Cognito's clients speak it: SRP-6a (RFC 2945, RFC 5054) with SHA-256 in the 3072-bit
 * group of RFC 3526 with g = 2, Java's encoding of integers, and a 16-byte session key from one step of HKDF.
 * Users and remembered devices differ only in the names: a device puts its group key in the place of the pool's name,
 * its device key in the place of the user id and its random password in the place of the password.
 *
 * Only additions and single multiplications happen here. Every modular exponentiation goes through the compute port,
 * which does it off the main thread.
 */
import { createHash, createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto'
import type { Compute } from './ports.ts'

/** Length of N, and of every group element that these functions return, in bytes. */
export const groupBytes = 384

/** The 3072-bit safe prime of RFC 3526, group 15. */
export const N = BigInt(
  '0x' +
    'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd' +
    'ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed' +
    'ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f' +
    '83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b' +
    'e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510' +
    '15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7' +
    'abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c' +
    'bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff',
)

type Arithmetic = Pick<Compute, 'modPow'>

/** Unsigned big-endian bytes as an integer; no bytes are zero. */
export const toInteger = (bytes: Buffer): bigint => (bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`))

/** The integer (below 2^3072) as 384 big-endian bytes. */
export const toGroupBytes = (value: bigint): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * groupBytes, '0'), 'hex')

/** The integer that the bytes stand for in lower-case hex without leading zeros: the form of SALT and SRP_B. */
export const toIntegerHex = (bytes: Buffer): string => toInteger(bytes).toString(16)

const fromIntegerHex = (hex: string): Buffer => Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')

/**
 * PAD of the unsigned big-endian integer: its shortest form, with a zero byte in front where the top bit would otherwise
 * be set, as Java's `BigInteger.toByteArray` writes it. Everything that is hashed as an integer is hashed in this form.
 */
export const pad = (integer: Buffer): Buffer => {
  let start = 0
  while (start < integer.length - 1 && integer[start] === 0) start += 1
  const shortest = integer.subarray(start)
  return (shortest[0] ?? 0x80) >= 0x80 ? Buffer.concat([Buffer.alloc(1), shortest]) : shortest
}

const sha256 = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer')
// As a KeyObject, because a hash keyed with bytes takes Node three times as long.
const hmacSha256 = (key: Buffer, ...parts: (Buffer | string)[]): Buffer => {
  const hmac = createHmac('sha256', createSecretKey(key))
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

const generator = Buffer.of(2)

/** The multiplier k = SHA-256(PAD(N) | PAD(g)). */
export const k = toInteger(sha256(Buffer.concat([pad(toGroupBytes(N)), pad(generator)])))

// ------------------------------------------------------------------------------------------------ values from outside

const isPossiblePublicValue = (value: bigint): boolean => value > 1n && value < N - 1n

/**
 * SRP_A, hex in either case with or without leading zeros, as 384 bytes. Undefined when it is not hex, is longer than
 * PAD(A) can be, or is a value that no client computes and that would fix the session key whatever the password is:
 * 0 modulo N (RFC 5054, section 2.5.4), 1, N - 1, and all that is not below N.
 */
export const parseA = (hex: string): Buffer | undefined => {
  if (hex.length === 0 || hex.length > 2 * (groupBytes + 1) || !/^[0-9a-f]+$/i.test(hex)) return undefined
  const A = BigInt(`0x${hex}`)
  return isPossiblePublicValue(A) ? toGroupBytes(A) : undefined
}

/**
 * A verifier that a client computed itself (ConfirmDevice), as 384 bytes. Undefined when it is longer than PAD(v) can
 * be or not in 2 … N - 2: with a verifier of 0, 1 or N - 1 everybody knows the session key.
 */
export const parseVerifier = (bytes: Buffer): Buffer | undefined => {
  if (bytes.length > groupBytes + 1) return undefined
  const verifier = toInteger(bytes)
  return isPossiblePublicValue(verifier) ? toGroupBytes(verifier) : undefined
}

/** The salt of such a verifier as the hex of its integer. Undefined when it is empty, zero or longer than 64 bytes. */
export const parseSalt = (bytes: Buffer): string | undefined => {
  if (bytes.length > 64) return undefined
  const salt = toIntegerHex(bytes)
  return salt === '0' ? undefined : salt
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const timestampPattern = new RegExp(
  `^(${weekdays.join('|')}) (${months.join('|')}) (\\d{1,2}) (\\d\\d):(\\d\\d):(\\d\\d) UTC (\\d{4})$`,
)

/**
 * TIMESTAMP, `EEE MMM d HH:mm:ss z yyyy` in English with the zone UTC and the day with or without a leading zero, in
 * milliseconds since the epoch. Undefined for everything else, also for dates that do not exist and wrong weekdays.
 */
export const parseSrpTimestamp = (text: string): number | undefined => {
  if (text.length < 27 || text.length > 28) return undefined
  const parts = timestampPattern.exec(text)
  if (parts === null) return undefined
  const [weekday, month] = [weekdays.indexOf(parts[1] ?? ''), months.indexOf(parts[2] ?? '')]
  const [day = 0, hour = 0, minute = 0, second = 0, year = 0] = parts.slice(3).map(Number)
  const time = Date.UTC(year, month, day, hour, minute, second)
  const date = new Date(time)
  // A date that does not exist rolls over into one that does, which then differs from what was written.
  const exists =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  return exists && date.getUTCDay() === weekday ? time : undefined
}

// ------------------------------------------------------------------------------------------------ passwords

/** What is kept of a password. */
export interface SrpPassword {
  /** Hex of the salt as an integer, which is what clients are sent and what PAD is applied to. */
  salt: string
  /** v = g^x mod N, 384 bytes. As good as the password in the hands of a thief: it is sealed wherever it rests. */
  verifier: Buffer
}

/** x = SHA-256(PAD(salt) | SHA-256(poolName | userId | ":" | password)), the texts in UTF-8; 32 bytes. */
const privateKey = (poolName: string, userIdForSrp: string, password: string, salt: string): Buffer => {
  const inner = sha256(Buffer.from(`${poolName}${userIdForSrp}:${password}`))
  return sha256(Buffer.concat([pad(fromIntegerHex(salt)), inner]))
}

/** Salt and verifier for a new password; clients expect 16 random bytes of salt. */
export const passwordVerifier = async (
  compute: Arithmetic,
  poolName: string,
  userIdForSrp: string,
  password: string,
  saltBytes: Buffer,
): Promise<SrpPassword> => {
  const salt = toIntegerHex(saltBytes)
  return { salt, verifier: await compute.modPow(generator, privateKey(poolName, userIdForSrp, password, salt)) }
}

/** True when the password is the one behind salt and verifier. Takes the same time whether it is or not. */
export const verifyPassword = async (
  compute: Arithmetic,
  poolName: string,
  userIdForSrp: string,
  password: string,
  { salt, verifier }: SrpPassword,
): Promise<boolean> => {
  const candidate = await compute.modPow(generator, privateKey(poolName, userIdForSrp, password, salt))
  return candidate.length === verifier.length && timingSafeEqual(candidate, verifier)
}

// ------------------------------------------------------------------------------------------------ the exchange

/** The server's half of an exchange. `b` is secret and good for one sign-in only. */
export interface ServerChallenge {
  b: Buffer
  /** The public value, 384 bytes. */
  B: Buffer
}

/**
 * b, which is the random bytes, and B = (k·v + g^b) mod N, which is never 0. Raises RangeError for less than the 32
 * bytes of randomness that RFC 5054, section 2.5.3, asks for.
 */
export const serverChallenge = async (
  compute: Arithmetic,
  verifier: Buffer,
  randomBytes: Buffer,
): Promise<ServerChallenge> => {
  if (randomBytes.length < 32) throw new RangeError('An SRP challenge needs at least 32 random bytes.')
  const b = Buffer.from(randomBytes)
  const B = (k * toInteger(verifier) + toInteger(await compute.modPow(generator, b))) % N
  // Clients stop at B = 0. It happens by chance once in 2^3072; the next b is just as unpredictable.
  return B === 0n ? serverChallenge(compute, verifier, sha256(b)) : { b, B: toGroupBytes(B) }
}

/**
 * The session key K of 16 bytes. Undefined when u is 0, which must end the exchange (RFC 5054, section 2.5.3) and which
 * nobody can bring about with SHA-256; `hashU` is there so that this can be shown.
 */
export const sessionKey = async (
  compute: Arithmetic,
  { A, B, b, verifier }: { A: Buffer; B: Buffer; b: Buffer; verifier: Buffer },
  hashU: (bytes: Buffer) => Buffer = sha256,
): Promise<Buffer | undefined> => {
  const u = hashU(Buffer.concat([pad(A), pad(B)]))
  if (toInteger(u) === 0n) return undefined
  const base = (toInteger(A) * toInteger(await compute.modPow(verifier, u))) % N
  const S = await compute.modPow(toGroupBytes(base), b)
  return hmacSha256(hmacSha256(pad(u), pad(S)), 'Caldera Derived Key', Buffer.of(1)).subarray(0, 16)
}

/** The 32 bytes that PASSWORD_CLAIM_SIGNATURE must be equal to; compare with `timingSafeEqual`. */
export const claimSignature = (
  K: Buffer,
  poolName: string,
  userIdForSrp: string,
  secretBlock: Buffer,
  timestamp: string,
): Buffer => hmacSha256(K, poolName, userIdForSrp, secretBlock, timestamp)

// ------------------------------------------------------------------------------------------------ users who do not exist

/**
 * A salt for a user name that nobody has: the same one every time, as the hex of an integer of 16 bytes like a real one.
 * `key` is a secret of the installation; without it the salt cannot be told from a real one.
 */
export const fakeSalt = (key: Buffer, poolId: string, username: string): string =>
  toIntegerHex(fakeBytes(key, 'salt', poolId, username, 16))

/**
 * A verifier for a user name that nobody has, the same one every time, so that such users go through exactly the
 * arithmetic of real ones. No password fits it: nobody knows its logarithm.
 */
export const fakeVerifier = (key: Buffer, poolId: string, username: string): Buffer => {
  const bytes = fakeBytes(key, 'verifier', poolId, username, groupBytes)
  // Powers of 2 are squares modulo N, so only a square looks like a verifier.
  return toGroupBytes(toInteger(bytes) ** 2n % N)
}

/** SHAKE256 with the key in front, which for a sponge is a sound keyed function (SP 800-185 builds KMAC on it). */
const fakeBytes = (key: Buffer, purpose: string, poolId: string, username: string, outputLength: number): Buffer =>
  createHash('shake256', { outputLength })
    .update(key)
    .update(JSON.stringify(['srp', purpose, poolId, username]))
    .digest()
