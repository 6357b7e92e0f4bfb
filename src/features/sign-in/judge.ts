/** The judgement of threat protection on a sign-in, once its first factor is proven. */
import type { Context } from '../context.ts'
import { judgeSignIn } from '../threat-protection/sign-in-events.ts'
import type { Progress } from './progress.ts'

/**
 * The sign-in with its judgement, which is made once. `password` is what was sent as it is. Custom challenges are judged
 * when they are passed, by `issueAfterProof`.
 * @throws NotAuthorizedException when the risk configuration blocks the sign-in.
 */
export const judgeProgress = async (ctx: Context, progress: Progress, password?: string): Promise<Progress> => {
  const { signIn, user, factors, event } = progress
  if (event !== undefined || signIn.flow === 'CUSTOM_AUTH') return progress
  return { ...progress, event: await judgeSignIn(ctx, signIn, user, { factors, password }) }
}
