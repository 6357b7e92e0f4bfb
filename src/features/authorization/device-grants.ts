/**
 * Device authorization grants (RFC 8628), an extension: a device without a browser asks, shows its user a short code, and
 * polls until the user has entered it in a browser and decided.
 */
import type { Factor } from '../../core/claims.ts'
import {
  accessDenied,
  authorizationPending,
  expiredDeviceCode,
  invalidGrant,
  slowDown,
  unauthorizedClient,
} from '../../core/errors/oauth.ts'
import { randomText } from '../../core/ids.ts'
import { attemptsSince, countAttempt } from '../../store/one-time.ts'
import { type Client, findClient } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import type { BrowserSession } from '../tokens/browser-sessions.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'
import { checkedScopes } from './scopes.ts'

/** Without vowels, so that no word comes of it, and without what is easily mistaken (RFC 8628, section 6.1). */
const userCodeAlphabet = 'BCDFGHJKLMNPQRSTVWXZ'
const userCodeLength = 8
const deviceCodeBytes = 32
const lifetimeSeconds = 600
const intervalSeconds = 5
const devicePurpose = 'device-code'
const userPurpose = 'device-user-code'

/** As many wrong codes may be tried from one address within a quarter of an hour, of more than ten thousand million. */
const triesMax = 100
const triesWindowMs = 900_000

export interface DeviceAuthorization {
  deviceCode: string
  /** Two groups of four letters. */
  userCode: string
  lifetimeSeconds: number
  intervalSeconds: number
}

/** What waits for the user's decision. */
export interface DeviceGrant {
  userCode: string
  pool: Pool
  client: Client
  scopes: string[]
}

/** What the user has decided. */
interface Approval {
  sessionEpoch: number
  authTime: number
  factors: Factor[]
  eventId?: string | undefined
  browserSessionId: string
}

/**
 * Begins a grant for the client, which must allow the code flow.
 * @throws OAuthError `unauthorized_client`, `invalid_scope`
 */
export const beginDeviceGrant = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  scope: string | undefined,
): Promise<DeviceAuthorization> => {
  const { AllowedOAuthFlows, AllowedOAuthFlowsUserPoolClient } = client.settings
  if (AllowedOAuthFlowsUserPoolClient !== true || !AllowedOAuthFlows?.includes('code')) throw unauthorizedClient()
  const scopes = await checkedScopes(ctx, pool, client, scope)
  const deviceCode = ctx.random.bytes(deviceCodeBytes).toString('base64url')
  const letters = randomText(ctx.random, userCodeAlphabet, userCodeLength)
  await inTransaction(ctx, tx => {
    const now = tx.clock.now()
    return tx.db
      .insertInto('device_grants')
      .values({
        device_digest: tx.seal.digest(devicePurpose, deviceCode),
        user_code_digest: tx.seal.digest(userPurpose, letters),
        client_id: client.id,
        scope: scopes.join(' '),
        user_id: null,
        approval: null,
        polled_at: 0,
        interval_seconds: intervalSeconds,
        expires_at: now + lifetimeSeconds * 1_000,
      })
      .execute()
  })
  return { deviceCode, userCode: `${letters.slice(0, 4)}-${letters.slice(4)}`, lifetimeSeconds, intervalSeconds }
}

/**
 * The grant that waits under the code that the user has entered, in whatever case and grouping; undefined when there is none,
 * and when too many wrong codes
 * were tried from the same address.
 */
