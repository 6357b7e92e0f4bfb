/** SMS_MFA and EMAIL_OTP as second factor: a code that was sent when the challenge began. */
import type { Factor } from '../../../core/claims.ts'
import {
  aliasExists,
  authenticationCodeMismatch,
  invalidSession,
  isCognitoError,
  missingParameter,
} from '../../../core/errors.ts'
import { type Context, inTransaction } from '../../context.ts'
import { consumeCode, type ProvenCode, proveCode, type VerifiableAttribute } from '../../messages/codes.ts'
import { countedMfaTry } from '../../mfa/tries.ts'
import { getUserById, lockUser, NameTaken, type User, updateUser } from '../../users/user.ts'
import { consumeAttempt } from '../attempt.ts'
import { finishSignIn } from '../finish.ts'
import { writeVerified } from '../verified-address.ts'
import { type Answer, type Challenge, type Resumed, recordFailure, resume } from './challenge.ts'

interface CodeFactor {
  attribute: VerifiableAttribute
  proves: Factor
  /** Responses that may carry the code; the manual and the clients do not agree on one. */
  responses: readonly [string, ...string[]]
}

const codeFactors: Partial<Record<Answer['challenge'], CodeFactor>> = {
  SMS_MFA: { attribute: 'phone_number', proves: 'sms', responses: ['SMS_MFA_CODE'] },
  EMAIL_OTP: { attribute: 'email', proves: 'email_otp', responses: ['EMAIL_OTP_CODE', 'EMAIL_MFA_CODE'] },
}

/**
 * The right code verifies the address that it was sent to. A code for a new address makes that the user's, and mail one
 * of his factors.
 * @throws CodeMismatchException, NotAuthorizedException (session, lock), InvalidParameterException, AliasExistsException
 * when a new address belongs to another user
 */
export const answerMessageCode: Challenge = async (ctx, answer) => {
  const factor = codeFactors[answer.challenge]
  if (factor === undefined) throw invalidSession()
  const resumed = await resume(ctx, answer)
  if (resumed.attempt.isFirstFactor) throw invalidSession()
  const proven = await prove(ctx, resumed, factor, codeOf(answer.responses, factor))
  const user = await settle(ctx, resumed, proven)
  const { attempt, signIn } = resumed
  const factors = [...attempt.factors, factor.proves]
  return finishSignIn(ctx, { ...attempt, signIn, user, factors, isFirstAnswer: false })
}

const codeOf = (responses: Record<string, string>, { responses: names }: CodeFactor): string => {
  const code = names.map(name => responses[name]).find(value => value !== undefined && value !== '')
  if (code === undefined) throw missingParameter(names[0])
  return code
}

const prove = async (ctx: Context, resumed: Resumed, { attribute }: CodeFactor, code: string): Promise<ProvenCode> => {
  const { attempt, user } = resumed
  let proven: ProvenCode | undefined
  await countedMfaTry(ctx, user, async () => {
    proven = await proveCode(ctx, user, `mfa-${attribute}`, code, attempt.nonce).catch(error => {
      if (isCognitoError(error, 'CodeMismatchException') || isCognitoError(error, 'ExpiredCodeException'))
        return undefined
      throw error
    })
    return proven !== undefined
  })
  if (proven !== undefined) return proven
  await recordFailure(ctx, resumed)
  throw authenticationCodeMismatch()
}

/** Uses up session and code, and returns the user as he is then. */
const settle = async (ctx: Context, resumed: Resumed, proven: ProvenCode): Promise<User> => {
  const { attempt, signIn, user } = resumed
  const use = (mayVerify: boolean) =>
    inTransaction(ctx, async tx => {
      await consumeAttempt(tx, attempt)
      await consumeCode(tx, user, proven)
      await lockUser(tx, user)
      const current = await getUserById(tx, signIn.pool, user.id)
      if (current.securityEpoch !== attempt.securityEpoch) throw invalidSession()
      const isNew = attempt.mfa?.isNewAddress === true
      // The address may have been changed since the code was sent.
      const address = current.attributes.get(proven.attribute)
      if (isNew ? address !== undefined : address !== proven.destination) throw authenticationCodeMismatch()
      if (mayVerify) await writeVerified(tx, signIn.pool, current, proven)
      if (isNew) {
        const enabled = [...new Set([...(current.mfa.enabled ?? []), 'EMAIL_OTP'])]
        await updateUser(tx, current, { mfa: { ...current.mfa, enabled } })
      }
      return getUserById(tx, signIn.pool, user.id)
    })
  try {
    return await use(true)
  } catch (error) {
    if (!(error instanceof NameTaken)) throw error
    if (attempt.mfa?.isNewAddress) throw aliasExists(error.kind)
    // Another user signs in with the same address. It stays unverified here, and the code has proven what it had to.
    return use(false)
  }
}
