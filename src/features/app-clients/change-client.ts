/** Making and changing app clients: the rules in the order of the service, and the rows. */
import type { CreateUserPoolClientRequest, UpdateUserPoolClientRequest } from '../../contract/types.ts'
import { concurrentModification, invalidParameter, limitExceeded } from '../../core/errors.ts'
import { newClientId, newClientSecret } from '../../core/ids.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type Client, clientFromRows } from './client.ts'
import { insertClientSecret } from './client-secrets.ts'
import { makeClientSettings } from './client-settings.ts'

const clientsPerPoolMax = 1_000

/**
 * Stores a new client, with a secret when one is given or asked for. Its id is a generated one unless it is given.
 * A client that has `registered` itself is marked as one.
 * @throws InvalidParameterException, InvalidOAuthFlowException, ScopeDoesNotExistException,
 * FeatureUnavailableInTierException, LimitExceededException when the pool is full.
 */
export const createClient = async (
  ctx: Context,
  pool: Pool,
  input: Omit<CreateUserPoolClientRequest, 'UserPoolId'>,
  { id = newClientId(ctx.random), registered = false }: { id?: string | undefined; registered?: boolean } = {},
): Promise<Client> => {
  if (input.GenerateSecret === true && input.ClientSecret !== undefined) {
    throw invalidParameter('GenerateSecret and ClientSecret cannot be used together.')
  }
  const secret = input.GenerateSecret === true ? newClientSecret(ctx.random) : input.ClientSecret
  const members = { ...input, UserPoolId: pool.id }
  const settings = await makeClientSettings(ctx, pool, members, {
    hasSecret: secret !== undefined,
    activity: 'creating',
    clientType: registered ? 'DCR' : 'REGULAR',
  })
  const now = ctx.clock.now()
  const row = {
    id,
    pool_id: pool.id,
    name: input.ClientName,
    settings: JSON.stringify(settings),
    version: 1,
    created_at: now,
    updated_at: now,
    sso_session_minutes: null,
    client_type: registered ? 'DCR' : null,
  }
  return inTransaction(ctx, async tx => {
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
}

/**
 * Replaces the settings of the client as it was read; what the request omits goes to its default, but for the name.
 * Returns the client with the changes.
 * @throws InvalidParameterException, InvalidOAuthFlowException, ScopeDoesNotExistException,
 * FeatureUnavailableInTierException, ConcurrentModificationException
 */
export const updateClient = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  input: UpdateUserPoolClientRequest,
): Promise<Client> => {
  const hasSecret = client.secrets.length > 0
  const { ClientType: clientType } = client.settings
  const settings = await makeClientSettings(ctx, pool, input, { hasSecret, activity: 'updating', clientType })
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
  return { ...client, name: changes.name, updatedAt: changes.updated_at, version: client.version + 1, settings }
}
