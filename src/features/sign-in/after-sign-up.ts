/**
 * The sign-in that follows a sign-up at once. In the API it is USER_AUTH with the Session of the confirmed sign-up: the code
 * that confirmed the user is the first factor as well. On the pages the password that was chosen there counts.
 */
import type { Factor } from '../../core/claims.ts'
import { invalidSession, sessionExpired, sessionUsed } from '../../core/errors.ts'
import { consumeOnce } from '../../store/one-time.ts'
import { type Context, inTransaction } from '../context.ts'
import type { VerifiableAttribute } from '../messages/codes.ts'
import { decideMfaOf } from '../mfa/factors.ts'
import { assertNotLocked } from '../passwords/lockout.ts'
import { newSignUpSession, openSignUpSession } from '../sign-up/session.ts'
import type { Pool } from '../user-pools/pool.ts'
import { hasPassword, type User } from '../users/user.ts'
import { continueAfterPassword } from './after-password.ts'
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
  const factor = factorOf(confirmed)
  if (!(await offeredFactors(ctx, { pool, client }, subject, name)).includes(factor)) throw invalidSession()
  if (!(await inTransaction(ctx, tx => consumeOnce(tx.db, purpose, nonce, expiresAt)))) throw sessionUsed()
  const factors = [oneTimePasswords[factor].proves]
  return finishSignIn(ctx, { signIn, user, nameKey: subject.nameKey, factors, isFirstAnswer: true })
}

/** What the pages know of a user who has just signed up on them. */
export interface FreshSignUp {
  userId: string
  /** Of the user, when he signed up. */
  securityEpoch: number
  /** The address that a code has confirmed; undefined when the pool's function has confirmed the user. */
  confirmed: VerifiableAttribute | undefined
}

/**
 * Signs the user in who has signed up in the same browser. The confirmation counts as a second factor where he would be
 * asked for one; a factor that is still to be set up comes all the same.
 * @throws NotAuthorizedException when something has happened to the user since, or he has neither a password nor a proof
 * that stands for one; and what signInAfterSignUp, preAuthenticate and continueAfterPassword throw.
 */
export const signInOnSignUpPage = async (
  ctx: Context,
  signIn: SignIn,
  name: string,
  { userId, securityEpoch, confirmed }: FreshSignUp,
): Promise<Outcome> => {
  const { pool, client } = signIn
  const found = await findSubject(ctx, signIn, name, undefined)
  if (found.user?.id !== userId) throw invalidSession()
  if (!hasPassword(found.user)) {
    const session = newSignUpSession(ctx, client, pool, { id: userId, securityEpoch }, confirmed)
    if (session === undefined) throw invalidSession()
    return signInAfterSignUp(ctx, { ...signIn, flow: 'USER_AUTH' }, { USERNAME: name }, session)
  }
  await assertNotLocked(ctx, found.lockoutKey)
  const { user, nameKey } = await preAuthenticate(ctx, signIn, found, name)
  if (user === undefined || !isUntouched({ userId, securityEpoch }, user)) throw invalidSession()
  const factors: Factor[] = ['pwd']
  if (confirmed !== undefined && (await isAskedForSecondFactor(ctx, pool, user))) factors.push(proofOf(confirmed))
  return continueAfterPassword(ctx, { signIn, user, nameKey, factors, isFirstAnswer: true })
}

const isAskedForSecondFactor = async (ctx: Context, pool: Pool, user: User): Promise<boolean> => {
  const { step } = await decideMfaOf(ctx, pool, user)
  return step === 'challenge' || step === 'select'
}

const factorOf = (confirmed: VerifiableAttribute) => (confirmed === 'email' ? 'EMAIL_OTP' : 'SMS_OTP')
const proofOf = (confirmed: VerifiableAttribute): Factor => oneTimePasswords[factorOf(confirmed)].proves
