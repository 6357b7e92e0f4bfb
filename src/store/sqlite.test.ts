import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { temporaryFolder } from '../../test/support/databases.ts'
import { type Database, openDatabase, StartRefusal, transaction } from './database.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import type { Tables } from './tables.ts'

const openFile = async (file: string): Promise<Database> => {
  const database = await openDatabase({ file })
  await migrate(database, migrations)
  return database
}

const openNew = (): Promise<Database> => openFile(join(temporaryFolder(), 'cenote.db'))

const put = (db: Kysely<Tables>, key: string, value = 'v') => db.insertInto('settings').values({ key, value }).execute()

const keys = async (db: Kysely<Tables>): Promise<string[]> =>
  (await db.selectFrom('settings').select('key').orderBy('key').execute()).map(row => row.key)

/** What the file holds for a stranger who looks at it now: only what was committed. */
const committedKeys = (file: string): string[] => {
  const stranger = new DatabaseSync(file, { readOnly: true })
  try {
    return stranger
      .prepare('select key from settings order by key')
      .all()
      .map(row => String(row['key']))
  } finally {
    stranger.close()
  }
}

const macroTask = () => new Promise(resolve => setTimeout(resolve, 1))

describe('the data file', () => {
  test('it and its companions can be read by their owner only, and so can a new folder', async () => {
    const folder = join(temporaryFolder(), 'deep', 'data')
    const database = await openFile(join(folder, 'cenote.db'))
    const modes = ['', '-wal', '-shm', '.lock'].map(end => statSync(join(folder, `cenote.db${end}`)).mode & 0o777)
    assert.deepEqual(modes, [0o600, 0o600, 0o600, 0o600])
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    await database.close()
  })

  test('every opening, the second one too, sets what makes commits durable', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    for (let opening = 0; opening < 3; opening++) {
      const database = await openFile(file)
      const onWriter = async (name: string) =>
        Object.values((await sql`pragma ${sql.raw(name)}`.execute(database.db)).rows[0] ?? {})[0]
      const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'trusted_schema', 'temp_store']
      assert.deepEqual(await Promise.all(settings.map(onWriter)), ['wal', 2, 1, 5000, 0, 2])
      await database.close()
    }
  })

  test('what was written is there after closing and opening, and the log is folded into the file', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    const first = await openFile(file)
    await put(first.db, 'kept')
    await first.close()
    assert.equal(existsSync(`${file}-wal`), false)
    const second = await openFile(file)
    assert.deepEqual(await keys(second.db), ['kept'])
    await second.close()
  })

  test('a second opening in the same process is refused, and closing lets the next one in', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    const first = await openFile(file)
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(openFile(file), {
        name: 'StartRefusal',
        message: `The data file ${file} is in use by another process.`,
      })
    }
    await put(first.db, 'still works')
    await first.close()
    await (await openFile(file)).close()
  })

  test('a second process is refused, also after a refusal, until the first one is killed', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    await (await openFile(file)).close()
    const holder = startHolder(file)
    assert.equal(await nextMessage(holder), 'open')
    const second = startHolder(file)
    assert.equal(await nextMessage(second), `The data file ${file} is in use by another process.`)
    await assert.rejects(openFile(file), StartRefusal)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    assert.equal(existsSync(`${file}.lock-journal`), false)
    await (await openFile(file)).close()
  })

  test('a file that is no database, or not one of ours, is refused and left as it is', async () => {
    const folder = temporaryFolder()
    const text = join(folder, 'text.db')
    writeFileSync(text, 'This is not a database. '.repeat(100))
    await assert.rejects(openDatabase({ file: text }), {
      name: 'StartRefusal',
      message: /^The data file .+ cannot be opened: file is not a database\.$/,
    })
    assert.equal(readFileSync(text, 'utf8'), 'This is not a database. '.repeat(100))
    const foreign = join(folder, 'foreign.db')
    const other = new DatabaseSync(foreign)
    other.exec('create table t (a)')
    other.close()
    await assert.rejects(openDatabase({ file: foreign }), {
      name: 'StartRefusal',
      message: `The data file ${foreign} is not a database of Cenote.`,
    })
    writeFileSync(join(folder, 'file'), '')
    await assert.rejects(openDatabase({ file: join(folder, 'file', 'cenote.db') }), {
      name: 'StartRefusal',
      message: /cannot be created/,
    })
  })

  test('a mode that an administrator has chosen is left alone', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    await (await openFile(file)).close()
    chmodSync(file, 0o640)
    await (await openFile(file)).close()
    assert.equal(statSync(file).mode & 0o777, 0o640)
  })
})

