/** What decides on a new sign-in before anything is proven: blocked addresses, and pre authentication, the pool's function. */
import type { Context } from '../context.ts'
import { assertNotLocked } from '../passwords/lockout.ts'
import { admitSignIn } from '../threat-protection/sign-in-events.ts'
import { hasTrigger, runTrigger, userAttributesOf } from '../triggers/run.ts'
import { findUserByIdAlike } from '../users/user.ts'
import type { SignIn } from './attempt.ts'
import type { Subject } from './subject.ts'

/**
 * Refuses addresses that are always blocked, then runs the function for the subject of a sign-in, also for nobody where the client does not tell who exists, and returns
 * the subject as it is afterwards. `name` is what the user gave.
 * @throws NotAuthorizedException for a blocked address and while a lock is in force, UserLambdaValidationException when the function refuses the
 * sign-in, and what runTrigger throws.
 */
export const preAuthenticate = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  name: string,
): Promise<Subject> => {
  const { pool } = signIn
  await admitSignIn(ctx, signIn, { user: subject.user, holder: subject.lockoutKey })
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
  const current = await findUserByIdAlike(ctx, pool, user?.id ?? subject.simulatedId)
  return { ...subject, user: user && current }
}
