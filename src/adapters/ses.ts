/** Mail by Amazon SES, with the operation SendEmail of its API version 2. */

import { plainTextOf } from '../core/plain-text.ts'
import { type Clock, type Delivery, DeliveryFailure } from '../core/ports.ts'
import { type AwsService, asDeliveryFailure, awsCaller, errorNameIn, isTemporary } from './aws-call.ts'

export interface SesOptions extends AwsService {
  /** Sender of pools that name none. */
  from: string
  clock: Clock
}

/** Limits of the account and sending that was paused pass. */
const temporary = new Set(['LimitExceededException', 'SendingPausedException', 'TooManyRequestsException'])

/** Sends in the region of the pool's identity, or in the one of the options. */
export const sesDelivery = (options: SesOptions): Delivery => {
  const call = awsCaller(options, options.clock)
  return {
    media: ['EMAIL'],
    async send(message) {
      const { sourceArn } = message
      const body = JSON.stringify({
        FromEmailAddress: message.from ?? options.from,
        FromEmailAddressIdentityArn: sourceArn,
        Destination: { ToAddresses: [message.to] },
        ReplyToAddresses: message.replyTo === undefined ? undefined : [message.replyTo],
        ConfigurationSetName: message.configurationSet,
        Content: {
          Simple: {
            Subject: utf8(message.subject),
            Body: { Html: utf8(message.body), Text: utf8(message.text ?? plainTextOf(message.body)) },
          },
        },
      })
      const { status, headers } = await call({
        purpose: 'SES',
        host: 'email',
        service: 'ses',
        region: sourceArn?.split(':')[3] ?? options.region ?? message.region,
        path: '/v2/email/outbound-emails',
        headers: { 'content-type': 'application/json' },
        body,
        credentials: options.credentials,
      }).catch((error: unknown) => {
        throw asDeliveryFailure(error)
      })
      if (status === 200) return
      const error = errorNameIn(headers['x-amzn-errortype'])
      const text = `SES answered ${status} with ${error}.`
      if (error === 'AccessDeniedException') throw new DeliveryFailure('email-identity', text)
      throw new DeliveryFailure(temporary.has(error) || isTemporary(status, error) ? 'unavailable' : 'refused', text)
    },
  }
}

const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' })
