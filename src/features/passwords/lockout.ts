/**
 * The lockout after failed sign-ins: one counter for each user over all flows, clients, aliases and spellings of the
 * name, and one for each name that nobody has, so that both meet the same answers at the same attempts.
 *
 * The fifth failure locks for a second and each further one for twice as long, up to 15 minutes. What is tried during a
 * lock is refused unseen and does not count. A success after the lock, or 15 minutes without a failure, starts anew.
 */
import { sql } from 'kysely'
import { passwordAttemptsExceeded } from '../../core/errors.ts'
import { prepared } from '../../store/prepared.ts'
import type { SignInFailureRow } from '../../store/tables.ts'
import { type Context, inTransaction, type Services, type TransactionContext } from '../context.ts'
import { takingTurns } from '../turns.ts'
import type { Pool } from '../user-pools/pool.ts'
import { nameKey, type User } from '../users/user.ts'

const passwordTries = 5
const lockMsMax = 15 * 60_000
const idleMs = 15 * 60_000

/** Few tries for one key are evaluated at a time on this node: they are what can be on its way when a lock begins. */
const inTurn = takingTurns({ atOnce: 2, waitingMax: 1_000 })

/** How long the failure with this number locks, in milliseconds. `tries` is the number of the first one that does. */
export const lockMsAfter = (failures: number, tries = passwordTries): number =>
  failures < tries ? 0 : Math.min(1_000 * 2 ** (failures - tries), lockMsMax)

/** The counter of a user, or of a name that finds no user in the pool. */
export const lockoutKey = (ctx: Pick<Services, 'seal'>, pool: Pool, userOrName: Pick<User, 'id'> | string): string =>
  typeof userOrName === 'string'
    ? // People type passwords where the name belongs, so no name is kept in clear.
      `name ${ctx.seal.digest('lockout', `${pool.id}\n${nameKey(pool, userOrName)}`)}`
    : `user ${userOrName.id}`

/** @throws NotAuthorizedException while a lock is in force. */
export const assertNotLocked = async (ctx: Pick<Context, 'db' | 'clock'>, key: string): Promise<void> => {
  const row = await findFailures(ctx, key)
  if (row !== undefined && isLocked(row, ctx.clock.now())) throw passwordAttemptsExceeded()
}

/**
 * Evaluates one try at a password. True when it is right, and then earlier failures are forgotten; false when it is
 * wrong, and then that is counted and committed. However many tries run at once, no more wrong ones are told so than the
 * budget allows, and a right one passes only while the budget lasts: the lock is looked at before the password and again
 * before the answer, and few tries for one key are on their way at any time. A success without earlier failures writes
 * nothing.
 * @throws NotAuthorizedException while a lock is in force, TooManyRequestsException when very many tries are waiting.
 */
export const countedTry = (ctx: Context, key: string, evaluate: () => Promise<boolean>): Promise<boolean> =>
  inTurn(ctx.database, key, async () => {
    await assertNotLocked(ctx, key)
    if (await evaluate()) {
      await forgiveFailures(ctx, key)
      return true
    }
    if (!(await countFailure(ctx, key))) throw passwordAttemptsExceeded()
    return false
  })

/**
 * Counts a failure in a transaction of its own; the one with the number `tries` is the first that locks. Returns false, and
 * counts nothing, while a lock is in force.
 */
export const countFailure = (ctx: Context, key: string, tries = passwordTries): Promise<boolean> => {
  const now = ctx.clock.now()
  const failures = sql<number>`(case when sign_in_failures.last_failed_at <= ${now - idleMs}
    or sign_in_failures.last_failed_at > ${now + lockMsMax} then 1 else sign_in_failures.failures + 1 end)`
  return inTransaction(ctx, async tx => {
    const counted = await tx.db
      .insertInto('sign_in_failures')
      .values({ key, failures: 1, last_failed_at: now, locked_until: 0 })
      .onConflict(conflict =>
        conflict
          .column('key')
          .doUpdateSet({
            failures,
            last_failed_at: now,
            locked_until: sql<number>`${bigint(now)} + ${lockMs(failures, tries)}`,
          })
          .where(notLocked(now)),
      )
      .returning('failures')
      .executeTakeFirst()
    return counted !== undefined
  })
}

/** Forgets all failures, for example when the user has proven to be the owner by other means. */
export const clearFailures = async (tx: TransactionContext, key: string): Promise<void> => {
  await tx.db.deleteFrom('sign_in_failures').where('key', '=', key).execute()
}

/**
 * Forgets earlier failures after a success. Without any it writes nothing.
 * @throws NotAuthorizedException while a lock is in force, also when the failures of others have begun it in the meantime.
 */
export const forgiveFailures = async (ctx: Context, key: string): Promise<void> => {
  if ((await findFailures(ctx, key)) === undefined) return
  const now = ctx.clock.now()
  const forgiven = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('sign_in_failures')
      .where('key', '=', key)
      .where(notLocked(now))
      .returning('key')
      .executeTakeFirst(),
  )
  // Nothing was deleted: either another success was faster, or a lock has begun.
  if (forgiven === undefined) await assertNotLocked(ctx, key)
}

const findFailures = async (ctx: Pick<Context, 'db'>, key: string): Promise<SignInFailureRow | undefined> => {
  const [row] = await selectFailures(ctx.db, key)
  return row
}

const selectFailures = prepared((db, key: string) =>
  db.selectFrom('sign_in_failures').selectAll().where('key', '=', key),
)

/** A lock that ends later than any lock can was left by a clock that has been set back since. */
const isLocked = (row: SignInFailureRow, now: number): boolean =>
  row.locked_until > now && row.locked_until <= now + lockMsMax

const notLocked = (now: number) =>
  sql<boolean>`(sign_in_failures.locked_until <= ${now} or sign_in_failures.locked_until > ${now + lockMsMax})`

/** The parameter's type would otherwise follow the constants beside it, which are small. */
const bigint = (value: number) => sql<number>`cast(${value} as bigint)`

const lockMs = (failures: ReturnType<typeof sql<number>>, tries: number) => {
  const numbers = Array.from({ length: 10 }, (_, index) => tries + index)
  const steps = numbers.map(number => `when ${number} then ${lockMsAfter(number, tries)}`)
  return sql<number>`(case when ${failures} < ${sql.lit(tries)} then 0
    else case ${failures} ${sql.raw(steps.join(' '))} else ${sql.raw(String(lockMsMax))} end end)`
}
