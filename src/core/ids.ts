/** Identifiers, codes and secrets in Cognito's formats, drawn without bias from the random port. */
import type { Random } from './ports.ts'

const lowerBase32 = '0123456789abcdefghijklmnopqrstuv'
const lowerAlphanumerics = '0123456789abcdefghijklmnopqrstuvwxyz'
const alphanumerics = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Characters drawn uniformly from the alphabet (at most 256 characters); bytes that would bias the draw are redrawn. */
export const randomText = (random: Random, alphabet: string, length: number): string => {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length - text.length)) {
      if (byte < limit) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}

/** `{region}_` and nine letters or digits. */
export const newPoolId = (random: Random, region: string): string => `${region}_${randomText(random, alphanumerics, 9)}`

/** 26 characters of lower-case base32. */
export const newClientId = (random: Random): string => randomText(random, lowerBase32, 26)

/** 52 characters of lower-case base32, 260 bits. */
export const newClientSecret = (random: Random): string => randomText(random, lowerBase32, 52)

/** `tkn` and 25 lower-case letters and digits. */
export const newTokenSessionId = (random: Random): string => `tkn${randomText(random, lowerAlphanumerics, 25)}`

/** `sso` and 25 lower-case letters and digits. */
export const newBrowserSessionId = (random: Random): string => `sso${randomText(random, lowerAlphanumerics, 25)}`

/** `{region}_` and a UUID. */
export const newDeviceKey = (random: Random, region: string): string => `${region}_${newUuid(random)}`

/** `-` and eight letters or digits. */
export const newDeviceGroupKey = (random: Random): string => `-${randomText(random, alphanumerics, 8)}`

/** `import-` and ten letters or digits. */
export const newImportJobId = (random: Random): string => `import-${randomText(random, alphanumerics, 10)}`

/** Decimal digits, leading zeros kept. */
export const newCode = (random: Random, digits: number): string => randomText(random, '0123456789', digits)

/** UUID version 4 (RFC 9562). */
export const newUuid = (random: Random): string => uuidFromBytes(random.bytes(16))

/** The bytes as a UUID of version 4; six bits are overwritten by version and variant. */
export const uuidFromBytes = (bytes: Buffer): string => {
  const uuid = Buffer.from(bytes)
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x40
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  const hex = uuid.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
