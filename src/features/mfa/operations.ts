/** The operations on second factors. */
import type { AuthFactorType } from '../../contract/types.ts'
import { accessTokenOrSession, userNotConfirmed } from '../../core/errors.ts'
import type { Context, Operations } from '../context.ts'
import { usablePasskeys } from '../passkeys/relying-party.ts'
import { associateInSignIn, verifyInSignIn } from '../sign-in/challenges/mfa-setup.ts'
import { getSignedIn, signedIn } from '../tokens/signed-in.ts'
import { inPool, type Pool } from '../user-pools/pool.ts'
import { getUserByName, presentMfa, type User } from '../users/user.ts'
import { configuredAuthFactors } from './factors.ts'
import { setMfaPreference } from './preferences.ts'
import { associateSoftwareToken, deleteSoftwareToken, verifySoftwareToken } from './software-tokens.ts'

export const mfaOperations = {
  AssociateSoftwareToken: async (ctx, { AccessToken, Session }) => {
    if ((AccessToken === undefined) === (Session === undefined)) throw accessTokenOrSession()
    if (AccessToken === undefined) {
      const { secret, session } = await associateInSignIn(ctx, Session ?? '', 'api')
      return { SecretCode: secret, Session: session }
    }
    const { pool, user } = await getSignedIn(ctx, AccessToken)
    return { SecretCode: await associateSoftwareToken(ctx, pool, user) }
  },

  VerifySoftwareToken: async (ctx, { AccessToken, Session, UserCode, FriendlyDeviceName }) => {
    if ((AccessToken === undefined) === (Session === undefined)) throw accessTokenOrSession()
    if (AccessToken === undefined) {
      const session = await verifyInSignIn(ctx, Session ?? '', UserCode, FriendlyDeviceName, 'api')
      return { Status: 'SUCCESS', Session: session }
    }
    const { pool, user } = await getSignedIn(ctx, AccessToken)
    await verifySoftwareToken(ctx, pool, user, UserCode, FriendlyDeviceName)
    return { Status: 'SUCCESS' }
  },

  SetUserMFAPreference: signedIn(async (ctx, { pool, user }, { AccessToken: _, ...preferences }) => {
    await setMfaPreference(ctx, pool, user, preferences)
    return {}
  }),

  AdminSetUserMFAPreference: inPool(async (ctx, pool, { UserPoolId: _, Username, ...preferences }) => {
    await setMfaPreference(ctx, pool, await getUserByName(ctx, pool, Username), preferences)
    return {}
  }),

  AdminDeleteSoftwareToken: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
    await deleteSoftwareToken(ctx, pool, user)
    return {}
  }),

  GetUserAuthFactors: signedIn(async (ctx, { pool, user }) => ({
    Username: user.username,
    ...presentMfa(user),
    ...(await presentFactors(ctx, pool, user)),
  })),

  AdminGetUserAuthFactors: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    return { Username: user.username, ...presentMfa(user), ...(await presentFactors(ctx, pool, user)) }
  }),
} satisfies Operations<
  | 'AdminDeleteSoftwareToken'
  | 'AdminGetUserAuthFactors'
  | 'AdminSetUserMFAPreference'
  | 'AssociateSoftwareToken'
  | 'GetUserAuthFactors'
  | 'SetUserMFAPreference'
  | 'VerifySoftwareToken'
>

const presentFactors = async (
  ctx: Context,
  pool: Pool,
  user: User,
): Promise<{ ConfiguredUserAuthFactors?: AuthFactorType[] }> => {
  const hasPasskey = (await usablePasskeys(ctx, pool, user)).length > 0
  const factors = await configuredAuthFactors(ctx, pool, user, { hasPasskey })
  return factors === undefined ? {} : { ConfiguredUserAuthFactors: factors }
}
