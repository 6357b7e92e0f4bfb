import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { startAwsServer } from '../../test/support/aws-services.ts'
import type { OutgoingMessage } from '../core/ports.ts'
import { createDelivery, type DeliveryOptions } from './delivery.ts'
import { systemClock } from './system.ts'

const secret = 'a secret of the receiver'
const now = 1_767_323_045_678

interface Posted {
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: string
}

let posted: Posted[] = []
let status = 200
const receiver = createServer((incoming, outgoing) => {
  let body = ''
  incoming.setEncoding('utf8').on('data', text => {
    body += text
  })
  incoming.on('end', () => {
    posted.push({ headers: incoming.headers, body })
    outgoing.writeHead(status).end('whatever')
  })
})
before(() => new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve)))
after(() => receiver.close())
beforeEach(() => {
  posted = []
  status = 200
})

const webhook = () => ({ url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/messages`, secret })
const create = (options: Partial<DeliveryOptions>) =>
  createDelivery({
    email: undefined,
    sms: undefined,
    mailFrom: 'no-reply@example.com',
    clock: { now: () => now },
    ...options,
  })

const mail: OutgoingMessage = {
  id: '11111111-2222-3333-4444-555555555555',
  userPoolId: 'us-east-1_123456789',
  region: 'us-east-1',
  username: 'ann',
  medium: 'EMAIL',
  to: 'ann@example.com',
  subject: 'Your verification code',
  body: '<p>Your code: 123456</p>',
  code: '123456',
  source: 'SignUp',
  sentAt: now,
  from: 'hello@example.com',
}
const { subject: _, from: __, ...rest } = mail
const sms: OutgoingMessage = { ...rest, subject: '', medium: 'SMS', to: '+12065551234', body: 'Your code: 123456' }

test('a webhook is posted the message with a signature and an id that stays the same', async () => {
  const delivery = await create({ email: { webhook: webhook() }, sms: { webhook: webhook() } })
  await delivery?.send(mail)
  await delivery?.send(sms)
  const [first, second] = posted
  const expected = createHmac('sha256', secret).update(`1767323045.${first?.body}`).digest('hex')
  assert.equal(first?.headers['x-cenote-signature'], `v1=${expected}`)
  assert.equal(first?.headers['x-cenote-timestamp'], '1767323045')
  assert.equal(first?.headers['idempotency-key'], mail.id)
  const common = { id: mail.id, userPoolId: 'us-east-1_123456789', username: 'ann', source: 'SignUp', code: '123456' }
  assert.deepEqual(JSON.parse(first?.body ?? ''), {
    ...common,
    medium: 'EMAIL',
    to: 'ann@example.com',
    sentAt: '2026-01-02T03:04:05.678Z',
    from: 'hello@example.com',
    subject: 'Your verification code',
    html: '<p>Your code: 123456</p>',
    text: 'Your code: 123456',
  })
  assert.deepEqual(JSON.parse(second?.body ?? ''), {
    ...common,
    medium: 'SMS',
    to: '+12065551234',
    sentAt: '2026-01-02T03:04:05.678Z',
    text: 'Your code: 123456',
  })
})

for (const [answered, reason] of [
  [400, 'refused'],
  [404, 'refused'],
  [302, 'refused'],
  [408, 'unavailable'],
  [429, 'unavailable'],
  [500, 'unavailable'],
  [503, 'unavailable'],
] as const) {
  test(`a webhook that answers ${answered} means ${reason}`, async () => {
    const delivery = await create({ email: { webhook: webhook() } })
    status = answered
    await assert.rejects(delivery?.send(mail) ?? assert.fail(), { name: 'DeliveryFailure', reason })
    status = 202
    await delivery?.send(mail)
  })
}

test('each medium has its own way, and what has none is not carried', async () => {
  await using ses = await startAwsServer({ service: 'ses', keys: { AKIDMAIL: 'secret' }, answer: () => ({}) })
  const credentials = { id: 'AKIDMAIL', secret: 'secret' }
  const both = await create({
    email: { ses: { endpoint: ses.url, credentials } },
    sms: { webhook: webhook() },
    clock: systemClock,
  })
  await both?.send(mail)
  await both?.send(sms)
  assert.equal(ses.requests.length, 1)
  assert.deepEqual(
    posted.map(({ body }) => JSON.parse(body).medium),
    ['SMS'],
  )
  assert.deepEqual(both?.media, ['EMAIL', 'SMS'])
  assert.deepEqual((await create({ email: { webhook: webhook() } }))?.media, ['EMAIL'])
  assert.equal(await create({}), undefined)
})
