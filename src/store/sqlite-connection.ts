/** One connection to SQLite: its settings, its prepared statements, and rows as plain objects. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { checkParameters, StartRefusal } from './backend.ts'
import { createLru } from './lru.ts'

/** Marks the file as Cenote's: the letters "Ceno". */
const applicationId = 0x43656e6f

/**
 * Set at every opening of every connection, because none of them is stored in the file except `journal_mode`; above all
 * `synchronous`, without which a power cut takes acknowledged commits with it.
 */
const pragmas = [
  'journal_mode = wal',
  'synchronous = full',
  'foreign_keys = on',
  'busy_timeout = 5000',
  'trusted_schema = off',
  // Deprecated but supported; without it LIKE folds ASCII letters here and not on PostgreSQL.
  'case_sensitive_like = on',
  'temp_store = memory',
  // 16 MiB of pages; reads beyond that come out of the page cache of the operating system through the mapping.
  'cache_size = -16384',
  'mmap_size = 268435456',
  // A log that grew in a rush is cut back to this size, in bytes.
  'journal_size_limit = 67108864',
]

interface Prepared {
  statement: StatementSync
  /** Names of the result's columns; empty for a statement that returns no rows. */
  columns: string[]
  /** Insert, update and delete count the rows they touched; what other statements report has no meaning. */
  counts: boolean
  /** Statements that change tables outdate the column names of all prepared statements. */
  changesSchema: boolean
}

export interface Result {
  rows: Record<string, unknown>[]
  changes: bigint | undefined
  changedSchema: boolean
}

const statementsMax = 500

export class Connection {
  readonly #database: DatabaseSync
  readonly #statements = createLru<Prepared>(statementsMax)

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { allowExtension: false, defensive: true })
    try {
      for (const pragma of pragmas) this.#database.exec(`pragma ${pragma}`)
      this.#checkFile(file)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Runs one prepared statement that takes and returns nothing. */
  execute(statement: string): void {
    this.#prepare(statement).statement.run()
  }

  /** Runs one statement with checked parameters. Throws what SQLite throws. */
  query(statement: string, parameters: readonly unknown[]): Result {
    const prepared = this.#prepare(statement)
    const values = bind(parameters)
    if (prepared.columns.length === 0) {
      const { changes } = prepared.statement.run(...values)
      const changed = prepared.counts ? BigInt(changes) : undefined
      return { rows: [], changes: changed, changedSchema: prepared.changesSchema }
    }
    const tuples = prepared.statement.all(...values) as unknown as SQLOutputValue[][]
    const changes = prepared.counts ? BigInt(tuples.length) : undefined
    return { rows: tuples.map(tuple => toRow(prepared.columns, tuple)), changes, changedSchema: false }
  }

  /** To be called when tables have changed: the names of the columns are read anew. */
  forgetStatements(): void {
    this.#statements.clear()
    if (!this.#database.isOpen) return
    // A connection notices a change of the schema only when it runs something, which is too late for what it prepares.
    this.#database.exec('select 1 from sqlite_schema limit 1')
  }

  close(): void {
    this.#statements.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  #prepare(statement: string): Prepared {
    const known = this.#statements.get(statement)
    if (known !== undefined) return known
    // Rows come as arrays and become objects here, which is twice as fast as the objects that SQLite's binding makes.
    const handle = this.#database.prepare(statement, { returnArrays: true })
    const prepared: Prepared = {
      statement: handle,
      columns: handle.columns().map(column => column.name),
      counts: /^\s*(insert|update|delete|replace)\b/i.test(statement),
      changesSchema: /^\s*(create|alter|drop)\b/i.test(statement),
    }
    this.#statements.set(statement, prepared)
    return prepared
  }

  #checkFile(file: string): void {
    const value = (pragma: string) => Object.values(this.#database.prepare(`pragma ${pragma}`).get() ?? {})[0]
    if (value('synchronous') !== 2 || value('foreign_keys') !== 1) {
      throw new StartRefusal('SQLite did not accept the settings that make commits durable.')
    }
    if (file === ':memory:') return
    if (value('journal_mode') !== 'wal')
      throw new StartRefusal(`The data file ${file} does not support a write-ahead log.`)
    const id = value('application_id')
    if (id === 0 && value('schema_version') === 0) this.#database.exec(`pragma application_id = ${applicationId}`)
    else if (id !== applicationId) throw new StartRefusal(`The data file ${file} is not a database of Cenote.`)
  }
}

/** Whole numbers become integers: SQLite's binding makes a real of every number, which then divides and prints as one. */
function bind(parameters: readonly unknown[]): SQLInputValue[] {
  checkParameters(parameters)
  return parameters.map(value =>
    typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : (value as SQLInputValue),
  )
}

function toRow(columns: readonly string[], tuple: readonly SQLOutputValue[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < columns.length; index++) row[columns[index] as string] = tuple[index]
  return row
}

const inputOutputErrorCode = 10

/** True for SQLITE_IOERR in all its forms, a failed fsync among them. */
export const isInputOutputError = (error: unknown): boolean => {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && (errcode & 0xff) === inputOutputErrorCode
}
