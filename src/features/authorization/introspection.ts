/**
 * Token introspection (RFC 7662), an extension: a client with a secret learns what a token of its pool stands for now,
 * revocation and the user's state included. About refresh tokens only the client learns that holds them.
 */

import { invalidClient, invalidRequest } from '../../core/errors/oauth.ts'
import { CognitoError } from '../../core/errors.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { issuerOf } from '../settings.ts'
import { isRefreshTokenInForce, openRefreshTokenOf } from '../tokens/refresh.ts'
import { signedInBy, type VerifiedAccessToken, verifyAccessToken } from '../tokens/signed-in.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserById } from '../users/user.ts'
import { authenticateClient, type FormRequest } from './client-authentication.ts'

/** RFC 7662, section 2.2. Of a token that is not in force nothing else is said. */
export type Introspection = { active: false } | ({ active: true } & Record<string, unknown>)

/** @throws OAuthError `invalid_client` with status 401, `invalid_request` without a token. */
export const introspect = async (ctx: Context, request: FormRequest): Promise<Introspection> => {
  const { pool, client } = await authenticateClient(ctx, request, 401)
  // A client without a secret is anybody.
  if (client.secrets.length === 0) throw invalidClient(undefined, 401)
  const token = request.form.get('token')
  if (token === undefined) throw invalidRequest()
  return (
    (await introspectAccessToken(ctx, pool, token)) ??
    (await introspectRefreshToken(ctx, pool, client, token)) ?? { active: false }
  )
}

const introspectAccessToken = async (ctx: Context, pool: Pool, token: string): Promise<Introspection | undefined> => {
  try {
    const verified = await verifyAccessToken(ctx, token)
    if (verified.pool.id !== pool.id) return undefined
    const username = await usernameOf(ctx, verified)
    const { scope, client_id, sub, aud, iss, exp, iat, jti, auth_time } = verified.claims
    return {
      active: true,
      scope,
      client_id,
      ...(username !== undefined && { username }),
      token_type: 'Bearer',
      exp,
      iat,
      sub,
      ...(aud !== undefined && { aud }),
      iss,
      ...(jti !== undefined && { jti }),
      auth_time,
    }
  } catch (error) {
    if (error instanceof CognitoError) return undefined
    throw error
  }
}

/** Undefined for the token of a client. Throws when the user's session has ended. */
const usernameOf = async (ctx: Context, verified: VerifiedAccessToken): Promise<string | undefined> =>
  verified.claims['sub'] === verified.client.id ? undefined : (await signedInBy(ctx, verified)).user.username

const introspectRefreshToken = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  text: string,
): Promise<Introspection | undefined> => {
  const token = openRefreshTokenOf(ctx, client, text)
  const user = token && (await findUserById(ctx, pool, token.userId))
  if (token === undefined || user === undefined || !(await isRefreshTokenInForce(ctx, client, token, user))) {
    return undefined
  }
  return {
    active: true,
    scope: token.scope,
    client_id: client.id,
    username: user.username,
    exp: Math.floor(token.expiresAt / 1_000),
    sub: user.id,
    iss: issuerOf(ctx.settings, ctx.publicUrl, pool),
    auth_time: token.authTime,
  }
}
