/** The operations on pools, their schema, MFA, tags and signing certificate. */
import type { UserPoolDescriptionType, UserPoolType } from '../../contract/types.ts'
import { addCustomAttributes } from '../../core/attributes.ts'
import { deletionProtected, invalidTags, poolDeletionBlockedByDomain, poolHasReplica } from '../../core/errors.ts'
import type { Context, Operations } from '../context.ts'
import { changeLimit, readLimit } from '../limits.ts'
import { type Domain, findDomains } from '../managed-login/domains.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { poolArn } from '../settings.ts'
import { assertNoImport } from '../user-import/jobs.ts'
import { makeSigningCertificate } from './certificate.ts'
import { withLogConfigurations } from './log-configuration.ts'
import { applyMfaConfig, presentMfaConfig } from './mfa-config.ts'
import { getPool, inPool, type Pool, type PoolSettings, poolFromRow } from './pool.ts'
import { newPoolSettings, updatePoolSettings } from './pool-settings.ts'
import { changeLockedPool, changePool, countUsers, createPool, deletePool, isInRegion } from './pool-store.ts'
import { poolSeenFrom, replicaStatus } from './replica.ts'
import { createReplica, deleteReplica, presentReplicas, setReplicaStatus } from './replicas.ts'
import { sessionConfiguration, withSessionConfiguration } from './session-configuration.ts'
import { getSigningKeys } from './signing-keys.ts'
import { checkTags, mergeTags, poolIdFromArn, withoutTags } from './tags.ts'

export const userPoolOperations = {
  CreateUserPool: async (ctx, input) => {
    const pool = await createPool(ctx, input.PoolName, newPoolSettings(input, ctx.region))
    return { UserPool: present(ctx, pool, 0, []) }
  },

  DescribeUserPool: inPool(async (ctx, pool) => ({
    UserPool: present(ctx, pool, await countUsers(ctx, pool), await findDomains(ctx, pool.id)),
  })),

  ListUserPools: async (ctx, input) => {
    const binding: PageBinding = { operation: 'ListUserPools', scope: ctx.region }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.MaxResults)
    const found = await ctx.db
      .selectFrom('pools')
      .selectAll()
      .where(isInRegion(ctx.region, ctx.clock.now()))
      .where('id', '>', page.after?.[0] ?? '')
      .orderBy('id')
      .limit(page.limit + 1)
      .execute()
    const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.id])
    return { UserPools: rows.map(row => presentInList(ctx, poolFromRow(row))), NextToken: nextToken }
  },

  UpdateUserPool: async (ctx, input) => {
    await changePool(
      ctx,
      input.UserPoolId,
      pool => ({
        name: input.PoolName ?? pool.name,
        settings: updatePoolSettings(pool, input),
      }),
      assertNoImport,
    )
    return {}
  },

  DeleteUserPool: async (ctx, input) => {
    await deletePool(ctx, input.UserPoolId, async (tx, pool) => {
      await assertNoImport(tx, pool.id)
      if (replicaStatus(pool.replica, tx.clock.now()) !== undefined) throw poolHasReplica()
      if (pool.settings.DeletionProtection === 'ACTIVE') throw deletionProtected()
      if ((await findDomains(tx, pool.id)).length > 0) throw poolDeletionBlockedByDomain()
    })
  },

  AddCustomAttributes: async (ctx, input) => {
    const add = ({ settings }: Pool) => ({
      settings: {
        ...settings,
        SchemaAttributes: addCustomAttributes(settings.SchemaAttributes ?? [], input.CustomAttributes),
      },
    })
    await changeLockedPool(ctx, input.UserPoolId, add, { touches: true, check: assertNoImport })
    return {}
  },

  GetUserPoolMfaConfig: inPool(async (_ctx, pool) => presentMfaConfig(pool.settings)),

  SetUserPoolMfaConfig: async (ctx, input) => {
    const pool = await changePool(ctx, input.UserPoolId, found => ({ settings: applyMfaConfig(found, input) }))
    return presentMfaConfig(pool.settings)
  },

  GetSigningCertificate: inPool(async (ctx, pool) => {
    const keys = await getSigningKeys(ctx, pool)
    return { Certificate: makeSigningCertificate(pool, keys.id, ctx.clock.now()) }
  }),

  GetUserPoolSessionConfiguration: inPool(async (_ctx, pool) => ({
    UserPoolId: pool.id,
    ...sessionConfiguration(pool),
  })),

  SetUserPoolSessionConfiguration: async (ctx, { UserPoolId, ...requested }) => {
    const pool = await changePool(ctx, UserPoolId, found => ({ settings: withSessionConfiguration(found, requested) }))
    return { UserPoolId: pool.id, ...sessionConfiguration(pool) }
  },

  GetLogDeliveryConfiguration: inPool(async (_ctx, pool) => presentLogDelivery(pool.id, pool.settings)),

  SetLogDeliveryConfiguration: async (ctx, input) => {
    const change = ({ settings }: Pool) => ({ settings: withLogConfigurations(settings, input.LogConfigurations) })
    await changeLockedPool(ctx, input.UserPoolId, change, { touches: false })
    return presentLogDelivery(input.UserPoolId, input)
  },

  CreateUserPoolReplica: async (ctx, input) => ({
    UserPoolReplica: await createReplica(ctx, input.UserPoolId, input.RegionName, input.UserPoolTags ?? {}),
  }),

  ListUserPoolReplicas: inPool(async (ctx, pool, input) => {
    // There are never more than two, so there is never a second page.
    readPage(ctx, { operation: 'ListUserPoolReplicas', scope: pool.id }, input.NextToken, undefined)
    return { UserPoolReplicas: presentReplicas(ctx, pool) }
  }),

  UpdateUserPoolReplica: async (ctx, input) => ({
    UserPoolReplica: await setReplicaStatus(ctx, input.UserPoolId, input.RegionName, input.Status),
  }),

  DeleteUserPoolReplica: async (ctx, input) => ({
    UserPoolReplica: await deleteReplica(ctx, input.UserPoolId, input.RegionName),
  }),

  GetProvisionedLimit: async (ctx, { LimitDefinition }) => ({
    Limit: await readLimit(ctx, LimitDefinition),
  }),

  UpdateProvisionedLimit: async (ctx, { LimitDefinition, RequestedLimitValue }) => ({
    Limit: await changeLimit(ctx, LimitDefinition, RequestedLimitValue),
  }),

  TagResource: async (ctx, input) => {
    await changeTags(ctx, input.ResourceArn, tags => checkTags(mergeTags(tags, input.Tags), invalidTags))
    return {}
  },

  UntagResource: async (ctx, input) => {
    await changeTags(ctx, input.ResourceArn, tags => withoutTags(tags, input.TagKeys))
    return {}
  },

  ListTagsForResource: async (ctx, input) => {
    const pool = await getPool(ctx, poolIdFromArn(ctx, input.ResourceArn))
    return { Tags: pool.settings.UserPoolTags ?? {} }
  },
} satisfies Operations<
  | 'CreateUserPool'
  | 'DescribeUserPool'
  | 'ListUserPools'
  | 'UpdateUserPool'
  | 'DeleteUserPool'
  | 'AddCustomAttributes'
  | 'GetUserPoolMfaConfig'
  | 'SetUserPoolMfaConfig'
  | 'GetSigningCertificate'
  | 'TagResource'
  | 'UntagResource'
  | 'ListTagsForResource'
  | 'GetUserPoolSessionConfiguration'
  | 'SetUserPoolSessionConfiguration'
  | 'GetLogDeliveryConfiguration'
  | 'SetLogDeliveryConfiguration'
  | 'CreateUserPoolReplica'
  | 'ListUserPoolReplicas'
  | 'UpdateUserPoolReplica'
  | 'DeleteUserPoolReplica'
  | 'GetProvisionedLimit'
  | 'UpdateProvisionedLimit'
