/** The MFA configuration of a pool: whether MFA is asked for, with which factors, and the passkeys. */
import type {
  GetUserPoolMfaConfigResponse,
  SetUserPoolMfaConfigRequest,
  WebAuthnConfigurationType,
} from '../../contract/types.ts'
import {
  featuresUnavailableInTier,
  invalidPoolSetting,
  mfaOffWithFactor,
  mfaWithoutFactor,
  smsRequiredForMfa,
} from '../../core/errors.ts'
import { completeSmsConfiguration } from './message-settings.ts'
import { hasFactor } from './mfa-rules.ts'
import type { Pool, PoolSettings } from './pool.ts'
import { checkPoolSettings } from './pool-settings.ts'
import { hasTier } from './tiers.ts'

/**
 * The settings of the pool after SetUserPoolMfaConfig. The factors are replaced as a whole, so that one which the
 * request omits is off; SMS stays, because verification uses it too, and so do passkeys, which are a first factor.
 * MfaConfiguration stays as it is when it is omitted.
 * @throws InvalidParameterException, FeatureUnavailableInTierException
 */
export const applyMfaConfig = (
  pool: Pool,
  requested: Omit<SetUserPoolMfaConfigRequest, 'UserPoolId'>,
): PoolSettings => {
  const { SmsMfaConfiguration, SoftwareTokenMfaConfiguration, EmailMfaConfiguration, WebAuthnConfiguration } = requested
  const mode = requested.MfaConfiguration ?? pool.settings.MfaConfiguration ?? 'OFF'
  const factors = [SmsMfaConfiguration, SoftwareTokenMfaConfiguration, EmailMfaConfiguration]
  const setsFactors = requested.MfaConfiguration !== undefined || factors.some(factor => factor !== undefined)
  if (mode === 'OFF' && factors.some(factor => factor !== undefined)) throw mfaOffWithFactor()

  const settings: PoolSettings = { ...pool.settings, MfaConfiguration: mode }
  if (setsFactors) {
    settings.SoftwareTokenMfaConfiguration = SoftwareTokenMfaConfiguration && {
      Enabled: SoftwareTokenMfaConfiguration.Enabled ?? false,
    }
    settings.EmailMfaConfiguration = EmailMfaConfiguration
  }
  if (SmsMfaConfiguration !== undefined) {
    const sms = completeSmsConfiguration(SmsMfaConfiguration.SmsConfiguration, pool.region)
    settings.SmsConfiguration = sms ?? pool.settings.SmsConfiguration
    settings.SmsAuthenticationMessage = SmsMfaConfiguration.SmsAuthenticationMessage
    if (settings.SmsConfiguration === undefined) throw smsRequiredForMfa()
  }
  if (mode !== 'OFF' && !hasFactor(settings)) throw mfaWithoutFactor()
  if (WebAuthnConfiguration !== undefined) {
    if (!hasTier(settings, 'ESSENTIALS')) throw featuresUnavailableInTier('LITE', ['Passkeys'])
    settings.WebAuthnConfiguration = completeWebAuthn(WebAuthnConfiguration)
  }
  checkPoolSettings(settings)
  return settings
}

const completeWebAuthn = (requested: WebAuthnConfigurationType): WebAuthnConfigurationType => {
  const { RelyingPartyId, UserVerification, FactorConfiguration = 'SINGLE_FACTOR' } = requested
  if (RelyingPartyId !== undefined && !isRelyingParty(RelyingPartyId)) throw invalidPoolSetting('relyingParty')
  const multiFactor = FactorConfiguration === 'MULTI_FACTOR_WITH_USER_VERIFICATION'
  if (multiFactor && UserVerification === 'preferred') throw invalidPoolSetting('passkeyVerification')
  return {
    ...(RelyingPartyId !== undefined && { RelyingPartyId }),
    UserVerification: UserVerification ?? (multiFactor ? 'required' : 'preferred'),
    FactorConfiguration,
  }
}

/** A domain name in lower case with two labels or more, or `localhost`, which browsers accept for development. */
const isRelyingParty = (id: string): boolean => {
  if (id === 'localhost') return true
  const labels = id.split('.')
  const isLabel = (label: string) => label.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label)
  return labels.length >= 2 && labels.every(isLabel) && !/^[0-9]+$/.test(labels.at(-1) ?? '')
}

/** PoolSettings → the answer of Get- and SetUserPoolMfaConfig. What is not configured, or off, is absent. */
export const presentMfaConfig = (settings: PoolSettings): GetUserPoolMfaConfigResponse => {
  const { MfaConfiguration = 'OFF', SmsConfiguration, SmsAuthenticationMessage, WebAuthnConfiguration } = settings
  const sms = {
    ...(SmsAuthenticationMessage !== undefined && { SmsAuthenticationMessage }),
    ...(SmsConfiguration !== undefined && { SmsConfiguration }),
  }
  return {
    ...(Object.keys(sms).length > 0 && { SmsMfaConfiguration: sms }),
    ...(MfaConfiguration !== 'OFF' && {
      SoftwareTokenMfaConfiguration: settings.SoftwareTokenMfaConfiguration,
      EmailMfaConfiguration: settings.EmailMfaConfiguration,
    }),
    MfaConfiguration,
    ...(WebAuthnConfiguration !== undefined && { WebAuthnConfiguration }),
  }
}
