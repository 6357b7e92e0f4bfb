import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { AdminSetUserMFAPreferenceCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  createMfaPool,
  mailFactor,
  ownMail,
  registerAuthenticator,
  smsFactor,
  tokenFactor,
} from '../../../test/support/mfa.ts'
import { email, phone, type TestPool } from '../../../test/support/pools.ts'
import {
  beginWithPassword,
  createSignInPool,
  createUser,
  failureOf,
  invalidParameter,
  notAuthorized,
  signIn,
} from '../../../test/support/sign-in.ts'

type Preferences = Omit<AdminSetUserMFAPreferenceCommandInput, 'UserPoolId' | 'Username'>

const on = { Enabled: true }
const off = { Enabled: false }
const preferred = { Enabled: true, PreferredMfa: true }
const noDelivery = (factor: string) => invalidParameter(`User does not have delivery config set to turn on ${factor}`)

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const everyFactor = { ...smsFactor, ...tokenFactor, ...mailFactor }
  const createEverything = async (
    MfaConfiguration: 'OPTIONAL' | 'ON' = 'OPTIONAL',
  ): Promise<TestPool & { access: string }> => {
    const pool = await createMfaPool(app, { MfaConfiguration: 'OPTIONAL', ...everyFactor })
    await createUser(app, pool.poolId, 'ann', [phone('+12065551234'), email('ann@example.com')])
    const { access } = await signIn(app, pool.clientId, 'ann')
    await registerAuthenticator(app, access)
    if (MfaConfiguration === 'ON') {
      await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, MfaConfiguration, ...everyFactor })
    }
    return { ...pool, access }
  }
  const shown = async ({ poolId }: TestPool) => {
    const user = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })
    return { list: user.UserMFASettingList, preferred: user.PreferredMfaSetting }
  }

  test('what is mentioned changes and the rest stays', async () => {
    const pool = await createEverything()
    const steps: [Preferences, { list: string[] | undefined; preferred: string | undefined }][] = [
      [{}, { list: undefined, preferred: undefined }],
      [{ SMSMfaSettings: on }, { list: ['SMS_MFA'], preferred: undefined }],
      [
        { SoftwareTokenMfaSettings: preferred },
        { list: ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'], preferred: 'SOFTWARE_TOKEN_MFA' },
      ],
      [{ SoftwareTokenMfaSettings: on }, { list: ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'], preferred: 'SOFTWARE_TOKEN_MFA' }],
      [
        { EmailMfaSettings: preferred },
        { list: ['SMS_MFA', 'SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'], preferred: 'EMAIL_OTP' },
      ],
      [{ SMSMfaSettings: off }, { list: ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'], preferred: 'EMAIL_OTP' }],
      [
        { EmailMfaSettings: { Enabled: true, PreferredMfa: false } },
        { list: ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'], preferred: undefined },
      ],
      [
        { SoftwareTokenMfaSettings: { PreferredMfa: true } },
        { list: ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'], preferred: 'SOFTWARE_TOKEN_MFA' },
      ],
      [
        { SoftwareTokenMfaSettings: { Enabled: false, PreferredMfa: false } },
        { list: ['EMAIL_OTP'], preferred: undefined },
      ],
      [
        { EmailMfaSettings: off, SMSMfaSettings: off },
        { list: undefined, preferred: undefined },
      ],
    ]
    for (const [index, [change, expected]] of steps.entries()) {
      if (index % 2 === 0) await app.aws.setUserMFAPreference({ AccessToken: pool.access, ...change })
      else await app.aws.adminSetUserMFAPreference({ UserPoolId: pool.poolId, Username: 'ann', ...change })
      assert.deepEqual(await shown(pool), expected, JSON.stringify(change))
    }
  })

  test('a preference decides which factor the next sign-in asks for', async () => {
    const pool = await createEverything()
    const { clientId } = pool
    const begun = async () => (await beginWithPassword(app, clientId, 'ann')).ChallengeName
    const prefer = (change: Preferences) => app.aws.setUserMFAPreference({ AccessToken: pool.access, ...change })
    assert.equal(await begun(), undefined)
    await prefer({ SMSMfaSettings: on })
    assert.equal(await begun(), 'SMS_MFA')
    await prefer({ SoftwareTokenMfaSettings: preferred })
    assert.equal(await begun(), 'SOFTWARE_TOKEN_MFA')
    await prefer({ EmailMfaSettings: preferred })
    assert.equal(await begun(), 'EMAIL_OTP')
    await prefer({ EmailMfaSettings: { PreferredMfa: false } })
    assert.equal(await begun(), 'SELECT_MFA_TYPE')
    await prefer({ SMSMfaSettings: off, EmailMfaSettings: off, SoftwareTokenMfaSettings: off })
    assert.equal(await begun(), undefined)
    await prefer({ SoftwareTokenMfaSettings: preferred })
    await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, MfaConfiguration: 'OFF' })
    assert.equal(await begun(), undefined)
  })

  test('a factor that the user cannot receive codes with is not switched on', async () => {
    const pool = await createMfaPool(app, { MfaConfiguration: 'OPTIONAL', ...everyFactor })
    await createUser(app, pool.poolId, 'ann')
    const { access } = await signIn(app, pool.clientId, 'ann')
    for (const [change, factor] of [
      [{ SMSMfaSettings: on }, 'SMS_MFA'],
      [{ SoftwareTokenMfaSettings: preferred }, 'SOFTWARE_TOKEN_MFA'],
      [{ EmailMfaSettings: on }, 'EMAIL_OTP'],
    ] as [Preferences, string][]) {
      const request = { UserPoolId: pool.poolId, Username: 'ann', ...change }
      assert.deepEqual(await failureOf(app.aws.adminSetUserMFAPreference(request)), noDelivery(factor))
      assert.deepEqual(
        await failureOf(app.aws.setUserMFAPreference({ AccessToken: access, ...change })),
        noDelivery(factor),
      )
    }
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SMSMfaSettings: off,
      SoftwareTokenMfaSettings: off,
    })
    assert.deepEqual(await shown(pool), { list: undefined, preferred: undefined })
  })

  test('two preferred factors, and a preferred one that is off, are refused and change nothing', async () => {
    const pool = await createEverything()
    for (const change of [
      { SMSMfaSettings: preferred, SoftwareTokenMfaSettings: preferred },
      { SMSMfaSettings: { Enabled: false, PreferredMfa: true } },
      { SMSMfaSettings: { PreferredMfa: true } },
      { SoftwareTokenMfaSettings: on, SMSMfaSettings: { Enabled: false, PreferredMfa: true } },
    ] as Preferences[]) {
      const failure = await failureOf(app.aws.setUserMFAPreference({ AccessToken: pool.access, ...change }))
      assert.equal(failure?.name, 'InvalidParameterException')
      assert.deepEqual(await shown(pool), { list: undefined, preferred: undefined })
    }
  })

  test('where MFA is required factors are preferred and switched on, but not off', async () => {
    const pool = await createEverything('ON')
    const prefer = (change: Preferences) => app.aws.setUserMFAPreference({ AccessToken: pool.access, ...change })
    await prefer({ SoftwareTokenMfaSettings: preferred, SMSMfaSettings: on })
    const failure = await failureOf(prefer({ SoftwareTokenMfaSettings: off }))
    assert.equal(failure?.name, 'InvalidParameterException')
    assert.deepEqual(await shown(pool), { list: ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'], preferred: 'SOFTWARE_TOKEN_MFA' })
    await prefer({ SMSMfaSettings: preferred, EmailMfaSettings: off })
    assert.equal((await shown(pool)).preferred, 'SMS_MFA')
    assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'SMS_MFA')
  })

  test('mail as second factor needs the tier that has it', async () => {
    const pool = await createSignInPool(app, {}, { UserPoolTier: 'LITE', ...ownMail })
    await createUser(app, pool.poolId, 'ann', [email('ann@example.com')])
    const request = { UserPoolId: pool.poolId, Username: 'ann', EmailMfaSettings: on }
    assert.equal(
      (await failureOf(app.aws.adminSetUserMFAPreference(request)))?.name,
      'FeatureUnavailableInTierException',
    )
  })

  test('passkeys count for two only where the pool says so and beside another factor', async () => {
    const pool = await createEverything()
    const passkeys = (change: Preferences = {}) =>
      app.aws.setUserMFAPreference({ AccessToken: pool.access, WebAuthnMfaSettings: on, ...change })
    assert.equal((await failureOf(passkeys({ SMSMfaSettings: on })))?.name, 'InvalidParameterException')
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'OPTIONAL',
      ...everyFactor,
      WebAuthnConfiguration: { FactorConfiguration: 'MULTI_FACTOR_WITH_USER_VERIFICATION' },
    })
    assert.equal((await failureOf(passkeys()))?.name, 'InvalidParameterException')
    await passkeys({ SMSMfaSettings: on })
    assert.deepEqual(await shown(pool), { list: ['SMS_MFA'], preferred: undefined })
  })

  test('a sign-in that is under way ends when the factors change', async () => {
    const pool = await createEverything()
    await app.aws.setUserMFAPreference({ AccessToken: pool.access, SMSMfaSettings: on })
    const { Session } = await beginWithPassword(app, pool.clientId, 'ann')
    await app.aws.setUserMFAPreference({ AccessToken: pool.access, SoftwareTokenMfaSettings: preferred })
    const answer = app.aws.respondToAuthChallenge({
      ClientId: pool.clientId,
      ChallengeName: 'SMS_MFA',
      Session,
      ChallengeResponses: { USERNAME: 'ann', SMS_MFA_CODE: await app.lastCode() },
    })
    assert.deepEqual(await failureOf(answer), notAuthorized('Invalid session for the user.'))
  })

  test('unknown users and pools are named, and a preference stays in its pool', async () => {
    const pool = await createEverything()
    const stranger = await createEverything()
    await app.aws.adminSetUserMFAPreference({ UserPoolId: pool.poolId, Username: 'ann', SMSMfaSettings: preferred })
    assert.deepEqual(await shown(stranger), { list: undefined, preferred: undefined })
    for (const [UserPoolId, Username, name] of [
      [pool.poolId, 'eve', 'UserNotFoundException'],
      ['us-east-1_none', 'ann', 'ResourceNotFoundException'],
    ] as const) {
      for (const call of [
        () => app.aws.adminSetUserMFAPreference({ UserPoolId, Username, SMSMfaSettings: on }),
        () => app.aws.adminGetUserAuthFactors({ UserPoolId, Username }),
        () => app.aws.adminDeleteSoftwareToken({ UserPoolId, Username }),
      ]) {
        assert.equal((await failureOf(call()))?.name, name)
      }
    }
    for (const call of [
      () => app.aws.setUserMFAPreference({ AccessToken: 'a.b.c', SMSMfaSettings: on }),
      () => app.aws.getUserAuthFactors({ AccessToken: 'a.b.c' }),
      () => app.aws.associateSoftwareToken({ AccessToken: 'a.b.c' }),
      () => app.aws.verifySoftwareToken({ AccessToken: 'a.b.c', UserCode: '123456' }),
    ]) {
      assert.deepEqual(await failureOf(call()), notAuthorized('Invalid Access Token'))
    }
  })

  test('the factors of a user are listed with the settings', async () => {
    const pool = await createEverything()
    await app.aws.setUserMFAPreference({
      AccessToken: pool.access,
      SMSMfaSettings: on,
      SoftwareTokenMfaSettings: preferred,
    })
    const { $metadata: _, ...own } = await app.aws.getUserAuthFactors({ AccessToken: pool.access })
    assert.deepEqual(own, {
      Username: 'ann',
      PreferredMfaSetting: 'SOFTWARE_TOKEN_MFA',
      UserMFASettingList: ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'],
      ConfiguredUserAuthFactors: ['PASSWORD', 'EMAIL_OTP', 'SMS_OTP', 'SOFTWARE_TOKEN'],
    })
    const request = { UserPoolId: pool.poolId, Username: 'ann' }
    const { $metadata: __, ...administrators } = await app.aws.adminGetUserAuthFactors(request)
    assert.deepEqual(administrators, own)

    const plain = await createSignInPool(app)
    await createUser(app, plain.poolId, 'bob', [email('bob@example.com')])
    const { access } = await signIn(app, plain.clientId, 'bob')
    const { $metadata: ___, ...factors } = await app.aws.getUserAuthFactors({ AccessToken: access })
    assert.deepEqual(factors, { Username: 'bob', ConfiguredUserAuthFactors: ['PASSWORD'] })
  })
})
