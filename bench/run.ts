/**
 * The benchmarks: Cenote, cognito-local and a bare loop of the machine's own arithmetic, measured in one run. What
 * counts are the ratios; absolute figures depend on the machine. See README.md beside this file.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { measureArithmetic } from './arithmetic.ts'
import { call, type Measured, measure } from './load.ts'
import { freePort, launch, residentMegabytes, type Server } from './processes.ts'
import { fillPool } from './seed.ts'
import { clientCompute, prepareEphemerals, signInBySrp } from './srp-client.ts'

const large = process.argv.includes('--large')
const listSizes = large ? [1_000, 100_000, 1_000_000] : [1_000, 100_000]
const password = 'Passw0rd!'
const bundle = resolve('dist/cenote.js')
const peerProgram = resolve('node_modules/cognito-local/lib/bin/start.js')

interface Pool {
  id: string
  clientId: string
}

const temporary = mkdtempSync(join(tmpdir(), 'cenote-bench-'))
const lines: string[] = []
const say = (line = '') => {
  lines.push(line)
  process.stdout.write(`${line}\n`)
}
const results: Record<string, unknown> = {}
const round = (value: number, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : 'n/a')

/** One line of the table of goals. */
const goals: { what: string; value: number; goal: string; met: boolean }[] = []
const atMost = (what: string, value: number, limit: number) =>
  goals.push({ what, value, goal: `≤ ${limit}`, met: value <= limit })
const atLeast = (what: string, value: number, limit: number) =>
  goals.push({ what, value, goal: `≥ ${limit}`, met: value >= limit })

// ---------------------------------------------------------------------------------------------- servers

const startCenote = async (data: string): Promise<Server> => {
  const port = await freePort()
  const args = [bundle, 'start', '--data', data, '--port', String(port), '--log-level', 'error']
  return launch({ name: 'cenote', args, port, probe: '/health' })
}

const startPeer = async (folder: string): Promise<Server> => {
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  return launch({
    name: 'cognito-local',
    args: [peerProgram],
    env: { PORT: String(port), HOST: '127.0.0.1' },
    cwd: folder,
    port,
    probe: '/health',
  })
}

const startBare = async (): Promise<Server> => {
  const port = await freePort()
  const program = `require('node:http').createServer((q,s)=>s.end('ok')).listen(${port},'127.0.0.1')`
  return launch({ name: 'node:http', args: ['-e', program], port })
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const medianStart = async (start: () => Promise<Server>, times: number): Promise<number> => {
  const measured: number[] = []
  for (let run = 0; run < times; run++) {
    const server = await start()
    measured.push(server.startMs)
    await server.stop()
  }
  return median(measured)
}

const createPool = async (server: Server, usernameAttributes?: string[]): Promise<Pool> => {
  const pool = await call<{ UserPool: { Id: string } }>(server, 'CreateUserPool', {
    PoolName: 'bench',
    UsernameAttributes: usernameAttributes,
  })
  const client = await call<{ UserPoolClient: { ClientId: string } }>(server, 'CreateUserPoolClient', {
    UserPoolId: pool.UserPool.Id,
    ClientName: 'bench',
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
  })
  return { id: pool.UserPool.Id, clientId: client.UserPoolClient.ClientId }
}

const addUser = async (server: Server, pool: Pool, email: string): Promise<void> => {
  await call(server, 'AdminCreateUser', {
    UserPoolId: pool.id,
    Username: email,
    MessageAction: 'SUPPRESS',
    TemporaryPassword: password,
    UserAttributes: [{ Name: 'email', Value: email }],
  })
  await call(server, 'AdminSetUserPassword', {
    UserPoolId: pool.id,
    Username: email,
    Password: password,
    Permanent: true,
  })
}

const signIn = (server: Server, pool: Pool, email: string) =>
  call<{ AuthenticationResult: { AccessToken: string; RefreshToken: string } }>(server, 'InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId: pool.clientId,
    AuthParameters: { USERNAME: email, PASSWORD: password },
  })

const email = (index: number) => `user${index}@example.com`

/** The operations that both servers are measured by. */
const commonOperations = async (server: Server, pool: Pool, users: number) => {
  const { AuthenticationResult: tokens } = await signIn(server, pool, email(0))
  return {
    'password sign-in': (index: number) => signIn(server, pool, email(index % users)),
    refresh: () =>
      call(server, 'InitiateAuth', {
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        ClientId: pool.clientId,
        AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken },
      }),
    GetUser: () => call(server, 'GetUser', { AccessToken: tokens.AccessToken }),
    AdminGetUser: (index: number) =>
      call(server, 'AdminGetUser', { UserPoolId: pool.id, Username: email(index % users) }),
  }
}

// ---------------------------------------------------------------------------------------------- sections

