import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import type { OutgoingMessage } from '../core/ports.ts'
import { smtpDelivery } from './smtp.ts'

interface Received {
  from: string
  recipients: string[]
  text: string
}

let server: SMTPServer
let delivery: ReturnType<typeof smtpDelivery>
let received: Received[] = []
let refusing = false

before(async () => {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, callback) => callback(refusing ? new Error('no such mailbox') : null),
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
  delivery = smtpDelivery(`smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`)
})

after(async () => {
  delivery.close()
  await new Promise<void>(resolve => server.close(() => resolve()))
})

beforeEach(() => {
  received = []
  refusing = false
})

const message = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  id: '1',
  userPoolId: 'us-east-1_123456789',
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

test('a mail goes to its one address, as HTML, from the default sender', async () => {
  await delivery.send(message())
  assert.equal(received.length, 1)
  const [mail] = received as [Received]
  assert.deepEqual(mail.recipients, ['ann@example.com'])
  assert.equal(mail.from, 'no-reply@verificationemail.com')
  assert.equal(header(mail, 'From'), 'no-reply@verificationemail.com')
  assert.equal(header(mail, 'To'), 'ann@example.com')
  assert.equal(header(mail, 'Subject'), 'Your verification code')
  assert.match(header(mail, 'Content-Type') ?? '', /^text\/html/)
  assert.match(mail.text, /Your verification code is 123456\./)
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

test('text messages are left to the outbox', async () => {
  await delivery.send(message({ medium: 'SMS', to: '+12065551234', subject: '' }))
  assert.equal(received.length, 0)
})

test('a refusal of the server is reported, and so is a server that is not there', async () => {
  refusing = true
  await assert.rejects(delivery.send(message()))
  const closed = new SMTPServer({})
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.server.address() as AddressInfo
  await new Promise<void>(resolve => closed.close(() => resolve()))
  await assert.rejects(smtpDelivery(`smtp://127.0.0.1:${port}`).send(message()))
})
