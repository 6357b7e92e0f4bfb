import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { respond } from '../../../test/support/mfa.ts'
import { email, phone, type TestPool } from '../../../test/support/pools.ts'
import {
  claimsOf,
  createUser,
  exceeded,
  failureOf,
  incorrect,
  invalidParameter,
  notAuthorized,
  password,
  secretHash,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import { createSrpClient, srpTimestamp } from '../../../test/support/srp-client.ts'
import {
  answerCode,
  beginChoice,
  choose,
  createChoicePool,
  createComplete,
  createPasswordless,
  discreetChoice,
  number,
} from '../../../test/support/user-auth.ts'

const wrongCode = { name: 'CodeMismatchException', message: 'Invalid code or auth state for the user.' }
const invalidSession = notAuthorized('Invalid session for the user.')
const sessionUsed = notAuthorized('Invalid session for the user, session can only be used once.')
const notOffered = invalidParameter('The selected challenge is not available to the user.')

const all = ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP', 'SMS_OTP']

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const offered = async (pool: TestPool, name: string): Promise<string[]> => {
    const { ChallengeName, AvailableChallenges = [], ChallengeParameters, Session } = await beginChoice(app, pool, name)
    if (ChallengeName === 'SELECT_CHALLENGE') assert.deepEqual(ChallengeParameters, {})
    else assert.deepEqual(AvailableChallenges, [ChallengeName])
    assert.ok(Session)
    return AvailableChallenges
  }

  test('the user chooses among the first factors that pool and user have', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    assert.deepEqual(await offered(pool, 'ann'), all)
    await createUser(app, pool.poolId, 'bob')
    assert.deepEqual(await offered(pool, 'bob'), ['PASSWORD', 'PASSWORD_SRP'])
    await createPasswordless(app, pool, 'cid', [email('cid@example.com'), phone(number)])
    assert.deepEqual(await offered(pool, 'cid'), ['EMAIL_OTP', 'SMS_OTP'])
    const byPassword = await createChoicePool(app, { factors: ['PASSWORD'] })
    await createComplete(app, byPassword, 'ann')
    assert.deepEqual(await offered(byPassword, 'ann'), ['PASSWORD', 'PASSWORD_SRP'])
    const byMail = await createChoicePool(app, { factors: ['PASSWORD', 'EMAIL_OTP'] })
    await createComplete(app, byMail, 'ann')
    assert.deepEqual(await offered(byMail, 'ann'), ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP'])
  })

  test('a single first factor begins at once', async () => {
    const pool = await createChoicePool(app)
    await createPasswordless(app, pool, 'ann')
    const challenge = await beginChoice(app, pool, 'ann')
    assert.equal(challenge.ChallengeName, 'EMAIL_OTP')
    assert.deepEqual(challenge.ChallengeParameters, {
      CODE_DELIVERY_DELIVERY_MEDIUM: 'EMAIL',
      CODE_DELIVERY_DESTINATION: 'a***@e***',
    })
    assert.deepEqual(challenge.AvailableChallenges, ['EMAIL_OTP'])
    tokensOf(await answerCode(app, pool, 'ann', challenge, await app.lastCode('ann@example.com')))
  })

  test('a password signs in at once, as parameter, as choice, or as the answer to the choice', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const signedIn = [
      await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password }),
      await choose(app, pool, 'ann', 'PASSWORD', { PASSWORD: password }),
      await respond(
        app,
        pool.clientId,
        'ann',
        { ...(await beginChoice(app, pool, 'ann')), ChallengeName: 'PASSWORD' },
        { PASSWORD: password },
      ),
    ]
    for (const result of signedIn) {
      assert.deepEqual(result.ChallengeParameters, {})
      assert.equal(result.AvailableChallenges, undefined)
      assert.deepEqual(claimsOf(tokensOf(result).id)['amr'], ['pwd'])
    }
  })

  test('SRP signs in, as parameter, as choice, or as the answer to the choice', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const srp = createSrpClient(pool.poolId)
    const begun = [
      await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD_SRP', SRP_A: srp.srpA }),
      await choose(app, pool, 'ann', 'PASSWORD_SRP', { SRP_A: srp.srpA }),
      await respond(
        app,
        pool.clientId,
        'ann',
        { ...(await beginChoice(app, pool, 'ann')), ChallengeName: 'PASSWORD_SRP' },
        { SRP_A: srp.srpA },
      ),
    ]
    for (const challenge of begun) {
      assert.equal(challenge.ChallengeName, 'PASSWORD_VERIFIER')
      const responses = srp.answer(challenge.ChallengeParameters ?? {}, password, srpTimestamp(app.now()))
      const done = await app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        Session: challenge.Session,
        ChallengeResponses: responses,
      })
      assert.deepEqual(claimsOf(tokensOf(done).access)['amr'], ['pwd'])
    }
  })

  test('an administrator goes through the same choice', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const { poolId: UserPoolId, clientId: ClientId } = pool
    const begun = await app.aws.adminInitiateAuth({
      UserPoolId,
      ClientId,
      AuthFlow: 'USER_AUTH',
      AuthParameters: { USERNAME: 'ann' },
    })
    assert.deepEqual(begun.AvailableChallenges, all)
    const challenge = await app.aws.adminRespondToAuthChallenge({
      UserPoolId,
      ClientId,
      ChallengeName: 'SELECT_CHALLENGE',
      Session: begun.Session,
      ChallengeResponses: { USERNAME: 'ann', ANSWER: 'EMAIL_OTP' },
    })
    tokensOf(
      await app.aws.adminRespondToAuthChallenge({
        UserPoolId,
        ClientId,
        ChallengeName: 'EMAIL_OTP',
        Session: challenge.Session,
        ChallengeResponses: { USERNAME: 'ann', EMAIL_OTP_CODE: await app.lastCode() },
      }),
    )
  })

  test('a preference that the user cannot have leads to the choice, and one that nobody has is refused', async () => {
    const pool = await createChoicePool(app, { factors: ['PASSWORD', 'EMAIL_OTP'] })
    await app.aws.adminCreateUser({
      UserPoolId: pool.poolId,
      Username: 'ann',
      TemporaryPassword: password,
      MessageAction: 'SUPPRESS',
      UserAttributes: [email('ann@example.com')],
    })
    const sent = (await app.messages()).length
    for (const PREFERRED_CHALLENGE of ['EMAIL_OTP', 'SMS_OTP']) {
      const choice = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE })
      assert.equal(choice.ChallengeName, 'SELECT_CHALLENGE')
      assert.deepEqual(choice.AvailableChallenges, ['PASSWORD', 'PASSWORD_SRP'])
    }
    assert.equal((await app.messages()).length, sent)
    const parameters = { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password }
    assert.equal((await beginChoice(app, pool, 'ann', parameters)).ChallengeName, 'NEW_PASSWORD_REQUIRED')
    for (const PREFERRED_CHALLENGE of ['SMS_MFA', 'password', 'constructor', '__proto__']) {
      const refusal = await failureOf(beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE }))
      assert.equal(refusal?.name, 'InvalidParameterException')
    }
  })

  test('what a factor needs must come with it', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const refusal = async (parameters: Record<string, string>) => failureOf(beginChoice(app, pool, 'ann', parameters))
    const missing = (name: string) => invalidParameter(`Missing required parameter ${name}`)
    assert.deepEqual(await refusal({ PREFERRED_CHALLENGE: 'PASSWORD' }), missing('PASSWORD'))
    assert.deepEqual(await refusal({ PREFERRED_CHALLENGE: 'PASSWORD_SRP' }), missing('SRP_A'))
    assert.deepEqual(await failureOf(choose(app, pool, 'ann', '')), missing('ANSWER'))
    assert.deepEqual(await failureOf(choose(app, pool, 'ann', 'PASSWORD')), missing('PASSWORD'))
    assert.deepEqual(await failureOf(choose(app, pool, 'ann', 'PASSWORD_SRP')), missing('SRP_A'))
    const challenge = await choose(app, pool, 'ann', 'EMAIL_OTP')
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', challenge)), missing('EMAIL_OTP_CODE'))
    const unnamed = app.aws.initiateAuth({ ClientId: pool.clientId, AuthFlow: 'USER_AUTH', AuthParameters: {} })
    assert.deepEqual(await failureOf(unnamed), missing('USERNAME'))
  })

  test('a factor that is not offered cannot be chosen', async () => {
    const pool = await createChoicePool(app, { factors: ['PASSWORD', 'EMAIL_OTP'] })
    await createComplete(app, pool, 'ann')
    assert.deepEqual(await failureOf(choose(app, pool, 'ann', 'SMS_OTP')), notOffered)
    await createPasswordless(app, pool, 'bob')
    const { Session } = await beginChoice(app, pool, 'bob', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password })
    const chosen = { ChallengeName: 'SELECT_CHALLENGE', Session }
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, 'bob', chosen, { ANSWER: 'PASSWORD', PASSWORD: password })),
      notOffered,
    )
    await createUser(app, pool.poolId, 'cid')
    assert.deepEqual(await failureOf(choose(app, pool, 'cid', 'EMAIL_OTP')), notOffered)
  })

  test('the flow needs a client that allows it and a pool that has it', async () => {
    const pool = await createChoicePool(app, {
      client: { ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
    })
    await createComplete(app, pool, 'ann')
    assert.deepEqual(
      await failureOf(beginChoice(app, pool, 'ann')),
      invalidParameter('USER_AUTH flow not enabled for this client'),
    )
  })

  test('a second factor leaves only passwords to begin with', async () => {
    const pool = await createChoicePool(app)
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'OPTIONAL',
      SoftwareTokenMfaConfiguration: { Enabled: true },
      SmsMfaConfiguration: {
        SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sms', ExternalId: 'id' },
      },
    })
    await createComplete(app, pool, 'ann')
    assert.deepEqual(await offered(pool, 'ann'), all)
    const challenge = await choose(app, pool, 'ann', 'EMAIL_OTP')
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SMSMfaSettings: { Enabled: true },
    })
    // What was begun before is no way around it.
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', challenge, await app.lastCode())), invalidSession)
    assert.deepEqual(await offered(pool, 'ann'), ['PASSWORD', 'PASSWORD_SRP'])
    assert.deepEqual(await failureOf(choose(app, pool, 'ann', 'EMAIL_OTP')), notOffered)
    const second = await beginChoice(app, pool, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password })
    assert.equal(second.ChallengeName, 'SMS_MFA')
    assert.equal(second.ChallengeParameters?.['USER_ID_FOR_SRP'], 'ann')
    const done = await respond(app, pool.clientId, 'ann', second, { SMS_MFA_CODE: await app.lastCode(number) })
    assert.deepEqual(claimsOf(tokensOf(done).access)['amr'], ['pwd', 'sms', 'mfa'])
  })

  test('sessions are bound to client, user and step', async () => {
    const pool = await createChoicePool(app)
    const other = await createChoicePool(app)
    for (const each of [pool, other]) for (const name of ['ann', 'bob']) await createComplete(app, each, name)
    const choice = await beginChoice(app, pool, 'ann')
    const chosen = { ANSWER: 'EMAIL_OTP' }
    assert.deepEqual(await failureOf(respond(app, other.clientId, 'ann', choice, chosen)), invalidSession)
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'bob', choice, chosen)), invalidSession)
    const asCode = { ...choice, ChallengeName: 'EMAIL_OTP' }
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', asCode, '12345678')), invalidSession)
    const challenge = await respond(app, pool.clientId, 'ann', choice, chosen)
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', choice, chosen)), sessionUsed)
    assert.deepEqual(await failureOf(answerCode(app, other, 'ann', challenge, await app.lastCode())), invalidSession)
    const asSms = { ...challenge, ChallengeName: 'SMS_OTP' }
    assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', asSms, await app.lastCode())), invalidSession)
    tokensOf(await answerCode(app, pool, 'ann', challenge, await app.lastCode()))
  })

  test('a wrong password leaves the choice, counts, and locks all factors for a while', async () => {
    const pool = await createChoicePool(app)
    await createComplete(app, pool, 'ann')
    const choice = await beginChoice(app, pool, 'ann')
    const tryPassword = (text: string) =>
      respond(app, pool.clientId, 'ann', choice, { ANSWER: 'PASSWORD', PASSWORD: text })
    for (let count = 1; count <= 4; count++) assert.deepEqual(await failureOf(tryPassword('wrong')), incorrect)
    const parameters = { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: 'wrong' }
    assert.deepEqual(await failureOf(beginChoice(app, pool, 'ann', parameters)), incorrect)
    assert.deepEqual(await failureOf(tryPassword(password)), exceeded)
    assert.deepEqual(await failureOf(beginChoice(app, pool, 'ann')), exceeded)
    app.advance(seconds(1))
    tokensOf(await tryPassword(password))
  })

  test('a user who may not sign in is told so, or passes for nobody', async () => {
    for (const client of [{}, discreetChoice]) {
      const pool = await createChoicePool(app, { client })
      const isHidden = client === discreetChoice
      const { poolId: UserPoolId } = pool
      await createComplete(app, pool, 'ann')
      const begun = await choose(app, pool, 'ann', 'EMAIL_OTP')
      await app.aws.adminDisableUser({ UserPoolId, Username: 'ann' })
      const refused = await failureOf(answerCode(app, pool, 'ann', begun, await app.lastCode()))
      assert.deepEqual(refused, isHidden ? invalidSession : notAuthorized('User is disabled.'))
      const sent = (await app.messages()).length
      if (isHidden) {
        const challenge = await choose(app, pool, 'ann', 'EMAIL_OTP')
        assert.deepEqual(await failureOf(answerCode(app, pool, 'ann', challenge, '12345678')), wrongCode)
      } else {
        assert.deepEqual(await failureOf(beginChoice(app, pool, 'ann')), notAuthorized('User is disabled.'))
      }
      assert.equal((await app.messages()).length, sent)

      await createComplete(app, pool, 'bob')
      await app.aws.adminResetUserPassword({ UserPoolId, Username: 'bob' }).catch(() => undefined)
      await app.aws.adminUpdateUserAttributes({
        UserPoolId,
        Username: 'bob',
        UserAttributes: [{ Name: 'email_verified', Value: 'true' }],
      })
      await app.aws.adminResetUserPassword({ UserPoolId, Username: 'bob' })
      // The administrator has asked for a new password; a code does not replace it.
      assert.deepEqual(await offered(pool, 'bob'), ['PASSWORD', 'PASSWORD_SRP'])

      await createPasswordless(app, pool, 'cid', [])
      if (isHidden) {
        assert.deepEqual(await offered(pool, 'cid'), ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP'])
        assert.deepEqual(await failureOf(choose(app, pool, 'cid', 'PASSWORD', { PASSWORD: password })), incorrect)
      } else assert.deepEqual(await failureOf(beginChoice(app, pool, 'cid')), incorrect)
    }
  })

  test('the secret hash is checked in every step', async () => {
    const pool = await createChoicePool(app, { client: { GenerateSecret: true } })
    const { UserPoolClient } = await app.aws.describeUserPoolClient({
      UserPoolId: pool.poolId,
      ClientId: pool.clientId,
    })
    await createComplete(app, pool, 'ann')
    const SECRET_HASH = secretHash('ann', pool.clientId, UserPoolClient?.ClientSecret ?? '')
    const wrong = secretHash('bob', pool.clientId, UserPoolClient?.ClientSecret ?? '')
    const missing = notAuthorized(`Client ${pool.clientId} is configured with secret but SECRET_HASH was not received`)
    const mismatch = notAuthorized(`Unable to verify secret hash for client ${pool.clientId}`)
    assert.deepEqual(await failureOf(beginChoice(app, pool, 'ann')), missing)
    assert.deepEqual(await failureOf(beginChoice(app, pool, 'ann', { SECRET_HASH: wrong })), mismatch)
    const choice = await beginChoice(app, pool, 'ann', { SECRET_HASH })
    const select = (more: Record<string, string>) =>
      respond(app, pool.clientId, 'ann', choice, { ANSWER: 'EMAIL_OTP', ...more })
    assert.deepEqual(await failureOf(select({})), missing)
    assert.deepEqual(await failureOf(select({ SECRET_HASH: wrong })), mismatch)
    const challenge = await select({ SECRET_HASH })
    const EMAIL_OTP_CODE = await app.lastCode()
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', challenge, { EMAIL_OTP_CODE })), missing)
    tokensOf(await respond(app, pool.clientId, 'ann', challenge, { EMAIL_OTP_CODE, SECRET_HASH }))
  })
})
