import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { days, hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  attributeList,
  attributesByName,
  attributesOf,
  createSignedInUser,
  createTestPool,
  createTestUser,
  outcomes,
  signInUser,
  type TestPool,
  testPassword,
} from '../../../test/support/directory.ts'
import { DeliveryFailure } from '../../core/ports.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const messagesOf = async ({ UserPoolId }: TestPool) =>
    (await app.messages()).filter(message => message.userPoolId === UserPoolId)

  const signIn = ({ UserPoolId, ClientId }: TestPool, USERNAME: string, PASSWORD: string) =>
    app.aws.adminInitiateAuth({
      UserPoolId,
      ClientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME, PASSWORD },
    })

  const assertUnknown = (pool: TestPool, Username: string) =>
    assert.rejects(app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username }), {
      name: 'UserNotFoundException',
      message: 'User does not exist.',
    })

  describe('a new user', () => {
    test('is enabled, has to change the password, and reads back as it was answered', async () => {
      const pool = await createTestPool(app)
      const user = await createTestUser(app, pool, 'ann', { name: 'Ann', email: 'ann@example.com', birthdate: '' })
      const sub = user.Attributes?.[0]?.Value ?? ''
      const now = new Date(app.now())
      assert.match(sub, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
      assert.deepEqual(user, {
        Username: 'ann',
        Attributes: attributeList({ sub, email: 'ann@example.com', name: 'Ann' }),
        UserCreateDate: now,
        UserLastModifiedDate: now,
        Enabled: true,
        UserStatus: 'FORCE_CHANGE_PASSWORD',
      })
      const { $metadata: _, ...read } = await app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'ann' })
      const { Attributes, ...rest } = user
      assert.deepEqual(read, { ...rest, UserAttributes: Attributes })
    })

    test('needs an existing pool of the region', async () => {
      const pool = await createTestPool(app)
      for (const UserPoolId of ['us-east-1_nobody', pool.UserPoolId.replace('us-east-1', 'eu-west-1')]) {
        await assert.rejects(app.aws.adminCreateUser({ UserPoolId, Username: 'ann' }), {
          name: 'ResourceNotFoundException',
          message: `User pool ${UserPoolId} does not exist.`,
        })
      }
      const elsewhere = app.client({ region: 'eu-west-1' })
      await assert.rejects(elsewhere.adminCreateUser({ ...pool, Username: 'ann' }), {
        name: 'ResourceNotFoundException',
      })
      elsewhere.destroy()
      await createTestUser(app, pool, 'ann')
    })

    test('of a pool that is deleted at the same time is refused or gone', async () => {
      for (let round = 0; round < 4; round++) {
        const pool = await createTestPool(app)
        const results = await Promise.allSettled([
          createTestUser(app, pool, 'ann'),
          app.aws.createGroup({ UserPoolId: pool.UserPoolId, GroupName: 'staff' }),
          app.aws.deleteUserPool({ UserPoolId: pool.UserPoolId }),
          createTestUser(app, pool, 'bob'),
          app.aws.createGroup({ UserPoolId: pool.UserPoolId, GroupName: 'other' }),
        ])
        const { errors } = outcomes(results)
        errors.delete('ResourceNotFoundException')
        assert.deepEqual(errors, new Set())
        await assert.rejects(createTestUser(app, pool, 'ann'), { name: 'ResourceNotFoundException' })
      }
    })

    test('must have a name that nobody has', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann', { name: 'first' })
      await assert.rejects(createTestUser(app, pool, 'ann', { name: 'second' }), {
        name: 'UsernameExistsException',
        message: 'User account already exists',
      })
      assert.equal((await attributesOf(app, pool, 'ann'))['name'], 'first')
      await createTestUser(app, await createTestPool(app), 'ann')
    })

    test('of many who want one name at the same time exactly one gets it', async () => {
      const pool = await createTestPool(app, { UsernameConfiguration: { CaseSensitive: false } })
      const names = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 'Bob' : 'bOB'))
      const results = await Promise.allSettled(names.map(name => createTestUser(app, pool, name)))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['UsernameExistsException']) })
      const { Users } = await app.aws.listUsers({ UserPoolId: pool.UserPoolId })
      assert.equal(Users?.length, 1)
    })
  })

  describe('attributes of a new user', () => {
    test('must fit the schema', async () => {
      const pool = await createTestPool(app, {
        Schema: [{ Name: 'size', AttributeDataType: 'Number', NumberAttributeConstraints: { MaxValue: '10' } }],
      })
      const prefix = 'Attributes did not conform to the schema: '
      const table: [attributes: Record<string, string>, message: string][] = [
        [{ 'custom:none': 'x' }, `${prefix}custom:none: Attribute does not exist in the schema.\n`],
        [{ email: 'ann' }, 'Invalid email address format.'],
        [{ phone_number: '555-1234' }, 'Invalid phone number format.'],
        [{ sub: 'mine' }, `${prefix}sub: Attribute cannot be updated.\n`],
        [{ identities: '[]' }, `${prefix}identities: Attribute does not exist in the schema.\n`],
        [
          { email_verified: 'true' },
          `${prefix}email_verified: The attribute can be true only for a user with an email.\n`,
        ],
        [{ 'custom:size': '11' }, `${prefix}custom:size: Attribute value must not be greater than 10.\n`],
      ]
      for (const [attributes, message] of table) {
        await assert.rejects(createTestUser(app, pool, 'ann', attributes), {
          name: 'InvalidParameterException',
          message,
        })
      }
      await assertUnknown(pool, 'ann')
      await createTestUser(app, pool, 'ann', { 'custom:size': '10', email: 'ann@example.com', email_verified: 'True' })
      assert.equal((await attributesOf(app, pool, 'ann'))['email_verified'], 'true')
    })

    test('that are required may be missing as long as the user can set them later', async () => {
      const pool = await createTestPool(app, {
        Schema: [
          { Name: 'family_name', AttributeDataType: 'String', Required: true, Mutable: true },
          { Name: 'locale', AttributeDataType: 'String', Required: true, Mutable: false },
        ],
      })
      await assert.rejects(createTestUser(app, pool, 'ann'), {
        name: 'InvalidParameterException',
        message: 'Attributes did not conform to the schema: locale: The attribute is required\n',
      })
      await createTestUser(app, pool, 'ann', { locale: 'en' })
      assert.equal((await attributesOf(app, pool, 'ann'))['locale'], 'en')
    })

    test('can be immutable or for developers only', async () => {
      const pool = await createTestPool(app, {
        Schema: [
          { Name: 'badge', AttributeDataType: 'String', Mutable: false },
          { Name: 'note', AttributeDataType: 'String', DeveloperOnlyAttribute: true },
        ],
      })
      const attributes = { 'custom:badge': '7', 'dev:custom:note': 'x' }
      const user = await createTestUser(app, pool, 'ann', attributes)
      const { sub: _, ...kept } = attributesByName(user.Attributes)
      assert.deepEqual(kept, attributes)
    })
  })

  describe('the temporary password', () => {
    test('is made to fit the policy when none is given, and lets the user in once', async () => {
      const pool = await createTestPool(app, {
        Policies: { PasswordPolicy: { MinimumLength: 20, RequireSymbols: true, RequireNumbers: true } },
      })
      for (const TemporaryPassword of [undefined, '']) {
        await app.aws.adminCreateUser({
          UserPoolId: pool.UserPoolId,
          Username: `ann${TemporaryPassword}`,
          UserAttributes: attributeList({ email: 'ann@example.com' }),
          DesiredDeliveryMediums: ['EMAIL'],
          ...(TemporaryPassword !== undefined && { TemporaryPassword }),
        })
        const [message] = await messagesOf(pool)
        assert.equal(message?.source, 'AdminCreateUser')
        assert.equal(message?.to, 'ann@example.com')
        assert.match(message?.code ?? '', /^(?=.*[0-9])(?=.*[^A-Za-z0-9]).{20,}$/)
        const { ChallengeName } = await signIn(pool, `ann${TemporaryPassword}`, message?.code ?? '')
        assert.equal(ChallengeName, 'NEW_PASSWORD_REQUIRED')
      }
    })

    test('must fit the policy when it is given', async () => {
      const pool = await createTestPool(app)
      const table: [password: string, fault: string][] = [
        ['Aa1!', 'Password not long enough'],
        ['aaaaaa1!', 'Password must have uppercase characters'],
        ['AAAAAA1!', 'Password must have lowercase characters'],
        ['Aaaaaaa!', 'Password must have numeric characters'],
        ['Aaaaaaa1', 'Password must have symbol characters'],
      ]
      for (const [TemporaryPassword, fault] of table) {
        await assert.rejects(createTestUser(app, pool, 'ann', {}, { TemporaryPassword }), {
          name: 'InvalidPasswordException',
          message: `Password did not conform with password policy: ${fault}`,
        })
      }
      await assertUnknown(pool, 'ann')
      await createTestUser(app, pool, 'ann', {}, { TemporaryPassword: 'Aaaaaa1!' })
      assert.equal((await signIn(pool, 'ann', 'Aaaaaa1!')).ChallengeName, 'NEW_PASSWORD_REQUIRED')
    })

    test('works for as many days as the pool says', async () => {
      const pool = await createTestPool(app, { Policies: { PasswordPolicy: { TemporaryPasswordValidityDays: 2 } } })
      await createTestUser(app, pool, 'ann', {}, { TemporaryPassword: testPassword })
      app.advance(days(2) - 1)
      assert.equal((await signIn(pool, 'ann', testPassword)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
      app.advance(1)
      await assert.rejects(signIn(pool, 'ann', testPassword), {
        name: 'NotAuthorizedException',
        message: 'Temporary password has expired and must be reset by an administrator.',
      })
    })
  })

  describe('the invitation', () => {
    const both = { email: 'ann@example.com', phone_number: '+12065550100' }

    test('goes to the media that are asked for, and by text message when none is', async () => {
      const table: [attributes: Record<string, string>, asked: ('EMAIL' | 'SMS')[] | undefined, sent: string[]][] = [
        [both, undefined, ['SMS +12065550100']],
        [both, [], ['SMS +12065550100']],
        [both, ['EMAIL'], ['EMAIL ann@example.com']],
        [both, ['SMS', 'EMAIL', 'SMS'], ['SMS +12065550100', 'EMAIL ann@example.com']],
        [{ email: 'ann@example.com' }, undefined, []],
        [{}, undefined, []],
      ]
      for (const [attributes, DesiredDeliveryMediums, sent] of table) {
        const pool = await createTestPool(app)
        await app.aws.adminCreateUser({
          ...pool,
          Username: 'ann',
          UserAttributes: attributeList(attributes),
          DesiredDeliveryMediums,
        })
        const messages = (await messagesOf(pool)).reverse()
        assert.deepEqual(
          messages.map(({ medium, to }) => `${medium} ${to}`),
          sent,
        )
        for (const { body, code } of messages) {
          assert.match(body, /^Your username is ann and temporary password is /)
          assert.ok(code)
        }
      }
    })

    test('needs the address of a medium that is asked for', async () => {
      const pool = await createTestPool(app)
      const { email, phone_number } = both
      for (const [attributes, medium] of [
        [{ phone_number }, 'EMAIL'],
        [{ email }, 'SMS'],
      ] as const) {
        const input = { ...pool, Username: 'ann', UserAttributes: attributeList(attributes) }
        await assert.rejects(app.aws.adminCreateUser({ ...input, DesiredDeliveryMediums: [medium] }), {
          name: 'InvalidParameterException',
        })
        await assertUnknown(pool, 'ann')
      }
      assert.deepEqual(await messagesOf(pool), [])
    })

    test('is not sent when it is suppressed', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann', both, { DesiredDeliveryMediums: ['EMAIL', 'SMS'] })
      await createTestUser(app, pool, 'bob', {}, { DesiredDeliveryMediums: ['EMAIL'] })
      assert.deepEqual(await messagesOf(pool), [])
    })

    test('has the texts of the pool', async () => {
      const pool = await createTestPool(app, {
        AdminCreateUserConfig: {
          InviteMessageTemplate: {
            EmailSubject: 'Welcome',
            EmailMessage: 'Hello {username}, begin with {####}',
            SMSMessage: '{username}: {####}',
          },
        },
      })
      await app.aws.adminCreateUser({
        ...pool,
        Username: 'ann',
        UserAttributes: attributeList(both),
        DesiredDeliveryMediums: ['EMAIL', 'SMS'],
        TemporaryPassword: testPassword,
      })
      assert.deepEqual(
        (await messagesOf(pool)).reverse().map(({ subject, body }) => [subject, body]),
        [
          ['Welcome', `Hello ann, begin with ${testPassword}`],
          ['', `ann: ${testPassword}`],
        ],
      )
    })

    test('stays away when its text has no place for the password', async () => {
      const pool = await createTestPool(app, {
        AdminCreateUserConfig: { InviteMessageTemplate: { EmailSubject: 'Welcome', EmailMessage: 'Hello {username}' } },
      })
      const input = { ...pool, Username: 'ann', UserAttributes: attributeList(both) }
      await app.aws.adminCreateUser({ ...input, DesiredDeliveryMediums: ['EMAIL'] })
      assert.deepEqual(await messagesOf(pool), [])
    })

    test('that is refused leaves the user created', async () => {
      const send = () => Promise.reject(new DeliveryFailure('refused', 'no'))
      const broken = await testApp({ delivery: { send } })
      const pool = await createTestPool(broken)
      const input = { ...pool, Username: 'ann', UserAttributes: attributeList(both) }
      await assert.rejects(broken.aws.adminCreateUser(input), { name: 'CodeDeliveryFailureException' })
      assert.equal((await broken.aws.adminGetUser({ ...pool, Username: 'ann' })).UserStatus, 'FORCE_CHANGE_PASSWORD')
    })
  })

  describe('RESEND', () => {
    const resend = (pool: TestPool, Username: string, TemporaryPassword?: string) =>
      app.aws.adminCreateUser({
        UserPoolId: pool.UserPoolId,
        Username,
        MessageAction: 'RESEND',
        DesiredDeliveryMediums: ['EMAIL'],
        UserAttributes: attributeList({ name: 'ignored' }),
        ...(TemporaryPassword !== undefined && { TemporaryPassword }),
      })

    test('sends another password, whose validity begins anew, in place of the first', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann', { email: 'ann@example.com' }, { TemporaryPassword: testPassword })
      app.advance(days(6))
      const { User } = await resend(pool, 'ann')
      assert.equal(User?.UserStatus, 'FORCE_CHANGE_PASSWORD')
      assert.deepEqual(User?.UserLastModifiedDate, new Date(app.now()))
      assert.equal(attributesByName(User?.Attributes)['name'], undefined)
      const [message] = await messagesOf(pool)
      await assert.rejects(signIn(pool, 'ann', testPassword), { message: 'Incorrect username or password.' })
      app.advance(days(7) - 1)
      assert.equal((await signIn(pool, 'ann', message?.code ?? '')).ChallengeName, 'NEW_PASSWORD_REQUIRED')
      app.advance(1)
      await assert.rejects(signIn(pool, 'ann', message?.code ?? ''), { name: 'NotAuthorizedException' })
      await resend(pool, 'ann', 'An0ther!pw')
      assert.equal((await signIn(pool, 'ann', 'An0ther!pw')).ChallengeName, 'NEW_PASSWORD_REQUIRED')
    })

    test('is possible only for a user who has to change the password', async () => {
      const pool = await createTestPool(app)
      await assert.rejects(resend(pool, 'ann'), { name: 'UserNotFoundException', message: 'User does not exist.' })
      await createTestUser(app, pool, 'ann', { email: 'ann@example.com' })
      await app.aws.adminSetUserPassword({ ...pool, Username: 'ann', Password: testPassword, Permanent: true })
      await assert.rejects(resend(pool, 'ann'), {
        name: 'UnsupportedUserStateException',
        message: 'Resend not possible. ann status is not FORCE_CHANGE_PASSWORD',
      })
      await signInUser(app, pool, 'ann')
      assert.deepEqual(await messagesOf(pool), [])
    })

    test('keeps the first password when the new one does not fit the policy or has nowhere to go', async () => {
      const pool = await createTestPool(app)
      await createTestUser(app, pool, 'ann', { email: 'ann@example.com' }, { TemporaryPassword: testPassword })
      await assert.rejects(resend(pool, 'ann', 'short1'), { name: 'InvalidPasswordException' })
      const invitation = { ...pool, Username: 'ann', MessageAction: 'RESEND' } as const
      await assert.rejects(app.aws.adminCreateUser({ ...invitation, DesiredDeliveryMediums: ['SMS'] }), {
        name: 'InvalidParameterException',
      })
      assert.equal((await signIn(pool, 'ann', testPassword)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
    })
  })

  describe('where a code can be the first factor', () => {
    const passwordless = {
      Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
      Schema: [{ Name: 'email', AttributeDataType: 'String', Required: true, Mutable: true }],
    } as const

    test('a user without temporary password is confirmed and has none', async () => {
      const pool = await createTestPool(app, passwordless as never)
      for (const TemporaryPassword of [undefined, '']) {
        const { User } = await app.aws.adminCreateUser({
          ...pool,
          Username: `ann${TemporaryPassword}`,
          UserAttributes: attributeList({ email: 'ann@example.com' }),
          DesiredDeliveryMediums: ['EMAIL'],
          ...(TemporaryPassword !== undefined && { TemporaryPassword }),
        })
        assert.equal(User?.UserStatus, 'CONFIRMED')
        const [message] = await messagesOf(pool)
        assert.equal(message?.code, undefined)
        assert.equal(message?.body, `Your username is ann${TemporaryPassword}.`)
        await assert.rejects(signIn(pool, `ann${TemporaryPassword}`, testPassword), { name: 'NotAuthorizedException' })
      }
      const again = { ...pool, Username: 'annundefined', MessageAction: 'RESEND' } as const
      await assert.rejects(app.aws.adminCreateUser(again), { name: 'UnsupportedUserStateException' })
    })

    test('all required attributes must be there from the beginning', async () => {
      const pool = await createTestPool(app, passwordless as never)
      await assert.rejects(createTestUser(app, pool, 'ann'), {
        name: 'InvalidParameterException',
        message: 'Attributes did not conform to the schema: email: The attribute is required\n',
      })
      const withPassword = await createTestUser(app, pool, 'ann', {}, { TemporaryPassword: testPassword })
      assert.equal(withPassword.UserStatus, 'FORCE_CHANGE_PASSWORD')
    })
  })

  describe('in pools whose users sign in with an address', () => {
    test('the username is an id and the address an attribute', async () => {
      const pool = await createTestPool(app, { UsernameAttributes: ['email', 'phone_number'] })
      const { User } = await app.aws.adminCreateUser({
        ...pool,
        Username: 'ann@example.com',
        UserAttributes: attributeList({ email: 'other@example.com' }),
        DesiredDeliveryMediums: ['EMAIL'],
        TemporaryPassword: testPassword,
      })
      const { sub, ...attributes } = attributesByName(User?.Attributes)
      assert.equal(User?.Username, sub)
      assert.deepEqual(attributes, { email: 'ann@example.com' })
      const [message] = await messagesOf(pool)
      assert.equal(message?.to, 'ann@example.com')
      assert.match(message?.body ?? '', /^Your username is ann@example.com and/)
      for (const name of ['ann@example.com', sub ?? '']) {
        assert.equal((await app.aws.adminGetUser({ ...pool, Username: name })).Username, sub)
        assert.equal((await signIn(pool, name, testPassword)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
      }
    })

    test('the username must be such an address', async () => {
      const table: [allowed: ('email' | 'phone_number')[], username: string, message: string][] = [
        [['email'], '+12065550100', 'Username should be an email.'],
        [['phone_number'], 'ann@example.com', 'Username should be a phone number.'],
        [['email', 'phone_number'], 'ann', 'Username should be either an email or a phone number.'],
      ]
      for (const [UsernameAttributes, username, message] of table) {
        const pool = await createTestPool(app, { UsernameAttributes })
        await assert.rejects(createTestUser(app, pool, username), { name: 'InvalidParameterException', message })
      }
    })

    test('an address belongs to one user, verified or not, and cannot be taken over', async () => {
      const pool = await createTestPool(app, {
        UsernameAttributes: ['email', 'phone_number'],
        UsernameConfiguration: { CaseSensitive: false },
      })
      const ann = await createTestUser(app, pool, 'ann@example.com', { phone_number: '+12065550100' })
      const table: [username: string, attributes: Record<string, string>, taken: string][] = [
        ['Ann@Example.com', {}, 'email'],
        ['+12065550100', {}, 'phone_number'],
        ['bob@example.com', { phone_number: '+12065550100', phone_number_verified: 'true' }, 'phone_number'],
      ]
      for (const [username, attributes, taken] of table) {
        await assert.rejects(createTestUser(app, pool, username, attributes, { ForceAliasCreation: true }), {
          name: 'UsernameExistsException',
          message: `An account with the given ${taken} already exists.`,
        })
      }
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: '+12065550100' })).Username, ann.Username)
      assert.equal((await app.aws.listUsers({ UserPoolId: pool.UserPoolId })).Users?.length, 1)
    })
  })

  describe('in pools with aliases', () => {
    const aliases = { AliasAttributes: ['email', 'phone_number', 'preferred_username'] as never }
    const verified = { email: 'ann@example.com', email_verified: 'true' }

    test('a username must not look like an alias', async () => {
      const pool = await createTestPool(app, aliases)
      await assert.rejects(createTestUser(app, pool, 'ann@example.com'), {
        name: 'InvalidParameterException',
        message: 'Username cannot be of email format, since user pool is configured for email alias.',
      })
      await assert.rejects(createTestUser(app, pool, '+12065550100'), { name: 'InvalidParameterException' })
      await assert.rejects(createTestUser(app, pool, '\u212aim@example.com'), { name: 'InvalidParameterException' })
      const plain = await createTestPool(app)
      await createTestUser(app, plain, 'ann@example.com')
    })

    test('an alias finds the user when it is verified', async () => {
      const pool = await createTestPool(app, aliases)
      await createTestUser(app, pool, 'ann', { email: 'ann@example.com', preferred_username: 'annie' })
      await assertUnknown(pool, 'ann@example.com')
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'annie' })).Username, 'ann')
      await createTestUser(app, pool, 'bob', verified)
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'ann@example.com' })).Username, 'bob')
    })

    test('a verified alias that somebody has is refused', async () => {
      const pool = await createTestPool(app, aliases)
      await createTestUser(app, pool, 'ann', { ...verified, preferred_username: 'annie' })
      for (const [attributes, taken] of [
        [verified, 'email'],
        [{ preferred_username: 'annie' }, 'preferred_username'],
        [{ preferred_username: 'ann' }, 'preferred_username'],
      ] as const) {
        await assert.rejects(createTestUser(app, pool, 'bob', attributes), {
          name: 'AliasExistsException',
          message: `An account with the given ${taken} already exists.`,
        })
        await assertUnknown(pool, 'bob')
      }
      await assert.rejects(createTestUser(app, pool, 'annie'), { name: 'UsernameExistsException' })
      await createTestUser(app, pool, 'bob', { email: 'ann@example.com' })
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'ann@example.com' })).Username, 'ann')
    })

    test('ForceAliasCreation moves a verified address, and nothing else of its former owner', async () => {
      const pool = await createTestPool(app, aliases)
      const token = await createSignedInUser(app, pool, 'ann', { ...verified, preferred_username: 'annie' })
      app.advance(hours(0.5))
      const force = { ForceAliasCreation: true, TemporaryPassword: 'An0ther!pw' }
      await assert.rejects(createTestUser(app, pool, 'bob', { ...verified, preferred_username: 'annie' }, force), {
        name: 'AliasExistsException',
        message: 'An account with the given preferred_username already exists.',
      })
      assert.equal((await attributesOf(app, pool, 'ann'))['email_verified'], 'true')

      await createTestUser(app, pool, 'bob', verified, force)
      const former = await app.aws.adminGetUser({ ...pool, Username: 'ann' })
      const { email, email_verified } = attributesByName(former.UserAttributes)
      assert.deepEqual([email, email_verified], ['ann@example.com', 'false'])
      assert.deepEqual(former.UserLastModifiedDate, new Date(app.now()))
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'ann@example.com' })).Username, 'bob')
      await assert.rejects(signIn(pool, 'ann@example.com', testPassword), { name: 'NotAuthorizedException' })
      assert.equal((await signIn(pool, 'ann@example.com', 'An0ther!pw')).ChallengeName, 'NEW_PASSWORD_REQUIRED')
      assert.equal((await app.aws.getUser({ AccessToken: token })).Username, 'ann')
      await signInUser(app, pool, 'annie')
    })

    test('ForceAliasCreation does not move an address that is not verified', async () => {
      const pool = await createTestPool(app, aliases)
      await createTestUser(app, pool, 'ann', verified)
      await createTestUser(app, pool, 'bob', { email: 'ann@example.com' }, { ForceAliasCreation: true })
      assert.equal((await app.aws.adminGetUser({ ...pool, Username: 'ann@example.com' })).Username, 'ann')
      assert.equal((await attributesOf(app, pool, 'ann'))['email_verified'], 'true')
    })

    test('of many who take an alias at the same time one has it in the end', async () => {
      const pool = await createTestPool(app, aliases)
      await createTestUser(app, pool, 'ann', verified)
      const names = Array.from({ length: 8 }, (_, index) => `taker${index}`)
      await Promise.all(names.map(name => createTestUser(app, pool, name, verified, { ForceAliasCreation: true })))
      const owners = await Promise.all(
        ['ann', ...names].map(async name => (await attributesOf(app, pool, name))['email_verified'] === 'true' && name),
      )
      const { Username } = await app.aws.adminGetUser({ ...pool, Username: 'ann@example.com' })
      assert.deepEqual(
        owners.filter(name => name !== false),
        [Username],
      )
    })
  })
})
