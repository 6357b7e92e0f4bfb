/**
 * Redeeming refresh tokens: the checks, and rotation. With rotation each refresh token is good for one use, and the one
 * before it for repeating that use within the client's grace period, because an answer can get lost.
 */
import type { AuthenticationResultType } from '../../contract/types.ts'
import {
  CognitoError,
  passwordResetRequired,
  refreshTokenExpired,
  refreshTokenReuse,
  refreshTokenRevoked,
  userDisabled,
  userNotConfirmed,
} from '../../core/errors.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { findDevice, isConfirmed, tracksDevices } from '../devices/device.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { issueTokens, rotatesRefreshTokens } from './issue.ts'
import { openRefreshToken, type RefreshToken } from './refresh-token.ts'
import { touchSession } from './sessions.ts'

/**
 * The token that the text stands for; undefined when it is none, one of another client, or not presented from the device
 * that its session belongs to. `deviceKey` is the device that the request names.
 */
export const findRefreshToken = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  text: string,
  deviceKey: string | undefined,
): Promise<RefreshToken | undefined> => {
  const token = openRefreshTokenOf(ctx, client, text)
  if (token === undefined) return undefined
  return (await isFromItsDevice(ctx, pool, token, deviceKey)) ? token : undefined
}

/** The token that the text stands for, wherever it comes from; undefined when it is none or one of another client. */
export const openRefreshTokenOf = (ctx: Context, client: Client, text: string): RefreshToken | undefined => {
  const token = openRefreshToken(ctx, text)
  return token?.clientId === client.id && token.poolId === client.poolId ? token : undefined
}

/**
 * A session that belongs to a device ends with it, whatever the pool says of devices since. While the pool tracks
 * devices, the device must be confirmed and named in the request, and of sessions without one only those of the pages are
 * refreshed.
 */
const isFromItsDevice = async (
  ctx: Context,
  pool: Pool,
  { userId, hosted, device: key }: RefreshToken,
  deviceKey: string | undefined,
): Promise<boolean> => {
  const isTracked = tracksDevices(pool)
  if (key === undefined) return !isTracked || hosted !== undefined
  const device = await findDevice(ctx, { id: userId }, key)
  if (device === undefined) return false
  return !isTracked || (isConfirmed(device) && deviceKey === key)
}

/**
 * New ID and access tokens for the user of the refresh token; with rotation also its successor, which ends when it
 * would have ended.
 * @throws NotAuthorizedException when it has expired or its session has ended, RefreshTokenReuseException when it has
 * been rotated, UserNotConfirmedException, PasswordResetRequiredException
 */
export const refreshTokens = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  token: RefreshToken,
  user: User,
): Promise<AuthenticationResultType> => {
  await assertInForce(ctx, client, token, user)
  const rotates = rotatesRefreshTokens(client)
  const refreshGeneration = rotates ? token.generation + 1 : undefined
  const tokens = await issueTokens(ctx, {
    pool,
    client,
    user,
    session: token,
    refreshGeneration,
    source: 'RefreshTokens',
  })
  // Last of all: when signing fails, the token is not used up.
  if (rotates) await rotate(ctx, client, token)
  await touchSession(ctx, pool, token.originJti)
  return tokens
}

/** @throws what refreshTokens throws for a token that gives nothing any more. */
const assertInForce = async (ctx: Context, client: Client, token: RefreshToken, user: User): Promise<void> => {
  if (token.expiresAt <= ctx.clock.now()) throw refreshTokenExpired()
  const state = await sessionState(ctx, token)
  if (state.revoked || token.sessionEpoch !== user.sessionEpoch) throw refreshTokenRevoked()
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
  if (user.status === 'RESET_REQUIRED') throw passwordResetRequired()
  assertNotRotated(ctx, client, token, state)
}

/** Whether the token would give new tokens now. */
export const isRefreshTokenInForce = async (
  ctx: Context,
  client: Client,
  token: RefreshToken,
  user: User,
): Promise<boolean> => {
  try {
    await assertInForce(ctx, client, token, user)
    return true
  } catch (error) {
    if (error instanceof CognitoError) return false
    throw error
  }
}

interface SessionState {
  revoked: boolean
  /** The generation of the refresh token in force. */
  generation: number
  /** Milliseconds since the epoch; 0 before the first rotation. */
  rotatedAt: number
}

/** Everything that is kept of a session, in one query. */
const sessionState = async (ctx: Context, { originJti }: RefreshToken): Promise<SessionState> => {
  const row = await ctx.db
    .selectNoFrom(select => [
      select.selectFrom('revoked_sessions').select('revoked_at').where('origin_jti', '=', originJti).as('revokedAt'),
      select.selectFrom('refresh_rotations').select('generation').where('origin_jti', '=', originJti).as('generation'),
      select.selectFrom('refresh_rotations').select('rotated_at').where('origin_jti', '=', originJti).as('rotatedAt'),
    ])
    .executeTakeFirstOrThrow()
  return { revoked: row.revokedAt !== null, generation: row.generation ?? 0, rotatedAt: row.rotatedAt ?? 0 }
}

/**
 * The token must be the one in force or, within the grace period, its direct predecessor. A client that has stopped
 * rotating does not bring back what was rotated before.
 * @throws RefreshTokenReuseException
 */
const assertNotRotated = (ctx: Context, client: Client, token: RefreshToken, state: SessionState): void => {
  if (state.generation <= token.generation) return
  const { RetryGracePeriodSeconds = 0 } = client.settings.RefreshTokenRotation ?? {}
  const inGrace = rotatesRefreshTokens(client) && ctx.clock.now() < state.rotatedAt + RetryGracePeriodSeconds * 1_000
  if (state.generation > token.generation + 1 || !inGrace) throw refreshTokenReuse()
}

/**
 * Advances the session to the generation after the token's. Of many that present the same token at once exactly one
 * advances it; the others repeat its use, which is theirs to do only within the grace period.
 * @throws RefreshTokenReuseException
 */
const rotate = async (ctx: Context, client: Client, token: RefreshToken): Promise<void> => {
  const next = { generation: token.generation + 1, rotated_at: ctx.clock.now() }
  const advanced = await inTransaction(ctx, tx =>
    tx.db
      .insertInto('refresh_rotations')
      .values({ origin_jti: token.originJti, ...next, expires_at: token.expiresAt })
      .onConflict(conflict =>
        conflict.column('origin_jti').doUpdateSet(next).where('refresh_rotations.generation', '=', token.generation),
      )
      .returning('generation')
      .executeTakeFirst(),
  )
  if (advanced === undefined) assertNotRotated(ctx, client, token, await sessionState(ctx, token))
}
