/** The operations on app clients and their secrets. */
import type { UserPoolClientType } from '../../contract/types.ts'
import { inTransaction, type Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { inPool } from '../user-pools/pool.ts'
import { createClient, updateClient } from './change-client.ts'
import { type Client, getClient } from './client.ts'
import { addClientSecret, assertManagesSecrets, deleteClientSecret, presentClientSecret } from './client-secrets.ts'
import { setClientSessions } from './session-configuration.ts'

export const appClientOperations = {
  CreateUserPoolClient: inPool(async (ctx, pool, input) => ({
    UserPoolClient: present(await createClient(ctx, pool, input)),
  })),

  DescribeUserPoolClient: inPool(async (ctx, pool, input) => ({
    UserPoolClient: present(await getClient(ctx, input.ClientId, pool)),
  })),

  ListUserPoolClients: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListUserPoolClients', scope: pool.id, parameters: [input.ClientType] }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.MaxResults)
    const clients = await ctx.db
      .selectFrom('clients')
      .select(['id', 'name'])
      .where('pool_id', '=', pool.id)
      .where('id', '>', page.after?.[0] ?? '')
      .$if(input.ClientType === 'DCR', query => query.where('client_type', '=', 'DCR'))
      .$if(input.ClientType === 'REGULAR', query => query.where('client_type', 'is', null))
      .orderBy('id')
      .limit(page.limit + 1)
      .execute()
    const { rows, nextToken } = writePage(ctx, binding, page, clients, client => [client.id])
    return {
      UserPoolClients: rows.map(({ id, name }) => ({ ClientId: id, UserPoolId: pool.id, ClientName: name })),
      NextToken: nextToken,
    }
  }),

  UpdateUserPoolClient: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    return { UserPoolClient: present(await updateClient(ctx, pool, client, input)) }
  }),

  DeleteUserPoolClient: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    await inTransaction(ctx, tx => tx.db.deleteFrom('clients').where('id', '=', client.id).execute())
    await ctx.caches.invalidate('clients', client.id)
  }),

  AddUserPoolClientSecret: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    assertManagesSecrets(client)
    return { ClientSecretDescriptor: await addClientSecret(ctx, client, input.ClientSecret) }
  }),

  ListUserPoolClientSecrets: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    assertManagesSecrets(client)
    // There are never more than two, so there is never a second page.
    const binding: PageBinding = { operation: 'ListUserPoolClientSecrets', scope: pool.id, parameters: [client.id] }
    readPage(ctx, binding, input.NextToken, undefined)
    return { ClientSecrets: client.secrets.map(presentClientSecret) }
  }),

  DeleteUserPoolClientSecret: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    assertManagesSecrets(client)
    await deleteClientSecret(ctx, client, input.ClientSecretId)
    return {}
  }),

  GetUserPoolClientSessionConfiguration: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    return presentSessions(client, client.ssoSessionMinutes)
  }),

  SetUserPoolClientSessionConfiguration: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    await setClientSessions(ctx, pool, client, input.SSOSession)
    return presentSessions(client, input.SSOSession.MaxValidityMinutes)
  }),
} satisfies Operations<
  | 'CreateUserPoolClient'
  | 'DescribeUserPoolClient'
  | 'ListUserPoolClients'
  | 'UpdateUserPoolClient'
  | 'DeleteUserPoolClient'
  | 'AddUserPoolClientSecret'
  | 'ListUserPoolClientSecrets'
  | 'DeleteUserPoolClientSecret'
  | 'GetUserPoolClientSessionConfiguration'
  | 'SetUserPoolClientSessionConfiguration'
>

const presentSessions = (client: Client, MaxValidityMinutes: number) => ({
  UserPoolId: client.poolId,
  ClientId: client.id,
  SSOSession: { MaxValidityMinutes },
})

/** Client → UserPoolClientType; a client with two secrets shows the older one. */
const present = (client: Client): UserPoolClientType => ({
  UserPoolId: client.poolId,
  ClientName: client.name,
  ClientId: client.id,
  ...(client.secrets[0] !== undefined && { ClientSecret: client.secrets[0].value }),
  LastModifiedDate: new Date(client.updatedAt),
  CreationDate: new Date(client.createdAt),
  ...client.settings,
})
