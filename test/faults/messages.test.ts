/**
 * Messages and the program as its users run it: killed while it sends, it loses none that it has acknowledged; and what
 * messages and their services are entrusted with stands in neither the log nor the database.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider'
import { SMTPServer } from 'smtp-server'
import { startAwsServer } from '../support/aws-services.ts'
import { decryptCode, keyArn, kmsKey, kmsKeyring, startKms } from '../support/kms.ts'
import { type Program, scratchFolder, startProgram } from '../support/program.ts'

const clientOf = ({ url }: Program): CognitoIdentityProvider =>
  new CognitoIdentityProvider({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })

const until = async (isSo: () => boolean, what: string): Promise<void> => {
  const deadline = performance.now() + 30_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, what)
    await sleep(20)
  }
}

/** A mail server. Before `accept` it takes the content of a mail and does not answer. */
const startMailServer = async () => {
  const accepted: { to: string; id: string }[] = []
  let held = 0
  let accepting = false
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        held += 1
        if (!accepting) return
        const id = /^Message-ID: <(.*)@/im.exec(Buffer.concat(chunks).toString('utf8'))?.[1] ?? ''
        accepted.push({ to: session.envelope.rcptTo[0]?.address ?? '', id })
        callback()
      })
    },
  })
  // What a killed program leaves behind is no fault.
  server.on('error', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    accepted,
    held: () => held,
    accept: () => {
      accepting = true
    },
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}

describe('a program that is killed while it sends', () => {
  test('sends after its next start what it had acknowledged or was about to, once', { timeout: 120_000 }, async () => {
    const folder = scratchFolder()
    const mail = await startMailServer()
    const options = ['--data', join(folder.path, 'data'), '--smtp', mail.url, '--test-mode']
    try {
      const first = await startProgram(options)
      const aws = clientOf(first)
      const { UserPool } = await aws.createUserPool({ PoolName: 'pool', AutoVerifiedAttributes: ['email'] })
      const { UserPoolClient } = await aws.createUserPoolClient({ UserPoolId: UserPool?.Id, ClientName: 'client' })
      const UserPoolId = UserPool?.Id ?? ''
      const address = (name: string) => [{ Name: 'email', Value: `${name}@example.com` }]
      const invite = (Username: string) =>
        aws.adminCreateUser({
          UserPoolId,
          Username,
          UserAttributes: address(Username),
          DesiredDeliveryMediums: ['EMAIL'],
        })
      // The mail server is slow, so these are acknowledged and wait.
      await Promise.all(['one', 'two', 'three'].map(invite))
      const unanswered = [
        invite('four'),
        aws.signUp({
          ClientId: UserPoolClient?.ClientId,
          Username: 'five',
          Password: 'Passw0rd!',
          UserAttributes: address('five'),
        }),
      ].map(request =>
        request.then(
          () => assert.fail('answered'),
          () => undefined,
        ),
      )
      await until(() => mail.held() >= 5, 'the mails did not reach the server')
      first.signal('SIGKILL')
      await first.ended
      await Promise.all(unanswered)
      mail.accept()

      await using second = await startProgram(options)
      await sleep(100)
      assert.deepEqual(mail.accepted, [])
      // The leases of the dead program end.
      await fetch(`${second.url}/_cenote/clock`, { method: 'POST', body: '{"advance": 61}' })
      await until(() => mail.accepted.length >= 5, 'not all mails were sent')
      await fetch(`${second.url}/_cenote/clock`, { method: 'POST', body: '{"advance": 3600}' })
      await sleep(6_000)
      assert.deepEqual(
        mail.accepted.map(({ to }) => to).sort(),
        ['five', 'four', 'one', 'three', 'two'].map(name => `${name}@example.com`),
      )
      assert.equal(new Set(mail.accepted.map(({ id }) => id)).size, 5)
    } finally {
      await mail.close()
      folder.remove()
    }
  })
})

