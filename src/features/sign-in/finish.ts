/** The end of a sign-in: what may still be asked for after the first factor, then tokens. */
import type { AuthenticationResultType, ChallengeNameType } from '../../contract/types.ts'
import type { Factor } from '../../core/claims.ts'
import { notYetAvailable } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { issueTokens, newTokenSession } from '../tokens/issue.ts'
import type { User } from '../users/user.ts'
import type { SignIn } from './attempt.ts'

/** What a step of a sign-in leads to: the next challenge or tokens. */
export type Outcome =
  | {
      challenge: ChallengeNameType
      session: string
      parameters: Record<string, string>
      available?: ChallengeNameType[]
    }
  | { tokens: AuthenticationResultType }

/** A sign-in whose user has proven something. */
export interface Progress {
  signIn: SignIn
  user: User
  /** Of the attempt: a digest of the name that the sign-in began with. */
  nameKey: string
  factors: Factor[]
  /** True in the answer to the request that began the sign-in, which tells the client the user's real name. */
  isFirstAnswer: boolean
}

/** Parameters that the first answer adds to whatever challenge it brings. */
export const firstAnswerParameters = ({ isFirstAnswer, user }: Progress): Record<string, string> =>
  isFirstAnswer ? { USER_ID_FOR_SRP: user.username } : {}

/**
 * Tokens for a user who has proven everything that is asked for.
 * @throws OperationNotEnabledException when a second factor is due, because there is none yet: no pool that asks for one
 * gives out tokens without it.
 */
export const finishSignIn = async (ctx: Context, { signIn, user, factors }: Progress): Promise<Outcome> => {
  const { pool, client, flow } = signIn
  const { MfaConfiguration = 'OFF' } = pool.settings
  const hasFactor = (user.mfa.enabled?.length ?? 0) > 0
  if (MfaConfiguration === 'ON' || (MfaConfiguration === 'OPTIONAL' && hasFactor)) {
    throw notYetAvailable('Multi-factor authentication')
  }
  const session = newTokenSession(ctx, client, user, factors)
  const tokens = await issueTokens(ctx, { pool, client, user, session, refreshGeneration: 0 })
  ctx.events.record({ name: 'SignIn', result: 'Pass', userPoolId: pool.id, clientId: client.id, userId: user.id, flow })
  return { tokens }
}
