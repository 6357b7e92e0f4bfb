/**
 * Group commit. All transactions of one turn of the event loop share one outer transaction and so one fsync, and none is
 * acknowledged before the COMMIT of the outer one has returned.
 */
import { AbortedTransactionError } from 'kysely'
import { type Connection, isInputOutputError, type Result } from './sqlite-connection.ts'

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
export interface Member {
  group: Group
  open: boolean
  /** A statement failed. PostgreSQL refuses to go on in such a transaction, so SQLite does as well. */
  aborted: boolean
}

/** A full group takes no more members, so that the event loop is not held for much longer than 2 ms. */
const statementsPerGroup = 192

/**
 * The only connection that writes. Transactions run one after the other, each in a savepoint; the outer transaction
 * commits at the end of the turn of the event loop.
 */
export class Writer {
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
    if (!keep) throw new AbortedTransactionError()
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
