/** The end of a sign-in: a second factor where one is asked for, then tokens. */
import type { Context } from '../context.ts'
import { lockoutKey } from '../passwords/lockout.ts'
import { nextCustomStep } from './challenges/custom-challenge.ts'
import { issueAfterProof } from './issue.ts'
import type { Outcome, Progress } from './progress.ts'
import { beginSecondFactor } from './second-factor.ts'

/**
 * The second factor that is still due for a user who has proven one, else tokens.
 * @throws what beginSecondFactor, nextCustomStep and issueAfterProof throw.
 */
export const finishSignIn = async (ctx: Context, progress: Progress): Promise<Outcome> => {
  const due = isProvenTwice(progress) ? undefined : await beginSecondFactor(ctx, progress)
  if (due !== undefined) return due
  const { signIn, user, nameKey, factors } = progress
  // What the user has proven is the beginning of the story there.
  if (signIn.flow === 'CUSTOM_AUTH') {
    const subject = { user, nameKey, lockoutKey: lockoutKey(ctx, signIn.pool, user) }
    return nextCustomStep(ctx, signIn, { subject, name: user.username }, factors, [])
  }
  return issueAfterProof(ctx, progress)
}

/** Two kinds of proof are what a second factor is for, in whatever order they came. */
const isProvenTwice = ({ factors }: Progress): boolean => new Set(factors).size > 1
