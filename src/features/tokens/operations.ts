import { invalidRefreshTokenDotted, secretHashMismatch, userNotFound } from '../../core/errors.ts'
import { getClientAndPool } from '../app-clients/client.ts'
import type { Operations } from '../context.ts'
import { inPool } from '../user-pools/pool.ts'
import { findUserById, getUserByName } from '../users/user.ts'
import { findRefreshToken, refreshTokens } from './refresh.ts'
import { provesClient, revokeToken, signOutEverywhere } from './sign-out.ts'
import { signedIn } from './signed-in.ts'

export const tokenOperations = {
  GetTokensFromRefreshToken: async (ctx, input) => {
    const { client, pool } = await getClientAndPool(ctx, input.ClientId)
    if (!provesClient(client, input.ClientSecret)) throw secretHashMismatch(client.id)
    const token = findRefreshToken(ctx, client, input.RefreshToken)
    if (token === undefined) throw invalidRefreshTokenDotted()
    const user = await findUserById(ctx, pool, token.userId)
    if (user === undefined) throw userNotFound()
    return { AuthenticationResult: await refreshTokens({ ...ctx, region: pool.region }, pool, client, token, user) }
  },

  RevokeToken: async (ctx, input) => {
    await revokeToken(ctx, { clientId: input.ClientId, secret: input.ClientSecret, token: input.Token })
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
} satisfies Operations<'AdminUserGlobalSignOut' | 'GetTokensFromRefreshToken' | 'GlobalSignOut' | 'RevokeToken'>
