/** Which second factors a user has, and what a sign-in asks for because of that. */
import type { AuthFactorType } from '../../contract/types.ts'
import type { Factor } from '../../core/claims.ts'
import { decideMfa, type MfaDecision, type MfaFactor, mfaFactors } from '../../core/mfa-decision.ts'
import type { ReadContext } from '../context.ts'
import type { VerifiableAttribute } from '../messages/codes.ts'
import type { Pool } from '../user-pools/pool.ts'
import { hasPassword, type MfaSettings, type User } from '../users/user.ts'
import { findSoftwareToken } from './software-tokens.ts'

/** The attribute that a factor sends codes to. */
export const attributeOfFactor: Record<Exclude<MfaFactor, 'SOFTWARE_TOKEN_MFA'>, VerifiableAttribute> = {
  SMS_MFA: 'phone_number',
  EMAIL_OTP: 'email',
}

/** The factors that are switched on; the legacy option for text messages counts like the newer one. */
export const enabledFactors = ({ enabled = [], mfaOptions = [] }: MfaSettings): MfaFactor[] =>
  mfaFactors.filter(factor => enabled.includes(factor) || (factor === 'SMS_MFA' && mfaOptions.length > 0))

/** The factors that users of the pool can have. */
export const factorsOfPool = ({ settings }: Pool): MfaFactor[] => {
  const isOn: Record<MfaFactor, boolean> = {
    SMS_MFA: settings.SmsConfiguration !== undefined,
    SOFTWARE_TOKEN_MFA: settings.SoftwareTokenMfaConfiguration?.Enabled === true,
    EMAIL_OTP: settings.EmailMfaConfiguration !== undefined,
  }
  return mfaFactors.filter(factor => isOn[factor])
}

/** How what a factor proves is called in tokens. */
export const proofOfFactor: Record<MfaFactor, Factor> = {
  SMS_MFA: 'sms',
  EMAIL_OTP: 'email_otp',
  SOFTWARE_TOKEN_MFA: 'otp',
}

/** What the sign-in of the user asks for after the first factor. What is proven already is no second factor. */
export const decideMfaOf = async (
  ctx: ReadContext,
  pool: Pool,
  user: User,
  {
    isAssigned = false,
    deviceSkipsMfa = false,
    proven = [],
  }: { isAssigned?: boolean; deviceSkipsMfa?: boolean; proven?: readonly Factor[] } = {},
): Promise<MfaDecision> => {
  const mode = pool.settings.MfaConfiguration ?? 'OFF'
  if (mode === 'OFF') return { step: 'none' }
  return decideMfa({
    mode,
    isAssigned,
    deviceSkipsMfa,
    poolFactors: factorsOfPool(pool).filter(factor => !proven.includes(proofOfFactor[factor])),
    enabled: enabledFactors(user.mfa),
    preferred: mfaFactors.find(factor => factor === user.mfa.preferred),
    hasSoftwareToken: (await findSoftwareToken(ctx, user)) !== undefined,
    hasPhoneNumber: user.attributes.has('phone_number'),
    hasEmail: user.attributes.has('email'),
    recovery: recoveryFactor(pool),
  })
}

const recoveryFactor = (pool: Pool): 'SMS_MFA' | 'EMAIL_OTP' | undefined => {
  const mechanisms = pool.settings.AccountRecoverySetting?.RecoveryMechanisms ?? []
  const [first] = mechanisms.toSorted((one, other) => one.Priority - other.Priority)
  if (first?.Name === 'verified_email') return 'EMAIL_OTP'
  return first?.Name === 'verified_phone_number' ? 'SMS_MFA' : undefined
}

/**
 * With what the user can sign in, as first or second factor; undefined when there is nothing. Whether he has a passkey
 * that is of use is the caller's to know.
 */
export const configuredAuthFactors = async (
  ctx: ReadContext,
  pool: Pool,
  user: User,
  { hasPasskey }: { hasPasskey: boolean },
): Promise<AuthFactorType[] | undefined> => {
  const first = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
  const second = (pool.settings.MfaConfiguration ?? 'OFF') === 'OFF' ? [] : factorsOfPool(pool)
  const has: [AuthFactorType, boolean][] = [
    ['PASSWORD', hasPassword(user)],
    ['EMAIL_OTP', user.attributes.has('email') && (first.includes('EMAIL_OTP') || second.includes('EMAIL_OTP'))],
    ['SMS_OTP', user.attributes.has('phone_number') && (first.includes('SMS_OTP') || second.includes('SMS_MFA'))],
    ['WEB_AUTHN', hasPasskey],
    ['SOFTWARE_TOKEN', (await findSoftwareToken(ctx, user)) !== undefined],
  ]
  const configured = has.filter(([, isConfigured]) => isConfigured).map(([factor]) => factor)
  return configured.length === 0 ? undefined : configured
}

/** The codes that the user can show beside a password. */
export const codesBesidePassword = async (ctx: ReadContext, pool: Pool, user: User): Promise<Factor[]> => {
  const configured = (await configuredAuthFactors(ctx, pool, user, { hasPasskey: false })) ?? []
  const has: [boolean, Factor][] = [
    [configured.includes('SMS_OTP'), 'sms'],
    [configured.includes('EMAIL_OTP'), 'email_otp'],
    [configured.includes('SOFTWARE_TOKEN'), 'otp'],
  ]
  return has.filter(([isThere]) => isThere).map(([, code]) => code)
}
