/**
 * Handing messages over: to the pool's function where it has one for the medium, else to the delivery port where that
 * carries the medium; otherwise they stay in the outbox.
 *
 * What an operation has reported as failed is never sent later; what it has not is sent, or the log tells why not.
 */
import {
  emailIdentityNotAllowed,
  emailNotDelivered,
  smsNotDelivered,
  smsRoleNotAllowed,
  smsRoleNotTrusted,
} from '../../core/errors/messages.ts'
import { CognitoError, isCognitoError } from '../../core/errors.ts'
import { DeliveryFailure, type Medium, type OutgoingMessage, TriggerFailure } from '../../core/ports.ts'
import type { Services } from '../context.ts'
import { deliverLog } from '../log-delivery.ts'
import { runCustomSender, type SenderCall } from '../triggers/custom-sender.ts'
import { findPool } from '../user-pools/pool.ts'
import {
  type Lease,
  leaseDue,
  type Parcel,
  postpone,
  type QueuedParcel,
  remove,
  removeExpired,
  type Wording,
} from './queue.ts'
import { wordQueued } from './wording.ts'

/**
 * What an operation makes of a message that cannot be handed over now: it fails, it leaves it to the queue unless the
 * message was refused for good, or it does not even try and leaves it to the queue at once.
 */
export type Manners = 'reported' | 'later' | 'unnoticed'

/** An operation waits no longer for somebody to take a message over. */
const waitMs = 2_000
/** As long as a try may take; less than the lease. */
const tryMs = 35_000
/** How often a function is called that throws: as often as Lambda calls one that nobody waits for. */
const senderTriesMax = 3

const parcelsAtOnce = 20
const expiredAtOnce = 100
/** How long one run of the background work hands messages over before it lets other work have its turn. */
const workMs = 15_000

/** Whether the message goes anywhere but to the outbox. */
export const isHandedOver = (ctx: Services, medium: Medium, sender: SenderCall | undefined): boolean =>
  sender !== undefined || carries(ctx, medium)

const carries = ({ delivery }: Services, medium: Medium): boolean =>
  delivery !== undefined && (delivery.media === undefined || delivery.media.includes(medium))

/**
 * Tries a message that was just put into the queue. Functions of the pool are never waited for.
 * @throws CodeDeliveryFailureException and what a wrong configuration of the pool is answered with, by its manners.
 */
export const handOver = async (
  ctx: Services,
  parcel: Parcel,
  lease: Lease,
  manners: Exclude<Manners, 'unnoticed'>,
): Promise<void> => {
  const tried = tryOnce(ctx, parcel, lease)
  const inBackground = () => keepTrack(ctx, concludeLater(ctx, parcel, lease, tried))
  if (parcel.sender !== undefined) return inBackground()
  const outcome = await within(waitMs, tried)
  if (outcome === 'pending') return inBackground()
  if (outcome !== undefined && (manners === 'reported' || outcome.reason !== 'unavailable')) {
    await remove(ctx, lease)
    await report(ctx, parcel.message, outcome)
    throw errorOf(parcel.message, outcome)
  }
  await conclude(ctx, parcel, lease, outcome)
}

/** Hands over what is due in the queue, and takes out what is of no use any more. */
export const sendQueued = async (ctx: Services, isStopping: () => boolean = () => false): Promise<void> => {
  for (const { id, poolId } of await removeExpired(ctx, expiredAtOnce)) {
    ctx.log.warn({ userPoolId: poolId, message: id }, 'message given up')
    await tellPool(ctx, poolId, 'A message could not be delivered in time.')
  }
  const until = ctx.clock.now() + workMs
  while (!isStopping() && ctx.clock.now() < until) {
    const parcels = await leaseDue(ctx, parcelsAtOnce)
    const outcomes = await Promise.all(parcels.map(queued => tryQueued(ctx, queued)))
    // When nobody takes anything, the rest can wait as well.
    if (outcomes.every(isTaken => !isTaken)) return
  }
}

/** True when the message left the queue, or a function has been called that nobody waits for. */
const tryQueued = async (ctx: Services, queued: QueuedParcel): Promise<boolean> => {
  const { parcel } = queued
  if (!(await isOfUse(ctx, queued))) {
    await remove(ctx, queued)
    return true
  }
  const { wording } = parcel
  if (wording !== undefined) {
    keepTrack(ctx, wordAndTry(ctx, queued, wording))
    return true
  }
  const tried = tryOnce(ctx, parcel, queued)
  if (parcel.sender !== undefined) {
    keepTrack(ctx, concludeLater(ctx, parcel, queued, tried))
    return true
  }
  const outcome = await tried
  await conclude(ctx, parcel, queued, outcome)
  return outcome?.reason !== 'unavailable'
}

/** What a function has no words for is given up, unless only too many wait for it. */
const wordAndTry = async (ctx: Services, queued: QueuedParcel, wording: Wording): Promise<void> => {
  const { message } = queued.parcel
  const { userPoolId, source, medium } = message
  try {
    const pool = await findPool(ctx, userPoolId)
    if (pool === undefined) return await remove(ctx, queued)
    const parcel = await wordQueued(ctx, pool, queued, wording, carries(ctx, medium))
    if (parcel === undefined || !carries(ctx, medium)) return
    await conclude(ctx, parcel, queued, await tryOnce(ctx, parcel, queued))
  } catch (cause) {
    if (!(cause instanceof CognitoError)) {
      ctx.log.error({ userPoolId, cause }, 'a queued message was not worded')
      return
    }
    if (isCognitoError(cause, 'TooManyRequestsException') && (await postpone(ctx, queued))) return
    // What a function says is not for the log.
    ctx.log.warn({ userPoolId, source, medium, reason: cause.name }, 'message not delivered')
    await remove(ctx, queued)
    await tellPool(ctx, userPoolId, `${medium} for ${source} was not delivered.`)
  }
}

