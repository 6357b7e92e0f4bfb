/** Which second factors a pool has, and what MFA rules out in its other settings. */
import { invalidPoolSetting } from '../../core/errors.ts'
import { sendsWithOwnAccount } from './message-settings.ts'
import type { PoolMfaSettings, PoolSettings } from './pool.ts'

/** True when the pool has a second factor that users can have. */
export const hasFactor = (
  settings: Pick<PoolSettings, 'SmsConfiguration'> & Omit<PoolMfaSettings, 'WebAuthnConfiguration'>,
): boolean =>
  settings.SmsConfiguration !== undefined ||
  settings.SoftwareTokenMfaConfiguration?.Enabled === true ||
  settings.EmailMfaConfiguration !== undefined

/**
 * Rules between MFA and the other settings of a pool.
 * @throws InvalidParameterException
 */
export const checkMfaRules = (settings: PoolSettings): void => {
  const { MfaConfiguration, Policies, EmailMfaConfiguration, WebAuthnConfiguration, AccountRecoverySetting } = settings
  if (MfaConfiguration === 'ON') {
    const first = Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
    if (first.includes('EMAIL_OTP') || first.includes('SMS_OTP')) throw invalidPoolSetting('oneTimePasswordWithMfa')
    const multiFactor = WebAuthnConfiguration?.FactorConfiguration === 'MULTI_FACTOR_WITH_USER_VERIFICATION'
    if (first.includes('WEB_AUTHN') && !multiFactor) throw invalidPoolSetting('passkeyWithMfa')
  }
  if (EmailMfaConfiguration !== undefined && MfaConfiguration !== 'OFF') {
    if (!sendsWithOwnAccount(settings)) throw invalidPoolSetting('emailMfaSender')
    const mechanisms = AccountRecoverySetting?.RecoveryMechanisms ?? []
    if (mechanisms.length === 1 && mechanisms[0]?.Name === 'verified_email')
      throw invalidPoolSetting('emailMfaRecovery')
  }
}
