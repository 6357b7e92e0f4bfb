/** Google's People API: a person has lists of names, numbers and so on, of which the user has the main one. */

/** What can be asked for and mapped (People API, `personFields` of `people.get`). */
export const personFields: ReadonlySet<string> = new Set([
  'addresses',
  'ageRanges',
  'biographies',
  'birthdays',
  'calendarUrls',
  'coverPhotos',
  'emailAddresses',
  'events',
  'genders',
  'imClients',
  'interests',
  'locales',
  'locations',
  'miscKeywords',
  'names',
  'nicknames',
  'occupations',
  'organizations',
  'phoneNumbers',
  'photos',
  'relations',
  'sipAddresses',
  'skills',
  'urls',
  'userDefined',
])

type Entry = Record<string, unknown>

/** Where the text of an entry stands. */
const members = ['displayName', 'canonicalForm', 'formattedValue', 'value', 'url', 'ageRange', 'name']

/** The fields of a person as claims of one value each. */
export const personClaims = (person: Record<string, unknown>): Record<string, unknown> => {
  const claims: Record<string, unknown> = {}
  for (const [field, entries] of Object.entries(person)) {
    if (!personFields.has(field) || !Array.isArray(entries)) continue
    const entry = entries.find(isPrimary) ?? entries.find(isEntry)
    const value = entry && textOf(entry)
    if (value !== undefined) claims[field] = value
  }
  return claims
}

const isEntry = (value: unknown): value is Entry => typeof value === 'object' && value !== null

const isPrimary = (value: unknown): value is Entry =>
  isEntry(value) && isEntry(value['metadata']) && value['metadata']['primary'] === true

const textOf = (entry: Entry): unknown => {
  if (isEntry(entry['date'])) return dateOf(entry['date'])
  return members.map(member => entry[member]).find(value => typeof value === 'string' && value !== '')
}

/** YYYY-MM-DD; a year that is not told is 0000, as in OpenID Connect Core, section 5.1. */
const dateOf = ({ year = 0, month, day }: Entry): string | undefined => {
  if (![year, month, day].every(part => Number.isInteger(part) && Number(part) >= 0)) return undefined
  const padded = (part: unknown, length: number) => String(part).padStart(length, '0')
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`
}
