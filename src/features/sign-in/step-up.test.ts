import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  type Authenticator,
  registerAuthenticator,
  respond,
  smsFactor,
  tokenFactor,
} from '../../../test/support/mfa.ts'
import { email, phone, type TestPool } from '../../../test/support/pools.ts'
import {
  claimsOf,
  createUser,
  failureOf,
  invalidParameter,
  notAuthorized,
  password,
  refresh,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import {
  beginChoice,
  createChoicePool,
  createPasswordless,
  discreetChoice,
  number,
} from '../../../test/support/user-auth.ts'

const level = (n: number): string => `urn:cognito:loa:${n}`
const unreachable = invalidParameter('The user has no factor with which a level of TARGET_ACR_VALUES can be reached.')
const reached = invalidParameter('The access token already has the level that is asked for.')
const byPassword = { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password }

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const createPool = (options: Parameters<typeof createChoicePool>[1] = {}) => createChoicePool(app, options)

  const createAnn = (pool: TestPool) => createUser(app, pool.poolId, 'ann', [email('ann@example.com'), phone(number)])

  /** A second factor that the pool leaves to its users. */
  const withMfa = (pool: TestPool) =>
    app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'OPTIONAL',
      ...smsFactor,
      ...tokenFactor,
    })

  const toward = (pool: TestPool, target: string, more: Record<string, string> = {}, name = 'ann') =>
    beginChoice(app, pool, name, { TARGET_ACR_VALUES: target, ...more })

  const answer = (pool: TestPool, challenge: Parameters<typeof respond>[3], responses: Record<string, string>) =>
    respond(app, pool.clientId, 'ann', challenge, responses)

  const proofs = (outcome: Parameters<typeof tokensOf>[0]) => {
    const { access, id } = tokensOf(outcome)
    const { acr, amr } = claimsOf(access)
    assert.deepEqual([claimsOf(id)['acr'], claimsOf(id)['amr']], [acr, amr])
    return { acr, amr, access }
  }

  /** A user with an authenticator application that no sign-in asks for. */
  const withApplication = async (pool: TestPool): Promise<Authenticator> => {
    await withMfa(pool)
    await createAnn(pool)
    const device = await registerAuthenticator(app, (await signIn(app, pool.clientId, 'ann')).access)
    app.advance(seconds(30))
    return device
  }

  test('from scratch, only the first factors are offered that lead to the level', async () => {
    const pool = await createPool()
    const device = await withApplication(pool)
    const offered = async (n: number) => (await toward(pool, level(n))).AvailableChallenges
    assert.deepEqual(await offered(1), ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP', 'SMS_OTP'])
    assert.deepEqual(await offered(2), ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP', 'SMS_OTP'])
    assert.deepEqual(await offered(3), ['PASSWORD', 'PASSWORD_SRP'])
    assert.deepEqual(await offered(4), ['PASSWORD', 'PASSWORD_SRP'])
    const choice = await toward(pool, level(4))
    const refused = await failureOf(answer(pool, choice, { ANSWER: 'EMAIL_OTP' }))
    assert.equal(refused?.message, 'The selected challenge is not available to the user.')
    const second = await answer(pool, choice, { ANSWER: 'PASSWORD', PASSWORD: password })
    assert.equal(second.ChallengeName, 'SOFTWARE_TOKEN_MFA')
    const done = proofs(await answer(pool, second, { SOFTWARE_TOKEN_MFA_CODE: device.code() }))
    assert.deepEqual([done.acr, done.amr], [level(4), ['pwd', 'otp', 'mfa']])
  })

  test('a password is followed by the code that the level wants, also where the pool has no MFA', async () => {
    const pool = await createPool({ factors: ['PASSWORD', 'EMAIL_OTP'] })
    await createAnn(pool)
    const second = await toward(pool, level(3), byPassword)
    assert.equal(second.ChallengeName, 'EMAIL_OTP')
    assert.deepEqual(await failureOf(answer(pool, second, { EMAIL_OTP_CODE: '000000' })), {
      name: 'CodeMismatchException',
      message: 'Invalid code or auth state for the user.',
    })
    const done = proofs(await answer(pool, second, { EMAIL_OTP_CODE: await app.lastCode() }))
    assert.deepEqual([done.acr, done.amr], [level(3), ['pwd', 'email_otp', 'mfa']])
    const both = await createPool()
    await createAnn(both)
    const choice = await toward(both, level(3), byPassword)
    assert.equal(choice.ChallengeName, 'SELECT_MFA_TYPE')
    assert.deepEqual(JSON.parse(choice.ChallengeParameters?.['MFAS_CAN_CHOOSE'] ?? ''), ['SMS_MFA', 'EMAIL_OTP'])
    const code = await answer(both, choice, { ANSWER: 'SMS_MFA' })
    const bySms = proofs(await answer(both, code, { SMS_MFA_CODE: await app.lastCode(number) }))
    assert.deepEqual(bySms.amr, ['pwd', 'sms', 'mfa'])
  })

  test('what the access token says was proven is credited, and only the rest is asked for', async () => {
    const pool = await createPool()
    const device = await withApplication(pool)
    const { access, refresh: before } = await signIn(app, pool.clientId, 'ann')
    app.advance(minutes(20))
    const second = await toward(pool, level(4), { ACCESS_TOKEN: access })
    assert.equal(second.ChallengeName, 'SOFTWARE_TOKEN_MFA')
    assert.equal(second.ChallengeParameters?.['USER_ID_FOR_SRP'], 'ann')
    const done = proofs(await answer(pool, second, { SOFTWARE_TOKEN_MFA_CODE: device.code() }))
    assert.deepEqual([done.acr, done.amr], [level(4), ['pwd', 'otp', 'mfa']])
    const [raised, earlier] = [claimsOf(done.access), claimsOf(access)]
    assert.equal(Number(raised['auth_time']) - Number(earlier['auth_time']), 20 * 60)
    assert.notEqual(raised['origin_jti'], earlier['origin_jti'])
    // The earlier session goes on, as low as it was.
    assert.equal(claimsOf(tokensOf(await refresh(app, pool.clientId, before)).access)['acr'], level(1))
    assert.deepEqual(await failureOf(toward(pool, level(4), { ACCESS_TOKEN: done.access })), reached)
    assert.deepEqual(await failureOf(toward(pool, level(2), { ACCESS_TOKEN: done.access })), reached)
  })

  test('a password is what is missing after a code', async () => {
    const pool = await createPool()
    await createAnn(pool)
    const first = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })
    const { access } = tokensOf(await answer(pool, first, { EMAIL_OTP_CODE: await app.lastCode() }))
    const choice = await toward(pool, level(3), { ACCESS_TOKEN: access })
    assert.deepEqual(choice.AvailableChallenges, ['PASSWORD', 'PASSWORD_SRP'])
    const wrong = failureOf(answer(pool, choice, { ANSWER: 'PASSWORD', PASSWORD: 'wrong' }))
    assert.equal((await wrong)?.name, 'NotAuthorizedException')
    const done = proofs(await answer(pool, choice, { ANSWER: 'PASSWORD', PASSWORD: password }))
    assert.deepEqual([done.acr, done.amr], [level(3), ['email_otp', 'pwd', 'mfa']])
  })

  test('the first level in the list that the user can reach is the one; unknown names are passed over', async () => {
    const pool = await createPool({ factors: ['PASSWORD', 'EMAIL_OTP'] })
    await createAnn(pool)
    const second = await toward(pool, `gold ${level(4)} ${level(3)} ${level(1)}`, byPassword)
    assert.equal(second.ChallengeName, 'EMAIL_OTP')
    assert.deepEqual(proofs(await toward(pool, `${level(4)} ${level(1)}`, byPassword)).amr, ['pwd'])
    assert.deepEqual(await failureOf(toward(pool, level(4), byPassword)), unreachable)
    for (const unknown of ['', ' ', 'gold', 'urn:cognito:loa:5', 'constructor', 'x'.repeat(5_000)]) {
      assert.deepEqual(
        await failureOf(toward(pool, unknown, byPassword)),
        invalidParameter('TARGET_ACR_VALUES names no level of the user pool.'),
      )
    }
    await createPasswordless(app, pool, 'bob')
    assert.deepEqual(await failureOf(toward(pool, level(3), {}, 'bob')), unreachable)
    assert.equal((await toward(pool, level(2), {}, 'bob')).ChallengeName, 'EMAIL_OTP')
  })

  test('the pool’s own names of the levels count', async () => {
    const pool = await createPool({
      factors: ['PASSWORD', 'EMAIL_OTP'],
      pool: { AcrConfiguration: { Level3: { AcrValue: 'gold' } } },
    })
    await createAnn(pool)
    const second = await toward(pool, 'gold', byPassword)
    const done = proofs(await answer(pool, second, { EMAIL_OTP_CODE: await app.lastCode() }))
    assert.equal(done.acr, 'gold')
    assert.equal((await failureOf(toward(pool, level(3), byPassword)))?.name, 'InvalidParameterException')
  })

  test('MAX_AGE lets an old sign-in count for nothing', async () => {
    const pool = await createPool({ factors: ['PASSWORD', 'EMAIL_OTP'] })
    await createAnn(pool)
    const { access } = await signIn(app, pool.clientId, 'ann')
    const from = (MAX_AGE: string) => toward(pool, level(3), { ACCESS_TOKEN: access, MAX_AGE })
    app.advance(seconds(100))
    assert.equal((await from('100')).ChallengeName, 'EMAIL_OTP')
    for (const tooOld of ['99', '0']) {
      assert.deepEqual((await from(tooOld)).AvailableChallenges, ['PASSWORD', 'PASSWORD_SRP'])
    }
    // A level that is reached may be asked for anew.
    const anew = await toward(pool, level(1), { ACCESS_TOKEN: access, MAX_AGE: '0', ...byPassword })
    assert.deepEqual(proofs(anew).amr, ['pwd'])
    for (const wrong of ['-1', '1.5', 'x', '', '1e3', '9'.repeat(30)]) {
      assert.deepEqual(await failureOf(from(wrong)), invalidParameter('MAX_AGE must be a number of seconds.'))
    }
    await app.aws.getUser({ AccessToken: access })
  })

  test('an access token counts for its own user and client, in force, and with a target only', async () => {
    const pool = await createPool({ factors: ['PASSWORD', 'EMAIL_OTP'], client: discreetChoice })
    const other = await createPool({ factors: ['PASSWORD', 'EMAIL_OTP'] })
    for (const each of [pool, other]) await createAnn(each)
    await createUser(app, pool.poolId, 'bob', [email('bob@example.com')])
    const { access, id } = await signIn(app, pool.clientId, 'ann')
    const foreign = await signIn(app, other.clientId, 'ann')
    const refusal = (token: string, name = 'ann') => failureOf(toward(pool, level(3), { ACCESS_TOKEN: token }, name))
    const invalid = notAuthorized('Invalid Access Token')
    for (const token of [foreign.access, id, 'x', '']) assert.deepEqual(await refusal(token), invalid)
    for (const name of ['bob', 'ghost']) assert.deepEqual(await refusal(access, name), invalid)
    assert.deepEqual(
      await failureOf(beginChoice(app, pool, 'ann', { ACCESS_TOKEN: access })),
      invalidParameter('ACCESS_TOKEN can be used with TARGET_ACR_VALUES only.'),
    )
    const pending = await toward(pool, level(3), { ACCESS_TOKEN: access })
    await app.aws.globalSignOut({ AccessToken: access })
    assert.deepEqual(
      await failureOf(answer(pool, pending, { EMAIL_OTP_CODE: await app.lastCode() })),
      notAuthorized('Invalid session for the user.'),
    )
    assert.deepEqual(await refusal(access), notAuthorized('Access Token has been revoked'))
    const old = await signIn(app, pool.clientId, 'ann')
    app.advance(minutes(61))
    assert.deepEqual(await refusal(old.access), notAuthorized('Access Token has expired'))
  })

  test('a level does not lower what the user’s MFA asks for', async () => {
    const pool = await createPool()
    const device = await withApplication(pool)
    const { access } = await signIn(app, pool.clientId, 'ann')
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
    })
    for (const n of [1, 2, 3]) {
      const second = await toward(pool, level(n), byPassword)
      assert.equal(second.ChallengeName, 'SOFTWARE_TOKEN_MFA', level(n))
    }
    const lifted = await toward(pool, level(3), { ACCESS_TOKEN: access })
    assert.equal(lifted.ChallengeName, 'SOFTWARE_TOKEN_MFA')
    const done = proofs(await answer(pool, lifted, { SOFTWARE_TOKEN_MFA_CODE: device.code() }))
    assert.equal(done.acr, level(4))
  })

  test('a factor that is gone before the end leaves no way to lower tokens', async () => {
    const pool = await createPool()
    await withApplication(pool)
    const choice = await toward(pool, level(4))
    await app.aws.adminDeleteSoftwareToken({ UserPoolId: pool.poolId, Username: 'ann' })
    const outcome = await failureOf(answer(pool, choice, { ANSWER: 'PASSWORD', PASSWORD: password }))
    assert.match(outcome?.name ?? '', /^(InvalidParameter|NotAuthorized)Exception$/)
  })

  test('a name that nobody has meets the answers of a user with a password and an address', async () => {
    const pool = await createPool({ factors: ['PASSWORD', 'EMAIL_OTP'], client: discreetChoice })
    await createAnn(pool)
    const answers = async (name: string) => {
      const shown: unknown[] = []
      for (const n of [1, 2, 3, 4]) {
        const outcome = await toward(pool, level(n), {}, name).catch((error: Error) => error)
        shown.push(outcome instanceof Error ? outcome.message : outcome.AvailableChallenges)
      }
      return shown
    }
    const [ofUser, ofNobody] = [await answers('ann'), await answers('ghost')]
    assert.deepEqual(ofNobody, ofUser)
  })
})
