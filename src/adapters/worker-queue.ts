/**
 * A thread that does one slow job after the other, away from the threads that sign-ins wait for. It starts with the first
 * job, does not hold the program up while it is idle, and is replaced when it dies.
 */
import { Worker } from 'node:worker_threads'
import { ComputeOverloaded } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'

export interface WorkerQueue<Job, Result> {
  /**
   * What the thread makes of the job. Rejects with the error that it answers instead, and with `ComputeOverloaded` when very
   * many jobs are waiting.
   */
  run(job: Job): Promise<Result>
  /** Stops the thread. Jobs under way and later ones are rejected. */
  close(): Promise<void>
}

export interface WorkerQueueOptions {
  /** The program of the thread, a file beside this one, without its ending. It answers each message with one. */
  program: string
  /** Jobs that may be under way or waiting. */
  queueLimit: number
  log: Log | undefined
}

// From the sources the worker runs as TypeScript, beside the bundle as JavaScript.
const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

export const createWorkerQueue = <Job, Result>(options: WorkerQueueOptions): WorkerQueue<Job, Result> => {
  const { program, queueLimit, log } = options
  let worker: Worker | undefined
  let closed = false
  /** Jobs that have been sent, the oldest first; results come back in the same order. */
  const sent: PromiseWithResolvers<Result>[] = []

  const start = (): Worker => {
    const started = new Worker(new URL(`./${program}${ending}`, import.meta.url), {
      name: `cenote-${program}`,
      execArgv: [],
    })
    started.on('message', (result: Result | Error) => {
      const job = sent.shift()
      if (sent.length === 0) started.unref()
      if (result instanceof Error) job?.reject(result)
      else job?.resolve(result)
    })
    // Results that cannot be read are lost results; the jobs must not hang for them.
    started.on('messageerror', () => void started.terminate())
    started.on('error', error => log?.error({ error, program }, 'Thread failed'))
    started.on('exit', () => {
      worker = undefined
      for (const job of sent.splice(0)) job.reject(new Error(`The thread ${program} stopped`))
    })
    return started
  }

  return {
    run(job) {
      if (closed) return Promise.reject(new Error(`The thread ${program} has been closed`))
      if (sent.length >= queueLimit) return Promise.reject(new ComputeOverloaded())
      worker ??= start()
      const waiting = Promise.withResolvers<Result>()
      sent.push(waiting)
      worker.ref()
      worker.postMessage(job)
      return waiting.promise
    },

    async close() {
      closed = true
      await worker?.terminate()
    },
  }
}
