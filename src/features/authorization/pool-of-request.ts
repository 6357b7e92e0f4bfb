/**
 * Which pool a request at the authorization server is for, and under which URL the pool is reached there.
 *
 * A host that is the domain of a pool speaks for that pool alone. Every other host, such as the server's own, speaks for
 * all pools, and the request tells by its client which one it means. Whatever the Host header says, links are made from
 * what is configured.
 */
import { domainUrl } from '../../core/domain-names.ts'
import { type Client, findClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { type Domain, findPoolByDomain, mainDomain } from '../managed-login/domains.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'
import { hasTier } from '../user-pools/tiers.ts'

export interface PoolOfRequest {
  pool: Pool
  /** The client that the request names; undefined when it names none that belongs to the pool. */
  client: Client | undefined
  /** The domain whose host was asked; undefined on a host that all pools share. */
  domain: Domain | undefined
  /** 1 for the classic pages, 2 for managed login. */
  managedLoginVersion: number
  /** Where the endpoints and pages of the pool stand, without a final slash. */
  baseUrl: string
}

/**
 * The pool of the request with the client, when it names one; undefined when neither host nor client lead to a pool. `host`
 * is the Host header, `clientId` whatever the request says of its client.
 */
export const poolOfRequest = async (
  ctx: Context,
  host: string | undefined,
  clientId: string | undefined,
): Promise<PoolOfRequest | undefined> => {
  const named = clientId === undefined ? undefined : await findNamedClient(ctx, clientId)
  const byDomain = host === undefined ? undefined : await findPoolByDomain(ctx, host)
  if (byDomain !== undefined) {
    const { pool, domain, managedLoginVersion } = byDomain
    const client = named?.poolId === pool.id ? named : undefined
    return { pool, client, domain, managedLoginVersion, baseUrl: domainUrl(ctx.publicUrl, domain) }
  }
  const pool = named && (await findPool(ctx, named.poolId))
  if (pool === undefined) return undefined
  return {
    pool,
    client: named,
    domain: undefined,
    managedLoginVersion: await versionWithoutDomain(ctx, pool),
    baseUrl: ctx.publicUrl,
  }
}

/** Whether the host may speak for the pool: as its domain, or as a host that all pools share. */
export const isForHost = async (ctx: Context, host: string | undefined, pool: Pool): Promise<boolean> => {
  const byDomain = host === undefined ? undefined : await findPoolByDomain(ctx, host)
  return byDomain === undefined || byDomain.pool.id === pool.id
}

/** The client with this id, which may be any text. */
const findNamedClient = async (ctx: Context, clientId: string): Promise<Client | undefined> =>
  clientId.length <= 128 && /^[\w+]+$/.test(clientId) ? findClient(ctx, clientId) : undefined

/** On a shared host a pool shows the pages of its domain, and without one the newest that its tier has. */
const versionWithoutDomain = async (ctx: Context, pool: Pool): Promise<number> => {
  if (!hasTier(pool.settings, 'ESSENTIALS')) return 1
  return (await mainDomain(ctx, pool))?.settings.ManagedLoginVersion ?? 2
}
