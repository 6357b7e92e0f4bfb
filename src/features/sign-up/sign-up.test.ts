import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { before, describe, test } from 'node:test'
import type { SignUpCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { days, hours, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'
import { attributesOf, createClient, createPool, email, phone, statusOf } from '../../../test/support/pools.ts'

const Password = 'Passw0rd!'
const error = (name: string, message: string) => ({ name: `${name}Exception`, message })
const invalid = (message: string) => error('InvalidParameter', message)
const mismatch = error('CodeMismatch', 'Invalid verification code provided, please try again.')
const expired = error('ExpiredCode', 'Invalid code provided, please request a code again.')
const overLimit = error('LimitExceeded', 'Attempt limit exceeded, please try after some time.')

/** Six digits that are not the code. */
const wrong = (code: string, offset = 1) => String((Number(code) + offset) % 1_000_000).padStart(6, '0')

/** The names of the errors of those that failed, and how many did not fail. */
const outcome = async (calls: Promise<unknown>[]) => {
  const settled = await Promise.allSettled(calls)
  const failed = settled.filter(result => result.status === 'rejected')
  return {
    succeeded: settled.length - failed.length,
    errors: [...new Set(failed.map(result => (result.reason as Error).name))].sort(),
  }
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const signUp = (ClientId: string, Username: string, rest: Partial<SignUpCommandInput> = {}) =>
    app.aws.signUp({ ClientId, Username, Password, UserAttributes: [email(`${Username}@example.com`)], ...rest })
  const confirm = (ClientId: string, Username: string, ConfirmationCode: string, ForceAliasCreation?: boolean) =>
    app.aws.confirmSignUp({
      ClientId,
      Username,
      ConfirmationCode,
      ...(ForceAliasCreation !== undefined && { ForceAliasCreation }),
    })

  describe('SignUp', () => {
    test('makes an unconfirmed user and sends a code to the address', async () => {
      const { poolId, clientId } = await createPool(app)
      const result = await signUp(clientId, 'ann')
      const { $metadata: _, ...answer } = result
      assert.deepEqual(answer, {
        UserConfirmed: false,
        UserSub: answer.UserSub,
        CodeDeliveryDetails: { Destination: 'a***@e***', DeliveryMedium: 'EMAIL', AttributeName: 'email' },
      })
      const user = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })
      assert.equal(user.UserStatus, 'UNCONFIRMED')
      assert.equal(user.Enabled, true)
      assert.deepEqual(await attributesOf(app, poolId, 'ann'), {
        sub: answer.UserSub,
        email: 'ann@example.com',
        email_verified: 'false',
      })
      const [message] = await app.messages()
      assert.equal(message?.to, 'ann@example.com')
      assert.equal(message?.subject, 'Your verification code')
      assert.equal(message?.body, `Your verification code is ${message?.code}. `)
      assert.match(message?.code ?? '', /^[0-9]{6}$/)
    })

    test('sends one code, to the number, where both are verified and given', async () => {
      const { clientId } = await createPool(app, { AutoVerifiedAttributes: ['email', 'phone_number'] })
      const sent = (await app.messages()).length
      const both = await signUp(clientId, 'ann', { UserAttributes: [email('ann@example.com'), phone('+12065551234')] })
      assert.deepEqual(both.CodeDeliveryDetails, {
        Destination: '+*******1234',
        DeliveryMedium: 'SMS',
        AttributeName: 'phone_number',
      })
      assert.equal((await app.messages()).length, sent + 1)
      const one = await signUp(clientId, 'bob')
      assert.equal(one.CodeDeliveryDetails?.DeliveryMedium, 'EMAIL')
    })

    test('sends no code without an address that the pool verifies', async () => {
      const { clientId } = await createPool(app)
      const sent = (await app.messages()).length
      assert.equal((await signUp(clientId, 'ann', { UserAttributes: [] })).CodeDeliveryDetails, undefined)
      const unverified = await createPool(app, { AutoVerifiedAttributes: [] })
      assert.equal((await signUp(unverified.clientId, 'ann')).CodeDeliveryDetails, undefined)
      assert.equal((await app.messages()).length, sent)
    })

    test('uses the texts of the pool', async () => {
      const { clientId } = await createPool(app, {
        AutoVerifiedAttributes: ['email', 'phone_number'],
        VerificationMessageTemplate: {
          EmailMessage: '<b>{####}</b>',
          EmailSubject: 'Welcome',
          SmsMessage: 'Code: {####}',
          DefaultEmailOption: 'CONFIRM_WITH_CODE',
        },
      })
      await signUp(clientId, 'ann')
      const [mail] = await app.messages()
      assert.deepEqual([mail?.subject, mail?.body], ['Welcome', `<b>${mail?.code}</b>`])
      await signUp(clientId, 'bob', { UserAttributes: [phone('+12065551234')] })
      const [text] = await app.messages()
      assert.deepEqual([text?.medium, text?.subject, text?.body], ['SMS', '', `Code: ${text?.code}`])
    })

    test('is refused where only administrators make users', async () => {
      const { clientId } = await createPool(app, { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } })
      await assert.rejects(
        signUp(clientId, 'ann'),
        error('NotAuthorized', 'SignUp is not permitted for this user pool'),
      )
    })

    test('knows its client', async () => {
      await assert.rejects(
        signUp('1234567890abcdefghijklmnop', 'ann'),
        error('ResourceNotFound', 'User pool client 1234567890abcdefghijklmnop does not exist.'),
      )
    })

    test('asks for the secret hash of a client with a secret', async () => {
      const { poolId } = await createPool(app)
      const { UserPoolClient } = await app.aws.createUserPoolClient({
        UserPoolId: poolId,
        ClientName: 'secret',
        GenerateSecret: true,
      })
      const { ClientId = '', ClientSecret = '' } = UserPoolClient ?? {}
      const hash = (username: string) =>
        createHmac('sha256', ClientSecret).update(`${username}${ClientId}`).digest('base64')
      await assert.rejects(
        signUp(ClientId, 'ann'),
        error('NotAuthorized', `Client ${ClientId} is configured with secret but SECRET_HASH was not received`),
      )
      await assert.rejects(
        signUp(ClientId, 'ann', { SecretHash: hash('bob') }),
        error('NotAuthorized', `Unable to verify secret hash for client ${ClientId}`),
      )
      await signUp(ClientId, 'ann', { SecretHash: hash('ann') })
      const code = await app.lastCode('ann@example.com')
      await assert.rejects(confirm(ClientId, 'ann', code), { name: 'NotAuthorizedException' })
      await app.aws.confirmSignUp({ ClientId, Username: 'ann', ConfirmationCode: code, SecretHash: hash('ann') })
    })

    test('refuses passwords that break the policy', async () => {
      const { poolId, clientId } = await createPool(app)
      for (const [password, rule] of [
        ['Passw0!', 'Password not long enough'],
        ['passw0rd!', 'Password must have uppercase characters'],
        ['PASSW0RD!', 'Password must have lowercase characters'],
        ['Password!', 'Password must have numeric characters'],
        ['Passw0rdd', 'Password must have symbol characters'],
      ] as const) {
        await assert.rejects(
          signUp(clientId, 'ann', { Password: password }),
          error('InvalidPassword', `Password did not conform with policy: ${rule}`),
        )
      }
      await assert.rejects(statusOf(app, poolId, 'ann'), { name: 'UserNotFoundException' })
    })

    test('demands a password unless a code can be the first factor', async () => {
      const { clientId } = await createPool(app)
      const anonymous = { ClientId: clientId, Username: 'ann' }
      await assert.rejects(
        app.aws.signUp(anonymous),
        invalid(
          "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
        ),
      )
      await assert.rejects(app.aws.signUp({ ...anonymous, Password: '' }), {
        name: 'InvalidParameterException',
        message: /^2 validation errors detected: Value at 'password' failed/,
      })

      const codes = await createPool(app, {
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
      })
      for (const [Username, passwords] of [
        ['ann', {}],
        ['bob', { Password: '' }],
      ] as const) {
        await app.aws.signUp({
          ClientId: codes.clientId,
          Username,
          UserAttributes: [email(`${Username}@example.com`)],
          ...passwords,
        })
        await confirm(codes.clientId, Username, await app.lastCode(`${Username}@example.com`))
        assert.equal(await statusOf(app, codes.poolId, Username), 'CONFIRMED')
      }
    })

    test('checks attributes before the password, and the password before the name', async () => {
      const { clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      await assert.rejects(signUp(clientId, 'ann', { Password: 'weak-password', UserAttributes: [email('no')] }), {
        name: 'InvalidParameterException',
      })
      await assert.rejects(signUp(clientId, 'ann', { Password: 'weak-password' }), { name: 'InvalidPasswordException' })
      await assert.rejects(signUp(clientId, 'ann'), error('UsernameExists', 'User already exists'))
    })

    test('checks attributes against the schema', async () => {
      const { clientId } = await createPool(app, {
        Schema: [
          { Name: 'email', Required: true },
          { Name: 'name', Required: true },
          { Name: 'tier', AttributeDataType: 'String', Mutable: false },
        ],
      })
      const attempt = (...UserAttributes: { Name: string; Value: string }[]) =>
        signUp(clientId, 'ann', { UserAttributes })
      const named = { Name: 'name', Value: 'Ann' }
      await assert.rejects(
        attempt(email('ann@example.com'), named, { Name: 'custom:rank', Value: '1' }),
        invalid('Attributes did not conform to the schema: custom:rank: Attribute does not exist in the schema.\n'),
      )
      await assert.rejects(attempt(), {
        name: 'InvalidParameterException',
        message:
          /^Attributes did not conform to the schema: (name|email): The attribute is required\n(name|email): The attribute is required\n$/,
      })
      await assert.rejects(attempt(email('ann'), named), invalid('Invalid email address format.'))
      await assert.rejects(
        attempt(email('ann@example.com'), named, phone('12065551234')),
        invalid('Invalid phone number format.'),
      )
      await attempt(
        email('ann@example.com'),
        named,
        { Name: 'custom:tier', Value: 'gold' },
        { Name: 'gender', Value: '' },
      )
    })

    test('lets a client write its attributes only', async () => {
      const { poolId } = await createPool(app)
      const clientId = await createClient(app, poolId, { WriteAttributes: ['email'] })
      const unauthorized = error('NotAuthorized', 'A client attempted to write unauthorized attribute')
      for (const Name of ['name', 'email_verified', 'sub']) {
        await assert.rejects(
          signUp(clientId, 'ann', { UserAttributes: [email('ann@example.com'), { Name, Value: 'true' }] }),
          unauthorized,
        )
      }
      await signUp(clientId, 'ann')
    })

    test('refuses a taken name, also an unconfirmed one, and in another spelling where case is ignored', async () => {
      const taken = error('UsernameExists', 'User already exists')
      const strict = await createPool(app)
      await signUp(strict.clientId, 'ann')
      await assert.rejects(signUp(strict.clientId, 'ann'), taken)
      await signUp(strict.clientId, 'ANN')
      const loose = await createPool(app, { UsernameConfiguration: { CaseSensitive: false } })
      await signUp(loose.clientId, 'Ann')
      await assert.rejects(signUp(loose.clientId, 'aNN'), taken)
      const { UserSub } = await signUp(loose.clientId, 'bob')
      assert.equal((await app.aws.adminGetUser({ UserPoolId: loose.poolId, Username: 'BOB' })).Username, 'bob')
      assert.notEqual(UserSub, undefined)
    })

    test('two spellings are one name or two, on every database alike', async () => {
      const { clientId } = await createPool(app, { UsernameConfiguration: { CaseSensitive: false } })
      const taken = error('UsernameExists', 'User already exists')
      for (const [first, second, same] of [
        ['\u212Aim', 'kim', true],
        ['\u017Fam', 'sam', false],
        ['Stra\u00DFe', 'strasse', false],
        ['\u0130lk', 'i\u0307lk', true],
        ['\u0131lk', 'ilk', false],
        ['\uFB01n', 'fin', false],
        ['\u00C5sa', 'a\u030Asa', true],
        ['Ren\u00C9', 'rene\u0301', true],
        ['\uFF41nn', 'ann', false],
        ['\u0430nn', 'ann2', false],
        ['dot', 'dot.', false],
        ['soft', 'so\u00ADft', undefined],
      ] as const) {
        await signUp(clientId, first, { UserAttributes: [] })
        const attempt = signUp(clientId, second, { UserAttributes: [] })
        if (same === undefined) await assert.rejects(attempt, { name: 'InvalidParameterException' })
        else if (same) await assert.rejects(attempt, taken)
        else await attempt
      }
    })

    test('refuses a username by which another user signs in already', async () => {
      const { poolId, clientId } = await createPool(app, { AliasAttributes: ['preferred_username'] })
      await signUp(clientId, 'ann')
      await app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' })
      await app.aws.adminUpdateUserAttributes({
        UserPoolId: poolId,
        Username: 'ann',
        UserAttributes: [{ Name: 'preferred_username', Value: 'annie' }],
      })
      await assert.rejects(signUp(clientId, 'annie'), error('UsernameExists', 'User already exists'))
      assert.equal((await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'annie' })).Username, 'ann')
      await signUp(clientId, 'anna')
    })

    test('of many at once with one name exactly one succeeds', async () => {
      const { poolId, clientId } = await createPool(app)
      const sent = (await app.messages()).length
      const result = await outcome(Array.from({ length: 20 }, () => signUp(clientId, 'ann')))
      assert.deepEqual(result, { succeeded: 1, errors: ['UsernameExistsException'] })
      assert.equal((await app.messages()).length, sent + 1)
      assert.equal((await app.aws.listUsers({ UserPoolId: poolId })).Users?.length, 1)
    })

    test('does not know the names of other pools', async () => {
      const one = await createPool(app)
      const other = await createPool(app)
      await signUp(one.clientId, 'ann')
      await signUp(other.clientId, 'ann')
      await confirm(one.clientId, 'ann', await codeOf(one.poolId, 'ann'))
      assert.equal(await statusOf(app, one.poolId, 'ann'), 'CONFIRMED')
      assert.equal(await statusOf(app, other.poolId, 'ann'), 'UNCONFIRMED')
    })

    describe('with addresses for usernames', () => {
      test('makes the address an attribute and the sub the username', async () => {
        const { poolId } = await createPool(app, { UsernameAttributes: ['email'] })
        const clientId = await createClient(app, poolId, { WriteAttributes: ['name'] })
        const { UserSub, CodeDeliveryDetails } = await signUp(clientId, 'ann@example.com', { UserAttributes: [] })
        assert.equal(CodeDeliveryDetails?.Destination, 'a***@e***')
        const user = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann@example.com' })
        assert.equal(user.Username, UserSub)
        assert.equal((await attributesOf(app, poolId, 'ann@example.com'))['email'], 'ann@example.com')
        await confirm(clientId, 'ann@example.com', await app.lastCode('ann@example.com'))
        assert.equal((await attributesOf(app, poolId, 'ann@example.com'))['email_verified'], 'true')
      })

      test('refuses names of another kind', async () => {
        for (const [attributes, name, message] of [
          [['email'], 'ann', 'Username should be an email.'],
          [['email'], '+12065551234', 'Username should be an email.'],
          [['phone_number'], 'ann@example.com', 'Username should be a phone number.'],
          [['email', 'phone_number'], 'ann', 'Username should be either an email or a phone number.'],
        ] as const) {
          const { clientId } = await createPool(app, { UsernameAttributes: [...attributes] })
          await assert.rejects(signUp(clientId, name, { UserAttributes: [] }), invalid(message))
        }
      })

      test('refuses taken addresses, in either role', async () => {
        const { clientId } = await createPool(app, { UsernameAttributes: ['email', 'phone_number'] })
        await signUp(clientId, 'ann@example.com', { UserAttributes: [phone('+12065551234')] })
        await assert.rejects(
          signUp(clientId, 'ann@example.com', { UserAttributes: [] }),
          error('UsernameExists', 'An account with the given email already exists.'),
        )
        await assert.rejects(
          signUp(clientId, '+12065551234', { UserAttributes: [] }),
          error('UsernameExists', 'An account with the given phone_number already exists.'),
        )
        await signUp(clientId, '+12065559999', { UserAttributes: [] })
      })
    })

    describe('with aliases', () => {
      test('refuses usernames that look like one', async () => {
        const { clientId } = await createPool(app, { AliasAttributes: ['email', 'phone_number'] })
        await assert.rejects(
          signUp(clientId, 'ann@example.com', { UserAttributes: [] }),
          invalid('Username cannot be of email format, since user pool is configured for email alias.'),
        )
        await assert.rejects(
          signUp(clientId, '+12065551234', { UserAttributes: [] }),
          invalid('Username cannot be of phone number format, since user pool is configured for phone_number alias.'),
        )
      })

      test('takes no preferred_username before the confirmation', async () => {
        const preferred = { UserAttributes: [{ Name: 'preferred_username', Value: 'annie' }] }
        const { clientId } = await createPool(app, { AliasAttributes: ['preferred_username'] })
        await assert.rejects(signUp(clientId, 'ann', preferred), { name: 'InvalidParameterException' })
        const plain = await createPool(app)
        await signUp(plain.clientId, 'ann', preferred)
      })

      test('a taken alias comes to light at the confirmation, and moves only by force', async () => {
        const { poolId, clientId } = await createPool(app, { AliasAttributes: ['email'] })
        const shared = { UserAttributes: [email('shared@example.com')] }
        await signUp(clientId, 'ann', shared)
        await confirm(clientId, 'ann', await app.lastCode('shared@example.com'))
        await signUp(clientId, 'bob', shared)
        const code = await app.lastCode('shared@example.com')
        const clash = error('AliasExists', 'An account with the email already exists.')
        await assert.rejects(confirm(clientId, 'bob', code), clash)
        await assert.rejects(confirm(clientId, 'bob', code, false), clash)
        await assert.rejects(confirm(clientId, 'bob', wrong(code), true), mismatch)
        assert.equal(await statusOf(app, poolId, 'bob'), 'UNCONFIRMED')
        assert.equal((await attributesOf(app, poolId, 'ann'))['email_verified'], 'true')
        assert.equal(
          (await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'shared@example.com' })).Username,
          'ann',
        )

        await confirm(clientId, 'bob', code, true)
        assert.equal((await attributesOf(app, poolId, 'ann'))['email_verified'], 'false')
        assert.equal((await attributesOf(app, poolId, 'bob'))['email_verified'], 'true')
        assert.equal(
          (await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'shared@example.com' })).Username,
          'bob',
        )
      })

      test('of many who confirm one alias at once exactly one gets it', async () => {
        const { poolId, clientId } = await createPool(app, { AliasAttributes: ['email'] })
        const names = Array.from({ length: 8 }, (_, index) => `user${index}`)
        const codes: string[] = []
        for (const name of names) {
          await signUp(clientId, name, { UserAttributes: [email('shared@example.com')] })
          codes.push(await app.lastCode('shared@example.com'))
        }
        const result = await outcome(names.map((name, index) => confirm(clientId, name, codes[index] ?? '')))
        assert.deepEqual(result, { succeeded: 1, errors: ['AliasExistsException'] })
        const confirmed = await Promise.all(names.map(name => statusOf(app, poolId, name)))
        assert.equal(confirmed.filter(status => status === 'CONFIRMED').length, 1)
      })
    })
  })

  /** The code of the newest message to this user of this pool. */
  const codeOf = async (poolId: string, username: string): Promise<string> => {
    const found = (await app.messages()).find(message => message.userPoolId === poolId && message.username === username)
    return found?.code ?? ''
  }

  describe('ConfirmSignUp', () => {
    test('confirms the user, verifies the address, and does so once', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      const { $metadata: _, ...answer } = await confirm(clientId, 'ann', code)
      assert.deepEqual(answer, {})
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
      assert.equal((await attributesOf(app, poolId, 'ann'))['email_verified'], 'true')
      await assert.rejects(
        confirm(clientId, 'ann', code),
        error('NotAuthorized', 'User cannot be confirmed. Current status is CONFIRMED'),
      )
    })

    test('a code expires after a day, not earlier', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      await signUp(clientId, 'bob')
      app.advance(days(1) - seconds(1))
      await confirm(clientId, 'ann', await codeOf(poolId, 'ann'))
      app.advance(seconds(1))
      await assert.rejects(confirm(clientId, 'bob', await codeOf(poolId, 'bob')), expired)
      assert.equal(await statusOf(app, poolId, 'bob'), 'UNCONFIRMED')
    })

    test('five tries spoil a code', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      for (let i = 1; i <= 5; i++) await assert.rejects(confirm(clientId, 'ann', wrong(code, i)), mismatch)
      await assert.rejects(confirm(clientId, 'ann', code), expired)
      await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
      await confirm(clientId, 'ann', await codeOf(poolId, 'ann'))
    })

    test('the fifth try may be the right one', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      for (let i = 1; i <= 4; i++) await assert.rejects(confirm(clientId, 'ann', wrong(code, i)), mismatch)
      await confirm(clientId, 'ann', code)
    })

    test('answers 15 calls an hour for each user', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      await signUp(clientId, 'bob')
      for (let i = 1; i <= 15; i++) {
        if (i % 5 === 1) await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
        await assert.rejects(confirm(clientId, 'ann', wrong(await codeOf(poolId, 'ann'), i)), mismatch)
      }
      await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
      await assert.rejects(confirm(clientId, 'ann', await codeOf(poolId, 'ann')), overLimit)
      await confirm(clientId, 'bob', await codeOf(poolId, 'bob'))
      app.advance(hours(1))
      await confirm(clientId, 'ann', await codeOf(poolId, 'ann'))
    })

    test('takes a hundred wrong codes a day, however many codes are sent', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const started = app.now()
      let mismatches = 0
      while (app.now() < started + hours(20)) {
        await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
        const code = await codeOf(poolId, 'ann')
        for (let i = 1; i <= 5; i++) {
          const failure = await confirm(clientId, 'ann', wrong(code, i)).catch((thrown: Error) => thrown.name)
          if (failure === 'CodeMismatchException') mismatches += 1
        }
        app.advance(hours(1) / 2)
      }
      assert.equal(mismatches, 100)
      await assert.rejects(confirm(clientId, 'ann', await codeOf(poolId, 'ann')), overLimit)
      app.advance(hours(4))
      await confirm(clientId, 'ann', await codeOf(poolId, 'ann'))
    })

    test('of 32 parallel tries of the right code exactly one succeeds', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      const { succeeded } = await outcome(Array.from({ length: 32 }, () => confirm(clientId, 'ann', code)))
      assert.equal(succeeded, 1)
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
    })

    test('of 32 parallel guesses no more than five are looked at', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      const settled = await Promise.allSettled(
        Array.from({ length: 32 }, (_, index) => confirm(clientId, 'ann', wrong(code, index + 1))),
      )
      const names = settled.map(result => (result.status === 'rejected' ? (result.reason as Error).name : 'none'))
      assert.equal(names.filter(name => name === 'CodeMismatchException').length, 5)
      assert.ok(!names.includes('none'))
    })

    test('the newest code counts, older ones do not', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const first = await codeOf(poolId, 'ann')
      await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
      const second = await codeOf(poolId, 'ann')
      if (first !== second) await assert.rejects(confirm(clientId, 'ann', first), mismatch)
      await confirm(clientId, 'ann', second)
    })

    test('codes of another user, pool or purpose are refused', async () => {
      const { poolId, clientId } = await createPool(app)
      const other = await createPool(app)
      for (const name of ['ann', 'bob']) await signUp(clientId, name)
      await signUp(other.clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      for (const foreign of [await codeOf(poolId, 'bob'), await codeOf(other.poolId, 'ann')]) {
        if (foreign !== code) await assert.rejects(confirm(clientId, 'ann', foreign), mismatch)
      }
      await assert.rejects(
        app.aws.confirmForgotPassword({ ClientId: clientId, Username: 'ann', ConfirmationCode: code, Password }),
        expired,
      )
      // Clients do not own codes.
      await confirm(await createClient(app, poolId), 'ann', code)
    })

    test('a code is good for the address that it was sent to only', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await app.aws.adminUpdateUserAttributes({
        UserPoolId: poolId,
        Username: 'ann',
        UserAttributes: [email('new@example.com')],
      })
      await assert.rejects(confirm(clientId, 'ann', code), expired)
      assert.equal((await attributesOf(app, poolId, 'ann'))['email_verified'], 'false')
      assert.equal(await statusOf(app, poolId, 'ann'), 'UNCONFIRMED')
      await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
      await confirm(clientId, 'ann', await app.lastCode('new@example.com'))
    })

    test('without a pending code every code has expired', async () => {
      const { clientId } = await createPool(app, { AutoVerifiedAttributes: [] })
      await signUp(clientId, 'ann')
      await assert.rejects(confirm(clientId, 'ann', '123456'), expired)
    })

    test('refuses a disabled user', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
      await assert.rejects(confirm(clientId, 'ann', code), error('NotAuthorized', 'User is disabled.'))
      await app.aws.adminEnableUser({ UserPoolId: poolId, Username: 'ann' })
      await confirm(clientId, 'ann', code)
    })
  })

  describe('AdminConfirmSignUp', () => {
    test('confirms without a code and verifies nothing', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const code = await codeOf(poolId, 'ann')
      await app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' })
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
      assert.equal((await attributesOf(app, poolId, 'ann'))['email_verified'], 'false')
      const again = error('NotAuthorized', 'User cannot be confirmed. Current status is CONFIRMED')
      await assert.rejects(app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' }), again)
      await assert.rejects(confirm(clientId, 'ann', code), again)
    })

    test('refuses users who did not sign up, and unknown ones', async () => {
      const { poolId } = await createPool(app)
      await app.aws.adminCreateUser({ UserPoolId: poolId, Username: 'ann', MessageAction: 'SUPPRESS' })
      await assert.rejects(
        app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' }),
        error('NotAuthorized', 'User cannot be confirmed. Current status is FORCE_CHANGE_PASSWORD'),
      )
      await assert.rejects(
        app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'bob' }),
        error('UserNotFound', 'User does not exist.'),
      )
    })
  })

  describe('ResendConfirmationCode', () => {
    const resend = (ClientId: string, Username: string) => app.aws.resendConfirmationCode({ ClientId, Username })

    test('sends another code and says where', async () => {
      const { clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      const sent = (await app.messages()).length
      assert.deepEqual((await resend(clientId, 'ann')).CodeDeliveryDetails, {
        Destination: 'a***@e***',
        DeliveryMedium: 'EMAIL',
        AttributeName: 'email',
      })
      assert.equal((await app.messages()).length, sent + 1)
    })

    test('does so five times an hour', async () => {
      const { clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      for (let i = 0; i < 5; i++) await resend(clientId, 'ann')
      const sent = (await app.messages()).length
      await assert.rejects(resend(clientId, 'ann'), overLimit)
      assert.equal((await app.messages()).length, sent)
      app.advance(hours(1))
      await resend(clientId, 'ann')
    })

    test('is refused when there is nothing to confirm or nowhere to send', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      await confirm(clientId, 'ann', await codeOf(poolId, 'ann'))
      await assert.rejects(resend(clientId, 'ann'), invalid('User is already confirmed.'))
      await signUp(clientId, 'bob', { UserAttributes: [] })
      await assert.rejects(resend(clientId, 'bob'), { name: 'InvalidParameterException' })
      const silent = await createPool(app, { AutoVerifiedAttributes: [] })
      await signUp(silent.clientId, 'ann')
      await assert.rejects(
        resend(silent.clientId, 'ann'),
        invalid('Cannot resend codes. Auto verification not turned on.'),
      )
    })
  })

  describe('a name that nobody has', () => {
    const notFound = error('UserNotFound', 'Username/client id combination not found.')

    test('is reported by clients that may', async () => {
      const { poolId, clientId } = await createPool(app)
      await signUp(clientId, 'ann')
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
      await assert.rejects(confirm(clientId, 'nobody', '123456'), notFound)
      await assert.rejects(app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'nobody' }), notFound)
      await assert.rejects(app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' }), notFound)
    })

    test('is hidden by clients that are told to: same answers at the same counts, and no mail', async () => {
      const { poolId, clientId } = await createPool(app, {}, { PreventUserExistenceErrors: 'ENABLED' })
      await signUp(clientId, 'ann')
      await signUp(clientId, 'dis')
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'dis' })
      /** What a caller sees who has no code: every answer, one after the other. */
      const observe = async (Username: string, guess: () => Promise<string>) => {
        const seen: string[] = []
        const note = async (call: Promise<object>) =>
          seen.push(await call.then(JSON.stringify, (thrown: Error) => `${thrown.name}: ${thrown.message}`))
        const resend = () =>
          note(
            app.aws.resendConfirmationCode({ ClientId: clientId, Username }).then(({ CodeDeliveryDetails }) => ({
              ...CodeDeliveryDetails,
              Destination: CodeDeliveryDetails?.Destination?.replace(/[a-z]/g, 'x'),
            })),
          )
        await resend()
        for (let i = 0; i < 7; i++) await note(confirm(clientId, Username, await guess()))
        for (let i = 0; i < 5; i++) await resend()
        for (let i = 0; i < 9; i++) await note(confirm(clientId, Username, await guess()))
        app.advance(hours(1))
        for (let i = 0; i < 2; i++) await note(confirm(clientId, Username, await guess()))
        await resend()
        app.advance(days(1))
        await note(confirm(clientId, Username, await guess()))
        return seen
      }
      const known = await observe('ann', async () => wrong(await codeOf(poolId, 'ann')))
      const sent = (await app.messages()).length
      assert.deepEqual(await observe('nobody', async () => '123456'), known)
      assert.equal((await app.messages()).length, sent)
      assert.ok(known.some(answer => answer.startsWith('CodeMismatch')))
      assert.ok(known.some(answer => answer.startsWith('ExpiredCode')))
      assert.ok(known.some(answer => answer.startsWith('LimitExceeded')))

      const disabled = await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'dis' })
      assert.match(disabled.CodeDeliveryDetails?.Destination ?? '', /^[a-z]\*\*\*@[a-z]\*\*\*$/)
      assert.equal((await app.messages()).length, sent)
    })

    test('before any code was asked for, known and unknown names answer alike', async () => {
      const pool = { AutoVerifiedAttributes: [] }
      const { clientId } = await createPool(app, pool, { PreventUserExistenceErrors: 'ENABLED' })
      await signUp(clientId, 'ann')
      await assert.rejects(confirm(clientId, 'ann', '123456'), expired)
      await assert.rejects(confirm(clientId, 'nobody', '123456'), expired)
      const off = invalid('Cannot resend codes. Auto verification not turned on.')
      await assert.rejects(app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' }), off)
      await assert.rejects(app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'nobody' }), off)
    })
  })

  test('a user who is deleted while codes are sent is a user who does not exist', async () => {
    const { poolId, clientId } = await createPool(app)
    const names = Array.from({ length: 8 }, (_, index) => `user${index}`)
    for (const name of names) await signUp(clientId, name)
    await Promise.all(
      names.map(async Username => {
        const [resent] = await Promise.allSettled([
          app.aws.resendConfirmationCode({ ClientId: clientId, Username }),
          app.aws.adminDeleteUser({ UserPoolId: poolId, Username }),
        ])
        if (resent.status === 'rejected') assert.equal((resent.reason as Error).name, 'UserNotFoundException')
      }),
    )
    assert.equal((await app.aws.listUsers({ UserPoolId: poolId })).Users?.length, 0)
  })

  test('a code appears in the message and nowhere else', async () => {
    const own = await testApp()
    const { UserPool } = await own.aws.createUserPool({ PoolName: 'p', AutoVerifiedAttributes: ['email'] })
    const { UserPoolClient } = await own.aws.createUserPoolClient({ UserPoolId: UserPool?.Id, ClientName: 'c' })
    const ClientId = UserPoolClient?.ClientId
    const answers: unknown[] = []
    answers.push(
      await own.aws.signUp({ ClientId, Username: 'ann', Password, UserAttributes: [email('ann@example.com')] }),
    )
    answers.push(await own.aws.resendConfirmationCode({ ClientId, Username: 'ann' }))
    const code = await own.lastCode()
    const attempt = own.aws.confirmSignUp({ ClientId, Username: 'ann', ConfirmationCode: wrong(code) })
    answers.push(await attempt.catch((thrown: Error) => `${thrown.name} ${thrown.message}`))
    const rows: unknown[] = []
    for (const table of ['codes', 'attempts', 'messages', 'users', 'user_attributes'] as const) {
      rows.push(await own.database.db.selectFrom(table).selectAll().execute())
    }
    const seen = JSON.stringify({ answers, rows, logged: own.logged, events: own.events })
    assert.ok(seen.includes('ann@example.com'))
    assert.ok(!new RegExp(`(?<![0-9a-zA-Z])${code}(?![0-9a-zA-Z])`).test(seen))
  })
})

