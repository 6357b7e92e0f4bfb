/** Tokens at the end of a sign-in. */
import type { Context } from '../context.ts'
import { beginSession } from '../tokens/sessions.ts'
import { postAuthenticate } from './post-authentication.ts'
import type { Outcome, Progress } from './progress.ts'

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
