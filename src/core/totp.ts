/**
 * Time-based one-time passwords (RFC 6238) as authenticator applications make them by default: HMAC-SHA-1, six digits,
 * steps of 30 seconds since the epoch.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Twice what RFC 4226, section 4, recommends at least. */
export const totpSecretBytes = 32

const stepMs = 30_000
const digits = 6
/** How many steps the clock of the device may be behind or ahead of ours. */
const stepsAround = 1

/** The number of the time step at a time in milliseconds since the epoch. */
export const totpStepAt = (now: number): number => Math.floor(now / stepMs)

/** The code of a time step: six digits, leading zeros kept (RFC 4226, section 5.3). */
export const totpCode = (secret: Buffer, step: number): string => {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 0x0f
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/**
 * The time step whose code this is: the current one, the one before or the one after, of several the latest. Undefined
 * for every other text. All three are always compared, in constant time.
 */
export const findTotpStep = (secret: Buffer, code: string, now: number): number | undefined => {
  if (code.length !== digits || !/^[0-9]+$/.test(code)) return undefined
  const given = Buffer.from(code, 'latin1')
  const current = totpStepAt(now)
  let found: number | undefined
  for (let step = Math.max(0, current - stepsAround); step <= current + stepsAround; step += 1) {
    if (timingSafeEqual(given, Buffer.from(totpCode(secret, step), 'latin1'))) found = step
  }
  return found
}

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The bytes in base32 without padding (RFC 4648, section 6), as authenticator applications take a secret. */
export const toBase32 = (bytes: Uint8Array): string => {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += base32Alphabet[(buffer >> bits) & 0x1f]
    }
  }
  return bits === 0 ? text : text + base32Alphabet[(buffer << (5 - bits)) & 0x1f]
}

/**
 * The URI that authenticator applications read from a QR code (Key Uri Format of Google Authenticator). `secret` is in
 * base32; no colon of a name can pass for the one between issuer and account.
 */
export const otpauthUri = ({
  issuer,
  account,
  secret,
}: {
  issuer: string
  account: string
  secret: string
}): string => {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`
}
