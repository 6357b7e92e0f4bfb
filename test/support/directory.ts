/** What tests of users and groups need again and again: a pool with a client, users in it, and their access tokens. */
import assert from 'node:assert/strict'
import type {
  AdminCreateUserCommandInput,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'

export interface TestPool {
  UserPoolId: string
  /** A client without secret that signs users in with the administrator's password flow. */
  ClientId: string
}

export const createTestPool = async (
  app: TestApp,
  settings: Partial<CreateUserPoolCommandInput> = {},
  clientSettings: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<TestPool> => {
  const { UserPool } = await app.aws.createUserPool({ PoolName: 'directory', ...settings })
  const UserPoolId = UserPool?.Id ?? ''
  return { UserPoolId, ClientId: await createTestClient(app, UserPoolId, clientSettings) }
}

export const createTestClient = async (
  app: TestApp,
  UserPoolId: string,
  settings: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<string> => {
  const { UserPoolClient } = await app.aws.createUserPoolClient({
    UserPoolId,
    ClientName: 'web',
    ExplicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    ...settings,
  })
  return UserPoolClient?.ClientId ?? ''
}

/** `{ email: 'a@example.com' }` as the API's list of attributes. */
export const attributeList = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }))

/** The API's list of attributes by name. */
export const attributesByName = (list: { Name?: string; Value?: string }[] | undefined): Record<string, string> =>
  Object.fromEntries((list ?? []).map(({ Name = '', Value = '' }) => [Name, Value]))

/** AdminCreateUser without message. Returns the user as it answers. */
export const createTestUser = async (
  app: TestApp,
  { UserPoolId }: Pick<TestPool, 'UserPoolId'>,
  Username: string,
  attributes: Record<string, string> = {},
  more: Partial<AdminCreateUserCommandInput> = {},
) => {
  const { User } = await app.aws.adminCreateUser({
    UserPoolId,
    Username,
    UserAttributes: attributeList(attributes),
    MessageAction: 'SUPPRESS',
    ...more,
  })
  assert.ok(User)
  return User
}

export const testPassword = 'Passw0rd!'

/** A user with a permanent password who has just signed in: the access token. */
export const createSignedInUser = async (
  app: TestApp,
  pool: TestPool,
  Username: string,
  attributes: Record<string, string> = {},
): Promise<string> => {
  await createTestUser(app, pool, Username, attributes)
  await app.aws.adminSetUserPassword({
    UserPoolId: pool.UserPoolId,
    Username,
    Password: testPassword,
    Permanent: true,
  })
  return signInUser(app, pool, Username)
}

/** Signs the user in with a password and returns the access token. */
export const signInUser = async (
  app: TestApp,
  { UserPoolId, ClientId }: TestPool,
  USERNAME: string,
  PASSWORD = testPassword,
): Promise<string> => {
  const { AuthenticationResult } = await app.aws.adminInitiateAuth({
    UserPoolId,
    ClientId,
    AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME, PASSWORD },
  })
  assert.ok(AuthenticationResult?.AccessToken)
  return AuthenticationResult.AccessToken
}

/** The attributes of the user as an administrator sees them. */
export const attributesOf = async (
  app: TestApp,
  { UserPoolId }: Pick<TestPool, 'UserPoolId'>,
  Username: string,
): Promise<Record<string, string>> =>
  attributesByName((await app.aws.adminGetUser({ UserPoolId, Username })).UserAttributes)

/** How many of the calls succeeded, and the names of the errors of the others. */
export const outcomes = (results: PromiseSettledResult<unknown>[]): { succeeded: number; errors: Set<string> } => ({
  succeeded: results.filter(({ status }) => status === 'fulfilled').length,
  errors: new Set(results.flatMap(result => (result.status === 'rejected' ? [String(result.reason.name)] : []))),
})
