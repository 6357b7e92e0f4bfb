/**
 * How much longer the answer takes for a user than for a name that nobody has, for each public operation that names one.
 * Pairs are interleaved, in turning order, each with names of its own, so that limits of tries are never met.
 *
 * `node bench/existence.ts [--pairs N] [--only TEXT] [--database postgres]`
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/support/postgres.ts'
import { type Answer, type ExistenceOperation, existenceOperations } from './existence-operations.ts'
import { call } from './load.ts'
import { freePort, launch, mainThreadMs, type Server } from './processes.ts'

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '2000' },
    only: { type: 'string', default: '' },
    database: { type: 'string', default: 'sqlite' },
  },
})
const pairs = Number(options.pairs)
if (!Number.isInteger(pairs) || pairs < 1 || pairs > 2_000) throw new Error('--pairs takes 1 to 2000.')
if (!['sqlite', 'postgres'].includes(options.database)) throw new Error('--database takes sqlite or postgres.')
const compared = existenceOperations.filter(({ title }) => title.includes(options.only))
const goalMs = 0.5
const password = 'Passw0rd!'
/** Failed sign-ins of one user before a lock, less one. */
const failuresMax = 4
const warmUp = Math.min(50, pairs)

const temporary = mkdtempSync(join(tmpdir(), 'cenote-existence-'))

const start = async (databaseUrl: string | undefined): Promise<Server> => {
  const port = await freePort()
  const args = [resolve('dist/cenote.js'), 'start', '--data', temporary, '--port', String(port), '--log-level', 'error']
  const env = databaseUrl && { CENOTE_DATABASE_URL: databaseUrl, CENOTE_MASTER_KEY: randomBytes(32).toString('base64') }
  return launch({ name: 'cenote', args, port, probe: '/health', ...(env && { env }) })
}

/** The answer, also of a refusal: most of these requests are refused. */
const ask = (server: Server, operation: string, input: object): Promise<Answer> =>
  call<Answer>(server, operation, input).catch(() => ({}))

const createPool = async (server: Server) => {
  const { UserPool } = await call<{ UserPool: { Id: string } }>(server, 'CreateUserPool', {
    PoolName: 'existence',
    UsernameAttributes: ['email'],
    AutoVerifiedAttributes: ['email', 'phone_number'],
    Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP', 'SMS_OTP'] } },
  })
  const { UserPoolClient } = await call<{ UserPoolClient: { ClientId: string } }>(server, 'CreateUserPoolClient', {
    UserPoolId: UserPool.Id,
    ClientName: 'existence',
    PreventUserExistenceErrors: 'ENABLED',
    ExplicitAuthFlows: [
      'ALLOW_USER_PASSWORD_AUTH',
      'ALLOW_USER_SRP_AUTH',
      'ALLOW_USER_AUTH',
      'ALLOW_REFRESH_TOKEN_AUTH',
    ],
  })
  return { id: UserPool.Id, clientId: UserPoolClient.ClientId }
}

