/**
 * The compute port on worker threads. Jobs that arrive in one turn of the event loop travel together and so do their
 * results, since a message costs as much as a tenth of a signature. The threads start with the first job, hold the
 * program up only while they work, and are replaced when they die.
 */
import type { KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { ComputeOverloaded } from '../core/errors.ts'
import type { Compute, Log } from '../core/ports.ts'
import type { FromWorker, JobResult, ModPowJob, SignJob } from './compute-worker.ts'
import { createPasswordHashes } from './password-hashes.ts'
import { createSamlReader } from './saml-reader.ts'

export interface ComputeOptions {
  threads?: number
  /** Jobs that may be under way or waiting; at about 0.5 ms each and two threads, 1,024 are a quarter of a second. */
  queueLimit?: number
  /** Keys that each thread keeps. */
  keyLimit?: number
  log?: Log
  /** The program of the threads, where it is not the one beside this file. */
  workerFile?: URL
}

export interface ThreadedCompute extends Compute {
  /** Starts the threads, so that the first sign-in need not wait for them. */
  warm(): void
  /** Stops the threads. Jobs under way and later ones are rejected. */
  close(): Promise<void>
}

interface Job {
  work: ModPowJob | { key: KeyObject; text: string }
  resolve: (result: string) => void
  reject: (error: Error) => void
}

interface Thread {
  worker: Worker
  /** Batches that have been sent, the oldest first; results come back in the same order. */
  sent: Job[][]
  /** Numbers of the keys that the worker holds, the least recently used first. */
  keyIds: Set<number>
}

/**
 * Long enough to share the cost of a message, short enough that the first job of a batch does not wait long for the
 * last: about four milliseconds.
 */
const batchSize = 8
/** One batch at work and one at hand, so that a thread never waits for the main thread. */
const batchesAhead = 2

// From the sources the worker runs as TypeScript, beside the bundle as JavaScript.
const workerName = import.meta.url.endsWith('.ts') ? './compute-worker.ts' : './compute-worker.js'

/**
 * Workers for signatures and powers. Both operations reject with `ComputeOverloaded` when the queue is full, and with
 * an ordinary error when the thread that has the job dies or `close` has been called.
 */
export const createCompute = (options: ComputeOptions = {}): ThreadedCompute => {
  const { threads: threadCount = 2, queueLimit = 1024, keyLimit = 256, log } = options
  const { workerFile = new URL(workerName, import.meta.url) } = options
  const threads: Thread[] = []
  const waiting: Job[] = []
  const passwordHashes = createPasswordHashes(log)
  const saml = createSamlReader(log)
  const keyNumbers = new WeakMap<KeyObject, number>()
  let keysSeen = 0
  let pending = 0
  let flushing = false
  let closed = false

  const startThreads = (): void => {
    while (threads.length < threadCount) {
      // Flags of the main program, such as the kind of its input or preloaded modules, are not meant for the threads.
      const worker = new Worker(workerFile, { name: 'cenote-compute', execArgv: [] })
      const thread: Thread = { worker, sent: [], keyIds: new Set() }
      threads.push(thread)
      worker.on('message', (message: FromWorker) => {
        if ('results' in message) settle(thread, message.results)
        else if (message.ready === 'rsa') log?.debug({}, 'Compute thread started')
        else
          log?.warn({ way: message.ready }, 'The crypto library refuses the fastest arithmetic; sign-ins cost more CPU')
      })
      // Results that cannot be read are lost results; the jobs must not hang for them.
      worker.on('messageerror', () => void worker.terminate())
      worker.on('error', error => log?.error({ error }, 'Compute thread failed'))
      worker.on('exit', () => bury(thread))
      // Last, because listening for messages holds the program up again.
      worker.unref()
    }
  }

  const settle = (thread: Thread, results: JobResult[]): void => {
    const jobs = thread.sent.shift() ?? []
    if (thread.sent.length === 0) thread.worker.unref()
    pending -= jobs.length
    for (const [index, job] of jobs.entries()) {
      const result = results[index]
      if (result === undefined) job.reject(new Error('The compute thread left out a result'))
      else if (typeof result === 'string') job.resolve(result)
      else job.reject(result)
    }
    scheduleFlush()
  }

  const bury = (thread: Thread): void => {
    threads.splice(threads.indexOf(thread), 1)
    for (const job of thread.sent.flat()) {
      pending -= 1
      job.reject(new Error('The compute thread stopped'))
    }
    scheduleFlush()
  }

  /** The number of the key, with the key itself when the thread does not hold it, and the key it makes room for. */
  const referTo = (thread: Thread, key: KeyObject): Omit<SignJob, 'text'> => {
    let keyId = keyNumbers.get(key)
    if (keyId === undefined) {
      keyId = ++keysSeen
      keyNumbers.set(key, keyId)
    }
    const isHeld = thread.keyIds.delete(keyId)
    thread.keyIds.add(keyId)
    if (isHeld) return { keyId }
    if (thread.keyIds.size <= keyLimit) return { keyId, key }
    const [forget = 0] = thread.keyIds
    thread.keyIds.delete(forget)
    return { keyId, key, forget }
  }

  const send = (thread: Thread, jobs: Job[]): void => {
    if (thread.sent.length === 0) thread.worker.ref()
    thread.sent.push(jobs)
    thread.worker.postMessage(
      jobs.map(({ work }) => ('key' in work ? { text: work.text, ...referTo(thread, work.key) } : work)),
    )
  }

  /** The thread with the fewest jobs among those that may be sent another batch. */
  const nextThread = (): Thread | undefined => {
    const load = (thread: Thread) => thread.sent.reduce((sum, batch) => sum + batch.length, 0)
    const free = threads.filter(thread => thread.sent.length < batchesAhead)
    return free.sort((one, other) => load(one) - load(other))[0]
  }

  const flush = (): void => {
    flushing = false
    if (closed) return
    startThreads()
    while (waiting.length > 0) {
      const thread = nextThread()
      if (thread === undefined) return
      // A few jobs are spread over all threads, many are cut into batches.
      send(thread, waiting.splice(0, Math.min(batchSize, Math.ceil(waiting.length / threadCount))))
    }
  }

  const scheduleFlush = (): void => {
    if (flushing || waiting.length === 0) return
    flushing = true
    setImmediate(flush)
  }

  const enqueue = (work: Job['work']): Promise<string> => {
    if (closed) return Promise.reject(new Error('The compute threads have been closed'))
    if (pending >= queueLimit) return Promise.reject(new ComputeOverloaded())
    pending += 1
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    waiting.push({ work, resolve, reject })
    scheduleFlush()
    return promise
  }

  return {
    signRs256: (key, text) => enqueue({ key, text }),

    async modPow(base, exponent) {
      return Buffer.from(
        await enqueue({ base: base.toString('latin1'), exponent: exponent.toString('latin1') }),
        'latin1',
      )
    },

    matchesHash: (hash, password) => passwordHashes.verify(hash, password),

    saml,

    warm() {
      if (!closed) startThreads()
    },

    async close() {
      closed = true
      for (const job of waiting.splice(0)) job.reject(new Error('The compute threads have been closed'))
      await Promise.all([passwordHashes.close(), saml.close(), ...threads.map(thread => thread.worker.terminate())])
    },
  }
}
