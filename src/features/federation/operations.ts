/** The operations on identity providers, and on what users are there. */
import type { Operations } from '../context.ts'
import { createProvider, updateProvider } from '../identity-providers/change-provider.ts'
import {
  deleteProvider,
  getProvider,
  getProviderByIdentifier,
  listProviders,
  presentProvider,
  presentProviderSummary,
} from '../identity-providers/provider.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { inPool } from '../user-pools/pool.ts'
import { disableProviderUser, linkProviderUser } from './linking.ts'

export const federationOperations = {
  CreateIdentityProvider: inPool(async (ctx, pool, input) => ({
    IdentityProvider: presentProvider(ctx, await createProvider(ctx, pool, input)),
  })),

  DescribeIdentityProvider: inPool(async (ctx, pool, input) => ({
    IdentityProvider: presentProvider(ctx, await getProvider(ctx, pool, input.ProviderName)),
  })),

  GetIdentityProviderByIdentifier: inPool(async (ctx, pool, input) => ({
    IdentityProvider: presentProvider(ctx, await getProviderByIdentifier(ctx, pool, input.IdpIdentifier)),
  })),

  ListIdentityProviders: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListIdentityProviders', scope: pool.id }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.MaxResults)
    const found = await listProviders(ctx, pool, page.after?.[0] ?? '', page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, found, provider => [provider.name])
    return { Providers: rows.map(presentProviderSummary), NextToken: nextToken }
  }),

  UpdateIdentityProvider: inPool(async (ctx, pool, input) => ({
    IdentityProvider: presentProvider(ctx, await updateProvider(ctx, pool, input)),
  })),

  DeleteIdentityProvider: inPool((ctx, pool, input) => deleteProvider(ctx, pool, input.ProviderName)),

  AdminLinkProviderForUser: inPool(async (ctx, pool, input) => {
    await linkProviderUser(ctx, pool, input.DestinationUser, input.SourceUser)
    return {}
  }),

  AdminDisableProviderForUser: inPool(async (ctx, pool, input) => {
    await disableProviderUser(ctx, pool, input.User)
    return {}
  }),
} satisfies Operations<
  | 'CreateIdentityProvider'
  | 'DescribeIdentityProvider'
  | 'GetIdentityProviderByIdentifier'
  | 'ListIdentityProviders'
  | 'UpdateIdentityProvider'
  | 'DeleteIdentityProvider'
  | 'AdminLinkProviderForUser'
  | 'AdminDisableProviderForUser'
>
