/**
 * Who speaks: the user behind an access token. Everything that ends a session or a user is looked up each time, so a
 * token is refused from the moment on which its session ends, on every node.
 */

import { isOfEpoch, selfServiceScope } from '../../core/claims.ts'
import {
  accessTokenExpired,
  accessTokenRevoked,
  accessTokenScope,
  accessTokenSignature,
  invalidAccessToken,
  passwordResetRequired,
  userDisabled,
  userNotConfirmed,
  userNotFound,
} from '../../core/errors.ts'
import { type Claims, isSignedWith, parseToken } from '../../core/jwt.ts'
import { type Client, findClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { issuerOf } from '../settings.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'
import { getSigningKeys } from '../user-pools/signing-keys.ts'
import { findUserById, type User } from '../users/user.ts'
import { isRevoked } from './revocation.ts'

/** A verified access token and what it stands for. */
export interface SignedIn {
  user: User
  pool: Pool
  /** The client that the token was issued to. */
  client: Client
  claims: AccessTokenClaims
}

/** Times are seconds since the epoch. */
export interface AccessTokenClaims {
  sub: string
  client_id: string
  event_id: string
  exp: number
  iat: number
  auth_time: number
  scope: string
  /** Absent when the client does not revoke tokens. */
  origin_jti?: string
  /** The device of the session. */
  device_key?: string
}

/**
 * Wraps an operation that names its user by an access token: checks the token and loads user, pool and client.
 * Errors: those of getSignedIn.
 */
export const signedIn =
  <Input extends { AccessToken: string }, Output>(
    operation: (ctx: Context, session: SignedIn, input: Input) => Promise<Output>,
  ): ((ctx: Context, input: Input) => Promise<Output>) =>
  async (ctx, input) => {
    const session = await getSignedIn(ctx, input.AccessToken)
    const caller = { ...ctx.caller, clientId: session.client.id }
    return operation({ ...ctx, region: session.pool.region, caller }, session, input)
  }

/** The clocks of nodes may differ; a token from further in the future was not made by one of them. */
const clockSkewSeconds = 30

/**
 * The user, pool and client of an access token that has the scope. The order of the checks is form, signature, expiry,
 * scope, revocation, user.
 * @throws NotAuthorizedException, UserNotFoundException when the user was deleted, UserNotConfirmedException,
 * PasswordResetRequiredException
 */
export const getSignedIn = async (ctx: Context, token: string, requiredScope = selfServiceScope): Promise<SignedIn> => {
  const parsed = parseToken(token)
  if (parsed === undefined) throw invalidAccessToken()
  // The claim only says whose key to try. Nothing of it is believed before the signature is verified.
  const client = await findClientOf(ctx, parsed.claims)
  const pool = client && (await findPool(ctx, client.poolId))
  if (client === undefined || pool === undefined) throw invalidAccessToken()
  const { access } = await getSigningKeys(ctx, pool)
  if (parsed.kid !== access.kid) throw invalidAccessToken()
  if (!isSignedWith(parsed, access.publicKey)) throw accessTokenSignature()

  const claims = readClaims(parsed.claims)
  const nowSeconds = Math.floor(ctx.clock.now() / 1_000)
  if (claims === undefined || parsed.claims['iss'] !== issuerOf(ctx.settings, ctx.publicUrl, pool)) {
    throw invalidAccessToken()
  }
  if (claims.iat > nowSeconds + clockSkewSeconds) throw invalidAccessToken()
  if (claims.exp <= nowSeconds) throw accessTokenExpired()
  if (!claims.scope.split(' ').includes(requiredScope)) throw accessTokenScope()

  const [revoked, user] = await Promise.all([
    claims.origin_jti !== undefined && isRevoked(ctx, claims.origin_jti),
    findUserById(ctx, pool, claims.sub),
  ])
  if (revoked) throw accessTokenRevoked()
  if (user === undefined) throw userNotFound()
  if (!isOfEpoch(claims.event_id, user.sessionEpoch)) throw accessTokenRevoked()
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
  if (user.status === 'RESET_REQUIRED') throw passwordResetRequired()
  return { user, pool, client, claims }
}

const findClientOf = async (ctx: Context, { client_id: clientId }: Claims): Promise<Client | undefined> =>
  typeof clientId === 'string' && clientId.length <= 128 && /^[\w+]+$/.test(clientId)
    ? findClient(ctx, clientId)
    : undefined

/** The claims of an access token; undefined for every other kind of token. */
const readClaims = (claims: Claims): AccessTokenClaims | undefined => {
  const { token_use, sub, client_id, event_id, exp, iat, auth_time, scope, origin_jti, device_key } = claims
  const isAccessToken =
    token_use === 'access' &&
    typeof sub === 'string' &&
    typeof client_id === 'string' &&
    typeof event_id === 'string' &&
    Number.isSafeInteger(exp) &&
    Number.isSafeInteger(iat) &&
    Number.isSafeInteger(auth_time) &&
    typeof scope === 'string' &&
    (origin_jti === undefined || typeof origin_jti === 'string') &&
    (device_key === undefined || typeof device_key === 'string')
  return isAccessToken ? (claims as unknown as AccessTokenClaims) : undefined
}
