/** SetUserMFAPreference and its administrator's form: which factors a user has switched on, and which one is preferred. */
import type { SetUserMFAPreferenceRequest, SMSMfaSettingsType } from '../../contract/types.ts'
import {
  factorOfRequiredMfa,
  factorWithoutDelivery,
  featuresUnavailableInTier,
  passkeyMfaNotConfigured,
  preferredFactorNotEnabled,
  severalPreferredFactors,
} from '../../core/errors.ts'
import { type MfaFactor, mfaFactors } from '../../core/mfa-decision.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { hasTier } from '../user-pools/tiers.ts'
import { getUserById, lockUser, type MfaSettings, type User, updateUser } from '../users/user.ts'
import { attributeOfFactor, enabledFactors } from './factors.ts'
import { findSoftwareToken } from './software-tokens.ts'

export type MfaPreferences = Omit<SetUserMFAPreferenceRequest, 'AccessToken'>

/** The three factors have settings of the same shape. */
type FactorSettings = Record<MfaFactor, SMSMfaSettingsType | undefined>

/**
 * Switches factors on and off and sets the preferred one. What the request does not mention stays as it is; another
 * preferred factor takes the place of the one before. Sign-ins that are under way are broken.
 * @throws InvalidParameterException, FeatureUnavailableInTierException, UserNotFoundException when the user was deleted
 * meanwhile
 */
export const setMfaPreference = async (
  ctx: Context,
  pool: Pool,
  user: User,
  preferences: MfaPreferences,
): Promise<void> => {
  const settings: FactorSettings = {
    SMS_MFA: preferences.SMSMfaSettings,
    SOFTWARE_TOKEN_MFA: preferences.SoftwareTokenMfaSettings,
    EMAIL_OTP: preferences.EmailMfaSettings,
  }
  if (mfaFactors.filter(factor => settings[factor]?.PreferredMfa).length > 1) throw severalPreferredFactors()
  if (settings.EMAIL_OTP?.Enabled && !hasTier(pool.settings, 'ESSENTIALS')) {
    throw featuresUnavailableInTier('LITE', ['Email MFA'])
  }
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    const current = await getUserById(tx, pool, user.id)
    const hasSoftwareToken = (await findSoftwareToken(tx, user)) !== undefined
    const factors = applySettings(pool, current, hasSoftwareToken, settings)
    const mfa = applyPasskeys(pool, factors, preferences.WebAuthnMfaSettings?.Enabled)
    await updateUser(tx, user, { mfa, breakSignIns: true })
  })
}

const applySettings = (pool: Pool, user: User, hasSoftwareToken: boolean, settings: FactorSettings): MfaSettings => {
  const enabled = new Set(enabledFactors(user.mfa))
  let preferred: string | undefined = user.mfa.preferred
  for (const factor of mfaFactors) {
    const { Enabled, PreferredMfa } = settings[factor] ?? {}
    const isEnabled = Enabled ?? enabled.has(factor)
    if (PreferredMfa && !isEnabled) throw preferredFactorNotEnabled(factor)
    if ((Enabled || PreferredMfa) && !canReceive(user, hasSoftwareToken, factor)) throw factorWithoutDelivery(factor)
    if (!isEnabled && enabled.has(factor) && pool.settings.MfaConfiguration === 'ON') throw factorOfRequiredMfa(factor)
    if (isEnabled) enabled.add(factor)
    else enabled.delete(factor)
    if (PreferredMfa) preferred = factor
    else if (preferred === factor && (PreferredMfa === false || !isEnabled)) preferred = undefined
  }
  const { preferred: _preferred, mfaOptions, ...others } = user.mfa
  return {
    ...others,
    enabled: mfaFactors.filter(factor => enabled.has(factor)),
    ...(preferred !== undefined && { preferred }),
    // The legacy option says the same as SMS_MFA.
    ...(mfaOptions !== undefined && enabled.has('SMS_MFA') && { mfaOptions }),
  }
}

const canReceive = (user: User, hasSoftwareToken: boolean, factor: MfaFactor): boolean =>
  factor === 'SOFTWARE_TOKEN_MFA' ? hasSoftwareToken : user.attributes.has(attributeOfFactor[factor])

/** A passkey stands for two factors only beside another one that the user can fall back on. */
const applyPasskeys = (
  pool: Pool,
  { passkeys: before, ...mfa }: MfaSettings,
  wanted: boolean | undefined,
): MfaSettings => {
  const passkeys = wanted ?? before ?? false
  if (!passkeys) return mfa
  if (wanted) {
    const isConfigured =
      pool.settings.WebAuthnConfiguration?.FactorConfiguration === 'MULTI_FACTOR_WITH_USER_VERIFICATION'
    if (!isConfigured || enabledFactors(mfa).length === 0) throw passkeyMfaNotConfigured()
  }
  return { ...mfa, passkeys }
}
