/**
 * What a secondary region of a pool offers. Until its replica is active it serves administrators who look and who
 * prepare it; once it is, it also signs users in. It never changes what all regions of the pool share.
 */
import { operations as model } from '../contract/model.ts'
import type { OperationName } from '../contract/types.ts'
import { operationInSecondary, replicaInactive } from '../core/errors.ts'
import type { Context } from './context.ts'
import { findPoolIdOf } from './request-pool.ts'
import { findPool } from './user-pools/pool.ts'
import { replicaStatus } from './user-pools/replica.ts'

/** What changes settings that each region has for itself. */
const regionalChanges = new Set<OperationName>([
  'SetLogDeliveryConfiguration',
  'SetRiskConfiguration',
  'SetUserPoolMfaConfig',
  'TagResource',
  'UntagResource',
  'UpdateUserPool',
  'UpdateUserPoolReplica',
])

/** What end users do, and administrators for them, without changing a user. */
const endUserOperations = new Set<OperationName>([
  'AdminInitiateAuth',
  'AdminRespondToAuthChallenge',
  'AdminRevokeUserSession',
  'AdminUserGlobalSignOut',
  'GetClientToken',
  'GetDevice',
  'GetTokensFromRefreshToken',
  'GetUser',
  'GetUserAuthFactors',
  'GlobalSignOut',
  'InitiateAuth',
  'ListDevices',
  'ListUserSessions',
  'ListWebAuthnCredentials',
  'RespondToAuthChallenge',
  'RevokeToken',
  'RevokeUserSession',
])

/**
 * Passes when the operation is possible in this region. `region` is the one that the request itself names, which only a
 * signed request does; every other request goes to the primary region.
 * @throws OperationNotEnabledException in a secondary region
 */
export const assertOfferedInRegion = async (
  ctx: Context,
  operation: OperationName,
  input: unknown,
  region: string | undefined,
): Promise<void> => {
  if (region === undefined) return
  const poolId = await findPoolIdOf(ctx, input)
  const pool = poolId === undefined ? undefined : await findPool(ctx, poolId)
  if (pool === undefined || pool.region === region || pool.replica?.region !== region) return
  const status = replicaStatus(pool.replica, ctx.clock.now())
  if (status !== 'ACTIVE' && status !== 'INACTIVE') return
  if (isAdministratorsRead(operation) || regionalChanges.has(operation)) return
  if (!endUserOperations.has(operation)) throw operationInSecondary(operation)
  if (status === 'INACTIVE') throw replicaInactive()
}

const isAdministratorsRead = (operation: OperationName): boolean =>
  model[operation].auth === 'sigv4' && /^(?:Admin)?(?:Describe|Get|List)/.test(operation)
