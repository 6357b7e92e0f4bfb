/** How attribute values are found by ListUsers: the row of an attribute that can be searched holds its folded value. */
import { type FilterAttribute, filterKey } from '../../core/list-users-filter.ts'

/** Attributes that ListUsers can filter by and that are kept as rows. */
const searchableAttributes: ReadonlySet<string> = new Set<FilterAttribute>([
  'email',
  'phone_number',
  'name',
  'given_name',
  'family_name',
  'preferred_username',
])

/** An index entry must stay well below PostgreSQL's limit of 2,704 bytes. */
export const searchLengthMax = 512

/** The folded beginning of the value, which the index holds; null for attributes that cannot be searched. */
export const searchText = (name: string, value: string): string | null =>
  searchableAttributes.has(name) ? foldForSearch(name as FilterAttribute, value) : null

/** The value in the form in which filters compare it, cut to the indexed length, never in the middle of a character. */
export const foldForSearch = (name: FilterAttribute, value: string): string =>
  Array.from(filterKey(name, value)).slice(0, searchLengthMax).join('')
