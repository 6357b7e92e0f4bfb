/**
 * The bulkhead of triggers: each pool has so many calls under way and no more, so that a function which hangs holds up
 * nothing but the requests of its own pool.
 */
import { tooManyRequests } from '../../core/errors.ts'
import type { Triggers } from '../../core/ports.ts'

const callsAtOnce = 50
const waitingMax = 100

interface Turns {
  running: number
  waiting: (() => void)[]
}

const turnsByPort = new WeakMap<Triggers, Map<string, Turns>>()

/**
 * Does the work when it is the pool's turn.
 * @throws TooManyRequestsException when very many calls of the pool are waiting, and what the work throws.
 */
export const inTurn = async <T>(port: Triggers, poolId: string, work: () => Promise<T>): Promise<T> => {
  const all = turnsByPort.get(port) ?? new Map<string, Turns>()
  turnsByPort.set(port, all)
  const turns = all.get(poolId) ?? { running: 0, waiting: [] }
  all.set(poolId, turns)
  if (turns.running < callsAtOnce) turns.running += 1
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
      if (turns.running === 0) all.delete(poolId)
    }
  }
}
