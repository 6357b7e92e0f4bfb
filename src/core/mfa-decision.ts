/**
 * What a sign-in still asks for after the first factor. One table of rules over the settings of the pool, the factors of
 * the user and the address by which the account is recovered. Where nothing fits, the sign-in is refused: no rule gives
 * out tokens because a factor is missing.
 */

/** A second factor, as the API names it. */
export type MfaFactor = 'SMS_MFA' | 'SOFTWARE_TOKEN_MFA' | 'EMAIL_OTP'

/** All of them, in the order in which they are listed. */
export const mfaFactors: readonly MfaFactor[] = ['SMS_MFA', 'SOFTWARE_TOKEN_MFA', 'EMAIL_OTP']

export interface MfaFacts {
  /** MfaConfiguration of the pool. */
  mode: 'OFF' | 'OPTIONAL' | 'ON'
  /** Risk asks for a second factor where the pool leaves it to the user. */
  isAssigned?: boolean
  /** The factors that the pool has switched on. */
  poolFactors: readonly MfaFactor[]
  /** The factors that the user, or an administrator for him, has switched on. */
  enabled: readonly MfaFactor[]
  preferred: MfaFactor | undefined
  /** The user has a software token that was verified. */
  hasSoftwareToken: boolean
  hasPhoneNumber: boolean
  hasEmail: boolean
  /**
   * The factor whose address comes first in the recovery of accounts. One mailbox must not serve for a new password and
   * as second factor as well. Undefined when there is no recovery.
   */
  recovery: 'SMS_MFA' | 'EMAIL_OTP' | undefined
  /** A remembered device answers in the place of the second factor. */
  deviceSkipsMfa?: boolean
}

export type MfaDecision =
  | { step: 'none' }
  | { step: 'challenge'; factor: MfaFactor }
  | { step: 'select'; factors: MfaFactor[] }
  | { step: 'setup'; factors: MfaFactor[] }
  /** A factor is asked for, and the user can neither use nor set up any. */
  | { step: 'refuse' }

export const decideMfa = (facts: MfaFacts): MfaDecision => {
  const decision = decide(facts)
  const isAnswered = facts.deviceSkipsMfa && (decision.step === 'challenge' || decision.step === 'select')
  return isAnswered ? { step: 'none' } : decision
}

const decide = (facts: MfaFacts): MfaDecision => {
  const { mode, isAssigned = false, preferred } = facts
  if (mode === 'OFF') return { step: 'none' }
  const chosen = mfaFactors.filter(factor => facts.enabled.includes(factor) && isOffered(facts, factor))
  const usable = chosen.filter(factor => isUsable(facts, factor))
  if (preferred !== undefined && usable.includes(preferred)) return { step: 'challenge', factor: preferred }
  if (mode === 'ON' || isAssigned) return required(facts)
  if (chosen.length === 0) return { step: 'none' }
  return oneOf(usable)
}

/** The rules of a pool in which everyone has a second factor: an address will do that nobody has switched on. */
const required = (facts: MfaFacts): MfaDecision => {
  const eligible = mfaFactors.filter(
    factor =>
      isOffered(facts, factor) && isUsable(facts, factor) && (isChosen(facts, factor) || !isRecovery(facts, factor)),
  )
  if (eligible.length > 0) return oneOf(eligible)
  const hasAddress = facts.hasPhoneNumber || facts.hasEmail
  const settable = facts.poolFactors.filter(
    factor => factor === 'SOFTWARE_TOKEN_MFA' || (!hasAddress && !isRecovery(facts, factor)),
  )
  return settable.length === 0
    ? { step: 'refuse' }
    : { step: 'setup', factors: mfaFactors.filter(factor => settable.includes(factor)) }
}

const oneOf = (factors: readonly MfaFactor[]): MfaDecision => {
  const [only, another] = factors
  if (only === undefined) return { step: 'refuse' }
  return another === undefined ? { step: 'challenge', factor: only } : { step: 'select', factors: [...factors] }
}

const isChosen = (facts: MfaFacts, factor: MfaFactor): boolean =>
  factor === 'SOFTWARE_TOKEN_MFA' || facts.enabled.includes(factor)

const isRecovery = (facts: MfaFacts, factor: MfaFactor): boolean => factor === facts.recovery

/** A software token that a user has goes on working when the pool no longer lets others register one. */
const isOffered = (facts: MfaFacts, factor: MfaFactor): boolean =>
  facts.poolFactors.includes(factor) || (factor === 'SOFTWARE_TOKEN_MFA' && facts.hasSoftwareToken)

const isUsable = (facts: MfaFacts, factor: MfaFactor): boolean =>
  ({ SMS_MFA: facts.hasPhoneNumber, SOFTWARE_TOKEN_MFA: facts.hasSoftwareToken, EMAIL_OTP: facts.hasEmail })[factor]
