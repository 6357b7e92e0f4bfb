/** The operations on groups and their members. */
import type { Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { inPool } from '../user-pools/pool.ts'
import { getUserByName, loadUsers, presentUser } from '../users/user.ts'
import { createGroup, deleteGroup, getGroup, listGroups, presentGroup, updateGroup } from './group.ts'
import { addToGroup, groupsOf, membersOf, removeFromGroup } from './membership.ts'

export const groupOperations = {
  CreateGroup: inPool(async (ctx, pool, input) => ({
    Group: presentGroup(await createGroup(ctx, pool, input.GroupName, input)),
  })),

  GetGroup: inPool(async (ctx, pool, input) => ({ Group: presentGroup(await getGroup(ctx, pool, input.GroupName)) })),

  UpdateGroup: inPool(async (ctx, pool, input) => ({
    Group: presentGroup(await updateGroup(ctx, pool, input.GroupName, input)),
  })),

  DeleteGroup: inPool((ctx, pool, input) => deleteGroup(ctx, pool, input.GroupName)),

  ListGroups: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListGroups', scope: pool.id }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.Limit)
    const groups = await listGroups(ctx, pool, page.after?.[0] ?? '', page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, groups, group => [group.name])
    return { Groups: rows.map(presentGroup), NextToken: nextToken }
  }),

  ListUsersInGroup: inPool(async (ctx, pool, input) => {
    await getGroup(ctx, pool, input.GroupName)
    const binding: PageBinding = { operation: 'ListUsersInGroup', scope: pool.id, parameters: [input.GroupName] }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.Limit)
    const members = await membersOf(ctx, pool, input.GroupName, page.after?.[0] ?? '', page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, members, member => [member.id])
    return { Users: (await loadUsers(ctx, rows)).map(user => presentUser(user)), NextToken: nextToken }
  }),

  AdminAddUserToGroup: inPool(async (ctx, pool, input) => {
    await addToGroup(ctx, pool, await getUserByName(ctx, pool, input.Username), input.GroupName)
  }),

  AdminRemoveUserFromGroup: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    await getGroup(ctx, pool, input.GroupName)
    await removeFromGroup(ctx, user, input.GroupName)
  }),

  AdminListGroupsForUser: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    const binding: PageBinding = { operation: 'AdminListGroupsForUser', scope: pool.id, parameters: [user.id] }
    const page = readPage<[string]>(ctx, binding, input.NextToken, input.Limit)
    const groups = await groupsOf(ctx, user, page.after?.[0], page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, groups, group => [group.name])
    return { Groups: rows.map(presentGroup), NextToken: nextToken }
  }),
} satisfies Operations<
  | 'CreateGroup'
  | 'GetGroup'
  | 'UpdateGroup'
  | 'DeleteGroup'
  | 'ListGroups'
  | 'ListUsersInGroup'
  | 'AdminAddUserToGroup'
  | 'AdminRemoveUserFromGroup'
  | 'AdminListGroupsForUser'
>
