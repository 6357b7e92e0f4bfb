/** Pre token generation: the pool's function changes what tokens say. It runs last, at every issue of tokens. */
import {
  accessClaimsOverridden,
  groupsOverridden,
  idClaimsOverridden,
  readTokenOverrides,
  scopeOverridden,
} from '../../core/claim-overrides.ts'
import { type GroupInToken, preferredRole } from '../../core/claims.ts'
import type { Claims } from '../../core/jwt.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { clientMetadataOf, hasTrigger, runTrigger, type TriggerSource, userAttributesOf } from './run.ts'

/** The occasions on which a user gets tokens. */
export type TokenSource = Exclude<TriggerSource<'PreTokenGeneration'>, 'ClientCredentials'>

/** The changes of the function, each applied to what the tokens would say without it. */
export interface TokenChange {
  groups(groups: readonly GroupInToken[]): readonly GroupInToken[]
  scope(scope: string): string
  id(claims: Claims): Claims
  access(claims: Claims, clientId: string): Claims
}

const unchanged: TokenChange = {
  groups: groups => groups,
  scope: scope => scope,
  id: claims => claims,
  access: claims => claims,
}

const versions = { V1_0: '1', V2_0: '2', V3_0: '3' } as const

/**
 * Asks the pool's function what to change; nothing without one.
 * @throws UserLambdaValidationException when it refuses the tokens, and what runTrigger throws.
 */
export const runPreTokenGeneration = async (
  ctx: Context,
  pool: Pool,
  source: TokenSource,
  { user, groups, scope }: { user: User; groups: readonly GroupInToken[]; scope: string },
): Promise<TokenChange> => {
  if (!hasTrigger(pool, 'PreTokenGeneration')) return unchanged
  const version = versionOf(pool)
  const response = await runTrigger(ctx, pool, 'PreTokenGeneration', {
    source,
    username: user.username,
    version,
    request: {
      userAttributes: userAttributesOf(user),
      groupConfiguration: groupConfigurationOf(groups),
      ...(version !== '1' && { scopes: scope.split(' ') }),
      ...clientMetadataOf(ctx),
    },
    response: { [version === '1' ? 'claimsOverrideDetails' : 'claimsAndScopeOverrideDetails']: null },
  })
  const overrides = response && readTokenOverrides(response, version)
  if (overrides === undefined) return unchanged
  return {
    groups: own => groupsOverridden(own, overrides),
    scope: own => scopeOverridden(own, overrides),
    id: claims => idClaimsOverridden(claims, overrides, version),
    access: (claims, clientId) => accessClaimsOverridden(claims, overrides, clientId),
  }
}

/**
 * Asks the pool's function what to change in the access token that a client gets for itself; nothing unless it knows the
 * third version of the event. There is no user: the client's id stands in the place of the name.
 * @throws UserLambdaValidationException when it refuses the token, and what runTrigger throws.
 */
export const runClientTokenGeneration = async (
  ctx: Context,
  pool: Pool,
  { clientId, scope }: { clientId: string; scope: string },
): Promise<Pick<TokenChange, 'scope' | 'access'>> => {
  const version = versionOf(pool)
  if (version !== '3') return unchanged
  const response = await runTrigger(ctx, pool, 'PreTokenGeneration', {
    source: 'ClientCredentials',
    username: clientId,
    version,
    request: {
      userAttributes: {},
      groupConfiguration: groupConfigurationOf([]),
      scopes: scope.split(' '),
      ...clientMetadataOf(ctx),
    },
    response: { claimsAndScopeOverrideDetails: null },
  })
  const overrides = response && readTokenOverrides(response, version)
  if (overrides === undefined) return unchanged
  // Self-service is for users; no function makes one of a client.
  const scopesToAdd = overrides.scopesToAdd.filter(name => !name.startsWith('aws.cognito.'))
  return {
    scope: own => scopeOverridden(own, { ...overrides, scopesToAdd }),
    access: (claims, client) => accessClaimsOverridden(claims, overrides, client),
  }
}

const versionOf = (pool: Pool) =>
  versions[pool.settings.LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion ?? 'V1_0']

const groupConfigurationOf = (groups: readonly GroupInToken[]) => ({
  groupsToOverride: groups.map(group => group.name),
  iamRolesToOverride: groups.flatMap(group => group.roleArn ?? []),
  preferredRole: preferredRole(groups) ?? null,
})
