/** The rows of pools: made, changed, counted and removed. Reading one is in `pool.ts`. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { withIdentities } from '../../core/attributes.ts'
import { concurrentModification, tooManyPools, userPoolNotFound } from '../../core/errors.ts'
import { newPoolId } from '../../core/ids.ts'
import type { Tables } from '../../store/tables.ts'
import { type Context, inTransaction, type Services, type TransactionContext } from '../context.ts'
import { type Pool, type PoolSettings, poolFromRow, readPool, regionOfDeleted } from './pool.ts'
import { poolSeenFrom, type Replica, replicaColumns, withChangesFrom } from './replica.ts'
import { insertSigningKeys, makeSigningKeyRows } from './signing-keys.ts'

const poolsPerRegionMax = 1_000

/**
 * Stores a new pool together with its signing keys. Its id is a generated one unless it is given; that must begin with
 * the region.
 * @throws LimitExceededException when the region is full.
 */
export const createPool = async (
  ctx: Context,
  name: string,
  settings: PoolSettings,
  id = newPoolId(ctx.random, ctx.region),
): Promise<Pool> => {
  const now = ctx.clock.now()
  const row = {
    id,
    region: ctx.region,
    name,
    settings: JSON.stringify(settings),
    version: 1,
    created_at: now,
    updated_at: now,
    replica_region: null,
    replica_status: null,
    replica_ready_at: null,
    replica_settings: null,
  }
  const keys = await makeSigningKeyRows(ctx, row.id)
  await inTransaction(ctx, async tx => {
    await lockRegion(tx, ctx.region)
    const { count } = await tx.db
      .selectFrom('pools')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('region', '=', ctx.region)
      .executeTakeFirstOrThrow()
    if (Number(count) >= poolsPerRegionMax) throw tooManyPools()
    await tx.db.insertInto('pools').values(row).execute()
    await insertSigningKeys(tx, keys)
  })
  return poolFromRow(row)
}

/** Until the end of the transaction no other one can make a pool in the region, so that the count holds. */
const lockRegion = async (tx: TransactionContext, region: string): Promise<void> => {
  await tx.db
    .insertInto('settings')
    .values({ key: `pools of ${region}`, value: '' })
    .onConflict(conflict => conflict.column('key').doUpdateSet({ value: '' }))
    .execute()
}

/** The condition that a pool is the region's, or has a replica there that exists by now. */
export const isInRegion =
  (region: string, now: number) =>
  (row: ExpressionBuilder<Tables, 'pools'>): Expression<SqlBool> =>
    row.or([
      row('region', '=', region),
      row.and([
        row('replica_region', '=', region),
        row.or([
          row('replica_status', 'in', ['INACTIVE', 'ACTIVE']),
          row.and([row('replica_status', '=', 'CREATING'), row('replica_ready_at', '<=', now)]),
        ]),
        row('region', '<>', regionOfDeleted),
      ]),
    ])

/** What an operation changes in a pool. */
export type PoolChanges = Partial<Pick<Pool, 'name' | 'settings'>>

/** A condition that holds until the change is committed; it sees the rows of the pool, whose own row is locked. */
export type PoolCheck = (tx: TransactionContext, poolId: string) => Promise<void>

const noCheck: PoolCheck = () => Promise.resolve()

/**
 * Applies the changes to the pool as it is now, unless another request changes it at the same time. Returns the pool
 * with the changes.
 * @throws ResourceNotFoundException, ConcurrentModificationException, and what `change` and `check` throw.
 */
