/** The thread behind `compute.ts`: takes batches of jobs, does them in order, answers each batch with one message. */
import { type KeyObject, sign } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { chooseModPow } from './mod-pow.ts'

/**
 * base^exponent mod N. Numbers travel as strings with one character per byte (latin1): they are copied at once, where a
 * view costs a buffer object and drags the whole pool it lies in through the port.
 */
export interface ModPowJob {
  base: string
  exponent: string
}

/** A signature by the key that was sent under this number, now or earlier. */
export interface SignJob {
  text: string
  keyId: number
  /** Present when this worker does not hold the key. */
  key?: KeyObject
  /** The number of a key that will not be referred to again without being sent again. */
  forget?: number
}

/** A power in latin1, a signature in base64url, or why there is none. */
export type JobResult = string | Error

export type FromWorker = { ready: string } | { results: JobResult[] }

// Node's key functions find out what they were given by catching an error of their own, two or three times a call.
// Without the stack traces that nobody reads, a power costs 5 % less.
Error.stackTraceLimit = 0

const { way, modPow } = chooseModPow()
const keys = new Map<number, KeyObject>()

const signText = ({ text, keyId, key, forget }: SignJob): string => {
  if (forget !== undefined) keys.delete(forget)
  if (key !== undefined) keys.set(keyId, key)
  const known = keys.get(keyId)
  if (known === undefined) throw new Error('The signing key has not reached the worker')
  return sign('sha256', Buffer.from(text), known).toString('base64url')
}

const power = ({ base, exponent }: ModPowJob): string =>
  modPow(Buffer.from(base, 'latin1'), Buffer.from(exponent, 'latin1')).toString('latin1')

const perform = (job: ModPowJob | SignJob): JobResult => {
  try {
    return 'text' in job ? signText(job) : power(job)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const post = (message: FromWorker): void => parentPort?.postMessage(message)

parentPort?.on('message', (jobs: (ModPowJob | SignJob)[]) => post({ results: jobs.map(perform) }))
post({ ready: way })
