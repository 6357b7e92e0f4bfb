/** OpenID Connect Discovery 1.0: the endpoints of a provider, found from its issuer. */
import { parseJson } from '../../contract/codec.ts'
import { discoveredIssuerDiffers, wellKnownUnreachable } from '../../core/errors.ts'
import type { Services } from '../context.ts'
import { endpointFault } from './endpoints.ts'

/** Details of an OIDC provider and the names of the same things in its discovery document. */
export const discoverable = {
  authorize_url: 'authorization_endpoint',
  token_url: 'token_endpoint',
  attributes_url: 'userinfo_endpoint',
  jwks_uri: 'jwks_uri',
} as const

export type DiscoverableDetail = keyof typeof discoverable

/**
 * What the provider says about its endpoints; those that it does not name are absent.
 * @throws InvalidParameterException when it cannot be asked, or speaks for another issuer (section 4.3).
 */
export const discoverEndpoints = async (
  ctx: Pick<Services, 'fetch'>,
  issuer: string,
): Promise<Partial<Record<DiscoverableDetail, string>>> => {
  const document = await readDocument(ctx, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  if (document['issuer'] !== issuer) {
    throw typeof document['issuer'] === 'string'
      ? discoveredIssuerDiffers(document['issuer'].slice(0, 200))
      : wellKnownUnreachable()
  }
  const endpoints: Partial<Record<DiscoverableDetail, string>> = {}
  for (const detail of Object.keys(discoverable) as DiscoverableDetail[]) {
    const value = document[discoverable[detail]]
    if (typeof value === 'string' && value !== '') endpoints[detail] = value
  }
  return endpoints
}

const readDocument = async (ctx: Pick<Services, 'fetch'>, url: string): Promise<Record<string, unknown>> => {
  const response = await ctx
    .fetch(url, { purpose: 'OpenID Connect discovery', headers: { accept: 'application/json' }, redirectsMax: 0 })
    .catch((failure: unknown) => {
      throw endpointFault(failure, wellKnownUnreachable())
    })
  const json = response.status === 200 ? parseJson(response.body) : undefined
  if (json === undefined || 'serialization' in json || !isObject(json.value)) throw wellKnownUnreachable()
  return json.value
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
