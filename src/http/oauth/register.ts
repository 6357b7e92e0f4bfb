/** `POST /oauth2/register` (RFC 7591), on the host of a domain or, on any host, below the id of the pool. */
import { invalidClientMetadata, invalidRegistrationToken, registrationNotOffered } from '../../core/errors/oauth.ts'
import { poolOfRequest } from '../../features/authorization/pool-of-request.ts'
import { registerClient } from '../../features/authorization/registration.ts'
import type { Context } from '../../features/context.ts'
import { countAtDomain } from '../../features/limits.ts'
import { findPool } from '../../features/user-pools/pool.ts'
import { readText } from '../form.ts'
import { poolPath, type RequestContext } from '../request-context.ts'
import type { Endpoint } from './endpoint.ts'

const answer = async (ctx: Context, c: RequestContext): Promise<Response> => {
  const poolId = c.req.param('poolId')
  const at = poolId === undefined ? await poolOfRequest(ctx, c.req.header('host'), undefined) : undefined
  const pool = poolId === undefined ? at?.pool : await findPool(ctx, poolId)
  if (pool === undefined) throw registrationNotOffered()
  countAtDomain(ctx, { pool })
  const metadata = await readMetadata(c)
  return c.json(await registerClient(ctx, pool, { token: tokenOf(c), metadata }), 201)
}

const tokenOf = (c: RequestContext): string | undefined => {
  const authorization = c.req.header('authorization')
  if (authorization === undefined) return undefined
  const [, token] = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization) ?? []
  if (token === undefined) throw invalidRegistrationToken()
  return token
}

const readMetadata = async (c: RequestContext): Promise<unknown> => {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  const text = type === 'application/json' ? await readText(c) : undefined
  try {
    return JSON.parse(text ?? '')
  } catch {
    throw invalidClientMetadata('The body must be JSON of modest size.')
  }
}

export const registrationEndpoints: readonly Endpoint[] = ['/oauth2/register', `${poolPath}/oauth2/register`].map(
  path => ({ path, methods: ['POST'], cors: true, answer }),
)
