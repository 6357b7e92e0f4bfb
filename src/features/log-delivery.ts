/**
 * The logs that pools have sent somewhere. A record is stored together with what it tells of and leaves later, from
 * `deliverLogs`, so that none is lost when the program or a destination fails; it may arrive twice. Where the operator has
 * configured nothing that takes the records of a destination, they leave through the events port at once.
 */
import type { EventSourceName, LogConfigurationType } from '../contract/types.ts'
import { newUuid } from '../core/ids.ts'
import type { LogBatch } from '../core/ports.ts'
import type { LogRecordRow } from '../store/tables.ts'
import { inTransaction, type Services, type TransactionContext } from './context.ts'
import type { Pool } from './user-pools/pool.ts'

/** The ARNs of all destinations of a configuration, of which a valid one has exactly one. */
export const logDestinations = (configuration: LogConfigurationType): string[] =>
  [
    configuration.CloudWatchLogsConfiguration?.LogGroupArn,
    configuration.S3Configuration?.BucketArn,
    configuration.FirehoseConfiguration?.StreamArn,
  ].filter(arn => arn !== undefined)

const names: Record<EventSourceName, string> = {
  userNotification: 'USER_NOTIFICATION',
  userAuthEvents: 'USER_AUTH_EVENTS',
}

/** A record that a pool wants. */
export interface LogEntry {
  pool: Pick<Pool, 'id' | 'region'>
  destination: string
  sinks: readonly string[]
  record: object
}

/**
 * The record of this source; undefined when the pool does not want it. The message never carries a code or another
 * secret. The envelope is the one of Cognito's log of message delivery errors.
 */
export const logEntry = (
  ctx: Pick<Services, 'clock' | 'logSinks'>,
  pool: Pick<Pool, 'id' | 'region' | 'settings'>,
  source: EventSourceName,
  message: object,
): LogEntry | undefined => {
  const configuration = pool.settings.LogConfigurations?.find(({ EventSource }) => EventSource === source)
  if (configuration === undefined) return undefined
  const destination = logDestinations(configuration)[0] ?? ''
  return {
    pool,
    destination,
    sinks: ctx.logSinks.of(destination),
    record: {
      eventTimestamp: String(ctx.clock.now()),
      eventSource: names[source],
      logLevel: configuration.LogLevel,
      message,
      logSourceId: { userPoolId: pool.id },
    },
  }
}

/** Stores the record in the transaction of what it tells of. */
export const queueLog = async (tx: TransactionContext, entry: LogEntry | undefined): Promise<void> => {
  if (entry === undefined || entry.sinks.length === 0) return
  const now = tx.clock.now()
  const row = {
    pool_id: entry.pool.id,
    region: entry.pool.region,
    destination: entry.destination,
    content: tx.seal.seal(purpose, JSON.stringify(entry.record)),
    created_at: now,
    tries: 0,
    next_try_at: now,
  }
  await tx.db
    .insertInto('log_records')
    .values(entry.sinks.map(sink => ({ ...row, sink })))
    .execute()
}

const purpose = 'log-record'

/** After the commit: hands a record that nothing takes to the events port. */
export const announceLog = (ctx: Pick<Services, 'events'>, entry: LogEntry | undefined): void => {
  if (entry === undefined || entry.sinks.length > 0) return
  ctx.events.record({ name: 'LogDelivery', destination: entry.destination, record: entry.record })
}

/** Stores one record of this source for delivery, when the pool wants it. */
export const deliverLog = async (
  ctx: Services,
  pool: Pick<Pool, 'id' | 'region' | 'settings'>,
  source: EventSourceName,
  message: object,
): Promise<void> => {
  const entry = logEntry(ctx, pool, source, message)
  if (entry !== undefined && entry.sinks.length > 0) await inTransaction(ctx, tx => queueLog(tx, entry))
  announceLog(ctx, entry)
}

// ---------------------------------------------------------------------------------------------- delivery

const claimedAtOnce = 500
/** Claims of one round, so that other background work gets its turn. */
const claimsMax = 10
/** A record that was claimed by a node which has not said what became of it is tried again after this time. */
const leaseMs = 120_000
const firstRetryMs = 5_000
const retryMsMax = 15 * 60_000
const keptMs = 24 * 3_600_000
const keptMax = 100_000

