/**
 * PostgreSQL through `pg`: a pool whose every wait has an end, prepared statements whose plans are reused, and a
 * connection that listens for notifications and comes back by itself.
 */
import { createHash } from 'node:crypto'
import { PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import { Client, type ClientConfig, Pool, type PoolClient, types } from 'pg'
import { tooManyRequests } from '../core/errors.ts'
import { type Backend, checkIdentifier, checkParameters, type RunStatement, reasonOf, StartRefusal } from './backend.ts'
import { createLru } from './lru.ts'
import { createListener } from './postgres-listener.ts'

export interface PostgresOptions {
  url: string
  /** Put first in the search path and made when it does not exist. */
  schema?: string | undefined
  /** 10 by default. */
  connectionsMax?: number | undefined
}

const connectTimeoutMs = 5000
const statementTimeoutMs = 5000
const lockTimeoutMs = 4000
const idleInTransactionTimeoutMs = 10_000
/** The server's own timeout comes first; this one is for a server or a network that has fallen silent. */
const answerTimeoutMs = 5500
/** Callers that may wait for a connection at once; more than these are turned away at once. */
const waitingMax = 400

/** Opens a pool and proves that it works. Throws StartRefusal. */
export async function openPostgres(options: PostgresOptions): Promise<Backend> {
  const { schema } = options
  if (schema !== undefined) checkIdentifier(schema)
  const config = configOf(options)
  const pool = new Pool({ ...config, max: options.connectionsMax ?? 10, connectionTimeoutMillis: connectTimeoutMs })
  // An idle connection that breaks is replaced when it is needed next. The handler on each connection is for those that
  // break while a transaction holds them and no query is under way: without one the process would end.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  let warnings: string[]
  try {
    warnings = await prepareServer(pool, schema)
  } catch (error) {
    await pool.end()
    if (error instanceof StartRefusal) throw error
    throw new StartRefusal(`The PostgreSQL database cannot be used: ${reasonOf(error)}.`)
  }
  const listener = createListener(config)
  // A connection of the pool that works is the sign that the server is back: nothing here waits on a timer.
  pool.on('acquire', () => listener.revive())
  const prefix = schema === undefined ? '' : `${schema}_`
  return {
    dialect: new PostgresDialect({ pool: preparingPool(pool) }),
    warnings,
    async ping() {
      const [{ rows }] = await Promise.all([
        pool.query<{ replica: boolean }>('select pg_is_in_recovery() as replica'),
        listener.ping(),
      ])
      if (rows[0]?.replica !== false) throw new Error('The PostgreSQL server is a replica and takes no writes.')
    },
    async notify(channel, payload) {
      checkIdentifier(channel)
      checkParameters([payload])
      await pool.query('select pg_notify($1, $2)', [prefix + channel, payload])
    },
    async listen(channel, handler, onGap) {
      checkIdentifier(channel)
      return listener.listen(prefix + channel, { handler, onGap: onGap ?? (() => {}) })
    },
    exclusive: work => exclusive(config, work),
    async close() {
      // Kysely ends the pool only when a query has used it.
      if (!pool.ending) await pool.end()
      await listener.close()
    },
  }
}

function configOf({ url, schema }: PostgresOptions): ClientConfig {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new StartRefusal('The database URL is not a URL.')
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw new StartRefusal('The database URL does not begin with postgres://.')
  }
  return {
    connectionString: url,
    application_name: 'cenote',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    query_timeout: answerTimeoutMs,
    types: { getTypeParser },
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
  }
}

/** int8 and numeric, which is what a sum of int8 is, become numbers, as they are on SQLite. */
const numberTypes: number[] = [types.builtins.INT8, types.builtins.NUMERIC]

const getTypeParser: typeof types.getTypeParser = (type: number, format?: 'text' | 'binary') =>
  numberTypes.includes(type) ? toNumber : types.getTypeParser(type, format as 'text')

function toNumber(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw new RangeError('An integer of the database is too large to be represented exactly.')
  }
  return number
}

// ------------------------------------------------------------------------------------------------ the server

/** Makes the schema and looks at the settings that everything rests on; the result is what deserves a warning. */
async function prepareServer(pool: Pool, schema: string | undefined): Promise<string[]> {
  const client = await pool.connect()
  try {
    if (schema !== undefined) await createSchema(client, schema)
    const { rows } = await client.query<Record<'encoding' | 'fsync' | 'pages' | 'commit', string>>(
      `select current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
              current_setting('full_page_writes') as pages, current_setting('synchronous_commit') as commit`,
    )
    const settings = rows[0]
    if (settings?.encoding !== 'UTF8') {
      throw new StartRefusal(`The PostgreSQL database has the encoding ${settings?.encoding}, but UTF8 is needed.`)
    }
    const off = { fsync: settings.fsync, full_page_writes: settings.pages, synchronous_commit: settings.commit }
    return Object.entries(off)
      .filter(([, value]) => value === 'off')
      .map(
        ([name]) => `PostgreSQL runs with ${name}=off: a crash of its machine can lose or damage acknowledged changes.`,
      )
  } finally {
    client.release()
  }
}

