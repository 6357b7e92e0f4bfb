/** What follows a password, however it was proven. */
import { incorrectUsernameOrPassword, temporaryPasswordExpired } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { countedTry } from '../passwords/lockout.ts'
import { recordFailedSignIn, suspendSignIn } from '../threat-protection/sign-in-events.ts'
import type { User } from '../users/user.ts'
import type { SignIn } from './attempt.ts'
import { beginNewPassword } from './challenges/new-password-required.ts'
import { finishSignIn } from './finish.ts'
import { judgeProgress } from './judge.ts'
import type { Outcome, Progress } from './progress.ts'
import { assertMaySignIn, assertMaySignInWithPassword, type Subject } from './subject.ts'

/**
 * The user, when the evaluated password is right. Counts failures, also those of nobody. A lock is told before anything
 * else about the user.
 * @throws NotAuthorizedException when it is wrong or while a lock is in force, and what assertMaySignIn throws.
 */
export const provePassword = async (
  ctx: Context,
  signIn: SignIn,
  { user, lockoutKey }: Subject,
  evaluate: () => Promise<boolean>,
): Promise<User> => {
  const { pool, client, flow } = signIn
  const isRight = await countedTry(ctx, lockoutKey, () => {
    assertMaySignIn(client, user)
    return evaluate()
  })
  if (isRight && user !== undefined) return user
  await recordFailedSignIn(ctx, signIn, { user, holder: lockoutKey }, [['Password', 'Failure']])
  ctx.events.record({
    name: 'SignIn',
    result: 'Fail',
    userPoolId: pool.id,
    clientId: client.id,
    userId: user?.id,
    flow,
  })
  throw incorrectUsernameOrPassword()
}

/**
 * The next step of a user who has proven the password: a new one when it is temporary, else the end of the sign-in.
 * `password` is the password itself where it was sent.
 * @throws NotAuthorizedException (disabled, temporary password expired, refused by threat protection),
 * UserNotConfirmedException, PasswordResetRequiredException
 */
export const continueAfterPassword = async (
  ctx: Context,
  proven: Progress,
  password?: string | undefined,
): Promise<Outcome> => {
  assertMaySignInWithPassword(proven.user)
  const progress = await judgeProgress(ctx, proven, password)
  const { signIn, user, factors, event } = progress
  if (user.status !== 'FORCE_CHANGE_PASSWORD') return finishSignIn(ctx, progress)
  const { temporaryUntil } = user.password ?? {}
  if (temporaryUntil !== undefined && temporaryUntil <= ctx.clock.now()) throw temporaryPasswordExpired()
  await suspendSignIn(ctx, signIn, user, factors, event, 'other')
  return beginNewPassword(ctx, progress)
}
