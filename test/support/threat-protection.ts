/** What tests of threat protection have in common: a pool that is watched, and requests from here and there. */
import type {
  AccountTakeoverRiskConfigurationType,
  AuthEventType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  SetRiskConfigurationCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { createPool, createUser, email, type TestPool, verified } from './pools.ts'

/** Not a password that anybody knows. */
export const Password = 'Zebra-crossing-4471'

export const allFlows = {
  ExplicitAuthFlows: [
    'ALLOW_USER_PASSWORD_AUTH',
    'ALLOW_ADMIN_USER_PASSWORD_AUTH',
    'ALLOW_USER_SRP_AUTH',
    'ALLOW_CUSTOM_AUTH',
    'ALLOW_REFRESH_TOKEN_AUTH',
  ],
} satisfies Partial<CreateUserPoolClientCommandInput>

/** A pool in the PLUS tier with the mode, and a user `ann` with a verified address. */
export const watchedPool = async (
  app: TestApp,
  mode: 'AUDIT' | 'ENFORCED',
  pool: Partial<CreateUserPoolCommandInput> = {},
  client: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<TestPool> => {
  const made = await createPool(
    app,
    { UserPoolTier: 'PLUS', UserPoolAddOns: { AdvancedSecurityMode: mode }, ...pool },
    { ...allFlows, ...client },
  )
  await createUser(app, made.poolId, 'ann', Password, [email('ann@example.com'), verified('email')])
  return made
}

export interface From {
  address?: string
  userAgent?: string
  encodedData?: string
}

export const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36'
export const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0'
export const home: From = { address: '198.51.100.7', userAgent: chrome }
export const abroad: From = { address: '203.0.113.9', userAgent: firefox }

/** ContextData of a request that an administrator's server makes for a user who is there. */
export const contextData = ({ address = '198.51.100.7', userAgent = chrome, encodedData }: From) => ({
  IpAddress: address,
  ServerName: 'example.com',
  ServerPath: '/sign-in',
  HttpHeaders: [{ headerName: 'User-Agent', headerValue: userAgent }],
  ...(encodedData !== undefined && { EncodedData: encodedData }),
})

/** Signs in through an administrator's server, for a user who is there. */
export const signInFrom = (
  app: TestApp,
  { poolId, clientId }: TestPool,
  from: From,
  { username = 'ann', password = Password } = {},
) =>
  app.aws.adminInitiateAuth({
    UserPoolId: poolId,
    ClientId: clientId,
    AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: username, PASSWORD: password },
    ContextData: contextData(from),
  })

/** The events of a user, newest first. */
export const eventsOf = async (app: TestApp, { poolId }: TestPool, username = 'ann'): Promise<AuthEventType[]> => {
  const { AuthEvents = [] } = await app.aws.adminListUserAuthEvents({ UserPoolId: poolId, Username: username })
  return AuthEvents
}

type Action = 'BLOCK' | 'MFA_IF_CONFIGURED' | 'MFA_REQUIRED' | 'NO_ACTION'

/** Rules for all levels alike. */
export const takeover = (
  EventAction: Action,
  Notify = false,
): { AccountTakeoverRiskConfiguration: AccountTakeoverRiskConfigurationType } => ({
  AccountTakeoverRiskConfiguration: {
    Actions: {
      LowAction: { EventAction, Notify },
      MediumAction: { EventAction, Notify },
      HighAction: { EventAction, Notify },
    },
    ...(Notify && {
      NotifyConfiguration: {
        SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/security@example.com',
        From: 'Security <security@example.com>',
        ReplyTo: 'help@example.com',
      },
    }),
  },
})

export const setRisk = (
  app: TestApp,
  { poolId }: TestPool,
  configuration: Omit<SetRiskConfigurationCommandInput, 'UserPoolId'>,
) => app.aws.setRiskConfiguration({ UserPoolId: poolId, ...configuration })

export const securityReasons = {
  name: 'NotAuthorizedException',
  message: 'Unable to login because of security reasons.',
}
