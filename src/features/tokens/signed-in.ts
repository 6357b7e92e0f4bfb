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

/** An access token that is what it says: signed by its pool, in force, and not looked up any further. */
export interface VerifiedAccessToken {
  pool: Pool
  client: Client
  claims: Claims
}

/**
 * Verifies form, signature, issuer and expiry of an access token, of a user's or a client's own.
 * @throws NotAuthorizedException
 */
export const verifyAccessToken = async (ctx: Context, token: string): Promise<VerifiedAccessToken> => {
  const parsed = parseToken(token)
  if (parsed === undefined) throw invalidAccessToken()
  // The claim only says whose key to try. Nothing of it is believed before the signature is verified.
  const client = await findClientOf(ctx, parsed.claims)
  const pool = client && (await findPool(ctx, client.poolId))
  if (client === undefined || pool === undefined) throw invalidAccessToken()
  const { access } = await getSigningKeys(ctx, pool)
  if (parsed.kid !== access.kid) throw invalidAccessToken()
  if (!isSignedWith(parsed, access.publicKey)) throw accessTokenSignature()

  const { claims } = parsed
  const { iat, exp } = claims
  const nowSeconds = Math.floor(ctx.clock.now() / 1_000)
  if (claims['token_use'] !== 'access' || claims['iss'] !== issuerOf(ctx.settings, ctx.publicUrl, pool)) {
    throw invalidAccessToken()
  }
  if (!isTime(iat) || !isTime(exp) || iat > nowSeconds + clockSkewSeconds) throw invalidAccessToken()
  if (exp <= nowSeconds) throw accessTokenExpired()
  return { pool, client, claims }
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value)

/** Whether the scope is among those of the token. */
export const hasScope = ({ scope }: Claims, name: string): boolean =>
  typeof scope === 'string' && scope.split(' ').includes(name)

/**
 * The user, pool and client of an access token that has the scope. The order of the checks is form, signature, expiry,
 * scope, revocation, user.
 * @throws NotAuthorizedException, UserNotFoundException when the user was deleted, UserNotConfirmedException,
 * PasswordResetRequiredException
 */
export const getSignedIn = async (ctx: Context, token: string, requiredScope = selfServiceScope): Promise<SignedIn> =>
  signedInBy(ctx, await verifyAccessToken(ctx, token), requiredScope)

/** As getSignedIn, for a token that is verified already; without a scope any will do. */
export const signedInBy = async (
  ctx: Context,
  { pool, client, claims: verified }: VerifiedAccessToken,
  requiredScope?: string,
): Promise<SignedIn> => {
  const claims = readClaims(verified)
  if (claims === undefined) throw invalidAccessToken()
  if (requiredScope !== undefined && !hasScope(verified, requiredScope)) throw accessTokenScope()

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

/** The claims of a user's access token; undefined for a client's own. */
const readClaims = (claims: Claims): AccessTokenClaims | undefined => {
  const { sub, event_id, auth_time, scope, origin_jti, device_key } = claims
  const isOfUser =
    typeof sub === 'string' &&
    typeof event_id === 'string' &&
    isTime(auth_time) &&
    typeof scope === 'string' &&
    (origin_jti === undefined || typeof origin_jti === 'string') &&
    (device_key === undefined || typeof device_key === 'string')
  return isOfUser ? (claims as unknown as AccessTokenClaims) : undefined
}
