/**
 * Sessions of browsers: what a sign-in on the pages leaves behind, so that other applications of the pool need not ask
 * again. A session is known by its id, which is no secret, and by a secret that only the browser holds.
 *
 * When a client may take one up is not decided here, but by `authorization`.
 */
import type { Selectable } from 'kysely'
import type { Factor } from '../../core/claims.ts'
import { newBrowserSessionId } from '../../core/ids.ts'
import type { NameId } from '../../core/saml/response.ts'
import type { BrowserSessionRow } from '../../store/tables.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { tracksSessions } from '../user-pools/session-configuration.ts'
import { findUserById, type User } from '../users/user.ts'
import { traceOf } from './trace.ts'

export interface BrowserSession {
  id: string
  user: User
  /** `COGNITO`, or the provider that the user came from. */
  identityProvider: string
  /** What the provider has to be told when the session ends; undefined for providers that are told nothing. */
  providerSession?: ProviderSession | undefined
  factors: Factor[]
  /** The event of that sign-in in the user's history; undefined where nothing watched it. */
  eventId?: string | undefined
  /** When the user signed in, in seconds since the epoch. */
  authTime: number
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** By what a SAML provider knows its own session with the browser. */
export interface ProviderSession {
  nameId: NameId
  sessionIndex?: string
}

/** What the browser is given to keep. */
export interface BrowserSessionKey {
  id: string
  secret: string
}

const secretBytes = 32
const purpose = 'browser-session'
const providerPurpose = 'provider-session'
const defaultMinutes = 60

/**
 * Begins the session of a user who has just signed in. The one that the browser had before, if any, ends: a browser has one
 * user.
 */
export const beginBrowserSession = async (
  ctx: Context,
  {
    pool,
    client,
    user,
    factors,
    identityProvider,
    providerSession,
    eventId,
    replaces,
  }: Pick<BrowserSession, 'user' | 'factors' | 'identityProvider' | 'providerSession' | 'eventId'> & {
    pool: Pool
    client: Client
    replaces: BrowserSessionKey | undefined
  },
): Promise<{ session: BrowserSession; key: BrowserSessionKey }> => {
  const now = ctx.clock.now()
  const key = { id: newBrowserSessionId(ctx.random), secret: ctx.random.bytes(secretBytes).toString('base64url') }
  const expiresAt = now + (await validityMinutes(ctx, pool)) * 60_000
  const authTime = Math.floor(now / 1_000)
  const session = { id: key.id, user, identityProvider, providerSession, factors, eventId, authTime, expiresAt }
  const before = replaces && (await findBrowserSession(ctx, pool, replaces))
  await inTransaction(ctx, async tx => {
    if (before !== undefined) await endBrowserSession(tx, before.id)
    await tx.db
      .insertInto('browser_sessions')
      .values({
        id: key.id,
        secret_digest: ctx.seal.digest(purpose, key.secret),
        user_id: user.id,
        client_id: client.id,
        security_epoch: user.securityEpoch,
        identity_provider: identityProvider,
        provider_session:
          providerSession === undefined
            ? null
            : ctx.seal.seal(providerPurpose, JSON.stringify(providerSession), key.id),
        factors: JSON.stringify(factors),
        event_id: eventId ?? null,
        auth_time: session.authTime,
        created_at: now,
        last_active_at: now,
        expires_at: expiresAt,
        ...traceOf(ctx),
      })
      .execute()
  })
  return { session, key }
}

/** As long as some client of the pool would take the session up. Without the tracking of sessions that is an hour. */
const validityMinutes = async (ctx: Context, pool: Pool): Promise<number> => {
  if (!tracksSessions(pool)) return defaultMinutes
  const { longest } = await ctx.db
    .selectFrom('clients')
    .select(select => select.fn.max('sso_session_minutes').as('longest'))
    .where('pool_id', '=', pool.id)
    .executeTakeFirstOrThrow()
  return Math.max(defaultMinutes, longest ?? 0)
}

/**
 * The session that the browser holds the key of, with its user as he is now. Undefined when it has ended, and when
 * something has happened to the user since that asks for a new sign-in: another password, disabling, signing out
 * everywhere.
 */
export const findBrowserSession = async (
  ctx: Context,
  pool: Pool,
  key: BrowserSessionKey,
): Promise<BrowserSession | undefined> => {
  const row = await ctx.db
    .selectFrom('browser_sessions')
    .selectAll()
    .where('id', '=', key.id)
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
  if (row === undefined || !ctx.seal.matches(purpose, key.secret, row.secret_digest)) return undefined
  const user = await findUserById(ctx, pool, row.user_id)
  return user !== undefined && isInForce(row, user) ? fromRow(ctx, row, user) : undefined
}

const isInForce = (row: Selectable<BrowserSessionRow>, user: User): boolean =>
  row.security_epoch === user.securityEpoch &&
  user.enabled &&
  user.status !== 'UNCONFIRMED' &&
  user.status !== 'RESET_REQUIRED'

const fromRow = (ctx: Context, row: Selectable<BrowserSessionRow>, user: User): BrowserSession => ({
  id: row.id,
  user,
  identityProvider: row.identity_provider,
  providerSession: openProviderSession(ctx, row),
  factors: JSON.parse(row.factors) as Factor[],
  eventId: row.event_id ?? undefined,
  authTime: row.auth_time,
  expiresAt: row.expires_at,
})

const openProviderSession = (ctx: Context, row: Selectable<BrowserSessionRow>): ProviderSession | undefined => {
  const opened = row.provider_session && ctx.seal.open(providerPurpose, row.provider_session, row.id)
  return opened ? (JSON.parse(opened.toString('utf8')) as ProviderSession) : undefined
}

/** Ends the session; the tokens that came of it live on. */
export const endBrowserSession = async (tx: TransactionContext, id: string): Promise<void> => {
  await tx.db.deleteFrom('browser_sessions').where('id', '=', id).execute()
}

/** Notes that the session was used. */
export const touchBrowserSession = async (ctx: Context, id: string): Promise<void> => {
  await inTransaction(ctx, tx =>
    tx.db
      .updateTable('browser_sessions')
      .set({ last_active_at: tx.clock.now(), ...traceOf(ctx) })
      .where('id', '=', id)
      .execute(),
  )
}
