/** What is read often and changes seldom, kept in memory: bounded in number and in age, told of changes by all nodes. */
import type { Clock } from '../core/ports.ts'
import type { Database } from './database.ts'
import { createLru } from './lru.ts'

export interface CacheOptions {
  maxEntries: number
  /** An entry is loaded again after this time, whatever happened to the notification that should have removed it. */
  maxAgeMs: number
  clock: Clock
}

export interface Cache<V> {
  /**
   * The kept value, or what `load` resolves to. Callers that ask while a load is under way share it. A failed load is
   * not kept, nor is undefined, nor a value whose key was deleted while it was loaded.
   */
  get(key: string, load: () => Promise<V>): Promise<V>
  delete(key: string): void
  clear(): void
  /** Number of values that are kept. */
  readonly size: number
}

export function createCache<V>({ maxEntries, maxAgeMs, clock }: CacheOptions): Cache<V> {
  const entries = createLru<{ value: Promise<V>; loadedAt: number }>(maxEntries)
  const loading = new Map<string, Promise<V>>()

  const isFresh = (loadedAt: number): boolean => {
    const age = clock.now() - loadedAt
    // A clock that was set back must not keep an entry alive.
    return age >= 0 && age < maxAgeMs
  }
  const start = (key: string, load: () => Promise<V>): Promise<V> => {
    // The value is as old as the question, not as the answer.
    const loadedAt = clock.now()
    const promise: Promise<V> = load().then(
      value => {
        if (loading.get(key) === promise) {
          loading.delete(key)
          if (value !== undefined) entries.set(key, { value: promise, loadedAt })
        }
        return value
      },
      error => {
        if (loading.get(key) === promise) loading.delete(key)
        throw error
      },
    )
    loading.set(key, promise)
    return promise
  }
  return {
    get(key, load) {
      const entry = entries.get(key)
      if (entry !== undefined && isFresh(entry.loadedAt)) return entry.value
      return loading.get(key) ?? start(key, load)
    },
    delete(key) {
      entries.delete(key)
      loading.delete(key)
    },
    clear() {
      entries.clear()
      loading.clear()
    },
    get size() {
      return entries.size
    },
  }
}

const channel = 'cenote_invalidations'

/**
 * Joins the caches of all nodes: the result deletes a key from the named cache here and on the other nodes. Call it
 * after the commit. When other nodes cannot be told, their age limit takes over, because the change itself is done.
 */
export async function invalidations<Name extends string>(
  database: Database,
  caches: Readonly<Record<Name, Pick<Cache<unknown>, 'delete' | 'clear'>>>,
): Promise<(name: Name, key: string) => Promise<void>> {
  const byName = new Map<string, Pick<Cache<unknown>, 'delete' | 'clear'>>(Object.entries(caches))
  await database.listen(
    channel,
    payload => {
      const separator = payload.indexOf(' ')
      byName.get(payload.slice(0, separator))?.delete(payload.slice(separator + 1))
    },
    () => {
      for (const cache of byName.values()) cache.clear()
    },
  )
  return async (name, key) => {
    caches[name].delete(key)
    await database.notify(channel, `${name} ${key}`).catch(() => {})
  }
}