/** A process of its own that opens the file and says so, or says why it cannot and ends. */
const startHolder = (file: string): ChildProcess => {
  const program = `
    import { openDatabase } from ${JSON.stringify(new URL('./database.ts', import.meta.url).href)}
    openDatabase({ file: ${JSON.stringify(file)} }).then(
      () => process.send('open'),
      error => process.send(error.message, () => process.exit()),
    )
    process.on('disconnect', () => process.exit())`
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

const nextMessage = async (child: ChildProcess): Promise<unknown> => (await once(child, 'message'))[0]

describe('group commit', () => {
  test('the transactions of one turn are committed together, and none resolves before', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    const { db, close } = await openFile(file)
    const seen: string[][] = []
    const work = Array.from({ length: 20 }, (_, index) =>
      transaction(db, tx => put(tx, `k${String(index).padStart(2, '0')}`)).then(() => {
        seen.push(committedKeys(file))
      }),
    )
    // Microtasks run every statement of all of them; the commit waits for the end of the turn.
    for (let step = 0; step < 2000; step++) await Promise.resolve()
    assert.deepEqual(committedKeys(file), [])
    assert.equal(seen.length, 0)
    await Promise.all(work)
    assert.deepEqual(
      seen.map(names => names.length),
      Array.from({ length: 20 }, () => 20),
    )
    await close()
  })

  test('a transaction that waits for something else holds the commit back and loses nothing', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    const { db, close } = await openFile(file)
    const order: string[] = []
    const quick = transaction(db, tx => put(tx, 'quick')).then(() => order.push('quick'))
    const slow = transaction(db, async tx => {
      await put(tx, 'slow')
      await macroTask()
      assert.deepEqual(committedKeys(file), [])
      await put(tx, 'slower')
      order.push('end of work')
    }).then(() => order.push('slow'))
    const late = transaction(db, tx => put(tx, 'late')).then(() => order.push('late'))
    await Promise.all([quick, slow, late])
    assert.deepEqual(order, ['end of work', 'quick', 'slow', 'late'])
    assert.deepEqual(committedKeys(file), ['late', 'quick', 'slow', 'slower'])
    await close()
  })

  test('a group takes a bounded number of statements and lets the event loop breathe in between', async () => {
    const { db, close } = await openNew()
    let turns = 0
    let running = true
    const count = () => {
      turns++
      if (running) setImmediate(count)
    }
    setImmediate(count)
    await Promise.all(Array.from({ length: 2000 }, (_, index) => put(db, `k${index}`)))
    running = false
    assert.equal((await keys(db)).length, 2000)
    assert.ok(turns >= 2000 / 192, `${turns} turns`)
    await close()
  })

  test('one that throws, one that breaks a constraint and one that aborts leave the others of the group intact', async () => {
    const { db, close } = await openNew()
    await put(db, 'taken')
    const results = await Promise.allSettled([
      transaction(db, tx => put(tx, 'a')),
      transaction(db, async tx => {
        await put(tx, 'b')
        throw new Error('thrown')
      }),
      transaction(db, async tx => {
        await put(tx, 'c')
        await put(tx, 'taken')
      }),
      put(db, 'taken'),
      put(db, 'd'),
      transaction(db, async tx => {
        await put(tx, 'e')
        await put(tx, 'taken').catch(() => {})
      }),
      transaction(db, tx => put(tx, 'f')),
    ])
    assert.deepEqual(
      results.map(result => (result.status === 'fulfilled' ? 'ok' : (result.reason as Error).message)),
      [
        'ok',
        'thrown',
        'UNIQUE constraint failed: settings.key',
        'UNIQUE constraint failed: settings.key',
        'ok',
        'Transaction was rolled back instead of committed',
        'ok',
      ],
    )
    assert.deepEqual(await keys(db), ['a', 'd', 'f', 'taken'])
    await close()
  })

  test('when the COMMIT fails, every member is told so, nothing is stored, and the next group works', async () => {
    const { db, close } = await openNew()
    const results = await Promise.allSettled([
      put(db, 'a'),
      transaction(db, async tx => {
        // A constraint that is checked at the very end is the one way to make COMMIT itself fail on a healthy disk.
        await sql`pragma defer_foreign_keys = on`.execute(tx)
        await tx
          .insertInto('signing_keys')
          .values({ kid: 'k', pool_id: 'none', token_use: 'id', public_jwk: '', private_key: '', created_at: 1 })
          .execute()
      }),
      transaction(db, tx => put(tx, 'b')),
    ])
    for (const result of results) {
      assert.equal(result.status, 'rejected')
      const reason = result.reason as Error
      assert.equal(reason.message, 'The transaction was not committed, because its group failed.')
      assert.match((reason.cause as Error).message, /FOREIGN KEY constraint failed/)
    }
    assert.deepEqual(await keys(db), [])
    await put(db, 'c')
    assert.deepEqual(await keys(db), ['c'])
    await close()
  })

  test('when the file cannot grow, writes fail, reads go on, and writes work again when there is room', async () => {
    const { db, close } = await openNew()
    await put(db, 'before')
    const pages = Number(Object.values((await sql`pragma page_count`.execute(db)).rows[0] as object)[0])
    await sql`pragma max_page_count = ${sql.raw(String(pages + 1))}`.execute(db)
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => put(db, `k${index}`, 'x'.repeat(1000))),
    )
    const stored = results.flatMap((result, index) => (result.status === 'fulfilled' ? [`k${index}`] : []))
    assert.ok(stored.length < 40)
    assert.deepEqual(await keys(db), ['before', ...stored].sort())
    await sql`pragma max_page_count = 1000000`.execute(db)
    await put(db, 'after', 'x'.repeat(10_000))
    assert.deepEqual(await keys(db), ['after', 'before', ...stored].sort())
    await close()
  })

  test('a statement that ends the outer transaction from within fails the group instead of being acknowledged', async () => {
    const { db, close } = await openNew()
    const results = await Promise.allSettled([
      put(db, 'a'),
      transaction(db, async tx => {
        await put(tx, 'b')
        await sql`rollback`.execute(tx)
      }),
      put(db, 'c'),
    ])
    assert.deepEqual(
      results.map(result => result.status),
      ['rejected', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await keys(db), ['c'])
    await close()
  })

  test('closing waits for the transactions that are under way', async () => {
    const file = join(temporaryFolder(), 'cenote.db')
    const { db, close } = await openFile(file)
    const work = [
      put(db, 'a'),
      transaction(db, async tx => {
        await put(tx, 'b')
        await macroTask()
      }),
    ]
    await close()
    await Promise.all(work)
    assert.deepEqual(committedKeys(file), ['a', 'b'])
  })
})

