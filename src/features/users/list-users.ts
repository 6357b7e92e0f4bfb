/**
 * ListUsers: one condition, answered from an index, in an order that the index gives. Each kind of filter is a row of
 * conditions on columns that stand together in one index, so that a page costs the same at a thousand and at a million
 * users.
 */
import { sql, type Selectable } from 'kysely'
import { type FilterAttribute, filterKey, matchesFilter, parseFilter, type UserFilter } from '../../core/list-users-filter.ts'
import type { UserRow } from '../../store/tables.ts'
import type { Context } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import type { Pool } from '../user-pools/pool.ts'
import { foldForSearch } from './search.ts'
import { loadUsers, type User, type UserStatus } from './user.ts'

/** Greater than every text that begins with the prefix: no character sorts behind U+10FFFF. */
const endOfPrefix = (prefix: string): string => `${prefix}\u{10ffff}`

const statuses: UserStatus[] = ['CONFIRMED', 'EXTERNAL_PROVIDER', 'FORCE_CHANGE_PASSWORD', 'RESET_REQUIRED', 'UNCONFIRMED']

/** A row of the list with the value by which the list is ordered before the user's id. */
type Found = Selectable<UserRow> & { position: string | number }
type Position = [string | number, string]

/**
 * The users who pass the filter, a page at a time.
 * @throws InvalidParameterException for a filter or a page token that is not one.
 */
export const listUsers = async (
  ctx: Context,
  pool: Pool,
  { filter: filterText, token, limit }: { filter: string | undefined; token: string | undefined; limit: number | undefined },
): Promise<{ users: User[]; nextToken: string | undefined }> => {
  const filter = parseFilter(filterText)
  const binding: PageBinding = { operation: 'ListUsers', scope: pool.id, parameters: [filterText] }
  const page = readPage<Position>(ctx, binding, token, limit)
  const found = await findUsers(ctx, pool, filter, page.after, page.limit + 1)
  const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.position, row.id])
  return { users: await loadUsers(ctx, rows), nextToken }
}

const findUsers = (
  ctx: Context,
  pool: Pool,
  filter: UserFilter | undefined,
  after: Position | undefined,
  limit: number,
): Promise<Found[]> => {
  if (filter === undefined) return byColumn(ctx, pool, 'id', { from: '', to: undefined }, after, limit)
  switch (filter.attribute) {
    case 'sub':
      return byColumn(ctx, pool, 'id', rangeOf(filter.operator, filter.value), after, limit)
    case 'username':
      return byColumn(ctx, pool, 'username', rangeOf(filter.operator, filterKey('username', filter.value)), after, limit)
    case 'cognito:user_status': {
      const values = statuses.filter(status => matchesFilter(filter, status))
      return byValues(ctx, pool, 'status', values, after, limit)
    }
    case 'status': {
      const values = [0, 1].filter(enabled => matchesFilter(filter, enabled === 1 ? 'Enabled' : 'Disabled'))
      return byValues(ctx, pool, 'enabled', values, after, limit)
    }
    default:
      return byAttribute(ctx, pool, filter, after, limit)
  }
}

/** From and to, both included; without an end the range is open. */
interface Range {
  from: string
  to: string | undefined
}

const rangeOf = (operator: UserFilter['operator'], value: string): Range => ({
  from: value,
  to: operator === '=' ? value : endOfPrefix(value),
})

const byColumn = (
  ctx: Context,
  pool: Pool,
  column: 'id' | 'username',
  range: Range,
  after: Position | undefined,
  limit: number,
): Promise<Found[]> => {
  let query = ctx.db
    .selectFrom('users')
    .selectAll()
    .select(`${column} as position`)
    .where('pool_id', '=', pool.id)
    .where(column, '>=', range.from)
  if (range.to !== undefined) query = query.where(column, '<=', range.to)
  if (after !== undefined) {
    query =
      column === 'id'
        ? query.where('id', '>', after[1])
        : query.where(sql<boolean>`(username, id) > (${after[0]}, ${after[1]})`)
  }
  query = column === 'id' ? query.orderBy('id') : query.orderBy('username').orderBy('id')
  return query.limit(limit).execute()
}

const byValues = async (
  ctx: Context,
  pool: Pool,
  column: 'status' | 'enabled',
  values: (string | number)[],
  after: Position | undefined,
  limit: number,
): Promise<Found[]> => {
  const found: Found[] = []
  // One value after the other: each is one stretch of the index, in the order of ids.
  for (const value of values) {
    if (found.length === limit) break
    if (after !== undefined && value < after[0]) continue
    found.push(
      ...(await ctx.db
        .selectFrom('users')
        .selectAll()
        .select(`${column} as position`)
        .where('pool_id', '=', pool.id)
        .where(column, '=', value as never)
        .where('id', '>', after !== undefined && value === after[0] ? after[1] : '')
        .orderBy('id')
        .limit(limit - found.length)
        .execute()),
    )
  }
  return found
}

const byAttribute = (
  ctx: Context,
  pool: Pool,
  filter: UserFilter,
  after: Position | undefined,
  limit: number,
): Promise<Found[]> => {
  const range = rangeOf(filter.operator, foldForSearch(filter.attribute as FilterAttribute, filter.value))
  let query = ctx.db
    .selectFrom('user_attributes')
    .innerJoin('users', 'users.id', 'user_attributes.user_id')
    .selectAll('users')
    .select(sql<string>`user_attributes.search`.as('position'))
    .where('user_attributes.pool_id', '=', pool.id)
    .where('user_attributes.name', '=', filter.attribute)
    .where('user_attributes.search', '>=', range.from)
    .where('user_attributes.search', '<=', range.to ?? range.from)
  if (after !== undefined) {
    query = query.where(sql<boolean>`(user_attributes.search, user_attributes.user_id) > (${after[0]}, ${after[1]})`)
  }
  return query.orderBy('user_attributes.search').orderBy('user_attributes.user_id').limit(limit).execute()
}
