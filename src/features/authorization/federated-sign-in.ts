/**
 * Authorization requests that an identity provider answers: the user is sent there, comes back, and the request goes on
 * where it was. Everything that was checked before is checked again then, because the client, the provider and their
 * settings may have changed.
 */
import { invalidState, refusedFederation } from '../../core/errors/federation.ts'
import { loginOptionNotAvailable, OAuthError, serverError } from '../../core/errors/oauth.ts'
import { CognitoError } from '../../core/errors.ts'
import { levelsNamed } from '../../core/step-up.ts'
import type { Context } from '../context.ts'
import { departures } from '../federation/departures.ts'
import type { Departure, Way } from '../federation/protocol.ts'
import { keepPendingSignIn, type ReturnedSignIn, takePendingSignIn } from '../federation/requests.ts'
import { type FederatedAnswer, type FederatedProof, finishFederatedSignIn } from '../federation/sign-in.ts'
import { findProvider, localProvider, type Provider } from '../identity-providers/provider.ts'
import { countFederatedSignIn } from '../limits.ts'
import { isForHost } from './pool-of-request.ts'
import { type AuthorizationRequest, readAuthorizationRequest, refusal, supportedProviders } from './request.ts'

/** The provider that the user is sent to without a page; undefined when there is something to choose or to fill in. */
export const soleProvider = ({ client, identityProvider }: AuthorizationRequest): string | undefined => {
  const supported = supportedProviders(client)
  const name = identityProvider ?? (supported.length === 1 ? supported[0] : undefined)
  return name === localProvider ? undefined : name
}

/**
 * Where the browser is sent, for a sign-in at the provider with this name. `browser` is the random value of its cookie, and
 * `baseUrl` where the endpoints of the pool stand.
 * @throws AuthorizationError for a provider that is gone, and one that tells the application of a provider that is out of
 * reach
 */
export const departToProvider = async (
  ctx: Context,
  request: AuthorizationRequest,
  providerName: string,
  { baseUrl, browser }: { baseUrl: string; browser: string },
): Promise<string> => {
  const { pool, client, parameters, loginHint, prompt, acrValues } = request
  const provider = await findProvider(ctx, pool, providerName)
  if (provider === undefined) throw loginOptionNotAvailable()
  const levels = levelsNamed(acrValues, pool.settings.AcrConfiguration)
  const way = await leadTo(ctx, { provider, baseUrl, loginHint, prompt, levels }).catch(error => {
    throw error instanceof OAuthError ? refusal(request, error) : error
  })
  const content = { parameters: parameters.toString(), remembered: way.remembered }
  return way.address(await keepPendingSignIn(ctx, { client, providerName, browser }, content))
}

const leadTo = async (ctx: Context, departure: Departure): Promise<Way> =>
  departures[departure.provider.type](ctx, departure)

/**
 * The sign-in that a browser has come back with; it has ended with that. `host` is the Host header.
 * @throws AuthorizationError for the error page when the state is that of no sign-in, or of another browser, or old
 */
export const returnedSignIn = async (
  ctx: Context,
  { host, state, browser }: { host: string | undefined; state: string; browser: string },
): Promise<ReturnedSignIn> => {
  const returned = await takePendingSignIn(ctx, state, browser)
  if (returned === undefined || !(await isForHost(ctx, host, returned.pool))) throw invalidState()
  return returned
}

/** A request whose user has signed in through a provider. */
export interface FederatedAuthorization {
  request: AuthorizationRequest
  proof: FederatedProof
}

/**
 * Finishes a sign-in whose user has come back. `verify` makes of what the provider has sent an answer that can be relied on.
 * @throws AuthorizationError, which tells the application what is wrong, or the user when the request itself no longer holds
 */
export const finishReturn = async (
  ctx: Context,
  { pool, client, providerName, parameters }: Pick<ReturnedSignIn, 'pool' | 'client' | 'providerName' | 'parameters'>,
  verify: (ctx: Context, provider: Provider) => Promise<FederatedAnswer>,
): Promise<FederatedAuthorization> => {
  const there = { ...ctx, region: pool.region, caller: { clientId: client.id } }
  const request = await readAuthorizationRequest(there, { pool, client }, new URLSearchParams(parameters))
  const provider = supportedProviders(client).includes(providerName)
    ? await findProvider(there, pool, providerName)
    : undefined
  if (provider === undefined) throw loginOptionNotAvailable()
  try {
    await countFederatedSignIn(there, pool)
    const answer = await verify(there, provider)
    return { request, proof: await finishFederatedSignIn(there, pool, client, answer) }
  } catch (cause) {
    if (cause instanceof OAuthError) throw refusal(request, cause)
    if (cause instanceof CognitoError) throw refusal(request, refusedFederation(cause))
    ctx.log.error({ requestId: ctx.requestId, provider: providerName, cause }, 'sign-in through a provider failed')
    throw refusal(request, serverError())
  }
}
