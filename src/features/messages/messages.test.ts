import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { days, hours, keepingDelivery, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createPool, createUser, email, phone, statusOf, verified } from '../../../test/support/pools.ts'
import { smtpDelivery } from '../../adapters/smtp.ts'
import type { Delivery } from '../../core/ports.ts'
import { inTransaction } from '../context.ts'
import { pruneOutbox } from './outbox.ts'

const Password = 'Passw0rd!'
const hiding = { PreventUserExistenceErrors: 'ENABLED' } as const
const deliveryFailure = {
  name: 'CodeDeliveryFailureException',
  message: 'Invalid email provided/Unable to send the email',
}

const signUp = (app: TestApp, ClientId: string, Username: string, address: string) =>
  app.aws.signUp({ ClientId, Username, Password, UserAttributes: [email(address)] })

/** The text of a quoted-printable body (RFC 2045, section 6.7). */
const unquoted = (text: string): string =>
  text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

onEachDatabase(testApp => {
  describe('delivery', () => {
    test('a message is handed over as it lies in the outbox, with the sender of the pool', async () => {
      const delivery = keepingDelivery()
      const app = await testApp({ delivery })
      const { clientId } = await createPool(app, {
        EmailConfiguration: {
          EmailSendingAccount: 'DEVELOPER',
          SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/hello@example.com',
          From: 'Example <hello@example.com>',
          ReplyToEmailAddress: 'help@example.com',
        },
      })
      await signUp(app, clientId, 'ann', 'ann@example.com')
      const [sent] = delivery.sent
      const [kept] = await app.messages()
      assert.equal(delivery.sent.length, 1)
      assert.deepEqual(
        [sent?.to, sent?.subject, sent?.body, sent?.code],
        [kept?.to, kept?.subject, kept?.body, kept?.code],
      )
      assert.deepEqual([sent?.from, sent?.replyTo], ['Example <hello@example.com>', 'help@example.com'])
    })

    test('the sender is the identity of the pool where it names none, and nobody for a domain', async () => {
      const delivery = keepingDelivery()
      const app = await testApp({ delivery })
      for (const [identity, from] of [
        ['hello@example.com', 'hello@example.com'],
        ['example.com', undefined],
      ] as const) {
        const SourceArn = `arn:aws:ses:us-east-1:123456789012:identity/${identity}`
        const { clientId } = await createPool(app, {
          EmailConfiguration: { EmailSendingAccount: 'DEVELOPER', SourceArn },
        })
        await signUp(app, clientId, 'ann', 'ann@example.com')
        assert.equal(delivery.sent.at(-1)?.from, from)
      }
    })

    test('a failure is reported and leaves the user signed up, who then asks again', async () => {
      let broken = true
      const delivery: Delivery = {
        send: async () => {
          if (broken) throw new Error('451 mailbox full of 123456')
        },
      }
      const app = await testApp({ delivery })
      const { poolId, clientId } = await createPool(app)
      await assert.rejects(signUp(app, clientId, 'ann', 'ann@example.com'), deliveryFailure)
      assert.equal(await statusOf(app, poolId, 'ann'), 'UNCONFIRMED')
      assert.ok(app.logged.some(({ message }) => message === 'message not delivered'))
      const again = { ClientId: clientId, Username: 'ann' }
      await assert.rejects(app.aws.resendConfirmationCode(again), deliveryFailure)
      broken = false
      await app.aws.resendConfirmationCode(again)
      await app.aws.confirmSignUp({ ...again, ConfirmationCode: await app.lastCode() })
    })

    test('where users are hidden, mails leave apart from the answers, which do not report a failure', async () => {
      let failures: number | undefined
      const delivery: Delivery = {
        send: async () => {
          if (failures === undefined) return
          failures += 1
          throw new Error('no')
        },
      }
      const app = await testApp({ delivery })
      const { poolId, clientId } = await createPool(app, {}, hiding)
      await createUser(app, poolId, 'ann', Password, [email('ann@example.com'), verified('email')])
      await signUp(app, clientId, 'bob', 'bob@example.com')
      failures = 0
      const forgotten = await app.aws.forgotPassword({ ClientId: clientId, Username: 'ann' })
      assert.equal(forgotten.CodeDeliveryDetails?.Destination, 'a***@e***')
      const resent = await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'bob' })
      assert.equal(resent.CodeDeliveryDetails?.Destination, 'b***@e***')
      await app.app.handedOver()
      assert.equal(failures, 0)
      await app.app.sendMessages()
      assert.equal(failures, 2)
      assert.equal(app.logged.filter(({ message }) => message === 'message not delivered yet').length, 2)
    })

    test('a mail reaches a real server at the stored address only, with names escaped', async () => {
      const received: { recipients: string[]; text: string }[] = []
      const server = new SMTPServer({
        authOptional: true,
        disabledCommands: ['STARTTLS'],
        disableReverseLookup: true,
        onData: (stream, session, callback) => {
          const chunks: Buffer[] = []
          stream.on('data', chunk => chunks.push(chunk))
          stream.on('end', () => {
            const recipients = session.envelope.rcptTo.map(({ address }) => address)
            received.push({ recipients, text: unquoted(Buffer.concat(chunks).toString('utf8')) })
            callback()
          })
        },
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const delivery = smtpDelivery({
        url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
        from: 'no-reply@verificationemail.com',
      })
      try {
        const app = await testApp({ delivery })
        const { poolId, clientId } = await createPool(app)
        const hostile = [
          'ann@example.com\r\nBcc: eve@example.com',
          'ann@example.com,eve@example.com',
          'group:ann@example.com,eve@example.com;',
          '"ann"@example.com',
          'ann@example.com(comment)',
          'Ann<eve@example.com>',
        ]
        for (const address of hostile) {
          await assert.rejects(signUp(app, clientId, 'ann', address), { name: 'InvalidParameterException' })
        }
        await signUp(app, clientId, '<b>{####}</b>', 'ann@example.com')
        await app.aws.adminCreateUser({
          UserPoolId: poolId,
          Username: '<i>{####}&"',
          TemporaryPassword: 'Temp<1>&"pass',
          DesiredDeliveryMediums: ['EMAIL'],
          UserAttributes: [email('eve@example.com')],
        })
        assert.deepEqual(
          received.map(mail => mail.recipients),
          [['ann@example.com'], ['eve@example.com']],
        )
        const [, invitation] = received
        assert.ok(
          invitation?.text.includes(
            'Your username is &lt;i&gt;{####}&amp;&quot; and temporary password is Temp&lt;1&gt;&amp;&quot;pass.',
          ),
        )
        assert.equal((await app.messages())[0]?.code, 'Temp<1>&"pass')
      } finally {
        delivery.close()
        await new Promise<void>(resolve => server.close(() => resolve()))
      }
    })
  })

  describe('the outbox', () => {
    test('shows what was sent, the newest first, and nothing of it lies open in the database', async () => {
      const app = await testApp()
      const { poolId, clientId } = await createPool(app, { AutoVerifiedAttributes: ['email', 'phone_number'] })
      await signUp(app, clientId, 'ann', 'ann@example.com')
      await app.aws.signUp({
        ClientId: clientId,
        Username: 'bob',
        Password,
        UserAttributes: [phone('+12065551234')],
      })
      const messages = await app.messages()
      assert.deepEqual(
        messages.map(({ username, medium, to, userPoolId, source }) => [username, medium, to, userPoolId, source]),
        [
          ['bob', 'SMS', '+12065551234', poolId, 'SignUp'],
          ['ann', 'EMAIL', 'ann@example.com', poolId, 'SignUp'],
        ],
      )
      assert.equal(messages[0]?.sentAt, new Date(app.now()).toISOString())
      const rows = await app.database.db.selectFrom('messages').selectAll().execute()
      for (const { content } of rows) assert.ok(!content.includes('verification code'))
    })

    test('an invitation without a place for the temporary password is not sent', async () => {
      const app = await testApp()
      for (const [template, count] of [
        ['Welcome, {username}! ', 0],
        ['Welcome, {username}: {####}', 1],
      ] as const) {
        const { poolId } = await createPool(app, {
          AdminCreateUserConfig: { InviteMessageTemplate: { EmailMessage: template } },
        })
        await app.aws.adminCreateUser({
          UserPoolId: poolId,
          Username: 'ann',
          DesiredDeliveryMediums: ['EMAIL'],
          UserAttributes: [email('ann@example.com')],
        })
        assert.equal((await app.messages()).filter(message => message.userPoolId === poolId).length, count)
      }
    })

    test('forgets what is older than a week', async () => {
      const app = await testApp()
      const { clientId } = await createPool(app)
      await signUp(app, clientId, 'ann', 'ann@example.com')
      app.advance(days(6))
      await signUp(app, clientId, 'bob', 'bob@example.com')
      await app.app.tick()
      assert.equal((await app.messages()).length, 2)
      app.advance(days(1) + hours(1))
      await app.app.tick()
      assert.deepEqual(
        (await app.messages()).map(({ username }) => username),
        ['bob'],
      )
    })

    test('keeps the newest ten thousand', async () => {
      const app = await testApp()
      const { services } = app.app
      const rows = Array.from({ length: 10_003 }, (_, index) => ({
        id: String(index),
        pool_id: 'us-east-1_123456789',
        username: 'ann',
        medium: 'EMAIL',
        destination: 'ann@example.com',
        source: 'SignUp',
        content: '',
        sent_at: services.clock.now(),
      }))
      for (let start = 0; start < rows.length; start += 1_000) {
        await app.database.db
          .insertInto('messages')
          .values(rows.slice(start, start + 1_000))
          .execute()
      }
      assert.equal(await inTransaction(services, pruneOutbox), 3)
      assert.equal(await inTransaction(services, pruneOutbox), 0)
      const kept = await app.database.db.selectFrom('messages').select('id').orderBy('sequence').execute()
      assert.deepEqual([kept.length, kept[0]?.id, kept.at(-1)?.id], [10_000, '3', '10002'])
    })
  })
})