test('mail by SES, text messages by SNS and a custom sender, with all their secrets kept', async () => {
  const folder = scratchFolder()
  const secrets = {
    mail: `mail-${randomBytes(12).toString('hex')}`,
    sms: `sms-${randomBytes(12).toString('hex')}`,
    hook: `hook-${randomBytes(12).toString('hex')}`,
    senderKey: randomBytes(32).toString('hex'),
  }
  const codes: string[] = []
  const ofEvents: string[] = []
  // Servers that repeat what they were told, also in their errors.
  let refusing = false
  const echo = (body: string) => ({
    status: refusing ? 400 : 200,
    headers: { 'x-amzn-errortype': 'MessageRejected' },
    body,
  })
  const functions = createServer((incoming, outgoing) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', text => {
      body += text
    })
    incoming.on('end', () => {
      ofEvents.push(JSON.parse(body).request.code)
      outgoing.writeHead(200).end(body)
    })
  })
  await new Promise<void>(resolve => functions.listen(0, '127.0.0.1', resolve))
  await using ses = await startAwsServer({
    service: 'ses',
    keys: { AKIDMAIL: secrets.mail },
    answer: r => echo(r.body),
  })
  await using sns = await startAwsServer({ service: 'sns', keys: { AKIDSMS: secrets.sms }, answer: r => echo(r.body) })
  await using kms = await startKms()
  const config = join(folder.path, 'cenote.yaml')
  writeFileSync(
    config,
    [
      'delivery:',
      `  email: {ses: {endpoint: '${ses.url}', accessKey: 'AKIDMAIL:${secrets.mail}'}}`,
      `  sms: {sns: {endpoint: '${sns.url}'}}`,
      `kms: {endpoint: '${kms.url}', accessKey: '${kmsKey.id}:${kmsKey.secret}'}`,
      `customSenderKeys: {'${keyArn}-local': '${secrets.senderKey}'}`,
      'triggers:',
      `  sender: {url: 'http://127.0.0.1:${(functions.address() as AddressInfo).port}', secret: '${secrets.hook}'}`,
    ].join('\n'),
  )
  try {
    await using program = await startProgram(
      ['--data', join(folder.path, 'data'), '--config', config, '--log-level', 'debug'],
      {
        env: { AWS_ACCESS_KEY_ID: 'AKIDSMS', AWS_SECRET_ACCESS_KEY: secrets.sms },
      },
    )
    const aws = clientOf(program)
    const LambdaArn = 'arn:aws:lambda:us-east-1:123456789012:function:sender'
    const pools = [
      {},
      { LambdaConfig: { KMSKeyID: keyArn, CustomEmailSender: { LambdaVersion: 'V1_0' as const, LambdaArn } } },
    ]
    const [plain = '', sending = ''] = await Promise.all(
      pools.map(async pool => {
        const { UserPool } = await aws.createUserPool({
          PoolName: 'pool',
          AutoVerifiedAttributes: ['email', 'phone_number'],
          ...pool,
        })
        const { UserPoolClient } = await aws.createUserPoolClient({ UserPoolId: UserPool?.Id, ClientName: 'client' })
        return UserPoolClient?.ClientId ?? ''
      }),
    )
    const signUp = (ClientId: string, Username: string, Name: string, Value: string) =>
      aws.signUp({ ClientId, Username, Password: 'Passw0rd!', UserAttributes: [{ Name, Value }] })
    const confirm = async (ClientId: string, Username: string, code: string) => {
      codes.push(code)
      await aws.confirmSignUp({ ClientId, Username, ConfirmationCode: code })
    }

    await signUp(plain, 'ann', 'email', 'ann@example.com')
    const { Content } = JSON.parse(ses.requests[0]?.body ?? '')
    await confirm(plain, 'ann', /\d{6}/.exec(Content.Simple.Body.Text.Data)?.[0] ?? '')
    await signUp(plain, 'bob', 'phone_number', '+12025550101')
    const text = new URLSearchParams(sns.requests[0]?.body).get('Message') ?? ''
    assert.equal(sns.requests[0]?.signer.accessKeyId, 'AKIDSMS')
    await confirm(plain, 'bob', /\d{6}/.exec(text)?.[0] ?? '')
    await signUp(sending, 'cyd', 'email', 'cyd@example.com')
    await until(() => ofEvents.length > 0, 'the function was not called')
    await confirm(sending, 'cyd', (await decryptCode(ofEvents[0], kmsKeyring(kms.url))).text)
    assert.equal(ses.requests.length, 1)

    refusing = true
    for (const [name, attribute, value] of [
      ['dot', 'email', 'dot@example.com'],
      ['eve', 'phone_number', '+12025550102'],
    ] as const) {
      await assert.rejects(signUp(plain, name, attribute, value), { name: 'CodeDeliveryFailureException' })
    }
    const shown = (await (await fetch(`${program.url}/_cenote/messages`)).json()) as { code: string }[]
    codes.push(...shown.map(({ code }) => code))
    program.signal('SIGTERM')
    const { code, stderr } = await program.ended
    assert.equal(code, 0)
    assert.match(stderr, /message not delivered/)
    for (const secret of [...Object.values(secrets), kmsKey.secret, ...new Set(codes)]) {
      assert.ok(!new RegExp(`(?<!\\d)${secret}(?!\\d)`).test(stderr), `${secret} stands in the log`)
    }
    for (const address of ['dot@example.com', '12025550102']) assert.ok(!stderr.includes(address), address)
  } finally {
    functions.closeAllConnections()
    functions.close()
    folder.remove()
  }
})