export const changePool = async (
  ctx: Context,
  poolId: string,
  change: (pool: Pool) => PoolChanges,
  check: PoolCheck = noCheck,
): Promise<Pool> => {
  const pool = await readPool(ctx, poolId)
  if (pool === undefined) throw userPoolNotFound(poolId)
  const now = ctx.clock.now()
  const changed: Pool = { ...applyChange(ctx, pool, change, now), version: pool.version + 1, updatedAt: now }
  const written = await inTransaction(ctx, async tx => {
    const row = await tx.db
      .updateTable('pools')
      .set({
        name: changed.name,
        settings: JSON.stringify(changed.settings),
        ...replicaColumns(changed.replica),
        version: changed.version,
        updated_at: changed.updatedAt,
      })
      .where('id', '=', pool.id)
      .where('region', '=', pool.region)
      .where('version', '=', pool.version)
      .returning('id')
      .executeTakeFirst()
    await check(tx, pool.id)
    return row
  })
  await ctx.caches.invalidate('pools', pool.id)
  if (written === undefined) throw concurrentModification()
  return poolSeenFrom(changed, ctx.region, now) ?? changed
}

/**
 * The pool after the change, which sees it as the region of the request does.
 * @throws ResourceNotFoundException, and what `change` throws.
 */
const applyChange = (
  ctx: Pick<Context, 'region'>,
  pool: Pool,
  change: (pool: Pool) => PoolChanges,
  now: number,
): Pool => {
  const found = poolSeenFrom(pool, ctx.region, now)
  if (found === undefined) throw userPoolNotFound(pool.id)
  const seen = { ...found, region: ctx.region }
  return withChangesFrom(pool, ctx.region, seen, { ...seen, ...change(seen) }, now)
}

/**
 * The same for operations that know no ConcurrentModificationException: they wait for one another. `updatedAt` says
 * whether the change moves the pool's date of modification.
 * @throws ResourceNotFoundException, and what `change` and `check` throw.
 */
export const changeLockedPool = async (
  ctx: Context,
  poolId: string,
  change: (pool: Pool) => PoolChanges,
  { touches, check = noCheck }: { touches: boolean; check?: PoolCheck },
): Promise<void> => {
  await inTransaction(ctx, async tx => {
    const changed = applyChange(ctx, await lockPool(tx, poolId), change, tx.clock.now())
    await tx.db
      .updateTable('pools')
      .set({
        name: changed.name,
        settings: JSON.stringify(changed.settings),
        ...replicaColumns(changed.replica),
        ...(touches && { updated_at: tx.clock.now() }),
      })
      .where('id', '=', poolId)
      .execute()
    await check(tx, poolId)
  })
  await ctx.caches.invalidate('pools', poolId)
}

/**
 * Replaces the replica of the pool by what `change` makes of it. Returns the pool with it.
 * @throws ResourceNotFoundException, and what `change` throws.
 */
export const changeReplica = async (
  ctx: Context,
  poolId: string,
  change: (pool: Pool, now: number) => Replica,
): Promise<Pool> => {
  const changed = await inTransaction(ctx, async tx => {
    const pool = await lockPool(tx, poolId)
    const now = tx.clock.now()
    if (poolSeenFrom(pool, ctx.region, now) === undefined) throw userPoolNotFound(poolId)
    const replica = change(pool, now)
    await tx.db.updateTable('pools').set(replicaColumns(replica)).where('id', '=', poolId).execute()
    return { ...pool, replica }
  })
  await ctx.caches.invalidate('pools', poolId)
  return changed
}

/** Raising the version takes the lock of the row on both databases, and fails whoever has read the older version. */
const lockPool = async (tx: TransactionContext, poolId: string): Promise<Pool> => {
  const row = await tx.db
    .updateTable('pools')
    .set(row => ({ version: row('version', '+', 1) }))
    .where('id', '=', poolId)
    .where('region', '<>', regionOfDeleted)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw userPoolNotFound(poolId)
  return poolFromRow(row)
}

/**
 * Locks the pool's row until the end of the transaction without changing the pool, so that what depends on it (its
 * existence, its tier, a count of what it holds) stays true. Returns the pool as it is now.
 * @throws ResourceNotFoundException
 */
export const holdPool = async (tx: TransactionContext, region: string, poolId: string): Promise<Pool> => {
  const row = await tx.db
    .updateTable('pools')
    .set(row => ({ version: row.ref('version') }))
    .where('id', '=', poolId)
    .where('region', '=', region)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw userPoolNotFound(poolId)
  return poolFromRow(row)
}

