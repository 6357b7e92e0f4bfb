/**
 * SQLite through `node:sqlite`, as a Kysely dialect of our own. A writer connection commits in groups, so that all
 * transactions of one turn of the event loop share one fsync; a reader connection beside it sees committed data only.
 * Nothing is acknowledged before its COMMIT has returned.
 */
import { resolve } from 'node:path'
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
import { type Backend, checkIdentifier, reasonOf, StartRefusal } from './backend.ts'
import { type Member, Writer } from './group-commit.ts'
import { Connection, type Result } from './sqlite-connection.ts'
import { claimFile } from './sqlite-file.ts'

/** Opens the file, which is made when it does not exist, or `:memory:`. Throws StartRefusal. */
export function openSqlite(file: string): Backend {
  const inMemory = file === ':memory:'
  const release = inMemory ? undefined : claimFile(resolve(file))
  let reader: Connection | undefined
  let writer: Writer
  try {
    if (!inMemory) {
      reader = new Connection(file)
      reader.execute('pragma query_only = on')
    }
    writer = new Writer(() => new Connection(file))
  } catch (error) {
    reader?.close()
    release?.()
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
      reader?.query('select count(*) from sqlite_schema', [])
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
      release?.()
    },
  }
}

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
