import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateUserPoolCommandInput, PasswordPolicyType } from '@aws-sdk/client-cognito-identity-provider'
import { days, hours, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createPool, createUser, email, passwordFlow, signIn, statusOf, verified } from '../../../test/support/pools.ts'

const Password = 'Passw0rd!'
const NewPassword = 'An0ther-one!'
const error = (name: string, message: string) => ({ name: `${name}Exception`, message })
const incorrect = error('NotAuthorized', 'Incorrect username or password.')
const locked = error('NotAuthorized', 'Password attempts exceeded')
const overLimit = error('LimitExceeded', 'Attempt limit exceeded, please try after some time.')
const used = error('PasswordHistoryPolicyViolation', 'Password has previously been used')
const breaks = (rule: string) => error('InvalidPassword', `Password did not conform with policy: ${rule}`)

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const poolWithAnn = async (settings: Partial<CreateUserPoolCommandInput> = {}) => {
    const made = await createPool(app, settings, passwordFlow)
    await createUser(app, made.poolId, 'ann', Password, [email('ann@example.com'), verified('email')])
    return made
  }
  const history = (PasswordHistorySize: number): { Policies: { PasswordPolicy: PasswordPolicyType } } => ({
    Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize } },
  })
  const tokenOf = async (clientId: string, username: string, password = Password) =>
    (await signIn(app, clientId, username, password)).AuthenticationResult?.AccessToken ?? ''
  const change = (AccessToken: string, PreviousPassword: string | undefined, ProposedPassword: string) =>
    app.aws.changePassword({
      AccessToken,
      ProposedPassword,
      ...(PreviousPassword !== undefined && { PreviousPassword }),
    })
  const setPassword = (UserPoolId: string, Username: string, password: string, Permanent?: boolean) =>
    app.aws.adminSetUserPassword({
      UserPoolId,
      Username,
      Password: password,
      ...(Permanent !== undefined && { Permanent }),
    })

  describe('ChangePassword', () => {
    test('replaces the password and leaves the user signed in', async () => {
      const { clientId } = await poolWithAnn()
      const token = await tokenOf(clientId, 'ann')
      const { $metadata: _, ...answer } = await change(token, Password, NewPassword)
      assert.deepEqual(answer, {})
      await assert.rejects(signIn(app, clientId, 'ann', Password), incorrect)
      await signIn(app, clientId, 'ann', NewPassword)
      assert.equal((await app.aws.getUser({ AccessToken: token })).Username, 'ann')
    })

    test('wants the previous password, in the contract, the policy and the order of both', async () => {
      const { clientId } = await poolWithAnn()
      const token = await tokenOf(clientId, 'ann')
      await assert.rejects(
        change(token, 'Wr0ng-one!', 'weak-password'),
        breaks('Password must have uppercase characters'),
      )
      await assert.rejects(change(token, 'Wr0ng-one!', NewPassword), incorrect)
      await assert.rejects(change(token, undefined, NewPassword), {
        name: 'InvalidParameterException',
        message: 'Missing required parameter PreviousPassword',
      })
      await assert.rejects(change(token, Password, ' An0ther-one!'), { name: 'InvalidParameterException' })
      await assert.rejects(change('no.access.token', Password, NewPassword), { name: 'NotAuthorizedException' })
      await change(token, Password, NewPassword)
    })

    test('is answered five times an hour', async () => {
      const { clientId } = await poolWithAnn()
      const token = await tokenOf(clientId, 'ann')
      const passwords = [Password, ...Array.from({ length: 6 }, (_, index) => `Passw0rd!${index}`)]
      for (let i = 0; i < 5; i++) await change(token, passwords[i], passwords[i + 1] ?? '')
      await assert.rejects(change(token, passwords[5], NewPassword), overLimit)
      await signIn(app, clientId, 'ann', passwords[5] ?? '')
      app.advance(hours(1) - seconds(1))
      const later = await tokenOf(clientId, 'ann', passwords[5])
      await assert.rejects(change(later, passwords[5], NewPassword), overLimit)
      app.advance(seconds(1))
      await change(later, passwords[5], NewPassword)
    })

    test('wrong previous passwords count in the lockout', async () => {
      const { clientId } = await poolWithAnn()
      const token = await tokenOf(clientId, 'ann')
      for (let i = 0; i < 2; i++) await assert.rejects(signIn(app, clientId, 'ann', 'Wr0ng-one!'), incorrect)
      for (let i = 0; i < 3; i++) await assert.rejects(change(token, 'Wr0ng-one!', NewPassword), incorrect)
      await assert.rejects(signIn(app, clientId, 'ann', Password), locked)
      await assert.rejects(change(token, Password, NewPassword), locked)
      app.advance(seconds(1))
      await change(token, Password, NewPassword)
    })

    test('of many at once with one previous password exactly one succeeds', async () => {
      const { clientId } = await poolWithAnn()
      const token = await tokenOf(clientId, 'ann')
      const passwords = Array.from({ length: 5 }, (_, index) => `Passw0rd!${index}`)
      const settled = await Promise.allSettled(passwords.map(password => change(token, Password, password)))
      const winners = passwords.filter((_, index) => settled[index]?.status === 'fulfilled')
      assert.equal(winners.length, 1)
      app.advance(seconds(10))
      await signIn(app, clientId, 'ann', winners[0] ?? '')
    })

    test('gives a user without a password the first one', async () => {
      const { poolId, clientId } = await createPool(
        app,
        { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } },
        passwordFlow,
      )
      await app.aws.signUp({ ClientId: clientId, Username: 'ann', UserAttributes: [email('ann@example.com')] })
      await app.aws.confirmSignUp({ ClientId: clientId, Username: 'ann', ConfirmationCode: await app.lastCode() })
      await createUser(app, poolId, 'bob', Password)
      await assert.rejects(signIn(app, clientId, 'ann', NewPassword), incorrect)
      const { changePassword } = await import('./change-password.ts')
      const { findClient } = await import('../app-clients/client.ts')
      const { findPool } = await import('../user-pools/pool.ts')
      const { getUserByName } = await import('../users/user.ts')
      // Nobody without a password can sign in to call the operation yet, so its rule is called.
      const ctx = {
        ...app.app.services,
        requestId: 'test',
        region: 'us-east-1',
        publicUrl: app.url,
        sourceIp: undefined,
        userAgent: undefined,
      }
      const pool = await findPool(ctx, poolId)
      const client = await findClient(ctx, clientId)
      assert.ok(pool && client)
      const [ann, bob] = [await getUserByName(ctx, pool, 'ann'), await getUserByName(ctx, pool, 'bob')]
      await assert.rejects(changePassword(ctx, { pool, client, user: ann }, 'Wr0ng-one!', NewPassword), incorrect)
      await assert.rejects(changePassword(ctx, { pool, client, user: bob }, undefined, NewPassword), {
        name: 'InvalidParameterException',
      })
      await changePassword(ctx, { pool, client, user: ann }, undefined, NewPassword)
      await signIn(app, clientId, 'ann', NewPassword)
    })
  })

  describe('the password history', () => {
    for (const size of [0, 1, 2, 3]) {
      test(`of ${size} refuses ${size === 0 ? 'nothing' : `the last ${size}`}`, async () => {
        const { poolId, clientId } = await poolWithAnn(history(size))
        const passwords = [Password, 'Passw0rd!1', 'Passw0rd!2', 'Passw0rd!3', 'Passw0rd!4']
        for (const password of passwords.slice(1)) await setPassword(poolId, 'ann', password, true)
        const newestFirst = passwords.toReversed()
        for (const password of newestFirst.slice(0, size)) {
          await assert.rejects(setPassword(poolId, 'ann', password, true), used)
        }
        const token = await tokenOf(clientId, 'ann', 'Passw0rd!4')
        if (size > 1) await assert.rejects(change(token, 'Passw0rd!4', 'Passw0rd!3'), used)
        await change(token, 'Passw0rd!4', newestFirst[size] ?? '')
        await signIn(app, clientId, 'ann', newestFirst[size] ?? '')
      })
    }

    test('keeps no more passwords than it needs', async () => {
      const { poolId } = await poolWithAnn(history(3))
      const { UserAttributes } = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })
      const id = UserAttributes?.find(({ Name }) => Name === 'sub')?.Value ?? ''
      const kept = async () =>
        (await app.database.db.selectFrom('password_history').selectAll().where('user_id', '=', id).execute()).length
      for (let i = 0; i < 6; i++) await setPassword(poolId, 'ann', `Passw0rd!${i}`, true)
      assert.equal(await kept(), 2)
      await app.aws.updateUserPool({
        UserPoolId: poolId,
        Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize: 0 } },
      })
      await setPassword(poolId, 'ann', NewPassword, true)
      assert.equal(await kept(), 0)
    })

    test('does not hold for the temporary passwords of an administrator', async () => {
      const { poolId } = await poolWithAnn(history(3))
      await assert.rejects(setPassword(poolId, 'ann', Password, true), used)
      await setPassword(poolId, 'ann', Password, false)
    })

    test('is of one user', async () => {
      const { poolId } = await poolWithAnn(history(3))
      await createUser(app, poolId, 'bob', 'Passw0rd!1')
      await setPassword(poolId, 'bob', Password, true)
      await setPassword(poolId, 'ann', 'Passw0rd!1', true)
    })
  })

  describe('AdminSetUserPassword', () => {
    test('sets a temporary password unless it is permanent', async () => {
      const { poolId, clientId } = await poolWithAnn()
      for (const permanent of [undefined, false]) {
        const { $metadata: _, ...answer } = await setPassword(poolId, 'ann', NewPassword, permanent)
        assert.deepEqual(answer, {})
        assert.equal(await statusOf(app, poolId, 'ann'), 'FORCE_CHANGE_PASSWORD')
        assert.equal((await signIn(app, clientId, 'ann', NewPassword)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
        await setPassword(poolId, 'ann', Password, true)
        assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
        assert.notEqual(await tokenOf(clientId, 'ann'), '')
      }
    })

    test('a temporary password ends after the days of the policy', async () => {
      const { poolId, clientId } = await poolWithAnn({
        Policies: { PasswordPolicy: { MinimumLength: 8, TemporaryPasswordValidityDays: 2 } },
      })
      await setPassword(poolId, 'ann', NewPassword)
      app.advance(days(2) - seconds(1))
      assert.equal((await signIn(app, clientId, 'ann', NewPassword)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
      app.advance(seconds(1))
      await assert.rejects(
        signIn(app, clientId, 'ann', NewPassword),
        error('NotAuthorized', 'Temporary password has expired and must be reset by an administrator.'),
      )
      await setPassword(poolId, 'ann', NewPassword)
      assert.equal((await signIn(app, clientId, 'ann', NewPassword)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
    })

    test('works in every status', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await app.aws.signUp({ ClientId: clientId, Username: 'bob', Password, UserAttributes: [email('b@example.com')] })
      const code = await app.lastCode('b@example.com')
      await setPassword(poolId, 'bob', NewPassword, true)
      assert.equal(await statusOf(app, poolId, 'bob'), 'CONFIRMED')
      await assert.rejects(app.aws.confirmSignUp({ ClientId: clientId, Username: 'bob', ConfirmationCode: code }), {
        name: 'NotAuthorizedException',
      })
      await app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: 'ann' })
      await setPassword(poolId, 'ann', NewPassword, true)
      assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
      await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })
      await setPassword(poolId, 'ann', Password, true)
      await app.aws.adminEnableUser({ UserPoolId: poolId, Username: 'ann' })
      await signIn(app, clientId, 'ann', Password)
    })

    test('knows pool and user, and keeps to the policy', async () => {
      const { poolId, clientId } = await poolWithAnn()
      await assert.rejects(
        setPassword('us-east-1_123456789', 'ann', Password),
        error('ResourceNotFound', 'User pool us-east-1_123456789 does not exist.'),
      )
      await assert.rejects(setPassword(poolId, 'bob', Password), error('UserNotFound', 'User does not exist.'))
      for (const permanent of [true, false]) {
        await assert.rejects(setPassword(poolId, 'ann', 'Passw0!', permanent), breaks('Password not long enough'))
      }
      await signIn(app, clientId, 'ann', Password)
    })

    test('ends the lockout', async () => {
      const { poolId, clientId } = await poolWithAnn()
      for (let i = 0; i < 5; i++) await assert.rejects(signIn(app, clientId, 'ann', 'Wr0ng-one!'), incorrect)
      await assert.rejects(signIn(app, clientId, 'ann', Password), locked)
      await setPassword(poolId, 'ann', NewPassword, true)
      await signIn(app, clientId, 'ann', NewPassword)
    })
  })

  test('passwords are compared exactly as sent', async () => {
    const { poolId, clientId } = await poolWithAnn()
    const composed = 'Passw0rd!é'
    const decomposed = composed.normalize('NFD')
    await setPassword(poolId, 'ann', composed, true)
    await signIn(app, clientId, 'ann', composed)
    for (const other of [decomposed, `${composed} `, composed.toUpperCase()]) {
      await assert.rejects(signIn(app, clientId, 'ann', other), { name: 'NotAuthorizedException' })
    }
    app.advance(hours(1))
    const long = `Aa1!${'x'.repeat(252)}`
    await setPassword(poolId, 'ann', long, true)
    for (const position of [71, 99, 254]) {
      const similar = `${long.slice(0, position)}y${long.slice(position + 1)}`
      await assert.rejects(signIn(app, clientId, 'ann', similar), { name: 'NotAuthorizedException' })
    }
    await signIn(app, clientId, 'ann', long)
  })

  test('the store holds neither passwords nor verifiers in clear', async () => {
    const own = await testApp()
    const { UserPool } = await own.aws.createUserPool({ PoolName: 'p', ...history(3) })
    const UserPoolId = UserPool?.Id
    await own.aws.adminCreateUser({ UserPoolId, Username: 'ann', MessageAction: 'SUPPRESS' })
    for (const password of [Password, NewPassword]) {
      await own.aws.adminSetUserPassword({ UserPoolId, Username: 'ann', Password: password, Permanent: true })
    }
    const users = await own.database.db.selectFrom('users').selectAll().execute()
    const earlier = await own.database.db.selectFrom('password_history').selectAll().execute()
    assert.equal(earlier.length, 2)
    const sealed = [users[0]?.password_verifier, ...earlier.map(row => row.verifier)]
    for (const verifier of sealed) {
      const bound = users[0]?.id ?? ''
      assert.equal(own.app.services.seal.open('password-verifier', verifier ?? '', bound)?.length, 384)
      assert.equal(own.app.services.seal.open('password-verifier', verifier ?? '', 'another user'), undefined)
      assert.equal(own.app.services.seal.open('client-secret', verifier ?? '', bound), undefined)
    }
    const dump = JSON.stringify([users, earlier, own.logged, own.events])
    for (const password of [Password, NewPassword]) assert.ok(!dump.includes(password))
  })
})
