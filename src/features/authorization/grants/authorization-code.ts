/** The grant `authorization_code` (RFC 6749, section 4.1.3) with PKCE (RFC 7636, section 4.6). */
import { readableAttributes } from '../../../core/attributes.ts'
import { invalidGrant, invalidRequest, redirectUriDiffers, unauthorizedClient } from '../../../core/errors/oauth.ts'
import { matchesChallenge, wordsOf } from '../../../core/oauth.ts'
import { beginSession } from '../../tokens/sessions.ts'
import { type CodeGrant, takeCode } from '../codes.ts'
import { type Grant, type GrantRequest, presentTokens } from './grant.ts'
import { findGrantedUser } from './granted-user.ts'

/**
 * Tokens for a code. The code is taken before anything about it is looked at: whoever fails a check has used it up, so
 * nobody can try verifiers or redirect URIs one after the other.
 */
export const authorizationCode: Grant = async (ctx, request) => {
  const { pool, client, form } = request
  if (!client.settings.AllowedOAuthFlows?.includes('code')) throw unauthorizedClient()
  const code = form.get('code')
  const redirectUri = form.get('redirect_uri')
  if (code === undefined || redirectUri === undefined) throw invalidRequest()
  const taken = await takeCode(ctx, client, code)
  if (taken === undefined) throw invalidGrant()
  const { grant } = taken
  if (grant.redirectUri !== redirectUri) throw redirectUriDiffers()
  if (!provesPossession(grant, form.get('code_verifier'))) throw invalidGrant()
  assertReadable(request, grant)
  const user = await findGrantedUser(ctx, pool, taken)
  const tokens = await beginSession(ctx, {
    pool,
    client,
    user,
    factors: grant.factors,
    source: 'HostedAuth',
    granted: {
      originJti: taken.originJti,
      authTime: grant.authTime,
      ...(grant.eventId !== undefined && { eventId: grant.eventId }),
      scope: grant.scope,
      hosted: {
        ...(grant.resource !== undefined && { resource: grant.resource }),
        ...(grant.browserSessionId !== undefined && { browserSessionId: grant.browserSessionId }),
      },
    },
    nonce: grant.nonce,
  })
  return presentTokens(tokens)
}

/** A verifier is wanted when there was a challenge, and only then (RFC 9700, section 2.1.1: no downgrade). */
const provesPossession = ({ codeChallenge }: CodeGrant, verifier: string | undefined): boolean =>
  codeChallenge === undefined
    ? verifier === undefined
    : verifier !== undefined && matchesChallenge(verifier, codeChallenge)

const pairsOfScopes = { email: ['email', 'email_verified'], phone: ['phone_number', 'phone_number_verified'] } as const

/**
 * A client that may not read what a scope of an address stands for does not get the tokens.
 * @throws OAuthError `invalid_grant`
 */
export const assertReadable = (
  { pool, client }: Pick<GrantRequest, 'pool' | 'client'>,
  { scope }: { scope: string },
): void => {
  const scopes = wordsOf(scope)
  if (!scopes.includes('openid')) return
  const readable = readableAttributes(client.settings, pool.settings.SchemaAttributes ?? [])
  for (const [name, attributes] of Object.entries(pairsOfScopes)) {
    if (scopes.includes(name) && attributes.some(attribute => !readable.has(attribute))) throw invalidGrant()
  }
}
