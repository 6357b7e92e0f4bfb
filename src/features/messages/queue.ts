/**
 * The queue of messages on their way. Each is stored together with what it tells of, before anybody tries to hand it
 * over, and leaves when it was handed over, was refused, or is of no use any more. Who tries one holds a lease on it, so
 * that no two nodes do; when he dies, the lease ends and another one tries.
 */
import { newUuid } from '../../core/ids.ts'
import type { OutgoingMessage } from '../../core/ports.ts'
import { type Context, inTransaction, type Services, type TransactionContext } from '../context.ts'
import type { SenderCall } from '../triggers/custom-sender.ts'
import type { User } from '../users/user.ts'
import type { Occasion } from './texts.ts'

/** Longer than any try takes. */
const leaseMs = 60_000
const firstPauseMs = 5_000
const pauseMsMax = 300_000

/** A message on its way. */
export interface Parcel {
  message: OutgoingMessage
  /** The function that delivers it; undefined when the delivery port does. */
  sender: SenderCall | undefined
  /** What a function of the pool is asked for the words before anybody sees the message; undefined when it is worded. */
  wording?: Wording | undefined
}

/** A message that is not worded yet: its occasion, the user as he was, and what the function is told of the request. */
export interface Wording {
  occasion: Occasion
  user: Pick<User, 'id' | 'username' | 'status'> & { attributes: [name: string, value: string][] }
  request: Pick<Context, 'requestId' | 'userAgent' | 'caller'>
}

/** The right to try a message. */
export interface Lease {
  id: string
  userId: string
  /** What the message is good for: the purpose of its code, or what `hand-over.ts` says of messages without one. */
  slot: string
  lease: string
  /** The try under way is the how manieth; 0 before the first. */
  tries: number
  expiresAt: number
}

export interface QueuedParcel extends Lease {
  parcel: Parcel
}

interface Entry extends Pick<Lease, 'userId' | 'slot' | 'expiresAt'> {
  /** The caller tries the message as soon as this is committed; otherwise it is due to whoever comes. */
  isLeased: boolean
  /** The message is never tried. */
  simulated: boolean
}

/** Stores the message in place of an earlier one that is good for the same, whose code is dead. */
export const enqueue = async (
  tx: TransactionContext,
  parcel: Parcel,
  { userId, slot, expiresAt, isLeased, simulated }: Entry,
): Promise<Lease> => {
  const { id, userPoolId } = parcel.message
  const now = tx.clock.now()
  const lease = isLeased ? newUuid(tx.random) : ''
  const tries = isLeased ? 1 : 0
  const row = {
    id,
    content: sealParcel(tx, parcel),
    tries,
    lease,
    due_at: isLeased ? now + leaseMs : now,
    expires_at: expiresAt,
  }
  await tx.db
    .insertInto(simulated ? 'simulated_message_queue' : 'message_queue')
    .values({ user_id: userId, slot, pool_id: userPoolId, ...row })
    .onConflict(conflict => conflict.columns(['user_id', 'slot']).doUpdateSet(row))
    .execute()
  return { id, userId, slot, lease, tries, expiresAt }
}

/** The whole message, sealed and bound to its id. */
const sealParcel = ({ seal }: Pick<Services, 'seal'>, parcel: Parcel): string =>
  seal.seal(sealPurpose, JSON.stringify(parcel), parcel.message.id)

const sealPurpose = 'queued message'

/** Leases at most `limit` messages that are due to the caller, those first that have been due for the longest time. */
export const leaseDue = async (ctx: Services, limit: number): Promise<QueuedParcel[]> => {
  const now = ctx.clock.now()
  const due = await ctx.db
    .selectFrom('message_queue')
    .select('id')
    .where('due_at', '<=', now)
    .where('expires_at', '>', now)
    .orderBy('due_at')
    .limit(limit)
    .execute()
  if (due.length === 0) return []
  const lease = newUuid(ctx.random)
  const rows = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('message_queue')
      .set(row => ({ lease, due_at: now + leaseMs, tries: row('tries', '+', 1) }))
      .where(
        'id',
        'in',
        due.map(({ id }) => id),
      )
      // Another node may have been faster.
      .where('due_at', '<=', now)
      .returningAll()
      .execute(),
  )
  const parcels: QueuedParcel[] = []
  for (const row of rows) {
    const content = ctx.seal.open(sealPurpose, row.content, row.id)
    if (content === undefined) {
      ctx.log.error({ userPoolId: row.pool_id }, 'a message in the queue cannot be opened')
      continue
    }
    parcels.push({
      ...{ id: row.id, userId: row.user_id, slot: row.slot, lease, tries: row.tries, expiresAt: row.expires_at },
      parcel: JSON.parse(content.toString('utf8')) as Parcel,
    })
  }
  return parcels
}

/** Takes the message out, whoever holds it: it was handed over or never will be. */
export const remove = async (ctx: Services, { id }: Pick<Lease, 'id'>): Promise<void> => {
  await inTransaction(ctx, tx => tx.db.deleteFrom('message_queue').where('id', '=', id).execute())
}

/** Puts another parcel in the place of the one that is being tried, or nothing. False when it is not being tried any more. */
export const replaceParcel = async (
  tx: TransactionContext,
  { id, lease }: Lease,
  parcel: Parcel | undefined,
): Promise<boolean> => {
  const changed =
    parcel === undefined
      ? tx.db.deleteFrom('message_queue').where('id', '=', id).where('lease', '=', lease).returning('id')
      : tx.db
          .updateTable('message_queue')
          .set({ content: sealParcel(tx, parcel) })
          .where('id', '=', id)
          .where('lease', '=', lease)
          .returning('id')
  return (await changed.executeTakeFirst()) !== undefined
}

/** Gives the message back until its next try, each time for longer. False when it would be of no use by then. */
export const postpone = async (ctx: Services, { id, lease, tries, expiresAt }: Lease): Promise<boolean> => {
  const dueAt = ctx.clock.now() + Math.min(firstPauseMs * 2 ** (tries - 1), pauseMsMax)
  if (dueAt >= expiresAt) return false
  await inTransaction(ctx, tx =>
    tx.db
      .updateTable('message_queue')
      .set({ due_at: dueAt, lease: '' })
      .where('id', '=', id)
      .where('lease', '=', lease)
      .execute(),
  )
  return true
}

/** Takes out what is of no use any more, at most `limit` messages, and tells what it was. */
export const removeExpired = async (ctx: Services, limit: number): Promise<{ id: string; poolId: string }[]> => {
  const now = ctx.clock.now()
  const rows = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('message_queue')
      .where('id', 'in', select =>
        select
          .selectFrom('message_queue')
          .select('id')
          .where('expires_at', '<=', now)
          .orderBy('expires_at')
          .limit(limit),
      )
      .where('due_at', '<=', now)
      .returning(['id', 'pool_id'])
      .execute(),
  )
  return rows.map(row => ({ id: row.id, poolId: row.pool_id }))
}
