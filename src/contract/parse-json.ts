/**
 * The first look at a request body. Everything that would make a later step slow or unsafe is refused here: text that
 * is not UTF-8, deep nesting, and objects or arrays with very many entries.
 */
import { Buffer, isUtf8 } from 'node:buffer'

/** How deep objects and arrays may be nested. JSON.stringify fails on depths that JSON.parse accepts. */
export const depthMax = 64
/** How many entries one object or array may have. The largest list of the model holds 200. */
export const entriesMax = 5_000
/** How many entries all objects and arrays of a body may have together. */
const entriesTotalMax = 20_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * Finds what is too deep or too large in one pass over the bytes, before anything is built from them. Text that is not
 * JSON may pass; the parser refuses it afterwards.
 */
const findExcess = (bytes: Uint8Array): string | undefined => {
  const commas = new Uint32Array(depthMax + 1)
  let depth = 0
  let total = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === quote) {
      for (index++; index < bytes.length && bytes[index] !== quote; index++) if (bytes[index] === backslash) index++
    } else if (byte === comma) {
      total++
      commas[depth]!++
      if (commas[depth]! >= entriesMax || total >= entriesTotalMax) return 'The request body has too many entries.'
    } else if (byte === openBrace || byte === openBracket) {
      depth++
      if (depth > depthMax) return 'The request body is nested too deeply.'
      commas[depth] = 0
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return undefined
      depth--
    }
  }
  return undefined
}

/**
 * Reads a request body. The value is an object, `{}` for an empty body. `serialization` is the message of a
 * SerializationException; like the service's own it is empty when the body is not a JSON object at all.
 */
export const parseJson = (body: Uint8Array): { value: unknown } | { serialization: string } => {
  if (body.length === 0) return { value: {} }
  const excess = findExcess(body)
  if (excess !== undefined) return { serialization: excess }
  if (!isUtf8(body)) return { serialization: '' }
  let value: unknown
  try {
    // A byte order mark stays in the text and is refused by the parser.
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'))
  } catch {
    return { serialization: '' }
  }
  if (Array.isArray(value)) return { serialization: 'Start of list found where not expected' }
  if (typeof value !== 'object' || value === null) return { serialization: '' }
  return { value }
}