>

/** Replaces the tags of the pool by what `change` makes of them. Tags are no part of the pool's date of modification. */
const changeTags = (
  ctx: Context,
  arn: string,
  change: (tags: Record<string, string>) => Record<string, string>,
): Promise<void> =>
  changeLockedPool(
    ctx,
    poolIdFromArn(ctx, arn),
    ({ settings }) => ({ settings: { ...settings, UserPoolTags: change(settings.UserPoolTags ?? {}) } }),
    { touches: false },
  )

/** PoolSettings → the answer of Get- and SetLogDeliveryConfiguration. */
const presentLogDelivery = (
  UserPoolId: string,
  { LogConfigurations = [] }: Pick<PoolSettings, 'LogConfigurations'>,
) => ({
  LogDeliveryConfiguration: { UserPoolId, LogConfigurations },
})

/** Pool → UserPoolType. The settings that only operations of their own show are left out. */
const present = (ctx: Context, pool: Pool, users: number, domains: readonly Domain[]): UserPoolType => {
  const prefix = domains.find(domain => domain.kind === 'prefix')
  const custom = domains.find(domain => domain.kind === 'custom')
  const {
    SoftwareTokenMfaConfiguration,
    EmailMfaConfiguration,
    WebAuthnConfiguration,
    SessionConfiguration,
    LogConfigurations,
    ...settings
  } = pool.settings
  return {
    Id: pool.id,
    Name: pool.name,
    ...settings,
    LastModifiedDate: new Date(pool.updatedAt),
    CreationDate: new Date(pool.createdAt),
    EstimatedNumberOfUsers: users,
    ...(prefix !== undefined && { Domain: prefix.name }),
    ...(custom !== undefined && { CustomDomain: custom.name }),
    Arn: poolArn(ctx.settings, { id: pool.id, region: ctx.region }),
  }
}

/** Pool → UserPoolDescriptionType. */
const presentInList = (ctx: Context, pool: Pool): UserPoolDescriptionType => ({
  Id: pool.id,
  Name: pool.name,
  LambdaConfig: (poolSeenFrom(pool, ctx.region, ctx.clock.now()) ?? pool).settings.LambdaConfig ?? {},
  LastModifiedDate: new Date(pool.updatedAt),
  CreationDate: new Date(pool.createdAt),
  ...(pool.replica !== undefined &&
    replicaStatus(pool.replica, ctx.clock.now()) !== undefined && { ReplicaRegions: [pool.replica.region] }),
})
