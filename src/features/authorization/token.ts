/** The token endpoint: which grant answers which request. */
import { invalidRequest, unsupportedGrantType } from '../../core/errors/oauth.ts'
import type { Context } from '../context.ts'
import { authenticateClient, type FormRequest } from './client-authentication.ts'
import { authorizationCode } from './grants/authorization-code.ts'
import { clientCredentials } from './grants/client-credentials.ts'
import { deviceCode } from './grants/device-code.ts'
import type { Grant, TokenResponse } from './grants/grant.ts'
import { refreshToken } from './grants/refresh-token.ts'

/** All grants, by their `grant_type`. */
const grants = new Map<string, Grant>([
  ['authorization_code', authorizationCode],
  ['refresh_token', refreshToken],
  ['client_credentials', clientCredentials],
  ['urn:ietf:params:oauth:grant-type:device_code', deviceCode],
])

/**
 * Answers a token request.
 * @throws OAuthError, and CognitoError for what stands in the way of the user.
 */
export const answerTokenRequest = async (ctx: Context, request: FormRequest): Promise<TokenResponse> => {
  const { form } = request
  const type = form.get('grant_type')
  if (form.repeated.length > 0 || type === undefined) throw invalidRequest()
  const grant = grants.get(type)
  if (grant === undefined) throw unsupportedGrantType()
  if (form.get('client_id') === undefined && request.authorization === undefined) throw invalidRequest()
  const { pool, client } = await authenticateClient(ctx, request)
  return grant({ ...ctx, region: pool.region, caller: { clientId: client.id } }, { pool, client, form })
}
