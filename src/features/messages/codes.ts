/**
 * One-time codes that prove possession of an address: sign-up, password reset, attribute verification, sign-in.
 *
 * Owned here: drawing, storing (as keyed digests only), counting tries, consuming, all of it in the same way for names
 * that nobody has. A user has at most one code for each purpose; a newer one replaces it. Each try counts before the code is
 * looked at: five tries a code, and over all codes a hundred wrong ones a user and day.
 */
import { attemptLimitExceeded, codeExpired, codeMismatch } from '../../core/errors.ts'
import { newCode } from '../../core/ids.ts'
import { countAttempt } from '../../store/one-time.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import type { User } from '../users/user.ts'

export type VerifiableAttribute = 'email' | 'phone_number'
export type CodePurpose =
  | 'sign-up'
  | 'reset-password'
  | `verify-${VerifiableAttribute}`
  | `mfa-${VerifiableAttribute}`
  | `sign-in-${VerifiableAttribute}`

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const lifetimesMs: Record<CodePurpose, number> = {
  'sign-up': dayMs,
  'verify-email': dayMs,
  'verify-phone_number': dayMs,
  'reset-password': hourMs,
  // A sign-in says itself how long its codes are good for. None lasts longer than this.
  'mfa-email': hourMs / 4,
  'mfa-phone_number': hourMs / 4,
  'sign-in-email': hourMs / 4,
  'sign-in-phone_number': hourMs / 4,
}

/** A code that stands for all that a user proves is longer than one that is asked for beside something else. */
const digitsOf = (purpose: CodePurpose): number => (purpose.startsWith('sign-in-') ? 8 : 6)

const triesPerCode = 5
const wrongCodesPerDay = 100

/** Where a code goes and what it is good for. */
export interface CodeTarget {
  purpose: CodePurpose
  attribute: VerifiableAttribute
  /** The address or number. */
  destination: string
  /** The only place where the code is good, for example one sign-in among several of the user. */
  bound?: string
  /** Milliseconds since the epoch; undefined for the lifetime of the purpose. */
  expiresAt?: number
}

/** Whose a code is: a user's, or that of a name that nobody has. What is stored for the latter is stored apart. */
export interface CodeHolder extends Pick<User, 'id' | 'poolId'> {
  isNobody?: boolean
}

/** What a right code proves. */
export interface ProvenCode extends CodeTarget {
  digest: string
}

// ---------------------------------------------------------------------------------------------- issuing

/** Random digits. */
export const drawCode = (ctx: Pick<Context, 'random'>, purpose: CodePurpose): string =>
  newCode(ctx.random, digitsOf(purpose))

/** When the code stops being good, in milliseconds since the epoch. */
export const codeExpiry = (
  { clock }: Pick<TransactionContext, 'clock'>,
  { purpose, expiresAt }: Pick<CodeTarget, 'purpose' | 'expiresAt'>,
): number => expiresAt ?? clock.now() + lifetimesMs[purpose]

/**
 * Stores the code in place of an earlier one for the same purpose. One that is not `usable` is stored like all others, but
 * no text fits it: for names that nobody has, and for users who can get none.
 */
export const storeCode = async (
  tx: TransactionContext,
  holder: CodeHolder,
  target: CodeTarget,
  code: string,
  { usable = true } = {},
): Promise<void> => {
  const { purpose, attribute, destination } = target
  const isUsable = usable && !holder.isNobody
  // What refers to something else is not set again, which would have it looked for again.
  const row = {
    digest: tx.seal.digest(isUsable ? 'code' : 'unusable-code', codeText(holder, target, code)),
    attribute,
    destination,
    tries: 0,
    created_at: tx.clock.now(),
    expires_at: codeExpiry(tx, target),
  }
  await tx.db
    .insertInto(codesOf(holder))
    .values({ user_id: holder.id, purpose, pool_id: holder.poolId, ...row })
    .onConflict(conflict => conflict.columns(['user_id', 'purpose']).doUpdateSet(row))
    .execute()
}

const codesOf = ({ isNobody }: CodeHolder) => (isNobody ? 'simulated_codes' : 'codes')

/** Draws and stores a code for the destination; returns the code in clear, which exists nowhere else. */
export const issueCode = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  purpose: CodePurpose,
  attribute: VerifiableAttribute,
  destination: string,
): Promise<string> => {
  const code = drawCode(tx, purpose)
  await storeCode(tx, user, { purpose, attribute, destination }, code)
  return code
}

