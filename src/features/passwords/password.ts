/**
 * Passwords: what is kept of one, how a password is checked, the temporary ones and the history.
 *
 * Owned here: SRP verifiers and everything that is done with them outside of an exchange. Not owned: the exchange itself
 * (sign-in), the lockout after failures (`lockout.ts`) and the policy (`core/password-policy.ts`).
 */
import { passwordHistoryViolation } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import {
  fakeSalt,
  fakeVerifier,
  groupBytes,
  passwordVerifier,
  type SrpPassword,
  verifyPassword,
} from '../../core/srp.ts'
import { type Context, inTransaction, type Services, type TransactionContext } from '../context.ts'
import { dropCode } from '../messages/codes.ts'
import { type Pool, srpPoolName } from '../user-pools/pool.ts'
import {
  replaceImportedHash,
  type User,
  type UserChanges,
  type UserPassword,
  type UserStatus,
  updateUser,
} from '../users/user.ts'
import { matchesImportedHash } from './imported-hash.ts'

const dayMs = 86_400_000
const temporaryPasswordDays = 7
/** Clients expect a salt of this many random bytes. */
const saltBytes = 16

type Arithmetic = Pick<Services, 'seal' | 'compute'>
type PasswordOwner = Pick<User, 'id' | 'username'>

/** What the user's client hashes in the place of the user: USER_ID_FOR_SRP. */
export const srpUserId = (user: Pick<User, 'username'>): string => user.username

/**
 * What is kept of a new password; a password is permanent unless `temporaryUntil` (milliseconds since the epoch) says
 * otherwise. The policy is the caller's business. Takes an exponentiation, so it runs outside of transactions.
 * @throws TooManyRequestsException when more arithmetic is waiting than can be done soon.
 */
export const makePassword = async (
  ctx: Pick<Context, 'seal' | 'compute' | 'random' | 'clock'>,
  pool: Pool,
  user: PasswordOwner,
  password: string,
  { temporaryUntil }: { temporaryUntil?: number | undefined } = {},
): Promise<UserPassword> => {
  const salt = ctx.random.bytes(saltBytes)
  const made = await passwordVerifier(ctx.compute, srpPoolName(pool), srpUserId(user), password, salt)
  return {
    salt: made.salt,
    sealedVerifier: ctx.seal.seal(sealPurpose, made.verifier, user.id),
    setAt: ctx.clock.now(),
    temporaryUntil,
  }
}

/** When a temporary password that is made now stops working, in milliseconds since the epoch. */
export const temporaryPasswordUntil = (pool: Pool, now: number): number => {
  const days =
    pool.settings.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays ||
    pool.settings.AdminCreateUserConfig?.UnusedAccountValidityDays ||
    temporaryPasswordDays
  return now + days * dayMs
}

// ---------------------------------------------------------------------------------------------- checking

const sealPurpose = 'password-verifier'

const openVerifier = (ctx: Pick<Services, 'seal'>, user: Pick<User, 'id'>, sealed: string): Buffer => {
  const verifier = ctx.seal.open(sealPurpose, sealed, user.id)
  // Only a damaged row or a foreign master key leads here; taking it for "no password" would hide that.
  if (verifier === undefined) throw new Error(`The password verifier of user ${user.id} cannot be opened.`)
  return verifier
}

/**
 * Salt and verifier for a name that nobody has, or for a user without a password: the same ones each time, so that
 * sign-in goes through the arithmetic of a real user. No password fits them.
 */
export const simulatedPassword = (ctx: Pick<Services, 'seal'>, pool: Pool, name: string): SrpPassword => {
  const key = ctx.seal.deriveKey('simulated-password', 32)
  return { salt: fakeSalt(key, pool.id, name), verifier: fakeVerifier(key, pool.id, name) }
}

/**
 * Salt and verifier against which a password is evaluated: the user's own or, without a user and for a user without a
 * password, simulated ones for the name, which take the same work to come by. Only `isReal` ones can be met.
 */
export const passwordToEvaluate = (
  ctx: Pick<Services, 'seal'>,
  pool: Pool,
  user: Pick<User, 'id' | 'password'> | undefined,
  name: string,
): SrpPassword & { isReal: boolean } => {
  const simulated = simulatedPassword(ctx, pool, name)
  if (user?.password === undefined) {
    ctx.seal.open(sealPurpose, decoyOf(ctx.seal), decoyOwner)
    return { ...simulated, isReal: false }
  }
  const { salt, sealedVerifier } = user.password
  return { salt, verifier: openVerifier(ctx, user, sealedVerifier), isReal: true }
}

const decoyOwner = 'nobody'
const decoys = new WeakMap<object, string>()

/** A sealed verifier of nobody, to be opened where a user's would be. */
const decoyOf = (seal: Services['seal']): string => {
  const decoy = decoys.get(seal) ?? seal.seal(sealPurpose, Buffer.alloc(groupBytes), decoyOwner)
  decoys.set(seal, decoy)
  return decoy
}

