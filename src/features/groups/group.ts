/**
 * Groups of a pool: rows, look-up, and the AWS shape. Membership stands in membership.ts.
 *
 * Owned by this folder: groups and who belongs to them. Not owned: what tokens make of them.
 */
import type { GroupType } from '../../contract/types.ts'
import { groupExists, groupNotFound, tooManyGroups, userPoolNotFound } from '../../core/errors.ts'
import { isUniqueViolation } from '../../store/database.ts'
import type { GroupRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'

const groupsPerPoolMax = 10_000

/** The members that create and update share; what is undefined is left as it is by an update. */
export interface GroupMembers {
  Description?: string | undefined
  RoleArn?: string | undefined
  Precedence?: number | undefined
}

/** @throws ResourceNotFoundException */
export const getGroup = async (ctx: ReadContext, pool: Pool, name: string): Promise<GroupRow> => {
  const group = await ctx.db
    .selectFrom('groups')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('name', '=', name)
    .executeTakeFirst()
  if (group === undefined) throw groupNotFound()
  return group
}

/** Groups of the pool by name, beginning after the given name. */
export const listGroups = (ctx: ReadContext, pool: Pool, afterName: string, limit: number): Promise<GroupRow[]> =>
  ctx.db
    .selectFrom('groups')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('name', '>', afterName)
    .orderBy('name')
    .limit(limit)
    .execute()

/** @throws GroupExistsException, LimitExceededException, ResourceNotFoundException when the pool was deleted meanwhile */
export const createGroup = async (ctx: Context, pool: Pool, name: string, members: GroupMembers): Promise<GroupRow> => {
  const now = ctx.clock.now()
  const row: GroupRow = {
    pool_id: pool.id,
    name,
    description: members.Description ?? null,
    role_arn: members.RoleArn ?? null,
    precedence: members.Precedence ?? null,
    created_at: now,
    updated_at: now,
  }
  await inTransaction(ctx, async tx => {
    await lockPool(tx, pool)
    try {
      await tx.db.insertInto('groups').values(row).execute()
    } catch (error) {
      throw isUniqueViolation(error) ? groupExists() : error
    }
    if ((await countGroups(tx, pool)) > groupsPerPoolMax) throw tooManyGroups()
  })
  return row
}

/** One group after the other is created in a pool, so that the count is exact. */
const lockPool = async (tx: TransactionContext, pool: Pool): Promise<void> => {
  const locked = await tx.db
    .updateTable('pools')
    .set(row => ({ region: row.ref('region') }))
    .where('id', '=', pool.id)
    .returning('id')
    .executeTakeFirst()
  if (locked === undefined) throw userPoolNotFound(pool.id)
}

const countGroups = async (tx: TransactionContext, pool: Pool): Promise<number> => {
  const { count } = await tx.db
    .selectFrom('groups')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('pool_id', '=', pool.id)
    .executeTakeFirstOrThrow()
  return count
}

/** Changes the members that are given. @throws ResourceNotFoundException */
export const updateGroup = async (ctx: Context, pool: Pool, name: string, members: GroupMembers): Promise<GroupRow> => {
  const updated = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('groups')
      .set({
        updated_at: tx.clock.now(),
        ...(members.Description !== undefined && { description: members.Description }),
        ...(members.RoleArn !== undefined && { role_arn: members.RoleArn }),
        ...(members.Precedence !== undefined && { precedence: members.Precedence }),
      })
      .where('pool_id', '=', pool.id)
      .where('name', '=', name)
      .returningAll()
      .executeTakeFirst(),
  )
  if (updated === undefined) throw groupNotFound()
  return updated
}

/** Deletes the group and its memberships. @throws ResourceNotFoundException */
export const deleteGroup = async (ctx: Context, pool: Pool, name: string): Promise<void> => {
  const deleted = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('groups')
      .where('pool_id', '=', pool.id)
      .where('name', '=', name)
      .returning('name')
      .executeTakeFirst(),
  )
  if (deleted === undefined) throw groupNotFound()
}

/** GroupRow → GroupType; what is not set is absent. */
export const presentGroup = (group: GroupRow): GroupType => ({
  GroupName: group.name,
  UserPoolId: group.pool_id,
  ...(group.description !== null && { Description: group.description }),
  ...(group.role_arn !== null && { RoleArn: group.role_arn }),
  ...(group.precedence !== null && { Precedence: group.precedence }),
  LastModifiedDate: new Date(group.updated_at),
  CreationDate: new Date(group.created_at),
})
