/** What all grants have in common. */

import type { AuthenticationResultType } from '../../../contract/types.ts'
import type { Parameters } from '../../../core/oauth.ts'
import type { Client } from '../../app-clients/client.ts'
import type { Context } from '../../context.ts'
import type { Pool } from '../../user-pools/pool.ts'

export interface GrantRequest {
  pool: Pool
  /** It has proven who it is. */
  client: Client
  form: Parameters
}

/** The answer of the token endpoint (RFC 6749, section 5.1), without `scope`, in the order of the service. */
export interface TokenResponse {
  id_token?: string
  access_token: string
  refresh_token?: string
  /** Seconds. */
  expires_in: number
  token_type: 'Bearer'
}

/** Answers a token request of its type. Throws OAuthError, and CognitoError for what stands in the way of the user. */
export type Grant = (ctx: Context, request: GrantRequest) => Promise<TokenResponse>

export const presentTokens = (tokens: AuthenticationResultType): TokenResponse => ({
  ...(tokens.IdToken !== undefined && { id_token: tokens.IdToken }),
  access_token: tokens.AccessToken ?? '',
  ...(tokens.RefreshToken !== undefined && { refresh_token: tokens.RefreshToken }),
  expires_in: tokens.ExpiresIn ?? 0,
  token_type: 'Bearer',
})
