/** So many works for one key at a time and no more; the rest wait, a bounded number of them, in the order they came. */
import { tooManyRequests } from '../core/errors.ts'

interface Turns {
  running: number
  waiting: (() => void)[]
}

/**
 * A function that does the work when it is the key's turn. Keys are counted apart for each owner, which is what the works
 * of one program have in common.
 * @throws TooManyRequestsException when very many works of the key are waiting, and what the work throws.
 */
export const takingTurns = ({ atOnce, waitingMax }: { atOnce: number; waitingMax: number }) => {
  const turnsByOwner = new WeakMap<object, Map<string, Turns>>()
  return async <T>(owner: object, key: string, work: () => Promise<T>): Promise<T> => {
    const all = turnsByOwner.get(owner) ?? new Map<string, Turns>()
    turnsByOwner.set(owner, all)
    const turns = all.get(key) ?? { running: 0, waiting: [] }
    all.set(key, turns)
    if (turns.running < atOnce) turns.running += 1
    else {
      if (turns.waiting.length >= waitingMax) throw tooManyRequests()
      await new Promise<void>(resolve => turns.waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = turns.waiting.shift()
      if (next !== undefined) next()
      else {
        turns.running -= 1
        if (turns.running === 0) all.delete(key)
      }
    }
  }
}
