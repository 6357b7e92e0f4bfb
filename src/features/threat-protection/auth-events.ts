/**
 * The history of what users do while threat protection is on: sign-ins, sign-ups, password changes and codes that they
 * asked for. Each leaves one event, which a sign-in may write again when it goes on. Names that nobody has leave events as
 * well, so that the answer takes the same work; no list shows them and they are forgotten after a day.
 *
 * A user keeps the newest thousand events of each response, for two years at most. Only the user makes events that pass, so
 * nobody can push the history by which he is recognised out of it by failing often.
 */
import type { Selectable } from 'kysely'
import type {
  AuthEventType,
  EventResponseType,
  EventType,
  RiskDecisionType,
  RiskLevelType,
} from '../../contract/types.ts'
import { newUuid } from '../../core/ids.ts'
import type { PastSignIn } from '../../core/risk.ts'
import { isForeignKeyViolation } from '../../store/database.ts'
import type { AuthEventRow } from '../../store/tables.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import { announceLog, logEntry, queueLog } from '../log-delivery.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { type Challenges, presentEvent, presentInLog, readPlace } from './present-event.ts'
import { protectionMode } from './protection.ts'
import { type RequestOrigin, requestOrigin } from './request-origin.ts'

/** Whom an event is about. */
export interface EventHolder {
  user: Pick<User, 'id' | 'username'> | undefined
  /** Names the user, or stands for a name that nobody has. */
  holder: string
}

/** What is judged of an event. */
export interface EventRisk {
  decision: RiskDecisionType
  level: RiskLevelType | undefined
  compromised: boolean
}

export const noRisk: EventRisk = { decision: 'NoRisk', level: undefined, compromised: false }

export interface NewEvent extends EventHolder {
  pool: Pool
  client: Client
  /** A new one when absent. */
  id?: string
  type: EventType
  response: EventResponseType
  risk?: EventRisk
  challenges?: Challenges
  origin: RequestOrigin
  /** Digest of the token by which the user may say whether it was him. */
  feedbackToken?: string | undefined
}

const dayMs = 86_400_000
const keptMs = 730 * dayMs
const keptMax = 1_000

/** The holder of a user's events. */
export const holderOf = (user: Pick<User, 'id'>): string => `user ${user.id}`

/** Writes the event of something that is not a sign-in, where threat protection watches. */
export const recordEvent = async (
  ctx: Context,
  event: Omit<NewEvent, 'origin'> & { type: Exclude<EventType, 'SignIn'> },
): Promise<void> => {
  if (protectionMode(event.pool) === 'OFF') return
  await writeEvent(ctx, { ...event, origin: requestOrigin(ctx, event.pool, event.client) })
}

/** Writes the event and queues it for the log. A user who was deleted meanwhile leaves none. */
export const writeEvent = async (ctx: Context, event: NewEvent): Promise<void> => {
  const row = rowOf(ctx, event)
  const entry = logEntry(ctx, event.pool, 'userAuthEvents', presentInLog(row, event.user))
  await inTransaction(ctx, async tx => {
    await tx.db.insertInto('auth_events').values(row).execute()
    await prune(tx, row)
    await queueLog(tx, entry)
  }).catch((error: unknown) => {
    if (!isForeignKeyViolation(error)) throw error
  })
  announceLog(ctx, entry)
}

/** Goes on with the event of a sign-in that is stored already; one that was pruned meanwhile is not written again. */
export const updateEvent = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'id' | 'username'>,
  change: { id: string; response: EventResponseType; challenges: Challenges; decision?: RiskDecisionType },
): Promise<void> => {
  const { id, challenges, ...changed } = change
  const entry = await inTransaction(ctx, async tx => {
    const row = await tx.db
      .updateTable('auth_events')
      .set({ ...changed, challenges: JSON.stringify(challenges) })
      .where('id', '=', id)
      .where('user_id', '=', user.id)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) return undefined
    await prune(tx, row)
    const entry = logEntry(ctx, pool, 'userAuthEvents', presentInLog(row, user))
    await queueLog(tx, entry)
    return entry
  })
  announceLog(ctx, entry)
}

