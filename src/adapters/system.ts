/** The system's clock and random source: the only place that reads either. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random } from '../core/ports.ts'

export const systemClock: Clock = { now: () => Date.now() }

/** A clock that can be moved forward, for test mode. */
export const adjustableClock = (base: Clock): Clock & { advance(ms: number): void; reset(): void } => {
  let offsetMs = 0
  return {
    now: () => base.now() + offsetMs,
    advance: ms => {
      offsetMs += ms
    },
    reset: () => {
      offsetMs = 0
    },
  }
}

export const systemRandom: Random = { bytes: length => randomBytes(length) }
