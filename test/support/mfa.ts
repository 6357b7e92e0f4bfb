/** Second factors for tests. */
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  RespondToAuthChallengeCommandOutput,
  SetUserPoolMfaConfigCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { totpCode, totpStepAt } from '../../src/core/totp.ts'
import type { TestApp } from './app.ts'
import type { TestPool } from './pools.ts'
import { createSignInPool } from './sign-in.ts'

type MfaConfig = Omit<SetUserPoolMfaConfigCommandInput, 'UserPoolId'>

export const smsFactor = {
  SmsMfaConfiguration: { SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sms', ExternalId: 'id' } },
} satisfies MfaConfig
export const tokenFactor = { SoftwareTokenMfaConfiguration: { Enabled: true } } satisfies MfaConfig
export const mailFactor = { EmailMfaConfiguration: {} } satisfies MfaConfig

/** E-mail as second factor needs an identity of one's own. */
export const ownMail = {
  EmailConfiguration: {
    EmailSendingAccount: 'DEVELOPER',
    SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/example.com',
  },
} satisfies Partial<CreateUserPoolCommandInput>

/** A pool with MFA, and a client that allows every flow. */
export const createMfaPool = async (
  app: TestApp,
  config: MfaConfig,
  {
    client = {},
    pool = {},
  }: { client?: Partial<CreateUserPoolClientCommandInput>; pool?: Partial<CreateUserPoolCommandInput> } = {},
): Promise<TestPool> => {
  const made = await createSignInPool(app, client, { ...ownMail, ...pool })
  await app.aws.setUserPoolMfaConfig({ UserPoolId: made.poolId, ...config })
  return made
}

/** An authenticator application with the secret as the API gives it out: 52 characters of base32. */
export const authenticator = (app: TestApp, secretCode: string | undefined) => {
  const secret = fromBase32(secretCode ?? '')
  return {
    /** The code of now, or of so many steps later. */
    code: (steps = 0): string => totpCode(secret, totpStepAt(app.now()) + steps),
    /** Six digits that are no code for minutes around now. */
    wrongCode: (): string => {
      const right = new Set(
        Array.from({ length: 21 }, (_, index) => totpCode(secret, totpStepAt(app.now()) + index - 10)),
      )
      for (let number = 0; ; number += 1) {
        const code = String(number).padStart(6, '0')
        if (!right.has(code)) return code
      }
    },
  }
}

export type Authenticator = ReturnType<typeof authenticator>

const fromBase32 = (text: string): Buffer => {
  const bits = [...text].map(character =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'),
  )
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)))
}

/** Registers an authenticator application for a signed-in user; its first code is used up by that. */
export const registerAuthenticator = async (
  app: TestApp,
  accessToken: string,
  friendlyName?: string,
): Promise<Authenticator> => {
  const { SecretCode } = await app.aws.associateSoftwareToken({ AccessToken: accessToken })
  const device = authenticator(app, SecretCode)
  await app.aws.verifySoftwareToken({
    AccessToken: accessToken,
    UserCode: device.code(),
    FriendlyDeviceName: friendlyName,
  })
  return device
}

/** Answers a challenge of a second factor. */
export const respond = (
  app: TestApp,
  clientId: string,
  username: string,
  challenge: { ChallengeName?: string | undefined; Session?: string | undefined },
  responses: Record<string, string> = {},
): Promise<RespondToAuthChallengeCommandOutput> =>
  app.aws.respondToAuthChallenge({
    ClientId: clientId,
    ChallengeName: challenge.ChallengeName as 'SMS_MFA',
    Session: challenge.Session,
    ChallengeResponses: { USERNAME: username, ...responses },
  })
