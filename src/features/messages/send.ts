/**
 * Messages to users: filled from the pool's templates, kept in the outbox, handed to the delivery port.
 *
 * Not owned here: when a message is due and to which address; the flows decide that.
 */
import type { CodeDeliveryDetailsType } from '../../contract/types.ts'
import { codeDeliveryFailure, userNotFound } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { maskDestination } from '../../core/masks.ts'
import type { OutgoingMessage } from '../../core/ports.ts'
import {
  defaultMessages,
  escapeHtml,
  fillTemplate,
  hasCodePlaceholder,
  type MessageTemplate,
} from '../../core/templates.ts'
import { type Context, inTransaction } from '../context.ts'
import { deliverLog } from '../log-delivery.ts'
import { customMessage } from '../triggers/custom-message.ts'
import type { TriggerSource } from '../triggers/run.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { type CodeTarget, drawCode, storeCode, type VerifiableAttribute } from './codes.ts'
import { sealContent, storeMessage } from './outbox.ts'

/** The occasions of a message, in the words of the custom message trigger. */
export type MessageSource = TriggerSource<'CustomMessage'>

/** What of a user is needed for a message, and for a function that words it. */
type Recipient = Pick<User, 'id' | 'username' | 'status' | 'attributes'>

type Medium = OutgoingMessage['medium']

const mediumOf = (attribute: VerifiableAttribute): Medium => (attribute === 'email' ? 'EMAIL' : 'SMS')

export interface SendOptions {
  /**
   * The answer must not tell whether there was a message to send: it neither waits for the mail server nor reports
   * its refusal, which is logged.
   */
  unnoticed?: boolean
}

/**
 * Draws a code, stores it together with the message that carries it, sends that, and returns the delivery details for
 * the answer.
 * @throws CodeDeliveryFailureException when the message cannot be handed over, UserNotFoundException when the user was
 * deleted meanwhile, and what customMessage throws, before there is a code.
 */
export const sendNewCode = async (
  ctx: Context,
  pool: Pool,
  user: Recipient & Pick<User, 'poolId'>,
  source: MessageSource,
  target: CodeTarget,
  options: SendOptions = {},
): Promise<CodeDeliveryDetailsType> => {
  const code = drawCode(ctx, target.purpose)
  const template = await codeTemplateFor(ctx, pool, user, source, target.attribute, code)
  const message = composeCode(ctx, pool, user, source, target.attribute, target.destination, code, template)
  await inTransaction(ctx, async tx => {
    await storeCode(tx, user, target, code)
    await storeMessage(tx, message)
  }).catch(async (error: unknown) => {
    throw (await exists(ctx, user)) ? error : userNotFound()
  })
  await deliver(ctx, pool, message, options)
  return deliveryDetails(target.attribute, target.destination)
}

const exists = async (ctx: Context, user: Pick<User, 'id'>): Promise<boolean> => {
  const row = await ctx.db.selectFrom('users').select('id').where('id', '=', user.id).executeTakeFirst()
  return row !== undefined
}

/**
 * Does the work of `sendNewCode` up to the point of storing, for a name that nobody has, so that the answer takes as
 * long as for a user. Nothing is stored or sent.
 */
export const rehearseCode = (
  ctx: Context,
  pool: Pool,
  username: string,
  source: MessageSource,
  { purpose, attribute, destination }: CodeTarget,
): void => {
  sealContent(ctx, composeCode(ctx, pool, { username }, source, attribute, destination, drawCode(ctx, purpose)))
}

/**
 * Sends a code that is stored already to an address of the user and returns the delivery details for the answer.
 * @throws CodeDeliveryFailureException when the message cannot be handed over, and what customMessage throws.
 */
export const sendCode = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  source: MessageSource,
  attribute: VerifiableAttribute,
  destination: string,
  code: string,
): Promise<CodeDeliveryDetailsType> => {
  const template = await codeTemplateFor(ctx, pool, user, source, attribute, code)
  await send(ctx, pool, composeCode(ctx, pool, user, source, attribute, destination, code, template))
  return deliveryDetails(attribute, destination)
}

/**
 * Sends the invitation of AdminCreateUser; `name` is what the user signs in with, and `temporaryPassword` is undefined
 * for a user without password.
 * @throws CodeDeliveryFailureException when the message cannot be handed over, and what customMessage throws.
 */
export const sendInvitation = async (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  name: string,
  attribute: VerifiableAttribute,
  destination: string,
  temporaryPassword: string | undefined,
): Promise<void> => {
  const medium = mediumOf(attribute)
  const fallback =
    temporaryPassword === undefined ? defaultMessages.invitationWithoutPassword : defaultMessages.invitation
  const usual = pickTemplate(medium, pool.settings.AdminCreateUserConfig?.InviteMessageTemplate, fallback)
  const occasion = { source: 'AdminCreateUser', medium, code: temporaryPassword } as const
  const template = await customMessage(ctx, pool, user, occasion, usual)
  // Cognito delivers nothing when the template has no place for the temporary password.
  if (temporaryPassword !== undefined && !hasCodePlaceholder(template.body)) return
  const named = { username: name }
  await send(ctx, pool, compose(ctx, pool, named, 'AdminCreateUser', medium, destination, template, temporaryPassword))
}

