/**
 * Triggers by webhook: the event is posted to a URL, and the answer is what the function returned. The receiver knows by
 * the signature that the event comes from here: an HMAC with SHA-256, in hex, over the timestamp (seconds since the
 * epoch), a period and the body.
 */
import { createHmac } from 'node:crypto'
import { type Clock, type Fetch, TriggerFailure, type Triggers } from '../core/ports.ts'
import { answerBytesMax, asTriggerFailure, errorMessageOf, readReturned } from './trigger-answer.ts'

export interface WebhookOptions {
  url: string
  secret: string
  /** Must reach the URL. */
  fetch: Fetch
  clock: Clock
}

/**
 * Status 200 is success. Any other with an `errorMessage` in its JSON is the function's own error; without one, the
 * function could not be run.
 */
export const webhookTriggers = ({ url, secret, fetch, clock }: WebhookOptions): Triggers => ({
  async invoke({ event, timeoutMs }) {
    const body = JSON.stringify(event)
    const timestamp = String(Math.floor(clock.now() / 1_000))
    const response = await fetch(url, {
      purpose: 'webhook',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-cenote-timestamp': timestamp,
        'x-cenote-signature': `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
      },
      body,
      timeoutMs,
      bytesMax: answerBytesMax,
    }).catch((error: unknown) => {
      throw asTriggerFailure(error)
    })
    if (response.status === 200) return readReturned(response.body)
    const text = errorMessageOf(response.body)
    throw text === undefined
      ? new TriggerFailure('refused', 'ServiceException', `The webhook answered with status ${response.status}.`)
      : new TriggerFailure('function', text)
  },
})
