/**
 * Databases on the PostgreSQL that the test command has started. Making the schema anew takes most of a second; copying
 * one that was made once takes a twentieth of it.
 */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'

const template = 'cenote_template'

/** Makes the database that the others are copied from, on a server without one. */
export async function makeTemplate(url: string): Promise<void> {
  await run(url, `create database ${template}`)
  const database = await openDatabase({ url: urlOf(url, template) })
  await migrate(database, migrations)
  await database.close()
}

export interface PostgresDatabase {
  url: string
  /** Ends the connections that are left and removes the database, if it is still there. */
  drop(): Promise<void>
}

/** A migrated, empty database of its own. */
export async function newPostgresDatabase(): Promise<PostgresDatabase> {
  const server = process.env['CENOTE_TEST_POSTGRES']
  if (server === undefined) throw new Error('Tests run through `npm test`, which starts PostgreSQL.')
  const name = `t${randomBytes(8).toString('hex')}`
  await run(server, `create database ${name} template ${template} strategy file_copy`)
  return {
    url: urlOf(server, name),
    drop: () => run(server, `drop database if exists ${name} with (force)`),
  }
}

const urlOf = (server: string, database: string): string => {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
