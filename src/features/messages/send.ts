/**
 * Messages to users: filled from the pool's templates, kept in the outbox, handed to the delivery port.
 *
 * Not owned here: when a message is due and to which address; the flows decide that.
 */
import type { CodeDeliveryDetailsType } from '../../contract/types.ts'
import { codeDeliveryFailure } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { maskDestination } from '../../core/masks.ts'
import type { OutgoingMessage } from '../../core/ports.ts'
import { defaultMessages, fillTemplate } from '../../core/templates.ts'
import type { Context } from '../context.ts'
import { inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import type { VerifiableAttribute } from './codes.ts'
import { storeMessage } from './outbox.ts'

/** The triggers of a message, in the words of the custom message trigger. */
export type MessageSource =
  | 'SignUp'
  | 'AdminCreateUser'
  | 'ResendCode'
  | 'ForgotPassword'
  | 'UpdateUserAttribute'
  | 'VerifyUserAttribute'
  | 'Authentication'

const mediumOf = (attribute: VerifiableAttribute): 'EMAIL' | 'SMS' => (attribute === 'email' ? 'EMAIL' : 'SMS')

/**
 * Sends a verification code to an address of the user and returns the delivery details for the answer.
 * @throws CodeDeliveryFailureException when the message cannot be handed over.
 */
export const sendCode = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  source: MessageSource,
  attribute: VerifiableAttribute,
  destination: string,
  code: string,
): Promise<CodeDeliveryDetailsType> => {
  const texts = pool.settings.VerificationMessageTemplate
  const medium = mediumOf(attribute)
  const template =
    medium === 'EMAIL'
      ? {
          subject: texts?.EmailSubject ?? defaultMessages.verification.subject,
          body: texts?.EmailMessage ?? defaultMessages.verification.body,
        }
      : { subject: '', body: texts?.SmsMessage ?? defaultMessages.verification.body }
  await send(ctx, pool, user, { source, medium, to: destination, template, code })
  return deliveryDetails(attribute, destination)
}

/** Sends the invitation of AdminCreateUser; `temporaryPassword` is undefined for a user without password. */
export const sendInvitation = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  attribute: VerifiableAttribute,
  destination: string,
  temporaryPassword: string | undefined,
): Promise<void> => {
  const texts = pool.settings.AdminCreateUserConfig?.InviteMessageTemplate
  const medium = mediumOf(attribute)
  const fallback =
    temporaryPassword === undefined ? defaultMessages.invitationWithoutPassword : defaultMessages.invitation
  const template =
    medium === 'EMAIL'
      ? { subject: texts?.EmailSubject ?? fallback.subject, body: texts?.EmailMessage ?? fallback.body }
      : { subject: '', body: texts?.SMSMessage ?? fallback.body }
  // Cognito delivers nothing when the template has no place for the temporary password.
  if (temporaryPassword !== undefined && !template.body.includes('{####}')) return
  const code = temporaryPassword === undefined ? {} : { code: temporaryPassword }
  await send(ctx, pool, user, { source: 'AdminCreateUser', medium, to: destination, template, ...code })
}

/** CodeDeliveryDetails with the destination masked. */
export const deliveryDetails = (attribute: VerifiableAttribute, destination: string): CodeDeliveryDetailsType => ({
  Destination: maskDestination(attribute, destination),
  DeliveryMedium: mediumOf(attribute),
  AttributeName: attribute,
})

interface Draft {
  source: MessageSource
  medium: 'EMAIL' | 'SMS'
  to: string
  template: { subject: string; body: string }
  code?: string
}

const send = async (ctx: Context, pool: Pool, user: Pick<User, 'username'>, draft: Draft): Promise<void> => {
  const values = { username: user.username, code: draft.code ?? '' }
  const filled = fillTemplate(draft.template, values, draft.medium)
  const email = pool.settings.EmailConfiguration
  const message: OutgoingMessage = {
    id: newUuid(ctx.random),
    userPoolId: pool.id,
    username: user.username,
    medium: draft.medium,
    to: draft.to,
    subject: filled.subject,
    body: filled.body,
    ...(draft.code !== undefined && { code: draft.code }),
    source: draft.source,
    sentAt: ctx.clock.now(),
    ...(email?.From !== undefined && { from: email.From }),
    ...(email?.ReplyToEmailAddress !== undefined && { replyTo: email.ReplyToEmailAddress }),
  }
  await inTransaction(ctx, tx => storeMessage(tx, message))
  if (ctx.delivery === undefined) return
  try {
    await ctx.delivery.send(message)
  } catch (cause) {
    ctx.log.warn({ requestId: ctx.requestId, userPoolId: pool.id, source: draft.source, cause }, 'message not delivered')
    throw codeDeliveryFailure('Invalid email provided/Unable to send the email')
  }
}
