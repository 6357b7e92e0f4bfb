/**
 * Resource servers: the APIs that a pool knows, and the custom scopes that they define. A scope is written
 * `{identifier}/{scope name}`.
 *
 * The folder owns the servers and answers which scopes exist. Which of them a client may ask for is a setting of the
 * client; a scope that is gone stays listed there and is inactive until it exists again.
 */
import type { ResourceServerScopeType, ResourceServerType } from '../../contract/types.ts'
import {
  resourceServerExists,
  resourceServerNotFound,
  resourceServerReserved,
  scopeNameRepeated,
  tooManyResourceServers,
} from '../../core/errors.ts'
import type { ResourceServerRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type Services } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'

const serversPerPoolMax = 25

export interface ResourceServer {
  identifier: string
  name: string
  scopes: ResourceServerScopeType[]
  /** True for a server that the service itself keeps: nobody can change it, and it has no row. */
  managed: boolean
}

/** What create and update set. */
export interface ResourceServerMembers {
  Name: string
  Scopes?: ResourceServerScopeType[] | undefined
}

/** Identifiers that begin like this are the service's own. */
const reservedPrefix = 'aws.cognito'

/** Its scope lets a token register clients. It exists while the pool takes registrations. */
const registrationServer: ResourceServer = {
  identifier: 'aws.cognito/dcr',
  name: 'Dynamic client registration',
  scopes: [{ ScopeName: 'register', ScopeDescription: 'Register app clients' }],
  managed: true,
}

const managedServers = (pool: Pool): ResourceServer[] => {
  const registration = pool.settings.DcrConfiguration
  return registration !== undefined && registration.EnableStatus !== 'Disabled' ? [registrationServer] : []
}

/** @throws ResourceNotFoundException */
export const getResourceServer = async (ctx: ReadContext, pool: Pool, identifier: string): Promise<ResourceServer> => {
  const managed = managedServers(pool).find(server => server.identifier === identifier)
  if (managed !== undefined) return managed
  const row = await ctx.db
    .selectFrom('resource_servers')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('identifier', '=', identifier)
    .executeTakeFirst()
  if (row === undefined) throw resourceServerNotFound(identifier)
  return fromRow(row)
}

/** Up to `limit` servers of the pool in the order of their identifiers, those behind `after`. */
export const listResourceServers = async (
  ctx: ReadContext,
  pool: Pool,
  after: string,
  limit: number,
): Promise<ResourceServer[]> => {
  const rows = await ctx.db
    .selectFrom('resource_servers')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('identifier', '>', after)
    .orderBy('identifier')
    .limit(limit)
    .execute()
  const managed = managedServers(pool).filter(server => server.identifier > after)
  // Identifiers are ASCII, which sorts alike here and in the database.
  return [...rows.map(fromRow), ...managed].sort((a, b) => (a.identifier < b.identifier ? -1 : 1)).slice(0, limit)
}

/** @throws InvalidParameterException, LimitExceededException, ResourceNotFoundException when the pool is gone. */
export const createResourceServer = async (
  ctx: Context,
  pool: Pool,
  identifier: string,
  members: ResourceServerMembers,
): Promise<ResourceServer> => {
  checkNotReserved(identifier)
  const scopes = checkedScopes(members.Scopes)
  const row = await inTransaction(ctx, async tx => {
    await holdPool(tx, pool.region, pool.id)
    const now = tx.clock.now()
    const inserted = await tx.db
      .insertInto('resource_servers')
      .values({
        pool_id: pool.id,
        identifier,
        name: members.Name,
        scopes: JSON.stringify(scopes),
        created_at: now,
        updated_at: now,
      })
      .onConflict(conflict => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (inserted === undefined) throw resourceServerExists(identifier, pool.id)
    const { count } = await tx.db
      .selectFrom('resource_servers')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('pool_id', '=', pool.id)
      .executeTakeFirstOrThrow()
    if (Number(count) > serversPerPoolMax) throw tooManyResourceServers(serversPerPoolMax)
    return inserted
  })
  await ctx.caches.invalidate('customScopes', pool.id)
  return fromRow(row)
}

/**
 * Replaces name and scopes; omitted scopes are none.
 * @throws InvalidParameterException, ResourceNotFoundException
 */
export const updateResourceServer = async (
  ctx: Context,
  pool: Pool,
  identifier: string,
  members: ResourceServerMembers,
): Promise<ResourceServer> => {
  checkNotReserved(identifier)
  const scopes = checkedScopes(members.Scopes)
  const row = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('resource_servers')
      .set({ name: members.Name, scopes: JSON.stringify(scopes), updated_at: tx.clock.now() })
      .where('pool_id', '=', pool.id)
      .where('identifier', '=', identifier)
      .returningAll()
      .executeTakeFirst(),
  )
  if (row === undefined) throw resourceServerNotFound(identifier)
  await ctx.caches.invalidate('customScopes', pool.id)
  return fromRow(row)
}

