/** Reads SAML messages on a thread of its own: what is written to be slow to read takes a tenth of a second. */
import type { Log, SamlReader } from '../core/ports.ts'
import { SamlFault } from '../core/saml/fault.ts'
import type { SamlAnswer } from '../core/saml/response.ts'
import type { SamlJob, SamlResult } from './saml-worker.ts'
import { createWorkerQueue } from './worker-queue.ts'

/** At two milliseconds for an honest message, and seventy times that for the worst, the last one waits for seconds at most. */
const queueLimit = 64

export interface ThreadedSamlReader extends SamlReader {
  /** Stops the thread. */
  close(): Promise<void>
}

export const createSamlReader = (log?: Log): ThreadedSamlReader => {
  const queue = createWorkerQueue<SamlJob, Exclude<SamlResult, Error>>({ program: 'saml-worker', queueLimit, log })
  const run = async (job: SamlJob) => {
    const result = await queue.run(job)
    if ('fault' in result) throw new SamlFault(result.fault.reason, result.fault.message, result.fault.detail)
    return result.read
  }
  return {
    response: (text, expected) => run({ kind: 'response', text, expected }) as Promise<SamlAnswer>,
    logoutResponse: (text, expected) => run({ kind: 'logout', text, expected }) as Promise<{ ended: boolean }>,
    close: () => queue.close(),
  }
}