export const findDeviceGrant = async (ctx: Context, text: string): Promise<DeviceGrant | undefined> => {
  const letters = lettersOf(text)
  if (letters === undefined) return undefined
  const key = `device code from ${ctx.sourceIp ?? 'nowhere'}`
  const row = await ctx.db
    .selectFrom('device_grants')
    .select(['client_id', 'scope'])
    .where('user_code_digest', '=', ctx.seal.digest(userPurpose, letters))
    .where('user_id', 'is', null)
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
  if ((await attemptsSince(ctx.db, key, ctx.clock.now() - triesWindowMs)) >= triesMax) return undefined
  if (row === undefined) {
    await inTransaction(ctx, tx => countAttempt(tx.db, key, tx.clock.now(), triesWindowMs))
    return undefined
  }
  const client = await findClient(ctx, row.client_id)
  const pool = client && (await findPool(ctx, client.poolId))
  if (client === undefined || pool === undefined) return undefined
  return { userCode: `${letters.slice(0, 4)}-${letters.slice(4)}`, pool, client, scopes: row.scope.split(' ') }
}

const lettersOf = (text: string): string | undefined => {
  if (text.length > 32) return undefined
  const letters = text.toUpperCase().replace(/[^A-Z]/g, '')
  return letters.length === userCodeLength ? letters : undefined
}

/** Writes down what the user of the session has decided; false when there was nothing to decide any more. */
export const decideDeviceGrant = async (
  ctx: Context,
  { userCode, client }: Pick<DeviceGrant, 'userCode' | 'client'>,
  { id, user, authTime, factors, eventId }: BrowserSession,
  decision: 'allow' | 'deny',
): Promise<boolean> => {
  const approval: Approval = { sessionEpoch: user.sessionEpoch, authTime, factors, eventId, browserSessionId: id }
  const decided = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('device_grants')
      .set({ user_id: user.id, approval: decision === 'allow' ? JSON.stringify(approval) : null })
      .where('user_code_digest', '=', tx.seal.digest(userPurpose, lettersOf(userCode) ?? ''))
      .where('client_id', '=', client.id)
      .where('user_id', 'is', null)
      .where('expires_at', '>', tx.clock.now())
      .returning('client_id')
      .executeTakeFirst(),
  )
  return decided !== undefined
}

/** What a device gets that the user has let in. */
export interface TakenDeviceGrant extends Approval {
  userId: string
  scope: string
}

/**
 * Takes what the user has allowed: of many polls at once exactly one gets it.
 * @throws OAuthError `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`
 */
export const takeDeviceGrant = async (ctx: Context, client: Client, deviceCode: string): Promise<TakenDeviceGrant> => {
  const digest = ctx.seal.digest(devicePurpose, deviceCode)
  const now = ctx.clock.now()
  const taken = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('device_grants')
      .where('device_digest', '=', digest)
      .where('client_id', '=', client.id)
      .where(row => row.or([row('user_id', 'is not', null), row('expires_at', '<=', now)]))
      .returning(['user_id', 'approval', 'scope', 'expires_at'])
      .executeTakeFirst(),
  )
  if (taken === undefined) return waitFor(ctx, client, digest)
  if (taken.expires_at <= now) throw expiredDeviceCode()
  if (taken.user_id === null || taken.approval === null) throw accessDenied()
  return { userId: taken.user_id, scope: taken.scope, ...(JSON.parse(taken.approval) as Approval) }
}

/** Who polls faster than told is told to slow down, for good (RFC 8628, section 3.5). */
const waitFor = async (ctx: Context, client: Client, digest: string): Promise<never> => {
  const now = ctx.clock.now()
  const row = await ctx.db
    .selectFrom('device_grants')
    .select(['polled_at', 'interval_seconds'])
    .where('device_digest', '=', digest)
    .where('client_id', '=', client.id)
    .executeTakeFirst()
  if (row === undefined) throw invalidGrant()
  const isTooFast = now < row.polled_at + row.interval_seconds * 1_000
  const interval = isTooFast ? row.interval_seconds + intervalSeconds : row.interval_seconds
  await inTransaction(ctx, tx =>
    tx.db
      .updateTable('device_grants')
      .set({ polled_at: now, interval_seconds: interval })
      .where('device_digest', '=', digest)
      .execute(),
  )
  throw isTooFast ? slowDown() : authorizationPending()
}
