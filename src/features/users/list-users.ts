/**
 * ListUsers: at most one condition, answered from one stretch of an index and in the order of that index, so that a page
 * costs the same at a thousand and at a million users.
 */
import { type Selectable, sql } from 'kysely'
import {
  type FilterAttribute,
  filterKey,
  matchesFilter,
  parseFilter,
  type UserFilter,
} from '../../core/list-users-filter.ts'
import type { UserRow } from '../../store/tables.ts'
import type { Context } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import type { Pool } from '../user-pools/pool.ts'
import { foldForSearch } from './search.ts'
import { loadUsers, type User, type UserStatus } from './user.ts'

export interface ListUsersRequest {
  filter: string | undefined
  token: string | undefined
  limit: number | undefined
}

/** A row of the list, with the value by which the list is ordered before the user's id. */
type Found = Selectable<UserRow> & { position: string | number }
type Position = [position: string | number, id: string]

/** Which part of a list is wanted. */
interface Part {
  after: Position | undefined
  limit: number
}

/**
 * The users who pass the filter, a page at a time.
 * @throws InvalidParameterException for a filter or a page token that is not one.
 */
export const listUsers = async (
  ctx: Context,
  pool: Pool,
  request: ListUsersRequest,
): Promise<{ users: User[]; nextToken: string | undefined }> => {
  const filter = parseFilter(request.filter)
  const binding: PageBinding = { operation: 'ListUsers', scope: pool.id, parameters: [request.filter] }
  const page = readPage<Position>(ctx, binding, request.token, request.limit)
  const found = await findUsers(ctx, pool, filter, { after: page.after, limit: page.limit + 1 })
  const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.position, row.id])
  const users = await loadUsers(ctx, rows)
  return { users: filter === undefined ? users : users.filter(user => passes(user, filter)), nextToken }
}

/** What a filter compares of a user, apart from the attributes. */
const comparedValues: Partial<Record<FilterAttribute, (user: User) => string>> = {
  sub: user => user.id,
  username: user => user.username,
  'cognito:user_status': user => user.status,
  status: user => enabledText(user.enabled),
}

const enabledText = (enabled: boolean): string => (enabled ? 'Enabled' : 'Disabled')

/**
 * The index holds the beginnings of values only, and a user may have changed since it was read. So what the index finds
 * is compared once more.
 */
const passes = (user: User, filter: UserFilter): boolean =>
  matchesFilter(filter, comparedValues[filter.attribute]?.(user) ?? user.attributes.get(filter.attribute))

const findUsers = (ctx: Context, pool: Pool, filter: UserFilter | undefined, part: Part): Promise<Found[]> => {
  if (filter === undefined) return byId(ctx, pool, { operator: '^=', value: '' }, part)
  const { attribute, operator, value } = filter
  switch (attribute) {
    case 'sub':
      return byId(ctx, pool, { operator, value }, part)
    case 'username':
      return byUsername(ctx, pool, { operator, value: filterKey('username', value) }, part)
    case 'cognito:user_status':
      return byValues(ctx, pool, 'status', matchingStatuses(filter), part)
    case 'status':
      return byValues(ctx, pool, 'enabled', matchingEnabled(filter), part)
    default:
      return byAttribute(ctx, pool, attribute, { operator, value: foldForSearch(attribute, value) }, part)
  }
}

// ---------------------------------------------------------------------------------------------- conditions

/** A condition on text as the database has it. */
type Condition = Pick<UserFilter, 'operator' | 'value'>

const holds = (column: string, { operator, value }: Condition) => {
  const compared = sql.ref(column)
  if (operator === '=') return sql<boolean>`${compared} = ${value}`
  const end = endOfPrefix(value)
  return end === undefined
    ? sql<boolean>`${compared} >= ${value}`
    : sql<boolean>`(${compared} >= ${value} and ${compared} < ${end})`
}

const isBehind = (column: string, idColumn: string, [position, id]: Position) =>
  sql<boolean>`(${sql.ref(column)}, ${sql.ref(idColumn)}) > (${position}, ${id})`

/**
 * The least text that is greater than every text with this prefix; undefined when there is none. Both databases compare
 * text by its UTF-8 bytes, which is by code points.
 */
const endOfPrefix = (prefix: string): string | undefined => {
  const points = Array.from(prefix, character => character.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  // Behind U+D7FF come the surrogates, which are no characters.
  return last === undefined ? undefined : String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}

// ---------------------------------------------------------------------------------------------- queries

const byId = (ctx: Context, pool: Pool, condition: Condition, { after, limit }: Part): Promise<Found[]> =>
  ctx.db
    .selectFrom('users')
    .selectAll()
    .select('id as position')
    .where('pool_id', '=', pool.id)
    .where(holds('id', condition))
    .where('id', '>', after?.[1] ?? '')
    .orderBy('id')
    .limit(limit)
    .execute()

const byUsername = (ctx: Context, pool: Pool, condition: Condition, { after, limit }: Part): Promise<Found[]> =>
  ctx.db
    .selectFrom('users')
    .selectAll()
    .select('username_search as position')
    .where('pool_id', '=', pool.id)
    .where(holds('username_search', condition))
    .$if(after !== undefined, query => query.where(isBehind('username_search', 'id', after as Position)))
    .orderBy('username_search')
    .orderBy('id')
    .limit(limit)
    .execute()

const byAttribute = (
  ctx: Context,
  pool: Pool,
  name: FilterAttribute,
  condition: Condition,
  { after, limit }: Part,
): Promise<Found[]> =>
  ctx.db
    .selectFrom('user_attributes')
    .innerJoin('users', 'users.id', 'user_attributes.user_id')
    .selectAll('users')
    .select(sql<string>`user_attributes.search`.as('position'))
    .where('user_attributes.pool_id', '=', pool.id)
    .where('user_attributes.name', '=', name)
    .where(holds('user_attributes.search', condition))
    .$if(after !== undefined, query =>
      query.where(isBehind('user_attributes.search', 'user_attributes.user_id', after as Position)),
    )
    .orderBy('user_attributes.search')
    .orderBy('user_attributes.user_id')
    .limit(limit)
    .execute()

/** All values of the two columns that have few of them, in the order in which they are listed. */
const statuses: UserStatus[] = [
  'CONFIRMED',
  'EXTERNAL_PROVIDER',
  'FORCE_CHANGE_PASSWORD',
  'RESET_REQUIRED',
  'UNCONFIRMED',
]
const matchingStatuses = (filter: UserFilter): string[] => statuses.filter(status => matchesFilter(filter, status))
const matchingEnabled = (filter: UserFilter): number[] =>
  [0, 1].filter(enabled => matchesFilter(filter, enabledText(enabled === 1)))

/** One value after the other, since each of them is a stretch of the index in the order of ids. */
const byValues = async (
  ctx: Context,
  pool: Pool,
  column: 'status' | 'enabled',
  values: readonly (string | number)[],
  { after, limit }: Part,
): Promise<Found[]> => {
  const found: Found[] = []
  for (const value of values) {
    if (found.length === limit) break
    if (after !== undefined && value < after[0]) continue
    const rows = await ctx.db
      .selectFrom('users')
      .selectAll()
      .select(sql<string | number>`${sql.ref(column)}`.as('position'))
      .where('pool_id', '=', pool.id)
      .where(sql<boolean>`${sql.ref(column)} = ${value}`)
      .where('id', '>', value === after?.[0] ? after[1] : '')
      .orderBy('id')
      .limit(limit - found.length)
      .execute()
    found.push(...rows)
  }
  return found
}
