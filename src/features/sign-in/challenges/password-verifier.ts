/** PASSWORD_VERIFIER: the user proves the password in an SRP exchange. */
import { incorrectUsernameOrPassword, invalidSession, sessionExpired } from '../../../core/errors.ts'
import { checkSecretHash } from '../../app-clients/client.ts'
import { type Context, inTransaction } from '../../context.ts'
import { assertNotLocked } from '../../passwords/lockout.ts'
import { passwordToEvaluate } from '../../passwords/password.ts'
import { srpPoolName } from '../../user-pools/pool.ts'
import { continueAfterPassword, provePassword } from '../after-password.ts'
import {
  type Attempt,
  consumeAttempt,
  isUntouched,
  type NamedDevice,
  newAttempt,
  openSession,
  type SignIn,
  sealSession,
} from '../attempt.ts'
import { namedDevice } from '../device.ts'
import { preAuthenticate } from '../pre-authentication.ts'
import type { Outcome } from '../progress.ts'
import { assertMaySignIn, findSubject, findSubjectOfAttempt, isNameOf, type Subject, userIdForSrp } from '../subject.ts'
import type { Answer, Challenge } from './challenge.ts'
import { beginExchange, isCurrent, isProof, openBlock, readA, readClaim } from './srp-exchange.ts'

/**
 * Begins an exchange for the user of this name, or, where the client does not tell who exists, for nobody.
 * @throws InvalidParameterException for an A that no client computes, NotAuthorizedException, UserNotFoundException,
 * UserNotConfirmedException, PasswordResetRequiredException
 */
export const beginPasswordVerifier = async (
  ctx: Context,
  signIn: SignIn,
  parameters: { username: string; srpA: string; secretHash: string | undefined; device?: NamedDevice | undefined },
): Promise<Outcome> => {
  const A = readA(parameters.srpA)
  const found = await findSubject(ctx, signIn, parameters.username, parameters.secretHash)
  await assertNotLocked(ctx, found.lockoutKey)
  const subject = await preAuthenticate(ctx, signIn, found, parameters.username)
  return challengePassword(ctx, signIn, subject, { A, device: parameters.device })
}

/**
 * Begins an exchange for a subject who has been found and may try.
 * @throws as beginPasswordVerifier
 */
export const challengePassword = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  { A, device }: { A: Buffer; device?: NamedDevice | undefined },
): Promise<Outcome> => {
  const { pool, client } = signIn
  assertMaySignIn(client, subject.user)
  const evaluated = passwordToEvaluate(ctx, pool, subject.user, subject.nameKey)
  const attempt = newAttempt(ctx, signIn, { ...subject, step: 'PASSWORD_VERIFIER', factors: [], device })
  const name = userIdForSrp(subject)
  return {
    challenge: 'PASSWORD_VERIFIER',
    session: sealSession(ctx, client, attempt),
    parameters: {
      ...(await beginExchange(ctx, client, attempt, evaluated, A)),
      USERNAME: name,
      USER_ID_FOR_SRP: name,
    },
  }
}

/**
 * Compares the proof. Whatever is wrong with it, the answer is the same.
 * @throws NotAuthorizedException, InvalidParameterException for a TIMESTAMP in another format, and what the step after
 * the password throws.
 */
export const answerPasswordVerifier: Challenge = async (ctx, answer) => {
  const { pool, client, face, username, responses } = answer
  const claim = readClaim(responses)
  const block = openBlock(ctx, answer, claim)
  const subject = block && (await findSubjectOfAttempt(ctx, pool, block))
  const realName = subject?.user === undefined ? [] : [subject.user.username]
  checkSecretHash(client, [username, ...realName], responses['SECRET_HASH'])
  assertSameAttempt(ctx, answer, block)
  if (block === undefined || subject === undefined || !isCurrent(ctx, claim)) throw incorrectUsernameOrPassword()
  if (block.expiresAt <= ctx.clock.now()) throw sessionExpired()
  if (!(await isNameOf(ctx, pool, subject, username))) throw incorrectUsernameOrPassword()
  if (!isUntouched(block, subject.user)) {
    assertMaySignIn(client, subject.user)
    throw incorrectUsernameOrPassword()
  }

  const signIn: SignIn = { pool, client, face, flow: block.flow, target: block.target }
  const { verifier, isReal } = passwordToEvaluate(ctx, pool, subject.user, subject.nameKey)
  const names = [srpPoolName(pool), userIdForSrp(subject)] as const
  const user = await provePassword(
    ctx,
    signIn,
    subject,
    async () => (await isProof(ctx, block, verifier, names, claim)) && isReal,
  )
  // Before the exchange is used up: the client repeats the request without a device that there is not.
  const device = await namedDevice(ctx, signIn, user, responses, block.device)
  await inTransaction(ctx, tx => consumeAttempt(tx, block))
  return continueAfterPassword(ctx, {
    signIn,
    user,
    nameKey: subject.nameKey,
    factors: ['pwd'],
    device,
    isFirstAnswer: false,
  })
}

/**
 * The Session may be left out, because the SECRET_BLOCK says all; one that is sent must belong to it.
 * @throws NotAuthorizedException
 */
const assertSameAttempt = (ctx: Context, { client, face, session }: Answer, block: Attempt | undefined): void => {
  if (session === undefined) return
  const attempt = openSession(ctx, { client, face }, session)
  if (attempt === undefined || attempt.nonce !== block?.nonce) throw invalidSession()
}
