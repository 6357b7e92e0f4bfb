/** The endpoint of pushed authorization requests (RFC 9126). */
import { AuthorizationError, invalidRequest, refusedAhead } from '../../core/errors/oauth.ts'
import type { Context } from '../context.ts'
import { authenticateClient, type FormRequest } from './client-authentication.ts'
import { keepPushedRequest, pushedRequestSeconds } from './pushed-requests.ts'
import { readAuthorizationRequest } from './request.ts'

/** What the client proves itself with is no part of the request that it leaves. */
const credentials = ['client_secret', 'client_assertion', 'client_assertion_type']

/**
 * Checks the request as the authorization endpoint would and keeps it for the browser.
 * @throws OAuthError, with the code that the application would have been told.
 */
export const answerPushedRequest = async (
  ctx: Context,
  request: FormRequest,
): Promise<{ request_uri: string; expires_in: number }> => {
  const { pool, client } = await authenticateClient(ctx, request, 401)
  if (request.form.get('request_uri') !== undefined || request.form.get('user_code') !== undefined) {
    throw invalidRequest()
  }
  const parameters = new URLSearchParams(request.form.entries.filter(([name]) => !credentials.includes(name)))
  parameters.set('client_id', client.id)
  try {
    await readAuthorizationRequest(ctx, { pool, client }, parameters)
  } catch (error) {
    throw error instanceof AuthorizationError ? refusedAhead(error) : error
  }
  return { request_uri: await keepPushedRequest(ctx, client, parameters), expires_in: pushedRequestSeconds }
}
