/** Every challenge there is, and an answer that has something for each of them. */
import type { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import { password } from './sign-in.ts'

export const challengeNames: ChallengeNameType[] = [
  'SMS_MFA',
  'EMAIL_OTP',
  'SOFTWARE_TOKEN_MFA',
  'SELECT_MFA_TYPE',
  'MFA_SETUP',
  'PASSWORD_VERIFIER',
  'CUSTOM_CHALLENGE',
  'SELECT_CHALLENGE',
  'DEVICE_SRP_AUTH',
  'DEVICE_PASSWORD_VERIFIER',
  'ADMIN_NO_SRP_AUTH',
  'NEW_PASSWORD_REQUIRED',
  'SMS_OTP',
  'PASSWORD',
  'WEB_AUTHN',
  'PASSWORD_SRP',
]

/** Responses that leave out nothing that any challenge asks for. */
export const everyResponse = (
  session: string,
  deviceKey = 'us-east-1_00000000-0000-0000-0000-000000000000',
): Record<string, string> => ({
  SMS_MFA_CODE: '000000',
  EMAIL_OTP_CODE: '000000',
  SMS_OTP_CODE: '000000',
  SOFTWARE_TOKEN_MFA_CODE: '000000',
  ANSWER: 'PASSWORD',
  PASSWORD: password,
  NEW_PASSWORD: password,
  EMAIL: 'eve@example.com',
  DEVICE_KEY: deviceKey,
  SRP_A: 'ab'.repeat(384),
  CREDENTIAL: '{}',
  PASSWORD_CLAIM_SIGNATURE: 'AAAA',
  PASSWORD_CLAIM_SECRET_BLOCK: session,
  TIMESTAMP: 'Sat Nov 7 00:09:40 UTC 2026',
})
