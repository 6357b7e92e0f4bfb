/** The challenges of second factors: which one is due, and how each of them begins. */
import type { ChallengeNameType } from '../../contract/types.ts'
import { mfaMethodNotFound } from '../../core/errors.ts'
import type { MfaFactor } from '../../core/mfa-decision.ts'
import type { Context } from '../context.ts'
import type { CodeTarget } from '../messages/codes.ts'
import { sendNewCode } from '../messages/send.ts'
import { attributeOfFactor, decideMfaOf } from '../mfa/factors.ts'
import { findSoftwareToken } from '../mfa/software-tokens.ts'
import { assertMfaNotLocked } from '../mfa/tries.ts'
import { refuseSignIn } from '../threat-protection/sign-in-events.ts'
import { newAttempt, type PendingMfa, sealSession } from './attempt.ts'
import { firstAnswerParameters, type Outcome, type PendingOutcome, type Progress } from './progress.ts'

/**
 * The challenge of the second factor, the choice among several, or the set-up of a first one; undefined when none is
 * asked for. A code is sent before this returns.
 * @throws MFAMethodNotFoundException when one is asked for and the user can neither use nor set up any,
 * NotAuthorizedException while wrong codes have locked the step, CodeDeliveryFailureException
 */
export const beginSecondFactor = async (
  ctx: Context,
  progress: Progress,
  { deviceSkipsMfa }: { deviceSkipsMfa: boolean },
): Promise<Outcome | undefined> => {
  const { signIn, user, factors, event } = progress
  const isAssigned = event?.mfa !== undefined && !deviceSkipsMfa
  const decision = await decideMfaOf(ctx, signIn.pool, user, { deviceSkipsMfa, isAssigned, proven: factors })
  const isAsked = decision.step === 'challenge' || decision.step === 'select'
  const isMet = isAsked || (deviceSkipsMfa && decision.step === 'none')
  if (event?.mfa !== undefined && !isMet) {
    // Who may be somebody else neither sets up a factor of his own nor goes on without one.
    if (event.mfa === 'required') return refuseSignIn(ctx, signIn, user, factors, event)
    return beginSecondFactor(ctx, { ...progress, event: { ...event, mfa: undefined } }, { deviceSkipsMfa })
  }
  switch (decision.step) {
    case 'none':
      return undefined
    case 'refuse':
      throw mfaMethodNotFound()
    case 'challenge':
      return beginFactor(ctx, progress, decision.factor)
    case 'select':
      return beginAmong(ctx, progress, decision.factors)
    case 'setup':
      return challengeWith(
        ctx,
        progress,
        'MFA_SETUP',
        { factors: decision.factors },
        {
          MFAS_CAN_SETUP: JSON.stringify(decision.factors),
        },
      )
  }
}

/**
 * The challenge of the factor, or the choice among several.
 * @throws as beginFactor
 */
export const beginAmong = async (ctx: Context, progress: Progress, factors: MfaFactor[]): Promise<Outcome> => {
  const [factor, another] = factors
  if (factor !== undefined && another === undefined) return beginFactor(ctx, progress, factor)
  return challengeWith(ctx, progress, 'SELECT_MFA_TYPE', { factors }, { MFAS_CAN_CHOOSE: JSON.stringify(factors) })
}

/**
 * The challenge of one factor.
 * @throws MFAMethodNotFoundException, NotAuthorizedException, CodeDeliveryFailureException as beginSecondFactor
 */
export const beginFactor = async (ctx: Context, progress: Progress, factor: MfaFactor): Promise<Outcome> => {
  await assertMfaNotLocked(ctx, progress.user)
  if (factor === 'SOFTWARE_TOKEN_MFA') {
    const { friendlyName } = (await findSoftwareToken(ctx, progress.user)) ?? {}
    return challengeWith(
      ctx,
      progress,
      factor,
      {},
      {
        ...(friendlyName !== undefined && { FRIENDLY_DEVICE_NAME: friendlyName }),
      },
    )
  }
  const destination = progress.user.attributes.get(attributeOfFactor[factor])
  if (destination === undefined) throw mfaMethodNotFound()
  return beginCode(ctx, progress, factor, destination, {})
}

/** Sends a code that only this sign-in takes, to an address of the user or to a new one that he gives. */
export const beginCode = async (
  ctx: Context,
  progress: Progress,
  factor: keyof typeof attributeOfFactor,
  destination: string,
  mfa: PendingMfa,
): Promise<PendingOutcome> => {
  const { signIn, user } = progress
  const attempt = newAttempt(ctx, signIn, { ...progress, step: factor, mfa })
  const attribute = attributeOfFactor[factor]
  const target: CodeTarget = {
    purpose: `mfa-${attribute}`,
    attribute,
    destination,
    bound: attempt.nonce,
    expiresAt: attempt.expiresAt,
  }
  const details = await sendNewCode(ctx, signIn.pool, user, 'Authentication', target)
  return {
    challenge: factor,
    session: sealSession(ctx, signIn.client, attempt),
    parameters: {
      ...firstAnswerParameters(progress),
      CODE_DELIVERY_DELIVERY_MEDIUM: details.DeliveryMedium ?? '',
      CODE_DELIVERY_DESTINATION: details.Destination ?? '',
    },
  }
}

const challengeWith = (
  ctx: Context,
  progress: Progress,
  challenge: ChallengeNameType,
  mfa: PendingMfa,
  parameters: Record<string, string>,
): Outcome => ({
  challenge,
  session: sealSession(
    ctx,
    progress.signIn.client,
    newAttempt(ctx, progress.signIn, { ...progress, step: challenge, mfa }),
  ),
  parameters: { ...firstAnswerParameters(progress), ...parameters },
})
