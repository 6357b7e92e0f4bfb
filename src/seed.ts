/**
 * The seed file: pools, clients, groups and users that a team keeps with its code and that exist before the first
 * request. It goes through the functions below the operations, so that it can do nothing that the API could not, but for
 * the choice of ids. The rules for what exists already are in `docs/seed.md`.
 */
import { newUuid } from './core/ids.ts'
import type { Context, Services } from './features/context.ts'
import { readSeed, SeedError, type SeedPool } from './seed/document.ts'
import { applyClient, applyDomain, applyGroup, applyPool, applyProvider, applyResourceServer } from './seed/pools.ts'
import { applyUser } from './seed/users.ts'

/** A file that has been read and checked. */
export interface Seed {
  /**
   * Makes what the file describes. A second time it changes nothing, unless the file or what it describes has changed.
   * @throws Error with a reason of one line: the file, the place in it, the reason. What stands before that place is
   * made by then.
   */
  apply(services: Services, publicUrl: string): Promise<void>
}

/**
 * Reads and checks the whole file; nothing is written.
 * @throws Error with a reason of one line: the file, the place in it, the reason.
 */
export const loadSeed = async (file: string): Promise<Seed> => {
  const pools = await inFile(file, readSeed(file))
  return {
    apply: (services, publicUrl) => {
      const ctx: Context = {
        ...services,
        requestId: newUuid(services.random),
        region: services.settings.region,
        publicUrl,
        sourceIp: undefined,
        userAgent: undefined,
      }
      return inFile(
        file,
        alone(ctx, stillHere => applyPools(ctx, pools, stillHere)),
      )
    },
  }
}

const inFile = <T>(file: string, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof SeedError ? new Error(`${file}: ${error.message.replace(/\s+/g, ' ').trim()}`) : error
  })

/**
 * Nodes that start together take turns, so that each thing is made once. An embedded database has one node only, and
 * would wait for itself.
 */
const alone = (ctx: Context, work: (stillHere: () => Promise<unknown>) => Promise<void>): Promise<void> =>
  ctx.database.kind === 'sqlite'
    ? work(() => Promise.resolve())
    : ctx.database.exclusive(run => work(() => run('select 1')))

const applyPools = async (ctx: Context, pools: SeedPool[], stillHere: () => Promise<unknown>): Promise<void> => {
  const claimed = new Set(pools.flatMap(({ id }) => id ?? []))
  for (const entry of pools) {
    const region = entry.id?.slice(0, entry.id.indexOf('_')) ?? ctx.region
    await applyAll({ ...ctx, region }, entry, claimed, stillHere)
  }
}

/** In the order in which one needs the other: clients name scopes and providers, users name groups. */
const applyAll = async (
  ctx: Context,
  entry: SeedPool,
  claimed: ReadonlySet<string>,
  stillHere: () => Promise<unknown>,
): Promise<void> => {
  const pool = await applyPool(ctx, entry, claimed)
  for (const server of entry.resourceServers) await applyResourceServer(ctx, pool, server)
  for (const provider of entry.identityProviders) await applyProvider(ctx, pool, provider)
  const clientIds = new Set(entry.clients.flatMap(({ id }) => id ?? []))
  for (const client of entry.clients) await applyClient(ctx, pool, client, clientIds)
  for (const domain of entry.domains) await applyDomain(ctx, pool, domain)
  for (const group of entry.groups) await applyGroup(ctx, pool, group)
  for (const user of entry.users) {
    await applyUser(ctx, pool, user)
    // The lock goes with a connection that is idle for a minute.
    await stillHere()
  }
}
