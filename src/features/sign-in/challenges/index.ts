/** All challenges that can be answered. One that is not here is never pending. */
import type { ChallengeNameType } from '../../../contract/types.ts'
import type { Challenge } from './challenge.ts'
import { answerNewPassword } from './new-password-required.ts'
import { answerPasswordVerifier } from './password-verifier.ts'

export const challenges: Partial<Record<ChallengeNameType, Challenge>> = {
  NEW_PASSWORD_REQUIRED: answerNewPassword,
  PASSWORD_VERIFIER: answerPasswordVerifier,
}
