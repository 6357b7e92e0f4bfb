/**
 * Tracked sessions. While a pool tracks sessions, each sign-in leaves a row: its tokens, seen as one thing that users and
 * administrators can list and end. A user has only so many; one more ends the session that was unused for longest. The
 * sessions of browsers are listed and ended beside them, and know which of them came from where.
 *
 * The row is not what keeps a session of tokens alive: what ends one is the revocation of its tokens, and rows follow from
 * that. A session of a browser is its row.
 */
import { type Selectable, sql } from 'kysely'
import type {
  AuthenticationResultType,
  RevokeAssociatedSessionsType,
  SessionDescriptionType,
  SessionLocationType,
} from '../../contract/types.ts'
import type { Factor } from '../../core/claims.ts'
import { currentSession, sessionNotFound, sessionsNotTracked } from '../../core/errors.ts'
import { newTokenSessionId } from '../../core/ids.ts'
import type { Place } from '../../core/ports.ts'
import type { TokenSessionRow } from '../../store/tables.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import type { TokenSource } from '../triggers/pre-token-generation.ts'
import type { Pool } from '../user-pools/pool.ts'
import { sessionConfiguration, tracksSessions } from '../user-pools/session-configuration.ts'
import { lockUser, type User } from '../users/user.ts'
import { endBrowserSession } from './browser-sessions.ts'
import { issueTokens, newTokenSession, type TokenSession } from './issue.ts'
import { revokeSession } from './revocation.ts'
import { traceOf } from './trace.ts'

/** What sessions of one user have in common in the database. */
type Owner = Pick<User, 'id' | 'poolId' | 'sessionEpoch' | 'securityEpoch'>

const pageLength = 125

export interface NewSession {
  pool: Pool
  client: Client
  user: User
  factors: Factor[]
  source?: TokenSource | undefined
  /** The terms of an authorization, or the device of a sign-in in the API. */
  granted?: Parameters<typeof newTokenSession>[4]
  nonce?: string | undefined
  /** False for a session that cannot be refreshed. */
  refreshes?: boolean
}

/**
 * Begins the session of a user who has just signed in with these factors, and returns its first tokens.
 * @throws TooManyRequestsException when more signatures are waiting than can be made soon, UserNotFoundException when the
 * user was deleted meanwhile.
 */
export const beginSession = async (
  ctx: Context,
  { pool, client, user, factors, source, granted, nonce, refreshes = true }: NewSession,
): Promise<AuthenticationResultType> => {
  const session = newTokenSession(ctx, client, user, factors, granted)
  const tokens = await issueTokens(ctx, {
    pool,
    client,
    user,
    session,
    refreshGeneration: refreshes ? 0 : undefined,
    ...(source !== undefined && { source }),
    nonce,
  })
  // After the tokens: when signing fails, no other session has been ended for nothing.
  if (tracksSessions(pool)) await recordSession(ctx, pool, client, user, session)
  return tokens
}

/** Sign-ins of one user wait for one another here, so that together they never exceed the limit. */
const recordSession = (ctx: Context, pool: Pool, client: Client, user: User, session: TokenSession): Promise<void> =>
  inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    const now = tx.clock.now()
    const { session_epoch: epoch } = await tx.db
      .selectFrom('users')
      .select('session_epoch')
      .where('id', '=', user.id)
      .executeTakeFirstOrThrow()
    await tx.db
      .deleteFrom('token_sessions')
      .where('user_id', '=', user.id)
      .where(row => row.or([row('session_epoch', '<>', epoch), row('expires_at', '<=', now)]))
      .execute()
    // All sessions of the user were ended since the sign-in began, and this one with them.
    if (epoch !== session.sessionEpoch) return
    const active = await tx.db
      .selectFrom('token_sessions')
      .select(['origin_jti', 'expires_at'])
      .where('user_id', '=', user.id)
      .orderBy('last_active_at')
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    const { MaxPerUser } = sessionConfiguration(pool).TokenSession
    for (const evicted of active.slice(0, Math.max(0, active.length + 1 - MaxPerUser))) {
      await revokeSession(tx, evicted.origin_jti, evicted.expires_at)
    }
    await tx.db
      .insertInto('token_sessions')
      .values({
        id: newTokenSessionId(tx.random),
        user_id: user.id,
        client_id: client.id,
        origin_jti: session.originJti,
        session_epoch: session.sessionEpoch,
        created_at: now,
        last_active_at: now,
        expires_at: session.expiresAt,
        browser_session_id: session.hosted?.browserSessionId ?? null,
        ...traceOf(ctx),
      })
      .execute()
  })

