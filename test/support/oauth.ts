/** The authorization server as tests use it: pools with OAuth clients, and browsers that have signed in. */
import { createHash, randomBytes } from 'node:crypto'
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Factor } from '../../src/core/claims.ts'
import { findClient } from '../../src/features/app-clients/client.ts'
import { beginBrowserSession } from '../../src/features/authorization/single-sign-on.ts'
import type { Context } from '../../src/features/context.ts'
import { findPool } from '../../src/features/user-pools/pool.ts'
import { getUserByName } from '../../src/features/users/user.ts'
import type { TestApp } from './app.ts'
import { createPool } from './pools.ts'

export const callback = 'https://app.example/callback'

/** A public client that may do everything that OAuth offers to users. */
export const codeClient = {
  AllowedOAuthFlowsUserPoolClient: true,
  AllowedOAuthFlows: ['code', 'implicit'],
  AllowedOAuthScopes: ['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'],
  CallbackURLs: [callback],
  LogoutURLs: ['https://app.example/bye'],
  SupportedIdentityProviders: ['COGNITO'],
} satisfies Partial<CreateUserPoolClientCommandInput>

export interface OAuthClient {
  poolId: string
  clientId: string
  /** Empty for a public client. */
  clientSecret: string
}

export const createOAuthClient = async (
  app: TestApp,
  poolId: string,
  members: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<OAuthClient> => {
  const { UserPoolClient } = await app.aws.createUserPoolClient({
    UserPoolId: poolId,
    ClientName: 'web',
    ...codeClient,
    ...members,
  })
  return { poolId, clientId: UserPoolClient?.ClientId ?? '', clientSecret: UserPoolClient?.ClientSecret ?? '' }
}

/** A pool with one such client. */
export const createOAuthPool = async (
  app: TestApp,
  client: Partial<CreateUserPoolClientCommandInput> = {},
  pool: Partial<CreateUserPoolCommandInput> = {},
): Promise<OAuthClient> => {
  const { poolId } = await createPool(app, pool)
  return createOAuthClient(app, poolId, client)
}

/** A request as the routes would have received it. */
export const contextOfTest = (app: TestApp): Context => ({
  ...app.app.services,
  requestId: 'test',
  region: 'us-east-1',
  publicUrl: app.url,
  sourceIp: '127.0.0.1',
  userAgent: undefined,
})

/**
 * Signs the user in as the pages do when they are done, and returns the cookie that the browser sends from then on.
 */
export const browserOf = async (
  app: TestApp,
  { poolId, clientId }: Pick<OAuthClient, 'poolId' | 'clientId'>,
  username: string,
  { factors = ['pwd'], cookie }: { factors?: Factor[]; cookie?: string } = {},
): Promise<string> => {
  const ctx = contextOfTest(app)
  const [pool, client] = await Promise.all([findPool(ctx, poolId), findClient(ctx, clientId)])
  if (pool === undefined || client === undefined) throw new Error('There is no such pool or client.')
  const user = await getUserByName(ctx, pool, username)
  const begun = await beginBrowserSession(ctx, pool, client, { user, factors }, cookie)
  return begun.cookie.split(';', 1)[0] ?? ''
}

export interface Answer {
  status: number
  location: string | null
  body: string
  headers: Headers
}

/** One GET as a browser sends it, redirects not followed. */
export const visit = async (url: string, headers: Record<string, string> = {}): Promise<Answer> => {
  const answer = await fetch(url, { redirect: 'manual', headers })
  return {
    status: answer.status,
    location: answer.headers.get('location'),
    body: await answer.text(),
    headers: answer.headers,
  }
}

export type Fields = Record<string, string | undefined>

const given = (fields: Fields): [string, string][] =>
  Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined)

/** `/oauth2/authorize` with the usual parameters and those of the test; undefined takes a usual one away. */
export const authorizeUrl = (app: TestApp, { clientId }: Pick<OAuthClient, 'clientId'>, fields: Fields = {}): string =>
  `${app.url}/oauth2/authorize?${new URLSearchParams(
    given({ response_type: 'code', client_id: clientId, redirect_uri: callback, ...fields }),
  )}`

/** The parameters of a redirect to the application, in query or fragment. */
export const answerIn = (location: string | null): URLSearchParams => {
  if (location === null) throw new Error('There is no redirect.')
  const at = location.search(/[?#]/)
  return new URLSearchParams(at < 0 ? '' : location.slice(at + 1))
}

/** A code for a user whose browser is signed in. */
export const codeFor = async (
  app: TestApp,
  client: OAuthClient,
  cookie: string,
  fields: Fields = {},
): Promise<string> => {
  const { location } = await visit(authorizeUrl(app, client, fields), { cookie })
  const code = answerIn(location).get('code')
  if (code === null) throw new Error(`There is no code in ${location}.`)
  return code
}

export const basic = ({ clientId, clientSecret }: Pick<OAuthClient, 'clientId' | 'clientSecret'>): string =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`

export interface JsonAnswer {
  status: number
  json: Record<string, unknown>
  headers: Headers
}

/** One POST of a form; the answer as JSON, which is empty for an empty body. */
export const postForm = async (
  url: string,
  fields: Fields | string,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> => {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(given(fields)).toString()
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
  const text = await answer.text()
  return { status: answer.status, json: text === '' ? {} : JSON.parse(text), headers: answer.headers }
}

/** A token request with whatever the client has to prove itself with. */
export const requestTokens = (
  app: TestApp,
  client: Pick<OAuthClient, 'clientId' | 'clientSecret'>,
  fields: Fields,
): Promise<JsonAnswer> =>
  postForm(
    `${app.url}/oauth2/token`,
    { client_id: client.clientId, ...fields },
    client.clientSecret === '' ? {} : { authorization: basic(client) },
  )

export const redeem = (app: TestApp, client: OAuthClient, code: string, fields: Fields = {}): Promise<JsonAnswer> =>
  requestTokens(app, client, { grant_type: 'authorization_code', code, redirect_uri: callback, ...fields })

/** A verifier and its challenge (RFC 7636). */
export const pkce = (): { verifier: string; challenge: string } => {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export const errorOf = ({ status, json }: JsonAnswer) => ({ status, ...json })
