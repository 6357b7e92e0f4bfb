/** Which scopes a request is granted. */
import { invalidScope } from '../../core/errors/oauth.ts'
import { wordsOf } from '../../core/oauth.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { customScopes } from '../resource-servers/resource-server.ts'
import type { Pool } from '../user-pools/pool.ts'

/**
 * The scopes that are asked for, or all of the client's. A custom scope that the client lists and that no resource server
 * has any more is inactive and left out.
 */
export const checkedScopes = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  scope: string | undefined,
): Promise<string[]> => {
  const allowed = client.settings.AllowedOAuthScopes ?? []
  const asked = scope === undefined ? allowed : wordsOf(scope)
  if (asked.some(name => !allowed.includes(name))) throw invalidScope()
  const custom = asked.filter(name => !isSystemScope(name))
  if (custom.length === 0) return asked
  const existing = await customScopes(ctx, pool)
  const inactive = new Set(custom.filter(name => !existing.has(name)))
  return asked.filter(name => !inactive.has(name))
}

const systemScopes = new Set(['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'])

export const isSystemScope = (name: string): boolean => systemScopes.has(name)
