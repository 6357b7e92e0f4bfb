/** Post authentication: the pool's function has the last word on a sign-in before its tokens. */
import { incorrectUsernameOrPassword, userDisabled } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { clientMetadataOf, hasTrigger, runTrigger, userAttributesOf } from '../triggers/run.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserById, type User } from '../users/user.ts'

/**
 * Runs the function for a user who has proven everything that was asked for, and returns the user as he is afterwards.
 * `newDeviceUsed` is true for a sign-in from a device that the pool does not know yet.
 * @throws UserLambdaValidationException when the function refuses the sign-in, what runTrigger throws, and
 * NotAuthorizedException for a user who may not sign in any more.
 */
export const postAuthenticate = async (ctx: Context, pool: Pool, user: User, newDeviceUsed: boolean): Promise<User> => {
  if (!hasTrigger(pool, 'PostAuthentication')) return user
  await runTrigger(ctx, pool, 'PostAuthentication', {
    source: 'Authentication',
    username: user.username,
    request: { userAttributes: userAttributesOf(user), newDeviceUsed, ...clientMetadataOf(ctx) },
  })
  const current = await findUserById(ctx, pool, user.id)
  if (current?.enabled === false) throw userDisabled()
  if (current === undefined || !isStillProven(user, current)) throw incorrectUsernameOrPassword()
  return current
}

/**
 * Whether what the user has proven still counts. Signing out everywhere, as functions do here to leave one session only,
 * ends earlier sessions and not the one that is about to begin.
 */
const isStillProven = (before: User, now: User): boolean =>
  now.securityEpoch - before.securityEpoch === now.sessionEpoch - before.sessionEpoch &&
  now.password?.sealedVerifier === before.password?.sealedVerifier &&
  now.status === before.status
