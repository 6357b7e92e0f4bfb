/**
 * Messages to users: worded, counted, kept in the outbox and handed over.
 *
 * Not owned here: when a message is due and to which address; the flows decide that.
 */
import type { CodeDeliveryDetailsType } from '../../contract/types.ts'
import { userNotFound } from '../../core/errors.ts'
import { maskDestination } from '../../core/masks.ts'
import type { Medium } from '../../core/ports.ts'
import { hasCodePlaceholder, type MessageTemplate } from '../../core/templates.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import { customMessage, type MessageSource } from '../triggers/custom-message.ts'
import { customSenderCall } from '../triggers/custom-sender.ts'
import { hasTrigger, userAttributesOf } from '../triggers/run.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { type CodeHolder, type CodeTarget, codeExpiry, drawCode, storeCode, type VerifiableAttribute } from './codes.ts'
import { handOver, invitationSlot, isHandedOver, type Manners } from './hand-over.ts'
import { countMessage, isOverLimit } from './limits.ts'
import { storeMessage } from './outbox.ts'
import { enqueue, type Lease, type Parcel, type Wording } from './queue.ts'
import { compose, confirmationLink, type Occasion, templateFor } from './texts.ts'

export type { MessageSource } from '../triggers/custom-message.ts'

/**
 * What of a user is needed for a message, and for a function that words or delivers it; or what stands in for the user
 * whom a name does not find.
 */
export type Recipient = CodeHolder & Pick<User, 'username' | 'status' | 'attributes'>

export interface SendOptions {
  /**
   * The answer must not tell whether there was a message to send: it neither waits for whoever takes it over nor
   * reports a refusal or a limit, which are logged.
   */
  unnoticed?: boolean
  /**
   * There is nobody to send to, and the answer must not tell: all is done as for a message that is sent, but what is
   * stored leads nowhere. The code is good for nothing.
   */
  simulated?: boolean
  /**
   * The operation does not report what may be mended: a message that cannot be handed over now is sent later. Codes of a
   * sign-in and invitations are always sent so.
   */
  later?: boolean
}

/**
 * Draws a code, stores it together with the message that carries it, sends that, and returns the delivery details for
 * the answer.
 * @throws CodeDeliveryFailureException when the message cannot be handed over, the errors of a pool whose configuration
 * does not let it out, LimitExceededException, UserNotFoundException when the user was deleted meanwhile, and what
 * customMessage throws, before there is a code; nothing of all that where the message is to go unnoticed.
 */
export const sendNewCode = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  source: MessageSource,
  target: CodeTarget,
  options: SendOptions = {},
): Promise<CodeDeliveryDetailsType> => {
  const { attribute, destination } = target
  const { simulated = false } = options
  const code = drawCode(ctx, target.purpose)
  const message = await wordCode(ctx, pool, user, source, target, code, options)
  await dispatch(
    ctx,
    pool,
    user,
    { ...message, slot: target.purpose, expiresAt: codeExpiry(ctx, target) },
    {
      manners: mannersOf(source, options),
      simulated,
      alongside: tx => storeCode(tx, user, target, code, { usable: !simulated }),
    },
  )
  return deliveryDetails(attribute, destination)
}

/**
 * Sends a code that is stored already to an address of the user and returns the delivery details for the answer.
 * @throws as `sendNewCode`
 */
export const sendCode = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  source: MessageSource,
  target: CodeTarget,
  code: string,
  options: SendOptions = {},
): Promise<CodeDeliveryDetailsType> => {
  const message = await wordCode(ctx, pool, user, source, target, code, options)
  await dispatch(
    ctx,
    pool,
    user,
    { ...message, slot: target.purpose, expiresAt: codeExpiry(ctx, target) },
    {
      manners: mannersOf(source, options),
    },
  )
  return deliveryDetails(target.attribute, target.destination)
}

/**
 * Sends the invitation of AdminCreateUser; `name` is what the user signs in with, and `temporaryPassword` is undefined
 * for a user without password. It is good until `expiresAt`.
 * @throws CodeDeliveryFailureException when the message is refused for good, and what customMessage throws.
 */
export const sendInvitation = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  {
    name,
    attribute,
    destination: to,
    temporaryPassword: code,
    expiresAt,
  }: {
    name: string
    attribute: VerifiableAttribute
    destination: string
    temporaryPassword: string | undefined
    expiresAt: number
  },
): Promise<void> => {
  const occasion: Occasion = { source: 'AdminCreateUser', medium: mediumOf(attribute), to, code }
  const { template, sender } = await word(ctx, pool, user, occasion, attribute)
  // Cognito delivers nothing when the template has no place for the temporary password.
  if (sender === undefined && code !== undefined && !hasCodePlaceholder(template.body)) return
  const message = compose(ctx, pool, { username: name }, occasion, template)
  const slot = `${invitationSlot}${occasion.medium}`
  await dispatch(ctx, pool, user, { message, sender, slot, expiresAt }, { manners: 'later' })
}

