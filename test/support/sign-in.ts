/** Users who sign in, for tests. */
import { createHmac } from 'node:crypto'
import type {
  AttributeType,
  AuthenticationResultType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  ExplicitAuthFlowsType,
  InitiateAuthCommandOutput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { createPool, type TestPool } from './pools.ts'
import { createSrpClient, srpTimestamp } from './srp-client.ts'

export const password = 'Passw0rd!'

export const allFlows: ExplicitAuthFlowsType[] = [
  'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  'ALLOW_CUSTOM_AUTH',
  'ALLOW_USER_PASSWORD_AUTH',
  'ALLOW_USER_SRP_AUTH',
  'ALLOW_REFRESH_TOKEN_AUTH',
]

/** A client that tells nobody who exists. */
export const discreet = { ExplicitAuthFlows: allFlows, PreventUserExistenceErrors: 'ENABLED' } as const

/** A pool and a client that allows every flow. */
export const createSignInPool = (
  app: TestApp,
  client: Partial<CreateUserPoolClientCommandInput> = {},
  pool: Partial<CreateUserPoolCommandInput> = {},
): Promise<TestPool> => createPool(app, pool, { ExplicitAuthFlows: allFlows, ...client })

/** A confirmed user with the usual password. */
export const createUser = async (
  app: TestApp,
  poolId: string,
  username: string,
  attributes: AttributeType[] = [],
): Promise<void> => {
  await app.aws.adminCreateUser({
    UserPoolId: poolId,
    Username: username,
    MessageAction: 'SUPPRESS',
    UserAttributes: attributes,
  })
  await app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: username, Password: password, Permanent: true })
}

export const beginWithPassword = (
  app: TestApp,
  clientId: string,
  username: string,
  text: string = password,
  more: Record<string, string> = {},
): Promise<InitiateAuthCommandOutput> =>
  app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: username, PASSWORD: text, ...more },
  })

export interface Tokens {
  access: string
  id: string
  refresh: string
}

export const tokensOf = ({
  AuthenticationResult: result,
}: {
  AuthenticationResult?: AuthenticationResultType
}): Tokens => {
  if (result?.AccessToken === undefined || result.IdToken === undefined) throw new Error('There are no tokens.')
  return { access: result.AccessToken, id: result.IdToken, refresh: result.RefreshToken ?? '' }
}

/** Tokens of a user with the usual password. */
export const signIn = async (app: TestApp, clientId: string, username: string, text?: string): Promise<Tokens> =>
  tokensOf(await beginWithPassword(app, clientId, username, text))

/** An SRP exchange up to the challenge; `answer` sends the client's proof for this password. */
export const beginSrp = async (
  app: TestApp,
  { poolId, clientId }: TestPool,
  username: string,
  more: Record<string, string> = {},
) => {
  const client = createSrpClient(poolId)
  const challenge = await app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'USER_SRP_AUTH',
    AuthParameters: { USERNAME: username, SRP_A: client.srpA, ...more },
  })
  const parameters = challenge.ChallengeParameters ?? {}
  const responses = (text: string = password) => client.answer(parameters, text, srpTimestamp(app.now()))
  return {
    parameters,
    session: challenge.Session,
    responses,
    answer: (text?: string, changes: Record<string, string> = {}) =>
      app.aws.respondToAuthChallenge({
        ClientId: clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: { ...responses(text), ...changes },
      }),
  }
}

export const refresh = (app: TestApp, clientId: string, token: string, more: Record<string, string> = {}) =>
  app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'REFRESH_TOKEN_AUTH',
    AuthParameters: { REFRESH_TOKEN: token, ...more },
  })

/** The claims of a token, unverified. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>

export const secretHash = (username: string, clientId: string, secret: string): string =>
  createHmac('sha256', secret).update(`${username}${clientId}`).digest('base64')

/** The error's name and message, or undefined when the call succeeds. */
export const failureOf = (call: Promise<unknown>): Promise<{ name: string; message: string } | undefined> =>
  call.then(
    () => undefined,
    (error: Error) => ({ name: error.name, message: error.message }),
  )

export const notAuthorized = (message: string) => ({ name: 'NotAuthorizedException', message })
export const invalidParameter = (message: string) => ({ name: 'InvalidParameterException', message })
export const incorrect = notAuthorized('Incorrect username or password.')
export const exceeded = notAuthorized('Password attempts exceeded')

/** A request as it goes over the wire, unsigned, and the whole answer. */
export const post = async (app: TestApp, operation: string, body: unknown) => {
  const answer = await fetch(app.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
    },
    body: JSON.stringify(body),
  })
  return { status: answer.status, headers: [...answer.headers], body: await answer.text() }
}
