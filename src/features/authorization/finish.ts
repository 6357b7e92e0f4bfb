/** The end of an authorization request: the answer to the application. */

import { oauthErrorOf, requestUriInvalid } from '../../core/errors/oauth.ts'
import { CognitoError } from '../../core/errors.ts'
import { withParameters } from '../../core/oauth.ts'
import { tokenLifetimes } from '../../core/token-validity.ts'
import type { Context } from '../context.ts'
import { issuerOf } from '../settings.ts'
import { type BrowserSession, touchBrowserSession } from '../tokens/browser-sessions.ts'
import { beginSession } from '../tokens/sessions.ts'
import { tracksSessions } from '../user-pools/session-configuration.ts'
import { createCode } from './codes.ts'
import { offers } from './offers.ts'
import { takePushedRequest } from './pushed-requests.ts'
import { type AuthorizationRequest, refusal } from './request.ts'

/** What the answer needs to know of the user's session, whether it was just begun or taken up. */
export type FinishedSignIn = Pick<BrowserSession, 'id' | 'user' | 'factors' | 'eventId' | 'authTime'>

/**
 * The URL that takes the browser back to the application: with a code, or with the tokens themselves.
 * @throws AuthorizationError, which tells the application, when the pool's function refuses the tokens; and one for the
 * error page when a pushed request was answered already.
 */
export const finishAuthorization = async (
  ctx: Context,
  request: AuthorizationRequest,
  session: FinishedSignIn,
): Promise<string> => {
  const { pool, client, redirectUri, state, requestUri } = request
  if (request.userCode !== undefined) return redirectUri
  if (requestUri !== undefined && !(await takePushedRequest(ctx, client, requestUri))) throw requestUriInvalid()
  const iss = offers(ctx, 'response-iss') ? issuerOf(ctx.settings, ctx.publicUrl, pool) : undefined
  if (tracksSessions(pool)) await touchBrowserSession(ctx, session.id)
  if (request.responseType === 'token') {
    return withParameters(redirectUri, { ...(await implicitTokens(ctx, request, session)), state, iss }, 'fragment')
  }
  const code = await createCode(ctx, request, session.user, {
    authTime: session.authTime,
    factors: session.factors,
    eventId: session.eventId,
    browserSessionId: session.id,
  })
  return withParameters(redirectUri, { code, state, iss })
}

/** The implicit grant gives no refresh token, so its session ends with its tokens. */
const implicitTokens = async (ctx: Context, request: AuthorizationRequest, session: FinishedSignIn) => {
  const { pool, client, scopes, nonce, resource } = request
  const lifetimes = tokenLifetimes(client.settings)
  const lifetimeSeconds = Math.max(lifetimes.accessTokenSeconds, lifetimes.idTokenSeconds)
  const tokens = await beginSession(
    { ...ctx, region: pool.region, caller: { clientId: client.id } },
    {
      pool,
      client,
      user: session.user,
      factors: session.factors,
      source: 'HostedAuth',
      granted: {
        authTime: session.authTime,
        ...(session.eventId !== undefined && { eventId: session.eventId }),
        expiresAt: ctx.clock.now() + lifetimeSeconds * 1_000,
        scope: scopes.join(' '),
        hosted: { browserSessionId: session.id, ...(resource !== undefined && { resource }) },
      },
      nonce,
      refreshes: false,
    },
  ).catch(error => {
    throw error instanceof CognitoError ? refusal(request, oauthErrorOf(error)) : error
  })
  return {
    id_token: tokens.IdToken,
    access_token: tokens.AccessToken,
    token_type: 'Bearer',
    expires_in: String(tokens.ExpiresIn),
  }
}
