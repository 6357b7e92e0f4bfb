/**
 * SQLite through `node:sqlite`, as a Kysely dialect of our own. A writer connection commits in groups, so that all
 * transactions of one turn of the event loop share one fsync; a reader connection beside it sees committed data only.
 * Nothing is acknowledged before its COMMIT has returned.
 */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { type Backend, checkIdentifier, checkParameters, reasonOf, StartRefusal } from './backend.ts'
import { createLru } from './lru.ts'

/** Opens the file, which is made when it does not exist, or `:memory:`. Throws StartRefusal. */
export function openSqlite(file: string): Backend {
  const inMemory = file === ':memory:'
  const lock = inMemory ? undefined : claimFile(resolve(file))
  let writer: Writer
  let reader: Connection | undefined
  try {
    writer = new Writer(() => new Connection(file))
    if (!inMemory) {
      reader = new Connection(file)
      reader.execute('pragma query_only = on')
    }
  } catch (error) {
    lock?.close()
    if (error instanceof StartRefusal) throw error
    throw new StartRefusal(`The data file ${file} cannot be opened: ${reasonOf(error)}.`)
  }
  const subscriptions = new Map<string, Set<(payload: string) => void>>()
  const forgetStatements = () => {
    writer.forgetStatements()
    reader?.forgetStatements()
  }
  return {
    dialect: sqliteDialect(writer, reader, forgetStatements),
    warnings: [],
    async ping() {
      // Reading the schema touches the file; an empty transaction shows that the writer is not stuck or broken.
      await (reader === undefined ? undefined : reader.query('select count(*) from sqlite_schema', []))
      const member = await writer.begin()
      await writer.end(member, 'commit')
    },
    async notify(channel, payload) {
      checkIdentifier(channel)
      for (const handler of subscriptions.get(channel) ?? []) queueMicrotask(() => handler(payload))
    },
    async listen(channel, handler) {
      checkIdentifier(channel)
      const handlers = subscriptions.get(channel) ?? new Set()
      subscriptions.set(channel, handlers)
      // A function of its own for each subscription, so that one handler may subscribe twice.
      const own = (payload: string) => {
        if (handlers.has(own)) handler(payload)
      }
      handlers.add(own)
      return () => {
        handlers.delete(own)
      }
    },
    async exclusive(work) {
      const member = await writer.begin()
      try {
        const result = await work(async (statement, parameters = []) => writer.run(member, statement, parameters).rows)
        await writer.end(member, 'commit')
        return result
      } catch (error) {
        await writer.end(member, 'rollback')
        throw error
      } finally {
        forgetStatements()
      }
    },
    async close() {
      subscriptions.clear()
      await writer.close()
      reader?.close()
      lock?.close()
    },
  }
}

// ------------------------------------------------------------------------------------------------ the file

/**
 * Makes the folder (0700) and the file (0600) and holds a lock that dies with the process. Two processes that write one
 * file would each believe in their own caches, so the second one refuses to start.
 */
function claimFile(file: string): DatabaseSync {
  const folder = dirname(file)
  try {
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(folder))
    refuseNetworkFolder(folder)
    const created = createFile(file)
    createFile(`${file}.lock`)
    if (created) syncFolder(folder)
  } catch (error) {
    if (error instanceof StartRefusal) throw error
    throw new StartRefusal(`The data file ${file} cannot be created: ${reasonOf(error)}.`)
  }
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 })
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    if ((error as { errcode?: unknown }).errcode === busyCode) {
      throw new StartRefusal(`The data file ${file} is in use by another process.`)
    }
    throw new StartRefusal(`The lock file ${file}.lock cannot be used: ${reasonOf(error)}.`)
  }
}

