/** What messages say: the templates of the pool, or the default ones, filled. */
import { domainUrl } from '../../core/domain-names.ts'
import { newUuid } from '../../core/ids.ts'
import type { Medium, OutgoingMessage } from '../../core/ports.ts'
import { defaultMessages, escapeHtml, fillTemplate, type MessageTemplate } from '../../core/templates.ts'
import type { Context } from '../context.ts'
import { mainDomain } from '../managed-login/domains.ts'
import type { MessageSource } from '../triggers/custom-message.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'

/** A message before it is worded. */
export interface Occasion {
  source: MessageSource
  medium: Medium
  to: string
  /** What the message carries: a code or a temporary password. */
  code: string | undefined
  /** Where a click confirms the sign-up; undefined where the code is typed. */
  link?: string | undefined
}

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

/** The template of the pool for the occasion. */
export const templateFor = (pool: Pool, { source, medium, code, link }: Occasion): MessageTemplate => {
  const { VerificationMessageTemplate, AdminCreateUserConfig, MfaConfiguration = 'OFF' } = pool.settings
  if (source === 'AdminCreateUser') {
    const fallback = code === undefined ? defaultMessages.invitationWithoutPassword : defaultMessages.invitation
    return pickTemplate(medium, AdminCreateUserConfig?.InviteMessageTemplate, fallback)
  }
  if (link !== undefined) {
    return {
      subject: VerificationMessageTemplate?.EmailSubjectByLink ?? defaultMessages.link.subject,
      body: VerificationMessageTemplate?.EmailMessageByLink ?? defaultMessages.link.body,
    }
  }
  if (source !== 'Authentication') {
    return pickTemplate(medium, VerificationMessageTemplate, defaultMessages.verification)
  }
  // The texts belong to MFA. Without it, codes of a first factor are sent in the default words.
  if (MfaConfiguration === 'OFF') return pickTemplate(medium, undefined, defaultMessages.authentication)
  const { SmsAuthenticationMessage, EmailMfaConfiguration } = pool.settings
  const texts = {
    ...(SmsAuthenticationMessage !== undefined && { SmsMessage: SmsAuthenticationMessage }),
    ...(EmailMfaConfiguration?.Message !== undefined && { EmailMessage: EmailMfaConfiguration.Message }),
    ...(EmailMfaConfiguration?.Subject !== undefined && { EmailSubject: EmailMfaConfiguration.Subject }),
  }
  return pickTemplate(medium, texts, defaultMessages.authentication)
}

/** Only what confirms a sign-up can be a link. */
const confirming: readonly MessageSource[] = ['SignUp', 'ResendCode']

/**
 * Where a click confirms the sign-up; undefined unless the pool wants that. It is the pool's domain, or the server itself,
 * which finds the pool by the client, where the pool has none.
 */
export const confirmationLink = async (
  ctx: Context,
  pool: Pool,
  username: string,
  { source, medium, code }: Omit<Occasion, 'to'>,
): Promise<string | undefined> => {
  const option = pool.settings.VerificationMessageTemplate?.DefaultEmailOption
  if (option !== 'CONFIRM_WITH_LINK' || medium !== 'EMAIL' || !confirming.includes(source)) return undefined
  const domain = await mainDomain(ctx, pool)
  const base = domain === undefined ? ctx.publicUrl : domainUrl(ctx.publicUrl, domain)
  const parameters = [
    ['client_id', ctx.caller?.clientId ?? ''],
    ['user_name', username],
    ['confirmation_code', code ?? ''],
  ].map(([name, value = '']) => `${name}=${encodeURIComponent(value)}`)
  return `${base}/confirmUser/?${parameters.join('&')}`
}

/** The message that goes out. */
export const compose = (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  { source, medium, to, code, link }: Occasion,
  template: MessageTemplate,
): OutgoingMessage => {
  const plain = {
    username: user.username,
    ...(code !== undefined && { code }),
    ...(link !== undefined && { link }),
  }
  // A temporary password may hold characters that mean something in HTML, which the body of a mail is.
  const inHtml = { ...plain, ...(code !== undefined && { code: escapeHtml(code) }) }
  return {
    ...envelope(ctx, pool, user, medium),
    to,
    subject: fillTemplate(template, plain, medium).subject,
    body: fillTemplate(template, medium === 'EMAIL' ? inHtml : plain, medium).body,
    ...(code !== undefined && { code }),
    source,
  }
}

/** What a message says of itself and of its sender, as the pool is configured now. */
export const envelope = (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  medium: Medium,
): Omit<OutgoingMessage, 'to' | 'subject' | 'body' | 'source'> => {
  const common = {
    id: newUuid(ctx.random),
    userPoolId: pool.id,
    region: pool.region,
    username: user.username,
    medium,
    sentAt: ctx.clock.now(),
  }
  const { EmailConfiguration: email, SmsConfiguration: sms } = pool.settings
  if (medium === 'SMS') return { ...common, ...(sms !== undefined && { sms }) }
  const from = email?.From ?? senderOf(email?.SourceArn)
  return {
    ...common,
    ...(from !== undefined && { from }),
    ...(email?.ReplyToEmailAddress !== undefined && { replyTo: email.ReplyToEmailAddress }),
    ...(email?.SourceArn !== undefined && { sourceArn: email.SourceArn }),
    ...(email?.ConfigurationSet !== undefined && { configurationSet: email.ConfigurationSet }),
  }
}

/** The address that the ARN of an e-mail identity names; undefined when it names a domain. */
export const senderOf = (arn: string | undefined): string | undefined => {
  const identity = arn?.slice(arn.lastIndexOf(':identity/') + ':identity/'.length)
  return arn?.includes(':identity/') && identity?.includes('@') ? identity : undefined
}
