/** One-time values and attempt counters. Each function is one statement, so parallel callers cannot get past it. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * True for the first caller that names this value and false for everyone after, also when they call at the same time on
 * several nodes. `kind` keeps one sort of value apart from another. The mark is kept until `expiresAt` (milliseconds), so
 * the value itself must be refused from then on.
 */
export async function consumeOnce(tx: Kysely<Tables>, kind: string, id: string, expiresAt: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('one_time_marks')
    .values({ kind, id, expires_at: expiresAt })
    .onConflict(conflict => conflict.columns(['kind', 'id']).doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** Forgets at most `limit` marks that have expired. Resolves to their number. */
export async function sweepOneTime(tx: Kysely<Tables>, now: number, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from one_time_marks where (kind, id) in (
      select kind, id from one_time_marks where expires_at <= ${now} order by expires_at limit ${limit})`.execute(tx)
  return Number(numAffectedRows ?? 0n)
}

/**
 * Counts an attempt and resolves to the number of attempts in the current window, this one included. A window begins
 * with the first attempt after the one before has ended; `now` and `windowMs` are milliseconds.
 */
export async function countAttempt(tx: Kysely<Tables>, key: string, now: number, windowMs: number): Promise<number> {
  // A window that begins far in the future was left by a clock that has been set back since. Clocks of nodes may differ
  // by less than a window without that giving anyone a new one.
  const { rows } = await sql<{ count: number }>`
    insert into attempts (key, window_started_at, count) values (${key}, ${now}, 1)
    on conflict (key) do update set
      count = case when ${isOver(now, windowMs)} then 1 else attempts.count + 1 end,
      window_started_at = case when ${isOver(now, windowMs)} then excluded.window_started_at
                               else attempts.window_started_at end
    returning count`.execute(tx)
  return (rows[0] as { count: number }).count
}

/** The number of attempts in the window that is open, when it began after this time (milliseconds); counts none. */
export async function attemptsSince(db: Kysely<Tables>, key: string, startedAfter: number): Promise<number> {
  const row = await db
    .selectFrom('attempts')
    .select('count')
    .where('key', '=', key)
    .where('window_started_at', '>', startedAfter)
    .executeTakeFirst()
  return row?.count ?? 0
}

const isOver = (now: number, windowMs: number) =>
  sql`(attempts.window_started_at <= ${now - windowMs} or attempts.window_started_at > ${now + windowMs})`

/** Forgets at most `limit` counters whose window began before `startedBefore` (milliseconds). Resolves to their number. */
export async function sweepAttempts(tx: Kysely<Tables>, startedBefore: number, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from attempts where key in (
      select key from attempts where window_started_at < ${startedBefore}
      order by window_started_at limit ${limit})`.execute(tx)
  return Number(numAffectedRows ?? 0n)
}
