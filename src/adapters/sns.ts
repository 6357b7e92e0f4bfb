/**
 * Text messages by Amazon SNS (Publish), or by AWS End User Messaging SMS (SendTextMessage) for pools that say so. Where
 * the configuration asks for it, the pool's own role is assumed, with its external id.
 */
import type { EumsSmsConfigurationType } from '../contract/types.ts'
import { type Clock, type Delivery, DeliveryFailure, type FetchResponse, type OutgoingMessage } from '../core/ports.ts'
import type { Credentials } from '../core/sigv4-sign.ts'
import { parseXml, textOf, type XmlElement } from '../core/xml.ts'
import { type AwsCall, type AwsService, asDeliveryFailure, awsCaller, errorNameIn, isTemporary } from './aws-call.ts'

export interface SnsOptions extends AwsService {
  /** What phones show as the sender, in countries where that is possible. */
  senderId?: string | undefined
  /** Endpoint of End User Messaging SMS; undefined for the service's own. */
  smsVoiceEndpoint?: string | undefined
  /** Present: the role of the pool is assumed, at this endpoint or at the service's own. */
  assumeRole?: { endpoint?: string | undefined } | undefined
  clock: Clock
}

type Ask = (call: AwsCall) => Promise<FetchResponse>

/** Sends in the region that the pool names for its messages, in the one of the options, or in the pool's own. */
export const snsDelivery = (options: SnsOptions): Delivery => {
  const askSns = awsCaller(options, options.clock)
  const askSmsVoice = awsCaller({ endpoint: options.smsVoiceEndpoint }, options.clock)
  const assume = options.assumeRole === undefined ? undefined : roleAssumer(options, options.assumeRole)
  return {
    media: ['SMS'],
    async send(message) {
      const { EumsSms, SnsCallerArn, ExternalId, SnsRegion } = message.sms ?? {}
      const region = EumsSms?.Region ?? SnsRegion ?? options.region ?? message.region
      const roleArn = EumsSms?.CallerArn ?? SnsCallerArn
      try {
        const credentials =
          assume === undefined || !roleArn
            ? options.credentials
            : await assume({ roleArn, externalId: EumsSms?.ExternalId ?? ExternalId, region })
        await (EumsSms === undefined
          ? publish(askSns, message, { region, credentials, senderId: options.senderId })
          : sendTextMessage(askSmsVoice, message, EumsSms, { region, credentials }))
      } catch (error) {
        throw asDeliveryFailure(error)
      }
    },
  }
}

interface Sending {
  region: string
  credentials: Credentials | undefined
}

const publish = async (
  ask: Ask,
  message: OutgoingMessage,
  { region, credentials, senderId }: Sending & { senderId: string | undefined },
): Promise<void> => {
  const attributes: Record<string, string> = {
    'AWS.SNS.SMS.SMSType': 'Transactional',
    ...(senderId !== undefined && { 'AWS.SNS.SMS.SenderID': senderId }),
  }
  const entries = Object.entries(attributes).flatMap(([name, value], index): [string, string][] => {
    const entry = `MessageAttributes.entry.${index + 1}`
    return [
      [`${entry}.Name`, name],
      [`${entry}.Value.DataType`, 'String'],
      [`${entry}.Value.StringValue`, value],
    ]
  })
  const { status, body } = await ask({
    purpose: 'SNS',
    host: 'sns',
    service: 'sns',
    region,
    headers: form,
    body: query('Publish', '2010-03-31', [['PhoneNumber', message.to], ['Message', message.body], ...entries]),
    credentials,
  })
  if (status !== 200) throw failureOf('SNS', status, codeIn(body), ['AuthorizationError', 'AccessDenied'])
}

/** https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html */
const sendTextMessage = async (
  ask: Ask,
  message: OutgoingMessage,
  { OriginationIdentity, ConfigurationSetName, InEntityId, InTemplateId }: EumsSmsConfigurationType,
  { region, credentials }: Sending,
): Promise<void> => {
  const ofCountry = {
    ...(InEntityId !== undefined && { IN_ENTITY_ID: InEntityId }),
    ...(InTemplateId !== undefined && { IN_TEMPLATE_ID: InTemplateId }),
  }
  const { status, headers, body } = await ask({
    purpose: 'End User Messaging SMS',
    host: 'sms-voice',
    service: 'sms-voice',
    region,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'PinpointSMSVoiceV2.SendTextMessage' },
    body: JSON.stringify({
      DestinationPhoneNumber: message.to,
      MessageBody: message.body,
      MessageType: 'TRANSACTIONAL',
      OriginationIdentity,
      ConfigurationSetName,
      ...(Object.keys(ofCountry).length > 0 && { DestinationCountryParameters: ofCountry }),
    }),
    credentials,
  })
  if (status === 200) return
  const error = errorNameIn(headers['x-amzn-errortype'] ?? typeIn(body))
  throw failureOf('End User Messaging SMS', status, error, ['AccessDeniedException'])
}

