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
