/** RSA-2048 key pairs made ahead of time: one takes some hundred milliseconds of a core, creating a pool should not. */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyPairs } from '../core/ports.ts'

type KeyPair = { publicKey: KeyObject; privateKey: KeyObject }
type Waiter = { resolve: (pair: KeyPair) => void; reject: (error: Error) => void }

export interface SpareKeyPairs extends KeyPairs {
  /** Begins to make the spares. Without it that happens after the first `take`. */
  warm(): void
  /** Lets go of the spares and makes no more. Whoever waits for a pair, or asks for one later, is rejected. */
  close(): void
}

const generate = promisify(generateKeyPair)

/**
 * Key pairs with so many spares. They are made in the thread pool, one at a time, so that the other core stays free for
 * requests; two at a time while somebody waits. Nobody is ever given a pair that another one has been given.
 */
export const createKeyPairs = ({ spares = 4 }: { spares?: number } = {}): SpareKeyPairs => {
  const ready: KeyPair[] = []
  const waiting: Waiter[] = []
  let underWay = 0
  let closed = false

  const refill = (): void => {
    const atOnce = waiting.length > 0 ? 2 : 1
    while (!closed && underWay < atOnce && ready.length + underWay < spares + waiting.length) {
      underWay += 1
      generate('rsa', { modulusLength: 2048 }).then(finish, fail)
    }
  }

  const finish = (pair: KeyPair): void => {
    underWay -= 1
    if (closed) return
    const waiter = waiting.shift()
    if (waiter === undefined) ready.push(pair)
    else waiter.resolve(pair)
    refill()
  }

  const fail = (cause: Error): void => {
    underWay -= 1
    // Spares are tried again with the next take: a library that cannot make keys should not be asked in a loop.
    waiting.shift()?.reject(new Error('No RSA key pair could be made', { cause }))
    if (waiting.length > 0) refill()
  }

  return {
    async take() {
      if (closed) throw new Error('The key pairs have been closed')
      const { promise, resolve, reject } = Promise.withResolvers<KeyPair>()
      const pair = ready.shift()
      if (pair === undefined) waiting.push({ resolve, reject })
      else resolve(pair)
      refill()
      return promise
    },

    warm: refill,

    close() {
      closed = true
      ready.length = 0
      for (const waiter of waiting.splice(0)) waiter.reject(new Error('The key pairs have been closed'))
    },
  }
}
