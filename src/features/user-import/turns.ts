/** How the work on a job gives way to everything else that the process does. */
import { setImmediate, setTimeout } from 'node:timers/promises'

/** About as long as a batch takes. */
const pauseMs = 4

/** Lets everything that waits have its turn of the event loop. */
export const nextTurn = (): Promise<void> => setImmediate()

/**
 * Leaves the event loop to others for as long as a batch has held it. A request takes several turns, between which it is
 * on other threads; with single turns left to it, each of them would have to wait for a whole batch. It is a matter of
 * processor time, not of the time of day, so it does not follow the clock of the program.
 */
export const giveWay = (): Promise<void> => setTimeout(pauseMs)
