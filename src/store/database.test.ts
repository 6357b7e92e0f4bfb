import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { onEachStore } from '../../test/support/databases.ts'
import {
  type Database,
  isForeignKeyViolation,
  isRetryable,
  isUniqueViolation,
  transaction,
  uniqueConstraint,
} from './database.ts'
import type { Tables } from './tables.ts'

const insertPool = (db: Kysely<Tables>, id: string, name = id) =>
  db
    .insertInto('pools')
    .values({ id, region: 'r', name, settings: '{}', version: 1, created_at: 5, updated_at: 6 })
    .execute()

const poolIds = async ({ db }: Database): Promise<string[]> =>
  (await db.selectFrom('pools').select('id').orderBy('id').execute()).map(row => row.id)

const failureOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('It did not fail.')
}

onEachStore(source => {
  test('a row comes back as a plain object with numbers and nulls', async () => {
    const { db } = await source.open()
    await insertPool(db, 'p')
    await db
      .insertInto('groups')
      .values({
        pool_id: 'p',
        name: 'g',
        description: null,
        role_arn: 'é😀',
        precedence: 2 ** 53 - 1,
        created_at: -1,
        updated_at: 0,
      })
      .execute()
    assert.deepEqual(await db.selectFrom('groups').selectAll().execute(), [
      {
        pool_id: 'p',
        name: 'g',
        description: null,
        role_arn: 'é😀',
        precedence: Number.MAX_SAFE_INTEGER,
        created_at: -1,
        updated_at: 0,
      },
    ])
  })

  test('counts, sums and integer arithmetic with parameters are numbers', async () => {
    const { db } = await source.open()
    for (const [id, version] of [
      ['a', 7],
      ['b', 8],
    ] as const) {
      await insertPool(db, id)
      await db.updateTable('pools').set({ version }).where('id', '=', id).execute()
    }
    const row = await db
      .selectFrom('pools')
      .select(({ fn, eb }) => [
        fn.countAll<number>().as('count'),
        fn.sum<number>('version').as('sum'),
        fn.max(eb('version', '/', 2)).as('halves'),
      ])
      .executeTakeFirstOrThrow()
    assert.deepEqual(row, { count: 2, sum: 15, halves: 4 })
  })

  test('insert, update and delete tell how many rows they touched, with and without returning', async () => {
    const { db } = await source.open()
    const names = ['a', 'b', 'c']
    const marks = names.map(id => ({ kind: 'k', id, expires_at: 1 }))
    const inserted = await db.insertInto('one_time_marks').values(marks).executeTakeFirstOrThrow()
    assert.equal(inserted.numInsertedOrUpdatedRows, 3n)
    const again = await db
      .insertInto('one_time_marks')
      .values(marks)
      .onConflict(c => c.doNothing())
      .executeTakeFirstOrThrow()
    assert.equal(again.numInsertedOrUpdatedRows, 0n)
    const updated = await db
      .updateTable('one_time_marks')
      .set({ expires_at: 2 })
      .where('id', '>', 'a')
      .executeTakeFirstOrThrow()
    assert.equal(updated.numUpdatedRows, 2n)
    const returned = await db
      .deleteFrom('one_time_marks')
      .where('expires_at', '=', 2)
      .returning(['id', 'expires_at'])
      .execute()
    assert.deepEqual(
      returned.sort((x, y) => (x.id < y.id ? -1 : 1)),
      [
        { id: 'b', expires_at: 2 },
        { id: 'c', expires_at: 2 },
      ],
    )
    const deleted = await db.deleteFrom('one_time_marks').executeTakeFirstOrThrow()
    assert.equal(deleted.numDeletedRows, 1n)
    const raw = await sql`delete from one_time_marks`.execute(db)
    assert.equal(raw.numAffectedRows, 0n)
  })

  test('text sorts by code points and LIKE keeps the case of letters', async () => {
    const { db } = await source.open()
    for (const id of ['b', 'B', 'a', 'é', 'A', '_', 'z']) await insertPool(db, id)
    const ids = async (pattern: string) =>
      (await db.selectFrom('pools').select('id').where('id', 'like', pattern).orderBy('id').execute()).map(
        row => row.id,
      )
    assert.deepEqual(await ids('%'), ['A', 'B', '_', 'a', 'b', 'z', 'é'])
    assert.deepEqual(await ids('b%'), ['b'])
  })

  test('rows are compared as tuples', async () => {
    const { db } = await source.open()
    for (const [id, name] of [
      ['1', 'x'],
      ['2', 'x'],
      ['3', 'y'],
    ] as const)
      await insertPool(db, id, name)
    const page = await db
      .selectFrom('pools')
      .select('id')
      .where(({ eb, refTuple, tuple }) => eb(refTuple('name', 'id'), '>', tuple('x', '1')))
      .orderBy('name')
      .orderBy('id')
      .limit(2)
      .execute()
    assert.deepEqual(page, [{ id: '2' }, { id: '3' }])
  })

  for (const [what, value] of [
    ['a lone surrogate', '\ud800'],
    ['a NUL', 'a\0b'],
    ['undefined', undefined],
    ['a boolean', true],
    ['an inexact integer', 2 ** 53],
    ['a number that is none', Number.NaN],
    ['a date', new Date(0)],
  ] as const) {
    test(`${what} is refused as a parameter`, async () => {
      const { db } = await source.open()
      await assert.rejects(
        db
          .selectFrom('pools')
          .selectAll()
          .where('id', '=', value as string)
          .execute(),
        TypeError,
      )
      const change = db.updateTable('pools').set(eb => ({ name: eb.val(value as string) }))
      await assert.rejects(change.execute(), TypeError)
    })
  }

  test('a column takes no value of another type', async () => {
    const { db } = await source.open()
    await assert.rejects(db.insertInto('attempts').values({ key: 'k', window_started_at: 1.5, count: 1 }).execute())
    await assert.rejects(
      db
        .insertInto('attempts')
        .values({ key: 'k', window_started_at: 'soon' as unknown as number, count: 1 })
        .execute(),
    )
    await db
      .insertInto('attempts')
      .values({ key: 5 as unknown as string, window_started_at: 1, count: 1 })
      .execute()
    assert.deepEqual(await db.selectFrom('attempts').select('key').execute(), [{ key: '5' }])
  })

  test('a unique violation is recognized and named, on a primary key and on an index', async () => {
    const database = await source.open()
    const { db } = database
    await database.exclusive(async run => {
      await run('create unique index one_name on pools (region, name)')
    })
    await insertPool(db, 'a', 'same')
    const byIndex = await failureOf(insertPool(db, 'b', 'same'))
    assert.equal(isUniqueViolation(byIndex), true)
    assert.equal(uniqueConstraint(byIndex), 'pools(region, name)')
    const byKey = await failureOf(insertPool(db, 'a', 'other'))
    assert.equal(isUniqueViolation(byKey), true)
    assert.equal(uniqueConstraint(byKey), 'pools(id)')
  })

  test('other violations are not taken for a unique violation', async () => {
    const { db } = await source.open()
    const orphan = await failureOf(
      db
        .insertInto('clients')
        .values({ id: 'c', pool_id: 'none', name: 'n', settings: '{}', version: 1, created_at: 1, updated_at: 1 })
        .execute(),
    )
    const missing = await failureOf(
      db
        .insertInto('settings')
        .values({ key: 'k', value: null as unknown as string })
        .execute(),
    )
    for (const error of [orphan, missing, new Error('x'), undefined, 'text']) {
      assert.equal(isUniqueViolation(error), false)
      assert.equal(isForeignKeyViolation(error), error === orphan)
      assert.equal(uniqueConstraint(error), undefined)
      assert.equal(isRetryable(error), false)
    }
    assert.deepEqual(await poolIds({ db } as Database), [])
  })

  test('a transaction that throws leaves nothing behind and does not disturb the ones beside it', async () => {
    const database = await source.open()
    const results = await Promise.allSettled(
      ['a', 'b', 'c', 'd', 'e'].map(id =>
        transaction(database.db, async tx => {
          await insertPool(tx, id)
          if (id === 'b' || id === 'd') throw new Error(`no ${id}`)
          return id
        }),
      ),
    )
    assert.deepEqual(
      results.map(result => (result.status === 'fulfilled' ? result.value : result.reason.message)),
      ['a', 'no b', 'c', 'no d', 'e'],
    )
    assert.deepEqual(await poolIds(database), ['a', 'c', 'e'])
  })

  test('after a failed statement a transaction can only be rolled back', async () => {
    const database = await source.open()
    await insertPool(database.db, 'taken')
    await assert.rejects(
      transaction(database.db, async tx => {
        await insertPool(tx, 'new')
        await assert.rejects(insertPool(tx, 'taken'))
        await insertPool(tx, 'newer')
      }),
      /abort/,
    )
    await assert.rejects(
      transaction(database.db, async tx => {
        await insertPool(tx, 'new')
        await insertPool(tx, 'taken').catch(() => {})
      }),
      { name: 'AbortedTransactionError' },
    )
    assert.deepEqual(await poolIds(database), ['taken'])
  })

  test('a transaction reads its own changes, and a deleted parent takes its children along', async () => {
    const { db } = await source.open()
    await transaction(db, async tx => {
      await insertPool(tx, 'p')
      await tx
        .insertInto('clients')
        .values({ id: 'c', pool_id: 'p', name: 'n', settings: '{}', version: 1, created_at: 1, updated_at: 1 })
        .execute()
      assert.equal((await tx.selectFrom('clients').selectAll().execute()).length, 1)
      await tx.deleteFrom('pools').execute()
    })
    assert.deepEqual(await db.selectFrom('clients').selectAll().execute(), [])
  })

  test('a transaction that was chosen as the victim of a conflict runs again, at most three times', async () => {
    const { db } = await source.open()
    const conflict = () => Object.assign(new Error('deadlock detected'), { code: '40P01' })
    let runs = 0
    const succeed = transaction(db, async tx => {
      await insertPool(tx, `p${runs}`)
      if (++runs < 4) throw conflict()
      return 'done'
    })
    assert.equal(await succeed, 'done')
    assert.equal(runs, 4)
    runs = 0
    await assert.rejects(
      transaction(db, async () => {
        runs++
        throw conflict()
      }),
      { code: '40P01' },
    )
    assert.equal(runs, 4)
    runs = 0
    await assert.rejects(
      transaction(db, async () => {
        runs++
        throw new Error('a fault')
      }),
      /a fault/,
    )
    assert.equal(runs, 1)
  })

  test('a hundred parallel increments are all counted', async () => {
    const { db } = await source.open()
    await db.insertInto('attempts').values({ key: 'k', window_started_at: 0, count: 0 }).execute()
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const increment = (tx: Kysely<Tables>) =>
          tx
            .updateTable('attempts')
            .set(eb => ({ count: eb('count', '+', 1) }))
            .where('key', '=', 'k')
            .execute()
        return index % 2 === 0 ? increment(db) : transaction(db, increment)
      }),
    )
    assert.deepEqual(await db.selectFrom('attempts').select('count').execute(), [{ count: 100 }])
  })

  test('notifications reach every listener of the channel until it leaves', async () => {
    const database = await source.open()
    const heard: string[] = []
    let wake = () => {}
    const hear = (who: string) => (payload: string) => {
      heard.push(`${who} ${payload}`)
      wake()
    }
    const until = async (count: number) => {
      while (heard.length < count) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
    const leave = await database.listen('news', hear('a'))
    await database.listen('news', hear('b'))
    await database.listen('other', hear('c'))
    await database.notify('news', 'one')
    await until(2)
    leave()
    await database.notify('news', 'two')
    await database.notify('other', "it's")
    await until(4)
    assert.deepEqual(heard, ['a one', 'b one', 'b two', "c it's"])
    await assert.rejects(database.listen('no"name', hear('d')), TypeError)
  })

  test('an exclusive work is rolled back as a whole', async () => {
    const database = await source.open()
    await assert.rejects(
      database.exclusive(async run => {
        await run('create table extra (id {text})'.replace('{text}', 'text'))
        await run("insert into settings (key, value) values ('a', 'b')")
        throw new Error('halfway')
      }),
      /halfway/,
    )
    assert.deepEqual(await database.db.selectFrom('settings').selectAll().execute(), [])
    await database.exclusive(run => run('create table extra (id text)'))
  })

  test('it answers a ping while it is open and refuses everything after it was closed', async () => {
    const database = await source.open()
    await database.ping()
    await database.close()
    await assert.rejects(database.ping())
    await assert.rejects(insertPool(database.db, 'late'))
    await assert.rejects(database.db.selectFrom('pools').selectAll().execute())
  })
})