/** A code that has been used or dropped meanwhile is not worth a message, nor is a temporary password that was replaced. */
const isOfUse = async (ctx: Services, { userId, slot, parcel }: QueuedParcel): Promise<boolean> => {
  if (parcel.message.code === undefined) return true
  const found = slot.startsWith(invitationSlot)
    ? ctx.db.selectFrom('users').select('id').where('id', '=', userId).where('status', '=', 'FORCE_CHANGE_PASSWORD')
    : ctx.db.selectFrom('codes').select('user_id as id').where('user_id', '=', userId).where('purpose', '=', slot)
  return (await found.executeTakeFirst()) !== undefined
}

/** What messages without a code are good for; something follows. */
export const invitationSlot = 'invitation-'
export const noticeSlot = 'notice-'

// ---------------------------------------------------------------------------------------------- one try

/** Why the message was not taken over; undefined when it was. */
const tryOnce = async (
  ctx: Services,
  { message, sender }: Parcel,
  { tries }: Lease,
): Promise<DeliveryFailure | undefined> => {
  try {
    const work = sender === undefined ? deliver(ctx, message) : runCustomSender(ctx, sender, secretOf(message))
    const outcome = await within(tryMs, work)
    return outcome === 'pending' ? new DeliveryFailure('unavailable', 'Nobody answered in time.') : undefined
  } catch (error) {
    if (error instanceof DeliveryFailure) return error
    if (error instanceof TriggerFailure && error.reason !== 'refused') {
      // What a function says is not for the log.
      const text = `The custom sender failed (${error.reason}).`
      return new DeliveryFailure(tries < senderTriesMax ? 'unavailable' : 'refused', text)
    }
    return new DeliveryFailure('unavailable', error instanceof Error ? error.message : String(error))
  }
}

const deliver = async (ctx: Services, message: OutgoingMessage): Promise<void> => {
  // The configuration may have changed since the message was put into the queue.
  if (!carries(ctx, message.medium)) throw new DeliveryFailure('unavailable', `Nothing carries ${message.medium}.`)
  await ctx.delivery?.send(message)
}

const secretOf = ({ code, source }: OutgoingMessage) => (code === undefined ? undefined : { text: code, source })

const conclude = async (
  ctx: Services,
  { message }: Parcel,
  lease: Lease,
  outcome: DeliveryFailure | undefined,
): Promise<void> => {
  if (outcome?.reason === 'unavailable' && (await postpone(ctx, lease))) {
    const { userPoolId, source, medium } = message
    const details = { userPoolId, source, medium, tries: lease.tries, reason: outcome.message }
    ctx.log.warn(details, 'message not delivered yet')
    return
  }
  await remove(ctx, lease)
  if (outcome !== undefined) await report(ctx, message, outcome)
}

const concludeLater = async (
  ctx: Services,
  parcel: Parcel,
  lease: Lease,
  tried: Promise<DeliveryFailure | undefined>,
): Promise<void> => {
  try {
    await conclude(ctx, parcel, lease, await tried)
  } catch (cause) {
    // The lease ends by itself; then somebody tries again.
    ctx.log.error({ userPoolId: parcel.message.userPoolId, cause }, 'the outcome of a message was not stored')
  }
}

const report = async (ctx: Services, message: OutgoingMessage, { message: reason }: DeliveryFailure): Promise<void> => {
  const { userPoolId, source, medium } = message
  ctx.log.warn({ userPoolId, source, medium, reason }, 'message not delivered')
  await tellPool(ctx, userPoolId, `${medium} for ${source} was not delivered.`)
}

/** The reason stays in the log of the server, because it may say more than the pool should know. */
const tellPool = async (ctx: Services, poolId: string, details: string): Promise<void> => {
  const pool = await findPool(ctx, poolId)
  if (pool !== undefined) await deliverLog(ctx, pool, 'userNotification', { details })
}

const errorOf = ({ medium, source }: OutgoingMessage, { reason }: DeliveryFailure) => {
  if (reason === 'sms-role') return smsRoleNotAllowed()
  if (reason === 'sms-role-trust') return smsRoleNotTrusted()
  // AdminCreateUser does not know the error of e-mail identities.
  if (reason === 'email-identity' && source !== 'AdminCreateUser') return emailIdentityNotAllowed()
  return medium === 'EMAIL' ? emailNotDelivered() : smsNotDelivered()
}

// ---------------------------------------------------------------------------------------------- waiting

const within = async <T>(ms: number, work: Promise<T>): Promise<T | 'pending'> => {
  const { promise, resolve } = Promise.withResolvers<'pending'>()
  const timer = setTimeout(resolve, ms, 'pending').unref()
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const underWay = new WeakMap<object, Set<Promise<void>>>()

const keepTrack = (ctx: Services, work: Promise<void>): void => {
  const works = underWay.get(ctx.database) ?? new Set()
  underWay.set(ctx.database, works)
  works.add(work)
  void work.finally(() => works.delete(work))
}

/** Resolves when nothing is handed over in the background any more. */
export const handedOver = async (ctx: Services): Promise<void> => {
  for (let works = underWay.get(ctx.database); works !== undefined && works.size > 0; ) await Promise.all(works)
}
