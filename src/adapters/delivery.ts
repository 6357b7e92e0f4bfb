/** The delivery port: what the configuration says of each medium decides how its messages go out. */
import type { Clock, Delivery, Medium } from '../core/ports.ts'
import { type AwsService, fetchFrom } from './aws-call.ts'
import { webhookDelivery } from './message-webhook.ts'
import type { SnsOptions } from './sns.ts'

export type EmailService = { smtp: string } | { ses: AwsService } | { webhook: Webhook }
export type SmsService = { sns: Omit<SnsOptions, 'clock'> } | { webhook: Webhook }

export interface Webhook {
  url: string
  secret: string
}

export interface DeliveryOptions {
  email: EmailService | undefined
  sms: SmsService | undefined
  /** Sender of mail from pools that name none. */
  mailFrom: string
  clock: Clock
}

export interface ConfiguredDelivery extends Delivery {
  close(): void
}

type Carrier = Delivery & { close?(): void }

/** Undefined when no medium has a way out. Each way is loaded when it is wanted. */
export const createDelivery = async (options: DeliveryOptions): Promise<ConfiguredDelivery | undefined> => {
  const carriers = new Map<Medium, Carrier>()
  if (options.email !== undefined) carriers.set('EMAIL', await emailCarrier(options.email, options))
  if (options.sms !== undefined) carriers.set('SMS', await smsCarrier(options.sms, options))
  if (carriers.size === 0) return undefined
  return {
    media: [...carriers.keys()],
    send: async message => carriers.get(message.medium)?.send(message),
    close: () => {
      for (const carrier of carriers.values()) carrier.close?.()
    },
  }
}

const emailCarrier = async (
  service: EmailService,
  { mailFrom: from, clock }: Pick<DeliveryOptions, 'mailFrom' | 'clock'>,
): Promise<Carrier> => {
  if ('smtp' in service) return (await import('./smtp.ts')).smtpDelivery({ url: service.smtp, from })
  if ('ses' in service) return (await import('./ses.ts')).sesDelivery({ ...service.ses, from, clock })
  return byWebhook('EMAIL', service.webhook, clock)
}

const smsCarrier = async (service: SmsService, { clock }: Pick<DeliveryOptions, 'clock'>): Promise<Carrier> => {
  if ('sns' in service) return (await import('./sns.ts')).snsDelivery({ ...service.sns, clock })
  return byWebhook('SMS', service.webhook, clock)
}

const byWebhook = (medium: Medium, { url, secret }: Webhook, clock: Clock): Delivery =>
  webhookDelivery({ media: [medium], url, secret, clock, fetch: fetchFrom(url) })
