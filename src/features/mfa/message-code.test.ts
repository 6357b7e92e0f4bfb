import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createMfaPool, mailFactor, respond, smsFactor, tokenFactor } from '../../../test/support/mfa.ts'
import { attributesOf, createClient, email, phone, type TestPool, verified } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  claimsOf,
  createUser,
  exceeded,
  failureOf,
  invalidParameter,
  notAuthorized,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const wrong = { name: 'CodeMismatchException', message: 'Invalid code or auth state for the user.' }
const sessionUsed = notAuthorized('Invalid session for the user, session can only be used once.')
const sessionExpired = notAuthorized('Invalid session for the user, session is expired.')
const invalidSession = notAuthorized('Invalid session for the user.')

const number = '+12065551234'
const factors = { ...smsFactor, ...tokenFactor, ...mailFactor }

/** Not the code. */
const other = (code: string): string => `${(Number(code[0]) + 1) % 10}${code.slice(1)}`

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const optional = (changes: Parameters<typeof createMfaPool>[2] = {}) =>
    createMfaPool(app, { MfaConfiguration: 'OPTIONAL', ...factors }, changes)

  /** A user with number and address, both unverified, one of them switched on as factor. */
  const createHolder = async (pool: TestPool, name: string, factor: 'SMS_MFA' | 'EMAIL_OTP'): Promise<void> => {
    await createUser(app, pool.poolId, name, [phone(number), email(`${name}@example.com`)])
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: name,
      [factor === 'SMS_MFA' ? 'SMSMfaSettings' : 'EmailMfaSettings']: { Enabled: true },
    })
  }

  const answer = (pool: TestPool, name: string, challenge: Parameters<typeof respond>[3], code: string) =>
    respond(app, pool.clientId, name, challenge, {
      [challenge.ChallengeName === 'SMS_MFA' ? 'SMS_MFA_CODE' : 'EMAIL_OTP_CODE']: code,
    })

  test('a code by text message gives tokens and verifies the number', async () => {
    const pool = await optional()
    await createHolder(pool, 'ann', 'SMS_MFA')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(challenge.ChallengeName, 'SMS_MFA')
    assert.deepEqual(challenge.ChallengeParameters, {
      CODE_DELIVERY_DELIVERY_MEDIUM: 'SMS',
      CODE_DELIVERY_DESTINATION: '+*******1234',
      USER_ID_FOR_SRP: 'ann',
    })
    const [message] = await app.messages()
    assert.match(message?.code ?? '', /^[0-9]{6}$/)
    assert.equal(message?.to, number)
    assert.equal(message?.body, `Your authentication code is ${message?.code}. `)
    const claims = claimsOf(tokensOf(await answer(pool, 'ann', challenge, message?.code ?? '')).access)
    assert.deepEqual(claims['amr'], ['pwd', 'sms', 'mfa'])
    const attributes = await attributesOf(app, pool.poolId, 'ann')
    assert.equal(attributes['phone_number_verified'], 'true')
    assert.notEqual(attributes['email_verified'], 'true')
  })

  test('a code by mail gives tokens and verifies the address', async () => {
    const pool = await optional()
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      ...factors,
      MfaConfiguration: 'OPTIONAL',
      EmailMfaConfiguration: { Subject: 'Sign-in', Message: 'Use {####} now.' },
    })
    await createHolder(pool, 'ann', 'EMAIL_OTP')
    const challenge = await (await beginSrp(app, pool, 'ann')).answer()
    assert.equal(challenge.ChallengeName, 'EMAIL_OTP')
    assert.deepEqual(challenge.ChallengeParameters, {
      CODE_DELIVERY_DELIVERY_MEDIUM: 'EMAIL',
      CODE_DELIVERY_DESTINATION: 'a***@e***',
    })
    const [message] = await app.messages()
    assert.deepEqual([message?.subject, message?.body], ['Sign-in', `Use ${message?.code} now.`])
    const done = await respond(app, pool.clientId, 'ann', challenge, { EMAIL_MFA_CODE: message?.code ?? '' })
    assert.deepEqual(claimsOf(tokensOf(done).id)['amr'], ['pwd', 'email_otp', 'mfa'])
    assert.equal((await attributesOf(app, pool.poolId, 'ann'))['email_verified'], 'true')
  })

  test('a text message can have the pool’s own words', async () => {
    const pool = await optional()
    const { SmsMfaConfiguration } = smsFactor
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'OPTIONAL',
      SmsMfaConfiguration: { ...SmsMfaConfiguration, SmsAuthenticationMessage: 'It is {####}' },
    })
    await createHolder(pool, 'ann', 'SMS_MFA')
    await beginWithPassword(app, pool.clientId, 'ann')
    const [message] = await app.messages()
    assert.equal(message?.body, `It is ${message?.code}`)
  })

  test('wrong codes leave the session alive, five lock, and a code is dead after five tries', async () => {
    const pool = await optional()
    await createHolder(pool, 'ann', 'SMS_MFA')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const code = await app.lastCode()
    for (const text of [other(code), 'x', `${code} `, code.slice(1)]) {
      assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, text)), wrong)
    }
    assert.deepEqual(
      await failureOf(respond(app, pool.clientId, 'ann', challenge)),
      invalidParameter('Missing required parameter SMS_MFA_CODE'),
    )
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, other(code))), wrong)
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, code)), exceeded)
    // No message is sent to someone who may not answer it.
    const sent = (await app.messages()).length
    assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, 'ann')), exceeded)
    assert.equal((await app.messages()).length, sent)
    app.advance(seconds(1))
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, code)), wrong)
    app.advance(seconds(2))
    const next = await beginWithPassword(app, pool.clientId, 'ann')
    tokensOf(await answer(pool, 'ann', next, await app.lastCode()))
  })

  test('a code lasts as long as its session', async () => {
    const pool = await optional({ client: { AuthSessionValidity: 15 } })
    await createHolder(pool, 'ann', 'SMS_MFA')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const code = await app.lastCode()
    app.advance(minutes(15) - 1)
    tokensOf(await answer(pool, 'ann', challenge, code))
    const late = await beginWithPassword(app, pool.clientId, 'ann')
    app.advance(minutes(15))
    assert.deepEqual(await failureOf(answer(pool, 'ann', late, await app.lastCode())), sessionExpired)
  })

  test('a code is good once, for its own session, and only until the next one is sent', async () => {
    const pool = await optional()
    await createHolder(pool, 'ann', 'SMS_MFA')
    await createHolder(pool, 'bob', 'SMS_MFA')
    const first = await beginWithPassword(app, pool.clientId, 'ann')
    const older = await app.lastCode()
    const second = await beginWithPassword(app, pool.clientId, 'ann')
    const newer = await app.lastCode()
    assert.deepEqual(await failureOf(answer(pool, 'ann', first, older)), wrong)
    assert.deepEqual(await failureOf(answer(pool, 'ann', first, newer)), wrong)
    const foreign = await beginWithPassword(app, pool.clientId, 'bob')
    assert.deepEqual(await failureOf(answer(pool, 'bob', foreign, newer)), wrong)
    assert.deepEqual(await failureOf(answer(pool, 'bob', second, newer)), invalidSession)
    const all = await Promise.allSettled(Array.from({ length: 12 }, () => answer(pool, 'ann', second, newer)))
    assert.equal(all.filter(each => each.status === 'fulfilled').length, 1)
    assert.deepEqual(await failureOf(answer(pool, 'ann', second, newer)), sessionUsed)
  })

  test('a code for a new password or an address is no second factor, nor the other way round', async () => {
    const pool = await optional()
    await createUser(app, pool.poolId, 'ann', [phone(number), verified('phone_number'), email('ann@example.com')])
    const { access } = tokensOf(await beginWithPassword(app, pool.clientId, 'ann'))
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      EmailMfaSettings: { Enabled: true },
    })
    await app.aws.getUserAttributeVerificationCode({ AccessToken: access, AttributeName: 'email' })
    const verification = await app.lastCode()
    await app.aws.forgotPassword({ ClientId: pool.clientId, Username: 'ann' })
    const reset = await app.lastCode()
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const code = await app.lastCode()
    if (new Set([verification, reset, code]).size < 3) return
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, verification)), wrong)
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, reset)), wrong)
    const verify = { AccessToken: access, AttributeName: 'email', Code: code }
    assert.equal((await failureOf(app.aws.verifyUserAttribute(verify)))?.name, 'CodeMismatchException')
    const confirm = { ClientId: pool.clientId, Username: 'ann', ConfirmationCode: code, Password: 'N3w-Passw0rd' }
    assert.equal((await failureOf(app.aws.confirmForgotPassword(confirm)))?.name, 'CodeMismatchException')
    tokensOf(await answer(pool, 'ann', challenge, code))
  })

  test('a code proves the number it went to and no other', async () => {
    const pool = await optional()
    await createHolder(pool, 'ann', 'SMS_MFA')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const code = await app.lastCode()
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: pool.poolId,
      Username: 'ann',
      UserAttributes: [phone('+12065559999')],
    })
    assert.deepEqual(await failureOf(answer(pool, 'ann', challenge, code)), wrong)
    assert.notEqual((await attributesOf(app, pool.poolId, 'ann'))['phone_number_verified'], 'true')
  })

  test('a session is refused at another client and in another pool', async () => {
    const pool = await optional()
    await createHolder(pool, 'ann', 'SMS_MFA')
    const clientId = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    const stranger = await optional()
    await createHolder(stranger, 'ann', 'SMS_MFA')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    const code = await app.lastCode()
    assert.deepEqual(await failureOf(answer({ ...pool, clientId }, 'ann', challenge, code)), invalidSession)
    assert.deepEqual(await failureOf(answer(stranger, 'ann', challenge, code)), invalidSession)
    tokensOf(await answer(pool, 'ann', challenge, code))
  })

  test('where numbers are aliases, one that another user has proven stays with him and both sign in', async () => {
    const pool = await optional({ pool: { AliasAttributes: ['phone_number'] } })
    await createUser(app, pool.poolId, 'eve', [phone(number), verified('phone_number')])
    await createHolder(pool, 'ann', 'SMS_MFA')
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    tokensOf(await answer(pool, 'ann', challenge, await app.lastCode()))
    assert.notEqual((await attributesOf(app, pool.poolId, 'ann'))['phone_number_verified'], 'true')
    assert.equal((await app.aws.adminGetUser({ UserPoolId: pool.poolId, Username: number })).Username, 'eve')
    await createUser(app, pool.poolId, 'sole', [phone('+12065550000')])
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'sole',
      SMSMfaSettings: { Enabled: true },
    })
    const second = await beginWithPassword(app, pool.clientId, 'sole')
    tokensOf(await answer(pool, 'sole', second, await app.lastCode('+12065550000')))
    // Verified by the code, the number finds its user from now on.
    assert.equal((await beginWithPassword(app, pool.clientId, '+12065550000')).ChallengeName, 'SMS_MFA')
  })

  test('a factor without its address is no way around it', async () => {
    const pool = await optional()
    await createHolder(pool, 'ann', 'SMS_MFA')
    await app.aws.adminDeleteUserAttributes({
      UserPoolId: pool.poolId,
      Username: 'ann',
      UserAttributeNames: ['phone_number'],
    })
    assert.equal((await failureOf(beginWithPassword(app, pool.clientId, 'ann')))?.name, 'MFAMethodNotFoundException')
  })

  test('the legacy option for text messages asks as well', async () => {
    const pool = await optional()
    await createUser(app, pool.poolId, 'ann', [phone(number)])
    const MFAOptions = [{ DeliveryMedium: 'SMS' as const, AttributeName: 'phone_number' }]
    await app.aws.adminSetUserSettings({ UserPoolId: pool.poolId, Username: 'ann', MFAOptions })
    assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'SMS_MFA')
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SMSMfaSettings: { Enabled: false },
    })
    tokensOf(await beginWithPassword(app, pool.clientId, 'ann'))
  })

  test('where MFA is required, a number or an address that does not recover the account is asked for', async () => {
    const recovery = (...names: ('verified_email' | 'verified_phone_number')[]) => ({
      AccountRecoverySetting: { RecoveryMechanisms: names.map((Name, index) => ({ Name, Priority: index + 1 })) },
    })
    const pool = await createMfaPool(
      app,
      { MfaConfiguration: 'ON', ...factors },
      { pool: recovery('verified_email', 'verified_phone_number') },
    )
    await createUser(app, pool.poolId, 'ann', [phone(number), email('ann@example.com')])
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(challenge.ChallengeName, 'SMS_MFA')
    tokensOf(await answer(pool, 'ann', challenge, await app.lastCode()))
    await createUser(app, pool.poolId, 'bob', [email('bob@example.com')])
    assert.equal((await beginWithPassword(app, pool.clientId, 'bob')).ChallengeName, 'MFA_SETUP')
    const byPhone = await createMfaPool(
      app,
      { MfaConfiguration: 'ON', ...factors },
      { pool: recovery('verified_phone_number') },
    )
    await createUser(app, byPhone.poolId, 'ann', [phone(number), email('ann@example.com')])
    assert.equal((await beginWithPassword(app, byPhone.clientId, 'ann')).ChallengeName, 'EMAIL_OTP')
  })

  test('a new password does not take the second factor away, and is not sent to where that goes', async () => {
    const recovery = {
      RecoveryMechanisms: [
        { Name: 'verified_phone_number' as const, Priority: 1 },
        { Name: 'verified_email' as const, Priority: 2 },
      ],
    }
    const pool = await optional({ pool: { AccountRecoverySetting: recovery } })
    await createUser(app, pool.poolId, 'ann', [
      phone(number),
      verified('phone_number'),
      email('ann@example.com'),
      verified('email'),
    ])
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SMSMfaSettings: { Enabled: true, PreferredMfa: true },
    })
    const forgot = { ClientId: pool.clientId, Username: 'ann' }
    const { CodeDeliveryDetails } = await app.aws.forgotPassword(forgot)
    assert.equal(CodeDeliveryDetails?.DeliveryMedium, 'EMAIL')
    const ConfirmationCode = await app.lastCode('ann@example.com')
    await app.aws.confirmForgotPassword({ ...forgot, ConfirmationCode, Password: 'N3w-Passw0rd' })
    const challenge = await beginWithPassword(app, pool.clientId, 'ann', 'N3w-Passw0rd')
    assert.equal(challenge.ChallengeName, 'SMS_MFA')
    const { PreferredMfaSetting } = await app.aws.adminGetUser({ UserPoolId: pool.poolId, Username: 'ann' })
    assert.equal(PreferredMfaSetting, 'SMS_MFA')
    await app.aws.adminDeleteUserAttributes({ UserPoolId: pool.poolId, Username: 'ann', UserAttributeNames: ['email'] })
    assert.deepEqual(
      await failureOf(app.aws.forgotPassword(forgot)),
      invalidParameter('Cannot reset password for the user as there is no registered/verified email or phone_number'),
    )
  })
})
