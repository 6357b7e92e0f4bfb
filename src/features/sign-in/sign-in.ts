/**
 * Signing in: a flow begins it, challenges continue it, tokens end it. Every face of the program goes through `begin`
 * and `answer`.
 *
 * Not owned here: what a token says and how it ends (tokens), how a password is kept and when a user is locked out
 * (passwords).
 */
import type { AuthFlowType, ChallengeNameType } from '../../contract/types.ts'
import { flowNotEnabled, initiateAuthNotSupported, invalidSession, missingParameter } from '../../core/errors.ts'
import { allowsFlow } from '../app-clients/auth-flows.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type FreshSignUp, signInOnSignUpPage } from './after-sign-up.ts'
import type { Face } from './attempt.ts'
import { required } from './challenges/challenge.ts'
import { challenges } from './challenges/index.ts'
import { along } from './edges.ts'
import type { BeginningOperation } from './flows/flow.ts'
import { flows } from './flows/index.ts'
import type { Outcome } from './progress.ts'

export interface BeginRequest {
  pool: Pool
  client: Client
  operation: BeginningOperation
  flow: AuthFlowType
  parameters: Record<string, string>
  /** Of a sign-up that was just confirmed. */
  session?: string | undefined
}

/**
 * Begins a sign-in: a challenge, or its end when the flow needs no further step.
 * @throws InvalidParameterException for a flow that the operation or the client does not offer and for missing
 * parameters, and what the flow throws.
 */
export const begin = async (ctx: Context, request: BeginRequest): Promise<Outcome> => {
  const { pool, client, operation, flow, parameters, session } = request
  const { operations, parameters: names, begin } = flows[flow]
  if (!operations.includes(operation)) throw initiateAuthNotSupported()
  const face = operation === 'ManagedLogin' ? 'pages' : 'api'
  // The flows that a client allows are those of the API; the pages have their own.
  if (face === 'api' && !allowsFlow(client, flow)) throw flowNotEnabled(flow)
  for (const name of names) required(parameters, name)
  return along('begin', await begin({ ...ctx, region: pool.region }, { pool, client, flow, face }, parameters, session))
}

/**
 * Begins the sign-in of a user who has just signed up on the pages.
 * @throws what signInOnSignUpPage throws
 */
export const beginAfterSignUp = async (
  ctx: Context,
  { pool, client, username, signUp }: { pool: Pool; client: Client; username: string; signUp: FreshSignUp },
): Promise<Outcome> => {
  const signIn = { pool, client, flow: 'USER_PASSWORD_AUTH', face: 'pages' } as const
  return along('begin', await signInOnSignUpPage({ ...ctx, region: pool.region }, signIn, username, signUp))
}

export interface AnswerRequest {
  pool: Pool
  client: Client
  face: Face
  challenge: ChallengeNameType
  session: string | undefined
  responses: Record<string, string>
}

/**
 * Answers the challenge that is pending: the next one, or the end.
 * @throws InvalidParameterException for missing parameters, NotAuthorizedException for an answer to a challenge that is
 * not pending, and what the challenge throws.
 */
export const answer = async (ctx: Context, request: AnswerRequest): Promise<Outcome> => {
  const username = required(request.responses, 'USERNAME')
  const challenge = challenges[request.challenge]
  if (challenge === undefined) throw request.session === undefined ? missingParameter('Session') : invalidSession()
  return along(request.challenge, await challenge({ ...ctx, region: request.pool.region }, { ...request, username }))
}
