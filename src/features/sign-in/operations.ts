import type { InitiateAuthResponse } from '../../contract/types.ts'
import { getClient, getClientAndPool } from '../app-clients/client.ts'
import type { Context, Operations } from '../context.ts'
import { inPool } from '../user-pools/pool.ts'
import type { Outcome } from './progress.ts'
import { answer, begin } from './sign-in.ts'

export const signInOperations = {
  InitiateAuth: async (ctx, input) =>
    present(
      await begin(atBeginning(ctx), {
        ...(await getClientAndPool(ctx, input.ClientId)),
        operation: 'InitiateAuth',
        flow: input.AuthFlow,
        parameters: input.AuthParameters ?? {},
        session: input.Session,
      }),
    ),

  AdminInitiateAuth: inPool(async (ctx, pool, input) =>
    present(
      await begin(atBeginning(ctx), {
        pool,
        client: await getClient(ctx, input.ClientId, pool),
        operation: 'AdminInitiateAuth',
        flow: input.AuthFlow,
        parameters: input.AuthParameters ?? {},
        session: input.Session,
      }),
    ),
  ),

  RespondToAuthChallenge: async (ctx, input) =>
    present(
      await answer(ctx, {
        ...(await getClientAndPool(ctx, input.ClientId)),
        face: 'api',
        challenge: input.ChallengeName,
        session: input.Session,
        responses: input.ChallengeResponses ?? {},
      }),
    ),

  AdminRespondToAuthChallenge: inPool(async (ctx, pool, input) =>
    present(
      await answer(ctx, {
        pool,
        client: await getClient(ctx, input.ClientId, pool),
        face: 'api',
        challenge: input.ChallengeName,
        session: input.Session,
        responses: input.ChallengeResponses ?? {},
      }),
    ),
  ),
} satisfies Operations<'AdminInitiateAuth' | 'AdminRespondToAuthChallenge' | 'InitiateAuth' | 'RespondToAuthChallenge'>

/** The metadata of the beginning is for the triggers that come before the proof, and for them alone. */
const atBeginning = (ctx: Context): Context => ({
  ...ctx,
  caller: { clientId: ctx.caller?.clientId, validationData: ctx.caller?.clientMetadata },
})

/** Tokens come with an empty object of parameters, without challenge and Session. */
const present = (outcome: Outcome): InitiateAuthResponse => {
  if ('proven' in outcome) throw new Error('A sign-in of the API has ended without tokens.')
  if ('tokens' in outcome) return { AuthenticationResult: outcome.tokens, ChallengeParameters: {} }
  return {
    ChallengeName: outcome.challenge,
    Session: outcome.session,
    ChallengeParameters: outcome.parameters,
    ...(outcome.available !== undefined && { AvailableChallenges: outcome.available }),
  }
}
