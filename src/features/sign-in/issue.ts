/** The end of a sign-in. */
import type { Context } from '../context.ts'
import { beginSession } from '../tokens/sessions.ts'
import { postAuthenticate } from './post-authentication.ts'
import type { Outcome, Progress } from './progress.ts'

/**
 * Tokens for a user of whom no more is asked; for the pages the proof, because their tokens come later and may be others.
 * @throws what postAuthenticate throws.
 */
export const issueAfterProof = async (ctx: Context, progress: Progress): Promise<Outcome> => {
  const { signIn, factors, tokenSource } = progress
  const { pool, client, flow, face } = signIn
  const user = await postAuthenticate(ctx, pool, progress.user)
  const outcome =
    face === 'pages'
      ? { proven: { user, factors, tokenSource } }
      : { tokens: await beginSession(ctx, { pool, client, user, factors, source: tokenSource }) }
  ctx.events.record({ name: 'SignIn', result: 'Pass', userPoolId: pool.id, clientId: client.id, userId: user.id, flow })
  return outcome
}
