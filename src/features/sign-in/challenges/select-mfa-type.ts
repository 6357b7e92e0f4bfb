/** SELECT_MFA_TYPE: the user chooses among the second factors that he has. */
import { mfaTypeNotOffered } from '../../../core/errors.ts'
import { inTransaction } from '../../context.ts'
import { consumeAttempt } from '../attempt.ts'
import { beginFactor } from '../second-factor.ts'
import { type Challenge, required, resume } from './challenge.ts'

/**
 * @throws InvalidParameterException for a factor that was not offered, NotAuthorizedException, CodeDeliveryFailureException
 */
export const answerSelectMfaType: Challenge = async (ctx, answer) => {
  const { attempt, signIn, user } = await resume(ctx, answer)
  const wanted = required(answer.responses, 'ANSWER')
  // The manual calls mail by another name than the challenge that follows.
  const name = wanted === 'EMAIL_MFA' ? 'EMAIL_OTP' : wanted
  const factor = attempt.mfa?.factors?.find(offered => offered === name)
  if (factor === undefined) throw mfaTypeNotOffered()
  await inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  return beginFactor(ctx, { ...attempt, signIn, user, isFirstAnswer: false }, factor)
}
