import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { days, hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  attributeList,
  attributesByName,
  attributesOf,
  createSignedInUser,
  createTestClient,
  createTestPool,
  createTestUser,
  outcomes,
  signInUser,
  type TestPool,
} from '../../../test/support/directory.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const update = (AccessToken: string, attributes: Record<string, string>) =>
    app.aws.updateUserAttributes({ AccessToken, UserAttributes: attributeList(attributes) })
  const adminUpdate = ({ UserPoolId }: TestPool, Username: string, attributes: Record<string, string>) =>
    app.aws.adminUpdateUserAttributes({ UserPoolId, Username, UserAttributes: attributeList(attributes) })
  const own = async (AccessToken: string) => attributesByName((await app.aws.getUser({ AccessToken })).UserAttributes)
  const verify = (AccessToken: string, Code: string, AttributeName = 'email') =>
    app.aws.verifyUserAttribute({ AccessToken, AttributeName, Code })
  const requestCode = (AccessToken: string, AttributeName = 'email') =>
    app.aws.getUserAttributeVerificationCode({ AccessToken, AttributeName })
  const codesSent = async ({ UserPoolId }: TestPool) =>
    (await app.messages())
      .filter(message => message.userPoolId === UserPoolId)
      .map(({ to, source }) => `${source} ${to}`)
  const isFound = ({ UserPoolId }: TestPool, Username: string) =>
    app.aws.adminGetUser({ UserPoolId, Username }).then(
      () => true,
      () => false,
    )

  const mismatch = {
    name: 'CodeMismatchException',
    message: 'Invalid verification code provided, please try again.',
  }
  const expired = { name: 'ExpiredCodeException', message: 'Invalid code provided, please request a code again.' }
  const limited = {
    name: 'LimitExceededException',
    message: 'Attempt limit exceeded, please try after some time.',
  }
  const otherThan = (code: string) => (code === '000000' ? '111111' : '000000')

  describe('changing attributes', () => {
    test('sets some, removes some and leaves the others', async () => {
      const pool = await createTestPool(app)
      const token = await createSignedInUser(app, pool, 'ann', { name: 'Ann', nickname: 'A', locale: 'en' })
      const { sub } = await own(token)
      app.advance(hours(0.1))
      const { $metadata: _, ...answer } = await update(token, { name: 'Anna', nickname: '', gender: 'f' })
      assert.deepEqual(answer, {})
      assert.deepEqual(await own(token), { sub, gender: 'f', locale: 'en', name: 'Anna' })
      await app.aws.deleteUserAttributes({ AccessToken: token, UserAttributeNames: ['gender', 'birthdate'] })
      assert.deepEqual(await own(token), { sub, locale: 'en', name: 'Anna' })
      await adminUpdate(pool, 'ann', { locale: 'fr', zoneinfo: 'Z' })
      await app.aws.adminDeleteUserAttributes({ ...pool, Username: 'ann', UserAttributeNames: ['name'] })
      const user = await app.aws.adminGetUser({ ...pool, Username: 'ann' })
      assert.deepEqual(attributesByName(user.UserAttributes), { sub, locale: 'fr', zoneinfo: 'Z' })
      assert.deepEqual(user.UserLastModifiedDate, new Date(app.now()))
    })

    test('by a user stops at what the client may write, by an administrator does not', async () => {
      const pool = await createTestPool(
        app,
        { Schema: [{ Name: 'note', AttributeDataType: 'String', DeveloperOnlyAttribute: true }] },
        { WriteAttributes: ['name', 'email'] },
      )
      const token = await createSignedInUser(app, pool, 'ann', { email: 'ann@example.com' })
      const before = await own(token)
      const table: Record<string, string>[] = [
        { nickname: 'A' },
        { sub: 'mine' },
        { email_verified: 'true' },
        { phone_number_verified: 'true' },
        { 'dev:custom:note': 'x' },
        { name: 'Ann', nickname: '' },
      ]
      for (const attributes of table) {
        await assert.rejects(update(token, attributes), {
          name: 'NotAuthorizedException',
          message: 'A client attempted to write unauthorized attribute',
        })
      }
      const removal = { AccessToken: token, UserAttributeNames: ['email_verified'] }
      await assert.rejects(app.aws.deleteUserAttributes(removal), { name: 'NotAuthorizedException' })
      assert.deepEqual(await own(token), before)
      await update(token, { name: 'Ann' })
      await adminUpdate(pool, 'ann', { nickname: 'A', email_verified: 'TRUE', 'dev:custom:note': 'x' })
      const { name, nickname, email_verified, ...rest } = await attributesOf(app, pool, 'ann')
      assert.deepEqual([name, nickname, email_verified, rest['dev:custom:note']], ['Ann', 'A', 'true', 'x'])
    })

    test('refuses what the schema refuses, and then changes nothing', async () => {
      const pool = await createTestPool(app, {
        Schema: [
          { Name: 'badge', AttributeDataType: 'String', Mutable: false },
          { Name: 'locale', AttributeDataType: 'String', Required: true, Mutable: true },
        ],
      })
      const token = await createSignedInUser(app, pool, 'ann', { locale: 'en', 'custom:badge': '7' })
      const before = await own(token)
      const table: [attributes: Record<string, string>, message: string][] = [
        [{ 'custom:none': 'x' }, 'user.custom:none: Attribute does not exist in the schema.\n'],
        [{ name: 'A', 'custom:badge': '8' }, 'user.custom:badge: Attribute cannot be updated.\n'],
        [{ 'custom:badge': '' }, 'user.custom:badge: Attribute cannot be updated.\n'],
        [{ locale: '' }, 'user.locale: The attribute is required\n'],
        [{ email: 'ann' }, 'Invalid email address format.'],
        [{ phone_number: '5' }, 'Invalid phone number format.'],
      ]
      for (const [attributes, message] of table) {
        const error = { name: 'InvalidParameterException', message }
        await assert.rejects(update(token, attributes), error)
        await assert.rejects(adminUpdate(pool, 'ann', attributes), error)
      }
      await assert.rejects(adminUpdate(pool, 'ann', { sub: 'mine' }), {
        name: 'InvalidParameterException',
        message: 'user.sub: Attribute cannot be updated.\n',
      })
      await assert.rejects(adminUpdate(pool, 'ann', { phone_number_verified: 'true' }), {
        name: 'InvalidParameterException',
      })
      for (const [name, message] of [
        ['locale', 'user.locale: The attribute is required\n'],
        ['custom:badge', 'user.custom:badge: Attribute cannot be updated.\n'],
        ['custom:none', 'user.custom:none: Attribute does not exist in the schema.\n'],
      ] as const) {
        const error = { name: 'InvalidParameterException', message }
        const UserAttributeNames = [name]
        await assert.rejects(app.aws.deleteUserAttributes({ AccessToken: token, UserAttributeNames }), error)
        const removal = { ...pool, Username: 'ann', UserAttributeNames }
        await assert.rejects(app.aws.adminDeleteUserAttributes(removal), error)
      }
      assert.deepEqual(await own(token), before)
    })

    test('of an unknown user or pool is refused', async () => {
      const pool = await createTestPool(app)
      const unknown = { name: 'UserNotFoundException', message: 'User does not exist.' }
      await assert.rejects(adminUpdate(pool, 'nobody', { name: 'x' }), unknown)
      const removal = { ...pool, Username: 'nobody', UserAttributeNames: ['name'] }
      await assert.rejects(app.aws.adminDeleteUserAttributes(removal), unknown)
      const elsewhere = { ...pool, UserPoolId: 'us-east-1_nobody' }
      await assert.rejects(adminUpdate(elsewhere, 'nobody', { name: 'x' }), { name: 'ResourceNotFoundException' })
    })

    test('at the same time loses none of them', async () => {
      const pool = await createTestPool(app)
      const token = await createSignedInUser(app, pool, 'ann')
      const names = ['name', 'given_name', 'family_name', 'nickname', 'profile', 'website', 'gender', 'locale']
      await Promise.all(names.map(name => update(token, { [name]: `my ${name}` })))
      const { sub: _, ...attributes } = await own(token)
      assert.deepEqual(attributes, Object.fromEntries(names.map(name => [name, `my ${name}`])))
    })
  })

  describe('a new address', () => {
    test('takes effect at once, unverified, and gets a code when the pool verifies addresses', async () => {
      const pool = await createTestPool(app, {
        AliasAttributes: ['email'],
        AutoVerifiedAttributes: ['email', 'phone_number'],
      })
      const token = await createSignedInUser(app, pool, 'ann', { email: 'ann@example.com', email_verified: 'true' })
      const answer = await update(token, { email: 'anna@sub.example.org', phone_number: '+12065550100' })
      assert.deepEqual(answer.CodeDeliveryDetailsList, [
        { Destination: 'a***@s***', DeliveryMedium: 'EMAIL', AttributeName: 'email' },
        { Destination: '+*******0100', DeliveryMedium: 'SMS', AttributeName: 'phone_number' },
      ])
      assert.deepEqual(await codesSent(pool), [
        'UpdateUserAttribute +12065550100',
        'UpdateUserAttribute anna@sub.example.org',
      ])
      const { email, email_verified, phone_number_verified } = await own(token)
      assert.deepEqual([email, email_verified, phone_number_verified], ['anna@sub.example.org', 'false', 'false'])
      assert.equal(await isFound(pool, 'ann@example.com'), false)
      assert.equal(await isFound(pool, 'anna@sub.example.org'), false)

      const code = await app.lastCode('anna@sub.example.org')
      await assert.rejects(verify(token, otherThan(code)), mismatch)
      await verify(token, code)
      assert.equal((await own(token))['email_verified'], 'true')
      assert.equal((await own(token))['phone_number_verified'], 'false')
      assert.equal(await isFound(pool, 'anna@sub.example.org'), true)
      await verify(token, await app.lastCode('+12065550100'), 'phone_number')
      assert.equal((await own(token))['phone_number_verified'], 'true')
    })

    test('gets no code when the pool does not verify such addresses, nor when it is the old one', async () => {
      const pool = await createTestPool(app, { AutoVerifiedAttributes: ['phone_number'] })
      const token = await createSignedInUser(app, pool, 'ann', { email: 'ann@example.com', email_verified: 'true' })
      assert.equal((await update(token, { email: 'ann@example.com' })).CodeDeliveryDetailsList, undefined)
      assert.equal((await own(token))['email_verified'], 'true')
      assert.equal((await update(token, { email: 'anna@example.com' })).CodeDeliveryDetailsList, undefined)
      assert.equal((await own(token))['email_verified'], 'false')
      assert.deepEqual(await codesSent(pool), [])
    })

    test('from an administrator needs no code when it is said to be verified', async () => {
      const pool = await createTestPool(app, { AliasAttributes: ['email'], AutoVerifiedAttributes: ['email'] })
      await createTestUser(app, pool, 'ann', { email: 'ann@example.com', email_verified: 'true' })
      await adminUpdate(pool, 'ann', { email: 'anna@example.com', email_verified: 'true' })
      assert.deepEqual(await codesSent(pool), [])
      assert.equal(await isFound(pool, 'anna@example.com'), true)
      assert.equal(await isFound(pool, 'ann@example.com'), false)
      await adminUpdate(pool, 'ann', { email: 'other@example.com' })
      assert.deepEqual(await codesSent(pool), ['UpdateUserAttribute other@example.com'])
      assert.equal((await attributesOf(app, pool, 'ann'))['email_verified'], 'false')
      assert.equal(await isFound(pool, 'other@example.com'), false)
      await adminUpdate(pool, 'ann', { email_verified: 'true' })
      assert.equal(await isFound(pool, 'other@example.com'), true)
    })

    test('that is removed takes its flag and its alias with it', async () => {
      const pool = await createTestPool(app, { AliasAttributes: ['email', 'phone_number'] })
      const token = await createSignedInUser(app, pool, 'ann', {
        email: 'ann@example.com',
        email_verified: 'true',
        phone_number: '+12065550100',
        phone_number_verified: 'true',
      })
      await app.aws.deleteUserAttributes({ AccessToken: token, UserAttributeNames: ['email'] })
      await adminUpdate(pool, 'ann', { phone_number: '' })
      const { sub: _, ...attributes } = await own(token)
      assert.deepEqual(attributes, {})
      assert.equal(await isFound(pool, 'ann@example.com'), false)
      assert.equal(await isFound(pool, '+12065550100'), false)
    })

    test('is the name to sign in with where addresses are usernames, as long as nobody else has it', async () => {
      const pool = await createTestPool(app, { UsernameAttributes: ['email'] })
      const token = await createSignedInUser(app, pool, 'ann@example.com')
      await createSignedInUser(app, pool, 'bob@example.com')
      const taken = { name: 'AliasExistsException', message: 'An account with the given email already exists.' }
      await assert.rejects(update(token, { email: 'bob@example.com' }), taken)
      await assert.rejects(adminUpdate(pool, 'ann@example.com', { email: 'bob@example.com', name: 'x' }), taken)
      const { sub, ...attributes } = await own(token)
      assert.deepEqual(attributes, { email: 'ann@example.com' })
      await update(token, { email: 'anna@example.com' })
      assert.equal(await isFound(pool, 'ann@example.com'), false)
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'anna@example.com' })).Username, sub)
      await signInUser(app, pool, 'anna@example.com')
      await createTestUser(app, pool, 'ann@example.com')
    })

    test('sends thirty codes an hour, unless an administrator changes it', async () => {
      const pool = await createTestPool(app, { AutoVerifiedAttributes: ['email'] })
      const token = await createSignedInUser(app, pool, 'ann')
      for (let calls = 1; calls <= 30; calls++) await update(token, { email: `ann${calls}@example.com` })
      await assert.rejects(update(token, { email: 'more@example.com' }), {
        name: 'TooManyRequestsException',
        message: 'Rate exceeded',
      })
      assert.equal((await own(token))['email'], 'ann30@example.com')
      await update(token, { email: 'ann30@example.com', name: 'Ann' })
      await adminUpdate(pool, 'ann', { email: 'admin@example.com' })
      app.advance(hours(1))
      await update(await signInUser(app, pool, 'ann'), { email: 'more@example.com' })
      assert.equal((await codesSent(pool)).length, 32)
    })

    test('whose code cannot be delivered stays', async () => {
      const delivery = { send: () => Promise.reject(new Error('no')) }
      const broken = await testApp({ delivery })
      const pool = await createTestPool(broken, { AutoVerifiedAttributes: ['email'] })
      const token = await createSignedInUser(broken, pool, 'ann')
      const change = { AccessToken: token, UserAttributes: attributeList({ email: 'ann@example.com' }) }
      await assert.rejects(broken.aws.updateUserAttributes(change), { name: 'CodeDeliveryFailureException' })
      assert.equal((await attributesOf(broken, pool, 'ann'))['email'], 'ann@example.com')
    })
  })

  describe('where an address is verified before it takes effect', () => {
    const settings = {
      AliasAttributes: ['email' as const],
      AutoVerifiedAttributes: ['email' as const],
      UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email' as const] },
    }
    const verified = { email: 'ann@example.com', email_verified: 'true' }
    const emailOf = async (token: string) => {
      const { email, email_verified } = await own(token)
      return [email, email_verified]
    }

    test('the old one stays in force until the code for the new one comes', async () => {
      const pool = await createTestPool(app, settings)
      const token = await createSignedInUser(app, pool, 'ann', verified)
      const answer = await update(token, { email: 'new@example.com', name: 'Ann' })
      assert.deepEqual(answer.CodeDeliveryDetailsList, [
        { Destination: 'n***@e***', DeliveryMedium: 'EMAIL', AttributeName: 'email' },
      ])
      assert.deepEqual(await emailOf(token), ['ann@example.com', 'true'])
      assert.equal((await own(token))['name'], 'Ann')
      await signInUser(app, pool, 'ann@example.com')
      assert.equal(await isFound(pool, 'new@example.com'), false)
      const code = await app.lastCode('new@example.com')
      await verify(token, code)
      assert.deepEqual(await emailOf(token), ['new@example.com', 'true'])
      await signInUser(app, pool, 'new@example.com')
      assert.equal(await isFound(pool, 'ann@example.com'), false)
      await assert.rejects(verify(token, code), expired)
    })

    test('a code counts only for the address it was sent to', async () => {
      const pool = await createTestPool(app, settings)
      const token = await createSignedInUser(app, pool, 'ann', verified)
      await update(token, { email: 'first@example.com' })
      const first = await app.lastCode('first@example.com')
      await update(token, { email: 'second@example.com' })
      const second = await app.lastCode('second@example.com')
      if (first !== second) await assert.rejects(verify(token, first), mismatch)
      assert.deepEqual(await emailOf(token), ['ann@example.com', 'true'])
      await verify(token, second)
      assert.deepEqual(await emailOf(token), ['second@example.com', 'true'])
    })

    test('going back to the old one, or removing it, gives the new one up', async () => {
      for (const last of [{ email: 'ann@example.com' }, { email: '' }]) {
        const pool = await createTestPool(app, settings)
        const token = await createSignedInUser(app, pool, 'ann', verified)
        await update(token, { email: 'new@example.com' })
        const code = await app.lastCode('new@example.com')
        await update(token, last)
        await assert.rejects(verify(token, code), expired)
        assert.deepEqual(await emailOf(token), last.email === '' ? [undefined, undefined] : ['ann@example.com', 'true'])
      }
    })

    test('another code goes to the new address', async () => {
      const pool = await createTestPool(app, settings)
      const token = await createSignedInUser(app, pool, 'ann', verified)
      await update(token, { email: 'new@example.com' })
      app.advance(days(1))
      const fresh = await signInUser(app, pool, 'ann')
      await assert.rejects(verify(fresh, await app.lastCode('new@example.com')), expired)
      const { CodeDeliveryDetails } = await requestCode(fresh)
      assert.equal(CodeDeliveryDetails?.Destination, 'n***@e***')
      await verify(fresh, await app.lastCode('new@example.com'))
      assert.deepEqual(await emailOf(fresh), ['new@example.com', 'true'])
    })

    test('an administrator decides with the verified flag', async () => {
      const pool = await createTestPool(app, settings)
      const token = await createSignedInUser(app, pool, 'ann', verified)
      await adminUpdate(pool, 'ann', { email: 'waits@example.com', email_verified: 'false' })
      assert.deepEqual(await emailOf(token), ['ann@example.com', 'true'])
      await signInUser(app, pool, 'ann@example.com')
      const code = await app.lastCode('waits@example.com')
      await adminUpdate(pool, 'ann', { email: 'now@example.com', email_verified: 'true' })
      assert.deepEqual(await emailOf(token), ['now@example.com', 'true'])
      await assert.rejects(verify(token, code), expired)
      assert.deepEqual(await emailOf(token), ['now@example.com', 'true'])
    })

    test('a username that somebody has is refused at once, an alias when it is verified', async () => {
      const usernames = await createTestPool(app, {
        ...settings,
        AliasAttributes: undefined,
        UsernameAttributes: ['email'],
      })
      const token = await createSignedInUser(app, usernames, 'ann@example.com')
      await createTestUser(app, usernames, 'bob@example.com')
      const taken = { name: 'AliasExistsException', message: 'An account with the given email already exists.' }
      await assert.rejects(update(token, { email: 'bob@example.com' }), taken)
      assert.deepEqual(await codesSent(usernames), [])

      const aliases = await createTestPool(app, settings)
      const other = await createSignedInUser(app, aliases, 'ann', verified)
      await createTestUser(app, aliases, 'bob', { email: 'bob@example.com', email_verified: 'true' })
      await update(other, { email: 'bob@example.com' })
      const code = await app.lastCode('bob@example.com')
      await assert.rejects(verify(other, code), taken)
      assert.deepEqual(await emailOf(other), ['ann@example.com', 'true'])
      await app.aws.adminDeleteUser({ ...aliases, Username: 'bob' })
      await verify(other, code)
      assert.deepEqual(await emailOf(other), ['bob@example.com', 'true'])
    })

    test('of many users who verify one address exactly one has it', async () => {
      const pool = await createTestPool(app, settings)
      const names = Array.from({ length: 6 }, (_, index) => `user${index}`)
      const tokens = await Promise.all(names.map(name => createSignedInUser(app, pool, name)))
      const codes: string[] = []
      for (const token of tokens) {
        await update(token, { email: 'one@example.com' })
        codes.push(await app.lastCode('one@example.com'))
      }
      const results = await Promise.allSettled(tokens.map((token, index) => verify(token, codes[index] ?? '')))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['AliasExistsException']) })
      const winner = results.findIndex(({ status }) => status === 'fulfilled')
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'one@example.com' })).Username, names[winner])
      const owners = await Promise.all(tokens.map(async token => (await own(token))['email'] === 'one@example.com'))
      assert.equal(owners.filter(Boolean).length, 1)
    })
  })

  describe('verification', () => {
    const withAddresses = (name = 'ann', settings = {}) =>
      createTestPool(app, settings).then(async pool => ({
        pool,
        token: await createSignedInUser(app, pool, name, {
          email: 'ann@example.com',
          phone_number: '+12065550100',
        }),
      }))

    test('sends a code to the address, also to a verified one', async () => {
      const { pool, token } = await withAddresses()
      const { CodeDeliveryDetails } = await requestCode(token, 'phone_number')
      assert.deepEqual(CodeDeliveryDetails, {
        Destination: '+*******0100',
        DeliveryMedium: 'SMS',
        AttributeName: 'phone_number',
      })
      await verify(token, await app.lastCode('+12065550100'), 'phone_number')
      assert.equal((await own(token))['phone_number_verified'], 'true')
      assert.equal((await own(token))['email_verified'], undefined)
      await requestCode(token, 'phone_number')
      assert.deepEqual(await codesSent(pool), ['VerifyUserAttribute +12065550100', 'VerifyUserAttribute +12065550100'])
    })

    test('is for e-mail addresses and phone numbers that the user has', async () => {
      const pool = await createTestPool(app)
      const token = await createSignedInUser(app, pool, 'ann', { name: 'Ann' })
      const refused = { name: 'InvalidParameterException' }
      for (const name of ['name', 'sub', 'custom:none', 'email_verified', 'constructor']) {
        await assert.rejects(requestCode(token, name), refused)
        await assert.rejects(verify(token, '123456', name), refused)
      }
      await assert.rejects(requestCode(token, 'email'), refused)
      assert.deepEqual(await codesSent(pool), [])
      await assert.rejects(verify(token, '123456'), expired)
    })

    test('works for a day', async () => {
      const { pool, token } = await withAddresses()
      await requestCode(token)
      const code = await app.lastCode('ann@example.com')
      app.advance(days(1) - 1)
      const fresh = await signInUser(app, pool, 'ann')
      await assert.rejects(verify(fresh, otherThan(code)), mismatch)
      app.advance(1)
      await assert.rejects(verify(fresh, code), expired)
      await requestCode(fresh)
      await verify(fresh, await app.lastCode('ann@example.com'))
    })

    test('takes five tries at a code, and the newest code only', async () => {
      const { token } = await withAddresses()
      await requestCode(token)
      const first = await app.lastCode('ann@example.com')
      for (let tries = 1; tries <= 5; tries++) await assert.rejects(verify(token, otherThan(first)), mismatch)
      await assert.rejects(verify(token, first), expired)
      await requestCode(token)
      const second = await app.lastCode('ann@example.com')
      if (first !== second) await assert.rejects(verify(token, first), mismatch)
      await verify(token, second)
    })

    test('of one code by many at the same time succeeds once', async () => {
      const { token } = await withAddresses()
      await requestCode(token)
      const code = await app.lastCode('ann@example.com')
      const results = await Promise.allSettled(Array.from({ length: 12 }, () => verify(token, code)))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['ExpiredCodeException']) })
    })

    test('takes no code of another address, user, purpose or pool', async () => {
      const { pool, token } = await withAddresses('ann', { AutoVerifiedAttributes: ['email'] })
      const bob = await createSignedInUser(app, pool, 'bob', { email: 'bob@example.com' })
      const elsewhere = await createTestPool(app)
      const carl = await createSignedInUser(app, elsewhere, 'ann', { email: 'ann@example.com' })
      await requestCode(token)
      const code = await app.lastCode('ann@example.com')
      await assert.rejects(verify(token, code, 'phone_number'), expired)
      await assert.rejects(verify(bob, code), expired)
      await assert.rejects(verify(carl, code), expired)
      await adminUpdate(pool, 'bob', { email_verified: 'true' })
      await app.aws.forgotPassword({ ClientId: pool.ClientId, Username: 'bob' })
      await assert.rejects(verify(bob, await app.lastCode('bob@example.com')), expired)
      await verify(token, code)
    })

    test('of an address that was changed since proves nothing', async () => {
      const { pool, token } = await withAddresses('ann', { AliasAttributes: ['email'] })
      await requestCode(token)
      const code = await app.lastCode('ann@example.com')
      await update(token, { email: 'anna@example.com' })
      await assert.rejects(verify(token, code), expired)
      await update(token, { email: 'ann@example.com' })
      await assert.rejects(verify(token, code), expired)
      assert.equal((await own(token))['email_verified'], 'false')
      assert.equal(await isFound(pool, 'ann@example.com'), false)
    })

    test('is asked for five times and tried fifteen times an hour', async () => {
      const { pool, token } = await withAddresses()
      for (let calls = 1; calls <= 5; calls++) await requestCode(token)
      await assert.rejects(requestCode(token), limited)
      await assert.rejects(requestCode(token, 'phone_number'), limited)
      const code = await app.lastCode('ann@example.com')
      for (let calls = 1; calls <= 15; calls++) await assert.rejects(verify(token, otherThan(code)))
      await assert.rejects(verify(token, code), limited)
      app.advance(hours(1))
      const fresh = await signInUser(app, pool, 'ann')
      await requestCode(fresh)
      await verify(fresh, await app.lastCode('ann@example.com'))
    })

    test('is counted for each user alone', async () => {
      const { pool, token } = await withAddresses()
      const bob = await createSignedInUser(app, pool, 'bob', { email: 'bob@example.com' })
      for (let calls = 1; calls <= 5; calls++) await requestCode(token)
      await assert.rejects(requestCode(token), limited)
      await requestCode(bob)
    })
  })

  test('a user sees the attributes that the client may read, sub first', async () => {
    const pool = await createTestPool(app, {
      Schema: [
        { Name: 'size', AttributeDataType: 'String' },
        { Name: 'note', AttributeDataType: 'String', DeveloperOnlyAttribute: true },
      ],
    })
    const attributes = { name: 'Ann', email: 'ann@example.com', 'custom:size': 'M', 'dev:custom:note': 'x' }
    const token = await createSignedInUser(app, pool, 'ann', attributes)
    const all = await app.aws.getUser({ AccessToken: token })
    assert.equal(all.UserAttributes?.[0]?.Name, 'sub')
    assert.deepEqual(
      all.UserAttributes?.map(({ Name }) => Name),
      ['sub', 'custom:size', 'email', 'name'],
    )
    const ClientId = await createTestClient(app, pool.UserPoolId, { ReadAttributes: ['email'] })
    const narrow = await signInUser(app, { ...pool, ClientId }, 'ann')
    assert.deepEqual(Object.keys(await own(narrow)), ['sub', 'email'])
  })
})
