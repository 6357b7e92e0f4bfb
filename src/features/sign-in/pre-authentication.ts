/** Pre authentication: the pool's function decides on a new sign-in before anything is proven. */
import type { Context } from '../context.ts'
import { assertNotLocked } from '../passwords/lockout.ts'
import { hasTrigger, runTrigger, userAttributesOf } from '../triggers/run.ts'
import { findUserById } from '../users/user.ts'
import type { SignIn } from './attempt.ts'
import type { Subject } from './subject.ts'

/**
 * Runs the function for the subject of a sign-in, also for nobody where the client does not tell who exists, and returns
 * the subject as it is afterwards. `name` is what the user gave.
 * @throws NotAuthorizedException while a lock is in force, UserLambdaValidationException when the function refuses the
 * sign-in, and what runTrigger throws.
 */
export const preAuthenticate = async (
  ctx: Context,
  { pool }: SignIn,
  subject: Subject,
  name: string,
): Promise<Subject> => {
  if (!hasTrigger(pool, 'PreAuthentication')) return subject
  await assertNotLocked(ctx, subject.lockoutKey)
  const { user } = subject
  await runTrigger(ctx, pool, 'PreAuthentication', {
    source: 'Authentication',
    username: user?.username ?? name,
    request: {
      userAttributes: user === undefined ? {} : userAttributesOf(user),
      validationData: ctx.caller?.validationData ?? null,
      userNotFound: user === undefined,
    },
  })
  // The function may have taken its time, or have changed the user.
  return { ...subject, user: user && (await findUserById(ctx, pool, user.id)) }
}