const rowOf = (ctx: Context, event: NewEvent): Selectable<AuthEventRow> => {
  const { pool, client, user, holder, origin, risk = noRisk } = event
  const now = ctx.clock.now()
  return {
    id: event.id ?? newUuid(ctx.random),
    pool_id: pool.id,
    user_id: user?.id ?? null,
    holder,
    client_id: client.id,
    type: event.type,
    response: event.response,
    decision: risk.decision,
    level: risk.level ?? null,
    compromised: risk.compromised ? 1 : 0,
    challenges: JSON.stringify(event.challenges ?? []),
    ip_address: origin.address ?? null,
    device_key: origin.device ?? null,
    device_name: origin.deviceName ?? null,
    timezone: origin.timezone ?? null,
    place: origin.place === undefined ? null : JSON.stringify(origin.place),
    has_context_data: origin.hasContextData ? 1 : 0,
    request_id: ctx.requestId,
    feedback_value: null,
    feedback_provider: null,
    feedback_at: null,
    feedback_token: event.feedbackToken ?? null,
    created_at: now,
    expires_at: now + (user === undefined ? dayMs : keptMs),
  }
}

/** Forgets what is beyond the limit among the events of one holder with one response. */
const prune = async (tx: TransactionContext, { holder, response }: Selectable<AuthEventRow>): Promise<void> => {
  await tx.db
    .deleteFrom('auth_events')
    .where('holder', '=', holder)
    .where('response', '=', response)
    .where('created_at', '<', select =>
      select
        .selectFrom('auth_events as kept')
        .select('kept.created_at')
        .where('kept.holder', '=', holder)
        .where('kept.response', '=', response)
        .orderBy('kept.created_at', 'desc')
        .offset(keptMax - 1)
        .limit(1),
    )
    .execute()
}

/** Forgets events whose time is over, a bounded number of them. */
export const sweepEvents = async (tx: TransactionContext, limit: number): Promise<void> => {
  await tx.db
    .deleteFrom('auth_events')
    .where('id', 'in', select =>
      select
        .selectFrom('auth_events as expired')
        .select('expired.id')
        .where('expired.expires_at', '<=', tx.clock.now())
        .orderBy('expired.expires_at')
        .limit(limit),
    )
    .execute()
}

// ---------------------------------------------------------------------------------------------- reading

const comparedMax = 50

/** What a sign-in is compared with: the newest sign-ins of the user that passed, and those that somebody called foreign. */
export const pastSignIns = async (ctx: Context, user: Pick<User, 'id'>): Promise<PastSignIn[]> => {
  const rows = await ctx.db
    .selectFrom('auth_events')
    .select(['ip_address', 'device_key', 'place', 'created_at', 'response', 'feedback_value'])
    .where('holder', '=', holderOf(user))
    .where('type', '=', 'SignIn')
    .where(row => row.or([row('response', '=', 'Pass'), row('feedback_value', '=', 'Invalid')]))
    .orderBy('created_at', 'desc')
    .limit(comparedMax)
    .execute()
  return rows.map(row => ({
    address: row.ip_address ?? undefined,
    device: row.device_key ?? undefined,
    place: readPlace(row.place),
    at: row.created_at,
    isPassed: row.response === 'Pass',
    isDistrusted: row.feedback_value === 'Invalid',
  }))
}

/** How many sign-ins of the user have failed since then (milliseconds since the epoch). */
export const failuresSince = async (ctx: Context, user: Pick<User, 'id'>, since: number): Promise<number> => {
  const { failures } = await ctx.db
    .selectFrom('auth_events')
    .select(({ fn }) => fn.countAll<number>().as('failures'))
    .where('holder', '=', holderOf(user))
    .where('response', '=', 'Fail')
    .where('type', '=', 'SignIn')
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow()
  return failures
}

/**
 * The events of a user, newest first.
 * @throws InvalidParameterException for a token of another list.
 */
export const listEvents = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'id'>,
  { limit, token }: { limit: number | undefined; token: string | undefined },
): Promise<{ AuthEvents: AuthEventType[]; NextToken: string | undefined }> => {
  const binding: PageBinding = { operation: 'AdminListUserAuthEvents', scope: pool.id, parameters: [user.id] }
  const page = readPage<[number, string]>(ctx, binding, token, limit)
  const [createdAt, id] = page.after ?? [Number.MAX_SAFE_INTEGER, '']
  const found = await ctx.db
    .selectFrom('auth_events')
    .selectAll()
    .where('holder', '=', holderOf(user))
    .where('expires_at', '>', ctx.clock.now())
    .where(row =>
      row.or([row('created_at', '<', createdAt), row.and([row('created_at', '=', createdAt), row('id', '<', id)])]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute()
  const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.created_at, row.id])
  return { AuthEvents: rows.map(presentEvent), NextToken: nextToken }
}
