import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { DeliveryFailure, type OutgoingMessage } from '../core/ports.ts'
import { smtpDelivery } from './smtp.ts'

interface Received {
  from: string
  recipients: string[]
  text: string
}

let server: SMTPServer
let delivery: ReturnType<typeof smtpDelivery>
let received: Received[] = []
let refusal: Error | undefined

before(async () => {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, callback) => callback(refusal),
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          recipients: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
        })
        callback()
      })
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  delivery = smtpDelivery({
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    from: 'no-reply@verificationemail.com',
  })
})

after(async () => {
  delivery.close()
  await new Promise<void>(resolve => server.close(() => resolve()))
})

beforeEach(() => {
  received = []
  refusal = undefined
})

const message = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  id: '1',
  userPoolId: 'us-east-1_123456789',
  region: 'us-east-1',
  username: 'ann',
  medium: 'EMAIL',
  to: 'ann@example.com',
  subject: 'Your verification code',
  body: 'Your verification code is 123456. ',
  source: 'SignUp',
  sentAt: 0,
  ...changes,
})

const header = (mail: Received, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(mail.text.split('\r\n\r\n', 1)[0] ?? '')?.[1]?.trim()

test('a mail goes to its one address from the default sender, as plain text and as HTML', async () => {
  await delivery.send(message())
  assert.equal(received.length, 1)
  const [mail] = received as [Received]
  assert.deepEqual(mail.recipients, ['ann@example.com'])
  assert.equal(mail.from, 'no-reply@verificationemail.com')
  assert.equal(header(mail, 'From'), 'no-reply@verificationemail.com')
  assert.equal(header(mail, 'To'), 'ann@example.com')
  assert.equal(header(mail, 'Subject'), 'Your verification code')
  assert.equal(header(mail, 'Message-ID'), '<1@verificationemail.com>')
  assert.match(header(mail, 'Content-Type') ?? '', /^multipart\/alternative/)
  assert.equal(mail.text.match(/Your verification code is 123456\./g)?.length, 2)
})

test('the parts of a mail say the same, each in its way', async () => {
  const body = '<p>Hello &lt;b&gt;,</p><p><a href="https://id.example.com/?a=1&amp;b=2">confirm</a></p>'
  await delivery.send(message({ body }))
  await delivery.send(message({ body, text: 'Words of its own' }))
  const parts = received.map(mail => {
    const text = mail.text.replaceAll('=3D', '=').replaceAll('=\r\n', '')
    const [, plain = '', html = ''] = text.split(/Content-Type: text\/(?:plain|html); charset=utf-8\r\n/)
    return [plain.split('\r\n\r\n').slice(1).join('\n\n').split('\r\n--')[0], html.includes(body)]
  })
  assert.deepEqual(parts, [
    ['Hello <b>,\n\nconfirm (https://id.example.com/?a=1&b=2)', true],
    ['Words of its own', true],
  ])
})

test('sender and reply address are those of the pool, with or without a name', async () => {
  await delivery.send(message({ from: 'Example, Inc. <hello@example.com>', replyTo: 'help@example.com' }))
  await delivery.send(message({ from: '"Example" <hello@example.com>' }))
  await delivery.send(message({ from: 'hello@example.com' }))
  assert.deepEqual(
    received.map(mail => [mail.from, header(mail, 'From'), header(mail, 'Reply-To')]),
    [
      ['hello@example.com', '"Example, Inc." <hello@example.com>', 'help@example.com'],
      ['hello@example.com', 'Example <hello@example.com>', undefined],
      ['hello@example.com', 'hello@example.com', undefined],
    ],
  )
})

test('nothing but a single address is ever a recipient', async () => {
  const addresses = [
    'ann@example.com\r\nRCPT TO:<eve@example.com>',
    'ann@example.com\r\nBcc: eve@example.com',
    'ann@example.com,eve@example.com',
    'ann@example.com, eve@example.com',
    'group:ann@example.com,eve@example.com;',
    '"ann@example.com" <eve@example.com>',
    'ann@example.com (eve@example.com)',
    '"a,b"@example.com',
    '<ann@example.com>',
    '',
    `${'a'.repeat(10_000)}@example.com`,
  ]
  for (const to of addresses) await assert.rejects(delivery.send(message({ to })), JSON.stringify(to))
  assert.equal(received.length, 0)
  await delivery.send(message({ to: "o'neil+tag@mail.example.com" }))
  assert.deepEqual(
    received.map(mail => mail.recipients),
    [["o'neil+tag@mail.example.com"]],
  )
})

test('line breaks in a subject, sender or name begin no header', async () => {
  await delivery.send(
    message({
      subject: 'Hello\r\nBcc: eve@example.com\r\n\r\nbody',
      from: 'Example\r\nBcc: eve@example.com <hello@example.com>',
    }),
  )
  assert.equal(received.length, 1)
  const [mail] = received as [Received]
  assert.deepEqual(mail.recipients, ['ann@example.com'])
  assert.equal(header(mail, 'Bcc'), undefined)
})

test('a refusal for good is told from one that may pass, and neither repeats what was sent', async () => {
  const failure = async (sending: Promise<void>) => {
    const error = await sending.then(
      () => assert.fail('sent'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof DeliveryFailure, String(error))
    assert.doesNotMatch(error.message, /ann@example\.com|123456/)
    return error.reason
  }
  refusal = Object.assign(new Error('no such mailbox: ann@example.com'), { responseCode: 550 })
  assert.equal(await failure(delivery.send(message())), 'refused')
  refusal = Object.assign(new Error('try again, 123456'), { responseCode: 451 })
  assert.equal(await failure(delivery.send(message({ code: '123456' }))), 'unavailable')
  refusal = undefined
  assert.equal(await failure(delivery.send(message({ to: 'ann@example.com, eve@example.com' }))), 'refused')
  const closed = new SMTPServer({})
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.server.address() as AddressInfo
  await new Promise<void>(resolve => closed.close(() => resolve()))
  const gone = smtpDelivery({ url: `smtp://mailer:secret-passw0rd@127.0.0.1:${port}`, from: 'no-reply@example.com' })
  assert.equal(await failure(gone.send(message())), 'unavailable')
})