/** @throws InvalidParameterException, ResourceNotFoundException */
export const deleteResourceServer = async (ctx: Context, pool: Pool, identifier: string): Promise<void> => {
  checkNotReserved(identifier)
  const deleted = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('resource_servers')
      .where('pool_id', '=', pool.id)
      .where('identifier', '=', identifier)
      .returning('identifier')
      .executeTakeFirst(),
  )
  if (deleted === undefined) throw resourceServerNotFound(identifier)
  await ctx.caches.invalidate('customScopes', pool.id)
}

/** The custom scopes that exist in the pool, from the cache: for tokens and sign-in. */
export const customScopes = async (ctx: Services, pool: Pool): Promise<ReadonlySet<string>> => {
  const stored = await ctx.caches.customScopes.get(pool.id, () => readStoredScopes(ctx, pool))
  return withManagedScopes(pool, stored)
}

/** The custom scopes that exist in the pool, as they are in the database now: for changes of the configuration. */
export const readCustomScopes = async (ctx: ReadContext, pool: Pool): Promise<ReadonlySet<string>> =>
  withManagedScopes(pool, await readStoredScopes(ctx, pool))

const readStoredScopes = async (ctx: Pick<ReadContext, 'db'>, pool: Pool): Promise<ReadonlySet<string>> => {
  const rows = await ctx.db.selectFrom('resource_servers').selectAll().where('pool_id', '=', pool.id).execute()
  return new Set(rows.map(fromRow).flatMap(scopeNames))
}

const withManagedScopes = (pool: Pool, stored: ReadonlySet<string>): ReadonlySet<string> => {
  const managed = managedServers(pool)
  return managed.length === 0 ? stored : new Set([...stored, ...managed.flatMap(scopeNames)])
}

const scopeNames = (server: ResourceServer): string[] =>
  server.scopes.map(scope => `${server.identifier}/${scope.ScopeName}`)

const checkNotReserved = (identifier: string): void => {
  if (identifier.startsWith(reservedPrefix)) throw resourceServerReserved(identifier)
}

const checkedScopes = (scopes: readonly ResourceServerScopeType[] = []): ResourceServerScopeType[] => {
  const names = new Set<string>()
  for (const { ScopeName } of scopes) {
    if (names.has(ScopeName)) throw scopeNameRepeated(ScopeName)
    names.add(ScopeName)
  }
  return scopes.map(({ ScopeName, ScopeDescription }) => ({ ScopeName, ScopeDescription }))
}

const fromRow = (row: ResourceServerRow): ResourceServer => ({
  identifier: row.identifier,
  name: row.name,
  scopes: JSON.parse(row.scopes) as ResourceServerScopeType[],
  managed: false,
})

/** ResourceServer → ResourceServerType; without scopes the list is empty. */
export const presentResourceServer = (pool: Pool, server: ResourceServer): ResourceServerType => ({
  UserPoolId: pool.id,
  Identifier: server.identifier,
  Name: server.name,
  Scopes: server.scopes,
  ...(server.managed && { ManagedBy: 'COGNITO' }),
})
