/** Which pool a request is about, before anything of it is checked. */
import { parseToken } from '../core/jwt.ts'
import { findClient } from './app-clients/client.ts'
import type { Services } from './context.ts'

interface NamingInput {
  UserPoolId?: unknown
  ResourceArn?: unknown
  ClientId?: unknown
  AccessToken?: unknown
}

/**
 * The id of the pool that the input names: itself, by its ARN, by its client, or by the client of an access token, of
 * which nothing is verified. Undefined when it names none. The pool need not exist.
 */
export const findPoolIdOf = async (ctx: Services, input: unknown): Promise<string | undefined> => {
  const { UserPoolId, ResourceArn, ClientId, AccessToken } = input as NamingInput
  if (typeof UserPoolId === 'string') return UserPoolId
  if (typeof ResourceArn === 'string') return ResourceArn.split(':userpool/', 2)[1]
  if (typeof ClientId === 'string') return (await findClient(ctx, ClientId))?.poolId
  const clientId = typeof AccessToken === 'string' ? parseToken(AccessToken)?.claims['client_id'] : undefined
  const isClientId = typeof clientId === 'string' && clientId.length <= 128 && /^[\w+]+$/.test(clientId)
  return isClientId ? (await findClient(ctx, clientId))?.poolId : undefined
}
