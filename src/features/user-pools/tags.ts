/** Tags of a pool: one set, which CreateUserPool, UpdateUserPool and the operations on tags share. */
import { type CognitoError, notAPoolArn, type tagFaults, userPoolNotFound } from '../../core/errors.ts'
import type { Context } from '../context.ts'

type Tags = Record<string, string>

const tagsMax = 50

/**
 * The tags when they follow the rules; the lengths of keys and values are part of the contract.
 * @throws what `refuse` makes of the fault: the operations name it differently.
 */
export const checkTags = (tags: Tags, refuse: (fault: keyof typeof tagFaults) => CognitoError): Tags => {
  const keys = Object.keys(tags)
  if (keys.some(key => key.toLowerCase().startsWith('aws:'))) throw refuse('reserved')
  if (keys.length > tagsMax) throw refuse('tooMany')
  return tags
}

/** Both sets in one; the values of the second win. Built without assignments, since callers choose the keys. */
export const mergeTags = (tags: Tags, added: Tags): Tags =>
  Object.fromEntries([...Object.entries(tags), ...Object.entries(added)])

/** The tags without those of these keys; a key that is not there is no error. */
export const withoutTags = (tags: Tags, keys: readonly string[]): Tags => {
  const removed = new Set(keys)
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key)))
}

const poolArnPattern = /^arn:aws[a-z-]*:cognito-idp:([a-z0-9-]{1,32}):([0-9]{1,12}):userpool\/([\w-]{1,55})$/

/**
 * The id of the pool that the ARN names, which must be of the request's account and region.
 * @throws InvalidParameterException when it is not the ARN of a pool at all, ResourceNotFoundException for a pool
 * elsewhere.
 */
export const poolIdFromArn = (ctx: Context, arn: string): string => {
  const [, region, account, poolId] = poolArnPattern.exec(arn) ?? []
  if (poolId === undefined) throw notAPoolArn()
  if (region !== ctx.region || account !== ctx.settings.account) throw userPoolNotFound(poolId)
  return poolId
}
