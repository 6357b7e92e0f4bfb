import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type AwsAnswer, type AwsServer, startAwsServer } from '../../test/support/aws-services.ts'
import { DeliveryFailure, type OutgoingMessage } from '../core/ports.ts'
import { sesDelivery } from './ses.ts'
import { systemClock } from './system.ts'

const credentials = { id: 'AKIDMAIL', secret: 'the-secret-of-the-mailer' }

let ses: AwsServer
let answer: AwsAnswer
before(async () => {
  ses = await startAwsServer({ service: 'ses', keys: { AKIDMAIL: credentials.secret }, answer: () => answer })
})
after(() => ses[Symbol.asyncDispose]())
beforeEach(() => {
  ses.requests.length = 0
  answer = { body: '{"MessageId":"1"}' }
})

const message = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  id: '1',
  userPoolId: 'us-east-1_123456789',
  region: 'us-east-1',
  username: 'ann',
  medium: 'EMAIL',
  to: 'ann@example.com',
  subject: 'Ihr Bestätigungscode',
  body: '<p>Your verification code is <b>123456</b>.</p>',
  source: 'SignUp',
  sentAt: 0,
  ...changes,
})
const delivery = (changes: object = {}) =>
  sesDelivery({ endpoint: ses.url, credentials, from: 'no-reply@example.com', clock: systemClock, ...changes })

test('a mail is sent by SendEmail with a signature of the region, as HTML and as text', async () => {
  await delivery().send(message())
  const [request] = ses.requests
  assert.deepEqual(request?.signer, { accessKeyId: 'AKIDMAIL', region: 'us-east-1' })
  assert.equal(request?.path, '/v2/email/outbound-emails')
  assert.deepEqual(JSON.parse(request?.body ?? ''), {
    FromEmailAddress: 'no-reply@example.com',
    Destination: { ToAddresses: ['ann@example.com'] },
    Content: {
      Simple: {
        Subject: { Data: 'Ihr Bestätigungscode', Charset: 'UTF-8' },
        Body: {
          Html: { Data: '<p>Your verification code is <b>123456</b>.</p>', Charset: 'UTF-8' },
          Text: { Data: 'Your verification code is 123456.', Charset: 'UTF-8' },
        },
      },
    },
  })
})

test('identity, sender, reply address and configuration set are those of the pool', async () => {
  await delivery({ region: 'eu-central-1' }).send(
    message({
      from: 'Example <hello@example.com>',
      replyTo: 'help@example.com',
      sourceArn: 'arn:aws:ses:eu-west-1:123456789012:identity/example.com',
      configurationSet: 'tracking',
    }),
  )
  await delivery({ region: 'eu-central-1' }).send(message())
  const [request, other] = ses.requests
  assert.equal(request?.signer.region, 'eu-west-1')
  assert.equal(other?.signer.region, 'eu-central-1')
  const { Content: _, Destination: __, ...rest } = JSON.parse(request?.body ?? '')
  assert.deepEqual(rest, {
    FromEmailAddress: 'Example <hello@example.com>',
    FromEmailAddressIdentityArn: 'arn:aws:ses:eu-west-1:123456789012:identity/example.com',
    ReplyToAddresses: ['help@example.com'],
    ConfigurationSetName: 'tracking',
  })
})

for (const [status, error, reason] of [
  [400, 'MessageRejected', 'refused'],
  [400, 'MailFromDomainNotVerifiedException', 'refused'],
  [404, 'NotFoundException', 'refused'],
  [400, 'BadRequestException:http://internal.amazon.com/coral/', 'refused'],
  [403, 'AccessDeniedException', 'email-identity'],
  [429, 'TooManyRequestsException', 'unavailable'],
  [400, 'SendingPausedException', 'unavailable'],
  [400, 'LimitExceededException', 'unavailable'],
  [403, 'ExpiredTokenException', 'unavailable'],
  [500, '', 'unavailable'],
  [503, 'ServiceUnavailable', 'unavailable'],
] as const) {
  test(`${status} with ${error || 'nothing'} means ${reason}`, async () => {
    answer = { status, headers: { 'x-amzn-errortype': error }, body: '{"message":"ann@example.com 123456"}' }
    await assert.rejects(delivery().send(message()), (thrown: unknown) => {
      assert.ok(thrown instanceof DeliveryFailure)
      assert.doesNotMatch(thrown.message, /ann@|123456/)
      return thrown.reason === reason
    })
  })
}

test('a wrong key and a server that is not there are faults that pass', async () => {
  for (const sender of [
    delivery({ credentials: { ...credentials, secret: 'wrong' } }),
    delivery({ endpoint: 'http://127.0.0.1:1' }),
  ]) {
    await assert.rejects(sender.send(message()), { name: 'DeliveryFailure', reason: 'unavailable' })
  }
  assert.equal(ses.requests.length, 0)
})
