/** ID tokens that applications send back to say which user they mean (OpenID Connect Core, section 3.1.2.1). */
import { isSignedWith, parseToken } from '../../core/jwt.ts'
import { type Client, findClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { issuerOf } from '../settings.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'
import { getSigningKeys } from '../user-pools/signing-keys.ts'

export interface IdTokenHint {
  pool: Pool
  client: Client
  /** The id of the user. */
  sub: unknown
}

/** Client and user of an ID token of this server, which may have expired. Undefined for anything else. */
export const readIdTokenHint = async (ctx: Context, token: string): Promise<IdTokenHint | undefined> => {
  const parsed = parseToken(token)
  const aud = parsed?.claims['aud']
  const client = typeof aud === 'string' && /^[\w+]{1,128}$/.test(aud) ? await findClient(ctx, aud) : undefined
  const pool = client && (await findPool(ctx, client.poolId))
  if (parsed === undefined || client === undefined || pool === undefined) return undefined
  const { id } = await getSigningKeys(ctx, pool)
  const { claims } = parsed
  const isOurs =
    parsed.kid === id.kid &&
    isSignedWith(parsed, id.publicKey) &&
    claims['token_use'] === 'id' &&
    claims['iss'] === issuerOf(ctx.settings, ctx.publicUrl, pool)
  return isOurs ? { pool, client, sub: claims['sub'] } : undefined
}
