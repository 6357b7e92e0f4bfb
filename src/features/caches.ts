/**
 * The caches of the features. Rows that change seldom and are read by every request: pools, app clients, signing keys.
 * A change deletes the entry here and tells the other nodes; a short age limit covers a lost message.
 */
import type { Clock } from '../core/ports.ts'
import { type Cache, createCache } from '../store/cache.ts'
import type { Database } from '../store/database.ts'
import { createLru, type Lru } from '../store/lru.ts'
import type { RiskConfigurationRow } from '../store/tables.ts'
import type { Client } from './app-clients/client.ts'
import type { KnownKeys } from './federation/relying-party/keys.ts'
import type { Domain } from './managed-login/domains.ts'
import type { Pool } from './user-pools/pool.ts'
import type { SigningKeys } from './user-pools/signing-keys.ts'

export interface Caches {
  pools: Cache<Pool | undefined>
  clients: Cache<Client | undefined>
  signingKeys: Cache<SigningKeys>
  /** Domains by name; null for a name that is no domain. */
  domains: Cache<Domain | null>
  /** The scopes of all resource servers of a pool, by the pool's id. */
  customScopes: Cache<ReadonlySet<string>>
  /** Numbers of users of large pools, each at most a minute old. Nothing invalidates them. */
  userCounts: Cache<number>
  /** The provisioned limits of a region, by category. */
  provisionedLimits: Cache<ReadonlyMap<string, number>>
  /** Risk configurations by pool or client and region; null for one that was never set. */
  riskConfigurations: Cache<RiskConfigurationRow | null>
  /** The public keys of identity providers, by pool, provider and its version; only of this node. */
  providerKeys: Lru<KnownKeys>
  /** When the buckets of pools and of users are full again; only of this node. */
  poolRates: Lru<number>
  userRates: Lru<number>
  /** Forgets an entry on this node and on all others. Call it after the commit. */
  invalidate(name: CacheName, key: string): Promise<void>
  /** Forgets everything on this node. */
  clear(): void
}

/** The caches whose entries a change makes wrong. */
const invalidated = [
  'pools',
  'clients',
  'signingKeys',
  'domains',
  'customScopes',
  'provisionedLimits',
  'riskConfigurations',
] as const
type CacheName = (typeof invalidated)[number]

/** The key of a risk configuration; the owner is a pool or a client. */
export const riskConfigurationKey = (ownerId: string, region: string): string => `${ownerId}/${region}`

const channel = 'cenote_cache'
/** A bucket is a number and a short key. */
const rateBucketsMax = 20_000
/** With several nodes a lost notification is healed after this time. */
const maxAgeMs = { sqlite: 60_000, postgres: 1_000 }

/** Creates the caches and listens for the invalidations of other nodes. */
export const createCaches = async (database: Database, clock: Clock): Promise<Caches> => {
  const options = { maxEntries: 1_000, maxAgeMs: maxAgeMs[database.kind], clock }
  const caches = {
    pools: createCache<Pool | undefined>(options),
    clients: createCache<Client | undefined>(options),
    signingKeys: createCache<SigningKeys>(options),
    domains: createCache<Domain | null>(options),
    customScopes: createCache<ReadonlySet<string>>(options),
    provisionedLimits: createCache<ReadonlyMap<string, number>>(options),
    riskConfigurations: createCache<RiskConfigurationRow | null>(options),
    providerKeys: createLru<KnownKeys>(options.maxEntries),
    poolRates: createLru<number>(rateBucketsMax),
    userRates: createLru<number>(rateBucketsMax),
    userCounts: createCache<number>({ ...options, maxAgeMs: 60_000 }),
  }
  const clear = () => {
    for (const cache of Object.values(caches)) cache.clear()
  }
  const receive = (payload: string) => {
    const [name, key] = payload.split(' ', 2)
    if (key !== undefined && isCacheName(name)) caches[name].delete(key)
  }
  await database.listen(channel, receive, clear)
  return {
    ...caches,
    invalidate: async (name, key) => {
      caches[name].delete(key)
      await database.notify(channel, `${name} ${key}`)
    },
    clear,
  }
}

const isCacheName = (name: string | undefined): name is CacheName => invalidated.some(known => known === name)
