/** The end of a sign-in: a second factor where one is asked for, then tokens. */
import type { Context } from '../context.ts'
import { suspendSignIn } from '../threat-protection/sign-in-events.ts'
import type { NamedDevice } from './attempt.ts'
import { nextCustomStep } from './challenges/custom-challenge.ts'
import { findNamedDevice, replacesMfa } from './device.ts'
import { issueAfterProof } from './issue.ts'
import { judgeProgress } from './judge.ts'
import type { Outcome, Progress } from './progress.ts'
import { beginSecondFactor } from './second-factor.ts'
import { beginLift, meetsMfa, withCredit } from './step-up.ts'
import { subjectOf } from './subject.ts'

/**
 * The second factor that is still due for a user who has proven one, else tokens. A remembered device may stand in for the
 * second factor, and has to prove itself for it; it does not stand in for a level that is asked for.
 * @throws what judgeProgress, beginLift, findNamedDevice, beginSecondFactor, nextCustomStep and issueAfterProof throw.
 */
export const finishSignIn = async (ctx: Context, begun: Progress): Promise<Outcome> => {
  const progress = withCredit(await judgeProgress(ctx, begun))
  const { signIn, user, nameKey, factors, event } = progress
  const lift = await beginLift(ctx, progress)
  if (lift !== undefined) {
    await suspendSignIn(ctx, signIn, user, factors, event, 'mfa')
    return lift
  }
  const deviceSkipsMfa = replacesMfa(progress, await findNamedDevice(ctx, progress))
  if (needsSecondFactor(progress) || (signIn.target !== undefined && !(await meetsMfa(ctx, progress)))) {
    const due = await beginSecondFactor(ctx, progress, { deviceSkipsMfa })
    if (due !== undefined) {
      await suspendSignIn(ctx, signIn, user, factors, event, 'mfa')
      return due
    }
  }
  const device = deviceSkipsMfa ? reliedOn(progress.device) : progress.device
  // What the user has proven is the beginning of the story there, and the proof of the device its end.
  if (signIn.flow === 'CUSTOM_AUTH' && device?.proof !== 'given') {
    const subject = subjectOf(ctx, signIn.pool, user, nameKey)
    return nextCustomStep(ctx, signIn, { subject, name: user.username }, { factors, device }, [])
  }
  return issueAfterProof(ctx, { ...progress, device })
}

/** From now on the sign-in ends without tokens when the device does not prove itself. */
const reliedOn = (device: NamedDevice | undefined): NamedDevice | undefined => device && { proof: 'due', ...device }

/** Two kinds of proof are what a second factor is for, in whatever order they came. */
const needsSecondFactor = ({ factors }: Progress): boolean => new Set(factors).size === 1
