/**
 * Tracked sessions. While a pool tracks sessions, each sign-in leaves a row: its tokens, seen as one thing that users and
 * administrators can list and end. A user has only so many; one more ends the session that was unused for longest.
 *
 * The row is not what keeps a session alive: what ends one is the revocation of its tokens, and rows follow from that.
 */
import type { Selectable } from 'kysely'
import type { AuthenticationResultType, SessionDescriptionType } from '../../contract/types.ts'
import type { Factor } from '../../core/claims.ts'
import { currentSession, sessionNotFound, sessionsNotTracked } from '../../core/errors.ts'
import { newTokenSessionId } from '../../core/ids.ts'
import { deviceType } from '../../core/user-agents.ts'
import type { TokenSessionRow } from '../../store/tables.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import type { TokenSource } from '../triggers/pre-token-generation.ts'
import type { Pool } from '../user-pools/pool.ts'
import { sessionConfiguration, tracksSessions } from '../user-pools/session-configuration.ts'
import { lockUser, type User } from '../users/user.ts'
import { issueTokens, newTokenSession, type TokenSession } from './issue.ts'
import { revokeSession } from './revocation.ts'

/** What sessions of one user have in common in the database. */
type Owner = Pick<User, 'id' | 'poolId' | 'sessionEpoch'>

const pageLength = 125

/**
 * Begins the session of a user who has just signed in with these factors, and returns its first tokens.
 * @throws TooManyRequestsException when more signatures are waiting than can be made soon, UserNotFoundException when the
 * user was deleted meanwhile.
 */
export const beginSession = async (
  ctx: Context,
  {
    pool,
    client,
    user,
    factors,
    source,
  }: { pool: Pool; client: Client; user: User; factors: Factor[]; source?: TokenSource | undefined },
): Promise<AuthenticationResultType> => {
  const session = newTokenSession(ctx, client, user, factors)
  const tokens = await issueTokens(ctx, {
    pool,
    client,
    user,
    session,
    refreshGeneration: 0,
    ...(source !== undefined && { source }),
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
        ...traceOf(ctx),
      })
      .execute()
  })

/** Notes that the session was used for new tokens. A session that is not tracked stays so. */
export const touchSession = async (ctx: Context, pool: Pool, originJti: string): Promise<void> => {
  if (!tracksSessions(pool)) return
  await inTransaction(ctx, tx =>
    tx.db
      .updateTable('token_sessions')
      .set({ last_active_at: tx.clock.now(), ...traceOf(ctx) })
      .where('origin_jti', '=', originJti)
      .execute(),
  )
}

/** Where a request came from. An address of IPv4 that the socket shows as one of IPv6 is written as what it is. */
const traceOf = ({ userAgent, sourceIp }: Context) => ({
  device_type: deviceType(userAgent),
  ip_address: sourceIp?.replace(/^::ffff:(?=\d+\.)/i, '').slice(0, 128) ?? null,
})

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
  const found = await ctx.db
    .selectFrom('token_sessions')
    .selectAll()
    .where('user_id', '=', user.id)
    .where('session_epoch', '=', user.sessionEpoch)
    .where('expires_at', '>', ctx.clock.now())
    .where(row =>
      row.or([row('created_at', '<', createdAt), row.and([row('created_at', '=', createdAt), row('id', '>', id)])]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(page.limit + 1)
    .execute()
  const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.created_at, row.id])
  return { Sessions: rows.map(row => present(row, current)), NextToken: nextToken }
}

/**
 * Ends one session of the user, which must not be `current`.
 * @throws OperationNotEnabledException when the pool does not track sessions, ResourceNotFoundException for what is no
 * active session of the user, InvalidParameterException for the current one.
 */
export const revokeUserSession = async (
  ctx: Context,
  pool: Pool,
  user: Owner,
  sessionId: string,
  current: string | undefined,
): Promise<void> => {
  assertTracked(pool)
  await inTransaction(ctx, async tx => {
    const row = await tx.db
      .deleteFrom('token_sessions')
      .where('id', '=', sessionId)
      .where('user_id', '=', user.id)
      .where('session_epoch', '=', user.sessionEpoch)
      .where('expires_at', '>', tx.clock.now())
      .returning(['origin_jti', 'expires_at'])
      .executeTakeFirst()
    if (row === undefined) throw sessionNotFound()
    // The error undoes the deletion.
    if (row.origin_jti === current) throw currentSession()
    await revokeSession(tx, row.origin_jti, row.expires_at)
  })
}

const assertTracked = (pool: Pool): void => {
  if (!tracksSessions(pool)) throw sessionsNotTracked()
}

/** Nothing here knows where on earth an address is. */
const present = (row: Selectable<TokenSessionRow>, current: string | undefined): SessionDescriptionType => ({
  SessionId: row.id,
  SessionType: 'TOKEN',
  ClientId: row.client_id,
  CreateDate: new Date(row.created_at),
  LastActiveDate: new Date(row.last_active_at),
  DeviceType: row.device_type,
  ...(row.ip_address !== null && { LastIPAddress: row.ip_address }),
  LastLocation: { Country: 'unknown' },
  IsCurrentSession: row.origin_jti === current,
})
