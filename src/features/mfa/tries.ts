/**
 * Wrong codes of second factors. They lock the second step of a sign-in as wrong passwords lock the first, by a counter
 * of their own: the right password, which whoever guesses codes knows, must not give new tries.
 */
import { isCognitoError, passwordAttemptsExceeded } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { assertNotLocked, countedTry } from '../passwords/lockout.ts'
import type { User } from '../users/user.ts'

const key = (user: Pick<User, 'id'>): string => `mfa ${user.id}`

/** @throws NotAuthorizedException while wrong codes have locked the user's second step. */
export const assertMfaNotLocked = (ctx: Context, user: Pick<User, 'id'>): Promise<void> =>
  assertNotLocked(ctx, key(user))

/**
 * Evaluates one try at a code; true when it is right, false when it is wrong, and then that is counted.
 * @throws NotAuthorizedException during a lock and when the wrong codes of a day are used up, what `evaluate` throws.
 */
export const countedMfaTry = async (
  ctx: Context,
  user: Pick<User, 'id'>,
  evaluate: () => Promise<boolean>,
): Promise<boolean> => {
  try {
    return await countedTry(ctx, key(user), evaluate)
  } catch (error) {
    // A sign-in knows one name for having tried too often.
    throw isCognitoError(error, 'LimitExceededException') ? passwordAttemptsExceeded() : error
  }
}
