/** Feature tiers: which settings of a pool need which tier. */
import type { UserPoolTierType } from '../../contract/types.ts'
import { featuresUnavailableInTier } from '../../core/errors.ts'
import { isCustomAcr } from './acr-levels.ts'
import type { PoolSettings } from './pool.ts'

const ranks: Record<UserPoolTierType, number> = { LITE: 0, ESSENTIALS: 1, PLUS: 2 }

/**
 * Every feature that not all tiers have. Only the first name and the beginning of the two of token customization are
 * known from the service.
 */
const features: { name: string; tier: UserPoolTierType; isUsed(settings: PoolSettings): boolean }[] = [
  { name: 'Threat Protection', tier: 'PLUS', isUsed: settings => usesThreatProtection(settings.UserPoolAddOns) },
  {
    name: 'Token Customization with Pre-Token Generation Lambda V2_0',
    tier: 'ESSENTIALS',
    isUsed: ({ LambdaConfig }) => LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion === 'V2_0',
  },
  {
    name: 'Token Customization with Pre-Token Generation Lambda V3_0',
    tier: 'ESSENTIALS',
    isUsed: ({ LambdaConfig }) => LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion === 'V3_0',
  },
  {
    name: 'Choice-based sign-in',
    tier: 'ESSENTIALS',
    isUsed: ({ Policies }) => Policies?.SignInPolicy?.AllowedFirstAuthFactors?.some(it => it !== 'PASSWORD') ?? false,
  },
  {
    name: 'Password history',
    tier: 'ESSENTIALS',
    isUsed: ({ Policies }) => (Policies?.PasswordPolicy?.PasswordHistorySize ?? 0) > 0,
  },
  {
    name: 'Email MFA',
    tier: 'ESSENTIALS',
    isUsed: settings => settings.EmailMfaConfiguration !== undefined && settings.MfaConfiguration !== 'OFF',
  },
  {
    name: 'Passkey MFA',
    tier: 'ESSENTIALS',
    isUsed: ({ WebAuthnConfiguration }) =>
      WebAuthnConfiguration?.FactorConfiguration === 'MULTI_FACTOR_WITH_USER_VERIFICATION',
  },
  {
    name: 'Dynamic client registration',
    tier: 'ESSENTIALS',
    isUsed: ({ DcrConfiguration }) => DcrConfiguration !== undefined && DcrConfiguration.EnableStatus !== 'Disabled',
  },
  {
    name: 'User activity log export',
    tier: 'PLUS',
    isUsed: ({ LogConfigurations }) => LogConfigurations?.some(it => it.EventSource === 'userAuthEvents') ?? false,
  },
  {
    name: 'Session tracking',
    tier: 'ESSENTIALS',
    isUsed: ({ SessionConfiguration }) => SessionConfiguration?.UserSessionTracking === 'ENABLED',
  },
  { name: 'Custom ACR values', tier: 'ESSENTIALS', isUsed: ({ AcrConfiguration }) => isCustomAcr(AcrConfiguration) },
]

/** True when threat protection watches or acts. */
export const usesThreatProtection = (addOns: PoolSettings['UserPoolAddOns']): boolean =>
  addOns !== undefined && addOns.AdvancedSecurityMode !== 'OFF'

/**
 * True when the pool's tier is the named one or a higher one.
 */
export const hasTier = (settings: Pick<PoolSettings, 'UserPoolTier'>, tier: UserPoolTierType): boolean =>
  ranks[settings.UserPoolTier ?? 'ESSENTIALS'] >= ranks[tier]

/** @throws FeatureUnavailableInTierException that names all features in use for which the pool's tier is too low. */
export const checkTier = (settings: PoolSettings): void => {
  const missing = features.filter(feature => !hasTier(settings, feature.tier) && feature.isUsed(settings))
  if (missing.length === 0) return
  throw featuresUnavailableInTier(
    settings.UserPoolTier ?? 'ESSENTIALS',
    missing.map(feature => feature.name),
  )
}
