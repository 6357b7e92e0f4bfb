import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type AwsAnswer, type AwsServer, startAwsServer } from '../../test/support/aws-services.ts'
import type { DeliveryFailureReason, OutgoingMessage } from '../core/ports.ts'
import { snsDelivery } from './sns.ts'
import { adjustableClock, systemClock } from './system.ts'

const credentials = { id: 'AKIDSMS', secret: 'the-secret-of-the-texter' }
const keys = { AKIDSMS: credentials.secret, ASIAROLE: 'the-secret-of-the-role' }
const roleArn = 'arn:aws:iam::123456789012:role/texter'

const clock = adjustableClock(systemClock)
const servers = new Map<string, AwsServer>()
const answers = new Map<string, AwsAnswer>()
before(async () => {
  for (const service of ['sns', 'sts', 'sms-voice']) {
    const answer = () => answers.get(service) ?? {}
    servers.set(service, await startAwsServer({ service, keys, now: clock.now, answer }))
  }
})
after(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]()
})
beforeEach(() => {
  answers.clear()
  for (const { requests } of servers.values()) requests.length = 0
})

const requestsOf = (service: string) => servers.get(service)?.requests ?? []
const urlOf = (service: string) => servers.get(service)?.url
const parametersOf = (service: string, index = 0) =>
  Object.fromEntries(new URLSearchParams(requestsOf(service)[index]?.body))

const message = (sms?: OutgoingMessage['sms']): OutgoingMessage => ({
  id: '1',
  userPoolId: 'us-east-1_123456789',
  region: 'us-east-1',
  username: 'ann',
  medium: 'SMS',
  to: '+12065551234',
  subject: '',
  body: 'Your code is 123456 & more ü.',
  source: 'SignUp',
  sentAt: 0,
  ...(sms !== undefined && { sms }),
})
const delivery = (changes: object = {}) =>
  snsDelivery({ endpoint: urlOf('sns'), smsVoiceEndpoint: urlOf('sms-voice'), credentials, clock, ...changes })
const assuming = () => delivery({ assumeRole: { endpoint: urlOf('sts') } })

