/** Errors of the operations as mistakes of the file: at the entry, or at its member where the message tells which. */
import { operations, structures } from '../contract/model.ts'
import type { OperationName } from '../contract/types.ts'
import { CognitoError } from '../core/errors.ts'
import { isUniqueViolation } from '../store/database.ts'
import { type Entry, SeedError } from './document.ts'

/**
 * Runs the work for an entry of the file. Returns what it returns.
 * @throws SeedError for what the operation refuses; anything else is thrown on.
 */
export const applying = async <T>(
  entry: Entry<object>,
  operation: OperationName,
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (isUniqueViolation(error)) throw new SeedError(entry.path, 'the id is taken')
    if (!(error instanceof CognitoError)) throw error
    throw new SeedError(entry.path + memberNamed(entry.input, operation, error.message), error.message)
  }
}

/** Shorter names are words that occur in any sentence, unless they are written as the member is. */
const wordLengthMax = 8

/** `.CallbackURLs` when the message names the member or repeats an element of its list; the empty text when it does not. */
const memberNamed = (input: object, operation: OperationName, message: string): string => {
  const named = namesOf(operation)
    .map(name => ({ name, at: positionOf(message, name) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at || other.name.length - one.name.length)
  if (named[0] !== undefined) return `.${named[0].name}`
  for (const [name, value] of Object.entries(input)) {
    if (!Array.isArray(value)) continue
    const index = value.findIndex(item => typeof item === 'string' && item !== '' && message.includes(item))
    if (index >= 0) return `.${name}[${index}]`
  }
  return ''
}

/** The names that entries have for the members of the operation. */
const namesOf = (operation: OperationName): string[] =>
  operation === 'AdminCreateUser'
    ? ['Username', 'Attributes', 'Password', 'TemporaryPassword']
    : Object.keys(structures[operations[operation].input]?.members ?? {})

const positionOf = (message: string, name: string): number =>
  message.search(new RegExp(`\\b${name}\\b`, name.length > wordLengthMax ? 'i' : ''))
