/** What the configuration says of messages: how they go out, how many, and the keys of custom senders. */
import type { AwsService } from './adapters/aws-call.ts'
import type { EmailService, SmsService } from './adapters/delivery.ts'
import {
  ConfigError,
  httpProtocols,
  readCredentials,
  readMembers,
  readText,
  readUrl,
  readWebhook,
} from './config-values.ts'
import { isMessageLimit, type MessageLimit } from './core/message-limits.ts'
import type { Credentials } from './core/sigv4-sign.ts'

/** The members of the file that are about messages, each under its key. */
export const messageKeys = ['delivery', 'kms', 'customSenderKeys'] as const

export interface MessageServices {
  email: EmailService | undefined
  sms: SmsService | undefined
  /** Keys of custom senders by the ARN that pools name, 32 bytes each. */
  customSenderKeys: ReadonlyMap<string, Buffer>
  /** Where the keys of custom senders are that do not stand in the file. */
  kms: AwsService | undefined
}

/**
 * Reads what the file says. `path` stands in errors.
 * @throws ConfigError
 */
export const readMessageServices = (
  path: string,
  file: Readonly<Partial<Record<(typeof messageKeys)[number], unknown>>>,
  environment: NodeJS.ProcessEnv,
): MessageServices => {
  const { email, sms } =
    file.delivery === undefined ? {} : readMembers(`${path}: delivery`, file.delivery, ['email', 'sms'])
  return {
    email: email === undefined ? undefined : readEmailService(`${path}: delivery.email`, email, environment),
    sms: sms === undefined ? undefined : readSmsService(`${path}: delivery.sms`, sms, environment),
    customSenderKeys: readKeys(`${path}: customSenderKeys`, file.customSenderKeys),
    kms:
      file.kms === undefined
        ? undefined
        : readAwsService(`${path}: kms`, readMembers(`${path}: kms`, file.kms, awsKeys), environment),
  }
}

const readEmailService = (where: string, value: unknown, environment: NodeJS.ProcessEnv): EmailService => {
  const services = readMembers(where, value, ['smtp', 'ses', 'webhook'])
  assertOne(where, services)
  const smtp = readUrl(`${where}.smtp`, readText(`${where}.smtp`, services.smtp), ['smtp:', 'smtps:'])
  if (smtp !== undefined) return { smtp }
  if (services.webhook !== undefined) return { webhook: readWebhook(`${where}.webhook`, services.webhook) }
  const ses = readMembers(`${where}.ses`, services.ses, awsKeys)
  return { ses: readAwsService(`${where}.ses`, ses, environment) }
}

const readSmsService = (where: string, value: unknown, environment: NodeJS.ProcessEnv): SmsService => {
  const services = readMembers(where, value, ['sns', 'webhook'])
  assertOne(where, services)
  if (services.webhook !== undefined) return { webhook: readWebhook(`${where}.webhook`, services.webhook) }
  const at = `${where}.sns`
  const sns = readMembers(at, services.sns, [...awsKeys, 'senderId', 'smsVoiceEndpoint', 'assumeRole'])
  const senderId = readText(`${at}.senderId`, sns.senderId)
  if (senderId !== undefined && !/^(?=.*[a-z])[a-z\d]{1,11}$/i.test(senderId))
    throw new ConfigError(`${at}.senderId must have 1 to 11 letters and digits, and at least one letter`)
  return {
    sns: {
      ...readAwsService(at, sns, environment),
      senderId,
      smsVoiceEndpoint: readEndpoint(`${at}.smsVoiceEndpoint`, sns.smsVoiceEndpoint),
      assumeRole: readAssumeRole(`${at}.assumeRole`, sns.assumeRole),
    },
  }
}

/** `true` for the service's own endpoint, or a URL. */
const readAssumeRole = (where: string, value: unknown): { endpoint: string | undefined } | undefined => {
  if (value === undefined || value === false) return undefined
  return { endpoint: value === true ? undefined : readEndpoint(where, value) }
}

const assertOne = (where: string, services: object): void => {
  if (Object.keys(services).length !== 1) throw new ConfigError(`${where} must name exactly one service`)
}

// ---------------------------------------------------------------------------------------------- AWS

const awsKeys = ['endpoint', 'region', 'accessKey'] as const

const readAwsService = (
  where: string,
  members: Partial<Record<(typeof awsKeys)[number], unknown>>,
  environment: NodeJS.ProcessEnv,
): AwsService => {
  const accessKey = readCredentials(`${where}.accessKey`, readText(`${where}.accessKey`, members.accessKey))
  return {
    endpoint: readEndpoint(`${where}.endpoint`, members.endpoint),
    region: readText(`${where}.region`, members.region),
    credentials: accessKey ?? credentialsOf(where, environment),
  }
}

const readEndpoint = (where: string, value: unknown): string | undefined =>
  readUrl(where, readText(where, value), httpProtocols)

/** The access key in the variables that all programs of AWS read. */
const credentialsOf = (where: string, environment: NodeJS.ProcessEnv): Credentials => {
  const id = environment['AWS_ACCESS_KEY_ID']
  const secret = environment['AWS_SECRET_ACCESS_KEY']
  if (!id || !secret)
    throw new ConfigError(`${where} needs an accessKey, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`)
  return { id, secret, sessionToken: environment['AWS_SESSION_TOKEN'] || undefined }
}

// ---------------------------------------------------------------------------------------------- keys and limits

const keyBytes = 32

const readKeys = (where: string, value: unknown): ReadonlyMap<string, Buffer> => {
  if (value === undefined) return new Map()
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`${where} must be a mapping of ARNs to keys`)
  return new Map(
    Object.entries(value).map(([arn, text]: [string, unknown]): [string, Buffer] => {
      const bytes = typeof text === 'string' ? bytesOf(text) : undefined
      if (bytes?.length !== keyBytes)
        throw new ConfigError(`${where}.${arn} must be ${keyBytes} bytes in hex or base64`)
      return [arn, bytes]
    }),
  )
}

const bytesOf = (text: string): Buffer | undefined => {
  if (/^(?:[\da-f]{2})+$/i.test(text)) return Buffer.from(text, 'hex')
  return /^[\w+/-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** What differs from the limits of `core/message-limits.ts`; undefined: no limits at all. */
export type MessageLimits = Readonly<Partial<Record<MessageLimit, number>>> | undefined

/** @throws ConfigError */
export const readMessageLimits = (text: string | undefined, byDefault: boolean): MessageLimits => {
  if (text === undefined) return byDefault ? {} : undefined
  if (text === 'off') return undefined
  if (text === 'on') return {}
  const limits: Partial<Record<MessageLimit, number>> = {}
  for (const entry of text.split(',')) {
    const [name = '', number = '', ...rest] = entry.trim().split('=')
    if (!isMessageLimit(name))
      throw new ConfigError(`message-limits must be on, off or LIMIT=NUMBER,…; not ${entry.trim()}`)
    if (!/^\d{1,9}$/.test(number) || rest.length > 0)
      throw new ConfigError(`message-limits: ${name} needs a number of messages`)
    limits[name] = Number(number)
  }
  return limits
}

/** A mailbox: `name@example.com` or `Name <name@example.com>`. @throws ConfigError */
export const readMailFrom = (text: string): string => {
  if (!/^(?:[^<>\r\n]{0,200}<[^<>@\s]{1,64}@[^<>@\s]{1,255}>|[^<>@\s]{1,64}@[^<>@\s]{1,255})$/.test(text))
    throw new ConfigError('mail-from must be name@example.com or Name <name@example.com>')
  return text
}