/** True when the file did not exist. It is never opened when it does: closing it would drop this process's locks on it. */
function createFile(file: string): boolean {
  try {
    const descriptor = openSync(file, 'wx', 0o600)
    fsyncSync(descriptor)
    closeSync(descriptor)
    chmodSync(file, 0o600)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Makes the names in a folder durable. Windows cannot open a folder and needs nothing of the kind. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** NFS, SMB and CIFS, by the numbers of Linux: their locks and shared memory do not hold what SQLite's log needs. */
const networkFileSystems = [0x6969, 0x517b, 0xff534d42, 0xfe534d42]

function refuseNetworkFolder(folder: string): void {
  if (process.platform !== 'linux') return
  if (networkFileSystems.includes(Number(statfsSync(folder).type))) {
    throw new StartRefusal(
      `The data folder ${folder} is on a network file system, which the embedded database cannot use.`,
    )
  }
}

// ------------------------------------------------------------------------------------------------ one connection

/** Marks the file as Cenote's: the letters "Ceno". */
const applicationId = 0x43656e6f

const busyCode = 5
const inputOutputErrorCode = 10

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

interface Result {
  rows: Record<string, unknown>[]
  changes: bigint | undefined
  changedSchema: boolean
}

const statementsMax = 500

class Connection {
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

  forgetStatements(): void {
    this.#statements.clear()
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

// ------------------------------------------------------------------------------------------------ the writer

/** The transactions that share one outer transaction and so one fsync. */
interface Group {
  statements: number
  /** Resolves after COMMIT has returned; rejects when nothing of the group was acknowledged. */
  committed: PromiseWithResolvers<void>
  /** The turn of the event loop is over; the group commits as soon as no member is open. */
  due: boolean
  failure: Error | undefined
}

/** One transaction: a savepoint within the outer transaction of its group. */
interface Member {
  group: Group
  open: boolean
  /** A statement failed. PostgreSQL refuses to go on in such a transaction, so SQLite does as well. */
  aborted: boolean
}

/** A full group takes no more members, so that the event loop is not held for much longer than 2 ms. */
const statementsPerGroup = 256

/**
 * The only connection that writes. Transactions run one after the other, each in a savepoint; the outer transaction
 * commits at the end of the turn of the event loop.
 */
class Writer {
  readonly #connect: () => Connection
  #connection: Connection | undefined
  #group: Group | undefined
  #busy = false
  #closed = false
  readonly #waiting: (() => void)[] = []

  constructor(connect: () => Connection) {
    this.#connect = connect
    this.#connection = connect()
  }

  /** Waits for the transactions before it and opens a savepoint. */
  async begin(): Promise<Member> {
    await this.#acquire()
    let group: Group | undefined
    try {
      group = this.#group ?? this.#openGroup()
      this.#live().execute('savepoint member')
      return { group, open: true, aborted: false }
    } catch (error) {
      if (group !== undefined) this.#fail(group, error)
      else if (isInputOutputError(error)) this.#discardConnection()
      this.#release()
      throw error
    }
  }

  /** Runs a statement of an open transaction. */
  run(member: Member, statement: string, parameters: readonly unknown[]): Result {
    const { group } = member
    if (!member.open) throw new Error('The transaction has ended.')
    if (group.failure !== undefined) throw group.failure
    if (member.aborted) throw new Error('The transaction is aborted, because one of its statements failed.')
    const connection = this.#live()
    group.statements++
    try {
      const result = connection.query(statement, parameters)
      if (!connection.isTransaction) throw new Error('A statement ended the transaction from within.')
      return result
    } catch (error) {
      member.aborted = true
      // SQLite takes the whole outer transaction back when it cannot undo the one statement. After an input or output
      // error the state of the file's cache is unknown, so nothing of the group may be acknowledged either.
      if (!connection.isTransaction || isInputOutputError(error)) this.#fail(group, error)
      throw error
    }
  }

  /**
   * Ends the transaction. A commit resolves when it is durable and rejects when it is not certain to be; a rollback
   * resolves at once. Ending a transaction twice does nothing.
   */
  async end(member: Member, how: 'commit' | 'rollback'): Promise<void> {
    if (!member.open) return
    member.open = false
    const { group } = member
    const keep = how === 'commit' && !member.aborted
    if (group.failure === undefined) {
      try {
        if (!keep) this.#live().execute('rollback to member')
        this.#live().execute('release member')
      } catch (error) {
        this.#fail(group, error)
      }
    }
    const { failure } = group
    if (group.due) this.#commit(group)
    this.#release()
    if (how === 'rollback') return
    if (failure !== undefined) throw failure
    if (!keep) throw new Error('The transaction is aborted, because one of its statements failed.')
    return group.committed.promise
  }

  /** Runs a query when no savepoint is open: the only way to read a database that has one connection. */
  async read(statement: string, parameters: readonly unknown[]): Promise<Result> {
    if (!this.#busy) return this.#live().query(statement, parameters)
    await this.#acquire()
    try {
      return this.#live().query(statement, parameters)
    } finally {
      this.#release()
    }
  }

  forgetStatements(): void {
    this.#connection?.forgetStatements()
  }

  /** Lets the transactions that wait or run finish, commits and closes. */
  async close(): Promise<void> {
    if (this.#closed) return
    await this.#acquire()
    this.#closed = true
    if (this.#group !== undefined) this.#commit(this.#group)
    this.#connection?.close()
    this.#connection = undefined
    this.#release()
  }

  #acquire(): Promise<void> | undefined {
    if (!this.#busy && !this.#isFull() && this.#waiting.length === 0) {
      this.#busy = true
      return undefined
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    return promise
  }

  #release(): void {
    this.#busy = false
    this.#admit()
  }

  #admit(): void {
    if (this.#busy || this.#isFull()) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#busy = true
    next()
  }

  #isFull(): boolean {
    return this.#group !== undefined && this.#group.statements >= statementsPerGroup
  }

  /** The connection, opened again when an input or output error closed it. */
  #live(): Connection {
    if (this.#closed) throw new Error('The database is closed.')
    this.#connection ??= this.#connect()
    return this.#connection
  }

  #openGroup(): Group {
    this.#live().execute('begin immediate')
    const group: Group = { statements: 0, committed: Promise.withResolvers(), due: false, failure: undefined }
    // A group whose members have all rolled back has nobody who waits for it.
    group.committed.promise.catch(() => {})
    this.#group = group
    setImmediate(() => {
      if (this.#group !== group) return
      if (this.#busy) group.due = true
      else this.#commit(group)
      this.#admit()
    })
    return group
  }

  #commit(group: Group): void {
    if (this.#group !== group) return
    try {
      this.#live().execute('commit')
      this.#group = undefined
      group.committed.resolve()
    } catch (error) {
      this.#fail(group, error)
    }
  }

  /** Takes back the outer transaction and tells all its members. */
  #fail(group: Group, cause: unknown): void {
    if (group.failure !== undefined) return
    group.failure = new Error('The transaction was not committed, because its group failed.', { cause })
    this.#group = undefined
    const connection = this.#connection
    let reopen = isInputOutputError(cause)
    try {
      if (connection?.isTransaction) connection.execute('rollback')
    } catch {
      reopen = true
    }
    if (reopen) this.#discardConnection()
    group.committed.reject(group.failure)
  }

  #discardConnection(): void {
    this.#connection?.close()
    this.#connection = undefined
  }
}

const isInputOutputError = (error: unknown): boolean => {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && (errcode & 0xff) === inputOutputErrorCode
}

// ------------------------------------------------------------------------------------------------ Kysely

function sqliteDialect(writer: Writer, reader: Connection | undefined, forgetStatements: () => void): Dialect {
  return {
    createAdapter: () => new ManyConnectionsAdapter(),
    createDriver: () => new SqliteDriver(writer, reader, forgetStatements),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** The writer orders the transactions itself, so Kysely must not hold them back. */
class ManyConnectionsAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class SqliteDriver implements Driver {
  readonly #writer: Writer
  readonly #reader: Connection | undefined
  readonly #forgetStatements: () => void

  constructor(writer: Writer, reader: Connection | undefined, forgetStatements: () => void) {
    this.#writer = writer
    this.#reader = reader
    this.#forgetStatements = forgetStatements
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<Handle> {
    return new Handle(this.#writer, this.#reader, this.#forgetStatements)
  }

  async beginTransaction(connection: Handle): Promise<void> {
    connection.member = await this.#writer.begin()
  }

  async commitTransaction(connection: Handle): Promise<void> {
    if (connection.member !== undefined) await this.#writer.end(connection.member, 'commit')
  }

  async rollbackTransaction(connection: Handle): Promise<void> {
    if (connection.member !== undefined) await this.#writer.end(connection.member, 'rollback')
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

/** What Kysely holds as a connection: a transaction of the writer, or nothing yet. */
class Handle implements DatabaseConnection {
  member: Member | undefined
  readonly #writer: Writer
  readonly #reader: Connection | undefined
  readonly #forgetStatements: () => void

  constructor(writer: Writer, reader: Connection | undefined, forgetStatements: () => void) {
    this.#writer = writer
    this.#reader = reader
    this.#forgetStatements = forgetStatements
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query
    if (this.member !== undefined) return this.#answer(this.#writer.run(this.member, sql, parameters))
    if (query.query.kind === 'SelectQueryNode') {
      return this.#answer(this.#reader?.query(sql, parameters) ?? (await this.#writer.read(sql, parameters)))
    }
    const member = await this.#writer.begin()
    try {
      const result = this.#writer.run(member, sql, parameters)
      await this.#writer.end(member, 'commit')
      return this.#answer(result)
    } catch (error) {
      await this.#writer.end(member, 'rollback')
      throw error
    }
  }

  // biome-ignore lint/correctness/useYield: neither database streams; large results are read page by page.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Queries are not streamed. Read page by page.')
  }

  #answer<R>(result: Result): QueryResult<R> {
    if (result.changedSchema) this.#forgetStatements()
    const rows = result.rows as R[]
    return result.changes === undefined ? { rows } : { rows, numAffectedRows: result.changes }
  }
}
