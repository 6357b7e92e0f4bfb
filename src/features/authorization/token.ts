/** The token endpoint: which grant answers which request. */
import { invalidRequest, unsupportedGrantType } from '../../core/errors/oauth.ts'
import type { Parameters } from '../../core/oauth.ts'
import type { Context } from '../context.ts'
import { authenticateClient, readClientCredentials } from './client-authentication.ts'
import { authorizationCode } from './grants/authorization-code.ts'
import { clientCredentials } from './grants/client-credentials.ts'
import type { Grant, TokenResponse } from './grants/grant.ts'
import { refreshToken } from './grants/refresh-token.ts'
import { poolOfRequest } from './pool-of-request.ts'

/** All grants, by their `grant_type`. */
const grants = new Map<string, Grant>([
  ['authorization_code', authorizationCode],
  ['refresh_token', refreshToken],
  ['client_credentials', clientCredentials],
])

export interface FormRequest {
  /** The Host header. */
  host: string | undefined
  /** The Authorization header. */
  authorization: string | undefined
  form: Parameters
}

/**
 * Answers a token request.
 * @throws OAuthError, and CognitoError for what stands in the way of the user.
 */
export const answerTokenRequest = async (
  ctx: Context,
  { host, authorization, form }: FormRequest,
): Promise<TokenResponse> => {
  if (form.repeated.length > 0) throw invalidRequest()
  const type = form.get('grant_type')
  if (type === undefined) throw invalidRequest()
  const grant = grants.get(type)
  if (grant === undefined) throw unsupportedGrantType()
  const credentials = readClientCredentials(authorization, form)
  if (credentials.clientId === undefined) throw invalidRequest()
  const at = await poolOfRequest(ctx, host, credentials.clientId)
  const client = authenticateClient(at?.client, credentials)
  const pool = at?.pool
  if (pool === undefined) throw invalidRequest()
  return grant({ ...ctx, region: pool.region, caller: { clientId: client.id } }, { pool, client, form })
}
