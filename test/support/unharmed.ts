/** Whether a server took bad input as it should: nothing stored, nothing logged as an error, and it works as before. */
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { TestApp } from './app.ts'
import { attributesByName, createSignedInUser, createTestPool } from './directory.ts'

/** All rows of all tables, as text, by table. */
export const contentOf = async ({ database }: TestApp): Promise<Map<string, string[]>> => {
  const names =
    database.kind === 'sqlite'
      ? sql<{ name: string }>`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`
      : sql<{ name: string }>`select table_name as name from information_schema.tables
                              where table_schema = current_schema()`
  const { rows: tables } = await names.execute(database.db)
  const content = new Map<string, string[]>()
  for (const { name } of tables) {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(database.db)
    content.set(name, rows.map(row => JSON.stringify(row)).sort())
  }
  return content
}

/** Runs the work and asserts that afterwards the database holds what it held before and no error was logged. */
export const assertUnharmed = async (app: TestApp, work: () => Promise<void>): Promise<void> => {
  const before = await contentOf(app)
  app.logged.length = 0
  await work()
  assert.deepEqual(app.logged.filter(({ level }) => level === 'error').slice(0, 3), [])
  assert.deepEqual(await contentOf(app), before)
  await assertWorks(app)
}

/** A whole small use of the server, whose every result must be as always. */
export const assertWorks = async (app: TestApp): Promise<void> => {
  const pool = await createTestPool(app)
  const token = await createSignedInUser(app, pool, 'canary', { email: 'canary@example.com' })
  const user = await app.aws.getUser({ AccessToken: token })
  const { sub, ...attributes } = attributesByName(user.UserAttributes)
  assert.match(String(sub), /^[0-9a-f-]{36}$/)
  assert.deepEqual({ name: user.Username, attributes }, { name: 'canary', attributes: { email: 'canary@example.com' } })
  const { Groups } = await app.aws.adminListGroupsForUser({ UserPoolId: pool.UserPoolId, Username: 'canary' })
  assert.deepEqual(Groups, [])
  await app.aws.deleteUserPool({ UserPoolId: pool.UserPoolId })
  await app.app.tick()
}
