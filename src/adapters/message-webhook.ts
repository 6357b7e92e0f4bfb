/**
 * Messages by webhook: each is posted to a URL, signed as the events of triggers are, and carries its id, by which a
 * receiver knows one that it was sent before.
 */

import { plainTextOf } from '../core/plain-text.ts'
import { type Delivery, DeliveryFailure, type Medium } from '../core/ports.ts'
import { asDeliveryFailure } from './aws-call.ts'
import { type SignedPostOptions, signedPost } from './signed-post.ts'

export interface MessageWebhookOptions extends SignedPostOptions {
  media: readonly Medium[]
}

/** What may be taken at another time: request timeout, too early, too many requests, and faults of the server. */
const isTemporary = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500

/** Any status from 200 to 299 means that the receiver has taken the message over. */
export const webhookDelivery = ({ media, ...options }: MessageWebhookOptions): Delivery => ({
  media,
  async send(message) {
    const { id, userPoolId, username, medium, to, subject, body, text, code, source, sentAt, from, replyTo } = message
    const posted = {
      ...{ id, userPoolId, username, medium, to, source, sentAt: new Date(sentAt).toISOString(), code },
      ...(medium === 'EMAIL'
        ? { from, replyTo, subject, html: body, text: text ?? plainTextOf(body) }
        : { text: body }),
    }
    const { status } = await signedPost(options, JSON.stringify(posted), {
      purpose: 'message webhook',
      headers: { 'idempotency-key': id },
    }).catch((error: unknown) => {
      throw asDeliveryFailure(error)
    })
    if (status >= 200 && status < 300) return
    throw new DeliveryFailure(
      isTemporary(status) ? 'unavailable' : 'refused',
      `The message webhook answered with status ${status}.`,
    )
  },
})
