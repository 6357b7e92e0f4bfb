/** UserInfo (OpenID Connect Core, section 5.3): the attributes of the user of an access token, all of them text. */
import { readableAttributes } from '../../core/attributes.ts'
import { badUserInfoRequest, invalidUserInfoToken } from '../../core/errors/oauth.ts'
import { CognitoError } from '../../core/errors.ts'
import { identitiesAttribute } from '../../core/identities.ts'
import { attributesInScope } from '../../core/oauth.ts'
import type { Context } from '../context.ts'
import { countAtDomain } from '../limits.ts'
import { getSignedIn, type SignedIn } from '../tokens/signed-in.ts'
import { isForHost } from './pool-of-request.ts'

/**
 * What the access token lets its bearer know of its user. The profile is read now; what a function has put into tokens is
 * not part of it.
 * @throws OAuthError `invalid_request` without a token, `invalid_token` for one that is not in force, was not issued for
 * OpenID Connect or belongs to another pool than the host; TooManyRequestsException.
 */
export const readUserInfo = async (
  ctx: Context,
  { host, token }: { host: string | undefined; token: string | undefined },
): Promise<Record<string, string>> => {
  if (token === undefined) throw badUserInfoRequest()
  const session = await getSession(ctx, token)
  if (!(await isForHost(ctx, host, session.pool))) throw invalidUserInfoToken()
  countAtDomain(ctx, session)
  return presentUserInfo(session)
}

const getSession = async (ctx: Context, token: string): Promise<SignedIn> => {
  try {
    return await getSignedIn(ctx, token, 'openid')
  } catch (error) {
    throw error instanceof CognitoError ? invalidUserInfoToken() : error
  }
}

const presentUserInfo = ({ user, pool, client, claims }: SignedIn): Record<string, string> => {
  const readable = readableAttributes(client.settings, pool.settings.SchemaAttributes ?? [])
  const inScope = attributesInScope(claims.scope)
  const shown = [...user.attributes].filter(
    ([name]) => name === identitiesAttribute || (readable.has(name) && inScope(name)),
  )
  return { sub: user.id, ...Object.fromEntries(shown), username: user.username }
}
