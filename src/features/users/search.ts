/** How attribute values are found by ListUsers. */

/** Attributes that ListUsers can filter by and that are kept as rows; compared without regard to case. */
export const searchableAttributes: ReadonlySet<string> = new Set([
  'email',
  'phone_number',
  'name',
  'given_name',
  'family_name',
  'preferred_username',
])

/** An index entry must stay well below PostgreSQL's limit of 2,704 bytes. */
const searchLengthMax = 256

/** The folded beginning of the value, which the index holds; null for attributes that cannot be searched. */
export const searchText = (name: string, value: string): string | null =>
  searchableAttributes.has(name) ? foldForSearch(value) : null

/** Folds case and cuts to the indexed length, never in the middle of a character. */
export const foldForSearch = (value: string): string =>
  Array.from(value.normalize('NFC').toLowerCase()).slice(0, searchLengthMax).join('')
