/** Brings a database to the newest schema. Forward only; several nodes may start at once. */
import { type Database, StartRefusal } from './database.ts'

export interface Migration {
  /** A number of four digits and a name: `0001-ground`. Ids sort in the order in which they run. */
  id: string
  /**
   * One SQL statement each. `{text}` and `{bigint}` stand for the column types of the database at hand, `{sequence}` for
   * a primary key that the database counts up and never gives twice.
   */
  statements: string[]
}

/**
 * Runs the migrations that the database does not know yet, each in one transaction, and resolves to their ids. Throws
 * StartRefusal when the database carries a migration that is not in the list: a newer version made it.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  checkOrder(migrations)
  const ran: string[] = []
  for (const migration of pendingOf(migrations, await appliedIds(database))) {
    // What is pending is read again under the lock, because another node may have been faster.
    const done = await database.exclusive(async run => {
      await run(fill(createLedger, database.kind))
      const applied = (await run('select id from migrations')).map(row => String(row['id']))
      if (!pendingOf(migrations, applied).includes(migration)) return false
      for (const statement of migration.statements) await run(fill(statement, database.kind))
      await run(`insert into migrations (id, applied_at) values (${quote(migration.id)}, ${now[database.kind]})`)
      return true
    })
    if (done) ran.push(migration.id)
  }
  return ran
}

const createLedger = 'create table if not exists migrations (id {text} primary key, applied_at {bigint} not null)'

// The database's own clock, because the store has none.
const now = {
  sqlite: "cast(unixepoch('subsec') * 1000 as integer)",
  postgres: 'cast(extract(epoch from now()) * 1000 as bigint)',
}

const types: Record<Database['kind'], Record<string, string>> = {
  sqlite: { text: 'text', bigint: 'integer', sequence: 'integer primary key autoincrement' },
  postgres: { text: 'text collate "C"', bigint: 'bigint', sequence: 'bigint generated always as identity primary key' },
}

/** The statement in the words of one database. SQLite's tables are strict, so that both refuse a value of a wrong type. */
function fill(statement: string, kind: Database['kind']): string {
  const filled = statement.replace(/\{(text|bigint|sequence)\}/g, (_, name: string) => types[kind][name] as string)
  return kind === 'sqlite' && /^\s*create\s+table\b/i.test(filled) ? `${filled} strict` : filled
}

/** The ids that the database carries, none when it is new. */
async function appliedIds(database: Database): Promise<string[]> {
  const { db } = database
  const ledger = db.$extendTables<{ migrations: { id: string } }>()
  try {
    return (await ledger.selectFrom('migrations').select('id').execute()).map(row => row.id)
  } catch (error) {
    if (isMissingTable(error)) return []
    throw error
  }
}

const isMissingTable = (error: unknown): boolean => {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === '42P01' || (code === 'ERR_SQLITE_ERROR' && String(message).startsWith('no such table'))
}

function pendingOf(migrations: readonly Migration[], applied: readonly string[]): Migration[] {
  const known = new Set(migrations.map(migration => migration.id))
  const unknown = applied.filter(id => !known.has(id)).sort()
  if (unknown.length > 0) {
    throw new StartRefusal(
      `The database was changed by a newer version of Cenote (migration ${unknown.at(-1)}), so this version does not start on it.`,
    )
  }
  return migrations.filter(migration => !applied.includes(migration.id))
}

function checkOrder(migrations: readonly Migration[]): void {
  let last = ''
  for (const { id } of migrations) {
    if (!/^\d{4}-[a-z0-9-]{1,60}$/.test(id) || id <= last) throw new Error(`Migration ${id} has no place in the order.`)
    last = id
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
