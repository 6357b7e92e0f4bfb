/**
 * CBOR (RFC 8949) as authenticators write it, looked at before a decoder is given it: definite lengths, few levels, and
 * nothing behind the end.
 */

/** An attestation statement with certificates has four. */
const depthMax = 8

/**
 * The number of bytes that the first item takes; undefined when it is not whole, is nested too deeply, or uses what
 * authenticators do not (indefinite lengths, tags, integers beyond 32 bits). Takes linear time.
 */
export const cborLength = (bytes: Buffer, offset = 0, depth = 0): number | undefined => {
  const end = itemEnd(bytes, offset, depth)
  return end === undefined ? undefined : end - offset
}

/** Whether the bytes are exactly one item. */
export const isOneCborItem = (bytes: Buffer): boolean => cborLength(bytes) === bytes.length

const itemEnd = (bytes: Buffer, offset: number, depth: number): number | undefined => {
  const head = readHead(bytes, offset)
  if (head === undefined || depth > depthMax) return undefined
  const { major, argument, next } = head
  switch (major) {
    case 0:
    case 1:
      return next
    case 2:
    case 3:
      return next + argument <= bytes.length ? next + argument : undefined
    case 4:
      return itemsEnd(bytes, next, argument, depth + 1)
    case 5:
      return itemsEnd(bytes, next, argument * 2, depth + 1)
    case 7:
      // false, true, null
      return argument >= 20 && argument <= 22 ? next : undefined
    default:
      return undefined
  }
}

const itemsEnd = (bytes: Buffer, offset: number, count: number, depth: number): number | undefined => {
  let end: number | undefined = offset
  // Each item takes a byte at least, so a count beyond the bytes ends here.
  for (let item = 0; item < count && end !== undefined; item += 1) end = itemEnd(bytes, end, depth)
  return end
}

const argumentLengths: Record<number, 1 | 2 | 4 | undefined> = { 24: 1, 25: 2, 26: 4 }

const readHead = (bytes: Buffer, offset: number): { major: number; argument: number; next: number } | undefined => {
  const [first] = bytes.subarray(offset, offset + 1)
  if (first === undefined) return undefined
  const major = first >> 5
  const info = first & 0x1f
  if (info < 24) return { major, argument: info, next: offset + 1 }
  const length = argumentLengths[info]
  if (length === undefined || major === 7 || offset + 1 + length > bytes.length) return undefined
  return { major, argument: bytes.readUIntBE(offset + 1, length), next: offset + 1 + length }
}
