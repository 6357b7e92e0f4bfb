/** Another code for a sign-in that waits for one, in place of the first. */
import { mfaTypeNotOffered } from '../../core/errors.ts'
import { type Context, inTransaction } from '../context.ts'
import { attributeOfFactor } from '../mfa/factors.ts'
import { consumeAttempt } from './attempt.ts'
import { resume } from './challenges/challenge.ts'
import type { PendingOutcome } from './progress.ts'
import { beginCode } from './second-factor.ts'
import type { AnswerRequest } from './sign-in.ts'

/** A sign-in that waits for an answer. `username` is the name that it began with. */
export type PendingSignIn = Omit<AnswerRequest, 'responses'> & { username: string }

/**
 * Sends another code to the address of the first. The Session is used up, and the new one lasts as long as the first did.
 * @throws NotAuthorizedException, InvalidParameterException when the sign-in waits for nothing that can be sent, or for a
 * code to an address that the user has only just given, CodeDeliveryFailureException
 */
export const sendCodeAgain = async (ctx: Context, pending: PendingSignIn): Promise<PendingOutcome> => {
  const { challenge } = pending
  if (challenge !== 'SMS_MFA' && challenge !== 'EMAIL_OTP') throw mfaTypeNotOffered()
  const { attempt, signIn, user } = await resume(ctx, { ...pending, responses: {} })
  const destination = user.attributes.get(attributeOfFactor[challenge])
  if (destination === undefined) throw mfaTypeNotOffered()
  await inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  return beginCode(ctx, { ...attempt, signIn, user, isFirstAnswer: false }, challenge, destination, attempt.mfa ?? {})
}
