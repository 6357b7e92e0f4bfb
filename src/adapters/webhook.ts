/** Triggers by webhook: the event is posted to a URL, signed, and the answer is what the function returned. */
import { TriggerFailure, type Triggers } from '../core/ports.ts'
import { type SignedPostOptions, signedPost } from './signed-post.ts'
import { answerBytesMax, asTriggerFailure, errorMessageOf, readReturned } from './trigger-answer.ts'

/**
 * Status 200 is success. Any other with an `errorMessage` in its JSON is the function's own error; without one, the
 * function could not be run.
 */
export const webhookTriggers = (options: SignedPostOptions): Triggers => ({
  async invoke({ event, timeoutMs, unanswered }) {
    const response = await signedPost(options, JSON.stringify(event), {
      purpose: 'webhook',
      timeoutMs,
      bytesMax: answerBytesMax,
    }).catch((error: unknown) => {
      throw asTriggerFailure(error)
    })
    if (response.status === 200) return unanswered ? undefined : readReturned(response.body)
    const text = errorMessageOf(response.body)
    throw text === undefined
      ? new TriggerFailure('refused', 'ServiceException', `The webhook answered with status ${response.status}.`)
      : new TriggerFailure('function', text)
  },
})