/**
 * True when this is the user's password, be it permanent or temporary. Without a user, and for a user without a
 * password, it does the same work and is false; `name` is then what was given in the user's place, so that each name
 * takes an exponent of its own as users do. Does not look at status, lockout or expiry. The hash that a user was
 * imported with is replaced when the password fits it, so that SRP works from then on.
 * @throws TooManyRequestsException when more arithmetic is waiting than can be done soon.
 */
export const checkUserPassword = async (
  ctx: Services,
  pool: Pool,
  user: Pick<User, 'id' | 'poolId' | 'username' | 'password' | 'importedHash'> | undefined,
  password: string,
  name = user?.username ?? '',
): Promise<boolean> => {
  if (user?.importedHash !== undefined) {
    if (!(await matchesImportedHash(ctx, user, password))) return false
    const made = await makePassword(ctx, pool, user, password)
    await inTransaction(ctx, tx => replaceImportedHash(tx, user, made))
    return true
  }
  const { isReal, ...kept } = passwordToEvaluate(ctx, pool, user, name)
  const fits = await verifyPassword(ctx.compute, srpPoolName(pool), name, password, kept)
  return fits && isReal
}

// ---------------------------------------------------------------------------------------------- history

/** How many passwords, the current one among them, a new one must differ from. */
const historySize = (pool: Pool): number => pool.settings.Policies?.PasswordPolicy?.PasswordHistorySize ?? 0

/**
 * Refuses a password that the user has now or had before, as far back as the pool's PasswordHistorySize says. Sign-up
 * and temporary passwords are not checked.
 * @throws PasswordHistoryPolicyViolationException
 */
export const checkHistory = async (
  ctx: Arithmetic & Pick<Services, 'db'>,
  pool: Pool,
  user: Pick<User, 'id' | 'username' | 'password' | 'importedHash'>,
  password: string,
): Promise<void> => {
  const size = historySize(pool)
  if (size === 0) return
  if (await matchesImportedHash(ctx, user, password)) throw passwordHistoryViolation()
  const rows = await ctx.db
    .selectFrom('password_history')
    .select(['salt', 'verifier'])
    .where('user_id', '=', user.id)
    .orderBy('created_at', 'desc')
    .limit(size - 1)
    .execute()
  const sealed = user.password ? [{ salt: user.password.salt, verifier: user.password.sealedVerifier }, ...rows] : rows
  const earlier = sealed.map(({ salt, verifier }) => ({ salt, verifier: openVerifier(ctx, user, verifier) }))
  const fits = await Promise.all(
    earlier.map(kept => verifyPassword(ctx.compute, srpPoolName(pool), srpUserId(user), password, kept)),
  )
  if (fits.includes(true)) throw passwordHistoryViolation()
}

/**
 * Puts the user's current password into the history, before another takes its place, and forgets what is too old to
 * matter. Locks the user's row, so that of several changes at once none is left out.
 */
export const rememberPassword = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id' | 'poolId'>,
): Promise<void> => {
  const keptMax = Math.max(0, historySize(pool) - 1)
  if (keptMax === 0) {
    await tx.db.deleteFrom('password_history').where('user_id', '=', user.id).execute()
    return
  }
  const current = await tx.db
    .updateTable('users')
    .set({ updated_at: tx.clock.now() })
    .where('id', '=', user.id)
    .where('pool_id', '=', user.poolId)
    .returning(['password_salt', 'password_verifier'])
    .executeTakeFirst()
  if (!current?.password_salt || !current.password_verifier) return
  const earlier = await tx.db
    .selectFrom('password_history')
    .select(['id', 'created_at'])
    .where('user_id', '=', user.id)
    .orderBy('created_at', 'desc')
    .execute()
  await tx.db
    .insertInto('password_history')
    .values({
      id: newUuid(tx.random),
      user_id: user.id,
      salt: current.password_salt,
      verifier: current.password_verifier,
      // The order must hold also within one millisecond and when the clock was set back.
      created_at: Math.max(tx.clock.now(), (earlier[0]?.created_at ?? 0) + 1),
    })
    .execute()
  const outdated = earlier.slice(keptMax - 1).map(row => row.id)
  if (outdated.length > 0) await tx.db.deleteFrom('password_history').where('id', 'in', outdated).execute()
}

/**
 * Gives the user another password, together with further changes: the old one goes into the history and a pending reset
 * code ends. Returns false, and then has changed nothing that matters, when the condition no longer holds; roll back.
 */
export const replacePassword = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id' | 'poolId'>,
  password: UserPassword,
  changes: UserChanges = {},
  onlyIf: { status?: UserStatus; securityEpoch?: number } = {},
): Promise<boolean> => {
  await dropCode(tx, user, 'reset-password')
  await rememberPassword(tx, pool, user)
  return updateUser(tx, user, { ...changes, password }, onlyIf)
}
