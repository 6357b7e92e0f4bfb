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
import { accessTokenHash, attributesInScope, wordsOf } from '../../core/oauth.ts'
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
  /** Present when the session began at the authorization endpoint. */
  hosted?: HostedSession
  /** The key of the device that the session belongs to. */
  device?: string
  /** The event that the sign-in has left in the user's history; all tokens of the session name it. */
  eventId?: string
  /**
   * The user's session epoch at the beginning of the sign-in or refresh. What ends the user's sessions meanwhile ends
   * this one with them.
   */
  sessionEpoch: number
}

/** What sets a session apart that began at the authorization endpoint; its refreshes keep it. */
export interface HostedSession {
  /** Whom the access tokens are for (RFC 8707); they name nobody when it is absent. */
  resource?: string
  /** The session of the browser that this one came from. */
  browserSessionId?: string
}

/**
 * The session of a user who has just signed in with these factors. `granted` are the terms of an authorization, or the
 * device of a sign-in in the API.
 */
export const newTokenSession = (
  ctx: Pick<Context, 'clock' | 'random'>,
  client: Client,
  user: Pick<User, 'sessionEpoch'>,
  factors: Factor[],
  granted: Partial<
    Pick<TokenSession, 'originJti' | 'authTime' | 'expiresAt' | 'scope' | 'hosted' | 'device' | 'eventId'>
  > = {},
): TokenSession => {
  const now = ctx.clock.now()
  return {
    originJti: newUuid(ctx.random),
    authTime: Math.floor(now / 1_000),
    expiresAt: now + tokenLifetimes(client.settings).refreshTokenSeconds * 1_000,
    scope: selfServiceScope,
    factors,
    sessionEpoch: user.sessionEpoch,
    ...granted,
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
  /** What the ID token repeats of the authorization request. */
  nonce?: string | undefined
}

/**
 * The tokens, signed. Everything that can change is read now: attributes, groups, settings of the client.
 * @throws TooManyRequestsException when more signatures are waiting than can be made soon, and what the trigger throws.
 */
export const issueTokens = async (
  ctx: Context,
  { pool, client, user, session, refreshGeneration, source = 'Authentication', nonce }: IssueRequest,
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
    eventId: session.eventId ?? newEventId(ctx.random, session.sessionEpoch),
    authTime: session.authTime,
    issuedAt: Math.floor(ctx.clock.now() / 1_000),
    originJti: namesSession(pool, client) ? session.originJti : undefined,
    deviceKey: session.device,
    authentication:
      pool.settings.UserPoolTier === 'LITE'
        ? undefined
        : authenticationClaims(session.factors, pool.settings.AcrConfiguration),
  }
  const { hosted } = session
  const accessToken = signToken(
    ctx,
    keys.access,
    change.access(
      accessClaims(facts, {
        jti: newUuid(ctx.random),
        scope: change.scope(session.scope),
        lifetimeSeconds: lifetimes.accessTokenSeconds,
        hosted,
      }),
      client.id,
    ),
  )
  const idToken = async (): Promise<string> => {
    const claims = idClaims(
      facts,
      { jti: newUuid(ctx.random), lifetimeSeconds: lifetimes.idTokenSeconds },
      user.attributes,
      readableInTokens(pool, client, session),
    )
    const tied = hosted && { at_hash: accessTokenHash(await accessToken), ...(nonce !== undefined && { nonce }) }
    return signToken(ctx, keys.id, { ...tied, ...change.id(claims) })
  }
  const [AccessToken, IdToken] = await Promise.all([accessToken, hasIdToken(session) ? idToken() : undefined])
  return {
    AccessToken,
    ExpiresIn: lifetimes.accessTokenSeconds,
    ...(IdToken !== undefined && { IdToken }),
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
        ...(hosted !== undefined && { hosted }),
        ...(session.device !== undefined && { device: session.device }),
        ...(session.eventId !== undefined && { eventId: session.eventId }),
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

/** OpenID Connect has to be asked for at the authorization endpoint; the API always tells who signed in. */
const hasIdToken = ({ hosted, scope }: TokenSession): boolean =>
  hosted === undefined || wordsOf(scope).includes('openid')

/**
 * Developer-only attributes are no client's to list, but a client without a list shows them in its tokens. What was
 * authorized is told within its scopes.
 */
const readableInTokens = (pool: Pool, client: Client, session: TokenSession): ((attribute: string) => boolean) => {
  const readable = readableAttributes(client.settings, pool.settings.SchemaAttributes ?? [])
  const showsAll = client.settings.ReadAttributes === undefined
  const inScope = session.hosted === undefined ? () => true : attributesInScope(session.scope)
  return attribute =>
    inScope(attribute) && (readable.has(attribute) || (showsAll && attribute.startsWith('dev:custom:')))
}
