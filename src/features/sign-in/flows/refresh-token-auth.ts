/** REFRESH_TOKEN_AUTH: new ID and access tokens for a refresh token, for clients that do not rotate theirs. */
import {
  flowNotEnabled,
  invalidRefreshToken,
  refreshSecretHashMismatch,
  secretHashMismatch,
} from '../../../core/errors.ts'
import { matchesSecret, matchesSecretHash } from '../../../core/secret-hash.ts'
import type { Client } from '../../app-clients/client.ts'
import { rotatesRefreshTokens } from '../../tokens/issue.ts'
import { findRefreshToken, refreshTokens } from '../../tokens/refresh.ts'
import { findUserById, type User } from '../../users/user.ts'
import { required } from '../challenges/challenge.ts'
import type { Flow } from './flow.ts'

export const refreshTokenAuth: Flow = {
  operations: ['InitiateAuth', 'AdminInitiateAuth'],
  parameters: ['REFRESH_TOKEN'],
  begin: async (ctx, { pool, client, flow }, parameters) => {
    if (rotatesRefreshTokens(client)) throw flowNotEnabled(flow)
    const text = required(parameters, 'REFRESH_TOKEN')
    const token = await findRefreshToken(ctx, pool, client, text, parameters['DEVICE_KEY'])
    const user = token && (await findUserById(ctx, pool, token.userId))
    if (token === undefined || user === undefined) throw invalidRefreshToken()
    checkSecret(client, user, parameters['SECRET_HASH'])
    return { tokens: await refreshTokens(ctx, pool, client, token, user) }
  },
}

/**
 * The request names no user, so the hash is that of the real username or of the `sub`. Some of AWS's own clients send
 * the secret itself in its place.
 * @throws NotAuthorizedException
 */
const checkSecret = (client: Client, user: User, presented: string | undefined): void => {
  if (presented === undefined) {
    if (client.secrets.length > 0) throw secretHashMismatch(client.id)
    return
  }
  const secrets = client.secrets.map(secret => secret.value)
  const isHash = matchesSecretHash(presented, [user.username, user.id], client.id, secrets)
  if (!isHash && !matchesSecret(presented, secrets)) throw refreshSecretHashMismatch(client.id)
}
