import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateUserPoolCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { days, hours, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  createClient,
  createPool,
  createUser,
  email,
  passwordFlow,
  phone,
  signIn,
  statusOf,
  verified,
} from '../../../test/support/pools.ts'

const Password = 'Passw0rd!'
const NewPassword = 'An0ther-one!'
const error = (name: string, message: string) => ({ name: `${name}Exception`, message })
const mismatch = error('CodeMismatch', 'Invalid verification code provided, please try again.')
const expired = error('ExpiredCode', 'Invalid code provided, please request a code again.')
const overLimit = error('LimitExceeded', 'Attempt limit exceeded, please try after some time.')
const noMedium = error(
  'InvalidParameter',
  'Cannot reset password for the user as there is no registered/verified email or phone_number',
)
const notResettable = error('NotAuthorized', 'User password cannot be reset in the current state.')
const incorrect = error('NotAuthorized', 'Incorrect username or password.')
const byMail = { Destination: 'a***@e***', DeliveryMedium: 'EMAIL', AttributeName: 'email' }
const bySms = { Destination: '+*******1234', DeliveryMedium: 'SMS', AttributeName: 'phone_number' }

const wrong = (code: string, offset = 1) => String((Number(code) + offset) % 1_000_000).padStart(6, '0')

const recovery = (...names: ('verified_email' | 'verified_phone_number' | 'admin_only')[]) =>
  ({
    AccountRecoverySetting: { RecoveryMechanisms: names.map((Name, index) => ({ Name, Priority: index + 1 })) },
  }) satisfies Partial<CreateUserPoolCommandInput>

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const verifiedMail = [email('ann@example.com'), verified('email')]
  const verifiedPhone = [phone('+12065551234'), verified('phone_number')]

  const forgot = async (ClientId: string, Username: string) =>
    (await app.aws.forgotPassword({ ClientId, Username })).CodeDeliveryDetails
  const reset = (ClientId: string, Username: string, ConfirmationCode: string, password = NewPassword) =>
    app.aws.confirmForgotPassword({ ClientId, Username, ConfirmationCode, Password: password })
  const codeOf = async (poolId: string, username: string): Promise<string> => {
    const found = (await app.messages()).find(
      message => message.userPoolId === poolId && message.username === username && message.code !== undefined,
    )
    return found?.code ?? ''
  }
  /** A pool with the confirmed user ann, whose e-mail address is verified. */
  const poolWithAnn = async (settings: Partial<CreateUserPoolCommandInput> = {}, client = {}) => {
    const made = await createPool(app, settings, { ...passwordFlow, ...client })
    await createUser(app, made.poolId, 'ann', Password, verifiedMail)
    return made
  }

  describe('ForgotPassword', () => {
    test('sends a code; the password works until it is confirmed, then the new one does', async () => {
      const { poolId, clientId } = await poolWithAnn()
      assert.deepEqual(await forgot(clientId, 'ann'), byMail)
      const [message] = await app.messages()
      assert.deepEqual([message?.to, message?.source], ['ann@example.com', 'ForgotPassword'])
      assert.equal(message?.body, `Your verification code is ${message?.code}. `)
      await signIn(app, clientId, 'ann', Password)
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')

      const { $metadata: _, ...answer } = await reset(clientId, 'ann', message?.code ?? '')
      assert.deepEqual(answer, {})
      await assert.rejects(signIn(app, clientId, 'ann', Password), incorrect)
      const { AuthenticationResult } = await signIn(app, clientId, 'ann', NewPassword)
      assert.notEqual(AuthenticationResult?.AccessToken, undefined)
    })

    test('finds the user by an alias', async () => {
      const { poolId, clientId } = await poolWithAnn({ AliasAttributes: ['email'] })
      assert.deepEqual(await forgot(clientId, 'ann@example.com'), byMail)
      await reset(clientId, 'ann@example.com', await codeOf(poolId, 'ann'))
      await signIn(app, clientId, 'ann', NewPassword)
    })

    test('chooses the medium by the priorities of the pool', async () => {
      for (const [settings, attributes, expected] of [
        [recovery('verified_email', 'verified_phone_number'), [...verifiedMail, ...verifiedPhone], byMail],
        [recovery('verified_phone_number', 'verified_email'), [...verifiedMail, ...verifiedPhone], bySms],
        [recovery('verified_phone_number', 'verified_email'), verifiedMail, byMail],
        [recovery('verified_phone_number', 'verified_email'), [...verifiedMail, phone('+12065551234')], byMail],
        [recovery('verified_email'), [...verifiedPhone, email('ann@example.com')], undefined],
        [recovery('verified_phone_number'), verifiedMail, undefined],
      ] as const) {
        const { poolId, clientId } = await createPool(app, settings)
        await createUser(app, poolId, 'ann', Password, [...attributes])
        if (expected === undefined) await assert.rejects(forgot(clientId, 'ann'), noMedium)
        else assert.deepEqual(await forgot(clientId, 'ann'), expected)
      }
    })

    test('never uses the medium of the second factor', async () => {
      const { poolId, clientId } = await createPool(app, recovery('verified_phone_number', 'verified_email'))
      await createUser(app, poolId, 'ann', Password, [...verifiedMail, ...verifiedPhone])
      await createUser(app, poolId, 'bob', Password, verifiedPhone)
      for (const Username of ['ann', 'bob']) {
        await app.aws.adminSetUserSettings({
          UserPoolId: poolId,
          Username,
          MFAOptions: [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }],
        })
      }
      assert.deepEqual(await forgot(clientId, 'ann'), byMail)
      await assert.rejects(forgot(clientId, 'bob'), noMedium)
    })

    test('is refused where administrators reset passwords', async () => {
      const { clientId } = await poolWithAnn(recovery('admin_only'))
      await assert.rejects(forgot(clientId, 'ann'), error('NotAuthorized', 'Contact administrator to reset password.'))
    })

    test('is refused to users without a verified address, without a password of their own, and disabled ones', async () => {
      const { poolId, clientId } = await createPool(app)
      await app.aws.signUp({
        ClientId: clientId,
        Username: 'unconfirmed',
        Password,
        UserAttributes: [email('u@example.com')],
      })
      await assert.rejects(forgot(clientId, 'unconfirmed'), noMedium)
      await createUser(app, poolId, 'unverified', Password, [email('u@example.com')])
      await assert.rejects(forgot(clientId, 'unverified'), noMedium)
      await app.aws.adminCreateUser({
        UserPoolId: poolId,
        Username: 'invited',
        MessageAction: 'SUPPRESS',
        UserAttributes: verifiedMail,
      })
      await assert.rejects(forgot(clientId, 'invited'), notResettable)
      await createUser(app, poolId, 'disabled', Password, verifiedMail)
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'disabled' })
      await assert.rejects(forgot(clientId, 'disabled'), error('NotAuthorized', 'User is disabled.'))
      await assert.rejects(
        forgot(clientId, 'nobody'),
        error('UserNotFound', 'Username/client id combination not found.'),
      )
    })

    test('shares twenty calls an hour with the confirmation', async () => {
      const { poolId, clientId } = await poolWithAnn()
      for (let i = 0; i < 10; i++) {
        await forgot(clientId, 'ann')
        await assert.rejects(reset(clientId, 'ann', wrong(await codeOf(poolId, 'ann'))), mismatch)
      }
      const code = await codeOf(poolId, 'ann')
      const sent = (await app.messages()).length
      await assert.rejects(forgot(clientId, 'ann'), overLimit)
      await assert.rejects(reset(clientId, 'ann', code), overLimit)
      assert.equal((await app.messages()).length, sent)
      await signIn(app, clientId, 'ann', Password)
      app.advance(hours(1))
      await forgot(clientId, 'ann')
      await reset(clientId, 'ann', await codeOf(poolId, 'ann'))
    })
  })

  describe('ConfirmForgotPassword', () => {
    test('a code expires after an hour, not earlier', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await forgot(clientId, 'ann')
      app.advance(hours(1) - seconds(1))
      const early = await codeOf(poolId, 'ann')
      await assert.rejects(reset(clientId, 'ann', wrong(early)), mismatch)
      app.advance(seconds(1))
      await assert.rejects(reset(clientId, 'ann', early), expired)
      await forgot(clientId, 'ann')
      app.advance(hours(1) - seconds(1))
      await reset(clientId, 'ann', await codeOf(poolId, 'ann'))
    })

    test('a code works once, and of 32 parallel tries exactly one succeeds', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      const passwords = Array.from({ length: 32 }, (_, index) => `Passw0rd!${index}`)
      const settled = await Promise.allSettled(passwords.map(password => reset(clientId, 'ann', code, password)))
      const winners = passwords.filter((_, index) => settled[index]?.status === 'fulfilled')
      assert.equal(winners.length, 1)
      app.advance(hours(1))
      await assert.rejects(reset(clientId, 'ann', code), expired)
      for (const password of passwords.slice(0, 3)) {
        const attempt = signIn(app, clientId, 'ann', password)
        await (password === winners[0] ? attempt : assert.rejects(attempt, incorrect))
      }
      await signIn(app, clientId, 'ann', winners[0] ?? '')
    })

    test('five tries spoil a code', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      for (let i = 1; i <= 5; i++) await assert.rejects(reset(clientId, 'ann', wrong(code, i)), mismatch)
      await assert.rejects(reset(clientId, 'ann', code), expired)
      await signIn(app, clientId, 'ann', Password)
    })

    test('a bad password neither uses nor spoils the code', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      for (let i = 0; i < 6; i++) {
        await assert.rejects(
          reset(clientId, 'ann', code, 'passw0rd!'),
          error('InvalidPassword', 'Password did not conform with policy: Password must have uppercase characters'),
        )
      }
      await reset(clientId, 'ann', code)
    })

    test('an older code and codes of others, of other pools and other purposes are refused', async () => {
      const { poolId, clientId } = await poolWithAnn()
      const other = await poolWithAnn()
      await createUser(app, poolId, 'bob', Password, verifiedMail)
      await forgot(clientId, 'ann')
      const older = await codeOf(poolId, 'ann')
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await forgot(clientId, 'bob')
      await forgot(other.clientId, 'ann')
      for (const foreign of [older, await codeOf(poolId, 'bob'), await codeOf(other.poolId, 'ann')]) {
        if (foreign !== code) await assert.rejects(reset(clientId, 'ann', foreign), mismatch)
      }
      await app.aws.signUp({ ClientId: clientId, Username: 'cyd', Password, UserAttributes: [email('c@example.com')] })
      await assert.rejects(
        app.aws.confirmSignUp({ ClientId: clientId, Username: 'cyd', ConfirmationCode: await codeOf(poolId, 'bob') }),
        { name: 'CodeMismatchException' },
      )
      // Any client of the pool may confirm.
      await reset(await createClient(app, poolId), 'ann', code)
    })

    test('without a pending code every code has expired', async () => {
      const { clientId } = await poolWithAnn()
      await assert.rejects(reset(clientId, 'ann', '123456'), expired)
    })

    test('a code is void when the address changes or an administrator sets a password', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await forgot(clientId, 'ann')
      const toOldAddress = await codeOf(poolId, 'ann')
      await app.aws.adminUpdateUserAttributes({
        UserPoolId: poolId,
        Username: 'ann',
        UserAttributes: [email('other@example.com'), verified('email')],
      })
      await assert.rejects(reset(clientId, 'ann', toOldAddress), expired)
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: 'ann', Password, Permanent: true })
      await assert.rejects(reset(clientId, 'ann', code), expired)
      await signIn(app, clientId, 'ann', Password)
    })

    test('does not confirm a sign-up that nobody confirmed', async () => {
      const { poolId, clientId } = await createPool(app)
      await app.aws.signUp({
        ClientId: clientId,
        Username: 'ann',
        Password,
        UserAttributes: [email('ann@example.com')],
      })
      await app.aws.adminUpdateUserAttributes({
        UserPoolId: poolId,
        Username: 'ann',
        UserAttributes: [verified('email')],
      })
      await forgot(clientId, 'ann')
      await assert.rejects(
        reset(clientId, 'ann', await codeOf(poolId, 'ann')),
        error('UserNotConfirmed', 'User is not confirmed.'),
      )
      assert.equal(await statusOf(app, poolId, 'ann'), 'UNCONFIRMED')
    })

    test('keeps to the history, and says so only to who has the code', async () => {
      const { poolId, clientId } = await poolWithAnn({
        Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize: 2 } },
      })
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await assert.rejects(reset(clientId, 'ann', wrong(code), Password), mismatch)
      await assert.rejects(reset(clientId, 'ann', code, Password), {
        name: 'PasswordHistoryPolicyViolationException',
        message: 'Password has previously been used',
      })
      await reset(clientId, 'ann', code)
    })

    test('ends the lockout', async () => {
      const { poolId, clientId } = await poolWithAnn()
      for (let i = 0; i < 5; i++) await assert.rejects(signIn(app, clientId, 'ann', 'Wr0ng-one!'), incorrect)
      await assert.rejects(signIn(app, clientId, 'ann', Password), error('NotAuthorized', 'Password attempts exceeded'))
      await forgot(clientId, 'ann')
      await reset(clientId, 'ann', await codeOf(poolId, 'ann'))
      await signIn(app, clientId, 'ann', NewPassword)
    })

    test('gives users without a password their first one', async () => {
      const { poolId, clientId } = await createPool(
        app,
        { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } },
        passwordFlow,
      )
      await app.aws.signUp({ ClientId: clientId, Username: 'ann', UserAttributes: [email('ann@example.com')] })
      const ConfirmationCode = await codeOf(poolId, 'ann')
      await app.aws.confirmSignUp({ ClientId: clientId, Username: 'ann', ConfirmationCode })
      await assert.rejects(signIn(app, clientId, 'ann', NewPassword), incorrect)
      await forgot(clientId, 'ann')
      await reset(clientId, 'ann', await codeOf(poolId, 'ann'))
      await signIn(app, clientId, 'ann', NewPassword)
    })
  })

  describe('AdminResetUserPassword', () => {
    const adminReset = (UserPoolId: string, Username: string) =>
      app.aws.adminResetUserPassword({ UserPoolId, Username })

    test('ends the password until the user sets another with the code', async () => {
      const { poolId, clientId } = await poolWithAnn()
      const { $metadata: _, ...answer } = await adminReset(poolId, 'ann')
      assert.deepEqual(answer, {})
      assert.equal(await statusOf(app, poolId, 'ann'), 'RESET_REQUIRED')
      await assert.rejects(
        signIn(app, clientId, 'ann', Password),
        error('PasswordResetRequired', 'Password reset required for the user'),
      )
      const first = await codeOf(poolId, 'ann')
      await adminReset(poolId, 'ann')
      const second = await codeOf(poolId, 'ann')
      if (first !== second) await assert.rejects(reset(clientId, 'ann', first), mismatch)
      await reset(clientId, 'ann', second)
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
      await signIn(app, clientId, 'ann', NewPassword)
    })

    test('a code of it expires after an hour', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await adminReset(poolId, 'ann')
      app.advance(hours(1))
      await assert.rejects(reset(clientId, 'ann', await codeOf(poolId, 'ann')), expired)
      await forgot(clientId, 'ann')
      await reset(clientId, 'ann', await codeOf(poolId, 'ann'))
    })

    test('is refused in other states, without an address, and without self-service recovery', async () => {
      const { poolId, clientId } = await createPool(app)
      await assert.rejects(adminReset(poolId, 'nobody'), error('UserNotFound', 'User does not exist.'))
      await app.aws.signUp({ ClientId: clientId, Username: 'unconfirmed', Password, UserAttributes: [] })
      await assert.rejects(adminReset(poolId, 'unconfirmed'), notResettable)
      await app.aws.adminCreateUser({ UserPoolId: poolId, Username: 'invited', MessageAction: 'SUPPRESS' })
      await assert.rejects(adminReset(poolId, 'invited'), notResettable)
      await createUser(app, poolId, 'ann', Password)
      await assert.rejects(adminReset(poolId, 'ann'), noMedium)
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
      await assert.rejects(adminReset(poolId, 'ann'), error('NotAuthorized', 'User is disabled.'))
      const closed = await poolWithAnn(recovery('admin_only'))
      await assert.rejects(adminReset(closed.poolId, 'ann'), { name: 'NotAuthorizedException' })
      assert.equal(await statusOf(app, closed.poolId, 'ann'), 'CONFIRMED')
    })
  })

  describe('a name that nobody has, where the client hides users', () => {
    const hiding = { PreventUserExistenceErrors: 'ENABLED' } as const

    test('gets the same destination each time, of the kind that users of the pool get', async () => {
      const mask = /^[a-z]\*\*\*@[a-z]\*\*\*$/
      const { clientId } = await createPool(app, {}, hiding)
      const other = await createPool(app, {}, hiding)
      const first = await forgot(clientId, 'nobody')
      assert.match(first?.Destination ?? '', mask)
      assert.deepEqual([first?.DeliveryMedium, first?.AttributeName], ['EMAIL', 'email'])
      for (let i = 0; i < 3; i++) assert.deepEqual(await forgot(clientId, 'nobody'), first)
      const destinations = new Set<string | undefined>()
      for (let i = 0; i < 20; i++) destinations.add((await forgot(clientId, `nobody${i}`))?.Destination)
      assert.ok(destinations.size > 5)
      assert.match((await forgot(other.clientId, 'nobody'))?.Destination ?? '', mask)

      assert.deepEqual(await forgot(clientId, 'zoe@x.org'), {
        Destination: 'z***@x***',
        DeliveryMedium: 'EMAIL',
        AttributeName: 'email',
      })
      const phones = await createPool(
        app,
        { AutoVerifiedAttributes: ['phone_number'], ...recovery('verified_phone_number') },
        hiding,
      )
      assert.match((await forgot(phones.clientId, 'nobody'))?.Destination ?? '', /^\+\*{7}\d{4}$/)
      assert.equal((await forgot(phones.clientId, '+12065559876'))?.Destination, '+*******9876')
      assert.equal((await forgot(phones.clientId, 'zoe@x.org'))?.DeliveryMedium, 'SMS')
    })

    test('is answered as a user is, at the same counts, without a mail', async () => {
      const { poolId, clientId } = await poolWithAnn({}, hiding)
      /** What a caller sees who has no code: every answer, one after the other. */
      const observe = async (Username: string, guess: () => Promise<string>) => {
        const seen: string[] = []
        const note = async (call: Promise<object | undefined>) =>
          seen.push(
            await call.then(
              answer => JSON.stringify(answer).replace(/"[a-z]\*{3}@[a-z]\*{3}"/, '"x***@x***"'),
              (thrown: Error) => `${thrown.name}: ${thrown.message}`,
            ),
          )
        const guesses = async (count: number, password = NewPassword) => {
          for (let i = 0; i < count; i++) {
            await note(reset(clientId, Username, await guess(), password).then(({ $metadata: _, ...rest }) => rest))
          }
        }
        await guesses(1)
        await note(forgot(clientId, Username))
        await guesses(1, 'passw0rd!')
        await guesses(6)
        await note(forgot(clientId, Username))
        await guesses(2)
        await guesses(10)
        await note(forgot(clientId, Username))
        app.advance(hours(1))
        await guesses(1)
        await note(forgot(clientId, Username))
        app.advance(hours(1) - seconds(1))
        await guesses(1)
        app.advance(seconds(1))
        await guesses(1)
        app.advance(days(1))
        return seen
      }
      const known = await observe('ann', async () => wrong(await codeOf(poolId, 'ann')))
      const sent = (await app.messages()).length
      assert.deepEqual(await observe('nobody', async () => '123456'), known)
      assert.equal((await app.messages()).length, sent)
      for (const name of ['CodeMismatch', 'ExpiredCode', 'LimitExceeded', 'InvalidPassword']) {
        assert.ok(known.some(answer => answer.startsWith(name)))
      }
      await forgot(clientId, 'ann')
      await reset(clientId, 'ann', await codeOf(poolId, 'ann'))
    })

    test('disabled users and those without a verified address are answered in the same way', async () => {
      const { poolId, clientId } = await poolWithAnn({}, hiding)
      await createUser(app, poolId, 'unverified', Password, [email('u@example.com')])
      await forgot(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
      await assert.rejects(reset(clientId, 'ann', code), mismatch)
      const sent = (await app.messages()).length
      for (const name of ['ann', 'unverified', 'nobody']) {
        const details = await forgot(clientId, name)
        assert.match(details?.Destination ?? '', /^[a-z]\*\*\*@[a-z]\*\*\*$/)
        assert.deepEqual(await forgot(clientId, name), details)
        for (let i = 0; i < 5; i++) await assert.rejects(reset(clientId, name, code), mismatch)
        await assert.rejects(reset(clientId, name, code), expired)
      }
      assert.equal((await app.messages()).length, sent)
    })

    test('the pool alone decides whether passwords can be recovered', async () => {
      const { clientId } = await poolWithAnn(recovery('admin_only'), hiding)
      const contact = error('NotAuthorized', 'Contact administrator to reset password.')
      await assert.rejects(forgot(clientId, 'ann'), contact)
      await assert.rejects(forgot(clientId, 'nobody'), contact)
    })

    test('clients that do not hide users report it', async () => {
      const { poolId, clientId } = await poolWithAnn()
      const notFound = error('UserNotFound', 'Username/client id combination not found.')
      await assert.rejects(reset(clientId, 'nobody', '123456'), notFound)
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
      await assert.rejects(reset(clientId, 'ann', '123456'), notFound)
    })
  })
})
