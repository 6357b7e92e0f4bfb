/** The revocation endpoint (RFC 7009): a refresh token ends with all that came of it. */

import { invalidRequest, unsupportedTokenType } from '../../core/errors/oauth.ts'
import { isCognitoError } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { revokeToken } from '../tokens/sign-out.ts'
import { authenticateClient, type FormRequest } from './client-authentication.ts'

/**
 * Revokes the token of the request; one that is revoked already or was never issued is no error.
 * @throws OAuthError `invalid_client` with status 401, `invalid_request` without a token, for the token of another client
 * and when the client does not revoke tokens, `unsupported_token_type` for an ID or access token
 */
export const answerRevocation = async (ctx: Context, request: FormRequest): Promise<void> => {
  const { client } = await authenticateClient(ctx, request, 401)
  const token = request.form.get('token')
  if (token === undefined) throw invalidRequest()
  try {
    await revokeToken(ctx, client, { token })
  } catch (error) {
    if (isCognitoError(error, 'UnsupportedTokenTypeException')) throw unsupportedTokenType()
    if (isCognitoError(error, 'UnsupportedOperationException') || isCognitoError(error, 'UnauthorizedException')) {
      throw invalidRequest()
    }
    throw error
  }
}