/**
 * Hands over the records that are due, all sinks at a time. What a sink does not take is tried again, after a time that
 * doubles up to a quarter of an hour; after a day, and beyond a hundred thousand records, the oldest are dropped and that is
 * logged.
 */
export const deliverLogs = async (ctx: Services, isStopping: () => boolean): Promise<void> => {
  for (let claims = 0; claims < claimsMax && !isStopping(); claims += 1) {
    const rows = await claim(ctx)
    const batches = Map.groupBy(rows, row => JSON.stringify([row.sink, row.destination, row.pool_id]))
    await Promise.all([...batches.values()].map(batch => deliverBatch(ctx, batch)))
    if (rows.length < claimedAtOnce) break
  }
  await dropOutdated(ctx)
}

type Claimed = Omit<LogRecordRow, 'sequence'> & { sequence: number }

/** Takes what is due for a while. Of several nodes each takes others. */
const claim = async (ctx: Services): Promise<Claimed[]> => {
  const now = ctx.clock.now()
  const due = await ctx.db
    .selectFrom('log_records')
    .select('sequence')
    .where('next_try_at', '<=', now)
    .limit(1)
    .execute()
  if (due.length === 0) return []
  const rows = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('log_records')
      .set(row => ({ next_try_at: now + leaseMs, tries: row('tries', '+', 1) }))
      .where('next_try_at', '<=', now)
      .where('sequence', 'in', select =>
        select
          .selectFrom('log_records as due')
          .select('due.sequence')
          .where('due.next_try_at', '<=', now)
          .orderBy('due.next_try_at')
          .orderBy('due.sequence')
          .limit(claimedAtOnce),
      )
      .returningAll()
      .execute(),
  )
  return rows.sort((one, other) => one.sequence - other.sequence)
}

const deliverBatch = async (ctx: Services, rows: Claimed[]): Promise<void> => {
  const [first] = rows
  if (first === undefined) return
  const batch: LogBatch = {
    destination: first.destination,
    userPoolId: first.pool_id,
    region: first.region,
    id: newUuid(ctx.random),
    records: rows.map(row => ({
      at: row.created_at,
      text: ctx.seal.open(purpose, row.content)?.toString('utf8') ?? '{}',
    })),
  }
  const refused = await ctx.logSinks.deliver(first.sink, batch).catch((cause: unknown) => {
    const { userPoolId, destination } = batch
    ctx.log.warn({ userPoolId, destination, sink: first.sink, records: rows.length, cause }, 'log not delivered')
    return rows.keys().toArray()
  })
  const again = new Set(refused.map(index => rows[index]?.sequence))
  const done = rows.filter(({ sequence }) => !again.has(sequence))
  await inTransaction(ctx, async tx => {
    if (done.length > 0) {
      await tx.db
        .deleteFrom('log_records')
        .where(
          'sequence',
          'in',
          done.map(({ sequence }) => sequence),
        )
        .execute()
    }
    for (const [tries, retried] of Map.groupBy(
      rows.filter(({ sequence }) => again.has(sequence)),
      row => row.tries,
    )) {
      await tx.db
        .updateTable('log_records')
        .set({ next_try_at: tx.clock.now() + Math.min(firstRetryMs * 2 ** (tries - 1), retryMsMax) })
        .where(
          'sequence',
          'in',
          retried.map(({ sequence }) => sequence),
        )
        .execute()
    }
  })
}

const dropOutdated = async (ctx: Services): Promise<void> => {
  const first = await ctx.db
    .selectFrom('log_records')
    .select(['sequence', 'created_at'])
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst()
  if (first === undefined) return
  const oldest = await ctx.db
    .selectFrom('log_records')
    .select('sequence')
    .orderBy('sequence', 'desc')
    .offset(keptMax)
    .limit(1)
    .executeTakeFirst()
  if (oldest === undefined && first.created_at >= ctx.clock.now() - keptMs) return
  const { numDeletedRows: dropped } = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('log_records')
      .where(row =>
        row.or([
          row('created_at', '<', tx.clock.now() - keptMs),
          ...(oldest === undefined ? [] : [row('sequence', '<=', oldest.sequence)]),
        ]),
      )
      .executeTakeFirst(),
  )
  if (dropped > 0n)
    ctx.log.warn({ records: Number(dropped) }, 'log records dropped, because they could not be delivered')
}