/** Gives the schema of a pool that this transaction holds the attribute `identities`, unless it has it. */
export const addIdentitiesToSchema = async (tx: TransactionContext, pool: Pool): Promise<void> => {
  const schema = pool.settings.SchemaAttributes ?? []
  const extended = withIdentities(schema)
  if (extended.length === schema.length) return
  await tx.db
    .updateTable('pools')
    .set(row => ({
      settings: JSON.stringify({ ...pool.settings, SchemaAttributes: extended }),
      version: row('version', '+', 1),
    }))
    .where('id', '=', pool.id)
    .execute()
}

/** Rows that one transaction removes at most; a pool with more users than this is emptied bit by bit. */
const removedAtOnceMax = 1_000

/**
 * Deletes the pool with all that it holds. From then on nothing finds it; the rows of a large pool are removed by
 * `removeDeletedPools` later.
 * @throws ResourceNotFoundException, and what `check` throws, which sees the pool and its rows as they are at that
 * moment.
 */
export const deletePool = async (
  ctx: Context,
  poolId: string,
  check: (tx: TransactionContext, pool: Pool) => Promise<void>,
): Promise<void> => {
  const clientIds = await inTransaction(ctx, async tx => {
    const pool = await lockPool(tx, poolId)
    if (pool.region !== ctx.region) throw userPoolNotFound(poolId)
    await check(tx, pool)
    const clients = await tx.db.deleteFrom('clients').where('pool_id', '=', poolId).returning('id').execute()
    await tx.db.deleteFrom('signing_keys').where('pool_id', '=', poolId).execute()
    await tx.db.updateTable('pools').set({ region: regionOfDeleted }).where('id', '=', poolId).execute()
    await removeRows(tx, poolId)
    return clients.map(client => client.id)
  })
  await ctx.caches.invalidate('pools', poolId)
  await ctx.caches.invalidate('signingKeys', poolId)
  await Promise.all(clientIds.map(id => ctx.caches.invalidate('clients', id)))
}

/** Removes some more rows of deleted pools. Returns true when there may be others left. */
export const removeDeletedPools = (ctx: Services): Promise<boolean> =>
  inTransaction(ctx, async tx => {
    const pool = await tx.db
      .selectFrom('pools')
      .select('id')
      .where('region', '=', regionOfDeleted)
      .limit(1)
      .executeTakeFirst()
    if (pool === undefined) return false
    await removeRows(tx, pool.id)
    return true
  })

/** Removes users and messages up to the limit, and the pool itself when no user is left. */
const removeRows = async (tx: TransactionContext, poolId: string): Promise<void> => {
  const removed = await tx.db
    .deleteFrom('users')
    .where('id', 'in', select =>
      select.selectFrom('users').select('id').where('pool_id', '=', poolId).orderBy('id').limit(removedAtOnceMax),
    )
    .returning('id')
    .execute()
  if (removed.length === removedAtOnceMax) return
  await tx.db.deleteFrom('messages').where('pool_id', '=', poolId).execute()
  await tx.db.deleteFrom('pools').where('id', '=', poolId).execute()
}

/** Up to here users are counted at each question. */
const exactCountMax = 10_000

/** Number of users of the pool: exact up to 10,000, above that at most a minute old. */
export const countUsers = async (ctx: Services, pool: Pick<Pool, 'id'>): Promise<number> => {
  const { count } = await ctx.db
    .selectFrom(from =>
      from
        .selectFrom('users')
        .select('id')
        .where('pool_id', '=', pool.id)
        .limit(exactCountMax + 1)
        .as('some'),
    )
    .select(select => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (Number(count) <= exactCountMax) return Number(count)
  return ctx.caches.userCounts.get(pool.id, async () => {
    const all = await ctx.db
      .selectFrom('users')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('pool_id', '=', pool.id)
      .executeTakeFirstOrThrow()
    return Number(all.count)
  })
}
