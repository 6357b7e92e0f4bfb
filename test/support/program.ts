/** The program as its users run it: a process of its own, with options, an environment and two streams. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ProgramOptions {
  env?: Record<string, string>
  /** Working directory; a folder of its own by default. */
  cwd?: string
}

export interface Ended {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
  ms: number
}

export interface Program extends AsyncDisposable {
  /** The URL of the start line. */
  url: string
  /** Milliseconds from the start to the start line. */
  readyAfterMs: number
  pid: number
  stdout(): string
  stderr(): string
  /** The log, one object a line. Throws when a line is no JSON. */
  log(): Record<string, unknown>[]
  signal(name: NodeJS.Signals): void
  ended: Promise<Ended>
  /** Kills the program if it still runs. */
  [Symbol.asyncDispose](): Promise<void>
}

const root = join(import.meta.dirname, '../..')
const startMs = 20_000

const running = new Set<ChildProcess>()
const folders = new Set<string>()
// However the tests end, no program and no folder outlives them.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

let bundle: string | undefined

/** The program as it is installed, bundled once by each test file that needs it: it starts three times as fast. */
const entry = (): string => {
  if (bundle === undefined) {
    bundle = join(scratchFolder().path, 'dist')
    execFileSync(process.execPath, ['tools/build.ts', '--outdir', bundle], { cwd: root })
  }
  return join(bundle, 'cenote.js')
}

/** A folder that exists until `remove` is called or the tests have ended. */
export const scratchFolder = (): { path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'cenote-program-'))
  folders.add(path)
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true })
      folders.delete(path)
    },
  }
}

/** Starts the program and waits for nothing. */
export const launchProgram = (args: string[], { env = {}, cwd }: ProgramOptions = {}) => {
  const own = cwd === undefined ? scratchFolder() : undefined
  const program = entry()
  const began = performance.now()
  const child = spawn(process.execPath, [program, ...args], {
    cwd: cwd ?? own?.path,
    // Nothing of the surroundings but what a process needs, so that a variable set here or there changes no test.
    env: { PATH: process.env['PATH'], HOME: own?.path ?? cwd, TMPDIR: process.env['TMPDIR'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ended>(resolve => {
    child.once('close', (code, signal) => {
      running.delete(child)
      own?.remove()
      resolve({ code, signal, stdout, stderr, ms: performance.now() - began })
    })
  })
  return { child, ended, began, stdout: () => stdout, stderr: () => stderr }
}

/** Runs the program to its end, which is due within 20 seconds. */
export const runProgram = async (args: string[], options: ProgramOptions = {}): Promise<Ended> => {
  const { child, ended } = launchProgram(args, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), startMs)
  const result = await ended
  clearTimeout(timer)
  return result
}

/** Starts the server on a free port of the loopback interface, unless the options say otherwise, and waits for it. */
export const startProgram = async (args: string[] = [], options: ProgramOptions = {}): Promise<Program> => {
  const port = args.includes('--port') || options.env?.['CENOTE_PORT'] !== undefined ? [] : ['--port', '0']
  const { child, ended, began, stdout, stderr } = launchProgram(['start', ...port, ...args], options)
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), startMs)
    const look = () => {
      const found = /^cenote listening on (\S+)\n/.exec(stdout())?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    }
    child.stdout.on('data', look)
    void ended.then(({ code, signal }) => reject(new Error(`The program ended with ${code ?? signal}: ${stderr()}`)))
  })
  const readyAfterMs = performance.now() - began
  return {
    url: url.replace('0.0.0.0', '127.0.0.1'),
    readyAfterMs,
    pid: child.pid ?? 0,
    stdout,
    stderr,
    log: () =>
      stderr()
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>),
    signal: name => {
      child.kill(name)
    },
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
