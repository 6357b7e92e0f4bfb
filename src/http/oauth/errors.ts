/** Errors of the OAuth endpoints: what was thrown as an error that a client is told. */

import { OAuthError, oauthErrorOf, serverError } from '../../core/errors/oauth.ts'
import { CognitoError } from '../../core/errors.ts'
import type { Context } from '../../features/context.ts'

/** Everything that is no error for callers is logged with its cause and shown without detail. */
export const asOAuthError = (ctx: Context, path: string, thrown: unknown): OAuthError => {
  if (thrown instanceof OAuthError) return thrown
  if (thrown instanceof CognitoError) return oauthErrorOf(thrown)
  ctx.log.error({ requestId: ctx.requestId, path, cause: thrown }, 'request failed')
  return serverError()
}

/** RFC 6749, section 5.2, in the order of the service. */
export const errorBody = ({ code, description }: OAuthError) => ({
  error: code,
  ...(description !== undefined && { error_description: description }),
})
