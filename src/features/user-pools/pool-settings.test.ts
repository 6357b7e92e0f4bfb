import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  CreateUserPoolCommandInput,
  UpdateUserPoolCommandInput,
  UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'

type Members = Omit<CreateUserPoolCommandInput, 'PoolName'>

const lambda = (name: string) => `arn:aws:lambda:us-east-1:123456789012:function:${name}`
const role = 'arn:aws:iam::123456789012:role/sms'
const identity = (name: string) => `arn:aws:ses:us-east-1:123456789012:identity/${name}`
const first = (
  ...AllowedFirstAuthFactors: ('PASSWORD' | 'EMAIL_OTP' | 'SMS_OTP' | 'WEB_AUTHN' | 'SOFTWARE_TOKEN')[]
) => ({
  Policies: { SignInPolicy: { AllowedFirstAuthFactors } },
})
const unavailable = (tier: string, features: string) =>
  `The following features need to be disabled for the ${tier} pricing tier configured: ${features}`

/** What is refused at creation and at an update alike, each with a neighbour that is accepted. */
const refusals: { title: string; refused: Members; name?: string; message: string | RegExp; accepted: Members }[] = [
  {
    title: 'MFA needs an SMS configuration',
    refused: { MfaConfiguration: 'ON' },
    message: 'SMS configuration and Auto verification for phone_number are required when MFA is required/optional',
    accepted: { MfaConfiguration: 'ON', SmsConfiguration: { SnsCallerArn: role } },
  },
  {
    title: 'an SMS configuration that names no service is none',
    refused: { MfaConfiguration: 'OPTIONAL', SmsConfiguration: { SnsCallerArn: '', ExternalId: 'x' } },
    message: 'SMS configuration and Auto verification for phone_number are required when MFA is required/optional',
    accepted: { MfaConfiguration: 'OFF', SmsConfiguration: { SnsCallerArn: '', ExternalId: 'x' } },
  },
  {
    title: 'verification before an update needs automatic verification',
    refused: {
      AutoVerifiedAttributes: ['phone_number'],
      UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
    },
    message: 'All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes',
    accepted: {
      AutoVerifiedAttributes: ['phone_number', 'email'],
      UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
    },
  },
  {
    title: 'the older name of the validity of temporary passwords excludes the newer one',
    refused: {
      AdminCreateUserConfig: { UnusedAccountValidityDays: 5 },
      Policies: { PasswordPolicy: { TemporaryPasswordValidityDays: 5 } },
    },
    message: 'Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays',
    accepted: {
      AdminCreateUserConfig: { UnusedAccountValidityDays: 5 },
      Policies: { PasswordPolicy: { MinimumLength: 8 } },
    },
  },
  {
    title: 'a message with a link needs words to click on',
    refused: { VerificationMessageTemplate: { EmailMessageByLink: 'Click {####}' } },
    message: 'The message is invalid.',
    accepted: { VerificationMessageTemplate: { EmailMessageByLink: 'Click {####} {##here##}' } },
  },
  {
    title: 'a link without its marks breaks the pattern',
    refused: { VerificationMessageTemplate: { EmailMessageByLink: 'Click here' } },
    message: /^1 validation error detected: Value .* at 'verificationMessageTemplate\.emailMessageByLink'/,
    accepted: { VerificationMessageTemplate: { EmailMessageByLink: '{##Click##}' } },
  },
  {
    title: 'an empty invitation text is too short',
    refused: { AdminCreateUserConfig: { InviteMessageTemplate: { SMSMessage: '' } } },
    message:
      "1 validation error detected: Value '' at 'adminCreateUserConfig.inviteMessageTemplate.sMSMessage' failed to satisfy constraint: Member must have length greater than or equal to 6",
    accepted: { AdminCreateUserConfig: { InviteMessageTemplate: { SMSMessage: 'Hello {####}' } } },
  },
  {
    title: 'one’s own e-mail account needs an identity',
    refused: { EmailConfiguration: { EmailSendingAccount: 'DEVELOPER' } },
    message: 'SourceArn is required when EmailSendingAccount is DEVELOPER.',
    accepted: { EmailConfiguration: { EmailSendingAccount: 'DEVELOPER', SourceArn: identity('me@example.com') } },
  },
  {
    title: 'a sender of its own needs an identity',
    refused: { EmailConfiguration: { From: 'me@example.com' } },
    message: 'Cannot configure From email address for default email configuration',
    accepted: { EmailConfiguration: { From: 'me@example.com', SourceArn: identity('me@example.com') } },
  },
  {
    title: 'the identity is one of the mail service',
    refused: { EmailConfiguration: { SourceArn: 'arn:aws:sns:us-east-1:123456789012:topic' } },
    message: 'SourceArn must be the ARN of an Amazon SES identity.',
    accepted: { EmailConfiguration: { SourceArn: identity('example.com') } },
  },
  {
    title: 'the sender belongs to the address of the identity',
    refused: { EmailConfiguration: { From: 'Me <you@example.com>', SourceArn: identity('me@example.com') } },
    message: 'The From address must belong to the identity of SourceArn.',
    accepted: { EmailConfiguration: { From: 'Me <Me+news@Example.com>', SourceArn: identity('me@example.com') } },
  },
  {
    title: 'the sender belongs to the domain of the identity',
    refused: { EmailConfiguration: { From: 'me@notexample.com', SourceArn: identity('example.com') } },
    message: 'The From address must belong to the identity of SourceArn.',
    accepted: { EmailConfiguration: { From: 'me@mail.example.com', SourceArn: identity('example.com') } },
  },
  {
    title: 'a pool sends text messages through one service',
    refused: { SmsConfiguration: { SnsCallerArn: role, EumsSms: { CallerArn: role } } },
    message: 'SmsConfiguration takes SnsCallerArn or EumsSms, not both.',
    accepted: { SmsConfiguration: { EumsSms: { CallerArn: role } } },
  },
  {
    title: 'the service for text messages is in the region of the pool',
    refused: { SmsConfiguration: { EumsSms: { CallerArn: role, Region: 'eu-west-1' } } },
    message: 'The Region of EumsSms must be the Region of the user pool.',
    accepted: { SmsConfiguration: { EumsSms: { CallerArn: role, Region: 'us-east-1' } } },
  },
  {
    title: 'the two slots for pre token generation hold the same function',
    refused: {
      LambdaConfig: {
        PreTokenGeneration: lambda('one'),
        PreTokenGenerationConfig: { LambdaVersion: 'V1_0', LambdaArn: lambda('two') },
      },
    },
    message: 'PreTokenGeneration and the LambdaArn of PreTokenGenerationConfig must be the same.',
    accepted: {
      LambdaConfig: {
        PreTokenGeneration: lambda('one'),
        PreTokenGenerationConfig: { LambdaVersion: 'V2_0', LambdaArn: lambda('one') },
      },
    },
  },
  {
    title: 'a custom sender of e-mails needs a key',
    refused: { LambdaConfig: { CustomEmailSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('mail') } } },
    message: 'KMSKeyID is required with CustomSMSSender and CustomEmailSender.',
    accepted: {
      LambdaConfig: {
        CustomEmailSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('mail') },
        KMSKeyID: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
      },
    },
  },
  {
    title: 'a custom sender of text messages needs a key',
    refused: { LambdaConfig: { CustomSMSSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('sms') } } },
    message: 'KMSKeyID is required with CustomSMSSender and CustomEmailSender.',
    accepted: { LambdaConfig: { KMSKeyID: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd' } },
  },
  {
    title: 'the administrator as the way of recovery stands alone',
    refused: {
      AccountRecoverySetting: {
        RecoveryMechanisms: [
          { Priority: 1, Name: 'admin_only' },
          { Priority: 2, Name: 'verified_email' },
        ],
      },
    },
    message: 'Account Recovery Setting cannot use admin_only setting with any other recovery mechanisms.',
    accepted: { AccountRecoverySetting: { RecoveryMechanisms: [{ Priority: 1, Name: 'admin_only' }] } },
  },
  {
    title: 'two ways of recovery have two priorities',
    refused: {
      AccountRecoverySetting: {
        RecoveryMechanisms: [
          { Priority: 1, Name: 'verified_phone_number' },
          { Priority: 1, Name: 'verified_email' },
        ],
      },
    },
    message: 'Each recovery mechanism and each priority can be used once in AccountRecoverySetting.',
    accepted: {
      AccountRecoverySetting: {
        RecoveryMechanisms: [
          { Priority: 2, Name: 'verified_phone_number' },
          { Priority: 1, Name: 'verified_email' },
        ],
      },
    },
  },
  {
    title: 'a password is always allowed as the first factor',
    refused: first('EMAIL_OTP'),
    message: 'AllowedFirstAuthFactors must contain PASSWORD.',
    accepted: first('EMAIL_OTP', 'PASSWORD'),
  },
  {
    title: 'a software token is never the first factor',
    refused: first('PASSWORD', 'SOFTWARE_TOKEN'),
    message: 'SOFTWARE_TOKEN cannot be a first authentication factor.',
    accepted: first('PASSWORD', 'WEB_AUTHN'),
  },
  {
    title: 'required MFA rules out one-time passwords as the first factor',
    refused: { ...first('PASSWORD', 'SMS_OTP'), MfaConfiguration: 'ON', SmsConfiguration: { SnsCallerArn: role } },
    message: 'EMAIL_OTP and SMS_OTP cannot be allowed as first authentication factors when MFA is required.',
    accepted: {
      ...first('PASSWORD', 'SMS_OTP'),
      MfaConfiguration: 'OPTIONAL',
      SmsConfiguration: { SnsCallerArn: role },
    },
  },
  {
    title: 'required MFA rules out passkeys of a single factor',
    refused: { ...first('PASSWORD', 'WEB_AUTHN'), MfaConfiguration: 'ON', SmsConfiguration: { SnsCallerArn: role } },
    message: /^WEB_AUTHN can be allowed as a first authentication factor when MFA is required only with/,
    accepted: {
      ...first('PASSWORD', 'WEB_AUTHN'),
      MfaConfiguration: 'OPTIONAL',
      SmsConfiguration: { SnsCallerArn: role },
    },
  },
  {
    title: 'a key of one’s own has an ARN',
    refused: { KeyConfiguration: { KeyType: 'CUSTOMER_MANAGED_KEY' } },
    message: 'KmsKeyArn is required when KeyType is CUSTOMER_MANAGED_KEY.',
    accepted: { KeyConfiguration: { KeyType: 'AWS_OWNED_KEY' } },
  },
  {
    title: 'there are four ACR levels',
    refused: { AcrConfiguration: { Level5: { AcrValue: 'five' } } },
    message: 'AcrConfiguration has the levels Level1, Level2, Level3 and Level4.',
    accepted: { AcrConfiguration: { Level4: { AcrValue: 'four' } } },
  },
  {
    title: 'an ACR level does not take the name of another one, given or not',
    refused: { AcrConfiguration: { Level1: { AcrValue: 'urn:cognito:loa:2' } } },
    message: 'Each AcrValue must be unique among all levels, those with a default value included.',
    accepted: {
      AcrConfiguration: { Level1: { AcrValue: 'urn:cognito:loa:2' }, Level2: { AcrValue: 'urn:cognito:loa:1' } },
    },
  },
  {
    title: 'an ACR value has no blanks',
    refused: { AcrConfiguration: { Level1: { AcrValue: 'level one' } } },
    message: 'An AcrValue has 1 to 64 characters, without spaces, double quotes and backslashes.',
    accepted: { AcrConfiguration: { Level1: { AcrValue: 'x'.repeat(64) } } },
  },
  {
    title: 'reserved tags',
    refused: { UserPoolTags: { 'AWS:own': 'x' } },
    name: 'UserPoolTaggingException',
    message: 'Tag keys must not begin with aws:, which is reserved.',
    accepted: { UserPoolTags: { 'own:aws:': '' } },
  },
  {
    title: 'fifty tags',
    refused: { UserPoolTags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])) },
    name: 'UserPoolTaggingException',
    message: 'A user pool can have at most 50 tags.',
    accepted: { UserPoolTags: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'v'])) },
  },
  {
    title: 'threat protection in ESSENTIALS',
    refused: { UserPoolTier: 'ESSENTIALS', UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } },
    name: 'FeatureUnavailableInTierException',
    message: unavailable('ESSENTIALS', 'Threat Protection'),
    accepted: { UserPoolTier: 'PLUS', UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } },
  },
  {
    title: 'threat protection that is off needs no tier',
    refused: { UserPoolTier: 'LITE', UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } },
    name: 'FeatureUnavailableInTierException',
    message: unavailable('LITE', 'Threat Protection'),
    accepted: { UserPoolTier: 'LITE', UserPoolAddOns: { AdvancedSecurityMode: 'OFF' } },
  },
  {
    title: 'access token customization in LITE',
    refused: {
      UserPoolTier: 'LITE',
      LambdaConfig: { PreTokenGenerationConfig: { LambdaVersion: 'V2_0', LambdaArn: lambda('token') } },
    },
    name: 'FeatureUnavailableInTierException',
    message: unavailable('LITE', 'Token Customization with Pre-Token Generation Lambda V2_0'),
    accepted: { UserPoolTier: 'LITE', LambdaConfig: { PreTokenGeneration: lambda('token') } },
  },
  {
    title: 'several features in LITE are named together',
    refused: {
      UserPoolTier: 'LITE',
      Policies: {
        PasswordPolicy: { PasswordHistorySize: 1 },
        SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] },
      },
      DcrConfiguration: {},
      AcrConfiguration: { Level1: { AcrValue: 'low' } },
    },
    name: 'FeatureUnavailableInTierException',
    message: unavailable(
      'LITE',
      'Choice-based sign-in, Password history, Dynamic client registration, Custom ACR values',
    ),
    accepted: {
      UserPoolTier: 'LITE',
      Policies: { PasswordPolicy: { PasswordHistorySize: 0 }, SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] } },
      DcrConfiguration: { EnableStatus: 'Disabled' },
      AcrConfiguration: { Level1: { AcrValue: 'urn:cognito:loa:1' } },
    },
  },
]