/** CodeDeliveryDetails with the destination masked. */
export const deliveryDetails = (attribute: VerifiableAttribute, destination: string): CodeDeliveryDetailsType => ({
  Destination: maskDestination(attribute, destination),
  DeliveryMedium: mediumOf(attribute),
  AttributeName: attribute,
})

// ---------------------------------------------------------------------------------------------- texts

/** The texts of a pool; the invitation's spells its text message differently. */
interface PoolTexts {
  EmailSubject?: string
  EmailMessage?: string
  SmsMessage?: string
  SMSMessage?: string
}

const pickTemplate = (medium: Medium, texts: PoolTexts | undefined, fallback: MessageTemplate): MessageTemplate =>
  medium === 'EMAIL'
    ? { subject: texts?.EmailSubject ?? fallback.subject, body: texts?.EmailMessage ?? fallback.body }
    : { subject: '', body: texts?.SmsMessage ?? texts?.SMSMessage ?? fallback.body }

const codeTemplate = (pool: Pool, source: MessageSource, medium: Medium): MessageTemplate => {
  if (source !== 'Authentication') {
    return pickTemplate(medium, pool.settings.VerificationMessageTemplate, defaultMessages.verification)
  }
  const { MfaConfiguration = 'OFF', SmsAuthenticationMessage, EmailMfaConfiguration } = pool.settings
  // The texts belong to MFA. Without it, codes of a first factor are sent in the default words.
  if (MfaConfiguration === 'OFF') return pickTemplate(medium, undefined, defaultMessages.authentication)
  const texts = {
    ...(SmsAuthenticationMessage !== undefined && { SmsMessage: SmsAuthenticationMessage }),
    ...(EmailMfaConfiguration?.Message !== undefined && { EmailMessage: EmailMfaConfiguration.Message }),
    ...(EmailMfaConfiguration?.Subject !== undefined && { EmailSubject: EmailMfaConfiguration.Subject }),
  }
  return pickTemplate(medium, texts, defaultMessages.authentication)
}

/** The template of a message with a code, in the words of the pool's function where it has some. */
const codeTemplateFor = (
  ctx: Context,
  pool: Pool,
  user: Recipient,
  source: MessageSource,
  attribute: VerifiableAttribute,
  code: string,
): Promise<MessageTemplate> => {
  const medium = mediumOf(attribute)
  return customMessage(ctx, pool, user, { source, medium, code }, codeTemplate(pool, source, medium))
}

const composeCode = (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  source: MessageSource,
  attribute: VerifiableAttribute,
  destination: string,
  code: string,
  template = codeTemplate(pool, source, mediumOf(attribute)),
): OutgoingMessage => compose(ctx, pool, user, source, mediumOf(attribute), destination, template, code)

const compose = (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  source: MessageSource,
  medium: Medium,
  to: string,
  template: MessageTemplate,
  code: string | undefined,
): OutgoingMessage => {
  const plain = { username: user.username, ...(code !== undefined && { code }) }
  // A temporary password may hold characters that mean something in HTML, which the body of a mail is.
  const inHtml = { ...plain, ...(code !== undefined && { code: escapeHtml(code) }) }
  const email = pool.settings.EmailConfiguration
  const from = email?.From ?? senderOf(email?.SourceArn)
  return {
    id: newUuid(ctx.random),
    userPoolId: pool.id,
    username: user.username,
    medium,
    to,
    subject: fillTemplate(template, plain, medium).subject,
    body: fillTemplate(template, medium === 'EMAIL' ? inHtml : plain, medium).body,
    ...(code !== undefined && { code }),
    source,
    sentAt: ctx.clock.now(),
    ...(from !== undefined && { from }),
    ...(email?.ReplyToEmailAddress !== undefined && { replyTo: email.ReplyToEmailAddress }),
  }
}

/** The address that the ARN of an e-mail identity names; undefined when it names a domain. */
export const senderOf = (arn: string | undefined): string | undefined => {
  const identity = arn?.slice(arn.lastIndexOf(':identity/') + ':identity/'.length)
  return arn?.includes(':identity/') && identity?.includes('@') ? identity : undefined
}

// ---------------------------------------------------------------------------------------------- delivery

/** Keeps the message in the outbox and hands it over. */
export const send = async (
  ctx: Context,
  pool: Pool,
  message: OutgoingMessage,
  options: SendOptions = {},
): Promise<void> => {
  await inTransaction(ctx, tx => storeMessage(tx, message))
  await deliver(ctx, pool, message, options)
}

const deliver = async (
  ctx: Context,
  pool: Pool,
  message: OutgoingMessage,
  { unnoticed }: SendOptions,
): Promise<void> => {
  if (ctx.delivery === undefined) return
  const delivered = ctx.delivery.send(message).then(
    () => true,
    async (cause: unknown) => {
      const { userPoolId, source } = message
      ctx.log.warn({ requestId: ctx.requestId, userPoolId, source, cause }, 'message not delivered')
      // The cause may repeat the address; it stays in the log of the server.
      await deliverLog(ctx, pool, 'userNotification', { details: `${message.medium} for ${source} was not delivered.` })
      return false
    },
  )
  if (unnoticed) return
  if (!(await delivered)) throw codeDeliveryFailure('Invalid email provided/Unable to send the email')
}
