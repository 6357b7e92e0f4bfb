import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
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

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const unknown = { name: 'UserNotFoundException', message: 'User does not exist.' }
  const revoked = { name: 'NotAuthorizedException', message: 'Access Token has been revoked' }
  const disabled = { name: 'NotAuthorizedException', message: 'User is disabled.' }

  const tokensOf = async ({ UserPoolId, ClientId }: TestPool, USERNAME: string) => {
    const { AuthenticationResult } = await app.aws.adminInitiateAuth({
      UserPoolId,
      ClientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME, PASSWORD: testPassword },
    })
    return { access: AuthenticationResult?.AccessToken ?? '', refresh: AuthenticationResult?.RefreshToken ?? '' }
  }
  const refresh = ({ ClientId }: TestPool, REFRESH_TOKEN: string) =>
    app.aws.initiateAuth({ ClientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN } })

  test('every operation of an administrator names an existing pool and user', async () => {
    const pool = await createTestPool(app)
    const elsewhere = await createTestPool(app)
    await createTestUser(app, pool, 'ann')
    const { aws } = app
    const operations: [name: string, call: (user: { UserPoolId: string; Username: string }) => Promise<unknown>][] = [
      ['AdminGetUser', user => aws.adminGetUser(user)],
      ['AdminDisableUser', user => aws.adminDisableUser(user)],
      ['AdminEnableUser', user => aws.adminEnableUser(user)],
      ['AdminSetUserSettings', user => aws.adminSetUserSettings({ ...user, MFAOptions: [] })],
      ['AdminUpdateUserAttributes', user => aws.adminUpdateUserAttributes({ ...user, UserAttributes: [] })],
      ['AdminDeleteUserAttributes', user => aws.adminDeleteUserAttributes({ ...user, UserAttributeNames: [] })],
      ['AdminDeleteUser', user => aws.adminDeleteUser(user)],
    ]
    for (const [name, call] of operations) {
      await assert.rejects(call({ UserPoolId: pool.UserPoolId, Username: 'nobody' }), unknown, name)
      await assert.rejects(call({ UserPoolId: elsewhere.UserPoolId, Username: 'ann' }), unknown, name)
      await assert.rejects(
        call({ UserPoolId: 'us-east-1_nobody', Username: 'ann' }),
        { name: 'ResourceNotFoundException', message: 'User pool us-east-1_nobody does not exist.' },
        name,
      )
    }
    for (const [, call] of operations) await call({ UserPoolId: pool.UserPoolId, Username: 'ann' })
  })

  describe('a disabled user', () => {
    test('loses all tokens at once and for good, and can sign in again when enabled', async () => {
      const pool = await createTestPool(app)
      const user = { UserPoolId: pool.UserPoolId, Username: 'ann' }
      await createSignedInUser(app, pool, 'ann')
      const { access, refresh: refreshToken } = await tokensOf(pool, 'ann')
      await app.aws.getUser({ AccessToken: access })
      await app.aws.adminDisableUser(user)
      assert.equal((await app.aws.adminGetUser(user)).Enabled, false)
      await assert.rejects(app.aws.getUser({ AccessToken: access }), revoked)
      await assert.rejects(refresh(pool, refreshToken), { name: 'NotAuthorizedException' })
      await assert.rejects(signInUser(app, pool, 'ann'), disabled)

      await app.aws.adminEnableUser(user)
      assert.equal((await app.aws.adminGetUser(user)).Enabled, true)
      await assert.rejects(app.aws.getUser({ AccessToken: access }), revoked)
      await assert.rejects(refresh(pool, refreshToken), { name: 'NotAuthorizedException' })
      const again = await tokensOf(pool, 'ann')
      assert.equal((await app.aws.getUser({ AccessToken: again.access })).Username, 'ann')
      await refresh(pool, again.refresh)
    })

    test('stays disabled, an enabled one enabled, and neither changes by that', async () => {
      const pool = await createTestPool(app)
      const user = { UserPoolId: pool.UserPoolId, Username: 'ann' }
      const token = await createSignedInUser(app, pool, 'ann')
      await app.aws.adminEnableUser(user)
      assert.equal((await app.aws.getUser({ AccessToken: token })).Username, 'ann')
      await app.aws.adminDisableUser(user)
      const { UserLastModifiedDate } = await app.aws.adminGetUser(user)
      app.advance(hours(0.1))
      await app.aws.adminDisableUser(user)
      assert.deepEqual((await app.aws.adminGetUser(user)).UserLastModifiedDate, UserLastModifiedDate)
      assert.equal((await app.aws.adminGetUser(user)).UserStatus, 'CONFIRMED')
    })

    test('leaves the others alone', async () => {
      const pool = await createTestPool(app)
      const ann = await createSignedInUser(app, pool, 'ann')
      await createSignedInUser(app, pool, 'bob')
      await app.aws.adminDisableUser({ UserPoolId: pool.UserPoolId, Username: 'bob' })
      assert.equal((await app.aws.getUser({ AccessToken: ann })).Username, 'ann')
    })
  })

  describe('a deleted user', () => {
    test('is gone with all tokens, whoever deleted', async () => {
      const pool = await createTestPool(app)
      const deletions: ((Username: string, AccessToken: string) => Promise<unknown>)[] = [
        Username => app.aws.adminDeleteUser({ UserPoolId: pool.UserPoolId, Username }),
        (_, AccessToken) => app.aws.deleteUser({ AccessToken }),
      ]
      for (const deletion of deletions) {
        await createSignedInUser(app, pool, 'ann')
        const { access, refresh: refreshToken } = await tokensOf(pool, 'ann')
        await deletion('ann', access)
        await assert.rejects(app.aws.getUser({ AccessToken: access }), unknown)
        await assert.rejects(app.aws.deleteUser({ AccessToken: access }), unknown)
        await assert.rejects(refresh(pool, refreshToken), Error)
        await assert.rejects(app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'ann' }), unknown)
      }
      // A new user of the same name is somebody else.
      const ann = await createSignedInUser(app, pool, 'ann')
      const { access } = await tokensOf(pool, 'ann')
      await app.aws.adminDeleteUser({ UserPoolId: pool.UserPoolId, Username: 'ann' })
      await createSignedInUser(app, pool, 'ann')
      for (const token of [ann, access]) await assert.rejects(app.aws.getUser({ AccessToken: token }), unknown)
    })

    test('leaves nothing in the database', async () => {
      const pool = await createTestPool(app, { AutoVerifiedAttributes: ['email'] })
      const token = await createSignedInUser(app, pool, 'ann', { email: 'ann@example.com' })
      const id = (await attributesOf(app, pool, 'ann'))['sub'] ?? ''
      await app.aws.getUserAttributeVerificationCode({ AccessToken: token, AttributeName: 'email' })
      await app.aws.createGroup({ UserPoolId: pool.UserPoolId, GroupName: 'staff' })
      await app.aws.adminAddUserToGroup({ UserPoolId: pool.UserPoolId, Username: 'ann', GroupName: 'staff' })
      const { db } = app.database
      const tables = ['user_attributes', 'sign_in_names', 'codes', 'group_members'] as const
      const rows = () =>
        Promise.all(tables.map(table => db.selectFrom(table).select('user_id').where('user_id', '=', id).execute()))
      assert.ok((await rows()).every(found => found.length > 0))
      await app.aws.deleteUser({ AccessToken: token })
      assert.deepEqual(
        (await rows()).map(found => found.length),
        [0, 0, 0, 0],
      )
    })

    test('while something else is going on causes no failure of the server', async () => {
      const pool = await createTestPool(app, { AutoVerifiedAttributes: ['email'] })
      for (const name of ['ann', 'bob', 'carl']) {
        const token = await createSignedInUser(app, pool, name, { email: `${name}@example.com` })
        const user = { UserPoolId: pool.UserPoolId, Username: name }
        await app.aws.createGroup({ UserPoolId: pool.UserPoolId, GroupName: name })
        const results = await Promise.allSettled([
          app.aws.getUserAttributeVerificationCode({ AccessToken: token, AttributeName: 'email' }),
          app.aws.adminAddUserToGroup({ ...user, GroupName: name }),
          app.aws.adminUpdateUserAttributes({ ...user, UserAttributes: [{ Name: 'email', Value: 'new@example.com' }] }),
          app.aws.adminSetUserSettings({ ...user, MFAOptions: [] }),
          app.aws.adminDisableUser(user),
          app.aws.adminDeleteUser(user),
          app.aws.adminGetUser(user),
          app.aws.listUsers({ UserPoolId: pool.UserPoolId }),
        ])
        for (const result of results) {
          if (result.status === 'rejected') {
            assert.match(result.reason.name, /^(UserNotFoundException|NotAuthorizedException)$/)
          }
        }
        await assert.rejects(app.aws.adminGetUser(user), unknown)
      }
    })
  })

  describe('the legacy MFA options', () => {
    const sms = [{ DeliveryMedium: 'SMS' as const, AttributeName: 'phone_number' }]

    test('are kept and shown until an empty list switches them off', async () => {
      const pool = await createTestPool(app)
      const user = { UserPoolId: pool.UserPoolId, Username: 'ann' }
      const token = await createSignedInUser(app, pool, 'ann', { phone_number: '+12065550100' })
      const shown = async () => [
        (await app.aws.adminGetUser(user)).MFAOptions,
        (await app.aws.getUser({ AccessToken: token })).MFAOptions,
        (await app.aws.listUsers({ UserPoolId: pool.UserPoolId })).Users?.[0]?.MFAOptions,
      ]
      const changes: ((MFAOptions: typeof sms) => Promise<unknown>)[] = [
        MFAOptions => app.aws.setUserSettings({ AccessToken: token, MFAOptions }),
        MFAOptions => app.aws.adminSetUserSettings({ ...user, MFAOptions }),
      ]
      for (const change of changes) {
        await change(sms)
        assert.deepEqual(await shown(), [sms, sms, sms])
        await change([])
        assert.deepEqual(await shown(), [undefined, undefined, undefined])
      }
    })

    test('are text messages to phone_number and nothing else', async () => {
      const pool = await createTestPool(app)
      const user = { UserPoolId: pool.UserPoolId, Username: 'ann' }
      const token = await createSignedInUser(app, pool, 'ann')
      for (const option of [
        { DeliveryMedium: 'EMAIL' as const, AttributeName: 'email' },
        { DeliveryMedium: 'SMS' as const, AttributeName: 'email' },
        { AttributeName: 'phone_number' },
        {},
      ]) {
        const refused = { name: 'InvalidParameterException' }
        await assert.rejects(app.aws.setUserSettings({ AccessToken: token, MFAOptions: [option] }), refused)
        await assert.rejects(app.aws.adminSetUserSettings({ ...user, MFAOptions: [...sms, option] }), refused)
      }
      assert.equal((await app.aws.adminGetUser(user)).MFAOptions, undefined)
    })
  })

  test('many who change the same few users, aliases and groups at once meet only declared errors', async () => {
    const pool = await createTestPool(app, { AliasAttributes: ['email', 'preferred_username'] })
    const { UserPoolId } = pool
    const users = ['ann', 'bob', 'carl', 'dora', 'eve']
    for (const Username of users) {
      await createTestUser(app, pool, Username, { email: `${Username}@example.com`, email_verified: 'true' })
      await app.aws.createGroup({ UserPoolId, GroupName: Username })
    }
    const pick = (index: number, step: number) => users[(index * step + step) % users.length] ?? ''
    const work = (index: number): Promise<unknown> => {
      const user = { UserPoolId, Username: pick(index, 1) }
      const email = `${pick(index, 3)}@example.com`
      const verified = { email, email_verified: 'true' }
      switch (index % 8) {
        case 0:
          return app.aws.adminUpdateUserAttributes({ ...user, UserAttributes: attributeList(verified) })
        case 1:
          return createTestUser(app, pool, `new${index}`, verified, { ForceAliasCreation: true })
        case 2:
          return app.aws.adminUpdateUserAttributes({
            ...user,
            UserAttributes: attributeList({ preferred_username: `p-${pick(index, 2)}` }),
          })
        case 3:
          return app.aws.adminAddUserToGroup({ ...user, GroupName: pick(index, 2) })
        case 4:
          return app.aws.adminRemoveUserFromGroup({ ...user, GroupName: pick(index, 2) })
        case 5:
          return index % 3 === 0 ? app.aws.adminDisableUser(user) : app.aws.adminEnableUser(user)
        case 6:
          return app.aws.adminDeleteUserAttributes({ ...user, UserAttributeNames: ['email', 'preferred_username'] })
        default:
          return app.aws.adminSetUserSettings({ ...user, MFAOptions: [] })
      }
    }
    const { errors } = outcomes(await Promise.allSettled(Array.from({ length: 192 }, (_, index) => work(index))))
    errors.delete('AliasExistsException')
    assert.deepEqual(errors, new Set())
    // Whoever has an alias has it verified, and nobody else says the same of that address.
    const { Users = [] } = await app.aws.listUsers({ UserPoolId })
    const verified = Users.map(({ Username, Attributes }) => {
      const { email, email_verified } = attributesByName(Attributes)
      return { Username, email, email_verified }
    })
    for (const name of users) {
      const email = `${name}@example.com`
      const owners = verified.filter(user => user.email === email && user.email_verified === 'true')
      assert.ok(owners.length <= 1)
      const found = await app.aws.adminGetUser({ UserPoolId, Username: email }).catch(() => undefined)
      assert.equal(found?.Username, owners[0]?.Username)
    }
  })

  test('operations on oneself need a valid access token', async () => {
    const pool = await createTestPool(app)
    const token = await createSignedInUser(app, pool, 'ann')
    const { aws } = app
    const operations: ((AccessToken: string) => Promise<unknown>)[] = [
      AccessToken => aws.getUser({ AccessToken }),
      AccessToken => aws.updateUserAttributes({ AccessToken, UserAttributes: [{ Name: 'name', Value: 'x' }] }),
      AccessToken => aws.deleteUserAttributes({ AccessToken, UserAttributeNames: ['name'] }),
      AccessToken => aws.getUserAttributeVerificationCode({ AccessToken, AttributeName: 'email' }),
      AccessToken => aws.verifyUserAttribute({ AccessToken, AttributeName: 'email', Code: '123456' }),
      AccessToken => aws.setUserSettings({ AccessToken, MFAOptions: [] }),
      AccessToken => aws.deleteUser({ AccessToken }),
    ]
    const before = await attributesOf(app, pool, 'ann')
    for (const call of operations) {
      await assert.rejects(call('none'), { name: 'NotAuthorizedException', message: 'Invalid Access Token' })
    }
    assert.deepEqual(await attributesOf(app, pool, 'ann'), before)
    assert.deepEqual(attributesByName((await aws.getUser({ AccessToken: token })).UserAttributes), before)
  })

  test('operations on oneself need no signature, and no credentials of the administrator', async () => {
    const pool = await createTestPool(app)
    const token = await createSignedInUser(app, pool, 'ann')
    const anonymous = app.client({ credentials: { accessKeyId: '', secretAccessKey: '' } })
    assert.equal((await anonymous.getUser({ AccessToken: token })).Username, 'ann')
    await anonymous.deleteUser({ AccessToken: token })
    await assert.rejects(app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'ann' }), unknown)
    anonymous.destroy()
  })
})
