import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { respond } from '../../../test/support/mfa.ts'
import { email, phone, statusOf, type TestPool } from '../../../test/support/pools.ts'
import {
  beginWithPassword,
  claimsOf,
  failureOf,
  invalidParameter,
  notAuthorized,
  password,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import { beginChoice, createChoicePool, discreetChoice, number } from '../../../test/support/user-auth.ts'

const invalidSession = notAuthorized('Invalid session for the user.')
const sessionUsed = notAuthorized('Invalid session for the user, session can only be used once.')
const sessionExpired = notAuthorized('Invalid session for the user, session is expired.')

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const signUp = (pool: TestPool, name: string, more: { Password?: string; UserAttributes?: object[] } = {}) =>
    app.aws.signUp({
      ClientId: pool.clientId,
      Username: name,
      UserAttributes: [email(`${name}@example.com`)],
      ...more,
    } as Parameters<typeof app.aws.signUp>[0])

  const confirm = async (pool: TestPool, name: string, Session?: string) =>
    app.aws.confirmSignUp({
      ClientId: pool.clientId,
      Username: name,
      ConfirmationCode: await app.lastCode(),
      ...(Session !== undefined && { Session }),
    })

  const handOver = (pool: TestPool, name: string, Session: string | undefined) =>
    beginChoice(app, pool, name, {}, { Session })

  test('who signs up without a password and confirms is signed in at once, by the code of the confirmation', async () => {
    const pool = await createChoicePool(app)
    const { Session, UserConfirmed } = await signUp(pool, 'ann')
    assert.equal(UserConfirmed, false)
    assert.ok((Session?.length ?? 0) >= 20)
    const confirmed = await confirm(pool, 'ann', Session)
    assert.notEqual(confirmed.Session, Session)
    const { access, id } = tokensOf(await handOver(pool, 'ann', confirmed.Session))
    for (const token of [access, id]) assert.deepEqual(claimsOf(token)['amr'], ['email_otp'])
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'CONFIRMED')
    assert.deepEqual(await failureOf(handOver(pool, 'ann', confirmed.Session)), sessionUsed)
    // There is no password that could be guessed, and the next sign-in takes a new code.
    const challenge = await beginChoice(app, pool, 'ann')
    assert.equal(challenge.ChallengeName, 'EMAIL_OTP')
    tokensOf(await respond(app, pool.clientId, 'ann', challenge, { EMAIL_OTP_CODE: await app.lastCode() }))
  })

  test('the number that was confirmed is the factor', async () => {
    const pool = await createChoicePool(app, { pool: { AutoVerifiedAttributes: ['phone_number'] } })
    await signUp(pool, 'ann', { UserAttributes: [phone(number), email('ann@example.com')] })
    const { Session } = await confirm(pool, 'ann')
    assert.deepEqual(claimsOf(tokensOf(await handOver(pool, 'ann', Session)).access)['amr'], ['sms'])
  })

  test('an administrator hands the session over as well', async () => {
    const pool = await createChoicePool(app)
    await signUp(pool, 'ann')
    const { Session } = await confirm(pool, 'ann')
    tokensOf(
      await app.aws.adminInitiateAuth({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: 'ann' },
        Session,
      }),
    )
  })

  test('there is no session where a code is no first factor, or the client has no choice', async () => {
    const pools = [
      await createChoicePool(app, { factors: ['PASSWORD'] }),
      await createChoicePool(app, { factors: ['PASSWORD', 'WEB_AUTHN'] }),
      await createChoicePool(app, {
        client: { ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
      }),
    ]
    for (const pool of pools) {
      assert.equal((await signUp(pool, 'ann', { Password: password })).Session, undefined)
      assert.equal((await confirm(pool, 'ann')).Session, undefined)
    }
    assert.deepEqual(
      await failureOf(signUp(pools[0] as TestPool, 'bob')),
      invalidParameter(
        "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
      ),
    )
  })

  test('a session is that of a confirmed user, of its client, and of no other step', async () => {
    const pool = await createChoicePool(app)
    const stranger = await createChoicePool(app)
    const { Session: unconfirmed } = await signUp(pool, 'ann')
    assert.deepEqual(await failureOf(handOver(pool, 'ann', unconfirmed)), invalidSession)
    const code = await app.lastCode()
    const { Session: ofBob } = await signUp(pool, 'bob')
    const { Session: ofStranger } = await signUp(stranger, 'ann')
    const { Session: choice } = await beginChoice(app, pool, 'ann')
    const confirmAnn = (Session: string | undefined) =>
      app.aws.confirmSignUp({ ClientId: pool.clientId, Username: 'ann', ConfirmationCode: code, Session })
    for (const wrong of [ofBob, ofStranger, choice, `${unconfirmed}x`, 'x'.repeat(2_048)]) {
      assert.deepEqual(await failureOf(confirmAnn(wrong)), invalidSession)
      assert.deepEqual(await failureOf(handOver(pool, 'ann', wrong)), invalidSession)
    }
    const { Session } = await confirmAnn(unconfirmed)
    assert.deepEqual(await failureOf(handOver(pool, 'bob', Session)), invalidSession)
    assert.deepEqual(await failureOf(handOver(stranger, 'ann', Session)), invalidSession)
    const asChallenge = { ChallengeName: 'SELECT_CHALLENGE', Session }
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, 'ann', asChallenge, { ANSWER: 'EMAIL_OTP' })),
      invalidSession,
    )
    tokensOf(await handOver(pool, 'ann', Session))
  })

  test('the confirmation outlives the session of the sign-up, and its own session lasts a few minutes', async () => {
    const pool = await createChoicePool(app)
    const { Session: early } = await signUp(pool, 'ann')
    app.advance(minutes(60))
    const { Session } = await confirm(pool, 'ann', early)
    app.advance(minutes(3) - 1)
    const { Session: other } = await (async () => {
      await signUp(pool, 'bob')
      return confirm(pool, 'bob')
    })()
    tokensOf(await handOver(pool, 'ann', Session))
    app.advance(minutes(3))
    assert.deepEqual(await failureOf(handOver(pool, 'bob', other)), sessionExpired)
  })

  test('a name that nobody has gets the answers of a wrong session', async () => {
    const pool = await createChoicePool(app, { client: discreetChoice })
    await signUp(pool, 'ann')
    const { Session } = await confirm(pool, 'ann')
    await signUp(pool, 'bob')
    for (const name of ['bob', 'ghost']) {
      assert.deepEqual(await failureOf(handOver(pool, name, Session)), invalidSession)
      const code = { ClientId: pool.clientId, Username: name, ConfirmationCode: '000000' }
      assert.deepEqual(await failureOf(app.aws.confirmSignUp({ ...code, Session })), invalidSession)
    }
  })

  test('a user whom an administrator creates without a password signs in with a code', async () => {
    const pool = await createChoicePool(app)
    const { User } = await app.aws.adminCreateUser({
      UserPoolId: pool.poolId,
      Username: 'ann',
      UserAttributes: [email('ann@example.com')],
      DesiredDeliveryMediums: ['EMAIL'],
    })
    assert.equal(User?.UserStatus, 'CONFIRMED')
    const challenge = await beginChoice(app, pool, 'ann')
    tokensOf(await respond(app, pool.clientId, 'ann', challenge, { EMAIL_OTP_CODE: await app.lastCode() }))
    assert.equal((await failureOf(beginWithPassword(app, pool.clientId, 'ann', '')))?.name, 'InvalidParameterException')
  })
})
