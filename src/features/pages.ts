/**
 * Pages of a list. A page token is the sealed position of the last row that was shown, bound to the operation, to the
 * pool (or region) and to the parameters that choose the rows, so that it opens nothing but the rest of its own list.
 *
 * The position is a keyset, never an offset: rows that come or go between two pages neither repeat nor hide others, and
 * the last page costs what the first one does.
 */
import type { OperationName } from '../contract/types.ts'
import { invalidPaginationToken } from '../core/errors.ts'
import type { Context } from './context.ts'

/** What a token belongs to. A token that was made with another binding is not authentic. */
export interface PageBinding {
  operation: OperationName
  /** The pool's id; for lists of pools the region. */
  scope: string
  /** The parameters that choose and order the rows: filter, group, username. The size of the page is not one. */
  parameters?: readonly (string | undefined)[]
}

/** The values of the columns that order the list, taken from the last row shown. */
export type PagePosition = readonly (string | number)[]

export interface Page<Position extends PagePosition> {
  /** How many rows to show. Select one more: that one tells whether there is a next page. */
  limit: number
  /** Select only the rows behind this position; undefined on the first page. */
  after: Position | undefined
}

const purpose = 'page-token'
const lifetimeMs = 3_600_000
const defaultLimit = 60
/** Far above what any position takes, and short enough to be refused before it is decoded. */
const tokenLengthMax = 8_192

/**
 * What to select. An absent limit and 0 both mean 60.
 * @throws InvalidParameterException for a token that is not authentic, older than an hour, or of another list.
 */
export const readPage = <Position extends PagePosition>(
  ctx: Pick<Context, 'seal' | 'clock'>,
  binding: PageBinding,
  token: string | undefined,
  limit: number | undefined,
): Page<Position> => ({
  limit: limit === undefined || limit === 0 ? defaultLimit : limit,
  after: token === undefined ? undefined : openToken<Position>(ctx, binding, token),
})

/**
 * Splits the selected rows (up to `page.limit + 1`) into those to show and the token of the next page, which is
 * undefined when this is the last one. `positionOf` names the values by which the query orders, in its order.
 */
export const writePage = <Position extends PagePosition, Row>(
  ctx: Pick<Context, 'seal' | 'clock'>,
  binding: PageBinding,
  page: Page<Position>,
  rows: readonly Row[],
  positionOf: (row: Row) => Position,
): { rows: readonly Row[]; nextToken: string | undefined } => {
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  if (rows.length <= page.limit || last === undefined) return { rows: shown, nextToken: undefined }
  const content: TokenContent<Position> = { after: positionOf(last), expiresAt: ctx.clock.now() + lifetimeMs }
  return { rows: shown, nextToken: ctx.seal.seal(purpose, JSON.stringify(content), boundTo(binding)) }
}

interface TokenContent<Position> {
  after: Position
  expiresAt: number
}

const openToken = <Position>(ctx: Pick<Context, 'seal' | 'clock'>, binding: PageBinding, token: string): Position => {
  if (token.length > tokenLengthMax) throw invalidPaginationToken()
  const opened = ctx.seal.open(purpose, token, boundTo(binding))
  if (opened === undefined) throw invalidPaginationToken()
  // Only this file seals for this purpose, so an authentic content has the shape that `writePage` gave it.
  const content = JSON.parse(opened.toString('utf8')) as TokenContent<Position>
  if (content.expiresAt <= ctx.clock.now()) throw invalidPaginationToken()
  return content.after
}

/** JSON keeps the parts apart whatever characters they hold. */
const boundTo = ({ operation, scope, parameters = [] }: PageBinding): string =>
  JSON.stringify([operation, scope, ...parameters.map(parameter => parameter ?? null)])
