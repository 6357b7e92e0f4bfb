import { setImmediate } from 'node:timers/promises'

/** Lets everything that waits have its turn of the event loop. */
export const nextTurn = (): Promise<void> => setImmediate()
