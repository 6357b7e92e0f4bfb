/** Who belongs to which group. */
import type { Selectable } from 'kysely'
import { groupNotFound, tooManyGroupsOfUser } from '../../core/errors.ts'
import { isForeignKeyViolation } from '../../store/database.ts'
import { prepared } from '../../store/prepared.ts'
import type { GroupRow, UserRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { lockUser, type User } from '../users/user.ts'
import { insertProviderGroup } from './group.ts'

const groupsPerUserMax = 100

/** The groups of the user by name: all of them, as tokens show them, or a page that begins after a name. */
export const groupsOf = (
  ctx: ReadContext,
  user: Pick<User, 'id'>,
  afterName = '',
  limit = groupsPerUserMax,
): Promise<GroupRow[]> => selectGroups(ctx.db, user.id, afterName, limit)

const selectGroups = prepared((db, userId: string, afterName: string, limit: number) =>
  db
    .selectFrom('group_members')
    .innerJoin('groups', join =>
      join.onRef('groups.pool_id', '=', 'group_members.pool_id').onRef('groups.name', '=', 'group_members.group_name'),
    )
    .selectAll('groups')
    .where('group_members.user_id', '=', userId)
    .where('group_members.group_name', '>', afterName)
    .orderBy('group_members.group_name')
    .limit(limit),
)

/**
 * Adds the user; a member stays one.
 * @throws ResourceNotFoundException when the group does not exist, InvalidParameterException over 100 groups,
 * UserNotFoundException when the user was deleted meanwhile
 */
export const addToGroup = (ctx: Context, pool: Pool, user: User, name: string): Promise<void> =>
  inTransaction(ctx, async tx => {
    // The lock makes the count exact.
    await lockUser(tx, user)
    if ((await insertMember(tx, pool, user, name)) && (await countGroupsOf(tx, user)) > groupsPerUserMax) {
      throw tooManyGroupsOfUser(groupsPerUserMax)
    }
  })

/**
 * Puts a user who has just come from an identity provider into the group of those who came from there, and makes the group
 * for the first of them. The caller has inserted the user's row.
 */
export const joinProviderGroup = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id'>,
  providerName: string,
): Promise<void> => {
  const name = `${pool.id}_${providerName}`
  await insertProviderGroup(tx, pool, name, providerName)
  await insertMember(tx, pool, user, name)
}

/** Returns false when the user is a member already. */
const insertMember = async (
  tx: TransactionContext,
  pool: Pool,
  user: Pick<User, 'id'>,
  name: string,
): Promise<boolean> => {
  try {
    const inserted = await tx.db
      .insertInto('group_members')
      .values({ pool_id: pool.id, group_name: name, user_id: user.id, created_at: tx.clock.now() })
      .onConflict(conflict => conflict.columns(['user_id', 'group_name']).doNothing())
      .returning('user_id')
      .executeTakeFirst()
    return inserted !== undefined
  } catch (error) {
    // The user's row is locked, so what is missing is the group.
    throw isForeignKeyViolation(error) ? groupNotFound() : error
  }
}

const countGroupsOf = async (tx: TransactionContext, user: User): Promise<number> => {
  const { count } = await tx.db
    .selectFrom('group_members')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow()
  return count
}

/** Takes the user out of the group; someone who is no member stays out. */
export const removeFromGroup = async (ctx: Context, user: User, name: string): Promise<void> => {
  await inTransaction(ctx, tx =>
    tx.db.deleteFrom('group_members').where('user_id', '=', user.id).where('group_name', '=', name).execute(),
  )
}

/** Members of the group by user id, beginning after the given id. */
export const membersOf = (
  ctx: ReadContext,
  pool: Pool,
  name: string,
  afterId: string,
  limit: number,
): Promise<Selectable<UserRow>[]> =>
  ctx.db
    .selectFrom('group_members')
    .innerJoin('users', 'users.id', 'group_members.user_id')
    .selectAll('users')
    .where('group_members.pool_id', '=', pool.id)
    .where('group_members.group_name', '=', name)
    .where('group_members.user_id', '>', afterId)
    .orderBy('group_members.user_id')
    .limit(limit)
    .execute()
