/** The thread behind `local-module.ts`: loads one module and calls its function, with as many events at a time as come. */
import { parentPort, workerData } from 'node:worker_threads'

export interface ModuleCall {
  id: number
  /** JSON, as the function would receive it from elsewhere. */
  event: string
}

/** What the function returned, as JSON, or the text of the error that it threw. */
export type ModuleAnswer = { id: number } & ({ returned: string } | { error: string })

const { url } = workerData as { url: string }

const load = async (): Promise<(event: unknown) => unknown> => {
  const module = (await import(url)) as Record<string, unknown>
  const run = [module['default'], module['handler']].find(exported => typeof exported === 'function')
  if (run === undefined) throw new Error('The module exports no function as default or handler')
  return run as (event: unknown) => unknown
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

let loading: ReturnType<typeof load> | undefined

const answer = async ({ id, event }: ModuleCall): Promise<ModuleAnswer> => {
  try {
    loading ??= load()
    const run = await loading
    return { id, returned: JSON.stringify((await run(JSON.parse(event))) ?? null) ?? 'null' }
  } catch (error) {
    return { id, error: textOf(error) }
  }
}

parentPort?.on('message', async (call: ModuleCall) => parentPort?.postMessage(await answer(call)))
