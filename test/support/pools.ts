/** Pools for tests: what most tests of users need before they can begin. */
import type {
  AttributeType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'

export interface TestPool {
  poolId: string
  clientId: string
}

/** A pool that verifies e-mail addresses, and a public client; both as the SDK makes them. */
export const createPool = async (
  app: TestApp,
  pool: Partial<CreateUserPoolCommandInput> = {},
  client: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<TestPool> => {
  const { UserPool } = await app.aws.createUserPool({
    PoolName: 'pool',
    AutoVerifiedAttributes: ['email'],
    ...pool,
  })
  const poolId = UserPool?.Id ?? ''
  return { poolId, clientId: await createClient(app, poolId, client) }
}

/** Another client of the pool; returns its id. */
export const createClient = async (
  app: TestApp,
  poolId: string,
  client: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<string> => {
  const { UserPoolClient } = await app.aws.createUserPoolClient({ UserPoolId: poolId, ClientName: 'client', ...client })
  return UserPoolClient?.ClientId ?? ''
}

export const email = (value: string) => ({ Name: 'email', Value: value })
export const phone = (value: string) => ({ Name: 'phone_number', Value: value })

/** Attributes as AdminGetUser lists them, as an object. */
export const attributesOf = async (app: TestApp, poolId: string, username: string): Promise<Record<string, string>> => {
  const user = await app.aws.adminGetUser({ UserPoolId: poolId, Username: username })
  return Object.fromEntries((user.UserAttributes ?? []).map(({ Name = '', Value = '' }) => [Name, Value]))
}

export const statusOf = async (app: TestApp, poolId: string, username: string): Promise<string | undefined> =>
  (await app.aws.adminGetUser({ UserPoolId: poolId, Username: username })).UserStatus

/** A client that allows the password flow. */
export const passwordFlow = {
  ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
} satisfies Partial<CreateUserPoolClientCommandInput>

/** Signs in with the password; the outcome is the SDK's. */
export const signIn = (app: TestApp, clientId: string, username: string, password: string) =>
  app.aws.initiateAuth({
    ClientId: clientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: username, PASSWORD: password },
  })

/** Makes a confirmed user with a permanent password. */
export const createUser = async (
  app: TestApp,
  poolId: string,
  username: string,
  password: string,
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

export const verified = (attribute: 'email' | 'phone_number') => ({ Name: `${attribute}_verified`, Value: 'true' })
