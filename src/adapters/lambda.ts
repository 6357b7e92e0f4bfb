/** Triggers by the Invoke API of AWS Lambda, or of a server that speaks it. */
import type { Clock, Fetch, Triggers } from '../core/ports.ts'
import { TriggerFailure } from '../core/ports.ts'
import { type Credentials, signatureHeaders } from '../core/sigv4-sign.ts'
import { answerBytesMax, asTriggerFailure, errorMessageOf, readReturned } from './trigger-answer.ts'

export interface LambdaOptions {
  /** Base of the API, for example `https://lambda.us-east-1.amazonaws.com`. */
  endpoint: string
  /** Requests are not signed without. */
  credentials?: Credentials | undefined
  /** Must reach the endpoint. */
  fetch: Fetch
  clock: Clock
}

/**
 * Invokes each function under its ARN; synchronously unless nobody waits for the answer, when Lambda only takes the event
 * and repeats by itself what fails. The region of the signature is the ARN's.
 */
export const lambdaTriggers = ({ endpoint, credentials, fetch, clock }: LambdaOptions): Triggers => ({
  async invoke({ target, event, timeoutMs, unanswered }) {
    const url = new URL(
      `${endpoint.replace(/\/+$/, '')}/2015-03-31/functions/${encodeURIComponent(target)}/invocations`,
    )
    const body = JSON.stringify(event)
    const region = target.split(':')[3] ?? ''
    const plain = {
      'content-type': 'application/json',
      'x-amz-invocation-type': unanswered ? 'Event' : 'RequestResponse',
    }
    const headers =
      credentials === undefined
        ? plain
        : signatureHeaders(credentials, {
            method: 'POST',
            url,
            headers: plain,
            body,
            region,
            service: 'lambda',
            now: clock.now(),
          })
    const response = await fetch(url.href, {
      purpose: 'Lambda function',
      method: 'POST',
      headers,
      body,
      timeoutMs,
      bytesMax: answerBytesMax,
    }).catch((error: unknown) => {
      throw asTriggerFailure(error)
    })
    if (unanswered && response.status === 202) return undefined
    if (response.status !== 200) throw new TriggerFailure('refused', errorNameOf(response.headers['x-amzn-errortype']))
    if (response.headers['x-amz-function-error'] !== undefined) {
      throw new TriggerFailure('function', errorMessageOf(response.body) ?? 'Unknown error')
    }
    return readReturned(response.body)
  },
})

/** The name that the header begins with; what follows a colon is no part of it. */
const errorNameOf = (header = ''): string => /^\w{1,64}/.exec(header)?.[0] ?? 'ServiceException'
