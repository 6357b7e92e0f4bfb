/** What is done to replicas: made, listed, activated, deactivated and deleted. */
import type { UserPoolReplicaType } from '../../contract/types.ts'
import {
  invalidPoolTags,
  invalidReplicaRegion,
  replicaNotFound,
  replicaNotInState,
  replicaOperationInPrimaryOnly,
  tooManyReplicas,
} from '../../core/errors.ts'
import { riskConfigurationKey } from '../caches.ts'
import { type Context, inTransaction } from '../context.ts'
import { poolArn } from '../settings.ts'
import type { Pool } from './pool.ts'
import { changeReplica } from './pool-store.ts'
import { checkReplicable, deletingReplica, newReplica, type Replica, replicaStatus } from './replica.ts'
import { checkTags } from './tags.ts'

const regionPattern = /^[a-z]{2,5}(?:-[a-z0-9]{1,12}){1,4}$/

/**
 * Begins to create the replica of the pool in another region.
 * @throws FeatureUnavailableInTierException, InvalidParameterException for a pool that cannot be replicated or not
 * there, LimitExceededException when the pool has a replica, UserPoolTaggingException, OperationNotEnabledException
 * outside of the primary region
 */
export const createReplica = async (
  ctx: Context,
  poolId: string,
  region: string,
  tags: Record<string, string>,
): Promise<UserPoolReplicaType> => {
  const pool = await changeReplica(ctx, poolId, (found, now) => {
    assertPrimary(ctx, found)
    checkReplicable(found.settings)
    if (region === found.region || !regionPattern.test(region)) throw invalidReplicaRegion(region)
    checkTags(tags, invalidPoolTags)
    if (replicaStatus(found.replica, now) !== undefined) throw tooManyReplicas()
    return newReplica(found, region, tags, now)
  })
  return present(ctx, pool, region)
}

/**
 * Lets the replica serve end users, or stops it. Either region may ask for it.
 * @throws ResourceNotFoundException, InvalidParameterException while it is created or deleted
 */
export const setReplicaStatus = async (
  ctx: Context,
  poolId: string,
  region: string,
  status: 'ACTIVE' | 'INACTIVE',
): Promise<UserPoolReplicaType> => {
  const pool = await changeReplica(ctx, poolId, (found, now) => {
    const replica = getReplica(found, region, now)
    const before = replicaStatus(replica, now)
    if (before !== 'ACTIVE' && before !== 'INACTIVE') throw replicaNotInState('ACTIVE or INACTIVE')
    return { ...replica, status, readyAt: now }
  })
  return present(ctx, pool, region)
}

/**
 * Begins to delete the replica. Its region no longer answers for the pool from now on.
 * @throws ResourceNotFoundException, InvalidParameterException unless it is INACTIVE, OperationNotEnabledException
 * outside of the primary region
 */
export const deleteReplica = async (ctx: Context, poolId: string, region: string): Promise<UserPoolReplicaType> => {
  const pool = await changeReplica(ctx, poolId, (found, now) => {
    assertPrimary(ctx, found)
    const replica = getReplica(found, region, now)
    if (replicaStatus(replica, now) !== 'INACTIVE') throw replicaNotInState('INACTIVE')
    return deletingReplica(replica, now)
  })
  const removed = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('risk_configurations')
      .where('pool_id', '=', poolId)
      .where('region', '=', region)
      .returning('owner_id')
      .execute(),
  )
  const keys = removed.map(row => riskConfigurationKey(row.owner_id, region))
  await Promise.all(keys.map(key => ctx.caches.invalidate('riskConfigurations', key)))
  return present(ctx, pool, region)
}

/** The primary first, then the replica if there is one. */
export const presentReplicas = (ctx: Context, pool: Pool): UserPoolReplicaType[] => [
  present(ctx, pool, pool.region),
  ...(replicaStatus(pool.replica, ctx.clock.now()) === undefined
    ? []
    : [present(ctx, pool, pool.replica?.region ?? '')]),
]

const assertPrimary = (ctx: Context, pool: Pool): void => {
  if (pool.region !== ctx.region) throw replicaOperationInPrimaryOnly()
}

const getReplica = (pool: Pool, region: string, now: number): Replica => {
  const { replica } = pool
  if (replica?.region !== region || replicaStatus(replica, now) === undefined) throw replicaNotFound(region)
  return replica
}

const present = (ctx: Context, pool: Pool, region: string): UserPoolReplicaType => ({
  RegionName: region,
  Status: region === pool.region ? 'ACTIVE' : replicaStatus(pool.replica, ctx.clock.now()),
  Role: region === pool.region ? 'PRIMARY' : 'SECONDARY',
  UserPoolArn: poolArn(ctx.settings, { id: pool.id, region }),
})
