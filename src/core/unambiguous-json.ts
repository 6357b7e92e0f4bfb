/**
 * JSON objects from servers of others, where two readers must not see two different things: an object that names a member
 * twice, or is not valid UTF-8, is none.
 */
import { isUtf8 } from 'node:buffer'

const depthMax = 32

/** The object; undefined for anything else. */
export const parseUnambiguousJson = (bytes: Uint8Array): Record<string, unknown> | undefined => {
  if (!isUtf8(bytes)) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && !isAmbiguous(text) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** A text, or what opens, closes and parts. What lies between them says nothing of names. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** Whether an object of this JSON text has a name twice, or the nesting is too deep to be looked at. */
const isAmbiguous = (text: string): boolean => {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : undefined) > depthMax) return true
    } else if (token === '}' || token === ']') {
      open.pop()
    } else if (token === ':') {
      const names = open.at(-1)
      const name = JSON.parse(last) as string
      if (names?.has(name)) return true
      names?.add(name)
    }
    last = token
  }
  return false
}
