/** Users who choose their first factor, for tests. */
import type {
  AttributeType,
  AuthFactorType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  InitiateAuthCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { respond } from './mfa.ts'
import { createPool, email, phone, type TestPool } from './pools.ts'
import { allFlows, createUser } from './sign-in.ts'

export const number = '+12065551234'

/** Every flow, the one with a choice among them. */
export const choiceFlows = { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH' as const] }

/** The same for a client that tells nobody who exists. */
export const discreetChoice = { ...choiceFlows, PreventUserExistenceErrors: 'ENABLED' } as const

/** A pool with these first factors, password and codes when none are named. */
export const createChoicePool = (
  app: TestApp,
  {
    factors = ['PASSWORD', 'EMAIL_OTP', 'SMS_OTP'],
    client = {},
    pool = {},
  }: {
    factors?: AuthFactorType[]
    client?: Partial<CreateUserPoolClientCommandInput>
    pool?: Partial<CreateUserPoolCommandInput>
  } = {},
): Promise<TestPool> =>
  createPool(
    app,
    { Policies: { SignInPolicy: { AllowedFirstAuthFactors: factors } }, ...pool },
    { ...choiceFlows, ...client },
  )

/** A confirmed user with the usual password, an address and a number. */
export const createComplete = (app: TestApp, { poolId }: TestPool, name: string): Promise<void> =>
  createUser(app, poolId, name, [email(`${name}@example.com`), phone(number)])

/** A confirmed user who has no password. */
export const createPasswordless = (app: TestApp, { poolId }: TestPool, name: string, attributes?: AttributeType[]) =>
  app.aws.adminCreateUser({
    UserPoolId: poolId,
    Username: name,
    MessageAction: 'SUPPRESS',
    UserAttributes: attributes ?? [email(`${name}@example.com`)],
  })

export const beginChoice = (
  app: TestApp,
  { clientId }: Pick<TestPool, 'clientId'>,
  name: string,
  parameters: Record<string, string> = {},
  more: Partial<InitiateAuthCommandInput> = {},
) =>
  app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'USER_AUTH',
    AuthParameters: { USERNAME: name, ...parameters },
    ...more,
  })

/** Begins with a choice and chooses. */
export const choose = async (
  app: TestApp,
  pool: Pick<TestPool, 'clientId'>,
  name: string,
  answer: string,
  more: Record<string, string> = {},
) => respond(app, pool.clientId, name, await beginChoice(app, pool, name), { ANSWER: answer, ...more })

/** Answers the challenge of a code. */
export const answerCode = (
  app: TestApp,
  { clientId }: Pick<TestPool, 'clientId'>,
  name: string,
  challenge: Parameters<typeof respond>[3],
  code: string,
) => respond(app, clientId, name, challenge, { [`${challenge.ChallengeName}_CODE`]: code })