/** A purpose has either bound codes only or none, so no code of one sort reads like one of the other. */
const codeText = (
  holder: Pick<CodeHolder, 'id'>,
  { purpose, bound }: Pick<CodeTarget, 'purpose' | 'bound'>,
  code: string,
): string => [holder.id, purpose, ...(bound === undefined ? [] : [bound]), code].join('\n')

// ---------------------------------------------------------------------------------------------- proving

/**
 * Counts one try and compares. The code is not consumed yet: the operation does that with `consumeCode` in the
 * transaction of its effect. No code is right for a name that nobody has.
 * @throws CodeMismatchException, ExpiredCodeException (expired, used, none pending, five tries), LimitExceededException.
 */
export const proveCode = async (
  ctx: Context,
  holder: CodeHolder,
  purpose: CodePurpose,
  code: string,
  bound?: string,
): Promise<ProvenCode> => {
  const now = ctx.clock.now()
  const row = await inTransaction(ctx, async tx => {
    if (await isOverDailyLimit(tx, holder.id, now)) return 'limit' as const
    return tx.db
      .updateTable(codesOf(holder))
      .set(code => ({ tries: code('tries', '+', 1) }))
      .where('user_id', '=', holder.id)
      .where('purpose', '=', purpose)
      .where('tries', '<', triesPerCode)
      .where('expires_at', '>', now)
      .returning(['attribute', 'destination', 'digest'])
      .executeTakeFirst()
  })
  if (row === 'limit') throw attemptLimitExceeded()
  if (row === undefined) throw codeExpired()
  const text = codeText(holder, { purpose, ...(bound !== undefined && { bound }) }, code)
  if (!ctx.seal.matches('code', text, row.digest)) throw codeMismatch()
  return { purpose, attribute: row.attribute as VerifiableAttribute, destination: row.destination, digest: row.digest }
}

/**
 * Counts a try at a code that is not kept here, such as one of an authenticator application: wrong codes of all kinds
 * share one budget. `forgiveTry` takes it back when the code was right.
 * @throws LimitExceededException
 */
export const countTry = async (ctx: Context, user: Pick<User, 'id'>): Promise<void> => {
  const now = ctx.clock.now()
  if (await inTransaction(ctx, tx => isOverDailyLimit(tx, user.id, now))) throw attemptLimitExceeded()
}

/** The budget is one of wrong codes. It is not given anew, or a code of one purpose would pay for guesses at another. */
export const forgiveTry = async (tx: TransactionContext, user: Pick<User, 'id'>): Promise<void> => {
  await tx.db
    .updateTable('attempts')
    .set(attempts => ({ count: attempts('count', '-', 1) }))
    .where('key', '=', dailyKey(user.id))
    .where('count', '>', 0)
    .execute()
}

/** Counts a try for the user, or for the name that nobody has. */
const isOverDailyLimit = async (tx: TransactionContext, holder: string, now: number): Promise<boolean> =>
  (await countAttempt(tx.db, dailyKey(holder), now, dayMs)) > wrongCodesPerDay

const dailyKey = (holder: string): string => `codes ${holder}`

/**
 * Uses up a proven code: of many who hold it exactly one succeeds. Codes are locked before users everywhere.
 * @throws ExpiredCodeException when it was used or replaced meanwhile.
 */
export const consumeCode = async (
  tx: TransactionContext,
  user: Pick<User, 'id'>,
  proven: ProvenCode,
): Promise<void> => {
  // It comes first because proving locks the two rows in this order.
  await forgiveTry(tx, user)
  const consumed = await tx.db
    .deleteFrom('codes')
    .where('user_id', '=', user.id)
    .where('purpose', '=', proven.purpose)
    .where('digest', '=', proven.digest)
    .returning('user_id')
    .executeTakeFirst()
  if (consumed === undefined) throw codeExpired()
}

/** Forgets a pending code, for example after an administrator set a password. */
export const dropCode = async (tx: TransactionContext, user: Pick<User, 'id'>, purpose: CodePurpose): Promise<void> => {
  await tx.db.deleteFrom('codes').where('user_id', '=', user.id).where('purpose', '=', purpose).execute()
}

// ---------------------------------------------------------------------------------------------- limits

/**
 * Counts one call of an operation that is limited by user and hour. The key is the user's id, or stands for a name that
 * nobody has, so that known and unknown users meet the same limit at the same count.
 * @throws LimitExceededException over the limit.
 */
export const limitByHour = async (ctx: Context, operation: string, key: string, limit: number): Promise<void> => {
  const count = await inTransaction(ctx, tx =>
    countAttempt(tx.db, `${operation} ${ctx.seal.digest('attempts', key)}`, ctx.clock.now(), hourMs),
  )
  if (count > limit) throw attemptLimitExceeded()
}
