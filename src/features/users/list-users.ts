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

const findUsers = async (ctx: Context, pool: Pool, filter: UserFilter | undefined, part: Part): Promise<Found[]> => {
  if (filter === undefined) return byId(ctx, pool, beginningWith(''), part)
  const { attribute, operator, value } = filter
  const condition = (text: string): Condition => (operator === '=' ? { is: text } : beginningWith(text))
  switch (attribute) {
    case 'sub':
      return byId(ctx, pool, condition(value), part)
    case 'username':
      return byColumn(ctx, pool, 'username_search', condition(filterKey('username', value)), part)
    case 'cognito:user_status':
      return byChoice(
        ctx,
        pool,
        'status',
        statuses.filter(status => matchesFilter(filter, status)).map(beginningWith),
        part,
      )
    case 'status':
      return byChoice(
        ctx,
        pool,
        'enabled',
        enabledRanges.filter(({ text }) => matchesFilter(filter, text)),
        part,
      )
    default:
      return byAttribute(ctx, pool, attribute, condition(foldForSearch(attribute, value)), part)
  }
}

// ---------------------------------------------------------------------------------------------- conditions

/** A stretch of an index: one value, or all from the first value on and below the second. */
type Condition = { is: string } | { from: string | number; below: string | number | undefined }

const beginningWith = (prefix: string): Condition => ({ from: prefix, below: endOfPrefix(prefix) })

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

/**
 * The condition, of what comes behind the position. There is one lower bound only: with two, the database could begin at
 * the wrong one.
 */
const holds = (column: string, idColumn: string, condition: Condition, after: Position | undefined) => {
  const [value, id] = [sql.ref(column), sql.ref(idColumn)]
  if ('is' in condition) return sql<boolean>`(${value} = ${condition.is} and ${id} > ${after?.[1] ?? ''})`
  const { from, below } = condition
  const begun = after === undefined ? sql<boolean>`${value} >= ${from}` : isBehind(column, idColumn, after)
  return below === undefined ? begun : sql<boolean>`(${begun} and ${value} < ${below})`
}

const isBehind = (column: string, idColumn: string, [position, after]: Position) =>
  column === idColumn
    ? sql<boolean>`${sql.ref(idColumn)} > ${after}`
    : sql<boolean>`(${sql.ref(column)}, ${sql.ref(idColumn)}) > (${position}, ${after})`

const statuses: UserStatus[] = [
  'CONFIRMED',
  'EXTERNAL_PROVIDER',
  'FORCE_CHANGE_PASSWORD',
  'RESET_REQUIRED',
  'UNCONFIRMED',
]
const enabledRanges = [0, 1].map(enabled => ({ text: enabledText(enabled === 1), from: enabled, below: enabled + 1 }))

// ---------------------------------------------------------------------------------------------- queries

const byId = (ctx: Context, pool: Pool, condition: Condition, part: Part): Promise<Found[]> =>
  byColumn(ctx, pool, 'id', condition, part)

/** Of the few values of a column no two begin alike, so a filter fits none, one or all of them. */
const byChoice = async (
  ctx: Context,
  pool: Pool,
  column: 'status' | 'enabled',
  [fitting, ...others]: Condition[],
  part: Part,
): Promise<Found[]> => {
  if (fitting === undefined) return []
  return others.length === 0 ? byColumn(ctx, pool, column, fitting, part) : byId(ctx, pool, beginningWith(''), part)
}

const byColumn = (
  ctx: Context,
  pool: Pool,
  column: 'id' | 'username_search' | 'status' | 'enabled',
  condition: Condition,
  { after, limit }: Part,
): Promise<Found[]> =>
  ctx.db
    .selectFrom('users')
    .selectAll()
    .select(sql<string | number>`${sql.ref(column)}`.as('position'))
    .where('pool_id', '=', pool.id)
    .where(holds(column, 'id', condition, after))
    // Of a range the database does not know that it holds one value, so it takes the index that has this order.
    .$if(column !== 'id', query => query.orderBy(column))
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
    .where('user_attributes.search', 'is not', null)
    .where(holds('user_attributes.search', 'user_attributes.user_id', condition, after))
    .orderBy('user_attributes.search')
    .orderBy('user_attributes.user_id')
    .limit(limit)
    .execute()
