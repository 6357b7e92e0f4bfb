/** WEB_AUTHN: a passkey, whose authenticator has signed a challenge that only this sign-in takes. */
import { passkeyRefused } from '../../../core/errors/passkeys.ts'
import { invalidSession } from '../../../core/errors.ts'
import { type Context, inTransaction } from '../../context.ts'
import { hasCountedBack, type PasskeyProof, provePasskey, usePasskey } from '../../passkeys/assertion.ts'
import { type AssertionJson, readAssertion } from '../../passkeys/credential-json.ts'
import { countsForTwo } from '../../passkeys/relying-party.ts'
import { countedTry } from '../../passwords/lockout.ts'
import { getUserById, lockUser, type User } from '../../users/user.ts'
import { consumeAttempt, isUntouched } from '../attempt.ts'
import { finishSignIn } from '../finish.ts'
import { offeredFactors } from '../first-factors.ts'
import { issueAfterProof } from '../issue.ts'
import { assertMaySignInWithPassword } from '../subject.ts'
import { type Challenge, recordFailure, required, resumeUnproven, type Unproven } from './challenge.ts'

/**
 * The right signature ends the sign-in. A passkey that counts for two factors does so when its authenticator has verified
 * the user.
 * @throws NotAuthorizedException (session, lock, whatever is wrong with the signature), InvalidParameterException for what
 * is no credential, and what finishSignIn throws
 */
export const answerPasskey: Challenge = async (ctx, answer) => {
  const unproven = await resumeUnproven(ctx, answer)
  const { attempt, signIn, subject } = unproven
  const credential = readAssertion(required(answer.responses, 'CREDENTIAL'))
  // What is offered may have changed since the challenge was made.
  if (!(await offeredFactors(ctx, signIn, subject, answer.username)).includes('WEB_AUTHN')) throw invalidSession()
  const proof = await prove(ctx, unproven, credential)
  if (proof === undefined || subject.user === undefined) {
    await recordFailure(ctx, unproven)
    throw passkeyRefused()
  }
  assertMaySignInWithPassword(subject.user)
  const user = await settle(ctx, unproven, subject.user, proof)
  const kind = proof.passkey.attachment === 'cross-platform' ? 'hwk' : 'swk'
  const progress = { ...attempt, signIn, user, factors: [kind as 'hwk' | 'swk'], isFirstAnswer: false }
  const isEnough = countsForTwo(signIn.pool) && proof.userVerified
  return isEnough ? issueAfterProof(ctx, progress) : finishSignIn(ctx, progress)
}

/** Undefined for a wrong answer, which is counted. */
const prove = async (
  ctx: Context,
  { attempt, signIn, subject }: Unproven,
  credential: AssertionJson,
): Promise<PasskeyProof | undefined> => {
  const { passkeyChallenge: challenge } = attempt
  if (challenge === undefined) throw invalidSession()
  const { pool, client } = signIn
  let proof: PasskeyProof | undefined
  await countedTry(ctx, subject.lockoutKey, async () => {
    const shown = await provePasskey(ctx, pool, subject, credential, challenge)
    if (shown === undefined) return false
    if (hasCountedBack(shown)) {
      const event = { userPoolId: pool.id, clientId: client.id, userId: subject.user?.id }
      ctx.events.record({ name: 'PasskeyCounter', result: 'Fail', ...event, credentialId: shown.passkey.credentialId })
      return false
    }
    proof = shown
    return true
  })
  return proof
}

/** Uses up the Session and moves the passkey on, and returns the user as he is then. */
const settle = (ctx: Context, { attempt, signIn }: Unproven, user: User, proof: PasskeyProof): Promise<User> =>
  inTransaction(ctx, async tx => {
    await consumeAttempt(tx, attempt)
    await lockUser(tx, user)
    const current = await getUserById(tx, signIn.pool, user.id)
    if (!isUntouched(attempt, current)) throw invalidSession()
    await usePasskey(tx, user, proof)
    return current
  })
