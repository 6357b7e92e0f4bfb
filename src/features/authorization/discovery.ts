/**
 * The discovery document (OpenID Connect Discovery 1.0, RFC 8414): what the authorization server of a pool can do, and where.
 * The members of Cognito's come first; the others say no more than what is true.
 */
import { domainUrl } from '../../core/domain-names.ts'
import type { Context } from '../context.ts'
import { mainDomain } from '../managed-login/domains.ts'
import { issuerOf } from '../settings.ts'
import type { Pool } from '../user-pools/pool.ts'
import { offers } from './offers.ts'
import { takesRegistrations } from './registration.ts'

export const discoveryDocument = async (ctx: Context, pool: Pool): Promise<Record<string, unknown>> => {
  const base = `${ctx.publicUrl}/${pool.id}`
  const { browsers, programs, registration } = await baseUrls(ctx, pool)
  return {
    authorization_endpoint: `${browsers}/oauth2/authorize`,
    end_session_endpoint: `${browsers}/logout`,
    id_token_signing_alg_values_supported: ['RS256'],
    issuer: issuerOf(ctx.settings, ctx.publicUrl, pool),
    jwks_uri: `${base}/.well-known/jwks.json`,
    response_types_supported: ['code', 'token'],
    revocation_endpoint: `${programs}/oauth2/revoke`,
    scopes_supported: ['openid', 'email', 'phone', 'profile'],
    subject_types_supported: ['public'],
    token_endpoint: `${programs}/oauth2/token`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    userinfo_endpoint: `${programs}/oauth2/userInfo`,
    ...(takesRegistrations(pool) && { registration_endpoint: `${registration}/oauth2/register` }),
    ...(offers(ctx, 'introspection') && {
      introspection_endpoint: `${programs}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    }),
    ...(offers(ctx, 'pushed-requests') && { pushed_authorization_request_endpoint: `${programs}/oauth2/par` }),
    ...(offers(ctx, 'device-grant') && { device_authorization_endpoint: `${programs}/oauth2/device_authorization` }),
    ...(offers(ctx, 'response-iss') && { authorization_response_iss_parameter_supported: true }),
    revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    response_modes_supported: ['query', 'fragment'],
    grant_types_supported: [
      'authorization_code',
      'implicit',
      'refresh_token',
      'client_credentials',
      ...(offers(ctx, 'device-grant') ? ['urn:ietf:params:oauth:grant-type:device_code'] : []),
    ],
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: ['none', 'login'],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }
}

/**
 * Browsers come to the pool's domain, or to the public URL when it has none. Programs come there too, unless the domain
 * lies below `localhost`: browsers find such a name without DNS, programs may not. A registration names no client, so on the
 * public URL its path tells the pool.
 */
const baseUrls = async (
  ctx: Context,
  pool: Pool,
): Promise<{ browsers: string; programs: string; registration: string }> => {
  const domain = await mainDomain(ctx, pool)
  const browsers = domain === undefined ? ctx.publicUrl : domainUrl(ctx.publicUrl, domain)
  const isLocal = new URL(browsers).hostname.endsWith('.localhost')
  if (domain === undefined || isLocal) {
    return { browsers, programs: ctx.publicUrl, registration: `${ctx.publicUrl}/${pool.id}` }
  }
  return { browsers, programs: browsers, registration: browsers }
}
