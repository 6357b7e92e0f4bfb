/** Which AWS resource a request is about, for the decision of an access key's policy. */
import type { Context } from './context.ts'
import { poolArn } from './settings.ts'
import { findPool } from './user-pools/pool.ts'
import { poolSeenFrom } from './user-pools/replica.ts'

export interface Resource {
  arn: string
  /** Tags of the pool the request is about. */
  tags: Record<string, string>
  /** Tags that the request brings. */
  requestTags: Record<string, string>
  /** Keys of the tags that the request brings or removes. */
  tagKeys: string[]
}

/**
 * The pool's ARN when the input names a pool or an ARN, else every pool of account and region. A pool that does not
 * exist has no tags, so that conditions on tags refuse.
 */
export const resourceOf = async (ctx: Context, input: unknown): Promise<Resource> => {
  const { UserPoolId, ResourceArn, UserPoolTags, Tags, TagKeys } = input as Partial<Record<string, unknown>>
  const requestTags = asTags(UserPoolTags ?? Tags)
  const tagKeys = Array.isArray(TagKeys) ? TagKeys.map(String) : Object.keys(requestTags)
  const poolId =
    typeof UserPoolId === 'string' ? UserPoolId : typeof ResourceArn === 'string' ? poolIdOf(ResourceArn) : undefined
  if (poolId === undefined) {
    return {
      arn: `arn:aws:cognito-idp:${ctx.region}:${ctx.settings.account}:userpool/*`,
      tags: {},
      requestTags,
      tagKeys,
    }
  }
  const pool = await findPool(ctx, poolId)
  const seen = pool && poolSeenFrom(pool, ctx.region, ctx.clock.now())
  return {
    // A region of the pool: a caller chooses the region of a request by signing for it.
    arn: poolArn(ctx.settings, { id: poolId, region: seen === undefined && pool ? pool.region : ctx.region }),
    tags: (seen ?? pool)?.settings.UserPoolTags ?? {},
    requestTags,
    tagKeys,
  }
}

const poolIdOf = (arn: string): string | undefined => arn.split(':userpool/', 2)[1]

const asTags = (value: unknown): Record<string, string> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, string>) : {}
