/** Bodies of type `application/x-www-form-urlencoded`, of modest size. */
import type { RequestContext } from './request-context.ts'

const formBytesMax = 65_536

/**
 * The fields; a word for what is wrong when the body is too large or no form. A body without a type is taken for a form,
 * because some clients send none.
 */
export const readForm = async (
  c: RequestContext,
  bytesMax = formBytesMax,
): Promise<URLSearchParams | 'too large' | 'malformed'> => {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== undefined && type !== 'application/x-www-form-urlencoded') return 'malformed'
  if ((c.req.header('content-encoding') ?? 'identity') !== 'identity') return 'malformed'
  const text = await readText(c, bytesMax)
  return text === undefined ? 'too large' : new URLSearchParams(text)
}

/** The body as text; undefined when it is too large, and then no more of it is read. */
export const readText = async (c: RequestContext, bytesMax = formBytesMax): Promise<string | undefined> => {
  const chunks: Uint8Array[] = []
  let length = 0
  // From the socket: the web's streams cost more than all else that happens to a token request but its signature.
  const body = c.env?.incoming?.iterator({ destroyOnReturn: false }) ?? c.req.raw.body ?? []
  for await (const chunk of body) {
    length += chunk.length
    if (length > bytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
