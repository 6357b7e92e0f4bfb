/** What a pool says in its messages and through which services it sends them. */
import type {
  EmailConfigurationType,
  SmsConfigurationType,
  VerificationMessageTemplateType,
} from '../../contract/types.ts'
import { fromWithoutSourceArn, invalidMessage, invalidPoolSetting } from '../../core/errors.ts'
import type { PoolSettings } from './pool.ts'

/** The members of a request that carry verification texts: the template and its three legacy twins. */
export interface VerificationTexts {
  VerificationMessageTemplate?: VerificationMessageTemplateType
  SmsVerificationMessage?: string
  EmailVerificationMessage?: string
  EmailVerificationSubject?: string
}

/**
 * Template and legacy members with the same texts, whichever of them the request used. Where both are given and
 * differ, the template holds.
 * @throws InvalidParameterException when the text with the link has no words to click on.
 */
export const completeVerificationTexts = (requested: VerificationTexts): VerificationTexts => {
  const template = requested.VerificationMessageTemplate ?? {}
  if (template.EmailMessageByLink !== undefined && !hasNamedLink(template.EmailMessageByLink)) throw invalidMessage()
  const sms = template.SmsMessage ?? requested.SmsVerificationMessage
  const message = template.EmailMessage ?? requested.EmailVerificationMessage
  const subject = template.EmailSubject ?? requested.EmailVerificationSubject
  return {
    ...(sms !== undefined && { SmsVerificationMessage: sms }),
    ...(message !== undefined && { EmailVerificationMessage: message }),
    ...(subject !== undefined && { EmailVerificationSubject: subject }),
    VerificationMessageTemplate: {
      ...(sms !== undefined && { SmsMessage: sms }),
      ...(message !== undefined && { EmailMessage: message }),
      ...(subject !== undefined && { EmailSubject: subject }),
      ...(template.EmailMessageByLink !== undefined && { EmailMessageByLink: template.EmailMessageByLink }),
      ...(template.EmailSubjectByLink !== undefined && { EmailSubjectByLink: template.EmailSubjectByLink }),
      DefaultEmailOption: template.DefaultEmailOption ?? 'CONFIRM_WITH_CODE',
    },
  }
}

/** `{##` and `##}` with something in between: `{####}`, the place of a code, is not the place of a link. */
const hasNamedLink = (text: string): boolean => {
  for (let open = text.indexOf('{##'); open !== -1; open = text.indexOf('{##', open + 1)) {
    const close = text.indexOf('##}', open + 3)
    if (close === -1) return false
    if (text.slice(open + 3, close).trim() !== '') return true
  }
  return false
}

const identityArn = /^arn:[a-z-]+:ses:[a-z0-9-]+:[0-9]+:identity\/([^/]+)$/

/**
 * The e-mail settings as stored.
 * @throws InvalidParameterException when SourceArn is missing or no identity, or From is not an address of it.
 */
export const completeEmailConfiguration = (requested: EmailConfigurationType | undefined): EmailConfigurationType => {
  const account = requested?.EmailSendingAccount ?? 'COGNITO_DEFAULT'
  const { SourceArn, From } = requested ?? {}
  if (SourceArn === undefined) {
    if (account === 'DEVELOPER') throw invalidPoolSetting('sourceArnMissing')
    if (From !== undefined) throw fromWithoutSourceArn()
  } else {
    const identity = identityArn.exec(SourceArn)?.[1]
    if (identity === undefined) throw invalidPoolSetting('sourceArnNotIdentity')
    if (From !== undefined && !belongsTo(identity, addressOf(From))) throw invalidPoolSetting('fromOutsideIdentity')
  }
  return { ...requested, EmailSendingAccount: account }
}

/** The address in `name@example.com` or `Name <name@example.com>`. */
const addressOf = (from: string): string => {
  const open = from.lastIndexOf('<')
  return (open !== -1 && from.endsWith('>') ? from.slice(open + 1, -1) : from).trim().toLowerCase()
}

/** An identity is an address, with or without a label behind a plus sign, or a domain with all below it. */
const belongsTo = (identity: string, address: string): boolean => {
  const wanted = identity.toLowerCase()
  const at = address.lastIndexOf('@')
  if (at < 1) return false
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)]
  if (!wanted.includes('@')) return domain === wanted || domain.endsWith(`.${wanted}`)
  return address === wanted || `${local.split('+', 1)[0]}@${domain}` === wanted
}

/**
 * The SMS settings as stored, or undefined when the request names no service to send with. The two services exclude
 * one another, so that the given one takes the place of the other.
 * @throws InvalidParameterException for both services at once or for a service in another region than the pool's.
 */
export const completeSmsConfiguration = (
  requested: SmsConfigurationType | undefined,
  region: string,
): SmsConfigurationType | undefined => {
  if (requested === undefined) return undefined
  const { SnsCallerArn, EumsSms } = requested
  const usesSns = SnsCallerArn !== undefined && SnsCallerArn !== ''
  if (!usesSns && EumsSms === undefined) return undefined
  if (usesSns && EumsSms !== undefined) throw invalidPoolSetting('twoSmsServices')
  if (EumsSms?.Region !== undefined && EumsSms.Region !== region) throw invalidPoolSetting('smsRegion')
  return EumsSms === undefined ? requested : { EumsSms }
}

/** True when a message sent by this pool goes through the developer's own service. */
export const sendsWithOwnAccount = (settings: Pick<PoolSettings, 'EmailConfiguration'>): boolean =>
  settings.EmailConfiguration?.EmailSendingAccount === 'DEVELOPER'
