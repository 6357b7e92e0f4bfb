import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { onEachStore, temporaryFolder, temporarySchema } from '../../test/support/databases.ts'
import { type Database, openDatabase } from './database.ts'
import { type Migration, migrate } from './migrate.ts'

const first: Migration = {
  id: '0001-first',
  statements: [
    'create table things (id {text} primary key, size {bigint} not null)',
    "insert into things values ('a', 1)",
  ],
}
const second: Migration = {
  id: '0002-second',
  statements: ['alter table things add column note {text}', "update things set note = 'seen', size = size + 1"],
}

const things = async ({ db }: Database) => (await sql`select * from things`.execute(db)).rows

onEachStore(source => {
  test('migrations run in their order, once, and each only when it is new', async () => {
    const database = await source.openEmpty()
    assert.deepEqual(await migrate(database, [first]), ['0001-first'])
    assert.deepEqual(await things(database), [{ id: 'a', size: 1 }])
    assert.deepEqual(await migrate(database, [first, second]), ['0002-second'])
    assert.deepEqual(await migrate(database, [first, second]), [])
    assert.deepEqual(await things(database), [{ id: 'a', size: 2, note: 'seen' }])
    const { rows } = await sql<{ id: string; applied_at: number }>`select * from migrations order by id`.execute(
      database.db,
    )
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['0001-first', '0002-second'],
    )
    for (const row of rows) assert.ok(Math.abs(row.applied_at - Date.now()) < 60_000)
  })

  test('a migration that fails leaves nothing of itself, and the ones before it stay', async () => {
    const database = await source.openEmpty()
    const broken: Migration = {
      id: '0002-broken',
      statements: ["insert into things values ('b', 2)", 'create nonsense'],
    }
    await assert.rejects(migrate(database, [first, broken]), /syntax error/)
    assert.deepEqual(await things(database), [{ id: 'a', size: 1 }])
    assert.deepEqual(await migrate(database, [first, second]), ['0002-second'])
  })

  test('a database that a newer version has migrated is refused with one line', async () => {
    const database = await source.openEmpty()
    await migrate(database, [first, second])
    await assert.rejects(migrate(database, [first]), {
      name: 'StartRefusal',
      message:
        'The database was changed by a newer version of Cenote (migration 0002-second), so this version does not start on it.',
    })
    assert.deepEqual(await things(database), [{ id: 'a', size: 2, note: 'seen' }])
  })

  test('a list without order is a fault of the program', async () => {
    const database = await source.openEmpty()
    for (const list of [[second, first], [first, first], [{ id: 'later', statements: [] }]]) {
      await assert.rejects(migrate(database, list), /has no place in the order/)
    }
  })

  test('a sequence counts up and gives no number twice', async () => {
    const database = await source.openEmpty()
    await migrate(database, [
      { id: '0001-sequence', statements: ['create table items (number {sequence}, name {text} not null)'] },
    ])
    const add = async () =>
      (await sql<{ number: number }>`insert into items (name) values ('x') returning number`.execute(database.db))
        .rows[0]?.number
    assert.deepEqual([await add(), await add()], [1, 2])
    await sql`delete from items where number = 2`.execute(database.db)
    assert.equal(await add(), 3)
  })
})

test('five nodes that start at once run each migration once', async () => {
  const place = temporarySchema()
  const nodes = await Promise.all(Array.from({ length: 5 }, () => openDatabase(place)))
  const ran = await Promise.all(nodes.map(node => migrate(node, [first, second])))
  assert.deepEqual(ran.flat().sort(), ['0001-first', '0002-second'])
  assert.deepEqual(await things(nodes[0] as Database), [{ id: 'a', size: 2, note: 'seen' }])
  await Promise.all(nodes.map(node => node.close()))
})

test('a file that was migrated is as it was after it was opened again', async () => {
  const file = join(temporaryFolder(), 'cenote.db')
  const before = await openDatabase({ file })
  await migrate(before, [first])
  await before.close()
  const database = await openDatabase({ file })
  assert.deepEqual(await migrate(database, [first]), [])
  await assert.rejects(migrate(database, []), { name: 'StartRefusal' })
  await database.close()
})