async function createSchema(client: PoolClient, schema: string): Promise<void> {
  try {
    await client.query(`create schema if not exists "${schema}"`)
  } catch (error) {
    // Two nodes that make it in the same moment: the slower one fails in spite of "if not exists".
    const { code } = error as { code?: unknown }
    if (code !== '23505' && code !== '42P06') throw error
  }
}

/** The same number on all nodes: who holds this advisory lock may change the schema. */
const lockNumber = 0x43656e6f

/**
 * A connection of its own, because the wait for another node's migration has no limit. The statements themselves may
 * take long, but they must not stand in the queue for a table's lock, where everyone else would stand behind them.
 */
async function exclusive<T>(config: ClientConfig, work: (run: RunStatement) => Promise<T>): Promise<T> {
  const client = new Client({
    ...config,
    statement_timeout: 0,
    lock_timeout: 0,
    idle_in_transaction_session_timeout: 60_000,
    query_timeout: 0,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('begin')
    await client.query(`select pg_advisory_xact_lock(${lockNumber}, hashtext(current_schema()))`)
    await client.query('set local lock_timeout = 1000')
    const result = await work(async (statement, parameters = []) => {
      checkParameters(parameters)
      return (await client.query<Record<string, unknown>>(statement, [...parameters])).rows
    })
    await client.query('commit')
    return result
  } finally {
    // Ending the connection takes back what is not committed.
    await client.end()
  }
}

// ------------------------------------------------------------------------------------------------ the pool

/** The pool as Kysely wants it: connections that prepare their statements and that are thrown away when they hang. */
function preparingPool(pool: Pool): PostgresPool {
  const nameOf = statementNames()
  // Kysely knows a connection by its identity, so each has one wrapper for life.
  const wrappers = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    options: pool.options,
    async connect() {
      if (pool.waitingCount >= waitingMax) throw tooManyRequests()
      const client = await pool.connect()
      const known = wrappers.get(client)
      if (known !== undefined) return known
      const wrapper = preparingClient(client, nameOf)
      wrappers.set(client, wrapper)
      return wrapper
    },
    end: () => pool.end(),
  }
}

const statementsMax = 500

/**
 * Names for statements: the hash of the text, for at most 500 texts, given when a text is seen for the second time, so
 * that texts that come once do not use up the names.
 */
function statementNames(): (statement: string) => string | undefined {
  const seenOnce = createLru<true>(statementsMax)
  const names = new Map<string, string>()
  return statement => {
    const name = names.get(statement)
    if (name !== undefined || names.size >= statementsMax) return name
    if (seenOnce.get(statement) === undefined) {
      seenOnce.set(statement, true)
      return undefined
    }
    seenOnce.delete(statement)
    const fresh = createHash('sha256').update(statement).digest('base64url').slice(0, 22)
    names.set(statement, fresh)
    return fresh
  }
}

type Answer = { command: never; rowCount: number; rows: never[] }

function preparingClient(client: PoolClient, nameOf: (statement: string) => string | undefined): PostgresPoolClient {
  let isHanging = false
  let inTransaction = false
  // Raised when a migration has outdated the plans of this connection, so that they are made anew under new names.
  let generation = 0
  const run = async (text: string, parameters: readonly unknown[]): Promise<Answer> => {
    const values = [...parameters]
    const name = values.length === 0 ? undefined : nameOf(text)
    const query = name === undefined ? { text, values } : { name: `${name}${generation}`, text, values }
    return (await client.query(query)) as unknown as Answer
  }
  const query = async (text: string, parameters: readonly unknown[]): Promise<Answer> => {
    if (isHanging) throw new Error('Connection terminated, because an answer did not come in time.')
    checkParameters(parameters)
    try {
      const answer = await run(text, parameters)
      if (parameters.length === 0) inTransaction = stateAfter(text, inTransaction)
      return answer
    } catch (error) {
      if (isAnswerTimeout(error)) isHanging = true
      if (!isStalePlan(error)) throw error
      generation++
      if (inTransaction) throw error
      return run(text, parameters)
    }
  }
  const wrapper = {
    query,
    release(destroy?: boolean) {
      inTransaction = false
      client.release(destroy === true || isHanging)
    },
    get processID() {
      return (client as unknown as { processID?: number }).processID
    },
  }
  // Kysely's interface also has cursors, which it uses only when it is given a cursor class.
  return wrapper as unknown as PostgresPoolClient
}

const stateAfter = (text: string, before: boolean): boolean => {
  if (text === 'begin' || text.startsWith('start transaction')) return true
  return text === 'commit' || text === 'rollback' ? false : before
}

const isAnswerTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Query read timeout'

/** "cached plan must not change result type": the one error of this routine of the server. */
const isStalePlan = (error: unknown): boolean => {
  const { code, routine } = error as { code?: unknown; routine?: unknown }
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}
