/** Custom message: the pool's function words a message that is about to be sent. */
import { customMessageNotAllowed, customMessageTooLong, customMessageWithoutPlaceholder } from '../../core/errors.ts'
import type { Medium } from '../../core/ports.ts'
import { hasLinkPlaceholder, type MessageTemplate } from '../../core/templates.ts'
import { textOf } from '../../core/trigger-response.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { clientMetadataOf, runTrigger, type TriggerSource, userAttributesOf } from './run.ts'

const codePlaceholder = '{####}'
const linkPlaceholder = '{##Click Here##}'
const usernamePlaceholder = '{username}'
const smsLengthMax = 140
const emailLengthMax = 20_000
const subjectLengthMax = 140

/** The occasions of a message, in the words of the trigger. */
export type MessageSource = TriggerSource<'CustomMessage'>

export interface CustomMessageRequest {
  source: MessageSource
  medium: Medium
  /** What the message will carry in the place of the code; undefined when it carries none. */
  code: string | undefined
  /** The message carries the code in a link. */
  byLink: boolean
}

/**
 * The template with what the function has to say for this medium in its place; the same template without a function.
 * @throws InvalidLambdaResponseException for a text without the placeholders that it must have, or that is too long or
 * not allowed, and what runTrigger throws.
 */
export const customMessage = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'id' | 'username' | 'status' | 'attributes'>,
  { source, medium, code, byLink }: CustomMessageRequest,
  template: MessageTemplate,
): Promise<MessageTemplate> => {
  const isInvitation = source === 'AdminCreateUser'
  const response = await runTrigger(ctx, pool, 'CustomMessage', {
    source,
    username: user.username,
    request: {
      userAttributes: userAttributesOf(user),
      codeParameter: codePlaceholder,
      linkParameter: linkPlaceholder,
      usernameParameter: isInvitation ? usernamePlaceholder : null,
      ...clientMetadataOf(ctx),
    },
  })
  if (response === undefined) return template
  const texts = {
    sms: textOf(response, 'smsMessage'),
    email: textOf(response, 'emailMessage'),
    subject: textOf(response, 'emailSubject'),
  }
  // Mail in words of one's own is for pools that send it from an address of their own.
  const sendsOwnMail = pool.settings.EmailConfiguration?.EmailSendingAccount === 'DEVELOPER'
  if (!sendsOwnMail && (texts.email !== undefined || texts.subject !== undefined)) throw customMessageNotAllowed()
  const body = medium === 'EMAIL' ? texts.email : texts.sms
  if (body !== undefined) {
    const placeholders = [
      ...(code === undefined ? [] : [codePlaceholder]),
      ...(isInvitation ? [usernamePlaceholder] : []),
    ]
    const hasAll = placeholders.every(placeholder => body.includes(placeholder))
    if (!hasAll && !(byLink && hasLinkPlaceholder(body))) throw customMessageWithoutPlaceholder()
    const filled = body.replaceAll(codePlaceholder, () => code ?? codePlaceholder)
    if ([...filled].length > (medium === 'EMAIL' ? emailLengthMax : smsLengthMax)) throw customMessageTooLong()
  }
  const subject = medium === 'EMAIL' ? texts.subject : undefined
  if (subject !== undefined && [...subject].length > subjectLengthMax) throw customMessageTooLong()
  return { subject: subject ?? template.subject, body: body ?? template.body }
}
