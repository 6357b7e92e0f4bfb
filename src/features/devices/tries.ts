/**
 * Wrong proofs of devices. They lock the device's step of a sign-in as wrong passwords lock the first, by a counter of
 * their own: whoever comes this far knows the password, which must not give new tries.
 */
import type { Context } from '../context.ts'
import { assertNotLocked, countedTry } from '../passwords/lockout.ts'
import type { User } from '../users/user.ts'

const key = (user: Pick<User, 'id'>): string => `device ${user.id}`

/** @throws NotAuthorizedException while wrong proofs have locked the devices of the user. */
export const assertDeviceNotLocked = (ctx: Context, user: Pick<User, 'id'>): Promise<void> =>
  assertNotLocked(ctx, key(user))

/**
 * Evaluates one proof; true when it is right, false when it is wrong, and then that is counted.
 * @throws NotAuthorizedException during a lock, TooManyRequestsException when very many proofs are waiting.
 */
export const countedDeviceTry = (
  ctx: Context,
  user: Pick<User, 'id'>,
  evaluate: () => Promise<boolean>,
): Promise<boolean> => countedTry(ctx, key(user), evaluate)
