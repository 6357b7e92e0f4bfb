/**
 * What SQLite and PostgreSQL have in common: the shape in which `database.ts` takes them, the refusal to start, and the
 * rule for parameters that makes one query mean the same on both.
 */
import type { Dialect } from 'kysely'

/** Runs one statement; the rows it returned (none for a statement without `returning`). Parameters are not rewritten. */
export type RunStatement = (statement: string, parameters?: readonly unknown[]) => Promise<Record<string, unknown>[]>

/** Ends a subscription. */
export type Unlisten = () => void

/** One kind of database, opened. `database.ts` says what each of the functions promises. */
export interface Backend {
  dialect: Dialect
  warnings: string[]
  ping(): Promise<void>
  notify(channel: string, payload: string): Promise<void>
  listen(channel: string, handler: (payload: string) => void, onGap?: () => void): Promise<Unlisten>
  exclusive<T>(work: (run: RunStatement) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The program cannot start, for a reason that one line explains. The message carries no secret and needs no stack. */
export class StartRefusal extends Error {
  override readonly name = 'StartRefusal'
}

/** The text of an error, for a message of one line. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const text =
    error instanceof Error ? error.message || String((error as { code?: unknown }).code ?? error.name) : String(error)
  return text.replace(/\s+/g, ' ').trim()
}

/**
 * Throws a TypeError for a parameter that the two databases would treat differently: text with a NUL or a lone
 * surrogate (one stores it, the other refuses it or stores something else), booleans, undefined, dates, and numbers
 * that are not exact. The message never carries the value.
 */
export function checkParameters(parameters: readonly unknown[]): void {
  for (let index = 0; index < parameters.length; index++) {
    const value = parameters[index]
    if (typeof value === 'string') {
      if (!value.isWellFormed() || value.includes('\0')) throw unfit(index, 'text that is not well formed')
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
        throw unfit(index, 'a number that is not exact')
      }
    } else if (value !== null && typeof value !== 'bigint') {
      throw unfit(index, `of type ${typeof value}`)
    }
  }
}

const unfit = (index: number, what: string) => new TypeError(`Parameter ${index + 1} of a query is ${what}.`)

const channelPattern = /^[a-z][a-z0-9_]*$/

/** Throws a TypeError for a channel or schema name that is not a plain lower-case identifier of at most 40 characters. */
export function checkIdentifier(name: string): void {
  if (name.length > 40 || !channelPattern.test(name))
    throw new TypeError('A channel or schema name is not an identifier.')
}
