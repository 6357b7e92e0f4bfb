/**
 * Issuing tokens: an ID token, an access token and, for a new session or a rotation, a refresh token. Nothing is written;
 * a token is what it says and what is looked up when it comes back.
 */
import type { AuthenticationResultType } from '../../contract/types.ts'
import { readableAttributes } from '../../core/attributes.ts'
import {
  accessClaims,
  authenticationClaims,
  type Factor,
  type GroupInToken,
  idClaims,
  newEventId,
  selfServiceScope,
  type TokenFacts,
} from '../../core/claims.ts'
import { newUuid } from '../../core/ids.ts'
import { type Claims, signingInput } from '../../core/jwt.ts'
import { tokenLifetimes } from '../../core/token-validity.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { groupsOf } from '../groups/membership.ts'
import { issuerOf } from '../settings.ts'
import { runPreTokenGeneration, type TokenSource } from '../triggers/pre-token-generation.ts'
import type { Pool } from '../user-pools/pool.ts'
import { tracksSessions } from '../user-pools/session-configuration.ts'
import { getSigningKeys, type SigningKey } from '../user-pools/signing-keys.ts'
import type { User } from '../users/user.ts'
import { sealRefreshToken } from './refresh-token.ts'

/** What one sign-in began and its refreshes continue. */
export interface TokenSession {
  originJti: string
  /** Seconds since the epoch. */
  authTime: number
  /** End of the refresh token, in milliseconds since the epoch. */
  expiresAt: number
  scope: string
  factors: Factor[]
  /**
   * The user's session epoch at the beginning of the sign-in or refresh. What ends the user's sessions meanwhile ends
   * this one with them.
   */
  sessionEpoch: number
}

/** The session of a user who has just signed in with these factors. */
export const newTokenSession = (
  ctx: Pick<Context, 'clock' | 'random'>,
  client: Client,
  user: Pick<User, 'sessionEpoch'>,
  factors: Factor[],
): TokenSession => {
  const now = ctx.clock.now()
  return {
    originJti: newUuid(ctx.random),
    authTime: Math.floor(now / 1_000),
    expiresAt: now + tokenLifetimes(client.settings).refreshTokenSeconds * 1_000,
    scope: selfServiceScope,
    factors,
    sessionEpoch: user.sessionEpoch,
  }
}

export interface IssueRequest {
  pool: Pool
  client: Client
  user: User
  session: TokenSession
  /** Generation of the refresh token to issue; undefined to issue none. */
  refreshGeneration: number | undefined
  /** What pre token generation is told of the occasion; `Authentication` when absent. */
  source?: TokenSource
}

/**
 * The tokens, signed. Everything that can change is read now: attributes, groups, settings of the client.
 * @throws TooManyRequestsException when more signatures are waiting than can be made soon, and what the trigger throws.
 */
export const issueTokens = async (
  ctx: Context,
  { pool, client, user, session, refreshGeneration, source = 'Authentication' }: IssueRequest,
): Promise<AuthenticationResultType> => {
  const [keys, rows] = await Promise.all([getSigningKeys(ctx, pool), groupsOf(ctx, user)])
  const groups: GroupInToken[] = rows.map(group => ({
    name: group.name,
    roleArn: group.role_arn ?? undefined,
    precedence: group.precedence ?? undefined,
  }))
  const change = await runPreTokenGeneration(ctx, pool, source, { user, groups, scope: session.scope })
  const lifetimes = tokenLifetimes(client.settings)
  const facts: TokenFacts = {
    issuer: issuerOf(ctx.settings, ctx.publicUrl, pool),
    clientId: client.id,
    sub: user.id,
    username: user.username,
    groups: change.groups(groups),
    eventId: newEventId(ctx.random, session.sessionEpoch),
    authTime: session.authTime,
    issuedAt: Math.floor(ctx.clock.now() / 1_000),
    originJti: namesSession(pool, client) ? session.originJti : undefined,
    authentication:
      pool.settings.UserPoolTier === 'LITE'
        ? undefined
        : authenticationClaims(session.factors, pool.settings.AcrConfiguration),
  }
  const [AccessToken, IdToken] = await Promise.all([
    signToken(
      ctx,
      keys.access,
      change.access(
        accessClaims(facts, {
          jti: newUuid(ctx.random),
          scope: change.scope(session.scope),
          lifetimeSeconds: lifetimes.accessTokenSeconds,
        }),
        client.id,
      ),
    ),
    signToken(
      ctx,
      keys.id,
      change.id(
        idClaims(
          facts,
          { jti: newUuid(ctx.random), lifetimeSeconds: lifetimes.idTokenSeconds },
          user.attributes,
          readableInTokens(pool, client),
        ),
      ),
    ),
  ])
  return {
    AccessToken,
    ExpiresIn: lifetimes.accessTokenSeconds,
    IdToken,
    ...(refreshGeneration !== undefined && {
      RefreshToken: sealRefreshToken(ctx, {
        poolId: pool.id,
        clientId: client.id,
        userId: user.id,
        originJti: session.originJti,
        sessionEpoch: session.sessionEpoch,
        authTime: session.authTime,
        expiresAt: session.expiresAt,
        generation: refreshGeneration,
        scope: session.scope,
        factors: session.factors,
      }),
    }),
    TokenType: 'Bearer',
  }
}

/** Whether the client rotates refresh tokens. */
export const rotatesRefreshTokens = (client: Client): boolean =>
  client.settings.RefreshTokenRotation?.Feature === 'ENABLED'

/**
 * Whether tokens name their session. Rotation and the tracking of sessions depend on it, so they do so whatever the
 * client says of revocation.
 */
const namesSession = (pool: Pool, client: Client): boolean =>
  client.settings.EnableTokenRevocation !== false || rotatesRefreshTokens(client) || tracksSessions(pool)

/** The claims as a signed token (RFC 7515, compact form). */
export const signToken = async (ctx: Context, key: SigningKey, claims: Claims): Promise<string> => {
  const text = signingInput(key.kid, claims)
  return `${text}.${await ctx.compute.signRs256(key.privateKey, text)}`
}

/** Developer-only attributes are no client's to list, but a client without a list shows them in its tokens. */
const readableInTokens = (pool: Pool, client: Client): ((attribute: string) => boolean) => {
  const readable = readableAttributes(client.settings, pool.settings.SchemaAttributes ?? [])
  const showsAll = client.settings.ReadAttributes === undefined
  return attribute => readable.has(attribute) || (showsAll && attribute.startsWith('dev:custom:'))
}
