import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachStore } from '../../test/support/databases.ts'
import { transaction } from './database.ts'
import { consumeOnce, countAttempt, sweepAttempts, sweepOneTime } from './one-time.ts'

onEachStore(source => {
  test('of 32 callers at once exactly one consumes a value, in transactions and without', async () => {
    const { db } = await source.open()
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        Array.from({ length: 32 }, (_, index) =>
          index % 2 === 0
            ? transaction(db, tx => consumeOnce(tx, 'code', `c${round}`, 1000))
            : consumeOnce(db, 'code', `c${round}`, 1000),
        ),
      )
      assert.equal(results.filter(Boolean).length, 1)
    }
  })

  test('a value that was consumed by a transaction that rolled back can still be consumed', async () => {
    const { db } = await source.open()
    await assert.rejects(
      transaction(db, async tx => {
        assert.equal(await consumeOnce(tx, 'code', 'c', 1000), true)
        throw new Error('no')
      }),
      /no/,
    )
    assert.equal(await consumeOnce(db, 'code', 'c', 1000), true)
    assert.equal(await consumeOnce(db, 'code', 'c', 1000), false)
  })

  test('the same value of another kind is another value', async () => {
    const { db } = await source.open()
    assert.equal(await consumeOnce(db, 'code', 'c', 1000), true)
    assert.equal(await consumeOnce(db, 'session', 'c', 1000), true)
    assert.equal(await consumeOnce(db, 'code', 'session', 1000), true)
  })

  test('a sweep forgets what has expired, oldest first, up to its limit, and nothing else', async () => {
    const { db } = await source.open()
    for (const expiresAt of [30, 10, 20, 40]) await consumeOnce(db, 'code', `c${expiresAt}`, expiresAt)
    assert.equal(await sweepOneTime(db, 9, 10), 0)
    assert.equal(await transaction(db, tx => sweepOneTime(tx, 30, 2)), 2)
    const left = await db.selectFrom('one_time_marks').select('id').orderBy('id').execute()
    assert.deepEqual(
      left.map(row => row.id),
      ['c30', 'c40'],
    )
    assert.equal(await sweepOneTime(db, 30, 10), 1)
    assert.equal(await consumeOnce(db, 'code', 'c40', 40), false)
  })

  test('attempts are counted within a window that begins with the first of them', async () => {
    const { db } = await source.open()
    const at = (now: number, key = 'k') => countAttempt(db, key, now, 100)
    const counted: number[] = []
    for (const now of [1000, 1000, 1050, 1099, 1100, 1199, 1200, 5000]) counted.push(await at(now))
    assert.deepEqual(counted, [1, 2, 3, 4, 1, 2, 1, 1])
    assert.equal(await at(5000, 'other'), 1)
  })

  test('a node whose clock is behind does not open a new window, and a clock set back far does', async () => {
    const { db } = await source.open()
    assert.equal(await countAttempt(db, 'k', 10_000, 1000), 1)
    assert.equal(await countAttempt(db, 'k', 9500, 1000), 2)
    assert.equal(await countAttempt(db, 'k', 10_100, 1000), 3)
    assert.equal(await countAttempt(db, 'k', 5000, 1000), 1)
    assert.equal(await countAttempt(db, 'k', 5001, 1000), 2)
  })

  test('every one of many parallel attempts gets a number of its own', async () => {
    const { db } = await source.open()
    const counts = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0
          ? countAttempt(db, 'k', 1000 + index, 1000)
          : transaction(db, tx => countAttempt(tx, 'k', 1000 + index, 1000)),
      ),
    )
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
  })

  test('a sweep forgets counters whose window began before a time', async () => {
    const { db } = await source.open()
    for (const now of [10, 20, 30]) await countAttempt(db, `k${now}`, now, 5)
    assert.equal(await sweepAttempts(db, 30, 1), 1)
    assert.equal(await sweepAttempts(db, 30, 10), 1)
    assert.deepEqual(await db.selectFrom('attempts').select('key').execute(), [{ key: 'k30' }])
  })
})
