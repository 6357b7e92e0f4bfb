import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { onEachStore, temporarySchema } from '../../test/support/databases.ts'
import { type Cache, createCache, invalidations } from './cache.ts'
import { type Database, openDatabase } from './database.ts'
import { createLru } from './lru.ts'

const createTestCache = (maxEntries = 10) => {
  const clock = { time: 1000, now: () => clock.time }
  const cache = createCache<string | undefined>({ maxEntries, maxAgeMs: 100, clock })
  let loads = 0
  /** What the cache gives, and how many loads there have been. */
  const get = async (key: string): Promise<string> => `${await cache.get(key, async () => `${key}${++loads}`)} ${loads}`
  return { cache, clock, get }
}

describe('a cache', () => {
  test('loads a value once and gives it until it is too old', async () => {
    const { clock, get } = createTestCache()
    assert.equal(await get('a'), 'a1 1')
    clock.time = 1099
    assert.equal(await get('a'), 'a1 1')
    clock.time = 1100
    assert.equal(await get('a'), 'a2 2')
  })

  test('does not trust values from the future after the clock was set back', async () => {
    const { clock, get } = createTestCache()
    assert.equal(await get('a'), 'a1 1')
    clock.time = 999
    assert.equal(await get('a'), 'a2 2')
  })

  test('lets all who ask at the same time share one load', async () => {
    const { get } = createTestCache()
    assert.deepEqual(await Promise.all([get('a'), get('a'), get('b'), get('a')]), ['a1 2', 'a1 2', 'b2 2', 'a1 2'])
  })

  test('forgets the entry that was used least recently when it is full', async () => {
    const { cache, get } = createTestCache(2)
    for (const key of ['a', 'b', 'a', 'c']) await get(key)
    assert.equal(cache.size, 2)
    assert.equal(await get('a'), 'a1 3')
    assert.equal(await get('b'), 'b4 4')
  })

  test('loads again what was deleted or cleared', async () => {
    const { cache, get } = createTestCache()
    await get('a')
    cache.delete('a')
    assert.equal(await get('a'), 'a2 2')
    cache.clear()
    assert.equal(await get('a'), 'a3 3')
  })

  for (const how of ['delete', 'clear'] as const) {
    test(`does not keep a value that was loaded before a ${how}, and does not give it to those who ask later`, async () => {
      const { cache } = createTestCache()
      const old = Promise.withResolvers<string>()
      const first = cache.get('a', () => old.promise)
      cache[how]('a')
      const second = cache.get('a', async () => 'new')
      old.resolve('old')
      assert.deepEqual(await Promise.all([first, second]), ['old', 'new'])
      assert.equal(await cache.get('a', async () => 'newer'), 'new')
    })
  }

  test('keeps neither failures nor undefined', async () => {
    const { cache } = createTestCache()
    await assert.rejects(
      cache.get('a', async () => Promise.reject(new Error('down'))),
      /down/,
    )
    assert.equal(await cache.get('a', async () => undefined), undefined)
    assert.equal(cache.size, 0)
    assert.equal(await cache.get('a', async () => 'up'), 'up')
  })

  test('takes names of built-in members as keys', async () => {
    const { get } = createTestCache()
    assert.equal(await get('__proto__'), '__proto__1 1')
    assert.equal(await get('constructor'), 'constructor2 2')
    assert.equal(await get('__proto__'), '__proto__1 2')
  })
})

test('a bounded map keeps what was used last', () => {
  const map = createLru<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  assert.equal(map.get('a'), 1)
  map.set('c', 3)
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [1, undefined, 3, 2])
  map.delete('a')
  assert.deepEqual([map.get('a'), map.size], [undefined, 1])
  map.clear()
  assert.equal(map.size, 0)
})

/** A cache that tells when something was deleted from it. */
const createTestNode = async (database: Database) => {
  const { cache } = createTestCache()
  let wake = () => {}
  const deleted: string[] = []
  const watched: Pick<Cache<unknown>, 'delete' | 'clear'> = {
    clear: () => cache.clear(),
    delete(key) {
      cache.delete(key)
      deleted.push(key)
      wake()
    },
  }
  const invalidate = await invalidations(database, { things: watched })
  const until = async (key: string) => {
    while (!deleted.includes(key)) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return { cache, invalidate, until }
}

onEachStore(source => {
  test('an invalidation has deleted the entry of its own node when it resolves', async () => {
    const { cache, invalidate } = await createTestNode(await source.open())
    await cache.get('a b', async () => 'old')
    await invalidate('things', 'a b')
    assert.equal(await cache.get('a b', async () => 'new'), 'new')
  })
})

test('an invalidation deletes the entry of the other nodes, and a dead database does not fail it', async () => {
  const place = temporarySchema()
  const databases = [await openDatabase(place), await openDatabase(place)] as const
  const [here, there] = [await createTestNode(databases[0]), await createTestNode(databases[1])]
  await there.cache.get('a b', async () => 'old')
  await there.cache.get('c', async () => 'kept')
  await here.invalidate('things', 'a b')
  await there.until('a b')
  assert.equal(await there.cache.get('a b', async () => 'new'), 'new')
  assert.equal(await there.cache.get('c', async () => 'new'), 'kept')
  for (const database of databases) await database.close()
  await here.invalidate('things', 'c')
})
