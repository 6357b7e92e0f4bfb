/** Making and changing identity providers: the rules in the order of the service. */
import type { CreateIdentityProviderRequest, UpdateIdentityProviderRequest } from '../../contract/types.ts'
import { providerNameReserved, providerOfOtherType } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { makeAcrMapping, makeAttributeMapping } from './attribute-mapping.ts'
import { getProvider, insertProvider, isSocial, localProvider, type Provider, replaceProvider } from './provider.ts'
import { makeDetails } from './provider-details.ts'

/**
 * @throws InvalidParameterException, DuplicateProviderException, LimitExceededException, ResourceNotFoundException
 */
export const createProvider = async (
  ctx: Context,
  pool: Pool,
  input: CreateIdentityProviderRequest,
): Promise<Provider> => {
  const { ProviderName: name, ProviderType: type } = input
  if (name.toUpperCase() === localProvider) throw providerNameReserved(name)
  if (isSocial(type) && name !== type) throw providerOfOtherType(name, type)
  const attributeMapping = makeAttributeMapping(pool, type, input.AttributeMapping)
  const acrMapping = makeAcrMapping(type, input.AcrMapping)
  const { details, secrets, saml } = await makeDetails(ctx, type, input.ProviderDetails)
  return insertProvider(ctx, pool, {
    name,
    type,
    secrets,
    settings: {
      details,
      attributeMapping,
      identifiers: [...new Set(input.IdpIdentifiers)],
      ...(acrMapping !== undefined && { acrMapping }),
      ...(saml !== undefined && { saml }),
    },
  })
}

/**
 * Replaces each member that the request has; the others stay. Metadata and endpoints are read anew when there are
 * details.
 * @throws InvalidParameterException, ResourceNotFoundException, ConcurrentModificationException
 */
export const updateProvider = async (
  ctx: Context,
  pool: Pool,
  input: UpdateIdentityProviderRequest,
): Promise<Provider> => {
  const provider = await getProvider(ctx, pool, input.ProviderName)
  const { type, settings } = provider
  const attributeMapping =
    input.AttributeMapping === undefined
      ? settings.attributeMapping
      : makeAttributeMapping(pool, type, input.AttributeMapping)
  const acrMapping = input.AcrMapping === undefined ? settings.acrMapping : makeAcrMapping(type, input.AcrMapping)
  const made =
    input.ProviderDetails === undefined ? undefined : await makeDetails(ctx, type, input.ProviderDetails, provider)
  const saml = made === undefined ? settings.saml : made.saml
  return replaceProvider(ctx, pool, provider, {
    secrets: made?.secrets ?? provider.secrets,
    settings: {
      details: made?.details ?? settings.details,
      attributeMapping,
      identifiers: input.IdpIdentifiers === undefined ? settings.identifiers : [...new Set(input.IdpIdentifiers)],
      ...(acrMapping !== undefined && { acrMapping }),
      ...(saml !== undefined && { saml }),
    },
  })
}
