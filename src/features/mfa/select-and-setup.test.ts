import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  authenticator,
  createMfaPool,
  mailFactor,
  registerAuthenticator,
  respond,
  smsFactor,
  tokenFactor,
} from '../../../test/support/mfa.ts'
import { attributesOf, email, phone, statusOf, type TestPool } from '../../../test/support/pools.ts'
import {
  beginSrp,
  beginWithPassword,
  claimsOf,
  createUser,
  failureOf,
  invalidParameter,
  notAuthorized,
  password,
  secretHash,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const number = '+12065551234'
const invalidSession = notAuthorized('Invalid session for the user.')
const sessionUsed = notAuthorized('Invalid session for the user, session can only be used once.')
const sessionExpired = notAuthorized('Invalid session for the user, session is expired.')
/** Mail that recovers accounts is offered as second factor to nobody by itself. */
const byAdministrator = {
  AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'admin_only' as const, Priority: 1 }] },
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

  const required = (config: Parameters<typeof createMfaPool>[1], changes: Parameters<typeof createMfaPool>[2] = {}) =>
    createMfaPool(app, { MfaConfiguration: 'ON', ...config }, changes)
  const listed = (text: string | undefined): unknown => JSON.parse(text ?? '[]')

  // ------------------------------------------------------------------------------------------ SELECT_MFA_TYPE

  /** A user with all three factors, none of them preferred. */
  const createChooser = async (pool: TestPool, name: string) => {
    await createUser(app, pool.poolId, name, [phone(number), email(`${name}@example.com`)])
    const { access } = await signIn(app, pool.clientId, name)
    const device = await registerAuthenticator(app, access, 'phone')
    await app.aws.setUserMFAPreference({
      AccessToken: access,
      SMSMfaSettings: { Enabled: true },
      SoftwareTokenMfaSettings: { Enabled: true },
      EmailMfaSettings: { Enabled: true },
    })
    app.advance(seconds(30))
    return device
  }
  const everyFactor = { MfaConfiguration: 'OPTIONAL', ...smsFactor, ...tokenFactor, ...mailFactor } as const

  test('who has several factors and prefers none chooses, and the choice leads to its challenge', async () => {
    const pool = await createMfaPool(app, everyFactor)
    const device = await createChooser(pool, 'ann')
    const choose = async (ANSWER: string) => {
      const sent = (await app.messages()).length
      const challenge = await beginWithPassword(app, pool.clientId, 'ann')
      assert.equal(challenge.ChallengeName, 'SELECT_MFA_TYPE')
      assert.equal(challenge.ChallengeParameters?.['USER_ID_FOR_SRP'], 'ann')
      const { MFAS_CAN_CHOOSE } = challenge.ChallengeParameters ?? {}
      assert.deepEqual(listed(MFAS_CAN_CHOOSE), ['SMS_MFA', 'SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'])
      assert.equal((await app.messages()).length, sent, 'nothing is sent before the choice')
      const next = await respond(app, pool.clientId, 'ann', challenge, { ANSWER })
      assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', challenge, { ANSWER })), sessionUsed)
      return next
    }
    const totp = await choose('SOFTWARE_TOKEN_MFA')
    assert.deepEqual(
      [totp.ChallengeName, totp.ChallengeParameters],
      ['SOFTWARE_TOKEN_MFA', { FRIENDLY_DEVICE_NAME: 'phone' }],
    )
    tokensOf(await respond(app, pool.clientId, 'ann', totp, { SOFTWARE_TOKEN_MFA_CODE: device.code() }))
    const sms = await choose('SMS_MFA')
    assert.equal(sms.ChallengeName, 'SMS_MFA')
    tokensOf(await respond(app, pool.clientId, 'ann', sms, { SMS_MFA_CODE: await app.lastCode(number) }))
    for (const name of ['EMAIL_OTP', 'EMAIL_MFA']) {
      const mail = await choose(name)
      assert.equal(mail.ChallengeName, 'EMAIL_OTP')
      const EMAIL_OTP_CODE = await app.lastCode('ann@example.com')
      tokensOf(await respond(app, pool.clientId, 'ann', mail, { EMAIL_OTP_CODE }))
    }
  })

  test('a factor that was not offered cannot be chosen, and the session survives that', async () => {
    const pool = await createMfaPool(app, everyFactor)
    const device = await createChooser(pool, 'ann')
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      EmailMfaSettings: { Enabled: false },
    })
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(listed(challenge.ChallengeParameters?.['MFAS_CAN_CHOOSE']), ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'])
    for (const ANSWER of ['EMAIL_OTP', 'EMAIL_MFA', 'WEB_AUTHN', 'PASSWORD', '__proto__', 'toString']) {
      const failure = await failureOf(respond(app, pool.clientId, 'ann', challenge, { ANSWER }))
      assert.equal(failure?.name, 'InvalidParameterException', ANSWER)
    }
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, 'ann', challenge)),
      invalidParameter('Missing required parameter ANSWER'),
    )
    const totp = await respond(app, pool.clientId, 'ann', challenge, { ANSWER: 'SOFTWARE_TOKEN_MFA' })
    tokensOf(await respond(app, pool.clientId, 'ann', totp, { SOFTWARE_TOKEN_MFA_CODE: device.code() }))
  })

  // ------------------------------------------------------------------------------------------ MFA_SETUP

  test('a user without a factor sets up an authenticator and is asked for it from then on', async () => {
    const pool = await required({ ...smsFactor, ...tokenFactor })
    await app.aws.signUp({ ClientId: pool.clientId, Username: 'ann', Password: password })
    await app.aws.adminConfirmSignUp({ UserPoolId: pool.poolId, Username: 'ann' })
    const setup = await (await beginSrp(app, pool, 'ann')).answer()
    assert.equal(setup.ChallengeName, 'MFA_SETUP')
    assert.deepEqual(listed(setup.ChallengeParameters?.['MFAS_CAN_SETUP']), ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'])
    const associated = await app.aws.associateSoftwareToken({ Session: setup.Session })
    const device = authenticator(app, associated.SecretCode)
    const UserCode = device.code()
    const verified = await app.aws.verifySoftwareToken({
      Session: associated.Session,
      UserCode,
      FriendlyDeviceName: 'phone',
    })
    assert.equal(verified.Status, 'SUCCESS')
    const answer = { ChallengeName: 'MFA_SETUP', Session: verified.Session }
    const done = await respond(app, pool.clientId, 'ann', answer, { SOFTWARE_TOKEN_MFA_CODE: UserCode })
    assert.deepEqual(done.ChallengeParameters, {})
    assert.deepEqual(claimsOf(tokensOf(done).id)['amr'], ['pwd', 'otp', 'mfa'])
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', answer)), sessionUsed)
    const { UserMFASettingList } = await app.aws.getUser({ AccessToken: tokensOf(done).access })
    assert.deepEqual(UserMFASettingList, ['SOFTWARE_TOKEN_MFA'])
    const next = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(next.ChallengeName, 'SOFTWARE_TOKEN_MFA')
    assert.equal(next.ChallengeParameters?.['FRIENDLY_DEVICE_NAME'], 'phone')
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', next, { SOFTWARE_TOKEN_MFA_CODE: UserCode })), {
      name: 'ExpiredCodeException',
      message: 'Your software token has already been used once.',
    })
    app.advance(seconds(30))
    tokensOf(await respond(app, pool.clientId, 'ann', next, { SOFTWARE_TOKEN_MFA_CODE: device.code() }))
  })

  test('a temporary password is replaced before the set-up', async () => {
    const pool = await required(tokenFactor)
    await app.aws.adminCreateUser({
      UserPoolId: pool.poolId,
      Username: 'ann',
      TemporaryPassword: password,
      MessageAction: 'SUPPRESS',
    })
    const first = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(first.ChallengeName, 'NEW_PASSWORD_REQUIRED')
    const setup = await respond(app, pool.clientId, 'ann', first, { NEW_PASSWORD: 'N3w-Passw0rd' })
    assert.equal(setup.ChallengeName, 'MFA_SETUP')
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'CONFIRMED')
    const associated = await app.aws.associateSoftwareToken({ Session: setup.Session })
    const UserCode = authenticator(app, associated.SecretCode).code()
    const { Session } = await app.aws.verifySoftwareToken({ Session: associated.Session, UserCode })
    tokensOf(await respond(app, pool.clientId, 'ann', { ChallengeName: 'MFA_SETUP', Session }))
    const next = await beginWithPassword(app, pool.clientId, 'ann', 'N3w-Passw0rd')
    assert.equal(next.ChallengeName, 'SOFTWARE_TOKEN_MFA')
  })

  test('a client with a secret sends its hash with the answer, and none with the token', async () => {
    const pool = await required(tokenFactor, { client: { GenerateSecret: true } })
    const { UserPoolClient } = await app.aws.describeUserPoolClient({
      UserPoolId: pool.poolId,
      ClientId: pool.clientId,
    })
    const SECRET_HASH = secretHash('ann', pool.clientId, UserPoolClient?.ClientSecret ?? '')
    await createUser(app, pool.poolId, 'ann')
    const setup = await beginWithPassword(app, pool.clientId, 'ann', password, { SECRET_HASH })
    const associated = await app.aws.associateSoftwareToken({ Session: setup.Session })
    const UserCode = authenticator(app, associated.SecretCode).code()
    const { Session } = await app.aws.verifySoftwareToken({ Session: associated.Session, UserCode })
    const answer = { ChallengeName: 'MFA_SETUP', Session }
    const missing = await failureOf(respond(app, pool.clientId, 'ann', answer))
    assert.match(missing?.message ?? '', /is configured with secret but SECRET_HASH was not received$/)
    tokensOf(await respond(app, pool.clientId, 'ann', answer, { SECRET_HASH }))
  })

  test('the set-up is not finished before a code was given, and a wrong one leaves the session alive', async () => {
    const pool = await required(tokenFactor)
    await createUser(app, pool.poolId, 'ann')
    const setup = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, 'ann', setup)),
      invalidParameter('User has not set up software token mfa'),
    )
    const early = await failureOf(app.aws.verifySoftwareToken({ Session: setup.Session, UserCode: '123456' }))
    assert.equal(early?.name, 'SoftwareTokenMFANotFoundException')
    const associated = await app.aws.associateSoftwareToken({ Session: setup.Session })
    assert.deepEqual(await failureOf(app.aws.associateSoftwareToken({ Session: setup.Session })), sessionUsed)
    const device = authenticator(app, associated.SecretCode)
    const pending = { ChallengeName: 'MFA_SETUP', Session: associated.Session }
    assert.equal((await failureOf(respond(app, pool.clientId, 'ann', pending)))?.name, 'InvalidParameterException')
    const verify = (UserCode: string) => app.aws.verifySoftwareToken({ Session: associated.Session, UserCode })
    assert.deepEqual(await failureOf(verify(device.wrongCode())), mismatch)
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => verify(device.code())))
    const sessions = all.flatMap(each => (each.status === 'fulfilled' ? [each.value.Session] : []))
    assert.equal(sessions.length, 1)
    const answer = { ChallengeName: 'MFA_SETUP', Session: sessions[0] }
    // What is set up is not set up again.
    assert.equal(
      (await failureOf(app.aws.associateSoftwareToken({ Session: sessions[0] })))?.name,
      'InvalidParameterException',
    )
    tokensOf(await respond(app, pool.clientId, 'ann', answer))
    app.advance(minutes(3))
    assert.deepEqual(await failureOf(app.aws.associateSoftwareToken({ Session: associated.Session })), sessionExpired)
  })

  test('of two sign-ins that set up at the same time the first to prove a secret wins', async () => {
    const pool = await required(tokenFactor)
    await createUser(app, pool.poolId, 'ann')
    const begin = async () => {
      const { Session } = await beginWithPassword(app, pool.clientId, 'ann')
      const associated = await app.aws.associateSoftwareToken({ Session })
      const UserCode = authenticator(app, associated.SecretCode).code()
      return () => app.aws.verifySoftwareToken({ Session: associated.Session, UserCode })
    }
    const all = await Promise.allSettled((await Promise.all([begin(), begin(), begin()])).map(verify => verify()))
    assert.equal(all.filter(each => each.status === 'fulfilled').length, 1)
    for (const each of all) {
      if (each.status === 'rejected') assert.equal((each.reason as Error).name, 'NotAuthorizedException')
    }
  })

  test('a sign-in that waits for a factor or a password sets up none', async () => {
    const pool = await createMfaPool(app, everyFactor)
    await createChooser(pool, 'ann')
    const select = await beginWithPassword(app, pool.clientId, 'ann')
    const totp = await respond(app, pool.clientId, 'ann', select, { ANSWER: 'SOFTWARE_TOKEN_MFA' })
    await app.aws.adminCreateUser({
      UserPoolId: pool.poolId,
      Username: 'new',
      TemporaryPassword: password,
      MessageAction: 'SUPPRESS',
    })
    const invited = await beginWithPassword(app, pool.clientId, 'new')
    const srp = await beginSrp(app, pool, 'ann')
    const garbage = ['x'.repeat(20), `${pool.clientId}.${'x'.repeat(40)}`, `nobody.${totp.Session}`]
    for (const Session of [select.Session, totp.Session, invited.Session, srp.session, ...garbage]) {
      assert.deepEqual(await failureOf(app.aws.associateSoftwareToken({ Session })), invalidSession)
      assert.deepEqual(await failureOf(app.aws.verifySoftwareToken({ Session, UserCode: '123456' })), invalidSession)
    }
  })

  test('who has come by a factor in the meantime proves that one instead of setting up another', async () => {
    const pool = await required({ ...smsFactor, ...tokenFactor })
    await createUser(app, pool.poolId, 'ann')
    const setup = await beginWithPassword(app, pool.clientId, 'ann')
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: pool.poolId,
      Username: 'ann',
      UserAttributes: [phone(number)],
    })
    assert.deepEqual(await failureOf(app.aws.associateSoftwareToken({ Session: setup.Session })), invalidSession)
    assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'SMS_MFA')
  })

  test('after the authenticator is deleted the user sets up another', async () => {
    const pool = await required(tokenFactor)
    await createUser(app, pool.poolId, 'ann')
    const setup = await beginWithPassword(app, pool.clientId, 'ann')
    const associated = await app.aws.associateSoftwareToken({ Session: setup.Session })
    const UserCode = authenticator(app, associated.SecretCode).code()
    await app.aws.verifySoftwareToken({ Session: associated.Session, UserCode })
    await app.aws.adminDeleteSoftwareToken({ UserPoolId: pool.poolId, Username: 'ann' })
    assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'MFA_SETUP')
  })

  for (const key of ['EMAIL', 'email']) {
    test(`an address is set up with a code, named by ${key}`, async () => {
      const pool = await required({ ...tokenFactor, ...mailFactor }, { pool: byAdministrator })
      await createUser(app, pool.poolId, 'ann')
      const setup = await beginWithPassword(app, pool.clientId, 'ann')
      assert.deepEqual(listed(setup.ChallengeParameters?.['MFAS_CAN_SETUP']), ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'])
      for (const address of ['ann', 'ann@', `${'a'.repeat(3_000)}@example.com`]) {
        const failure = await failureOf(respond(app, pool.clientId, 'ann', setup, { [key]: address }))
        assert.equal(failure?.name, 'InvalidParameterException', address.slice(0, 20))
      }
      const challenge = await respond(app, pool.clientId, 'ann', setup, { [key]: 'ann@example.com' })
      assert.equal(challenge.ChallengeName, 'EMAIL_OTP')
      assert.equal(challenge.ChallengeParameters?.['CODE_DELIVERY_DESTINATION'], 'a***@e***')
      assert.equal((await attributesOf(app, pool.poolId, 'ann'))['email'], undefined)
      const EMAIL_OTP_CODE = await app.lastCode('ann@example.com')
      const done = await respond(app, pool.clientId, 'ann', challenge, { EMAIL_OTP_CODE })
      assert.deepEqual(claimsOf(tokensOf(done).id)['email'], 'ann@example.com')
      const { UserMFASettingList } = await app.aws.adminGetUser({ UserPoolId: pool.poolId, Username: 'ann' })
      assert.deepEqual(UserMFASettingList, ['EMAIL_OTP'])
      assert.equal((await attributesOf(app, pool.poolId, 'ann'))['email_verified'], 'true')
      assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'EMAIL_OTP')
    })
  }

  test('an address is not set up where mail is no factor, nor one that another user signs in with', async () => {
    const tokens = await required(tokenFactor)
    await createUser(app, tokens.poolId, 'ann')
    const without = await beginWithPassword(app, tokens.clientId, 'ann')
    const refused = await failureOf(respond(app, tokens.clientId, 'ann', without, { EMAIL: 'ann@example.com' }))
    assert.equal(refused?.name, 'InvalidParameterException')

    const pool = await required(
      { ...tokenFactor, ...mailFactor },
      { pool: { ...byAdministrator, AliasAttributes: ['email'] } },
    )
    await createUser(app, pool.poolId, 'eve', [email('eve@example.com'), { Name: 'email_verified', Value: 'true' }])
    await createUser(app, pool.poolId, 'ann')
    const setup = await beginWithPassword(app, pool.clientId, 'ann')
    const challenge = await respond(app, pool.clientId, 'ann', setup, { EMAIL: 'eve@example.com' })
    const EMAIL_OTP_CODE = await app.lastCode('eve@example.com')
    assert.deepEqual(await failureOf(respond(app, pool.clientId, 'ann', challenge, { EMAIL_OTP_CODE })), {
      name: 'AliasExistsException',
      message: 'An account with the given email already exists.',
    })
    assert.equal((await attributesOf(app, pool.poolId, 'ann'))['email'], undefined)
  })

  test('where nothing can be used or set up, nobody signs in', async () => {
    const recovery = { RecoveryMechanisms: [{ Name: 'verified_phone_number' as const, Priority: 1 }] }
    const pool = await required(smsFactor, { pool: { AccountRecoverySetting: recovery } })
    await createUser(app, pool.poolId, 'ann', [phone(number)])
    assert.equal((await failureOf(beginWithPassword(app, pool.clientId, 'ann')))?.name, 'MFAMethodNotFoundException')
  })
})
