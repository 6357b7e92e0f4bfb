/**
 * The settings of a pool: from the members of a create or update request to what is stored and shown. An update
 * replaces the configuration, so what it omits goes back to its default; the few exceptions are in `updatePoolSettings`.
 */
import type {
  AccountRecoverySettingType,
  AdminCreateUserConfigType,
  CreateUserPoolRequest,
  DcrConfigurationType,
  DeviceConfigurationType,
  KeyConfigurationType,
  OAuthFlowType,
  SignInPolicyType,
  UpdateUserPoolRequest,
  UserPoolAddOnsType,
  UserPoolPolicyType,
} from '../../contract/types.ts'
import { buildSchema } from '../../core/attributes.ts'
import {
  adminOnlyWithOthers,
  aliasAndUsernameAttributes,
  invalidPoolSetting,
  invalidPoolTags,
  smsRequiredForMfa,
  unusedAccountValidityReplaced,
  updateVerificationNotAutoVerified,
} from '../../core/errors.ts'
import { completePasswordPolicy } from '../../core/password-policy.ts'
import { completeAcrLevels } from './acr-levels.ts'
import { completeLambdaConfig } from './lambda-settings.ts'
import { completeEmailConfiguration, completeSmsConfiguration, completeVerificationTexts } from './message-settings.ts'
import { checkMfaRules, hasFactor } from './mfa-rules.ts'
import type { Pool, PoolSettings } from './pool.ts'
import { checkTags } from './tags.ts'
import { checkTier, usesThreatProtection } from './tiers.ts'

/** The members that create and update share. */
type SharedMembers = Omit<UpdateUserPoolRequest, 'UserPoolId' | 'PoolName'>

/**
 * The settings of a new pool.
 * @throws InvalidParameterException, UserPoolTaggingException, FeatureUnavailableInTierException
 */
export const newPoolSettings = (requested: CreateUserPoolRequest, region: string): PoolSettings => {
  const aliases = listed(requested.AliasAttributes)
  const usernames = listed(requested.UsernameAttributes)
  if (aliases !== undefined && usernames !== undefined) throw aliasAndUsernameAttributes()
  const schema = buildSchema(requested.Schema)
  const shared = sharedSettings(requested, region)
  // The other factors can only be set up in a pool that exists.
  if (shared.MfaConfiguration !== 'OFF' && shared.SmsConfiguration === undefined) throw smsRequiredForMfa()
  const settings: PoolSettings = {
    ...shared,
    SchemaAttributes: schema,
    ...(aliases !== undefined && { AliasAttributes: aliases }),
    ...(usernames !== undefined && { UsernameAttributes: usernames }),
    UserPoolTags: checkTags(requested.UserPoolTags ?? {}, invalidPoolTags),
    ...(requested.UsernameConfiguration !== undefined && { UsernameConfiguration: requested.UsernameConfiguration }),
    UserPoolTier: requested.UserPoolTier ?? (usesThreatProtection(requested.UserPoolAddOns) ? 'PLUS' : 'ESSENTIALS'),
  }
  checkPoolSettings(settings)
  return settings
}

/**
 * The settings after UpdateUserPool. Not replaced when they are omitted: tags, the verification before an update of an
 * attribute, the registration of clients, the SMS service (which can be changed, but not taken away), and what other
 * operations have set: factors, sessions, logs.
 * @throws InvalidParameterException, UserPoolTaggingException, FeatureUnavailableInTierException
 */
export const updatePoolSettings = (pool: Pool, requested: SharedMembers): PoolSettings => {
  const before = pool.settings
  const shared = sharedSettings(requested, pool.region)
  const settings: PoolSettings = {
    ...shared,
    ...kept(before, ['SchemaAttributes', 'AliasAttributes', 'UsernameAttributes', 'UsernameConfiguration']),
    ...kept(before, ['SoftwareTokenMfaConfiguration', 'EmailMfaConfiguration', 'WebAuthnConfiguration']),
    ...kept(before, ['SessionConfiguration', 'LogConfigurations']),
    UserAttributeUpdateSettings: shared.UserAttributeUpdateSettings ?? before.UserAttributeUpdateSettings,
    DcrConfiguration: shared.DcrConfiguration ?? before.DcrConfiguration,
    SmsConfiguration: shared.SmsConfiguration ?? before.SmsConfiguration,
    UserPoolTags:
      requested.UserPoolTags === undefined
        ? (before.UserPoolTags ?? {})
        : checkTags(requested.UserPoolTags, invalidPoolTags),
    UserPoolTier: requested.UserPoolTier ?? 'ESSENTIALS',
  }
  if (settings.MfaConfiguration !== 'OFF' && !hasFactor(settings)) throw smsRequiredForMfa()
  checkPoolSettings(settings)
  return settings
}

