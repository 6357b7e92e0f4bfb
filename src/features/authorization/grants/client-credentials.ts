/** The grant `client_credentials` (RFC 6749, section 4.4): a token about the client itself, with custom scopes only. */
import {
  invalidClient,
  invalidGrant,
  invalidRequest,
  invalidScope,
  unauthorizedClient,
} from '../../../core/errors/oauth.ts'
import { type Parameters, wordsOf } from '../../../core/oauth.ts'
import type { Client } from '../../app-clients/client.ts'
import type { Context } from '../../context.ts'
import { countRequest } from '../../limits.ts'
import { customScopes } from '../../resource-servers/resource-server.ts'
import { customScopesOf, signClientToken } from '../../tokens/client-token.ts'
import type { Pool } from '../../user-pools/pool.ts'
import type { Grant } from './grant.ts'

export const clientCredentials: Grant = async (ctx, { pool, client, form }) => {
  if (client.secrets.length === 0) throw invalidClient()
  if (!client.settings.AllowedOAuthFlows?.includes('client_credentials')) throw unauthorizedClient()
  await countRequest(ctx, 'GetClientToken', { ClientId: client.id })
  const scopes = await grantedScopes(ctx, pool, client, wordsOf(form.get('scope')))
  const caller = { clientId: client.id, clientMetadata: readMetadata(form) }
  const { AccessToken, ExpiresIn } = await signClientToken({ ...ctx, caller }, pool, client, scopes)
  return { access_token: AccessToken, expires_in: ExpiresIn, token_type: 'Bearer' }
}

/** All of the client's scopes, or those that are asked for; one that it cannot have rejects the request. */
const grantedScopes = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  asked: readonly string[],
): Promise<ReadonlySet<string>> => {
  const own = await customScopesOf(ctx, pool, client)
  if (asked.length === 0) {
    if (own.size === 0) throw invalidGrant()
    return own
  }
  const existing = await customScopes(ctx, pool)
  if (asked.some(scope => !existing.has(scope))) throw invalidScope()
  if (asked.some(scope => !own.has(scope))) throw invalidGrant()
  return new Set(asked)
}

const metadataLengthMax = 131_072

/** `aws_client_metadata`: a JSON object of texts, for the pool's function. */
const readMetadata = (form: Parameters): Record<string, string> | undefined => {
  const text = form.get('aws_client_metadata')
  if (text === undefined) return undefined
  if (text.length > metadataLengthMax) throw invalidRequest()
  const parsed = parse(text)
  const isMap = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  if (!isMap || Object.values(parsed).some(value => typeof value !== 'string')) throw invalidRequest()
  return parsed as Record<string, string>
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
