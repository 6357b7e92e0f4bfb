/** All challenges that can be answered. One that is not here is never pending. */
import type { ChallengeNameType } from '../../../contract/types.ts'
import { openSession } from '../attempt.ts'
import type { Challenge } from './challenge.ts'
import { answerCustomChallenge } from './custom-challenge.ts'
import { answerDevicePasswordVerifier, answerDeviceSrpAuth } from './device-srp-auth.ts'
import { answerMessageCode } from './message-code.ts'
import { answerMfaSetup } from './mfa-setup.ts'
import { answerNewPassword } from './new-password-required.ts'
import { answerOneTimePassword } from './one-time-password.ts'
import { answerPasskey } from './passkey.ts'
import { answerPasswordVerifier } from './password-verifier.ts'
import { answerChosen, answerSelectChallenge } from './select-challenge.ts'
import { answerSelectMfaType } from './select-mfa-type.ts'
import { answerSoftwareToken } from './software-token-mfa.ts'

/** The attempt tells which factor the code is. A Session that tells nothing is refused by either. */
const answerEmailCode: Challenge = (ctx, answer) => {
  const attempt = answer.session === undefined ? undefined : openSession(ctx, answer, answer.session)
  return attempt?.isFirstFactor ? answerOneTimePassword(ctx, answer) : answerMessageCode(ctx, answer)
}

export const challenges: Partial<Record<ChallengeNameType, Challenge>> = {
  CUSTOM_CHALLENGE: answerCustomChallenge,
  NEW_PASSWORD_REQUIRED: answerNewPassword,
  PASSWORD: answerChosen,
  PASSWORD_SRP: answerChosen,
  PASSWORD_VERIFIER: answerPasswordVerifier,
  SELECT_CHALLENGE: answerSelectChallenge,
  SELECT_MFA_TYPE: answerSelectMfaType,
  MFA_SETUP: answerMfaSetup,
  SOFTWARE_TOKEN_MFA: answerSoftwareToken,
  SMS_MFA: answerMessageCode,
  SMS_OTP: answerOneTimePassword,
  EMAIL_OTP: answerEmailCode,
  DEVICE_SRP_AUTH: answerDeviceSrpAuth,
  DEVICE_PASSWORD_VERIFIER: answerDevicePasswordVerifier,
  WEB_AUTHN: answerPasskey,
}
