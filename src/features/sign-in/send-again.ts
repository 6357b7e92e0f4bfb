/** Another code for a sign-in that waits for one, in place of the first. */

import { firstFactorNotOffered } from '../../core/errors/user-auth.ts'
import { mfaTypeNotOffered } from '../../core/errors.ts'
import { type Context, inTransaction } from '../context.ts'
import { attributeOfFactor } from '../mfa/factors.ts'
import { consumeAttempt } from './attempt.ts'
import { resumeUnproven } from './challenges/challenge.ts'
import { offeredFactors } from './first-factors.ts'
import { beginOneTimePassword } from './one-time-password.ts'
import type { PendingOutcome } from './progress.ts'
import { beginCode } from './second-factor.ts'
import type { AnswerRequest } from './sign-in.ts'

/** A sign-in that waits for an answer. `username` is the name that it began with. */
export type PendingSignIn = Omit<AnswerRequest, 'responses'> & {
  username: string
  /** The address that the user has given in this sign-in, when the code went there. */
  newAddress?: string | undefined
}

/**
 * Sends another code to the address of the first. The Session is used up, and the new one lasts as long as the first did.
 * A code that is the first factor is sent again to nobody as well, as far as nobody can tell.
 * @throws NotAuthorizedException, InvalidParameterException when the sign-in waits for nothing that can be sent,
 * CodeDeliveryFailureException
 */
export const sendCodeAgain = async (ctx: Context, pending: PendingSignIn): Promise<PendingOutcome> => {
  const { challenge, username, newAddress } = pending
  const { attempt, signIn, subject } = await resumeUnproven(ctx, { ...pending, responses: {} })
  const use = () => inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  if (attempt.isFirstFactor && (challenge === 'EMAIL_OTP' || challenge === 'SMS_OTP')) {
    if (!(await offeredFactors(ctx, signIn, subject, username)).includes(challenge)) throw firstFactorNotOffered()
    await use()
    return beginOneTimePassword(ctx, signIn, subject, username, challenge)
  }
  if (challenge !== 'SMS_MFA' && challenge !== 'EMAIL_OTP') throw mfaTypeNotOffered()
  const { user } = subject
  const { mfa = {} } = attempt
  const destination = mfa.isNewAddress ? newAddress : user?.attributes.get(attributeOfFactor[challenge])
  if (user === undefined || destination === undefined) throw mfaTypeNotOffered()
  await use()
  return beginCode(ctx, { ...attempt, signIn, user, isFirstAnswer: false }, challenge, destination, mfa)
}
