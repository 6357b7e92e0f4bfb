/**
 * Whom a sign-in is about: the user whom a name finds, or nobody. For a client that does not tell who exists, nobody
 * goes through the same work as a user and gets the same answers.
 */
import { passwordResetRequired, userDisabled, userNotConfirmed, userNotFound } from '../../core/errors.ts'
import { type Client, checkSecretHash, preventsUserExistenceErrors } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { lockoutKey } from '../passwords/lockout.ts'
import { srpUserId } from '../passwords/password.ts'
import { simulatedUserId } from '../passwords/unknown-user.ts'
import { migrateUser } from '../passwords/user-migration.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserByIdAlike, findUserByName, hasPassword, nameKey, type User } from '../users/user.ts'
import type { Attempt, SignIn } from './attempt.ts'

export interface Subject {
  user: User | undefined
  /** A digest of the name that was given, the same for all its spellings. */
  nameKey: string
  /** The `sub` that the name would have if nobody had it; made for everyone, so that it takes the same work. */
  simulatedId: string
  /** What failures are counted by: the user, or the name when nobody has it. */
  lockoutKey: string
}

/**
 * Finds the subject and checks the secret hash, in this order because the hash may have been computed for the real
 * username. A name that nobody has may be that of a user who is migrated, if there is a password to show.
 * @throws NotAuthorizedException for a wrong hash, UserNotFoundException when the client tells who exists, and what
 * migrateUser throws.
 */
export const findSubject = async (
  ctx: Context,
  { pool, client, face }: SignIn,
  name: string,
  secretHash: string | undefined,
  password?: string,
): Promise<Subject> => {
  const known = await findUserByName(ctx, pool, name)
  // On the pages the user alone is asked for proofs; the application shows its secret for the tokens.
  if (face === 'api') checkSecretHash(client, known === undefined ? [name] : [name, known.username], secretHash)
  const user =
    known === undefined && password !== undefined ? await migrateUser(ctx, pool, client, name, password) : known
  if (user === undefined && !preventsUserExistenceErrors(client)) throw userNotFound()
  return subjectOf(ctx, pool, user, lockoutKey(ctx, pool, name))
}

/** The subject of an attempt. The user of an attempt may have been deleted since and is undefined then. */
export const findSubjectOfAttempt = async (ctx: Context, pool: Pool, attempt: Attempt): Promise<Subject> => {
  const simulatedId = simulatedUserId(ctx, attempt.nameKey)
  const user = await findUserByIdAlike(ctx, pool, attempt.userId ?? simulatedId)
  return subjectOf(ctx, pool, user, attempt.nameKey, simulatedId)
}

/** The subject, from the user and the digest of the name that was given. */
export const subjectOf = (
  ctx: Context,
  pool: Pool,
  user: User | undefined,
  key: string,
  simulatedId = simulatedUserId(ctx, key),
): Subject => ({
  user,
  nameKey: key,
  simulatedId,
  lockoutKey: user === undefined ? key : lockoutKey(ctx, pool, user),
})

/** USER_ID_FOR_SRP: of nobody, a UUID that is the same each time for a name, as its holder's `sub` would be. */
export const userIdForSrp = ({ user, simulatedId }: Subject): string =>
  user === undefined ? simulatedId : srpUserId(user)

/**
 * Whether a name that was sent with an answer is the subject's: the real username, the name that the sign-in began
 * with, or another one that finds the same user.
 */
export const isNameOf = async (ctx: Context, pool: Pool, subject: Subject, name: string): Promise<boolean> => {
  if (name === userIdForSrp(subject) || lockoutKey(ctx, pool, name) === subject.nameKey) return true
  if (subject.user !== undefined && nameKey(pool, name) === nameKey(pool, subject.user.username)) return true
  const named = await findUserByName(ctx, pool, name)
  return named !== undefined && named.id === subject.user?.id
}

/**
 * What a client that tells who exists says before it looks at the password. A user who has to set a new password may
 * not have one at all, after an import.
 * @throws NotAuthorizedException (disabled), UserNotConfirmedException, PasswordResetRequiredException
 */
export const assertMaySignIn = (client: Client, user: User | undefined): void => {
  if (user === undefined || preventsUserExistenceErrors(client)) return
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
  if (user.status === 'RESET_REQUIRED' && !hasPassword(user)) throw passwordResetRequired()
}

/**
 * What every client says after the right password.
 * @throws NotAuthorizedException (disabled), UserNotConfirmedException, PasswordResetRequiredException
 */
export const assertMaySignInWithPassword = (user: User): void => {
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
  if (user.status === 'RESET_REQUIRED') throw passwordResetRequired()
}
