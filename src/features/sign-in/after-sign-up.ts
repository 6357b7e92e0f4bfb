/** USER_AUTH with the Session of a confirmed sign-up: the code that confirmed the user is the first factor as well. */
import { invalidSession, sessionExpired, sessionUsed } from '../../core/errors.ts'
import { consumeOnce } from '../../store/one-time.ts'
import { type Context, inTransaction } from '../context.ts'
import { assertNotLocked } from '../passwords/lockout.ts'
import { openSignUpSession } from '../sign-up/session.ts'
import { isUntouched, type SignIn } from './attempt.ts'
import { required } from './challenges/challenge.ts'
import { finishSignIn } from './finish.ts'
import { offeredFactors } from './first-factors.ts'
import { oneTimePasswords } from './one-time-password.ts'
import { preAuthenticate } from './pre-authentication.ts'
import type { Outcome } from './progress.ts'
import { findSubject } from './subject.ts'

const purpose = 'sign-up-session'

/**
 * Signs the user in who was confirmed in the session, once.
 * @throws NotAuthorizedException when the session is not that of a confirmed user of this name, is used or expired, and
 * when a code would not be enough for the user; and what findSubject, preAuthenticate and finishSignIn throw.
 */
export const signInAfterSignUp = async (
  ctx: Context,
  signIn: SignIn,
  parameters: Record<string, string>,
  session: string,
): Promise<Outcome> => {
  const { pool, client } = signIn
  const name = required(parameters, 'USERNAME')
  const found = await findSubject(ctx, signIn, name, parameters['SECRET_HASH'])
  const { userId, securityEpoch, expiresAt, nonce, confirmed } = openSignUpSession(ctx, client, session)
  if (confirmed === undefined || found.user?.id !== userId) throw invalidSession()
  if (expiresAt <= ctx.clock.now()) throw sessionExpired()
  await assertNotLocked(ctx, found.lockoutKey)
  const subject = await preAuthenticate(ctx, signIn, found, name)
  const { user } = subject
  if (user === undefined || !isUntouched({ userId, securityEpoch }, user)) throw invalidSession()
  const factor = confirmed === 'email' ? 'EMAIL_OTP' : 'SMS_OTP'
  if (!(await offeredFactors(ctx, { pool, client }, subject, name)).includes(factor)) throw invalidSession()
  if (!(await inTransaction(ctx, tx => consumeOnce(tx.db, purpose, nonce, expiresAt)))) throw sessionUsed()
  const factors = [oneTimePasswords[factor].proves]
  return finishSignIn(ctx, { signIn, user, nameKey: subject.nameKey, factors, isFirstAnswer: true })
}
