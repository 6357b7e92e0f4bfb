/**
 * The written table of a sign-in: which answers a pending challenge takes, and which step may follow which. Every other
 * answer is refused; every other step is a fault of the program and ends the sign-in. No step leads past another by
 * accident.
 */
import type { ChallengeNameType } from '../../contract/types.ts'
import type { Outcome } from './progress.ts'

/** `tokens` stands for the end, whatever a face makes of it. */
type Step = ChallengeNameType | 'tokens'

/** Challenges that take other answers than their own. The choice of a factor may be left out by answering it at once. */
const answers: Partial<Record<ChallengeNameType, readonly ChallengeNameType[]>> = {
  SELECT_CHALLENGE: ['SELECT_CHALLENGE', 'PASSWORD', 'PASSWORD_SRP'],
}

/** Whether the pending challenge may be answered with one of this name. */
export const isAnswerTo = (pending: ChallengeNameType, answer: ChallengeNameType): boolean =>
  (answers[pending] ?? [pending]).includes(answer)

const secondFactors = ['SMS_MFA', 'EMAIL_OTP', 'SOFTWARE_TOKEN_MFA'] as const
const whatRiskAsksFor = [...secondFactors, 'SELECT_MFA_TYPE'] as const
/** The end, before which a remembered device may have to prove itself. */
const end = ['tokens', 'DEVICE_SRP_AUTH'] as const
const afterSecondFactor = [...end, 'CUSTOM_CHALLENGE'] as const
/** What may follow when a first factor is proven. */
const afterFirstFactor = [...afterSecondFactor, ...secondFactors, 'SELECT_MFA_TYPE', 'MFA_SETUP'] as const

/** The password is proven at once, or a first factor begins. */
const afterChoice = [
  'PASSWORD_VERIFIER',
  'EMAIL_OTP',
  'SMS_OTP',
  'WEB_AUTHN',
  'NEW_PASSWORD_REQUIRED',
  ...afterFirstFactor,
] as const

/** The documentation shows this table: docs/sign-in.md. */
export const edges: Partial<Record<ChallengeNameType | 'begin', readonly Step[]>> = {
  begin: ['SELECT_CHALLENGE', ...afterChoice],
  SELECT_CHALLENGE: afterChoice,
  PASSWORD: ['NEW_PASSWORD_REQUIRED', ...afterFirstFactor],
  PASSWORD_SRP: ['PASSWORD_VERIFIER'],
  // Risk may ask for a second factor after these, and after EMAIL_OTP where it was the first.
  SMS_OTP: ['tokens', ...whatRiskAsksFor],
  WEB_AUTHN: ['tokens', ...whatRiskAsksFor],
  PASSWORD_VERIFIER: ['NEW_PASSWORD_REQUIRED', ...afterFirstFactor],
  NEW_PASSWORD_REQUIRED: afterFirstFactor,
  CUSTOM_CHALLENGE: ['CUSTOM_CHALLENGE', ...end],
  SELECT_MFA_TYPE: secondFactors,
  MFA_SETUP: [...afterSecondFactor, 'EMAIL_OTP'],
  SMS_MFA: afterSecondFactor,
  EMAIL_OTP: [...afterSecondFactor, ...whatRiskAsksFor],
  SOFTWARE_TOKEN_MFA: afterSecondFactor,
  DEVICE_SRP_AUTH: ['DEVICE_PASSWORD_VERIFIER'],
  // The pool may have stopped taking devices for second factors meanwhile.
  DEVICE_PASSWORD_VERIFIER: ['tokens', ...secondFactors, 'SELECT_MFA_TYPE', 'MFA_SETUP'],
}

/** The outcome, when it may follow the step that was answered or the beginning. */
export const along = (from: ChallengeNameType | 'begin', outcome: Outcome): Outcome => {
  const to = 'challenge' in outcome ? outcome.challenge : 'tokens'
  if (!edges[from]?.includes(to)) throw new Error(`No step of a sign-in leads from ${from} to ${to}.`)
  return outcome
}

/** The challenges that can be pending. */
export const pendingChallengeNames: readonly ChallengeNameType[] = [
  ...new Set(Object.values(edges).flatMap(steps => steps.filter(step => step !== 'tokens'))),
]