test('on two nodes, too, a code works once and five tries spoil it', async () => {
  const one = await openTestApp('postgres')
  const two = await one.secondNode()
  try {
    const { clientId } = await createPool(one)
    const attempts = (Username: string, code: (index: number) => string) =>
      outcome(
        Array.from({ length: 32 }, (_, index) =>
          (index % 2 === 0 ? one : two).aws.confirmSignUp({
            ClientId: clientId,
            Username,
            ConfirmationCode: code(index),
          }),
        ),
      )
    for (const Username of ['ann', 'bob']) {
      const UserAttributes = [email(`${Username}@example.com`)]
      await one.aws.signUp({ ClientId: clientId, Username, Password, UserAttributes })
    }
    const code = await one.lastCode('ann@example.com')
    assert.equal((await attempts('ann', () => code)).succeeded, 1)
    const other = await one.lastCode('bob@example.com')
    const guessed = await attempts('bob', index => wrong(other, index + 1))
    assert.deepEqual(guessed, {
      succeeded: 0,
      errors: ['CodeMismatchException', 'ExpiredCodeException', 'LimitExceededException'],
    })
    one.advance(hours(1))
    const last = two.aws.confirmSignUp({ ClientId: clientId, Username: 'bob', ConfirmationCode: other })
    await assert.rejects(last, expired)
  } finally {
    await two.close()
    await one.close()
  }
})
