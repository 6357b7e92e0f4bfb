/**
 * The `Session` of a sign-up: with it the user who has just confirmed an address is signed in at once, where a code to
 * that address could be the first factor. Nothing is stored for it; it is a sealed value, bound to its client and user.
 */
import { invalidSession } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { allowsFlow } from '../app-clients/auth-flows.ts'
import { authSessionMs, type Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import type { VerifiableAttribute } from '../messages/codes.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { mayLackPassword } from './sign-up.ts'

export interface SignUpSession {
  userId: string
  /** Of the user, when the session was made. */
  securityEpoch: number
  /** Milliseconds since the epoch. */
  expiresAt: number
  /** Marks the session as used. */
  nonce: string
  /** The address that was confirmed; undefined before that. */
  confirmed?: VerifiableAttribute
}

const purpose = 'sign-up-session'
const sessionLengthMax = 2_048

/**
 * A session that lasts for the client's AuthSessionValidity; undefined where no code could be the user's first factor.
 * `confirmed` is the address that the user has just proven.
 */
export const newSignUpSession = (
  ctx: Pick<Context, 'clock' | 'random' | 'seal'>,
  client: Client,
  pool: Pool,
  user: Pick<User, 'id' | 'securityEpoch'>,
  confirmed?: VerifiableAttribute,
): string | undefined => {
  const isPossible = pool.settings.UserPoolTier !== 'LITE' && allowsFlow(client, 'USER_AUTH') && mayLackPassword(pool)
  if (!isPossible) return undefined
  const session: SignUpSession = {
    userId: user.id,
    securityEpoch: user.securityEpoch,
    expiresAt: ctx.clock.now() + authSessionMs(client),
    nonce: newUuid(ctx.random),
    ...(confirmed !== undefined && { confirmed }),
  }
  return ctx.seal.seal(purpose, JSON.stringify(session), boundTo(client))
}

/**
 * What the session says. Expiry and use are not looked at.
 * @throws NotAuthorizedException when it is none of this client.
 */
export const openSignUpSession = (ctx: Pick<Context, 'seal'>, client: Client, session: string): SignUpSession => {
  const opened = session.length > sessionLengthMax ? undefined : ctx.seal.open(purpose, session, boundTo(client))
  if (opened === undefined) throw invalidSession()
  return JSON.parse(opened.toString('utf8')) as SignUpSession
}

const boundTo = (client: Client): string => `${client.poolId} ${client.id}`
