/**
 * The end of a browser's session at the authorization server. Cognito's own forms come first: back to a sign-out URL of the
 * client, or on to the sign-in page. The third form is that of OpenID Connect RP-Initiated Logout 1.0.
 *
 * The session ends whether or not there is a place to go on to, as in the service; tokens live on.
 */
import {
  AuthorizationError,
  oauthClientNotFound,
  parameterNotPresent,
  parameterRepeated,
  wrongLogoutHint,
} from '../../core/errors/oauth.ts'
import { type Parameters, readParameters, withParameters } from '../../core/oauth.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { departToSignOut } from '../federation/saml/sign-out.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type IdTokenHint, readIdTokenHint } from './id-token-hint.ts'
import { offers } from './offers.ts'
import { type PoolOfRequest, poolOfRequest } from './pool-of-request.ts'
import { readAuthorizationRequest } from './request.ts'
import { endBrowserSession, findAnyBrowserSession } from './single-sign-on.ts'

export interface SignOut {
  /** Where the browser goes on to. A path is one of this server; undefined when it stays, for the standard form only. */
  location: string | undefined
  /** The value of a `Set-Cookie` header. */
  cookie: string
}

export interface SignOutRequest {
  /** The Host header. */
  host: string | undefined
  /** The Cookie header. */
  cookieHeader: string | undefined
  search: URLSearchParams
}

/** A refusal after the session has ended. */
export class SignOutRefused extends Error {
  readonly error: AuthorizationError
  readonly cookie: string

  constructor(error: AuthorizationError, cookie: string) {
    super(error.message)
    this.error = error
    this.cookie = cookie
  }
}

/**
 * Ends the session of the browser and says where it goes on to.
 * @throws AuthorizationError when the request names no client of the pool, or somebody else's session; SignOutRefused when
 * the session has ended and the place to go on to is not the client's.
 */
export const signOut = async (ctx: Context, { host, cookieHeader, search }: SignOutRequest): Promise<SignOut> => {
  const parameters = readParameters(search)
  const [repeated] = parameters.repeated
  if (repeated !== undefined) throw parameterRepeated(repeated)
  const hint = offers(ctx, 'end-session') ? await readHint(ctx, parameters.get('id_token_hint')) : undefined
  const clientId = parameters.get('client_id') ?? hint?.client.id
  const at = await poolOfRequest(ctx, host, clientId)
  if (clientId === undefined) throw parameterNotPresent('client_id')
  if (at?.client === undefined) throw oauthClientNotFound()
  const { pool, client } = at
  if (hint !== undefined) await assertHintFits(ctx, { pool, client }, hint, cookieHeader)
  const session = await findAnyBrowserSession(ctx, pool, cookieHeader)
  const { cookie } = await endBrowserSession(ctx, pool, cookieHeader)
  try {
    const location = await locationOf(ctx, { ...at, client }, parameters, search)
    const { baseUrl } = at
    const atProvider = session && (await departToSignOut(ctx, pool, session, { baseUrl, location }))
    return { location: atProvider ?? location, cookie }
  } catch (error) {
    throw error instanceof AuthorizationError ? new SignOutRefused(error, cookie) : error
  }
}

const locationOf = async (
  ctx: Context,
  at: PoolOfRequest & { client: Client },
  parameters: Parameters,
  search: URLSearchParams,
): Promise<string | undefined> => {
  const { LogoutURLs = [] } = at.client.settings
  const logoutUri = parameters.get('logout_uri')
  if (logoutUri !== undefined) {
    if (!LogoutURLs.includes(logoutUri)) throw parameterNotPresent('redirect_uri')
    return logoutUri
  }
  if (parameters.get('redirect_uri') !== undefined) return signInAgain(ctx, at, search)
  if (!offers(ctx, 'end-session')) throw parameterNotPresent('redirect_uri')
  const postLogoutUri = parameters.get('post_logout_redirect_uri')
  if (postLogoutUri === undefined) return undefined
  if (!LogoutURLs.includes(postLogoutUri)) throw parameterNotPresent('redirect_uri')
  return withParameters(postLogoutUri, { state: parameters.get('state') })
}

/** The sign-in page, for another user. A provider cannot be chosen here, and without scopes all of the client's are meant. */
const signInAgain = async (
  ctx: Context,
  at: PoolOfRequest & { client: Client },
  search: URLSearchParams,
): Promise<string> => {
  const onwards = new URLSearchParams(search)
  for (const name of ['identity_provider', 'idp_identifier']) onwards.delete(name)
  const { scopes } = await readAuthorizationRequest(ctx, at, onwards)
  if (!onwards.get('scope')) onwards.set('scope', scopes.join(' '))
  return `/login?${onwards}`
}

/** @throws AuthorizationError for what is no hint. */
const readHint = async (ctx: Context, token: string | undefined): Promise<IdTokenHint | undefined> => {
  if (token === undefined) return undefined
  const hint = await readIdTokenHint(ctx, token)
  if (hint === undefined) throw wrongLogoutHint()
  return hint
}

/** The hint must be about the client of the request and, when there is a session, about its user. */
const assertHintFits = async (
  ctx: Context,
  { pool, client }: { pool: Pool; client: Client },
  hint: IdTokenHint,
  cookieHeader: string | undefined,
): Promise<void> => {
  if (hint.client.id !== client.id) throw wrongLogoutHint()
  const session = await findAnyBrowserSession(ctx, pool, cookieHeader)
  if (session !== undefined && session.user.id !== hint.sub) throw wrongLogoutHint()
}