describe('reading', () => {
  test('outside a transaction only committed data is seen, at once', async () => {
    const { db, close } = await openNew()
    await put(db, 'a')
    await transaction(db, async tx => {
      await put(tx, 'b')
      assert.deepEqual(await keys(tx), ['a', 'b'])
      assert.deepEqual(await keys(db), ['a'])
    })
    assert.deepEqual(await keys(db), ['a', 'b'])
    await close()
  })

  test('in memory a reader waits until no transaction is open, and sees nothing that is rolled back', async () => {
    const database = await openDatabase({ file: ':memory:' })
    await migrate(database, migrations)
    const { db } = database
    let read: Promise<string[]> | undefined
    const failed = transaction(db, async tx => {
      await put(tx, 'a')
      read = keys(db)
      await macroTask()
      throw new Error('no')
    })
    await assert.rejects(failed, /no/)
    assert.deepEqual(await read, [])
    await database.close()
  })

  test('a query that was prepared before a table grew a column returns the new column', async () => {
    const { db, close, exclusive } = await openNew()
    await put(db, 'a')
    const all = () => db.selectFrom('settings').selectAll().execute()
    assert.deepEqual(await all(), [{ key: 'a', value: 'v' }])
    await exclusive(run => run("alter table settings add column note text not null default 'n'"))
    assert.deepEqual(await all(), [{ key: 'a', value: 'v', note: 'n' }])
    await close()
  })

  test('more different queries than are kept prepared all work', async () => {
    const { db, close } = await openNew()
    for (let index = 0; index < 1200; index++) {
      const { rows } = await sql<{ n: number }>`select ${sql.raw(String(index))} as n`.execute(db)
      assert.deepEqual(rows, [{ n: index }])
      await db
        .selectFrom('settings')
        .select('key')
        .where('key', 'in', Array.from({ length: (index % 700) + 1 }, String))
        .execute()
    }
    await close()
  })
})