/** Notes that the session was used for new tokens, and with it the one it came from. One that is not tracked stays so. */
export const touchSession = async (ctx: Context, pool: Pool, originJti: string): Promise<void> => {
  if (!tracksSessions(pool)) return
  await inTransaction(ctx, async tx => {
    const now = tx.clock.now()
    const touched = await tx.db
      .updateTable('token_sessions')
      .set({ last_active_at: now, ...traceOf(ctx) })
      .where('origin_jti', '=', originJti)
      .returning('browser_session_id')
      .executeTakeFirst()
    const parent = touched?.browser_session_id
    if (parent == null) return
    await tx.db.updateTable('browser_sessions').set({ last_active_at: now }).where('id', '=', parent).execute()
  })
}

export interface SessionPage {
  Sessions: SessionDescriptionType[]
  NextToken: string | undefined
}

/**
 * The active sessions of the user on all clients of the pool, newest first. `current` names the session of the caller.
 * @throws OperationNotEnabledException when the pool does not track sessions, InvalidParameterException for a token of
 * another list.
 */
export const listSessions = async (
  ctx: Context,
  pool: Pool,
  user: Owner,
  {
    operation,
    token,
    current,
  }: { operation: PageBinding['operation']; token: string | undefined; current: string | undefined },
): Promise<SessionPage> => {
  assertTracked(pool)
  const binding: PageBinding = { operation, scope: pool.id, parameters: [user.id] }
  const page = readPage<[number, string]>(ctx, binding, token, pageLength)
  const [createdAt, id] = page.after ?? [Number.MAX_SAFE_INTEGER, '']
  const found = await activeSessions(ctx, user)
    .where(row =>
      row.or([row('created_at', '<', createdAt), row.and([row('created_at', '=', createdAt), row('id', '>', id)])]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(page.limit + 1)
    .execute()
  const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.created_at, row.id])
  return { Sessions: rows.map(row => present(ctx, row, current)), NextToken: nextToken }
}

/** Both kinds of sessions as one table. */
const activeSessions = ({ db, clock }: Pick<Context, 'db' | 'clock'>, user: Owner) => {
  const now = clock.now()
  const shared = ['id', 'client_id', 'created_at', 'last_active_at', 'device_type', 'ip_address'] as const
  const none = sql<string | null>`null`
  return db
    .selectFrom(
      db
        .selectFrom('token_sessions')
        .select([...shared, 'origin_jti', 'browser_session_id'])
        .where('user_id', '=', user.id)
        .where('session_epoch', '=', user.sessionEpoch)
        .where('expires_at', '>', now)
        .$castTo<SessionRow>()
        .unionAll(
          db
            .selectFrom('browser_sessions')
            .select([...shared, none.as('origin_jti'), none.as('browser_session_id')])
            .where('user_id', '=', user.id)
            .where('security_epoch', '=', user.securityEpoch)
            .where('expires_at', '>', now),
        )
        .as('sessions'),
    )
    .selectAll()
}

/**
 * Ends one session of the user, which must not be `current`. With LINKED a session of tokens takes the session of the
 * browser that it came from with it, and a session of a browser all tokens that came of it.
 * @throws OperationNotEnabledException when the pool does not track sessions, ResourceNotFoundException for what is no
 * active session of the user, InvalidParameterException for the current one.
 */
