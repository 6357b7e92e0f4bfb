/**
 * Whom a sign-in is about: the user whom a name finds, or nobody. For a client that does not tell who exists, nobody
 * goes through the same work as a user and gets the same answers.
 */
import {
  passwordResetRequired,
  userDisabled,
  userNotConfirmed,
  userNotFound,
} from '../../core/errors.ts'
import { uuidFromBytes } from '../../core/ids.ts'
import { checkSecretHash, type Client, preventsUserExistenceErrors } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { lockoutKey } from '../passwords/lockout.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserById, findUserByName, nameKey, type User } from '../users/user.ts'
import type { Attempt } from './attempt.ts'

export interface Subject {
  user: User | undefined
  /** Stands for the name that was given, whatever its spelling. */
  nameKey: string
  /** Counts failures: by user, or by name when nobody has it. */
  lockoutKey: string
}

/**
 * Finds the subject and checks the secret hash, in this order because the hash may have been computed for the real
 * username.
 * @throws NotAuthorizedException for a wrong hash, UserNotFoundException when the client tells who exists.
 */
export const findSubject = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  name: string,
  secretHash: string | undefined,
): Promise<Subject> => {
  const user = await findUserByName(ctx, pool, name)
  checkSecretHash(client, user === undefined ? [name] : [name, user.username], secretHash)
  const subject = subjectOf(ctx, user, lockoutKey(ctx, pool, name))
  if (user === undefined) {
    if (!preventsUserExistenceErrors(client)) throw userNotFound()
    await findNobody(ctx, pool)
  }
  return subject
}

/** The subject of an attempt. A user who was deleted since is undefined here too; `userId` tells the difference. */
export const subjectOfAttempt = async (ctx: Context, pool: Pool, attempt: Attempt): Promise<Subject> => {
  if (attempt.userId !== undefined) {
    return subjectOf(ctx, await findUserById(ctx, pool, attempt.userId), attempt.nameKey)
  }
  await findNobody(ctx, pool)
  await findNobody(ctx, pool)
  return subjectOf(ctx, undefined, attempt.nameKey)
}

const subjectOf = (_ctx: Context, user: User | undefined, key: string): Subject => ({
  user,
  nameKey: key,
  lockoutKey: user === undefined ? key : `user ${user.id}`,
})

/** The query that a user's attributes take. */
const findNobody = (ctx: Context, pool: Pool): Promise<User | undefined> => findUserById(ctx, pool, '')

/** The same UUID each time for a name that nobody has: what its holder's `sub` could be. */
export const simulatedUserId = (ctx: Pick<Context, 'seal'>, pool: Pool, name: string): string =>
  uuidFromBytes(
    Buffer.from(ctx.seal.digest('simulated-user-id', `${pool.id}\n${nameKey(pool, name)}`), 'base64url').subarray(0, 16),
  )
