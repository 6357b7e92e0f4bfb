/** What the servers that run functions have in common: reading what a function returned, and why it did not. */
import { parseJson } from '../contract/parse-json.ts'
import { FetchFailure, TriggerFailure } from '../core/ports.ts'

/** The longest answer of a function: as Lambda allows, 6 MB. */
export const answerBytesMax = 6_291_556

/**
 * The value that a function returned. What is JSON but nested too deeply, or too large, is undefined, which is no event
 * either.
 * @throws TriggerFailure when it is not JSON.
 */
export const readReturned = (body: Buffer): unknown => {
  const read = parseJson(body)
  if ('value' in read) return read.value
  if (read.serialization !== '') return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new TriggerFailure('not-json', 'The function returned no JSON.')
  }
}

/** The text of `errorMessage` in an answer that reports an error; undefined when it has none. */
export const errorMessageOf = (body: Buffer): string | undefined => {
  const read = parseJson(body)
  const { errorMessage } = ('value' in read ? read.value : {}) as { errorMessage?: unknown }
  return typeof errorMessage === 'string' ? errorMessage : undefined
}

/** The failure of a trigger that a failed request is. */
export const asTriggerFailure = (error: unknown): TriggerFailure => {
  if (error instanceof TriggerFailure) return error
  if (!(error instanceof FetchFailure)) throw error
  if (error.reason === 'timeout') return new TriggerFailure('timeout', error.message, error)
  return new TriggerFailure('refused', 'ServiceException', error)
}
