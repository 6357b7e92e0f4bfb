/**
 * Triggers by a module of JavaScript or TypeScript on this machine. It runs on a thread of its own, so that a function
 * which computes for long holds up nothing else. The thread starts with the first call, does not hold the program up
 * while it is idle, and is replaced when the module's file has changed or a call was not answered in time.
 */
import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { TriggerFailure, type Triggers } from '../core/ports.ts'
import type { ModuleAnswer, ModuleCall } from './local-module-worker.ts'
import { readReturned } from './trigger-answer.ts'

// From the sources the worker runs as TypeScript, beside the bundle as JavaScript.
const workerName = import.meta.url.endsWith('.ts') ? './local-module-worker.ts' : './local-module-worker.js'

interface Thread {
  worker: Worker
  /** Which state of the file it has loaded. */
  version: string
  pending: Map<number, PromiseWithResolvers<unknown>>
}

/**
 * Calls the default export of the module, or the one named `handler`, with the event. What it throws is the error of the
 * function. Only the file itself is watched for changes, not what it imports.
 */
export const localModuleTriggers = (file: string): Triggers & { close(): Promise<void> } => {
  let current: Thread | undefined
  const threads = new Set<Thread>()
  let lastId = 0

  /** Takes no more calls; ends when the last one under way has settled. */
  const retire = (thread: Thread): void => {
    if (current === thread) current = undefined
    if (thread.pending.size === 0) void thread.worker.terminate()
  }

  const settle = (thread: Thread, id: number): PromiseWithResolvers<unknown> | undefined => {
    const call = thread.pending.get(id)
    thread.pending.delete(id)
    if (thread.pending.size === 0) {
      thread.worker.unref()
      if (current !== thread) void thread.worker.terminate()
    }
    return call
  }

  const start = (version: string): Thread => {
    const worker = new Worker(new URL(workerName, import.meta.url), {
      name: 'cenote-trigger',
      execArgv: [],
      workerData: { url: pathToFileURL(file).href },
    })
    const thread: Thread = { worker, version, pending: new Map() }
    threads.add(thread)
    let cause: unknown
    worker.on('message', ({ id, ...answer }: ModuleAnswer) => {
      const call = settle(thread, id)
      try {
        if ('error' in answer) throw new TriggerFailure('function', answer.error)
        call?.resolve(readReturned(Buffer.from(answer.returned)))
      } catch (error) {
        call?.reject(error)
      }
    })
    worker.on('error', error => {
      cause = error
    })
    worker.on('exit', () => {
      threads.delete(thread)
      retire(thread)
      for (const call of thread.pending.values()) call.reject(new TriggerFailure('refused', 'ServiceException', cause))
      thread.pending.clear()
    })
    worker.unref()
    return thread
  }

  return {
    async invoke({ event, timeoutMs }) {
      const version = await versionOf(file)
      if (current !== undefined && current.version !== version) retire(current)
      current ??= start(version)
      const thread = current
      lastId += 1
      const id = lastId
      const call = Promise.withResolvers<unknown>()
      thread.pending.set(id, call)
      thread.worker.ref()
      thread.worker.postMessage({ id, event: JSON.stringify(event) } satisfies ModuleCall)
      const limit = setTimeout(() => {
        // The function may never give the thread back, so nobody else is sent there.
        if (current === thread) current = undefined
        settle(thread, id)?.reject(new TriggerFailure('timeout', 'The module did not answer in time.'))
      }, timeoutMs)
      try {
        return await call.promise
      } finally {
        clearTimeout(limit)
      }
    },

    async close() {
      current = undefined
      await Promise.all([...threads].map(thread => thread.worker.terminate()))
    },
  }
}

/** Differs whenever the file has changed. @throws TriggerFailure when there is no file. */
const versionOf = async (file: string): Promise<string> => {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    throw new TriggerFailure('refused', 'ResourceNotFoundException', error)
  }
}