/** What STS answers; the credentials end after an hour. */
const assumed = () => ({
  body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>${keys.ASIAROLE}</SecretAccessKey>
    <SessionToken>token/of+the=role</SessionToken><Expiration>${new Date(clock.now() + 3_600_000).toISOString()}</Expiration>
  </Credentials></AssumeRoleResult></AssumeRoleResponse>`,
})
const failure = (code: string) =>
  `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>+12065551234 123456</Message></Error></ErrorResponse>`
const failing = (reason: DeliveryFailureReason) => (error: { name?: string; reason?: string; message?: string }) => {
  assert.doesNotMatch(error.message ?? '', /12065551234|123456/)
  return error.name === 'DeliveryFailure' && error.reason === reason
}

test('a text message is published as transactional, with the sender that is configured', async () => {
  await delivery({ senderId: 'Example' }).send(message())
  assert.deepEqual(requestsOf('sns')[0]?.signer, { accessKeyId: 'AKIDSMS', region: 'us-east-1' })
  assert.deepEqual(parametersOf('sns'), {
    Action: 'Publish',
    Version: '2010-03-31',
    PhoneNumber: '+12065551234',
    Message: 'Your code is 123456 & more ü.',
    'MessageAttributes.entry.1.Name': 'AWS.SNS.SMS.SMSType',
    'MessageAttributes.entry.1.Value.DataType': 'String',
    'MessageAttributes.entry.1.Value.StringValue': 'Transactional',
    'MessageAttributes.entry.2.Name': 'AWS.SNS.SMS.SenderID',
    'MessageAttributes.entry.2.Value.DataType': 'String',
    'MessageAttributes.entry.2.Value.StringValue': 'Example',
  })
})

test('the region is the one that the pool names for its messages', async () => {
  await delivery({ region: 'eu-central-1' }).send(message({ SnsCallerArn: roleArn, SnsRegion: 'ap-southeast-1' }))
  await delivery({ region: 'eu-central-1' }).send(message({ SnsCallerArn: roleArn }))
  assert.deepEqual(
    requestsOf('sns').map(({ signer }) => signer.region),
    ['ap-southeast-1', 'eu-central-1'],
  )
})

test('where roles are assumed, the message is published with the role of the pool and its external id', async () => {
  answers.set('sts', assumed())
  const sender = assuming()
  const sms = { SnsCallerArn: roleArn, ExternalId: 'pool-7' }
  await sender.send(message(sms))
  assert.deepEqual(parametersOf('sts'), {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: 'cenote',
    ExternalId: 'pool-7',
  })
  assert.equal(requestsOf('sts')[0]?.signer.accessKeyId, 'AKIDSMS')
  assert.equal(requestsOf('sns')[0]?.signer.accessKeyId, 'ASIAROLE')
  assert.equal(requestsOf('sns')[0]?.headers['x-amz-security-token'], 'token/of+the=role')

  // The credentials are used until shortly before they end, and only with the same external id.
  await sender.send(message(sms))
  assert.equal(requestsOf('sts').length, 1)
  await sender.send(message({ ...sms, ExternalId: 'pool-8' }))
  assert.equal(requestsOf('sts').length, 2)
  clock.advance(56 * 60_000)
  answers.set('sts', assumed())
  await sender.send(message(sms))
  assert.equal(requestsOf('sts').length, 3)
  assert.equal(requestsOf('sns').length, 4)
})

test('a role that may not be assumed, or may not publish, is told apart', async () => {
  answers.set('sts', { status: 403, body: failure('AccessDenied') })
  await assert.rejects(assuming().send(message({ SnsCallerArn: roleArn })), failing('sms-role-trust'))
  assert.equal(requestsOf('sns').length, 0)
  answers.set('sts', { status: 500, body: 'no XML' })
  await assert.rejects(assuming().send(message({ SnsCallerArn: roleArn })), failing('unavailable'))
  answers.set('sts', { body: '<AssumeRoleResponse/>' })
  await assert.rejects(assuming().send(message({ SnsCallerArn: roleArn })), failing('unavailable'))
  answers.set('sns', { status: 403, body: failure('AuthorizationError') })
  await assert.rejects(delivery().send(message()), failing('sms-role'))
})

for (const [status, code, reason] of [
  [400, 'InvalidParameter', 'refused'],
  [400, 'OptedOut', 'refused'],
  [429, 'Throttled', 'unavailable'],
  [400, 'ThrottlingException', 'unavailable'],
  [403, 'InvalidClientTokenId', 'unavailable'],
  [500, 'InternalError', 'unavailable'],
] as const) {
  test(`${status} with ${code} means ${reason}`, async () => {
    answers.set('sns', { status, body: failure(code) })
    await assert.rejects(delivery().send(message()), failing(reason))
  })
}

test('pools that say so send by End User Messaging SMS', async () => {
  const EumsSms = {
    CallerArn: roleArn,
    ExternalId: 'pool-7',
    OriginationIdentity: 'arn:aws:sms-voice:us-east-1:123456789012:phone-number/1',
    ConfigurationSetName: 'tracking',
    InEntityId: '1101',
    InTemplateId: '2202',
  }
  answers.set('sts', assumed())
  await assuming().send(message({ EumsSms }))
  await delivery().send(message({ EumsSms: { CallerArn: roleArn } }))
  const [request, plain] = requestsOf('sms-voice')
  assert.equal(request?.signer.accessKeyId, 'ASIAROLE')
  assert.equal(request?.headers['x-amz-target'], 'PinpointSMSVoiceV2.SendTextMessage')
  const text = {
    DestinationPhoneNumber: '+12065551234',
    MessageBody: 'Your code is 123456 & more ü.',
    MessageType: 'TRANSACTIONAL',
  }
  assert.deepEqual(JSON.parse(request?.body ?? ''), {
    ...text,
    OriginationIdentity: EumsSms.OriginationIdentity,
    ConfigurationSetName: 'tracking',
    DestinationCountryParameters: { IN_ENTITY_ID: '1101', IN_TEMPLATE_ID: '2202' },
  })
  assert.deepEqual(JSON.parse(plain?.body ?? ''), text)
  assert.equal(requestsOf('sns').length, 0)
  for (const [status, error, reason] of [
    [400, 'AccessDeniedException', 'sms-role'],
    [400, 'ValidationException', 'refused'],
    [400, 'ThrottlingException', 'unavailable'],
  ] as const) {
    answers.set('sms-voice', { status, body: JSON.stringify({ __type: `com.amazonaws#${error}` }) })
    await assert.rejects(delivery().send(message({ EumsSms })), failing(reason))
  }
})
