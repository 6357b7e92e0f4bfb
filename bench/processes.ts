/** Servers as child processes, and what the operating system says they used. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Clock ticks of /proc/…/stat; a hundred a second on every Linux that Node.js runs on. */
const ticksPerSecond = 100

export interface Server {
  name: string
  url: string
  pid: number
  /** Milliseconds from spawning to the first answered request. */
  startMs: number
  stop(): Promise<void>
}

export interface Launch {
  name: string
  args: string[]
  env?: Record<string, string>
  cwd?: string
  port: number
  /** Path that answers something as soon as the server listens. */
  probe?: string
}

/** Starts a Node.js program and waits until it answers. */
export const launch = async ({ name, args, env, cwd, port, probe = '/' }: Launch): Promise<Server> => {
  const begun = performance.now()
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr?.on('data', chunk => {
    complaint = `${complaint}${chunk}`.slice(-2_000)
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await answers(`${url}${probe}`))) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${complaint}`)
    if (performance.now() - begun > 30_000) throw new Error(`${name} did not start in 30 s: ${complaint}`)
  }
  const startMs = performance.now() - begun
  return { name, url, pid: child.pid ?? 0, startMs, stop: () => stop(child) }
}

const answers = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(url)
    await response.arrayBuffer()
    if (response.ok) return true
  } catch {
    // Not listening yet.
  }
  await new Promise(resolve => setTimeout(resolve, 2))
  return false
}

const stop = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref()
  })

export const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

/** CPU seconds that the process and its threads have used so far; NaN where /proc is missing. */
export const cpuSeconds = (pid: number): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return Number.NaN
  }
}

/**
 * Milliseconds of CPU that the main thread has used so far, as exactly as the scheduler knows it; NaN where /proc is
 * missing. Unlike the time of an answer it hardly depends on what else the machine is doing.
 */
export const mainThreadMs = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000_000
  } catch {
    return Number.NaN
  }
}

/** Resident memory in megabytes; NaN where /proc is missing. */
export const residentMegabytes = (pid: number): number => {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes) / 1024
  } catch {
    return Number.NaN
  }
}
