/** SOFTWARE_TOKEN_MFA: a code of the user's authenticator application. */
import { softwareTokenCodeMismatch, softwareTokenNotAssociated } from '../../../core/errors.ts'
import { inTransaction } from '../../context.ts'
import { countTry, forgiveTry } from '../../messages/codes.ts'
import { findSoftwareToken, findUnusedStep, useStep } from '../../mfa/software-tokens.ts'
import { countedMfaTry } from '../../mfa/tries.ts'
import { consumeAttempt } from '../attempt.ts'
import { finishSignIn } from '../finish.ts'
import { type Challenge, recordFailure, required, resume } from './challenge.ts'

/**
 * @throws CodeMismatchException for a wrong code, ExpiredCodeException for one that was used, NotAuthorizedException
 * (session, lock), SoftwareTokenMFANotFoundException, InvalidParameterException
 */
export const answerSoftwareToken: Challenge = async (ctx, answer) => {
  const resumed = await resume(ctx, answer)
  const { attempt, signIn, user } = resumed
  const code = required(answer.responses, 'SOFTWARE_TOKEN_MFA_CODE')
  const token = await findSoftwareToken(ctx, user)
  if (token === undefined) throw softwareTokenNotAssociated()
  let step: number | undefined
  await countedMfaTry(ctx, user, async () => {
    await countTry(ctx, user)
    step = findUnusedStep(ctx, user, token, code)
    return step !== undefined
  })
  if (step === undefined) {
    await recordFailure(ctx, resumed)
    throw softwareTokenCodeMismatch()
  }
  const used = step
  await inTransaction(ctx, async tx => {
    await consumeAttempt(tx, attempt)
    await forgiveTry(tx, user)
    await useStep(tx, user, token, used)
  })
  return finishSignIn(ctx, { ...attempt, signIn, user, factors: [...attempt.factors, 'otp'], isFirstAnswer: false })
}
