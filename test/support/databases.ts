/** Databases for the tests of the store: every test runs on SQLite and on PostgreSQL, each time on an empty schema. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'

export interface DatabaseSource {
  kind: 'sqlite' | 'postgres'
  /** A migrated database of its own, closed when the group of tests has run. */
  open(): Promise<Database>
  /** The same without tables. */
  openEmpty(): Promise<Database>
}

/** Registers the same tests on a SQLite file, on SQLite in memory and on PostgreSQL. */
export function onEachStore(define: (source: DatabaseSource) => void): void {
  describe('in a SQLite file', () => define(sourceOf('sqlite', temporaryFile)))
  describe('on SQLite in memory', () => define(sourceOf('sqlite', () => ({ file: ':memory:' }))))
  describe('on PostgreSQL', () => define(sourceOf('postgres', temporarySchema)))
}

function sourceOf(kind: DatabaseSource['kind'], place: () => DatabaseOptions): DatabaseSource {
  const opened: Database[] = []
  after(async () => {
    for (const database of opened) await database.close()
  })
  const openEmpty = async () => {
    const database = await openDatabase(place())
    opened.push(database)
    return database
  }
  return {
    kind,
    openEmpty,
    async open() {
      const database = await openEmpty()
      await migrate(database, migrations)
      return database
    },
  }
}

/** A folder that is removed when the tests of the file, or of the group that asked for it, have run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cenote-store-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A schema of its own on the PostgreSQL that the test command has started. */
export function temporarySchema(): { url: string; schema: string } {
  const url = process.env['CENOTE_TEST_POSTGRES']
  if (url === undefined) throw new Error('Tests run through `npm test`, which starts PostgreSQL.')
  return { url, schema: `t${randomBytes(8).toString('hex')}` }
}

const temporaryFile = () => ({ file: join(temporaryFolder(), 'cenote.db') })
