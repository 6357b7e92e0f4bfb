/** DER (ITU-T X.690) where its one spelling matters. */

/**
 * Whether the bytes are an ECDSA signature on P-256 as DER spells it (RFC 3279, section 2.2.3): decoders accept others
 * that stand for the same numbers.
 */
export const isP256Signature = (bytes: Buffer): boolean => {
  const [tag, length] = bytes
  // Two numbers of at most 33 bytes: all lengths take one byte.
  if (tag !== 0x30 || length !== bytes.length - 2 || bytes.length > 72) return false
  const r = integerEnd(bytes, 2)
  return r !== undefined && integerEnd(bytes, r) === bytes.length
}

/** Where the positive integer at the offset ends; undefined when it is none, or not in its shortest form. */
const integerEnd = (bytes: Buffer, offset: number): number | undefined => {
  const [tag, length, first, second] = bytes.subarray(offset)
  if (tag !== 0x02 || length === undefined || length < 1 || length > 33 || first === undefined) return undefined
  if (first >= 0x80 || (first === 0 && (length === 1 || second === undefined || second < 0x80))) return undefined
  return offset + 2 + length
}

// ---------------------------------------------------------------------------------------------- writing

/** One element: a tag, the length of its content, and the content. */
const element = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}

/** Short form below 128, else the number of bytes and the bytes. */
const length = (value: number): Buffer => {
  if (value < 0x80) return Buffer.from([value])
  const bytes = value < 0x100 ? [value] : [value >> 8, value & 0xff]
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

/** The types of X.690 that certificates are made of. */
export const der = {
  sequence: (...parts: Buffer[]): Buffer => element(0x30, ...parts),
  set: (...parts: Buffer[]): Buffer => element(0x31, ...parts),
  /** A part with a tag of its context. */
  explicit: (tag: number, part: Buffer): Buffer => element(0xa0 | tag, part),
  /** Bytes with a tag of their context, in the place of their own. */
  implicit: (tag: number, bytes: Buffer): Buffer => element(0x80 | tag, bytes),
  true: (): Buffer => element(0x01, Buffer.from([0xff])),
  null: (): Buffer => element(0x05),
  /** The bytes must be those of a positive number in the shortest form. */
  integer: (bytes: Buffer): Buffer => element(0x02, bytes),
  /** The unused bits of the last byte must be zero. */
  bitString: (bytes: Buffer, unusedBits = 0): Buffer => element(0x03, Buffer.from([unusedBits]), bytes),
  octetString: (bytes: Buffer): Buffer => element(0x04, bytes),
  /** An object identifier by the bytes of its encoding. */
  objectId: (bytes: readonly number[]): Buffer => element(0x06, Buffer.from(bytes)),
  utf8String: (text: string): Buffer => element(0x0c, Buffer.from(text)),
  /** UTCTime through 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5); milliseconds since the epoch. */
  time: (ms: number): Buffer => {
    const date = new Date(ms)
    const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
    return date.getUTCFullYear() < 2050
      ? element(0x17, Buffer.from(digits.slice(2)))
      : element(0x18, Buffer.from(digits))
  },
}

/** Sixteen bytes of a digest as a positive serial number (RFC 5280 section 4.1.2.2). */
export const serialNumber = (digest: Buffer): Buffer => {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}
