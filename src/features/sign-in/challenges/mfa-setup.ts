/**
 * MFA_SETUP: a user of a pool that asks for a second factor sets up the first one during the sign-in, either an
 * authenticator application (AssociateSoftwareToken, VerifySoftwareToken, then the answer) or an address for mail. The
 * secret travels in the Session, so nothing is in force, and nothing of another sign-in is touched, before it is proven.
 */
import { checkAttributes } from '../../../core/attributes.ts'
import {
  invalidSession,
  mfaTypeNotOffered,
  softwareTokenNotAssociated,
  softwareTokenNotSetUp,
} from '../../../core/errors.ts'
import type { MfaFactor } from '../../../core/mfa-decision.ts'
import { toBase32 } from '../../../core/totp.ts'
import { type Context, inTransaction } from '../../context.ts'
import { decideMfaOf } from '../../mfa/factors.ts'
import {
  assertSoftwareTokensEnabled,
  drawSecret,
  getStepOfNewSecret,
  registerInSignIn,
} from '../../mfa/software-tokens.ts'
import { assertMfaNotLocked } from '../../mfa/tries.ts'
import type { Pool } from '../../user-pools/pool.ts'
import type { User } from '../../users/user.ts'
import { type Attempt, consumeAttempt, type Face, newAttempt, type PendingMfa, sealSession } from '../attempt.ts'
import { finishSignIn } from '../finish.ts'
import { beginCode } from '../second-factor.ts'
import { type Challenge, type Resumed, resume, resumeSession, takesNoDeviceChallenge } from './challenge.ts'

/**
 * Tokens when an authenticator application was verified; a code to the address that the answer names.
 * @throws InvalidParameterException, NotAuthorizedException, CodeDeliveryFailureException
 */
export const answerMfaSetup: Challenge = async (ctx, answer) => {
  const { attempt, signIn, user } = await resume(ctx, answer)
  const noDeviceChallenge = takesNoDeviceChallenge(answer)
  const progress = { ...attempt, signIn, user, isFirstAnswer: false, noDeviceChallenge }
  if (attempt.mfa?.isSetUp) {
    await inTransaction(ctx, tx => consumeAttempt(tx, attempt))
    return finishSignIn(ctx, { ...progress, factors: [...attempt.factors, 'otp'] })
  }
  const address = answer.responses['EMAIL'] ?? answer.responses['email']
  if (address === undefined || address === '') throw softwareTokenNotSetUp()
  await assertOffered(ctx, signIn.pool, user, attempt, 'EMAIL_OTP')
  checkAddress(signIn.pool, user, address)
  await assertMfaNotLocked(ctx, user)
  await inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  return beginCode(ctx, progress, 'EMAIL_OTP', address, { isNewAddress: true })
}

const checkAddress = (pool: Pool, user: User, address: string): void => {
  const schema = pool.settings.SchemaAttributes ?? []
  checkAttributes({ schema, phase: 'admin-update', current: user.attributes }, [{ Name: 'email', Value: address }])
}

/**
 * A new secret, in base32, and the Session that carries it on.
 * @throws NotAuthorizedException (session), SoftwareTokenMFANotFoundException
 */
export const associateInSignIn = async (
  ctx: Context,
  session: string,
  face: Face,
): Promise<{ secret: string; session: string }> => {
  const resumed = await resumeSetup(ctx, session, face)
  const secret = drawSecret(ctx)
  await inTransaction(ctx, tx => consumeAttempt(tx, resumed.attempt))
  return {
    secret: toBase32(secret),
    session: renewed(ctx, resumed, resumed.user, { secret: secret.toString('base64url') }),
  }
}

/**
 * Puts the secret that the Session carries in force when the code is one of it, and switches the factor on. Returns the
 * Session with which MFA_SETUP is answered.
 * @throws NotAuthorizedException (session), SoftwareTokenMFANotFoundException, EnableSoftwareTokenMFAException
 */
export const verifyInSignIn = async (
  ctx: Context,
  session: string,
  code: string,
  friendlyName: string | undefined,
  face: Face,
): Promise<string> => {
  const resumed = await resumeSetup(ctx, session, face)
  const { attempt, signIn, user } = resumed
  if (attempt.mfa?.secret === undefined) throw softwareTokenNotAssociated()
  const secret = Buffer.from(attempt.mfa.secret, 'base64url')
  const step = getStepOfNewSecret(ctx, secret, code)
  const registered = await inTransaction(ctx, async tx => {
    await consumeAttempt(tx, attempt)
    const after = await registerInSignIn(tx, signIn.pool, user, { secret, step, friendlyName })
    if (after === undefined) throw invalidSession()
    return after
  })
  return renewed(ctx, resumed, registered, { isSetUp: true })
}

const resumeSetup = async (ctx: Context, session: string, face: Face): Promise<Resumed> => {
  const resumed = await resumeSession(ctx, session, 'MFA_SETUP', face)
  const { attempt, signIn, user } = resumed
  assertSoftwareTokensEnabled(signIn.pool)
  await assertOffered(ctx, signIn.pool, user, attempt, 'SOFTWARE_TOKEN_MFA')
  return resumed
}

/**
 * A user who has come by a factor since the challenge began proves that one, instead of setting up another.
 * @throws InvalidParameterException for a factor that the user cannot set up in this sign-in, NotAuthorizedException
 */
const assertOffered = async (
  ctx: Context,
  pool: Pool,
  user: User,
  { mfa }: Attempt,
  factor: MfaFactor,
): Promise<void> => {
  if (mfa?.isSetUp || !mfa?.factors?.includes(factor)) throw mfaTypeNotOffered()
  if ((await decideMfaOf(ctx, pool, user)).step !== 'setup') throw invalidSession()
}

const renewed = (ctx: Context, { attempt, signIn }: Resumed, user: User, change: PendingMfa): string => {
  const mfa: PendingMfa = { ...attempt.mfa, ...change }
  // What was handed out is of no use any more.
  if (mfa.isSetUp) delete mfa.secret
  return sealSession(ctx, signIn.client, newAttempt(ctx, signIn, { ...attempt, user, mfa }))
}
