import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createUser, email, signIn, statusOf, type TestPool, verified } from '../../../test/support/pools.ts'
import { beginSrp, incorrect } from '../../../test/support/sign-in.ts'
import {
  eventsOf,
  home,
  Password,
  securityReasons,
  setRisk,
  signInFrom,
  watchedPool,
} from '../../../test/support/threat-protection.ts'

const common = 'Password123!'
const leaked = 'Xylophone-77-quartz'
const refused = {
  name: 'InvalidPasswordException',
  message: 'Provided password cannot be used for security reasons.',
}

const leakedPasswords = {
  has: async (digest: string) => digest === hash('sha1', leaked, 'hex').toUpperCase(),
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp({ leakedPasswords })
  })

  const signUp = ({ clientId }: TestPool, Username: string, password: string) =>
    app.aws.signUp({
      ClientId: clientId,
      Username,
      Password: password,
      UserAttributes: [email(`${Username}@example.com`)],
    })
  const isFlagged = async (pool: TestPool, username = 'ann') =>
    (await eventsOf(app, pool, username))[0]?.EventRisk?.CompromisedCredentialsDetected
  const rule = (EventAction: 'BLOCK' | 'NO_ACTION', EventFilter?: ('SIGN_IN' | 'SIGN_UP' | 'PASSWORD_CHANGE')[]) => ({
    CompromisedCredentialsRiskConfiguration: {
      Actions: { EventAction },
      ...(EventFilter !== undefined && { EventFilter }),
    },
  })

  describe('a password that is known to others', () => {
    for (const [kind, password] of [
      ['a common one', common],
      ['one of the operator’s file', leaked],
    ] as const) {
      test(`is refused at sign-up, at a reset and at a change: ${kind}`, async () => {
        const pool = await watchedPool(app, 'ENFORCED')
        await assert.rejects(signUp(pool, 'bob', password), refused)
        const named = { ClientId: pool.clientId, Username: 'ann' }
        await app.aws.forgotPassword(named)
        const code = await app.lastCode()
        const reset = { ...named, ConfirmationCode: code }
        await assert.rejects(app.aws.confirmForgotPassword({ ...reset, Password: password }), refused)
        const { AuthenticationResult } = await signIn(app, pool.clientId, 'ann', Password)
        const change = { AccessToken: AuthenticationResult?.AccessToken, PreviousPassword: Password }
        await assert.rejects(app.aws.changePassword({ ...change, ProposedPassword: password }), refused)
        await app.aws.confirmForgotPassword({ ...reset, Password: `${Password}-2` })
      })
    }

    test('is refused in the place of a temporary one, which stays', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      const named = { UserPoolId: pool.poolId, Username: 'bob' }
      await app.aws.adminCreateUser({ ...named, TemporaryPassword: common, MessageAction: 'SUPPRESS' })
      const { Session } = await signIn(app, pool.clientId, 'bob', common)
      assert.equal(await isFlagged(pool, 'bob'), true)
      const answer = (NEW_PASSWORD: string) =>
        app.aws.respondToAuthChallenge({
          ClientId: pool.clientId,
          ChallengeName: 'NEW_PASSWORD_REQUIRED',
          Session,
          ChallengeResponses: { USERNAME: 'bob', NEW_PASSWORD },
        })
      await assert.rejects(answer(leaked), refused)
      assert.ok((await answer(Password)).AuthenticationResult)
    })

    test('ends a sign-in, and the user has to reset it', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await createUser(app, pool.poolId, 'bob', common, [email('bob@example.com'), verified('email')])
      await assert.rejects(signIn(app, pool.clientId, 'bob', common), securityReasons)
      assert.equal(await statusOf(app, pool.poolId, 'bob'), 'RESET_REQUIRED')
      const [event] = await eventsOf(app, pool, 'bob')
      assert.equal(event?.EventResponse, 'Fail')
      assert.deepEqual(event?.EventRisk, { RiskDecision: 'Block', CompromisedCredentialsDetected: true })
      await assert.rejects(signIn(app, pool.clientId, 'bob', common), { name: 'PasswordResetRequiredException' })
      const named = { ClientId: pool.clientId, Username: 'bob' }
      await app.aws.forgotPassword(named)
      const ConfirmationCode = await app.lastCode('bob@example.com')
      await app.aws.confirmForgotPassword({ ...named, ConfirmationCode, Password })
      assert.ok((await signIn(app, pool.clientId, 'bob', Password)).AuthenticationResult)
    })

    test('is not looked for where it was wrong, or is never seen', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await assert.rejects(signIn(app, pool.clientId, 'ann', common), incorrect)
      assert.equal(await isFlagged(pool), false)
      await createUser(app, pool.poolId, 'bob', common)
      const exchange = await beginSrp(app, pool, 'bob')
      assert.ok((await exchange.answer(common)).AuthenticationResult)
    })

    test('is set by administrators as they like', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await app.aws.adminSetUserPassword({
        UserPoolId: pool.poolId,
        Username: 'ann',
        Password: common,
        Permanent: true,
      })
    })

    test('is only on record in a pool that only watches, and where the action says so', async () => {
      for (const [mode, action] of [
        ['AUDIT', 'BLOCK'],
        ['ENFORCED', 'NO_ACTION'],
      ] as const) {
        const pool = await watchedPool(app, mode)
        await setRisk(app, pool, rule(action))
        await signUp(pool, 'bob', common)
        assert.equal(await isFlagged(pool, 'bob'), true)
        await app.aws.adminConfirmSignUp({ UserPoolId: pool.poolId, Username: 'bob' })
        const { AuthenticationResult } = await signIn(app, pool.clientId, 'bob', common)
        assert.equal(await isFlagged(pool, 'bob'), true)
        const change = { AccessToken: AuthenticationResult?.AccessToken, PreviousPassword: common }
        await app.aws.changePassword({ ...change, ProposedPassword: leaked })
        assert.equal(await isFlagged(pool, 'bob'), true)
      }
    })

    test('is looked for at the events of the filter only', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await setRisk(app, pool, rule('BLOCK', ['PASSWORD_CHANGE']))
      await signUp(pool, 'bob', common)
      assert.equal(await isFlagged(pool, 'bob'), false)
      await app.aws.adminConfirmSignUp({ UserPoolId: pool.poolId, Username: 'bob' })
      const { AuthenticationResult } = await signIn(app, pool.clientId, 'bob', common)
      const change = { AccessToken: AuthenticationResult?.AccessToken, PreviousPassword: common }
      await assert.rejects(app.aws.changePassword({ ...change, ProposedPassword: leaked }), refused)
    })

    test('is looked for at addresses as well that are always allowed', async () => {
      const pool = await watchedPool(app, 'ENFORCED')
      await setRisk(app, pool, { RiskExceptionConfiguration: { SkippedIPRangeList: ['198.51.100.0/24'] } })
      await createUser(app, pool.poolId, 'bob', common)
      await assert.rejects(signInFrom(app, pool, home, { username: 'bob', password: common }), securityReasons)
    })
  })

  test('policy comes first, and nothing is looked for without threat protection', async () => {
    const pool = await watchedPool(app, 'ENFORCED')
    await assert.rejects(signUp(pool, 'bob', 'password'), {
      name: 'InvalidPasswordException',
      message: /^Password did not conform with policy/,
    })
    const unwatched = await watchedPool(app, 'AUDIT', { UserPoolAddOns: { AdvancedSecurityMode: 'OFF' } })
    await signUp(unwatched, 'bob', common)
  })
})