const start = async () => {
  say('## Start and memory')
  const bare = await medianStart(startBare, 9)
  let run = 0
  const ours = await medianStart(() => startCenote(join(temporary, `start-${run++ % 2}`)), 9)
  const peer = await medianStart(() => startPeer(join(temporary, 'peer-start')), 5)
  const idle = await startCenote(join(temporary, 'idle'))
  await new Promise(done => setTimeout(done, 3_000))
  const memory = residentMegabytes(idle.pid)
  await idle.stop()
  say(
    `start to first answer, median: cenote ${round(ours, 0)} ms, bare node:http ${round(bare, 0)} ms, cognito-local ${round(peer, 0)} ms`,
  )
  say(`idle memory after 3 s: ${round(memory, 0)} MB`)
  atMost('start ÷ bare node:http', ours / bare, 2.5)
  atMost('start ÷ cognito-local', ours / peer, 0.5)
  atMost('idle memory, MB', memory, 110)
  results['start'] = { ours, bare, peer, memory }
}

const signIns = async () => {
  say()
  say('## Sign-in and reads, 200 users')
  const arithmetic = await measureArithmetic()
  const { alone } = arithmetic
  say(
    `bare loop on both cores: RSA-2048 signature ${round(arithmetic.signatureMs, 3)} ms CPU, SRP power ${round(arithmetic.powerMs, 3)} ms CPU; ` +
      `on one core, the other idle: ${round(alone.signatureMs, 3)} and ${round(alone.powerMs, 3)} ms`,
  )
  const ours = await startCenote(join(temporary, 'sign-in'))
  const pool = await createPool(ours, ['email'])
  for (let index = 0; index < 200; index++) await addUser(ours, pool, email(index))
  const table: Record<string, Measured> = {}
  const operations = await commonOperations(ours, pool, 200)
  await prepareEphemerals(64)
  for (const [name, operation] of Object.entries(operations)) table[name] = await measure(ours, operation)
  table['SRP sign-in'] = await measure(ours, index => signInBySrp(ours, pool, email(index % 200), password, index))
  await ours.stop()

  const peer = await startPeer(join(temporary, 'peer'))
  const peerPool = await createPool(peer, ['email'])
  for (let index = 0; index < 200; index++) await addUser(peer, peerPool, email(index))
  const peerTable: Record<string, Measured> = {}
  const peerOperations = await commonOperations(peer, peerPool, 200)
  for (const [name, operation] of Object.entries(peerOperations))
    peerTable[name] = await measure(peer, operation, { seconds: 3 })
  await peer.stop()

  say('| operation | cenote /s | CPU ms | p50 ms | p99 ms | cognito-local /s | CPU ms | its CPU ÷ ours |')
  say('|---|---|---|---|---|---|---|---|')
  for (const [name, row] of Object.entries(table)) {
    const other = peerTable[name]
    say(
      `| ${name} | ${round(row.perSecond, 0)} | ${round(row.cpuMs, 3)} | ${round(row.p50Ms)} | ${round(row.p99Ms)} | ` +
        (other === undefined
          ? 'not offered | | |'
          : `${round(other.perSecond, 0)} | ${round(other.cpuMs, 3)} | ${round(other.cpuMs / row.cpuMs, 1)} |`),
    )
  }
  const { signatureMs, powerMs } = arithmetic
  const cpu = (name: string) => table[name]?.cpuMs ?? Number.NaN
  atMost('password sign-in CPU ÷ its arithmetic', cpu('password sign-in') / (2 * signatureMs + powerMs), 1.25)
  atMost('SRP sign-in CPU ÷ its arithmetic', cpu('SRP sign-in') / (2 * signatureMs + 3 * powerMs), 1.2)
  atMost('refresh CPU ÷ its arithmetic', cpu('refresh') / (2 * signatureMs), 1.3)
  atLeast(
    'cognito-local sign-in CPU ÷ ours, 200 users',
    (peerTable['password sign-in']?.cpuMs ?? 0) / cpu('password sign-in'),
    4,
  )
  results['signIn'] = { arithmetic, cenote: table, cognitoLocal: peerTable }
}

const peerAtTenThousand = async () => {
  say()
  say('## Password sign-in, 10,000 users')
  const folder = join(temporary, 'peer-10000')
  let peer = await startPeer(folder)
  const peerPool = await createPool(peer, ['email'])
  await addUser(peer, peerPool, email(0))
  await peer.stop()
  growPeer(folder, peerPool, 10_000)
  peer = await startPeer(folder)
  const theirs = await measure(peer, index => signIn(peer, peerPool, email((index * 37) % 10_000)), {
    seconds: 5,
    connections: 2,
    warmUp: 1,
  })
  await peer.stop()

  const data = join(temporary, 'ten-thousand')
  let ours = await startCenote(data)
  const pool = await createPool(ours, ['email'])
  await addUser(ours, pool, email(0))
  await ours.stop()
  await fillPool(data, pool.id, 10_000, { withPassword: password, address: email })
  ours = await startCenote(data)
  const mine = await measure(ours, index => signIn(ours, pool, email((index * 37) % 10_000)))
  await ours.stop()
  say(
    `cenote ${round(mine.perSecond, 0)}/s, ${round(mine.cpuMs, 3)} ms CPU; cognito-local ${round(theirs.perSecond, 1)}/s, ${round(theirs.cpuMs, 1)} ms CPU`,
  )
  atLeast('cognito-local sign-in CPU ÷ ours, 10,000 users', theirs.cpuMs / mine.cpuMs, 50)
  results['tenThousand'] = { cenote: mine, cognitoLocal: theirs }
}

