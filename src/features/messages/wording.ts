/**
 * Words that a function of the pool has for a message of which the answer must not tell. The function takes its time for
 * users only and may refuse, so it is asked by the background work, apart from the answer.
 */
import { type Context, inTransaction, type Services } from '../context.ts'
import { customMessage } from '../triggers/custom-message.ts'
import type { Pool } from '../user-pools/pool.ts'
import { storeMessage } from './outbox.ts'
import { type Parcel, type QueuedParcel, replaceParcel, type Wording } from './queue.ts'
import { compose, templateFor } from './texts.ts'

/**
 * Asks the function and keeps the message in the outbox. Returns the parcel that can be handed over; `isHandedOver` says
 * whether anybody does that, and otherwise the message leaves the queue. Undefined when somebody else was faster.
 * @throws what customMessage throws.
 */
export const wordQueued = async (
  ctx: Services,
  pool: Pool,
  queued: QueuedParcel,
  wording: Wording,
  isHandedOver: boolean,
): Promise<Parcel | undefined> => {
  const { occasion, user, request } = wording
  const { source, medium, code, link } = occasion
  const asked: Context = { ...ctx, ...request, region: pool.region, publicUrl: '', sourceIp: undefined }
  const recipient = { ...user, attributes: new Map(user.attributes) }
  const words = { source, medium, code, byLink: link !== undefined }
  const template = await customMessage(asked, pool, recipient, words, templateFor(pool, occasion))
  const { id, sentAt } = queued.parcel.message
  const parcel = { message: { ...compose(asked, pool, user, occasion, template), id, sentAt }, sender: undefined }
  const isReplaced = await inTransaction(ctx, async tx => {
    if (!(await replaceParcel(tx, queued, isHandedOver ? parcel : undefined))) return false
    await storeMessage(tx, parcel.message, false)
    return true
  })
  return isReplaced ? parcel : undefined
}