/** CodeDeliveryDetails with the destination masked. */
export const deliveryDetails = (attribute: VerifiableAttribute, destination: string): CodeDeliveryDetailsType => ({
  Destination: maskDestination(attribute, destination),
  DeliveryMedium: mediumOf(attribute),
  AttributeName: attribute,
})

// ---------------------------------------------------------------------------------------------- steps

const mediumOf = (attribute: VerifiableAttribute): Medium => (attribute === 'email' ? 'EMAIL' : 'SMS')

const mannersOf = (source: MessageSource, { unnoticed, later }: SendOptions): Manners => {
  if (unnoticed) return 'unnoticed'
  return later || source === 'Authentication' ? 'later' : 'reported'
}

const codeOccasion = async (
  ctx: Context,
  pool: Pool,
  username: string,
  source: MessageSource,
  { attribute, to }: { attribute: VerifiableAttribute; to: string },
  code: string,
): Promise<Occasion> => {
  const occasion = { source, medium: mediumOf(attribute), to, code }
  return { ...occasion, link: await confirmationLink(ctx, pool, username, occasion) }
}

const wordCode = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  source: MessageSource,
  { attribute, destination: to }: Pick<CodeTarget, 'attribute' | 'destination'>,
  code: string,
  { unnoticed = false }: SendOptions,
): Promise<Parcel> => {
  const occasion = await codeOccasion(ctx, pool, user.username, source, { attribute, to }, code)
  const { template, ...rest } = await word(ctx, pool, user, occasion, attribute, unnoticed)
  return { message: compose(ctx, pool, user, occasion, template), ...rest }
}

/**
 * The words of the pool, or of its function; a function that delivers by itself also words by itself. Where the answer must
 * not tell of the message, the function is asked later.
 */
const word = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  occasion: Occasion,
  attribute: VerifiableAttribute,
  unnoticed = false,
): Promise<Pick<Parcel, 'sender' | 'wording'> & { template: MessageTemplate }> => {
  const { source, medium, to, code, link } = occasion
  // The address may be one that the user does not have yet.
  const told = { ...user, attributes: new Map([...user.attributes, [attribute, to]]) }
  const call = { source, username: user.username, userAttributes: userAttributesOf(told) }
  const sender = customSenderCall(ctx, pool, medium, call)
  const usual = templateFor(pool, occasion)
  if (sender !== undefined || !hasTrigger(pool, 'CustomMessage')) return { template: usual, sender }
  if (unnoticed) return { template: usual, sender, wording: wordingOf(ctx, told, occasion) }
  const request = { source, medium, code, byLink: link !== undefined }
  return { template: await customMessage(ctx, pool, user, request, usual), sender }
}

const wordingOf = (
  { requestId, userAgent, caller }: Context,
  { id, username, status, attributes }: Recipient,
  occasion: Occasion,
): Wording => ({
  occasion,
  user: { id, username, status, attributes: [...attributes] },
  request: { requestId, userAgent, ...(caller !== undefined && { caller }) },
})

/**
 * Counts the message, stores it with what it tells of, and hands it over; one of which the answer must not tell waits in
 * the queue for the background work, apart from the answer.
 */
export const dispatch = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'id'>,
  { message, sender, wording, slot, expiresAt }: Parcel & Pick<Lease, 'slot' | 'expiresAt'>,
  {
    manners,
    simulated = false,
    alongside,
  }: { manners: Manners; simulated?: boolean; alongside?: (tx: TransactionContext) => Promise<void> },
): Promise<void> => {
  const { medium, to, source } = message
  const counted = { holder: user.id, medium, to, source, bySender: sender !== undefined, simulated }
  const isHeldBack = await countMessage(ctx, pool, counted).then(
    () => false,
    (error: unknown) => {
      if (manners !== 'unnoticed' || !isOverLimit(error)) throw error
      ctx.log.warn({ requestId: ctx.requestId, userPoolId: pool.id, source }, 'message over a limit not sent')
      return true
    },
  )
  const leadsNowhere = simulated || isHeldBack
  const lease = await inTransaction(ctx, async tx => {
    await alongside?.(tx)
    if (wording === undefined) await storeMessage(tx, message, leadsNowhere)
    if (wording === undefined && !isHandedOver(ctx, medium, sender)) return undefined
    const isLeased = manners !== 'unnoticed'
    return enqueue(
      tx,
      { message, sender, wording },
      { userId: user.id, slot, expiresAt, isLeased, simulated: leadsNowhere },
    )
  }).catch(async (error: unknown) => {
    throw simulated || (await exists(ctx, user)) ? error : userNotFound()
  })
  if (lease !== undefined && manners !== 'unnoticed') await handOver(ctx, { message, sender }, lease, manners)
}

const exists = async (ctx: Context, user: Pick<User, 'id'>): Promise<boolean> => {
  const row = await ctx.db.selectFrom('users').select('id').where('id', '=', user.id).executeTakeFirst()
  return row !== undefined
}