export const revokeUserSession = async (
  ctx: Context,
  pool: Pool,
  user: Owner,
  {
    sessionId,
    current,
    associated = 'NONE',
  }: { sessionId: string; current: string | undefined; associated?: RevokeAssociatedSessionsType | undefined },
): Promise<void> => {
  assertTracked(pool)
  const linked = associated === 'LINKED'
  await inTransaction(ctx, async tx => {
    const ended = (await endTokenSession(tx, user, sessionId)) ?? (await endSessionOfBrowser(tx, user, sessionId))
    if (ended === undefined) throw sessionNotFound()
    const { browserSessionId, tokens } = ended
    if (linked && tokens !== undefined && browserSessionId !== null) await endBrowserSession(tx, browserSessionId)
    const children = linked && tokens === undefined ? await endTokensOf(tx, sessionId) : []
    for (const { origin_jti, expires_at } of tokens === undefined ? children : [tokens]) {
      // The error undoes all of it.
      if (origin_jti === current) throw currentSession()
      await revokeSession(tx, origin_jti, expires_at)
    }
  })
}

type EndedTokens = Pick<Selectable<TokenSessionRow>, 'origin_jti' | 'expires_at'>

interface Ended {
  browserSessionId: string | null
  tokens: EndedTokens | undefined
}

const endTokenSession = async (tx: TransactionContext, user: Owner, id: string): Promise<Ended | undefined> => {
  const row = await tx.db
    .deleteFrom('token_sessions')
    .where('id', '=', id)
    .where('user_id', '=', user.id)
    .where('session_epoch', '=', user.sessionEpoch)
    .where('expires_at', '>', tx.clock.now())
    .returning(['origin_jti', 'expires_at', 'browser_session_id'])
    .executeTakeFirst()
  return row && { browserSessionId: row.browser_session_id, tokens: row }
}

const endSessionOfBrowser = async (tx: TransactionContext, user: Owner, id: string): Promise<Ended | undefined> => {
  const row = await tx.db
    .deleteFrom('browser_sessions')
    .where('id', '=', id)
    .where('user_id', '=', user.id)
    .where('security_epoch', '=', user.securityEpoch)
    .where('expires_at', '>', tx.clock.now())
    .returning('id')
    .executeTakeFirst()
  return row && { browserSessionId: row.id, tokens: undefined }
}

const endTokensOf = (tx: TransactionContext, browserSessionId: string): Promise<EndedTokens[]> =>
  tx.db
    .deleteFrom('token_sessions')
    .where('browser_session_id', '=', browserSessionId)
    .returning(['origin_jti', 'expires_at'])
    .execute()

/** Ends the session of the browser that a session of tokens came from. The other tokens that came of it live on. */
export const endParentSession = async (tx: TransactionContext, originJti: string): Promise<void> => {
  await tx.db
    .deleteFrom('browser_sessions')
    .where('id', 'in', select =>
      select
        .selectFrom('token_sessions')
        .select('browser_session_id')
        .where('origin_jti', '=', originJti)
        .where('browser_session_id', 'is not', null)
        .$castTo<{ browser_session_id: string }>(),
    )
    .execute()
}

const assertTracked = (pool: Pool): void => {
  if (!tracksSessions(pool)) throw sessionsNotTracked()
}

interface SessionRow {
  id: string
  client_id: string
  /** Null for the session of a browser. */
  origin_jti: string | null
  browser_session_id: string | null
  created_at: number
  last_active_at: number
  device_type: string
  ip_address: string | null
}

const present = (
  { places }: Pick<Context, 'places'>,
  row: SessionRow,
  current: string | undefined,
): SessionDescriptionType => ({
  SessionId: row.id,
  SessionType: row.origin_jti === null ? 'SSO' : 'TOKEN',
  ClientId: row.client_id,
  CreateDate: new Date(row.created_at),
  LastActiveDate: new Date(row.last_active_at),
  DeviceType: row.device_type,
  ...(row.ip_address !== null && { LastIPAddress: row.ip_address }),
  LastLocation: locationOf(row.ip_address === null ? undefined : places?.find(row.ip_address)),
  ...(row.browser_session_id !== null && { OriginSessionId: row.browser_session_id }),
  IsCurrentSession: current !== undefined && row.origin_jti === current,
})

/** A city is told where one is known, and a country always. */
const locationOf = ({ city, country = 'unknown' }: Place = {}): SessionLocationType => ({
  ...(city !== undefined && { City: city }),
  Country: country,
})
