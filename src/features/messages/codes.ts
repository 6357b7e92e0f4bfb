/**
 * One-time codes that prove possession of an address: sign-up, password reset, attribute verification.
 *
 * Owned here: drawing, storing (as keyed digests only), counting tries, consuming. A user has at most one code for each
 * purpose; a newer one replaces it. Each try counts before the code is looked at: five tries a code, and over all codes
 * a hundred wrong ones a user and day.
 */
import { timingSafeEqual } from 'node:crypto'
import { attemptLimitExceeded, codeExpired, codeMismatch } from '../../core/errors.ts'
import { newCode } from '../../core/ids.ts'
import { countAttempt } from '../../store/one-time.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import type { User } from '../users/user.ts'

export type VerifiableAttribute = 'email' | 'phone_number'
export type CodePurpose = 'sign-up' | 'reset-password' | `verify-${VerifiableAttribute}`

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const lifetimesMs: Record<CodePurpose, number> = {
  'sign-up': dayMs,
  'verify-email': dayMs,
  'verify-phone_number': dayMs,
  'reset-password': hourMs,
}

const codeDigits = 6
const triesPerCode = 5
const wrongCodesPerDay = 100

/** What a right code proves. */
export interface ProvenCode {
  purpose: CodePurpose
  attribute: VerifiableAttribute
  /** The address or number the code went to. */
  destination: string
  digest: string
}

/** Draws and stores a code for the destination; returns the code in clear, which exists nowhere else. */
export const issueCode = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  purpose: CodePurpose,
  attribute: VerifiableAttribute,
  destination: string,
): Promise<string> => {
  const code = newCode(tx.random, codeDigits)
  const now = tx.clock.now()
  const row = {
    pool_id: user.poolId,
    digest: digestOf(tx, user, purpose, code),
    attribute,
    destination,
    tries: 0,
    created_at: now,
    expires_at: now + lifetimesMs[purpose],
  }
  await tx.db
    .insertInto('codes')
    .values({ user_id: user.id, purpose, ...row })
    .onConflict(conflict => conflict.columns(['user_id', 'purpose']).doUpdateSet(row))
    .execute()
  return code
}

const digestOf = (tx: Pick<TransactionContext, 'seal'>, user: Pick<User, 'id'>, purpose: CodePurpose, code: string) =>
  tx.seal.digest('code', `${user.id}\n${purpose}\n${code}`)

/**
 * Counts one try and compares. The code is not consumed yet: the operation does that with `consumeCode` in the
 * transaction of its effect.
 * @throws CodeMismatchException, ExpiredCodeException (expired, used, none pending, five tries), LimitExceededException.
 */
export const proveCode = async (
  ctx: Context,
  user: Pick<User, 'id' | 'poolId'>,
  purpose: CodePurpose,
  code: string,
): Promise<ProvenCode> => {
  const now = ctx.clock.now()
  const row = await inTransaction(ctx, async tx => {
    const tries = await countAttempt(tx.db, `codes ${user.id}`, now, dayMs)
    if (tries > wrongCodesPerDay) return 'limit' as const
    return tx.db
      .updateTable('codes')
      .set(code => ({ tries: code('tries', '+', 1) }))
      .where('user_id', '=', user.id)
      .where('purpose', '=', purpose)
      .where('tries', '<', triesPerCode)
      .where('expires_at', '>', now)
      .returning(['attribute', 'destination', 'digest'])
      .executeTakeFirst()
  })
  if (row === 'limit') throw attemptLimitExceeded()
  if (row === undefined) throw codeExpired()
  const presented = Buffer.from(digestOf(ctx, user, purpose, code))
  const stored = Buffer.from(row.digest)
  if (presented.length !== stored.length || !timingSafeEqual(presented, stored)) throw codeMismatch()
  return { purpose, attribute: row.attribute as VerifiableAttribute, destination: row.destination, digest: row.digest }
}

/**
 * Uses up a proven code: of many who hold it exactly one succeeds.
 * @throws ExpiredCodeException when it was used or replaced meanwhile.
 */
export const consumeCode = async (
  tx: TransactionContext,
  user: Pick<User, 'id'>,
  proven: ProvenCode,
): Promise<void> => {
  const consumed = await tx.db
    .deleteFrom('codes')
    .where('user_id', '=', user.id)
    .where('purpose', '=', proven.purpose)
    .where('digest', '=', proven.digest)
    .returning('user_id')
    .executeTakeFirst()
  if (consumed === undefined) throw codeExpired()
  await tx.db.deleteFrom('attempts').where('key', '=', `codes ${user.id}`).execute()
}

/** True when a code for this purpose is pending and alive. */
export const hasPendingCode = async (ctx: Context, user: Pick<User, 'id'>, purpose: CodePurpose): Promise<boolean> => {
  const row = await ctx.db
    .selectFrom('codes')
    .select('user_id')
    .where('user_id', '=', user.id)
    .where('purpose', '=', purpose)
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
  return row !== undefined
}

/** Forgets a pending code, for example after an administrator set a password. */
export const dropCode = async (
  tx: TransactionContext,
  user: Pick<User, 'id'>,
  purpose: CodePurpose,
): Promise<void> => {
  await tx.db.deleteFrom('codes').where('user_id', '=', user.id).where('purpose', '=', purpose).execute()
}

/**
 * Counts one call of an operation that is limited by user and hour. The key may name a user who does not exist, so
 * that known and unknown users meet the same limit at the same count.
 * @throws LimitExceededException over the limit.
 */
export const limitByHour = async (ctx: Context, operation: string, key: string, limit: number): Promise<void> => {
  const count = await inTransaction(ctx, tx =>
    countAttempt(tx.db, `${operation} ${ctx.seal.digest('attempts', key)}`, ctx.clock.now(), hourMs),
  )
  if (count > limit) throw attemptLimitExceeded()
}