/** What a member becomes, where that is not just what was sent. */
const completions: { title: string; members: Members; shown: Partial<UserPoolType> }[] = [
  {
    title: 'a password policy that is given in part requires no class of characters it does not name',
    members: { Policies: { PasswordPolicy: { RequireNumbers: true, TemporaryPasswordValidityDays: 0 } } },
    shown: {
      Policies: {
        PasswordPolicy: {
          MinimumLength: 8,
          RequireUppercase: false,
          RequireLowercase: false,
          RequireNumbers: true,
          RequireSymbols: false,
          TemporaryPasswordValidityDays: 7,
        },
        SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] },
      },
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: false, UnusedAccountValidityDays: 7 },
    },
  },
  {
    title: 'the validity of temporary passwords shows under both names',
    members: { AdminCreateUserConfig: { UnusedAccountValidityDays: 30 } },
    shown: {
      Policies: {
        PasswordPolicy: {
          MinimumLength: 8,
          RequireUppercase: true,
          RequireLowercase: true,
          RequireNumbers: true,
          RequireSymbols: true,
          TemporaryPasswordValidityDays: 30,
        },
        SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] },
      },
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: false, UnusedAccountValidityDays: 30 },
    },
  },
  {
    title: 'legacy texts fill the template',
    members: {
      SmsVerificationMessage: 'SMS {####}',
      EmailVerificationMessage: 'Mail {####}',
      EmailVerificationSubject: 'Subject',
    },
    shown: {
      SmsVerificationMessage: 'SMS {####}',
      EmailVerificationMessage: 'Mail {####}',
      EmailVerificationSubject: 'Subject',
      VerificationMessageTemplate: {
        SmsMessage: 'SMS {####}',
        EmailMessage: 'Mail {####}',
        EmailSubject: 'Subject',
        DefaultEmailOption: 'CONFIRM_WITH_CODE',
      },
    },
  },
  {
    title: 'the template fills the legacy texts and wins where both are given',
    members: {
      EmailVerificationSubject: 'Old subject',
      VerificationMessageTemplate: {
        SmsMessage: 'SMS {####}',
        EmailSubject: 'New subject',
        EmailMessage: 'Mail {####}',
        EmailMessageByLink: 'Please {##confirm##}',
        EmailSubjectByLink: 'Link',
        DefaultEmailOption: 'CONFIRM_WITH_LINK',
      },
    },
    shown: {
      SmsVerificationMessage: 'SMS {####}',
      EmailVerificationMessage: 'Mail {####}',
      EmailVerificationSubject: 'New subject',
      VerificationMessageTemplate: {
        SmsMessage: 'SMS {####}',
        EmailSubject: 'New subject',
        EmailMessage: 'Mail {####}',
        EmailMessageByLink: 'Please {##confirm##}',
        EmailSubjectByLink: 'Link',
        DefaultEmailOption: 'CONFIRM_WITH_LINK',
      },
    },
  },
  {
    title: 'one member of the device configuration turns tracking on',
    members: { DeviceConfiguration: { DeviceOnlyRememberedOnUserPrompt: false } },
    shown: {
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: false, DeviceOnlyRememberedOnUserPrompt: false },
    },
  },
  {
    title: 'an empty device configuration leaves tracking off',
    members: { DeviceConfiguration: {} },
    shown: { DeviceConfiguration: undefined },
  },
  {
    title: 'the legacy slot for pre token generation fills the versioned one',
    members: { LambdaConfig: { PreTokenGeneration: lambda('token') } },
    shown: {
      LambdaConfig: {
        PreTokenGeneration: lambda('token'),
        PreTokenGenerationConfig: { LambdaVersion: 'V1_0', LambdaArn: lambda('token') },
      },
    },
  },
  {
    title: 'the versioned slot for pre token generation fills the legacy one',
    members: { LambdaConfig: { PreTokenGenerationConfig: { LambdaVersion: 'V3_0', LambdaArn: lambda('token') } } },
    shown: {
      LambdaConfig: {
        PreTokenGeneration: lambda('token'),
        PreTokenGenerationConfig: { LambdaVersion: 'V3_0', LambdaArn: lambda('token') },
      },
    },
  },
  {
    title: 'every trigger is kept',
    members: {
      LambdaConfig: {
        PreSignUp: lambda('a'),
        CustomMessage: lambda('b'),
        PostConfirmation: lambda('c'),
        PreAuthentication: lambda('d'),
        PostAuthentication: lambda('e'),
        DefineAuthChallenge: lambda('f'),
        CreateAuthChallenge: lambda('g'),
        VerifyAuthChallengeResponse: lambda('h'),
        UserMigration: `${lambda('i')}:alias`,
        CustomSMSSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('j') },
        CustomEmailSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('k') },
        InboundFederation: { LambdaVersion: 'V1_0', LambdaArn: lambda('l') },
        KMSKeyID: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
      },
    },
    shown: {
      LambdaConfig: {
        PreSignUp: lambda('a'),
        CustomMessage: lambda('b'),
        PostConfirmation: lambda('c'),
        PreAuthentication: lambda('d'),
        PostAuthentication: lambda('e'),
        DefineAuthChallenge: lambda('f'),
        CreateAuthChallenge: lambda('g'),
        VerifyAuthChallengeResponse: lambda('h'),
        UserMigration: `${lambda('i')}:alias`,
        CustomSMSSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('j') },
        CustomEmailSender: { LambdaVersion: 'V1_0', LambdaArn: lambda('k') },
        InboundFederation: { LambdaVersion: 'V1_0', LambdaArn: lambda('l') },
        KMSKeyID: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
      },
    },
  },
  {
    title: 'threat protection without further flows shows that there are none',
    members: { UserPoolTier: 'PLUS', UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } },
    shown: { UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED', AdvancedSecurityAdditionalFlows: {} } },
  },
  {
    title: 'threat protection that is off shows just that',
    members: { UserPoolAddOns: { AdvancedSecurityMode: 'OFF' } },
    shown: { UserPoolTier: 'ESSENTIALS', UserPoolAddOns: { AdvancedSecurityMode: 'OFF' } },
  },
  {
    title: 'an empty recovery setting stays empty',
    members: { AccountRecoverySetting: {} },
    shown: { AccountRecoverySetting: {} },
  },
  {
    title: 'client registration has its defaults',
    members: { DcrConfiguration: {} },
    shown: {
      DcrConfiguration: {
        EnableStatus: 'Enabled',
        OpenDcrEnabled: false,
        AuthenticatedGrantTypes: ['code', 'client_credentials'],
        OpenDcrGrantTypes: ['code'],
        AllowedScopes: [],
      },
    },
  },
  {
    title: 'an invitation without texts is none',
    members: { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true, InviteMessageTemplate: {} } },
    shown: { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true, UnusedAccountValidityDays: 7 } },
  },
  {
    title: 'tags may have any name',
    members: { UserPoolTags: JSON.parse('{"__proto__": "a", "constructor": "b", "toString": ""}') },
    shown: { UserPoolTags: JSON.parse('{"__proto__": "a", "constructor": "b", "toString": ""}') },
  },
]

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const create = async (members: Members): Promise<string> => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'rules', ...members })
    return UserPool?.Id ?? ''
  }
  const update = (UserPoolId: string, members: Members) =>
    app.aws.updateUserPool({ UserPoolId, ...(members as Omit<UpdateUserPoolCommandInput, 'UserPoolId'>) })
  const describePool = async (UserPoolId: string): Promise<UserPoolType> =>
    (await app.aws.describeUserPool({ UserPoolId })).UserPool ?? {}

  describe('refused when a pool is created and when it is updated', () => {
    for (const { title, refused, name = 'InvalidParameterException', message, accepted } of refusals) {
      test(title, async () => {
        await assert.rejects(create(refused), { name, message })
        const id = await create(accepted)
        const plain = await create({})
        const before = await describePool(plain)
        await assert.rejects(update(plain, refused), { name, message })
        assert.deepEqual(await describePool(plain), before)
        await update(plain, accepted)
        const [created, updated] = [await describePool(id), await describePool(plain)]
        for (const member of Object.keys(accepted) as (keyof UserPoolType)[]) {
          assert.deepEqual(updated[member], created[member], member)
        }
      })
    }
  })

  describe('completed when a pool is created and when it is updated', () => {
    for (const { title, members, shown } of completions) {
      test(title, async () => {
        const created = await create(members)
        const updated = await create({})
        await update(updated, members)
        for (const id of [created, updated]) {
          const pool = await describePool(id)
          for (const [name, value] of Object.entries(shown))
            assert.deepEqual(pool[name as keyof UserPoolType], value, name)
        }
      })
    }
  })

  test('a new pool with threat protection and without a tier gets the tier for it, an update does not', async () => {
    const UserPoolAddOns = { AdvancedSecurityMode: 'ENFORCED' as const }
    const id = await create({ UserPoolAddOns })
    assert.equal((await describePool(id)).UserPoolTier, 'PLUS')
    await assert.rejects(update(id, { UserPoolAddOns }), { name: 'FeatureUnavailableInTierException' })
    await update(id, { UserPoolAddOns, UserPoolTier: 'PLUS' })
    await update(id, {})
    assert.equal((await describePool(id)).UserPoolTier, 'ESSENTIALS')
  })

  test('a lower tier is refused until what an update keeps is disabled', async () => {
    const id = await create({ DcrConfiguration: {} })
    await assert.rejects(update(id, { UserPoolTier: 'LITE' }), {
      name: 'FeatureUnavailableInTierException',
      message: unavailable('LITE', 'Dynamic client registration'),
    })
    await update(id, { UserPoolTier: 'LITE', DcrConfiguration: { EnableStatus: 'Disabled' } })
    assert.equal((await describePool(id)).UserPoolTier, 'LITE')
    await update(id, { UserPoolTier: 'PLUS' })
  })

  test('verification before an update, which an update keeps, keeps the attribute automatically verified', async () => {
    const id = await create({
      AutoVerifiedAttributes: ['email'],
      UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
    })
    await assert.rejects(update(id, {}), {
      message: 'All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes',
    })
    await update(id, { UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: [] } })
  })

  test('the SMS service can be changed to the other one and is never taken away', async () => {
    const id = await create({ SmsConfiguration: { SnsCallerArn: role, ExternalId: 'x', SnsRegion: 'us-east-1' } })
    const EumsSms = { CallerArn: role, OriginationIdentity: 'sender' }
    await update(id, { SmsConfiguration: { EumsSms } })
    assert.deepEqual((await describePool(id)).SmsConfiguration, { EumsSms })
    await update(id, { SmsConfiguration: { SnsCallerArn: '' } })
    assert.deepEqual((await describePool(id)).SmsConfiguration, { EumsSms })
    await update(id, { SmsConfiguration: { SnsCallerArn: role } })
    assert.deepEqual((await describePool(id)).SmsConfiguration, { SnsCallerArn: role })
  })

  test('what DescribeUserPool shows can be sent back, but for the older name of the validity of passwords', async () => {
    const id = await create({
      AutoVerifiedAttributes: ['email'],
      LambdaConfig: { PreTokenGeneration: lambda('token') },
      EmailVerificationMessage: 'Mail {####}',
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true },
      UserPoolTier: 'LITE',
      UserPoolAddOns: { AdvancedSecurityMode: 'OFF' },
    })
    const { Id, Name, Arn, CreationDate, LastModifiedDate, ...shown } = await describePool(id)
    const { AdminCreateUserConfig, SchemaAttributes, EstimatedNumberOfUsers, ...members } = shown
    await assert.rejects(update(id, { ...members, AdminCreateUserConfig } as Members), {
      message: 'Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays',
    })
    await update(id, members as Members)
    assert.deepEqual(await describePool(id), { Id, Name, Arn, CreationDate, LastModifiedDate, ...shown })
  })
})
