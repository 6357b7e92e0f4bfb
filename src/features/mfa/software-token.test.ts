import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  type Authenticator,
  authenticator,
  createMfaPool,
  registerAuthenticator,
  respond,
  smsFactor,
  tokenFactor,
} from '../../../test/support/mfa.ts'
import type { TestPool } from '../../../test/support/pools.ts'
import { createClient } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  claimsOf,
  createSignInPool,
  createUser,
  exceeded,
  failureOf,
  invalidParameter,
  notAuthorized,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const invalidSession = notAuthorized('Invalid session for the user.')
const sessionUsed = notAuthorized('Invalid session for the user, session can only be used once.')
const wrong = { name: 'CodeMismatchException', message: 'Invalid code received for user' }
const used = { name: 'ExpiredCodeException', message: 'Your software token has already been used once.' }
const notFound = {
  name: 'SoftwareTokenMFANotFoundException',
  message: 'Software Token MFA has not been enabled by the userPool',
}
const mismatch = {
  name: 'EnableSoftwareTokenMFAException',
  message: 'Code mismatch and fail enable Software Token MFA',
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const optional = { MfaConfiguration: 'OPTIONAL', ...tokenFactor } as const

  /** A user with an authenticator application that is switched on. A code is good from the next step on. */
  const createHolder = async (pool: TestPool, name: string, friendlyName?: string): Promise<Authenticator> => {
    await createUser(app, pool.poolId, name)
    const { access } = await signIn(app, pool.clientId, name)
    const device = await registerAuthenticator(app, access, friendlyName)
    await app.aws.setUserMFAPreference({
      AccessToken: access,
      SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
    })
    app.advance(seconds(30))
    return device
  }

  const answer = (pool: TestPool, name: string, challenge: { Session?: string | undefined }, code: string) =>
    respond(
      app,
      pool.clientId,
      name,
      { ...challenge, ChallengeName: 'SOFTWARE_TOKEN_MFA' },
      {
        SOFTWARE_TOKEN_MFA_CODE: code,
      },
    )

  test('a registered and preferred authenticator is asked for, and its code gives tokens', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann', 'phone')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(challenge.ChallengeName, 'SOFTWARE_TOKEN_MFA')
    assert.deepEqual(challenge.ChallengeParameters, { FRIENDLY_DEVICE_NAME: 'phone', USER_ID_FOR_SRP: 'ann' })
    assert.equal(challenge.AuthenticationResult, undefined)
    const done = await answer(pool, 'ann', challenge, device.code())
    assert.deepEqual(done.ChallengeParameters, {})
    const claims = claimsOf(tokensOf(done).id)
    assert.deepEqual(claims['amr'], ['pwd', 'otp', 'mfa'])
    assert.equal(claims['acr'], 'urn:cognito:loa:4')
    const user = await app.aws.getUser({ AccessToken: tokensOf(done).access })
    assert.deepEqual(user.UserMFASettingList, ['SOFTWARE_TOKEN_MFA'])
    assert.equal(user.PreferredMfaSetting, 'SOFTWARE_TOKEN_MFA')
  })

  test('after SRP only the name of the device is told, and nothing without one', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const challenge = await (await beginSrp(app, pool, 'ann')).answer()
    assert.equal(challenge.ChallengeName, 'SOFTWARE_TOKEN_MFA')
    assert.deepEqual(challenge.ChallengeParameters, {})
    tokensOf(await answer(pool, 'ann', challenge, device.code()))
  })

  test('the flow of an administrator asks as well', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const { ChallengeName, Session } = await app.aws.adminInitiateAuth({
      UserPoolId: pool.poolId,
      ClientId: pool.clientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: 'Passw0rd!' },
    })
    assert.equal(ChallengeName, 'SOFTWARE_TOKEN_MFA')
    tokensOf(
      await app.aws.adminRespondToAuthChallenge({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        ChallengeName: 'SOFTWARE_TOKEN_MFA',
        Session,
        ChallengeResponses: { USERNAME: 'ann', SOFTWARE_TOKEN_MFA_CODE: device.code() },
      }),
    )
  })

  test('an authenticator that is verified with an access token is not asked for until it is switched on', async () => {
    const pool = await createMfaPool(app, optional)
    await createUser(app, pool.poolId, 'ann')
    const { access } = await signIn(app, pool.clientId, 'ann')
    await registerAuthenticator(app, access)
    const tokens = await signIn(app, pool.clientId, 'ann')
    const { UserMFASettingList, PreferredMfaSetting } = await app.aws.getUser({ AccessToken: tokens.access })
    assert.deepEqual(
      { UserMFASettingList, PreferredMfaSetting },
      { UserMFASettingList: undefined, PreferredMfaSetting: undefined },
    )
    await app.aws.setUserMFAPreference({ AccessToken: access, SoftwareTokenMfaSettings: { Enabled: true } })
    assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'SOFTWARE_TOKEN_MFA')
  })

  test('the codes around now count, each step once and none older than the last', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    app.advance(minutes(5))
    const attempt = async (steps: number) => {
      const challenge = await beginWithPassword(app, pool.clientId, 'ann')
      return failureOf(answer(pool, 'ann', challenge, device.code(steps)))
    }
    assert.deepEqual(await attempt(-2), wrong)
    assert.deepEqual(await attempt(2), wrong)
    assert.equal(await attempt(-1), undefined)
    assert.deepEqual(await attempt(-1), used)
    assert.equal(await attempt(1), undefined)
    assert.deepEqual(await attempt(0), used)
    assert.deepEqual(await attempt(1), used)
    app.advance(seconds(60))
    assert.equal(await attempt(0), undefined)
  })

  test('the code that registered the authenticator is used up', async () => {
    const pool = await createMfaPool(app, optional)
    await createUser(app, pool.poolId, 'ann')
    const { access } = await signIn(app, pool.clientId, 'ann')
    const device = await registerAuthenticator(app, access)
    await app.aws.setUserMFAPreference({ AccessToken: access, SoftwareTokenMfaSettings: { Enabled: true } })
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, device.code())), used)
    tokensOf(await answer(pool, 'ann', challenge, device.code(1)))
  })

  test('of many who have the same code one signs in, in one sign-in or in several', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const sessions = await Promise.all(Array.from({ length: 8 }, () => beginWithPassword(app, pool.clientId, 'ann')))
    const several = await Promise.allSettled(sessions.map(each => answer(pool, 'ann', each, device.code())))
    assert.equal(several.filter(each => each.status === 'fulfilled').length, 1)
    const [first] = await Promise.all([beginWithPassword(app, pool.clientId, 'ann')])
    app.advance(seconds(60))
    const one = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => answer(pool, 'ann', first, device.code(index % 2))),
    )
    assert.equal(one.filter(each => each.status === 'fulfilled').length, 1)
    assert.deepEqual(await failureOf(answer(pool, 'ann', first, device.code(1))), sessionUsed)
  })

  test('on two nodes a code works once and wrong ones share one count', async () => {
    if (app.kind !== 'postgres') return
    await using node = await app.secondNode()
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const on = (target: TestApp, session: string | undefined, code: string) =>
      respond(
        target,
        pool.clientId,
        'ann',
        { ChallengeName: 'SOFTWARE_TOKEN_MFA', Session: session },
        {
          SOFTWARE_TOKEN_MFA_CODE: code,
        },
      )
    const begun = await Promise.all([app, node, app, node].map(each => beginWithPassword(each, pool.clientId, 'ann')))
    const all = await Promise.allSettled(
      begun.map(({ Session }, index) => on(index % 2 === 0 ? node : app, Session, device.code())),
    )
    assert.equal(all.filter(each => each.status === 'fulfilled').length, 1)
    const { Session } = await beginWithPassword(app, pool.clientId, 'ann')
    const failures = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        failureOf(on(index % 2 === 0 ? node : app, Session, device.wrongCode())),
      ),
    )
    assert.equal(failures.filter(failure => failure?.name === wrong.name).length, 5)
  })

  test('only six digits are a code, and a missing one is named', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const code = device.code()
    const fullWidth = [...code].map(digit => String.fromCodePoint(0xff10 + Number(digit))).join('')
    for (const text of [`${code.slice(0, 3)} ${code.slice(3)}`, fullWidth, `${code}0`]) {
      assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, text)), wrong)
    }
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, 'ann', challenge)),
      invalidParameter('Missing required parameter SOFTWARE_TOKEN_MFA_CODE'),
    )
    tokensOf(await answer(pool, 'ann', challenge, code))
  })

  test('the fifth wrong code locks, and the right password gives no new tries', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const other = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    for (let index = 0; index < 5; index += 1) {
      const clientId = index % 2 === 0 ? pool.clientId : other
      const challenge = await beginWithPassword(app, clientId, 'ann')
      assert.deepEqual(await failureOf(answer({ ...pool, clientId }, 'ann', challenge, device.wrongCode())), wrong)
    }
    assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, 'ann')), exceeded)
    app.advance(seconds(1))
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, device.wrongCode())), wrong)
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, device.code())), exceeded)
    app.advance(seconds(2))
    tokensOf(await answer(pool, 'ann', challenge, device.code()))
    const after = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(await failureOf(answer(pool, 'ann', after, device.wrongCode())), wrong)
    assert.deepEqual(await failureOf(answer(pool, 'ann', after, device.wrongCode())), wrong)
  })

  test('of a hundred codes at once five are evaluated', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const failures = await Promise.all(
      Array.from({ length: 100 }, () => failureOf(answer(pool, 'ann', challenge, device.wrongCode()))),
    )
    const count = (message: string) => failures.filter(failure => failure?.message === message).length
    const others = failures.filter(failure => ![wrong.message, exceeded.message].includes(failure?.message ?? ''))
    assert.deepEqual([count(wrong.message), count(exceeded.message), others], [5, 95, []])
  })

  test('a hundred wrong codes a day are all there are', async () => {
    const pool = await createMfaPool(app, optional)
    const device = await createHolder(pool, 'ann')
    let evaluated = 0
    for (let rounds = 0; rounds < 60; rounds += 1) {
      const challenge = await beginWithPassword(app, pool.clientId, 'ann')
      for (let tries = 0; tries < 4; tries += 1) {
        const failure = await failureOf(answer(pool, 'ann', challenge, device.wrongCode()))
        if (failure?.name === wrong.name) evaluated += 1
        else assert.deepEqual(failure, exceeded)
      }
      // Fifteen minutes without a failure begin the lock anew.
      app.advance(minutes(15))
      if (evaluated === 100 && rounds > 27) break
    }
    assert.equal(evaluated, 100)
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, device.code())), exceeded)
    app.advance(minutes(24 * 60))
    tokensOf(await answer(pool, 'ann', await beginWithPassword(app, pool.clientId, 'ann'), device.code()))
  })

  describe('registration', () => {
    test('a secret is 256 bits in base32 and in force only when a code of it was given', async () => {
      const pool = await createMfaPool(app, optional)
      const first = await createHolder(pool, 'ann')
      const challenge = await beginWithPassword(app, pool.clientId, 'ann')
      const { access } = tokensOf(await answer(pool, 'ann', challenge, first.code()))
      const associated = await app.aws.associateSoftwareToken({ AccessToken: access })
      assert.match(associated.SecretCode ?? '', /^[A-Z2-7]{52}$/)
      assert.equal(associated.Session, undefined)
      const again = await app.aws.associateSoftwareToken({ AccessToken: access })
      assert.notEqual(again.SecretCode, associated.SecretCode)
      const [replaced, second] = [authenticator(app, associated.SecretCode), authenticator(app, again.SecretCode)]
      for (const code of [second.wrongCode(), replaced.code(), first.code(1)]) {
        assert.deepEqual(
          await failureOf(app.aws.verifySoftwareToken({ AccessToken: access, UserCode: code })),
          mismatch,
        )
      }
      app.advance(seconds(30))
      tokensOf(await answer(pool, 'ann', await beginWithPassword(app, pool.clientId, 'ann'), first.code()))
      const { $metadata: _, ...verified } = await app.aws.verifySoftwareToken({
        AccessToken: access,
        UserCode: second.code(),
      })
      assert.deepEqual(verified, { Status: 'SUCCESS' })
      app.advance(seconds(30))
      const last = await beginWithPassword(app, pool.clientId, 'ann')
      assert.deepEqual(await failureOf(answer(pool, 'ann', last, first.code())), wrong)
      tokensOf(await answer(pool, 'ann', last, second.code()))
    })

    test('a secret is verified once, by one of many', async () => {
      const pool = await createMfaPool(app, optional)
      await createUser(app, pool.poolId, 'ann')
      const { access } = await signIn(app, pool.clientId, 'ann')
      const { SecretCode } = await app.aws.associateSoftwareToken({ AccessToken: access })
      const UserCode = authenticator(app, SecretCode).code()
      const all = await Promise.all(
        Array.from({ length: 6 }, () => failureOf(app.aws.verifySoftwareToken({ AccessToken: access, UserCode }))),
      )
      assert.equal(all.filter(failure => failure === undefined).length, 1)
      for (const failure of all) assert.ok([undefined, 'SoftwareTokenMFANotFoundException'].includes(failure?.name))
    })

    test('nothing to verify, tokens switched off, no or two proofs are refused', async () => {
      const pool = await createMfaPool(app, optional)
      await createUser(app, pool.poolId, 'ann')
      const { access } = await signIn(app, pool.clientId, 'ann')
      const { name } = notFound
      assert.equal(
        (await failureOf(app.aws.verifySoftwareToken({ AccessToken: access, UserCode: '123456' })))?.name,
        name,
      )
      for (const both of [{}, { AccessToken: access, Session: 'x'.repeat(20) }]) {
        const { name } = invalidParameter('')
        assert.equal((await failureOf(app.aws.associateSoftwareToken(both)))?.name, name)
        assert.equal((await failureOf(app.aws.verifySoftwareToken({ ...both, UserCode: '123456' })))?.name, name)
      }
      for (const config of [undefined, { MfaConfiguration: 'OPTIONAL', ...smsFactor } as const]) {
        const without = config === undefined ? await createSignInPool(app) : await createMfaPool(app, config)
        await createUser(app, without.poolId, 'ann')
        const tokens = await signIn(app, without.clientId, 'ann')
        assert.deepEqual(await failureOf(app.aws.associateSoftwareToken({ AccessToken: tokens.access })), notFound)
        const verify = app.aws.verifySoftwareToken({ AccessToken: tokens.access, UserCode: '123456' })
        assert.deepEqual(await failureOf(verify), notFound)
      }
    })

    test('secrets are sealed at rest, apart for each user and state', async () => {
      const pool = await createMfaPool(app, optional)
      await createUser(app, pool.poolId, 'ann')
      const { access } = await signIn(app, pool.clientId, 'ann')
      const { SecretCode = '' } = await app.aws.associateSoftwareToken({ AccessToken: access })
      const rows = () => app.database.db.selectFrom('software_tokens').selectAll().execute()
      const pending = JSON.stringify(await rows())
      await app.aws.verifySoftwareToken({ AccessToken: access, UserCode: authenticator(app, SecretCode).code() })
      const active = JSON.stringify(await rows())
      const id = claimsOf(access)['sub']
      assert.equal((await rows()).find(row => row.user_id === id)?.pending_secret, null)
      for (const text of [pending, active]) assert.ok(!text.includes(SecretCode))
    })

    test('AdminDeleteSoftwareToken switches it off and ends sign-ins that wait for it', async () => {
      const pool = await createMfaPool(app, optional)
      const device = await createHolder(pool, 'ann')
      await createUser(app, pool.poolId, 'bob')
      const challenge = await beginWithPassword(app, pool.clientId, 'ann')
      const request = { UserPoolId: pool.poolId, Username: 'ann' }
      await app.aws.adminDeleteSoftwareToken(request)
      assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, device.code())), invalidSession)
      const { UserMFASettingList, PreferredMfaSetting } = await app.aws.adminGetUser(request)
      assert.deepEqual([UserMFASettingList, PreferredMfaSetting], [undefined, undefined])
      const { access } = await signIn(app, pool.clientId, 'ann')
      assert.deepEqual(
        await failureOf(
          app.aws.setUserMFAPreference({ AccessToken: access, SoftwareTokenMfaSettings: { Enabled: true } }),
        ),
        invalidParameter('User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA'),
      )
      await registerAuthenticator(app, access)
      await app.aws.adminDeleteSoftwareToken({ UserPoolId: pool.poolId, Username: 'bob' })
      assert.deepEqual(
        await failureOf(app.aws.adminDeleteSoftwareToken({ UserPoolId: pool.poolId, Username: 'eve' })),
        {
          name: 'UserNotFoundException',
          message: 'User does not exist.',
        },
      )
      await app.aws.signUp({ ClientId: pool.clientId, Username: 'new', Password: 'Passw0rd!' })
      assert.deepEqual(
        await failureOf(app.aws.adminDeleteSoftwareToken({ UserPoolId: pool.poolId, Username: 'new' })),
        {
          name: 'UserNotConfirmedException',
          message: 'User is not confirmed.',
        },
      )
    })
  })
})
