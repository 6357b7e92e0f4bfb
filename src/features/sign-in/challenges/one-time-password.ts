/** EMAIL_OTP and SMS_OTP as first factor: a code in the place of a password. */
import {
  aliasExistsAtConfirmation,
  authenticationCodeMismatch,
  invalidSession,
  isCognitoError,
  passwordAttemptsExceeded,
} from '../../../core/errors.ts'
import { type Context, inTransaction } from '../../context.ts'
import { type CodePurpose, consumeCode, dropCode, type ProvenCode, proveCode } from '../../messages/codes.ts'
import { codeHolder } from '../../passwords/unknown-user.ts'
import { runPostConfirmation } from '../../triggers/confirmation.ts'
import { findUserById, getUserById, lockUser, NameTaken, type User, updateUser } from '../../users/user.ts'
import { consumeAttempt, isUntouched } from '../attempt.ts'
import { finishSignIn } from '../finish.ts'
import { offeredFactors } from '../first-factors.ts'
import { oneTimePasswords } from '../one-time-password.ts'
import { writeVerified } from '../verified-address.ts'
import { type Challenge, recordFailure, required, resumeUnproven, type Unproven } from './challenge.ts'

/**
 * The right code ends the sign-in. It verifies the address that it was sent to, and confirms a user who signed up.
 * @throws CodeMismatchException, NotAuthorizedException (session, lock, too many wrong codes), AliasExistsException when
 * the address of a user who is not confirmed is another user's name, and what finishSignIn throws
 */
export const answerOneTimePassword: Challenge = async (ctx, answer) => {
  const { challenge, username, responses } = answer
  const unproven = await resumeUnproven(ctx, answer)
  const { attempt, signIn, subject } = unproven
  if ((challenge !== 'EMAIL_OTP' && challenge !== 'SMS_OTP') || !attempt.isFirstFactor) throw invalidSession()
  const factor = oneTimePasswords[challenge]
  const code = required(responses, factor.response)
  // What is offered may have changed since the code was sent.
  if (!(await offeredFactors(ctx, signIn, subject, username)).includes(challenge)) throw invalidSession()
  const proven = await prove(ctx, unproven, factor.purpose, code)
  if (subject.user === undefined || proven === undefined) {
    await recordFailure(ctx, unproven)
    throw authenticationCodeMismatch()
  }
  const user = await settle(ctx, unproven, subject.user, proven)
  return finishSignIn(ctx, { ...attempt, signIn, user, factors: [factor.proves], isFirstAnswer: false })
}

/** Undefined for a wrong code, whatever is wrong with it. */
const prove = async (
  ctx: Context,
  { attempt, signIn, subject: { user } }: Unproven,
  purpose: CodePurpose,
  code: string,
): Promise<ProvenCode | undefined> => {
  try {
    return await proveCode(
      ctx,
      codeHolder(signIn.pool, { user, holder: attempt.nameKey }),
      purpose,
      code,
      attempt.nonce,
    )
  } catch (error) {
    if (isCognitoError(error, 'CodeMismatchException') || isCognitoError(error, 'ExpiredCodeException'))
      return undefined
    // A sign-in knows one name for having tried too often.
    throw isCognitoError(error, 'LimitExceededException') ? passwordAttemptsExceeded() : error
  }
}

/** Uses up session and code, and returns the user as he is then. */
const settle = async (ctx: Context, { attempt, signIn }: Unproven, user: User, proven: ProvenCode): Promise<User> => {
  const { pool } = signIn
  const isConfirmation = user.status === 'UNCONFIRMED'
  const use = (mayVerify: boolean) =>
    inTransaction(ctx, async tx => {
      await consumeAttempt(tx, attempt)
      await consumeCode(tx, user, proven)
      if (isConfirmation) await dropCode(tx, user, 'sign-up')
      await lockUser(tx, user)
      const current = await getUserById(tx, pool, user.id)
      if (!isUntouched(attempt, current)) throw invalidSession()
      // The address may have been changed since the code was sent.
      if (current.attributes.get(proven.attribute) !== proven.destination) throw authenticationCodeMismatch()
      if (mayVerify) await writeVerified(tx, pool, current, proven)
      if (isConfirmation) await updateUser(tx, current, { status: 'CONFIRMED' }, { status: 'UNCONFIRMED' })
      return getUserById(tx, pool, user.id)
    })
  const settled = await use(true).catch((error: unknown) => {
    if (!(error instanceof NameTaken)) throw error
    if (isConfirmation) throw aliasExistsAtConfirmation(error.kind)
    // Another user signs in with the same address. It stays unverified here, and the code has proven what it had to.
    return use(false)
  })
  if (!isConfirmation) return settled
  await runPostConfirmation(ctx, pool, 'ConfirmSignUp', async () => settled)
  // The function may have taken its time, or have changed the user.
  const current = await findUserById(ctx, pool, user.id)
  if (current === undefined || !isUntouched(attempt, current)) throw invalidSession()
  return current
}
