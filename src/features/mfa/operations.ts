/** The operations on second factors. */
import { accessTokenOrSession, userNotConfirmed } from '../../core/errors.ts'
import type { Operations } from '../context.ts'
import { associateInSignIn, verifyInSignIn } from '../sign-in/challenges/mfa-setup.ts'
import { getSignedIn, signedIn } from '../tokens/signed-in.ts'
import { inPool } from '../user-pools/pool.ts'
import { getUserByName, presentMfa } from '../users/user.ts'
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
    ...presentFactors(await configuredAuthFactors(ctx, pool, user)),
  })),

  AdminGetUserAuthFactors: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    const factors = await configuredAuthFactors(ctx, pool, user)
    return { Username: user.username, ...presentMfa(user), ...presentFactors(factors) }
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

const presentFactors = <Factor>(factors: Factor[] | undefined): { ConfiguredUserAuthFactors?: Factor[] } =>
  factors === undefined ? {} : { ConfiguredUserAuthFactors: factors }
