/** A map of bounded size that forgets what was not used for the longest time. */
export interface Lru<V> {
  /** The value, which counts as used now; undefined when there is none. */
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  clear(): void
  readonly size: number
}

/** An empty map that holds at most `max` entries. */
export function createLru<V>(max: number): Lru<V> {
  // A Map iterates in the order of insertion, so the first key is always the one that was not used for longest.
  const entries = new Map<string, V>()
  return {
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) {
        entries.delete(key)
        entries.set(key, value)
      }
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > max) entries.delete(entries.keys().next().value as string)
    },
    delete(key) {
      entries.delete(key)
    },
    clear() {
      entries.clear()
    },
    get size() {
      return entries.size
    },
  }
}