const failureOf = (service: string, status: number, error: string, denials: readonly string[]): DeliveryFailure => {
  const text = `${service} answered ${status} with ${error}.`
  if (denials.includes(error)) return new DeliveryFailure('sms-role', text)
  return new DeliveryFailure(isTemporary(status, error) ? 'unavailable' : 'refused', text)
}

// ---------------------------------------------------------------------------------------------- the pool's role

interface Role {
  roleArn: string
  externalId: string | undefined
  region: string
}

const rolesMax = 100
/** Credentials are not used when they end within this time. */
const marginMs = 5 * 60_000

/**
 * Temporary credentials of a role, from AssumeRole of AWS STS; kept until shortly before they end.
 * @throws DeliveryFailure `sms-role-trust` when the role may not be assumed.
 */
const roleAssumer = ({ credentials, clock }: SnsOptions, { endpoint }: { endpoint?: string | undefined }) => {
  const ask = awsCaller({ endpoint }, clock)
  const known = new Map<string, Credentials & { expiresAt: number }>()
  return async ({ roleArn, externalId, region }: Role): Promise<Credentials> => {
    const key = JSON.stringify([roleArn, externalId, region])
    const kept = known.get(key)
    if (kept !== undefined && kept.expiresAt - marginMs > clock.now()) return kept
    const parameters: [string, string][] = [
      ['RoleArn', roleArn],
      ['RoleSessionName', 'cenote'],
      ...(externalId === undefined ? [] : [['ExternalId', externalId] as [string, string]]),
    ]
    const { status, body } = await ask({
      purpose: 'STS',
      host: 'sts',
      service: 'sts',
      region,
      headers: form,
      body: query('AssumeRole', '2011-06-15', parameters),
      credentials,
    })
    if (status !== 200) {
      const error = codeIn(body)
      const text = `STS answered ${status} with ${error}.`
      throw new DeliveryFailure(isTemporary(status, error) ? 'unavailable' : 'sms-role-trust', text)
    }
    const fresh = readCredentials(body)
    known.delete(key)
    for (const oldest of known.keys()) {
      if (known.size < rolesMax) break
      known.delete(oldest)
    }
    known.set(key, fresh)
    return fresh
  }
}

const readCredentials = (body: Buffer): Credentials & { expiresAt: number } => {
  const answer = elementIn(body, 'Credentials')
  const read = (name: string): string => {
    const found = answer && findElement(answer, name)
    return found === undefined ? '' : textOf(found).trim()
  }
  const [id, secret, sessionToken] = [read('AccessKeyId'), read('SecretAccessKey'), read('SessionToken')]
  const expiresAt = Date.parse(read('Expiration'))
  if (id === '' || secret === '' || sessionToken === '' || Number.isNaN(expiresAt)) {
    throw new DeliveryFailure('unavailable', 'STS answered without credentials.')
  }
  return { id, secret, sessionToken, expiresAt }
}

// ---------------------------------------------------------------------------------------------- the query protocol

const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

const query = (action: string, version: string, parameters: [string, string][]): string =>
  new URLSearchParams([['Action', action], ['Version', version], ...parameters]).toString()

/** The code of an error in an answer of the query protocol. */
const codeIn = (body: Buffer): string => {
  const code = elementIn(body, 'Code')
  return errorNameIn(code && textOf(code).trim())
}

const typeIn = (body: Buffer): string | undefined => {
  try {
    const { __type } = JSON.parse(body.toString('utf8')) as { __type?: unknown }
    return typeof __type === 'string' ? __type : undefined
  } catch {
    return undefined
  }
}

const elementIn = (body: Buffer, name: string): XmlElement | undefined => {
  try {
    return findElement(parseXml(body.toString('utf8')), name)
  } catch {
    return undefined
  }
}

const findElement = (element: XmlElement, name: string): XmlElement | undefined => {
  if (element.name === name) return element
  for (const child of element.children) {
    const found = typeof child === 'string' ? undefined : findElement(child, name)
    if (found !== undefined) return found
  }
  return undefined
}
