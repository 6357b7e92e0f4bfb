/** The thread behind `saml-reader.ts`: reads one message after the other. */
import { parentPort } from 'node:worker_threads'
import { SamlFault } from '../core/saml/fault.ts'
import { type ExpectedLogoutResponse, readLogoutResponse } from '../core/saml/logout.ts'
import { type ExpectedResponse, readResponse, type SamlAnswer } from '../core/saml/response.ts'

export type SamlJob =
  | { kind: 'response'; text: string; expected: ExpectedResponse }
  | { kind: 'logout'; text: string; expected: ExpectedLogoutResponse }

/** What a message says. A fault travels as what it is made of, since an error that is sent loses its class. */
export type SamlResult =
  | { read: SamlAnswer | { ended: boolean } }
  | { fault: Pick<SamlFault, 'reason' | 'message' | 'detail'> }
  | Error

const perform = (job: SamlJob): SamlResult => {
  try {
    return {
      read: job.kind === 'response' ? readResponse(job.text, job.expected) : readLogoutResponse(job.text, job.expected),
    }
  } catch (error) {
    if (!(error instanceof SamlFault)) return error instanceof Error ? error : new Error(String(error))
    const { reason, message, detail } = error
    return { fault: { reason, message, detail } }
  }
}

parentPort?.on('message', (job: SamlJob) => parentPort?.postMessage(perform(job)))
