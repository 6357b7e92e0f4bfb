/** All challenges that can be answered. One that is not here is never pending. */
import type { ChallengeNameType } from '../../../contract/types.ts'
import type { Challenge } from './challenge.ts'
import { answerCustomChallenge } from './custom-challenge.ts'
import { answerMessageCode } from './message-code.ts'
import { answerMfaSetup } from './mfa-setup.ts'
import { answerNewPassword } from './new-password-required.ts'
import { answerPasswordVerifier } from './password-verifier.ts'
import { answerSelectMfaType } from './select-mfa-type.ts'
import { answerSoftwareToken } from './software-token-mfa.ts'

export const challenges: Partial<Record<ChallengeNameType, Challenge>> = {
  CUSTOM_CHALLENGE: answerCustomChallenge,
  NEW_PASSWORD_REQUIRED: answerNewPassword,
  PASSWORD_VERIFIER: answerPasswordVerifier,
  SELECT_MFA_TYPE: answerSelectMfaType,
  MFA_SETUP: answerMfaSetup,
  SOFTWARE_TOKEN_MFA: answerSoftwareToken,
  SMS_MFA: answerMessageCode,
  EMAIL_OTP: answerMessageCode,
}
