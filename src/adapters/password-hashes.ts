/**
 * Checks passwords against the hashes of other systems, on a thread of its own: one check takes hundreds of times as
 * long as the signatures and powers of a sign-in, which must not wait for it. The thread starts with the first check and
 * does not hold the program up while it is idle.
 */
import { Worker } from 'node:worker_threads'
import { ComputeOverloaded } from '../core/errors.ts'
import type { HashText } from '../core/password-hash.ts'
import type { Log } from '../core/ports.ts'
import type { HashJob, HashResult } from './password-hash-worker.ts'

export interface PasswordHashes {
  /** Rejects with `ComputeOverloaded` when very many checks are waiting. */
  verify(hash: HashText, password: string): Promise<boolean>
  /** Stops the thread. Checks under way and later ones are rejected. */
  close(): Promise<void>
}

/** At up to 0.4 s each, the last one waits for about ten seconds. */
const queueLimit = 32

// From the sources the worker runs as TypeScript, beside the bundle as JavaScript.
const workerName = import.meta.url.endsWith('.ts') ? './password-hash-worker.ts' : './password-hash-worker.js'

export const createPasswordHashes = (log?: Log): PasswordHashes => {
  let worker: Worker | undefined
  let closed = false
  /** Checks that have been sent, the oldest first; results come back in the same order. */
  const sent: PromiseWithResolvers<boolean>[] = []

  const start = (): Worker => {
    const started = new Worker(new URL(workerName, import.meta.url), { name: 'cenote-password-hashes', execArgv: [] })
    started.on('message', (result: HashResult) => {
      const check = sent.shift()
      if (sent.length === 0) started.unref()
      if (typeof result === 'boolean') check?.resolve(result)
      else check?.reject(result)
    })
    started.on('messageerror', () => void started.terminate())
    started.on('error', error => log?.error({ error }, 'Password hash thread failed'))
    started.on('exit', () => {
      worker = undefined
      for (const check of sent.splice(0)) check.reject(new Error('The password hash thread stopped'))
    })
    return started
  }

  return {
    verify(hash, password) {
      if (closed) return Promise.reject(new Error('The password hash thread has been closed'))
      if (sent.length >= queueLimit) return Promise.reject(new ComputeOverloaded())
      worker ??= start()
      const check = Promise.withResolvers<boolean>()
      sent.push(check)
      worker.ref()
      worker.postMessage({ hash, password } satisfies HashJob)
      return check.promise
    },

    async close() {
      closed = true
      await worker?.terminate()
    },
  }
}