/** Users of one status; each operation meets each of them once, or at most as often as no lock comes of it. */
const fill = async (
  server: Server,
  pool: { id: string; clientId: string },
  status: ExistenceOperation['status'],
): Promise<void> => {
  let next = 0
  const work = async () => {
    for (let index = next++; index < pairs; index = next++) {
      const name = userOf(status, index)
      if (status === 'UNCONFIRMED') {
        await call(server, 'SignUp', { ClientId: pool.clientId, Username: name, Password: password })
        continue
      }
      await call(server, 'AdminCreateUser', {
        UserPoolId: pool.id,
        Username: name,
        MessageAction: 'SUPPRESS',
        UserAttributes: [
          { Name: 'email', Value: name },
          { Name: 'email_verified', Value: 'true' },
          { Name: 'phone_number', Value: '+12065551234' },
        ],
      })
      await call(server, 'AdminSetUserPassword', {
        UserPoolId: pool.id,
        Username: name,
        Password: password,
        Permanent: true,
      })
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

const userOf = (status: string, index: number): string => `${status.toLowerCase()}-${index}@example.com`
const nobodyOf = (status: string, index: number): string => `n${userOf(status, index).slice(1)}`

interface Compared {
  title: string
  userMs: number
  differenceMs: number
  /** How often the slower of two answers, one of each sort, is the user's: 0.5 when the times tell nothing. */
  auc: number
  /** The difference of the medians of what the server's main thread has worked. */
  workDifferenceMs: number
  /** The AUC of that work. */
  workAuc: number
}

/** What one answer took: milliseconds of time, and of the work of the server's main thread. */
interface Cost {
  ms: number
  workMs: number
}

const compare = async (server: Server, clientId: string, operation: ExistenceOperation): Promise<Compared> => {
  const costOf = async (name: string): Promise<Cost> => {
    const before = (await operation.prepare?.((...request) => ask(server, ...request), clientId, name)) ?? {}
    const request = operation.request(clientId, name, before)
    const worked = mainThreadMs(server.pid)
    const begun = performance.now()
    await ask(server, ...request)
    const ms = performance.now() - begun
    return { ms, workMs: mainThreadMs(server.pid) - worked }
  }
  const users: Cost[] = []
  const nobodies: Cost[] = []
  for (let index = 0; index < pairs; index++) {
    const names = [userOf(operation.status, index), nobodyOf(operation.status, index)] as const
    const order = index % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    for (const which of order) {
      const cost = await costOf(names[which])
      if (index >= warmUp || pairs <= warmUp) (which === 0 ? users : nobodies).push(cost)
    }
  }
  const times = [users.map(({ ms }) => ms), nobodies.map(({ ms }) => ms)] as const
  const works = [users.map(({ workMs }) => workMs), nobodies.map(({ workMs }) => workMs)] as const
  return {
    title: operation.title,
    userMs: median(times[0]),
    differenceMs: median(times[0]) - median(times[1]),
    auc: mannWhitney(...times),
    workDifferenceMs: median(works[0]) - median(works[1]),
    workAuc: mannWhitney(...works),
  }
}

const median = (values: number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

/** Mann and Whitney's U as a share of all pairs. */
const mannWhitney = (users: number[], nobodies: number[]): number => {
  const ranked = [...users.map(ms => ({ ms, isUser: true })), ...nobodies.map(ms => ({ ms, isUser: false }))]
    .toSorted((one, other) => one.ms - other.ms)
    .map(({ isUser }, index) => (isUser ? index + 1 : 0))
  const rankSum = ranked.reduce((sum, rank) => sum + rank, 0)
  return (rankSum - (users.length * (users.length + 1)) / 2) / (users.length * nobodies.length)
}

const postgres = options.database === 'postgres' ? await startPostgres() : undefined
const server = await start(postgres?.url)
try {
  const results: Compared[] = []
  // A pool for so many operations that no user fails too often.
  const pools: ExistenceOperation[][] = [[]]
  for (const operation of compared) {
    const last = pools.at(-1) ?? []
    const failures = last.filter(({ failsSignIn }) => failsSignIn).length
    if (operation.failsSignIn && failures >= failuresMax) pools.push([operation])
    else last.push(operation)
  }
  process.stdout.write(
    `${pairs} pairs for each operation, on ${options.database}\n\n   user    difference   AUC      work difference  AUC    operation\n`,
  )
  for (const operations of pools) {
    const pool = await createPool(server)
    for (const status of new Set(operations.map(({ status }) => status))) await fill(server, pool, status)
    for (const operation of operations) {
      const result = await compare(server, pool.clientId, operation)
      results.push(result)
      const [user, difference] = [result.userMs.toFixed(2), result.differenceMs.toFixed(3)]
      const work = result.workDifferenceMs.toFixed(3)
      process.stdout.write(
        `${user.padStart(7)} ms ${difference.padStart(8)} ms  ${result.auc.toFixed(3)}  ${work.padStart(12)} ms  ${result.workAuc.toFixed(3)}  ${result.title}\n`,
      )
    }
  }
  mkdirSync('bench/results', { recursive: true })
  const file = postgres === undefined ? 'existence.json' : 'existence-postgres.json'
  writeFileSync(`bench/results/${file}`, `${JSON.stringify({ pairs, results }, null, 2)}\n`)
  const worst = results.filter(({ differenceMs }) => Math.abs(differenceMs) > goalMs)
  process.stdout.write(
    worst.length === 0
      ? `\nAll medians differ by at most ${goalMs} ms.\n`
      : `\nBeyond ${goalMs} ms: ${worst.map(({ title }) => title).join('; ')}\n`,
  )
  if (worst.length > 0) process.exitCode = 1
} finally {
  await server.stop()
  await postgres?.stop()
  rmSync(temporary, { recursive: true, force: true })
}
