/** The end of a sign-in: a second factor where one is asked for, then tokens. */
import type { Context } from '../context.ts'
import { beginSession } from '../tokens/sessions.ts'
import { postAuthenticate } from './post-authentication.ts'
import type { Outcome, Progress } from './progress.ts'
import { beginSecondFactor } from './second-factor.ts'

/**
 * The second factor that is still due for a user who has proven one, else tokens.
 * @throws what beginSecondFactor and postAuthenticate throw.
 */
export const finishSignIn = async (ctx: Context, progress: Progress): Promise<Outcome> => {
  const due = isProvenTwice(progress) ? undefined : await beginSecondFactor(ctx, progress)
  return due ?? issueAfterProof(ctx, progress)
}

/**
 * Tokens for a user of whom no more is asked.
 * @throws what postAuthenticate throws.
 */
export const issueAfterProof = async (ctx: Context, progress: Progress): Promise<Outcome> => {
  const { signIn, factors } = progress
  const { pool, client, flow } = signIn
  const user = await postAuthenticate(ctx, pool, progress.user)
  const tokens = await beginSession(ctx, { pool, client, user, factors, source: progress.tokenSource })
  ctx.events.record({ name: 'SignIn', result: 'Pass', userPoolId: pool.id, clientId: client.id, userId: user.id, flow })
  return { tokens }
}

/** Two kinds of proof are what a second factor is for, in whatever order they came. */
const isProvenTwice = ({ factors }: Progress): boolean => new Set(factors).size > 1