/** cognito-local keeps a pool in one JSON file; copies of its first user make it large. */
const growPeer = (folder: string, pool: Pool, count: number) => {
  const database = join(folder, '.cognito', 'db')
  const file = join(database, readdirSync(database).find(name => name.startsWith(pool.id)) ?? '')
  const content = JSON.parse(readFileSync(file, 'utf8')) as {
    Users: Record<string, { Username: string; Attributes: { Name: string; Value: string }[] }>
  }
  const [first] = Object.values(content.Users)
  if (first === undefined) throw new Error('cognito-local has no user to copy')
  for (let index = 1; index < count; index++) {
    const Username = crypto.randomUUID()
    content.Users[Username] = {
      ...first,
      Username,
      Attributes: first.Attributes.map(({ Name, Value }) => ({
        Name,
        Value: Name === 'sub' ? Username : Name === 'email' ? email(index) : Value,
      })),
    }
  }
  writeFileSync(file, JSON.stringify(content))
}

const lists = async () => {
  say()
  say('## By number of users')
  const rows: Record<string, Record<number, Measured>> = {}
  for (const size of listSizes) {
    const data = join(temporary, `list-${size}`)
    let server = await startCenote(data)
    const pool = await createPool(server)
    await addUser(server, pool, email(0))
    await server.stop()
    await fillPool(data, pool.id, size, { address: email })
    server = await startCenote(data)
    const list = (Filter: string) => call(server, 'ListUsers', { UserPoolId: pool.id, Filter, Limit: 10 })
    const operations: Record<string, (index: number) => Promise<unknown>> = {
      'ListUsers email ^=': index => list(`email ^= "user${(index * 7919) % size}@"`),
      'ListUsers email =': index => list(`email = "${email((index * 7919) % size)}"`),
      'AdminGetUser by name': index =>
        call(server, 'AdminGetUser', { UserPoolId: pool.id, Username: `seeded-${1 + ((index * 7919) % (size - 1))}` }),
      'ListUsers, first page': () => call(server, 'ListUsers', { UserPoolId: pool.id, Limit: 10 }),
    }
    for (const [name, operation] of Object.entries(operations)) {
      rows[name] = { ...rows[name], [size]: await measure(server, operation, { seconds: 3 }) }
    }
    await server.stop()
  }
  say(`| operation | ${listSizes.map(size => `${size.toLocaleString('en')} users: /s | CPU ms`).join(' | ')} |`)
  say(`|---|${listSizes.map(() => '---|---|').join('')}`)
  const smallest = listSizes[0] ?? 0
  const largest = listSizes.at(-1) ?? 0
  for (const [name, row] of Object.entries(rows)) {
    say(
      `| ${name} | ${listSizes.map(size => `${round(row[size]?.perSecond ?? Number.NaN, 0)} | ${round(row[size]?.cpuMs ?? Number.NaN, 3)}`).join(' | ')} |`,
    )
    const limit = name.startsWith('List') ? 1.5 : 1.3
    atMost(
      `${name}: CPU at ${largest.toLocaleString('en')} ÷ at ${smallest.toLocaleString('en')}`,
      (row[largest]?.cpuMs ?? Number.NaN) / (row[smallest]?.cpuMs ?? Number.NaN),
      limit,
    )
  }
  results['bySize'] = rows
}

// ---------------------------------------------------------------------------------------------- the run

try {
  execFileSync(process.execPath, ['tools/build.ts', '--if-stale'], { stdio: 'inherit' })
  say(`# Benchmarks, ${new Date().toISOString()}, Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
  say()
  await start()
  await signIns()
  await peerAtTenThousand()
  await lists()
  say()
  say('## Goals')
  say('| figure | measured | goal | |')
  say('|---|---|---|---|')
  for (const { what, value, goal, met } of goals)
    say(`| ${what} | ${round(value)} | ${goal} | ${met ? 'met' : 'MISSED'} |`)
  results['goals'] = goals
  mkdirSync('bench/results', { recursive: true })
  const name = new Date().toISOString().replaceAll(':', '-')
  writeFileSync(`bench/results/${name}.md`, `${lines.join('\n')}\n`)
  writeFileSync(`bench/results/${name}.json`, `${JSON.stringify(results, null, 2)}\n`)
} finally {
  await clientCompute.close()
  rmSync(temporary, { recursive: true, force: true })
}
