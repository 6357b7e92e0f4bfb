/**
 * The Filter of ListUsers: one condition, `attribute = "value"` or `attribute ^= "value"` (begins with). The attribute
 * may stand in quotes too, blanks are free, and in a value a backslash goes before a quote or a backslash.
 */
import { invalidSearchAttribute, unparsableFilter } from './errors.ts'
import { canonicalName } from './usernames.ts'

/** The attributes that ListUsers can search, and whether it tells upper from lower case in their values. */
const caseSensitivity = {
  username: true,
  email: false,
  phone_number: false,
  name: false,
  given_name: false,
  family_name: false,
  preferred_username: false,
  'cognito:user_status': false,
  status: true,
  sub: true,
} as const

export type FilterAttribute = keyof typeof caseSensitivity

/** The attributes that ListUsers can search. Custom attributes are not among them. */
export const filterAttributes = Object.keys(caseSensitivity) as readonly FilterAttribute[]

export interface UserFilter {
  attribute: FilterAttribute
  /** Equal to the value, or beginning with it. */
  operator: '=' | '^='
  value: string
}

const filterLengthMax = 256

const grammar = /^[ \t]*(?:"([^"]*)"|([^\s"=^]+))[ \t]*(\^?=)[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*$/s

/**
 * The condition, or undefined for the empty filter that all users pass. Throws InvalidParameterException when the text
 * is not a filter or names an attribute that cannot be searched.
 */
export const parseFilter = (text: string | undefined): UserFilter | undefined => {
  if (text === undefined || text.trim() === '') return undefined
  if ([...text.slice(0, 2 * filterLengthMax + 1)].length > filterLengthMax) throw unparsableFilter()
  const match = grammar.exec(text)
  if (match === null) throw unparsableFilter()
  const attribute = match[1] ?? match[2] ?? ''
  if (!isFilterAttribute(attribute)) throw invalidSearchAttribute(attribute)
  const value = (match[4] ?? '').replace(/\\(["\\])/g, '$1')
  return { attribute, operator: match[3] === '=' ? '=' : '^=', value }
}

const isFilterAttribute = (name: string): name is FilterAttribute => Object.hasOwn(caseSensitivity, name)

/**
 * The form of a value in which a condition on the attribute compares it: stored values and filters in this form are
 * equal, or one begins with the other, exactly when the users match.
 */
export const filterKey = (attribute: FilterAttribute, value: string): string =>
  canonicalName(value, { caseSensitive: caseSensitivity[attribute] })

/** Whether a user whose attribute has this value passes the filter; a user without the attribute does not. */
export const matchesFilter = (filter: UserFilter, value: string | undefined): boolean => {
  if (value === undefined) return false
  const actual = filterKey(filter.attribute, value)
  const wanted = filterKey(filter.attribute, filter.value)
  return filter.operator === '=' ? actual === wanted : actual.startsWith(wanted)
}
