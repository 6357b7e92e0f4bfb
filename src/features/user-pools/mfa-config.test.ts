import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  CreateUserPoolCommandInput,
  GetUserPoolMfaConfigCommandOutput,
  SetUserPoolMfaConfigCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'

type MfaMembers = Omit<SetUserPoolMfaConfigCommandInput, 'UserPoolId'>

const SmsConfiguration = { SnsCallerArn: 'arn:aws:iam::123456789012:role/sms', ExternalId: 'external' }
const SoftwareTokenMfaConfiguration = { Enabled: true }
const ownMail = {
  EmailConfiguration: {
    EmailSendingAccount: 'DEVELOPER' as const,
    SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/example.com',
  },
}
const invalid = (message: string) => ({ name: 'InvalidParameterException', message })
const offWithFactor = invalid("Invalid MFA configuration given, can't turn off MFA and configure an MFA together.")
const withoutFactor = invalid(
  "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.",
)

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const create = async (members: Omit<CreateUserPoolCommandInput, 'PoolName'> = {}): Promise<string> =>
    (await app.aws.createUserPool({ PoolName: 'factors', ...members })).UserPool?.Id ?? ''
  /** Sets, and makes sure that the answer is what is read afterwards. */
  const set = async (UserPoolId: string, members: MfaMembers) => {
    const { $metadata: _, ...answer } = await app.aws.setUserPoolMfaConfig({ UserPoolId, ...members })
    assert.deepEqual(answer, await get(UserPoolId))
    return answer
  }
  const get = async (UserPoolId: string): Promise<Omit<GetUserPoolMfaConfigCommandOutput, '$metadata'>> => {
    const { $metadata: _, ...config } = await app.aws.getUserPoolMfaConfig({ UserPoolId })
    return config
  }

  test('an untouched pool has MFA off and nothing else', async () => {
    assert.deepEqual(await get(await create()), { MfaConfiguration: 'OFF' })
  })

  test('a pool that does not exist is not found', async () => {
    const refused = { name: 'ResourceNotFoundException', message: 'User pool us-east-1_none does not exist.' }
    await assert.rejects(app.aws.getUserPoolMfaConfig({ UserPoolId: 'us-east-1_none' }), refused)
    await assert.rejects(app.aws.setUserPoolMfaConfig({ UserPoolId: 'us-east-1_none' }), refused)
  })

  test('software tokens, SMS and both agree with what the pool shows', async () => {
    const id = await create()
    assert.deepEqual(await set(id, { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration }), {
      MfaConfiguration: 'ON',
      SoftwareTokenMfaConfiguration,
    })
    const SmsMfaConfiguration = { SmsConfiguration, SmsAuthenticationMessage: 'Code {####}' }
    assert.deepEqual(
      await set(id, { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration, SmsMfaConfiguration }),
      { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration, SmsMfaConfiguration },
    )
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: id })
    assert.equal(UserPool?.MfaConfiguration, 'OPTIONAL')
    assert.deepEqual(UserPool?.SmsConfiguration, SmsConfiguration)
    assert.equal(UserPool?.SmsAuthenticationMessage, 'Code {####}')
    assert.equal('SoftwareTokenMfaConfiguration' in (UserPool ?? {}), false)
  })

  test('a factor that is not sent is off, but the SMS service stays', async () => {
    const id = await create({ MfaConfiguration: 'ON', SmsConfiguration })
    const SmsMfaConfiguration = { SmsConfiguration }
    assert.deepEqual(await get(id), { MfaConfiguration: 'ON', SmsMfaConfiguration })
    assert.deepEqual(await set(id, { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration }), {
      MfaConfiguration: 'ON',
      SoftwareTokenMfaConfiguration,
      SmsMfaConfiguration,
    })
    assert.deepEqual(await set(id, { MfaConfiguration: 'ON', SmsMfaConfiguration }), {
      MfaConfiguration: 'ON',
      SmsMfaConfiguration,
    })
    assert.deepEqual(
      await set(id, { MfaConfiguration: 'ON', SmsMfaConfiguration, SoftwareTokenMfaConfiguration: { Enabled: false } }),
      { MfaConfiguration: 'ON', SmsMfaConfiguration, SoftwareTokenMfaConfiguration: { Enabled: false } },
    )
  })

  test('turning MFA off keeps the SMS service and forgets the other factors', async () => {
    const id = await create({ MfaConfiguration: 'ON', SmsConfiguration })
    await set(id, { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration })
    assert.deepEqual(await set(id, { MfaConfiguration: 'OFF' }), {
      MfaConfiguration: 'OFF',
      SmsMfaConfiguration: { SmsConfiguration },
    })
    assert.deepEqual(await set(id, { MfaConfiguration: 'OPTIONAL' }), {
      MfaConfiguration: 'OPTIONAL',
      SmsMfaConfiguration: { SmsConfiguration },
    })
  })

  test('MFA cannot be off together with a factor, whatever the factor says', async () => {
    const id = await create(ownMail)
    for (const factor of [
      { SoftwareTokenMfaConfiguration },
      { SoftwareTokenMfaConfiguration: { Enabled: false } },
      { SmsMfaConfiguration: { SmsConfiguration } },
      { EmailMfaConfiguration: {} },
    ]) {
      await assert.rejects(set(id, { MfaConfiguration: 'OFF', ...factor }), offWithFactor)
      await assert.rejects(set(id, factor), offWithFactor)
    }
    assert.deepEqual(await get(id), { MfaConfiguration: 'OFF' })
    await set(id, { MfaConfiguration: 'OFF' })
  })

  test('MFA cannot be on without a factor', async () => {
    const id = await create()
    for (const MfaConfiguration of ['ON', 'OPTIONAL'] as const) {
      await assert.rejects(set(id, { MfaConfiguration }), withoutFactor)
      await assert.rejects(
        set(id, { MfaConfiguration, SoftwareTokenMfaConfiguration: { Enabled: false } }),
        withoutFactor,
      )
    }
    await assert.rejects(
      set(id, { MfaConfiguration: 'ON', SmsMfaConfiguration: { SmsAuthenticationMessage: 'Code {####}' } }),
      invalid('SMS configuration and Auto verification for phone_number are required when MFA is required/optional'),
    )
    assert.deepEqual(await get(id), { MfaConfiguration: 'OFF' })
  })

  test('UpdateUserPool changes the same switch and keeps the factors', async () => {
    const UserPoolId = await create()
    await set(UserPoolId, { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration })
    await app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'OPTIONAL' })
    assert.deepEqual(await get(UserPoolId), { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration })
    await app.aws.updateUserPool({ UserPoolId })
    assert.deepEqual(await get(UserPoolId), { MfaConfiguration: 'OFF' })
    await app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'ON' })
    assert.deepEqual(await get(UserPoolId), { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration })
    await set(UserPoolId, { MfaConfiguration: 'OFF' })
    await assert.rejects(app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'ON' }), {
      message: 'SMS configuration and Auto verification for phone_number are required when MFA is required/optional',
    })
  })

  test('required MFA and one-time passwords as first factors exclude one another here, too', async () => {
    const SignInPolicy = { AllowedFirstAuthFactors: ['PASSWORD' as const, 'EMAIL_OTP' as const] }
    const id = await create({ Policies: { SignInPolicy } })
    await assert.rejects(
      set(id, { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration }),
      invalid('EMAIL_OTP and SMS_OTP cannot be allowed as first authentication factors when MFA is required.'),
    )
    await set(id, { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration })
  })

  test('of several changes at the same time none is lost without a word', async () => {
    const UserPoolId = await create({ SmsConfiguration })
    const modes = ['ON', 'OPTIONAL', 'OFF', 'ON', 'OPTIONAL', 'OFF'] as const
    const results = await Promise.allSettled(
      modes.map(MfaConfiguration => app.aws.setUserPoolMfaConfig({ UserPoolId, MfaConfiguration })),
    )
    const done = modes.filter((_, index) => results[index]?.status === 'fulfilled')
    const { MfaConfiguration } = await get(UserPoolId)
    assert.ok(done.some(mode => mode === MfaConfiguration))
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.name, 'ConcurrentModificationException')
    }
  })

  describe('e-mail as a factor', () => {
    test('its texts are kept, and without texts it is a factor as well', async () => {
      const id = await create(ownMail)
      const EmailMfaConfiguration = { Subject: 'Your code', Message: 'It is {####}.' }
      assert.deepEqual(await set(id, { MfaConfiguration: 'ON', EmailMfaConfiguration }), {
        MfaConfiguration: 'ON',
        EmailMfaConfiguration,
      })
      assert.deepEqual(await set(id, { MfaConfiguration: 'OPTIONAL', EmailMfaConfiguration: {} }), {
        MfaConfiguration: 'OPTIONAL',
        EmailMfaConfiguration: {},
      })
    })

    test('it needs one’s own account for e-mail, for as long as it is on', async () => {
      const refused = invalid('Email MFA needs an EmailConfiguration with the EmailSendingAccount DEVELOPER.')
      const members: MfaMembers = { MfaConfiguration: 'ON', EmailMfaConfiguration: {} }
      await assert.rejects(set(await create(), members), refused)
      const UserPoolId = await create(ownMail)
      await set(UserPoolId, members)
      await assert.rejects(app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'ON' }), refused)
      await app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'ON', ...ownMail })
      await app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'OFF' })
    })

    test('it cannot be the only way of recovery as well', async () => {
      const emailOnly = {
        AccountRecoverySetting: { RecoveryMechanisms: [{ Priority: 1, Name: 'verified_email' as const }] },
      }
      const members: MfaMembers = { MfaConfiguration: 'ON', EmailMfaConfiguration: {} }
      const refused = invalid('Email MFA cannot be used when e-mail is the only account recovery mechanism.')
      await assert.rejects(set(await create({ ...ownMail, ...emailOnly }), members), refused)
      const UserPoolId = await create(ownMail)
      await set(UserPoolId, members)
      await assert.rejects(
        app.aws.updateUserPool({ UserPoolId, MfaConfiguration: 'ON', ...ownMail, ...emailOnly }),
        refused,
      )
    })

    test('it needs a tier above LITE', async () => {
      const members: MfaMembers = { MfaConfiguration: 'ON', EmailMfaConfiguration: {} }
      const refused = {
        name: 'FeatureUnavailableInTierException',
        message: 'The following features need to be disabled for the LITE pricing tier configured: Email MFA',
      }
      await assert.rejects(set(await create({ ...ownMail, UserPoolTier: 'LITE' }), members), refused)
      const UserPoolId = await create(ownMail)
      await set(UserPoolId, members)
      const lite = { UserPoolId, UserPoolTier: 'LITE' as const, ...ownMail }
      await assert.rejects(app.aws.updateUserPool({ ...lite, MfaConfiguration: 'ON' }), refused)
      await app.aws.updateUserPool(lite)
    })
  })

  describe('passkeys', () => {
    test('they are independent of MFA and stay until they are set again', async () => {
      const id = await create()
      const WebAuthnConfiguration = {
        RelyingPartyId: 'auth.example.com',
        UserVerification: 'required' as const,
        FactorConfiguration: 'SINGLE_FACTOR' as const,
      }
      assert.deepEqual(await set(id, { WebAuthnConfiguration }), { MfaConfiguration: 'OFF', WebAuthnConfiguration })
      assert.deepEqual(await set(id, { MfaConfiguration: 'OFF' }), { MfaConfiguration: 'OFF', WebAuthnConfiguration })
      await set(id, { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration })
      const changed = { UserVerification: 'preferred' as const, FactorConfiguration: 'SINGLE_FACTOR' as const }
      assert.deepEqual(await set(id, { WebAuthnConfiguration: {} }), {
        MfaConfiguration: 'ON',
        SoftwareTokenMfaConfiguration,
        WebAuthnConfiguration: changed,
      })
      await app.aws.updateUserPool({ UserPoolId: id })
      assert.deepEqual(await get(id), { MfaConfiguration: 'OFF', WebAuthnConfiguration: changed })
    })

    test('the relying party is a domain', async () => {
      const id = await create()
      for (const RelyingPartyId of [
        'com',
        'https://example.com',
        'Example.com',
        'a..b',
        '-a.example',
        '127.0.0.1',
        'a_b.example',
      ]) {
        await assert.rejects(
          set(id, { WebAuthnConfiguration: { RelyingPartyId } }),
          invalid('RelyingPartyId must be a domain name that is not a public suffix.'),
          RelyingPartyId,
        )
      }
      for (const RelyingPartyId of ['example.com', 'xn--bcher-kva.example', 'localhost', `${'a'.repeat(63)}.example`]) {
        await set(id, { WebAuthnConfiguration: { RelyingPartyId } })
      }
    })

    test('as several factors in one they need the verification of the user', async () => {
      const FactorConfiguration = 'MULTI_FACTOR_WITH_USER_VERIFICATION' as const
      const id = await create({
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } },
      })
      await assert.rejects(
        set(id, { WebAuthnConfiguration: { FactorConfiguration, UserVerification: 'preferred' } }),
        invalid('MULTI_FACTOR_WITH_USER_VERIFICATION needs UserVerification required.'),
      )
      const required: MfaMembers = { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration }
      await assert.rejects(set(id, required), {
        name: 'InvalidParameterException',
        message: /^WEB_AUTHN can be allowed/,
      })
      assert.deepEqual(await set(id, { ...required, WebAuthnConfiguration: { FactorConfiguration } }), {
        ...required,
        WebAuthnConfiguration: { FactorConfiguration, UserVerification: 'required' },
      })
      await assert.rejects(set(id, { WebAuthnConfiguration: { FactorConfiguration: 'SINGLE_FACTOR' } }), {
        message: /^WEB_AUTHN can be allowed/,
      })
    })

    test('they need a tier above LITE, and their settings do not hold a pool in it', async () => {
      const WebAuthnConfiguration = { RelyingPartyId: 'example.com' }
      await assert.rejects(set(await create({ UserPoolTier: 'LITE' }), { WebAuthnConfiguration }), {
        name: 'FeatureUnavailableInTierException',
        message: 'The following features need to be disabled for the LITE pricing tier configured: Passkeys',
      })
      const UserPoolId = await create()
      await set(UserPoolId, { WebAuthnConfiguration })
      await app.aws.updateUserPool({ UserPoolId, UserPoolTier: 'LITE' })
    })
  })
})
