/**
 * Discovery documents and keys. They stand below the issuer, which is where everybody looks, and in the places of RFC 8414;
 * the document is also on the host of a domain, where Cognito has none.
 */
import { discoveryDocument } from '../../features/authorization/discovery.ts'
import { poolOfRequest } from '../../features/authorization/pool-of-request.ts'
import type { Context } from '../../features/context.ts'
import { findPool, type Pool } from '../../features/user-pools/pool.ts'
import { getSigningKeys, presentJwks } from '../../features/user-pools/signing-keys.ts'
import { type ContextOptions, contextOf, poolPath, type RequestContext, type Routes } from '../request-context.ts'

const openToAll = { 'access-control-allow-origin': '*' }
const wellKnown = { ...openToAll, 'cache-control': 'public, max-age=300' }

const paths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']

export const addDiscovery = (routes: Routes, options: ContextOptions): void => {
  const answer = async (
    c: RequestContext,
    find: (ctx: Context) => Promise<Pool | undefined>,
    present: (ctx: Context, pool: Pool) => Promise<object>,
  ): Promise<Response> => {
    const ctx = contextOf(c, options)
    const pool = await find(ctx)
    if (pool === undefined) return c.json({ message: 'User pool not found' }, 404, openToAll)
    return c.json(await present(ctx, pool), 200, wellKnown)
  }
  const byId = (c: RequestContext) => (ctx: Context) => findPool(ctx, c.req.param('poolId') ?? '')
  const byHost = (c: RequestContext) => async (ctx: Context) =>
    (await poolOfRequest(ctx, c.req.header('host'), undefined))?.pool

  routes.get(`${poolPath}/.well-known/jwks.json`, c =>
    answer(c, byId(c), async (ctx, pool) => presentJwks(await getSigningKeys(ctx, pool))),
  )
  for (const path of paths) {
    routes.get(poolPath + path, c => answer(c, byId(c), discoveryDocument))
    // The form of RFC 8414, section 3.1: the path of the issuer comes last.
    routes.get(path + poolPath, c => answer(c, byId(c), discoveryDocument))
    routes.get(path, c => answer(c, byHost(c), discoveryDocument))
  }
}
