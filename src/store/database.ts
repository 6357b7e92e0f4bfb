/**
 * The database as the features see it: Kysely over SQLite or PostgreSQL, and the few things that SQL alone does not
 * give. Both kinds answer the same query with the same result.
 */
import { Kysely, type Transaction } from 'kysely'
import { type Backend, type RunStatement, StartRefusal, type Unlisten } from './backend.ts'
import type { PostgresOptions } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import type { Tables } from './tables.ts'

export { type RunStatement, StartRefusal, type Unlisten }

export interface Database {
  db: Kysely<Tables>
  kind: 'sqlite' | 'postgres'
  /** What an administrator should know about this database, one line each; empty when all is well. */
  warnings: string[]
  /** Resolves when the database answers and takes writes. */
  ping(): Promise<void>
  /** Sends the payload (at most 7,900 bytes) to every listener of the channel, on all nodes, this one included. */
  notify(channel: string, payload: string): Promise<void>
  /**
   * Calls the handler with every payload sent to the channel from now on. `onGap` is called when notifications may have
   * been missed, because the connection was lost or is back. The result ends the subscription.
   */
  listen(channel: string, handler: (payload: string) => void, onGap?: () => void): Promise<Unlisten>
  /** Runs the work in one transaction while no other node runs an exclusive work, without time limits: migrations. */
  exclusive<T>(work: (run: RunStatement) => Promise<T>): Promise<T>
  /** Waits for the transactions that are under way and closes all connections. Closing twice does nothing. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** `postgres://…`; wins over `file`. */
  url?: string | undefined
  /** Path of the SQLite file, or `:memory:`. */
  file?: string | undefined
  /** PostgreSQL schema, made when it does not exist. */
  schema?: string | undefined
  /** Upper bound of PostgreSQL connections; 10 by default. */
  connectionsMax?: number | undefined
}

/** Opens the database. Throws StartRefusal with a one-line reason when it cannot be used. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, file, schema, connectionsMax } = options
  if (url === undefined && file === undefined) throw new StartRefusal('No database is configured.')
  const backend = url === undefined ? openSqlite(file as string) : await openPostgres({ url, schema, connectionsMax })
  const { dialect, close, ...rest } = backend
  const db = new Kysely<Tables>({ dialect })
  let closed: Promise<void> | undefined
  return {
    ...rest,
    db,
    kind: url === undefined ? 'sqlite' : 'postgres',
    close() {
      closed ??= db.destroy().then(close)
      return closed
    },
  }
}

/** The driver is loaded only where it is used; a start on SQLite does without it. */
const openPostgres = async (options: PostgresOptions): Promise<Backend> => {
  const postgres = await import('./postgres.ts')
  return postgres.openPostgres(options)
}

const retriesMax = 3

/**
 * The result of `fn`, run in one transaction. It runs again, at most three times, when PostgreSQL chose the transaction
 * as the victim of a conflict, so `fn` must do nothing that a rollback does not undo. A connection that turns out to be
 * dead before `fn` was entered is replaced in the same way.
 */
export async function transaction<T>(db: Kysely<Tables>, fn: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries++) {
    let entered = false
    try {
      return await db.transaction().execute(tx => {
        entered = true
        return fn(tx)
      })
    } catch (error) {
      const again = isRetryable(error) || (!entered && isConnectionLoss(error))
      if (!again || retries === retriesMax) throw error
    }
  }
}

/** True when a unique index or a primary key refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = fieldsOf(error)
  return code === '23505' || (code === sqliteErrorCode && (errcode === 2067 || errcode === 1555))
}

/** True when the row names one of another table that does not exist, for example because it was deleted meanwhile. */
export function isForeignKeyViolation(error: unknown): boolean {
  const { code, errcode } = fieldsOf(error)
  return code === '23503' || (code === sqliteErrorCode && errcode === 787)
}

/**
 * What a unique violation was about, as `table(column, column)`, the same on both databases; undefined when the error is
 * no unique violation or does not say.
 */
export function uniqueConstraint(error: unknown): string | undefined {
  if (!isUniqueViolation(error)) return undefined
  const { code, message, table, detail, constraint } = fieldsOf(error)
  if (code === sqliteErrorCode) {
    const names = /^UNIQUE constraint failed: (.+)$/.exec(String(message))?.[1]?.split(', ')
    const owner = names?.[0]?.split('.')[0]
    if (names === undefined || owner === undefined) return undefined
    return `${owner}(${names.map(name => name.slice(owner.length + 1)).join(', ')})`
  }
  // The words of the detail depend on the server's language; the parentheses do not.
  const columns = typeof detail === 'string' ? /^[^(]*\(([^()]+)\)=\(/.exec(detail)?.[1] : undefined
  if (typeof table === 'string' && columns !== undefined) return `${table}(${columns})`
  return typeof constraint === 'string' ? constraint : undefined
}

/**
 * True when the same transaction may well succeed if it runs again: serialization failure, deadlock, or a prepared
 * statement that a newer node's migration has made stale.
 */
export function isRetryable(error: unknown): boolean {
  const { code, routine } = fieldsOf(error)
  return code === '40001' || code === '40P01' || (code === '0A000' && routine === 'RevalidateCachedQuery')
}

/** True when the connection to the server was lost, or the server is shutting down or starting. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = fieldsOf(error)
  if (typeof code === 'string') return /^(08|57P0[123])|^(ECONNRESET|EPIPE|ECONNREFUSED|ETIMEDOUT)$/.test(code)
  return typeof message === 'string' && message.startsWith('Connection terminated')
}

const sqliteErrorCode = 'ERR_SQLITE_ERROR'

const fieldsOf = (error: unknown): Record<string, unknown> =>
  typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
