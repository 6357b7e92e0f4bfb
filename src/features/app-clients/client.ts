/**
 * App clients: the record behind one, how every other feature finds it, and client authentication by SECRET_HASH or
 * secret. The settings stay in the AWS shape; members in their default state are absent where the API omits them.
 */
import type { UserPoolClientType } from '../../contract/types.ts'
import { clientNotFound, secretHashMismatch, secretHashMissing } from '../../core/errors.ts'
import { matchesSecretHash } from '../../core/secret-hash.ts'
import type { ClientRow, ClientSecretRow } from '../../store/tables.ts'
import type { Context, Services } from '../context.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'

/** Everything that CreateUserPoolClient and UpdateUserPoolClient set. */
export type ClientSettings = Omit<
  UserPoolClientType,
  'UserPoolId' | 'ClientId' | 'ClientName' | 'ClientSecret' | 'CreationDate' | 'LastModifiedDate'
>

export interface ClientSecret {
  id: string
  value: string
  createdAt: number
}

export interface Client {
  id: string
  poolId: string
  name: string
  settings: ClientSettings
  /** Oldest first; empty for a public client. */
  secrets: ClientSecret[]
  /** How long the client takes up sessions of the browser, in minutes from the last authentication; 0 is never. */
  ssoSessionMinutes: number
  version: number
  createdAt: number
  updatedAt: number
}

const defaultSsoSessionMinutes = 60

/** The client from the cache or the database; undefined when there is none. Treat it as read-only. */
export const findClient = (ctx: Services, clientId: string): Promise<Client | undefined> =>
  ctx.caches.clients.get(clientId, async () => {
    const row = await ctx.db.selectFrom('clients').selectAll().where('id', '=', clientId).executeTakeFirst()
    if (row === undefined) return undefined
    const secrets = await ctx.db
      .selectFrom('client_secrets')
      .selectAll()
      .where('client_id', '=', clientId)
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    return clientFromRows(ctx, row, secrets)
  })

/**
 * The client, which must belong to the pool when one is given.
 * @throws ResourceNotFoundException
 */
export const getClient = async (ctx: Services, clientId: string, pool?: Pool): Promise<Client> => {
  const client = await findClient(ctx, clientId)
  if (client === undefined || (pool !== undefined && client.poolId !== pool.id)) throw clientNotFound(clientId)
  return client
}

export const clientFromRows = (ctx: Pick<Services, 'seal'>, row: ClientRow, secrets: ClientSecretRow[]): Client => ({
  id: row.id,
  poolId: row.pool_id,
  name: row.name,
  settings: JSON.parse(row.settings) as ClientSettings,
  secrets: secrets.map(secret => ({
    id: secret.id,
    value: openClientSecret(ctx, secret),
    createdAt: secret.created_at,
  })),
  ssoSessionMinutes: row.sso_session_minutes ?? defaultSsoSessionMinutes,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const openClientSecret = (ctx: Pick<Services, 'seal'>, row: ClientSecretRow): string => {
  const secret = ctx.seal.open('client-secret', row.secret, row.id)
  if (secret === undefined) throw new Error(`The secret ${row.id} cannot be opened with the master key.`)
  return secret.toString('utf8')
}

const defaultAuthSessionMinutes = 3

/** How long a step of a sign-in waits for its answer, in milliseconds. */
export const authSessionMs = (client: Client): number =>
  (client.settings.AuthSessionValidity ?? defaultAuthSessionMinutes) * 60_000

/** Both settings of PreventUserExistenceErrors as one question; the API's default is LEGACY. */
export const preventsUserExistenceErrors = (client: Client): boolean =>
  client.settings.PreventUserExistenceErrors === 'ENABLED'

/**
 * Checks the SecretHash of a request. `usernames` are the names for which the hash may have been computed: the one in
 * the request and, where it is known, the user's real username.
 * @throws NotAuthorizedException when the client has a secret and the hash is missing or wrong, or has none and one
 * was sent.
 */
export const checkSecretHash = (client: Client, usernames: string[], presented: string | undefined): void => {
  if (client.secrets.length === 0 && presented === undefined) return
  if (presented === undefined) throw secretHashMissing(client.id)
  const secrets = client.secrets.map(secret => secret.value)
  if (!matchesSecretHash(presented, usernames, client.id, secrets)) throw secretHashMismatch(client.id)
}

/** Client and its pool, for requests that name only the client. The pool decides the region of what follows. */
export const getClientAndPool = async (ctx: Services, clientId: string): Promise<{ client: Client; pool: Pool }> => {
  const client = await getClient(ctx, clientId)
  const pool = await findPool(ctx, client.poolId)
  if (pool === undefined) throw clientNotFound(clientId)
  return { client, pool }
}

/**
 * Wraps a public operation that names its client and a user: loads client and pool, then checks the secret hash.
 * Errors: ResourceNotFoundException, NotAuthorizedException.
 */
export const forClient =
  <Input extends { ClientId: string; Username: string; SecretHash?: string | undefined }, Output>(
    operation: (ctx: Context, client: Client, pool: Pool, input: Input) => Promise<Output>,
  ): ((ctx: Context, input: Input) => Promise<Output>) =>
  async (ctx, input) => {
    const { client, pool } = await getClientAndPool(ctx, input.ClientId)
    checkSecretHash(client, [input.Username], input.SecretHash)
    return operation({ ...ctx, region: pool.region }, client, pool, input)
  }
