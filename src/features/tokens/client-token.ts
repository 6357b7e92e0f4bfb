/** Access tokens that a client gets for itself, with custom scopes only: GetClientToken. */
import type { ClientAuthenticationResultType } from '../../contract/types.ts'
import { clientClaims } from '../../core/claims.ts'
import {
  clientScopeNotAllowed,
  clientTokenFlowNotEnabled,
  clientTokenSecretMismatch,
  clientWithoutScopes,
} from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { tokenLifetimes } from '../../core/token-validity.ts'
import { allowsClientToken } from '../app-clients/auth-flows.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { customScopes } from '../resource-servers/resource-server.ts'
import { issuerOf } from '../settings.ts'
import { runClientTokenGeneration } from '../triggers/pre-token-generation.ts'
import type { Pool } from '../user-pools/pool.ts'
import { getSigningKeys } from '../user-pools/signing-keys.ts'
import { provesClient } from './client-proof.ts'
import { signToken } from './issue.ts'

/** Printed in an error, so no longer than a scope can be. */
const scopeLengthMax = 256

/**
 * An access token about the client itself, as the operation gives it. Without scopes in the request it holds all custom
 * scopes of the client that exist; one scope that is not the client's rejects the request. Only the secret decides, whoever
 * signed the request.
 * @throws NotAuthorizedException for a wrong secret, TooManyRequestsException after very many of them,
 * InvalidParameterException for a flow that is not enabled and for scopes, and what signClientToken throws.
 */
export const issueClientToken = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  { secret, scopes }: { secret: string; scopes: readonly string[] | undefined },
): Promise<ClientAuthenticationResultType> => {
  if (client.secrets.length === 0 || !(await provesClient(ctx, client, [secret]))) throw clientTokenSecretMismatch()
  if (!allowsClientToken(client)) throw clientTokenFlowNotEnabled()
  const allowed = await customScopesOf(ctx, pool, client)
  const unknown = scopes?.find(scope => !allowed.has(scope))
  if (unknown !== undefined) throw clientScopeNotAllowed(unknown.slice(0, scopeLengthMax))
  const granted = scopes === undefined || scopes.length === 0 ? allowed : new Set(scopes)
  if (granted.size === 0) throw clientWithoutScopes()
  return signClientToken(ctx, pool, client, granted)
}

/** The custom scopes of the client that exist. */
export const customScopesOf = async (ctx: Context, pool: Pool, client: Client): Promise<ReadonlySet<string>> => {
  const existing = await customScopes(ctx, pool)
  return new Set((client.settings.AllowedOAuthScopes ?? []).filter(scope => existing.has(scope)))
}

/**
 * An access token about the client itself with these scopes, after the pool's function has seen it.
 * @throws TooManyRequestsException when more signatures are waiting than can be made soon, and what the trigger throws.
 */
export const signClientToken = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  scopes: ReadonlySet<string>,
): Promise<Required<ClientAuthenticationResultType>> => {
  const scope = [...scopes].join(' ')
  const change = await runClientTokenGeneration(ctx, pool, { clientId: client.id, scope })
  const { accessTokenSeconds } = tokenLifetimes(client.settings)
  const claims = clientClaims(
    {
      issuer: issuerOf(ctx.settings, ctx.publicUrl, pool),
      clientId: client.id,
      issuedAt: Math.floor(ctx.clock.now() / 1_000),
    },
    { jti: newUuid(ctx.random), scope: change.scope(scope), lifetimeSeconds: accessTokenSeconds },
  )
  const { access } = await getSigningKeys(ctx, pool)
  return {
    AccessToken: await signToken(ctx, access, change.access(claims, client.id)),
    ExpiresIn: accessTokenSeconds,
    TokenType: 'Bearer',
  }
}
