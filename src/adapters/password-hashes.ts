/**
 * Checks passwords against the hashes of other systems, on a thread of its own: one check takes hundreds of times as
 * long as the signatures and powers of a sign-in, which must not wait for it.
 */
import type { HashText } from '../core/password-hash.ts'
import type { Log } from '../core/ports.ts'
import type { HashJob } from './password-hash-worker.ts'
import { createWorkerQueue } from './worker-queue.ts'

export interface PasswordHashes {
  /** Rejects with `ComputeOverloaded` when very many checks are waiting. */
  verify(hash: HashText, password: string): Promise<boolean>
  /** Stops the thread. Checks under way and later ones are rejected. */
  close(): Promise<void>
}

/** At up to 0.4 s each, the last one waits for about ten seconds. */
const queueLimit = 32

export const createPasswordHashes = (log?: Log): PasswordHashes => {
  const queue = createWorkerQueue<HashJob, boolean>({ program: 'password-hash-worker', queueLimit, log })
  return {
    verify: (hash, password) => queue.run({ hash, password }),
    close: () => queue.close(),
  }
}
