/**
 * Single sign-on: the cookie that holds a browser's session, and when a client may take the session up instead of asking
 * the user again.
 */
import { loginRequired } from '../../core/errors/oauth.ts'
import { levelsNamed, reaches } from '../../core/step-up.ts'
import { allowsFlow } from '../app-clients/auth-flows.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { localProvider } from '../identity-providers/provider.ts'
import type { Proof } from '../sign-in/progress.ts'
import {
  type BrowserSession,
  type BrowserSessionKey,
  beginBrowserSession as beginSessionOfBrowser,
  endBrowserSession as endSessionOfBrowser,
  findBrowserSession as findSessionOfBrowser,
  type ProviderSession,
} from '../tokens/browser-sessions.ts'
import { type Pool, srpPoolName } from '../user-pools/pool.ts'
import { tracksSessions } from '../user-pools/session-configuration.ts'
import { type AuthorizationRequest, refusal, supportedProviders } from './request.ts'

/** Without the tracking of sessions a client takes a session up for an hour from the sign-in. */
const untrackedMinutes = 60

/** Who has proven what, and where the user comes from: the pool itself, unless a provider is named. */
export type BrowserProof = Pick<Proof, 'user' | 'factors' | 'eventId'> & {
  identityProvider?: string | undefined
  providerSession?: ProviderSession | undefined
}

export interface BegunBrowserSession {
  session: BrowserSession
  /** The value of a `Set-Cookie` header. */
  cookie: string
}

/**
 * Begins a session in the browser of a user who has just signed in at the client. Its key is new each time, whatever the
 * browser has sent, and the session that the browser had before ends.
 */
export const beginBrowserSession = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  proof: BrowserProof,
  cookieHeader: string | undefined,
): Promise<BegunBrowserSession> => {
  const { session, key } = await beginSessionOfBrowser(ctx, {
    pool,
    client,
    user: proof.user,
    factors: proof.factors,
    eventId: proof.eventId,
    identityProvider: proof.identityProvider ?? localProvider,
    providerSession: proof.providerSession,
    replaces: readCookie(ctx, pool, cookieHeader),
  })
  const maxAgeSeconds = Math.floor((session.expiresAt - ctx.clock.now()) / 1_000)
  return { session, cookie: writeCookie(ctx, pool, `${key.id}.${key.secret}`, maxAgeSeconds) }
}

/**
 * The session of the browser that the client may take up: not older than the client wants it, and of a user of a provider
 * that the client supports.
 */
export const findBrowserSession = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  cookieHeader: string | undefined,
): Promise<BrowserSession | undefined> => {
  const session = await findAnyBrowserSession(ctx, pool, cookieHeader)
  if (session === undefined || !supportedProviders(client).includes(session.identityProvider)) return undefined
  const minutes = tracksSessions(pool) ? client.ssoSessionMinutes : untrackedMinutes
  return ageSeconds(ctx, session) < minutes * 60 ? session : undefined
}

/** The session of the browser in this pool, whichever clients may take it up. */
export const findAnyBrowserSession = async (
  ctx: Context,
  pool: Pool,
  cookieHeader: string | undefined,
): Promise<BrowserSession | undefined> => {
  const key = readCookie(ctx, pool, cookieHeader)
  return key && findSessionOfBrowser(ctx, pool, key)
}

const ageSeconds = (ctx: Context, { authTime }: BrowserSession): number => ctx.clock.now() / 1_000 - authTime

/** Ends the session of the browser in this pool, whoever's it is; returns the `Set-Cookie` header that removes the cookie. */
export const endBrowserSession = async (
  ctx: Context,
  pool: Pool,
  cookieHeader: string | undefined,
): Promise<{ cookie: string }> => {
  // Only the holder of the secret ends a session: the id alone is known to others.
  const session = await findAnyBrowserSession(ctx, pool, cookieHeader)
  if (session !== undefined) await inTransaction(ctx, tx => endSessionOfBrowser(tx, session.id))
  return { cookie: writeCookie(ctx, pool, '', 0) }
}

/**
 * The session with which the request is answered at once; undefined when the user has to sign in.
 * @throws AuthorizationError, which tells the application, when the request wants no page and there is no such session.
 */
export const sessionForRequest = async (
  ctx: Context,
  request: AuthorizationRequest,
  cookieHeader: string | undefined,
): Promise<BrowserSession | undefined> => {
  const session = await findBrowserSession(ctx, request.pool, request.client, cookieHeader)
  if (session !== undefined && answers(ctx, request, session)) return session
  if (request.prompt.has('none')) throw refusal(request, loginRequired())
  return undefined
}

/** Not when a new sign-in or another user is asked for, nor when the last one is too long ago or was at another provider. */
const answers = (ctx: Context, request: AuthorizationRequest, session: BrowserSession): boolean => {
  if (request.prompt.has('login')) return false
  if (request.maxAge !== undefined && ageSeconds(ctx, session) > request.maxAge) return false
  // Zero wants a sign-in of its own, even within the second of the last one.
  if (request.maxAge === 0) return false
  if (request.hintedUserId !== undefined && request.hintedUserId !== session.user.id) return false
  if (!isStrongEnough(request, session)) return false
  return request.identityProvider === undefined || request.identityProvider === session.identityProvider
}

/** Where the pages let users choose how they sign in, a session must have the first known level that is asked for. */
const isStrongEnough = ({ pool, client, acrValues }: AuthorizationRequest, { factors }: BrowserSession): boolean => {
  if (pool.settings.UserPoolTier === 'LITE' || !allowsFlow(client, 'USER_AUTH')) return true
  const [level] = levelsNamed(acrValues, pool.settings.AcrConfiguration)
  return level === undefined || reaches(factors, level)
}

// ---------------------------------------------------------------------------------------------- the cookie

/**
 * The name tells the pool, because pools may share a host. Over https its prefix lets no other host and no plain
 * connection set it (RFC 6265bis, section 4.1.3.2).
 */
const cookieName = (ctx: Context, pool: Pool): string => `${isSecure(ctx) ? '__Host-' : ''}cognito-${srpPoolName(pool)}`

const isSecure = ({ publicUrl }: Context): boolean => publicUrl.startsWith('https:')

const writeCookie = (ctx: Context, pool: Pool, value: string, maxAgeSeconds: number): string =>
  [
    `${cookieName(ctx, pool)}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure(ctx) ? ['Secure'] : []),
  ].join('; ')

/** What the cookie of the pool holds, when it has the form of a key. */
const readCookie = (ctx: Context, pool: Pool, header: string | undefined): BrowserSessionKey | undefined => {
  const value = findCookie(header, cookieName(ctx, pool))
  const [, id, secret] = /^(sso[a-z0-9]{25})\.([A-Za-z0-9_-]{43})$/.exec(value ?? '') ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** The value of the first cookie of this name (RFC 6265, section 5.4: the one with the most specific path). */
const findCookie = (header: string | undefined, name: string): string | undefined => {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
