/**
 * The replica of a pool: the same pool in a second region, with a few settings of its own. Both regions share one
 * database here, so nothing is copied; what a replica adds is that its region answers for the pool, within the rules of
 * a secondary.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ReplicaStatusType } from '../../contract/types.ts'
import { featuresUnavailableInTier, globalSettingInReplica, replicaNeeds } from '../../core/errors.ts'
import type { PoolRow } from '../../store/tables.ts'
import type { Pool, PoolSettings } from './pool.ts'
import { hasTier } from './tiers.ts'

/** The settings that each region has for itself. */
const regionalNames = [
  'EmailConfiguration',
  'SmsConfiguration',
  'LambdaConfig',
  'UserPoolTags',
  'LogConfigurations',
] as const satisfies readonly (keyof PoolSettings)[]

type RegionalSettings = Pick<PoolSettings, (typeof regionalNames)[number]>

export interface Replica {
  region: string
  /** As of the last change; `replicaStatus` says what has become of it. */
  status: ReplicaStatusType
  /** When a replica that is being created or deleted is done with it, in milliseconds since the epoch. */
  readyAt: number
  settings: RegionalSettings
}

/** How long a replica takes to be created and to be deleted. The service takes minutes, which help nobody here. */
const transitionMs = 10_000

export const replicaFromRow = (row: PoolRow): Replica | undefined =>
  row.replica_region === null
    ? undefined
    : {
        region: row.replica_region,
        status: row.replica_status as ReplicaStatusType,
        readyAt: row.replica_ready_at ?? 0,
        settings: JSON.parse(row.replica_settings ?? '{}') as RegionalSettings,
      }

export const replicaColumns = (replica: Replica | undefined) => ({
  replica_region: replica?.region ?? null,
  replica_status: replica?.status ?? null,
  replica_ready_at: replica?.readyAt ?? null,
  replica_settings: replica === undefined ? null : JSON.stringify(replica.settings),
})

/** A replica that is about to be created, with the settings of the pool and tags of its own. */
export const newReplica = (pool: Pool, region: string, tags: Record<string, string>, now: number): Replica => ({
  region,
  status: 'CREATING',
  readyAt: now + transitionMs,
  settings: { ...regionalOf(pool.settings), UserPoolTags: tags },
})

export const deletingReplica = (replica: Replica, now: number): Replica => ({
  ...replica,
  status: 'DELETING',
  readyAt: now + transitionMs,
})

/** The status at this time. A new replica becomes INACTIVE by itself; one that is deleted is gone after a while. */
export const replicaStatus = (replica: Replica | undefined, now: number): ReplicaStatusType | undefined => {
  if (replica === undefined || now < replica.readyAt) return replica?.status
  if (replica.status === 'CREATING') return 'INACTIVE'
  return replica.status === 'DELETING' ? undefined : replica.status
}

/** The pool as this region sees it, with the region's own settings; undefined in a region that has no part in it. */
export const poolSeenFrom = (pool: Pool, region: string, now: number): Pool | undefined => {
  if (pool.region === region) return pool
  const { replica } = pool
  if (replica?.region !== region) return undefined
  const status = replicaStatus(replica, now)
  if (status !== 'INACTIVE' && status !== 'ACTIVE') return undefined
  return { ...pool, settings: { ...pool.settings, ...replica.settings } }
}

/**
 * The pool with what a request to this region has changed in the pool as the region sees it. In the replica's region
 * only the regional settings change, and all others must be what they are.
 * @throws InvalidParameterException, FeatureUnavailableInTierException
 */
export const withChangesFrom = (pool: Pool, region: string, seen: Pool, changed: Pool, now: number): Pool => {
  const { replica } = pool
  if (pool.region === region || replica === undefined) {
    if (replicaStatus(replica, now) !== undefined) checkReplicable(changed.settings)
    return { ...changed, region: pool.region }
  }
  const same = seen.name === changed.name && isDeepStrictEqual(globalOf(seen.settings), globalOf(changed.settings))
  if (!same) throw globalSettingInReplica()
  return { ...pool, replica: { ...replica, settings: regionalOf(changed.settings) } }
}

const regionalOf = (settings: PoolSettings): RegionalSettings =>
  Object.fromEntries(regionalNames.map(name => [name, settings[name]]))

/** Through JSON, as it would be stored: members without a value do not count. */
const globalOf = (settings: PoolSettings): unknown =>
  JSON.parse(JSON.stringify({ ...settings, ...Object.fromEntries(regionalNames.map(name => [name, undefined])) }))

/**
 * A pool with a replica needs a tier above Lite, a key that is in several regions and the issuer that several regions
 * share.
 * @throws FeatureUnavailableInTierException, InvalidParameterException
 */
export const checkReplicable = (settings: PoolSettings): void => {
  if (!hasTier(settings, 'ESSENTIALS')) throw featuresUnavailableInTier('LITE', ['Multi-Region replication'])
  const { KeyConfiguration: key, IssuerConfiguration: issuer } = settings
  const isMultiRegion = key?.KeyType === 'CUSTOMER_MANAGED_KEY' && /:key\/mrk-/.test(key.KmsKeyArn ?? '')
  if (!isMultiRegion) throw replicaNeeds('key')
  if (issuer?.Type !== 'UPDATED') throw replicaNeeds('issuer')
}