/**
 * Rules that hold in every pool, whichever operation made it what it is.
 * @throws InvalidParameterException, FeatureUnavailableInTierException
 */
export const checkPoolSettings = (settings: PoolSettings): void => {
  const autoVerified = settings.AutoVerifiedAttributes ?? []
  const verifiedFirst = settings.UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate ?? []
  if (verifiedFirst.some(name => !autoVerified.includes(name))) throw updateVerificationNotAutoVerified()
  checkMfaRules(settings)
  checkTier(settings)
}

const kept = <Name extends keyof PoolSettings>(settings: PoolSettings, names: readonly Name[]) =>
  Object.fromEntries(names.map(name => [name, settings[name]])) as Pick<PoolSettings, Name>

const sharedSettings = (requested: SharedMembers, region: string): PoolSettings => {
  const policies = completePolicies(requested.Policies)
  const autoVerified = listed(requested.AutoVerifiedAttributes)
  const device = completeDeviceConfiguration(requested.DeviceConfiguration)
  const sms = completeSmsConfiguration(requested.SmsConfiguration, region)
  const issuer = requested.IssuerConfiguration?.Type
  const adminCreation = completeAdminCreation(requested.AdminCreateUserConfig, requested.Policies, policies)
  return {
    Policies: policies,
    DeletionProtection: requested.DeletionProtection ?? 'INACTIVE',
    LambdaConfig: completeLambdaConfig(requested.LambdaConfig),
    ...(autoVerified !== undefined && { AutoVerifiedAttributes: autoVerified }),
    ...completeVerificationTexts(requested),
    ...(requested.SmsAuthenticationMessage !== undefined && {
      SmsAuthenticationMessage: requested.SmsAuthenticationMessage,
    }),
    ...(requested.UserAttributeUpdateSettings !== undefined && {
      UserAttributeUpdateSettings: {
        AttributesRequireVerificationBeforeUpdate:
          listed(requested.UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate) ?? [],
      },
    }),
    MfaConfiguration: requested.MfaConfiguration ?? 'OFF',
    ...(device !== undefined && { DeviceConfiguration: device }),
    EmailConfiguration: completeEmailConfiguration(requested.EmailConfiguration),
    ...(sms !== undefined && { SmsConfiguration: sms }),
    AdminCreateUserConfig: adminCreation,
    ...(requested.UserPoolAddOns !== undefined && { UserPoolAddOns: completeAddOns(requested.UserPoolAddOns) }),
    ...(requested.DcrConfiguration !== undefined && { DcrConfiguration: completeDcr(requested.DcrConfiguration) }),
    AccountRecoverySetting: completeRecovery(requested.AccountRecoverySetting),
    ...(requested.KeyConfiguration !== undefined && { KeyConfiguration: completeKey(requested.KeyConfiguration) }),
    ...(issuer !== undefined && { IssuerConfiguration: { Type: issuer } }),
    AcrConfiguration: completeAcrLevels(requested.AcrConfiguration),
  }
}

/** The list without repetitions; undefined when it is empty or absent, because an empty list is not shown. */
const listed = <Item>(items: readonly Item[] | undefined): Item[] | undefined =>
  items === undefined || items.length === 0 ? undefined : [...new Set(items)]

const completePolicies = (requested: UserPoolPolicyType | undefined): Required<UserPoolPolicyType> => ({
  PasswordPolicy: completePasswordPolicy(requested?.PasswordPolicy),
  SignInPolicy: completeSignInPolicy(requested?.SignInPolicy),
})

const completeSignInPolicy = (requested: SignInPolicyType | undefined): SignInPolicyType => {
  const factors = listed(requested?.AllowedFirstAuthFactors) ?? ['PASSWORD']
  if (factors.includes('SOFTWARE_TOKEN')) throw invalidPoolSetting('softwareTokenFirst')
  if (!factors.includes('PASSWORD')) throw invalidPoolSetting('passwordFactorMissing')
  return { AllowedFirstAuthFactors: factors }
}

