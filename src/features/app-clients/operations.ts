/** The operations on app clients and their secrets. */
import type { UserPoolClientType } from '../../contract/types.ts'
import { concurrentModification, invalidParameter, limitExceeded } from '../../core/errors.ts'
import { newClientId, newClientSecret } from '../../core/ids.ts'
import { inTransaction, type Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { inPool } from '../user-pools/pool.ts'
import { type Client, clientFromRows, getClient } from './client.ts'
import { addClientSecret, deleteClientSecret, insertClientSecret, presentClientSecret } from './client-secrets.ts'
import { makeClientSettings } from './client-settings.ts'
import { setClientSessions } from './session-configuration.ts'

const clientsPerPoolMax = 1_000

export const appClientOperations = {
  CreateUserPoolClient: inPool(async (ctx, pool, input) => {
    if (input.GenerateSecret === true && input.ClientSecret !== undefined) {
      throw invalidParameter('GenerateSecret and ClientSecret cannot be used together.')
    }
    const secret = input.GenerateSecret === true ? newClientSecret(ctx.random) : input.ClientSecret
    const settings = await makeClientSettings(ctx, pool, input, {
      hasSecret: secret !== undefined,
      activity: 'creating',
    })
    const now = ctx.clock.now()
    const row = {
      id: newClientId(ctx.random),
      pool_id: pool.id,
      name: input.ClientName,
      settings: JSON.stringify(settings),
      version: 1,
      created_at: now,
      updated_at: now,
      sso_session_minutes: null,
    }
    const client = await inTransaction(ctx, async tx => {
      const { count } = await tx.db
        .selectFrom('clients')
        .select(select => select.fn.countAll<number>().as('count'))
        .where('pool_id', '=', pool.id)
        .executeTakeFirstOrThrow()
      if (Number(count) >= clientsPerPoolMax) throw limitExceeded('The user pool has reached its limit of app clients.')
      await tx.db.insertInto('clients').values(row).execute()
      if (secret !== undefined) await insertClientSecret(tx, row.id, secret)
      const secrets = await tx.db.selectFrom('client_secrets').selectAll().where('client_id', '=', row.id).execute()
      return clientFromRows(ctx, row, secrets)
    })
    return { UserPoolClient: present(client) }
  }),

  DescribeUserPoolClient: inPool(async (ctx, pool, input) => ({
    UserPoolClient: present(await getClient(ctx, input.ClientId, pool)),
  })),

  ListUserPoolClients: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListUserPoolClients', scope: pool.id, parameters: [input.ClientType] }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.MaxResults)
    // Clients that registered themselves do not exist in this version.
    if (input.ClientType === 'DCR') return { UserPoolClients: [] }
    const clients = await ctx.db
      .selectFrom('clients')
      .select(['id', 'name'])
      .where('pool_id', '=', pool.id)
      .where('id', '>', page.after?.[0] ?? '')
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
    const hasSecret = client.secrets.length > 0
    const settings = await makeClientSettings(ctx, pool, input, { hasSecret, activity: 'updating' })
    const changes = { name: input.ClientName ?? client.name, updated_at: ctx.clock.now() }
    const updated = await inTransaction(ctx, async tx => {
      const row = await tx.db
        .updateTable('clients')
        .set({ ...changes, settings: JSON.stringify(settings), version: client.version + 1 })
        .where('id', '=', client.id)
        .where('version', '=', client.version)
        .returning('id')
        .executeTakeFirst()
      return row !== undefined
    })
    await ctx.caches.invalidate('clients', client.id)
    if (!updated) throw concurrentModification()
    return { UserPoolClient: present({ ...client, name: changes.name, updatedAt: changes.updated_at, settings }) }
  }),

  DeleteUserPoolClient: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    await inTransaction(ctx, tx => tx.db.deleteFrom('clients').where('id', '=', client.id).execute())
    await ctx.caches.invalidate('clients', client.id)
  }),

  AddUserPoolClientSecret: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    return { ClientSecretDescriptor: await addClientSecret(ctx, client, input.ClientSecret) }
  }),

  ListUserPoolClientSecrets: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
    // There are never more than two, so there is never a second page.
    const binding: PageBinding = { operation: 'ListUserPoolClientSecrets', scope: pool.id, parameters: [client.id] }
    readPage(ctx, binding, input.NextToken, undefined)
    return { ClientSecrets: client.secrets.map(presentClientSecret) }
  }),

  DeleteUserPoolClientSecret: inPool(async (ctx, pool, input) => {
    const client = await getClient(ctx, input.ClientId, pool)
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
