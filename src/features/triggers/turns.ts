/**
 * The bulkhead of triggers: each pool has so many calls under way and no more, so that a function which hangs holds up
 * nothing but the requests of its own pool.
 */
import { takingTurns } from '../turns.ts'

/**
 * Does the work when it is the pool's turn; the owner of the turns is the port.
 * @throws TooManyRequestsException when very many calls of the pool are waiting, and what the work throws.
 */
export const inTurn = takingTurns({ atOnce: 50, waitingMax: 100 })

/** The same for functions that nobody waits for, so that they never take the place of those that somebody waits for. */
export const inSendersTurn = takingTurns({ atOnce: 20, waitingMax: 200 })
