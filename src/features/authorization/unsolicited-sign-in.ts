/**
 * Sign-ins that a SAML provider begins (IDPInit): it posts a response that nobody has asked for, and RelayState holds what an
 * application would have asked. Nothing binds such a sign-in to a browser, so a provider and a client must both be made for
 * it, and what it may ask is little.
 */
import { loginOptionNotAvailable } from '../../core/errors/oauth.ts'
import { invalidRelayState } from '../../core/errors/saml.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { arriveBySaml } from '../federation/saml/arrive.ts'
import { consumerPath } from '../federation/saml/depart.ts'
import { findProvider, type Provider } from '../identity-providers/provider.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type FederatedAuthorization, finishReturn } from './federated-sign-in.ts'
import { poolOfRequest } from './pool-of-request.ts'
import { supportedProviders } from './request.ts'

const relayStateLengthMax = 8_192
const parameterNames = ['client_id', 'redirect_uri', 'response_type', 'scope', 'state']

/** Whether RelayState has the form that begins a sign-in. */
export const isUnsolicited = (relayState: string): boolean =>
  relayState.length <= relayStateLengthMax && new URLSearchParams(relayState).has('identity_provider')

/**
 * The request that RelayState makes, with its user. `host` is the Host header.
 * @throws AuthorizationError, which tells the application what is wrong, or the user when nothing leads to an application
 */
export const finishUnsolicited = async (
  ctx: Context,
  { host, message, relayState }: { host: string | undefined; message: string; relayState: string },
): Promise<FederatedAuthorization> => {
  const asked = new URLSearchParams(relayState)
  const providerName = asked.get('identity_provider') ?? ''
  const at = await poolOfRequest(ctx, host, asked.get('client_id') ?? undefined)
  if (at?.client === undefined) throw invalidRelayState()
  const { pool, client, baseUrl } = at
  await assertAllowed(ctx, pool, client, providerName)
  const parameters = new URLSearchParams([...asked].filter(([name]) => parameterNames.includes(name)))
  parameters.set('identity_provider', providerName)
  return finishReturn(ctx, { pool, client, providerName, parameters: parameters.toString() }, (there, provider) =>
    arriveBySaml(there, provider, message, { recipient: baseUrl + consumerPath, requestId: undefined }),
  )
}

/** The client has SAML providers only, and each of them may begin a sign-in. */
const assertAllowed = async (ctx: Context, pool: Pool, client: Client, providerName: string): Promise<void> => {
  const names = supportedProviders(client)
  if (!names.includes(providerName)) throw loginOptionNotAvailable()
  const providers = await Promise.all(names.map(name => findProvider(ctx, pool, name)))
  if (!providers.every(mayBegin)) throw invalidRelayState()
}

const mayBegin = (provider: Provider | undefined): boolean =>
  provider?.type === 'SAML' && provider.settings.details['IDPInit'] === 'true'
