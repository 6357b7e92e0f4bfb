import { clientNotAuthorized, invalidRefreshTokenDotted, secretHashMismatch, userNotFound } from '../../core/errors.ts'
import { findClient, getClientAndPool } from '../app-clients/client.ts'
import type { Operations } from '../context.ts'
import { inPool } from '../user-pools/pool.ts'
import { findUserById, getUserByName } from '../users/user.ts'
import { provesClient } from './client-proof.ts'
import { issueClientToken } from './client-token.ts'
import { findRefreshToken, refreshTokens } from './refresh.ts'
import { listSessions, revokeUserSession } from './sessions.ts'
import { revokeToken, signOutEverywhere } from './sign-out.ts'
import { signedIn } from './signed-in.ts'

const given = (secret: string | undefined): string[] => (secret === undefined ? [] : [secret])

export const tokenOperations = {
  GetTokensFromRefreshToken: async (ctx, input) => {
    const { client, pool } = await getClientAndPool(ctx, input.ClientId)
    if (!(await provesClient(ctx, client, given(input.ClientSecret)))) throw secretHashMismatch(client.id)
    const token = await findRefreshToken(ctx, pool, client, input.RefreshToken, input.DeviceKey)
    if (token === undefined) throw invalidRefreshTokenDotted()
    const user = await findUserById(ctx, pool, token.userId)
    if (user === undefined) throw userNotFound()
    return { AuthenticationResult: await refreshTokens({ ...ctx, region: pool.region }, pool, client, token, user) }
  },

  GetClientToken: async (ctx, input) => {
    const { client, pool } = await getClientAndPool(ctx, input.ClientId)
    const request = { secret: input.Secret, scopes: input.Scopes }
    return {
      ClientAuthenticationResult: await issueClientToken({ ...ctx, region: pool.region }, pool, client, request),
    }
  },

  RevokeToken: async (ctx, input) => {
    const client = await findClient(ctx, input.ClientId)
    if (client === undefined || !(await provesClient(ctx, client, given(input.ClientSecret))))
      throw clientNotAuthorized()
    await revokeToken(ctx, client, { token: input.Token, associated: input.RevokeAssociatedSessions })
    return {}
  },

  GlobalSignOut: signedIn(async (ctx, { user }) => {
    await signOutEverywhere(ctx, user)
    return {}
  }),

  AdminUserGlobalSignOut: inPool(async (ctx, pool, input) => {
    await signOutEverywhere(ctx, await getUserByName(ctx, pool, input.Username))
    return {}
  }),

  ListUserSessions: signedIn((ctx, { pool, user, claims }, input) =>
    listSessions(ctx, pool, user, {
      operation: 'ListUserSessions',
      token: input.NextToken,
      current: claims.origin_jti,
    }),
  ),

  AdminListUserSessions: inPool(async (ctx, pool, input) =>
    listSessions(ctx, pool, await getUserByName(ctx, pool, input.Username), {
      operation: 'AdminListUserSessions',
      token: input.NextToken,
      current: undefined,
    }),
  ),

  RevokeUserSession: signedIn(async (ctx, { pool, user, claims }, input) => {
    await revokeUserSession(ctx, pool, user, {
      sessionId: input.SessionId,
      current: claims.origin_jti,
      associated: input.RevokeAssociatedSessions,
    })
    return {}
  }),

  AdminRevokeUserSession: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    await revokeUserSession(ctx, pool, user, {
      sessionId: input.SessionId,
      current: undefined,
      associated: input.RevokeAssociatedSessions,
    })
    return {}
  }),
} satisfies Operations<
  | 'AdminListUserSessions'
  | 'AdminRevokeUserSession'
  | 'AdminUserGlobalSignOut'
  | 'GetTokensFromRefreshToken'
  | 'GetClientToken'
  | 'GlobalSignOut'
  | 'ListUserSessions'
  | 'RevokeToken'
  | 'RevokeUserSession'
>
