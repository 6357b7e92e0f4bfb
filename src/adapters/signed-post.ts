/**
 * Posts JSON to somebody who shares a secret with this server. The receiver knows by the signature that the body comes
 * from here: an HMAC with SHA-256, in hex, over the timestamp (seconds since the epoch), a period and the body.
 */
import { createHmac } from 'node:crypto'
import type { Clock, Fetch, FetchRequest, FetchResponse } from '../core/ports.ts'

export interface SignedPostOptions {
  url: string
  secret: string
  /** Must reach the URL. */
  fetch: Fetch
  clock: Clock
}

/** @throws FetchFailure when there is no answer. */
export const signedPost = (
  { url, secret, fetch, clock }: SignedPostOptions,
  body: string,
  request: Omit<FetchRequest, 'method' | 'body'>,
): Promise<FetchResponse> => {
  const timestamp = String(Math.floor(clock.now() / 1_000))
  return fetch(url, {
    ...request,
    method: 'POST',
    headers: {
      ...request.headers,
      'content-type': 'application/json',
      'x-cenote-timestamp': timestamp,
      'x-cenote-signature': `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
    },
    body,
  })
}