/**
 * UnusedAccountValidityDays is the older name of TemporaryPasswordValidityDays. A request that gives only the older one
 * sets both; both are always shown and always equal. 0 stands for the default of 7 days in either.
 */
const completeAdminCreation = (
  requested: AdminCreateUserConfigType | undefined,
  requestedPolicies: UserPoolPolicyType | undefined,
  policies: Required<UserPoolPolicyType>,
): AdminCreateUserConfigType => {
  const legacyDays = requested?.UnusedAccountValidityDays
  if (legacyDays !== undefined) {
    if (requestedPolicies?.PasswordPolicy?.TemporaryPasswordValidityDays !== undefined) {
      throw unusedAccountValidityReplaced()
    }
    if (legacyDays > 0) policies.PasswordPolicy.TemporaryPasswordValidityDays = legacyDays
  }
  const invitation = requested?.InviteMessageTemplate
  return {
    AllowAdminCreateUserOnly: requested?.AllowAdminCreateUserOnly ?? false,
    UnusedAccountValidityDays: policies.PasswordPolicy.TemporaryPasswordValidityDays ?? 7,
    ...(invitation !== undefined && Object.keys(invitation).length > 0 && { InviteMessageTemplate: invitation }),
  }
}

/** Either member, whatever its value, turns device tracking on; the other one is false then. */
const completeDeviceConfiguration = (
  requested: DeviceConfigurationType | undefined,
): DeviceConfigurationType | undefined => {
  const { ChallengeRequiredOnNewDevice: challenge, DeviceOnlyRememberedOnUserPrompt: prompt } = requested ?? {}
  if (challenge === undefined && prompt === undefined) return undefined
  return { ChallengeRequiredOnNewDevice: challenge ?? false, DeviceOnlyRememberedOnUserPrompt: prompt ?? false }
}

const completeAddOns = (requested: UserPoolAddOnsType): UserPoolAddOnsType => ({
  AdvancedSecurityMode: requested.AdvancedSecurityMode,
  ...(usesThreatProtection(requested) && { AdvancedSecurityAdditionalFlows: {} }),
  ...(requested.AdvancedSecurityAdditionalFlows !== undefined && {
    AdvancedSecurityAdditionalFlows: requested.AdvancedSecurityAdditionalFlows,
  }),
})

const completeDcr = (requested: DcrConfigurationType): DcrConfigurationType => ({
  EnableStatus: requested.EnableStatus ?? 'Enabled',
  OpenDcrEnabled: requested.OpenDcrEnabled ?? false,
  AuthenticatedGrantTypes: [
    ...new Set<OAuthFlowType>(requested.AuthenticatedGrantTypes ?? ['code', 'client_credentials']),
  ],
  OpenDcrGrantTypes: [...new Set<OAuthFlowType>(requested.OpenDcrGrantTypes ?? ['code'])],
  AllowedScopes: [...new Set(requested.AllowedScopes ?? [])],
})

/** An empty setting is kept as such: it stands for the order before there was a setting, phone before e-mail. */
const completeRecovery = (requested: AccountRecoverySettingType | undefined): AccountRecoverySettingType => {
  if (requested === undefined) {
    return {
      RecoveryMechanisms: [
        { Priority: 1, Name: 'verified_email' },
        { Priority: 2, Name: 'verified_phone_number' },
      ],
    }
  }
  const mechanisms = requested.RecoveryMechanisms ?? []
  if (mechanisms.length === 0) return {}
  if (mechanisms.length > 1 && mechanisms.some(({ Name }) => Name === 'admin_only')) throw adminOnlyWithOthers()
  const names = new Set(mechanisms.map(({ Name }) => Name))
  const priorities = new Set(mechanisms.map(({ Priority }) => Priority))
  if (names.size < mechanisms.length || priorities.size < mechanisms.length) {
    throw invalidPoolSetting('repeatedRecovery')
  }
  return { RecoveryMechanisms: mechanisms }
}

const completeKey = (requested: KeyConfigurationType): KeyConfigurationType => {
  const type = requested.KeyType ?? 'AWS_OWNED_KEY'
  if (type === 'CUSTOMER_MANAGED_KEY' && requested.KmsKeyArn === undefined) throw invalidPoolSetting('kmsKeyMissing')
  return { ...requested, KeyType: type }
}
