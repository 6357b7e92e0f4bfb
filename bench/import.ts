/**
 * The import benchmark: `node bench/import.ts [--rows 100000]` imports a file of users into a SQLite server while users
 * sign in, and says how late the event loop of the server was, how much memory it took, and how the sign-ins fared.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { agent, call, measure } from './load.ts'
import { freePort, launch, type Server } from './processes.ts'

const { values } = parseArgs({ options: { rows: { type: 'string', default: '100000' } } })
const rows = Number(values.rows)
const password = 'Passw0rd!'
/** The import is given up after this time. */
const importMsMax = 180_000

interface LoopDelay {
  p50: number
  p99: number
  p999: number
  max: number
}

const pause = (ms: number) => new Promise(done => setTimeout(done, ms))
const temporary = mkdtempSync(join(tmpdir(), 'cenote-bench-import-'))
const loopFile = join(temporary, 'loop.json')
const say = (line: string) => process.stdout.write(`${line}\n`)
const round = (value: number) => value.toFixed(1)

/** Memory of the process without the pages of mapped files, of which the database is one; NaN where /proc is missing. */
const ownMegabytes = (pid: number): number => {
  try {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
  } catch {
    return Number.NaN
  }
}

/** The event loop's delays since the last call. */
const loopDelay = async (server: Server): Promise<LoopDelay> => {
  rmSync(loopFile, { force: true })
  process.kill(server.pid, 'SIGUSR2')
  for (;;) {
    await pause(20)
    const text = existsSync(loopFile) ? readFileSync(loopFile, 'utf8') : ''
    if (text !== '') return JSON.parse(text) as LoopDelay
  }
}
const sayDelay = (what: string, { p50, p99, p999, max }: LoopDelay) =>
  say(`${what}: event loop late by p50 ${round(p50)}, p99 ${round(p99)}, p99.9 ${round(p999)}, max ${round(max)} ms`)

const csv = (header: readonly string[]): string => {
  const lines = [header.join(',')]
  for (let index = 0; index < rows; index++) {
    const row: Record<string, string> = {
      'cognito:username': `imported-${index}`,
      'cognito:mfa_enabled': 'FALSE',
      email: `imported-${index}@example.com`,
      email_verified: 'TRUE',
      name: `Imported ${index}`,
      given_name: 'Imported',
      family_name: `${index}`,
      birthdate: '01/31/1990',
    }
    lines.push(header.map(name => row[name] ?? '').join(','))
  }
  return lines.join('\n')
}

try {
  execFileSync(process.execPath, ['tools/build.ts', '--outdir', join(temporary, 'dist')])
  const port = await freePort()
  const data = join(temporary, 'data')
  const program = [join(temporary, 'dist/cenote.js'), 'start', '--data', data, '--port', String(port)]
  const server = await launch({
    name: 'cenote',
    args: ['--import', resolve('bench/loop-delay.ts'), ...program, '--log-level', 'error'],
    env: { CENOTE_BENCH_LOOP: loopFile },
    port,
    probe: '/health',
  })
  try {
    const { UserPool } = await call<{ UserPool: { Id: string } }>(server, 'CreateUserPool', {
      PoolName: 'import',
      AutoVerifiedAttributes: ['email'],
      AliasAttributes: ['email'],
    })
    const UserPoolId = UserPool.Id
    const { UserPoolClient } = await call<{ UserPoolClient: { ClientId: string } }>(server, 'CreateUserPoolClient', {
      UserPoolId,
      ClientName: 'bench',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    })
    await call(server, 'AdminCreateUser', { UserPoolId, Username: 'ann', MessageAction: 'SUPPRESS' })
    await call(server, 'AdminSetUserPassword', { UserPoolId, Username: 'ann', Password: password, Permanent: true })
    const signIn = () =>
      call(server, 'InitiateAuth', {
        ClientId: UserPoolClient.ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: password },
      })
    const load = { seconds: 4, connections: 2 }

    await measure(server, signIn, { ...load, seconds: 1 })
    await loopDelay(server)
    const alone = await measure(server, signIn, load)
    sayDelay('sign-ins alone', await loopDelay(server))
    say(
      `  sign-ins: p50 ${round(alone.p50Ms)}, p99 ${round(alone.p99Ms)} ms; memory ${round(ownMegabytes(server.pid))} MB`,
    )

    const rename = (index: number) =>
      call(server, 'AdminUpdateUserAttributes', {
        UserPoolId,
        Username: 'ann',
        UserAttributes: [{ Name: 'name', Value: `Ann ${index}` }],
      })
    await loopDelay(server)
    const writes = await measure(server, rename, { ...load, connections: 1 })
    sayDelay(`single writes, ${round(writes.perSecond)} a second`, await loopDelay(server))

    const { CSVHeader } = await call<{ CSVHeader: string[] }>(server, 'GetCSVHeader', { UserPoolId })
    const { UserImportJob: job } = await call<{ UserImportJob: { JobId: string; PreSignedUrl: string } }>(
      server,
      'CreateUserImportJob',
      { UserPoolId, JobName: 'bench', CloudWatchLogsRoleArn: 'arn:aws:iam::123456789012:role/CloudWatchLogs' },
    )
    const file = Buffer.from(csv(CSVHeader))
    await loopDelay(server)
    const uploadBegun = performance.now()
    const answer = await fetch(job.PreSignedUrl.replace('localhost', '127.0.0.1'), { method: 'PUT', body: file })
    if (!answer.ok) throw new Error(await answer.text())
    const uploadMs = performance.now() - uploadBegun
    sayDelay(`upload of ${round(file.length / 1e6)} MB in ${round(uploadMs)} ms`, await loopDelay(server))

    const where = { UserPoolId, JobId: job.JobId }
    const describe = async () =>
      (
        await call<{ UserImportJob: { Status: string; ImportedUsers: number; CompletionMessage?: string } }>(
          server,
          'DescribeUserImportJob',
          where,
        )
      ).UserImportJob
    await call(server, 'StartUserImportJob', where)
    while ((await describe()).Status === 'Pending') await pause(20)
    await loopDelay(server)
    const begun = performance.now()
    const memory: number[] = []
    const times: [number, number][] = []
    let last = await describe()
    while (last.Status === 'InProgress' && performance.now() - begun < importMsMax) {
      const { p50Ms, p99Ms } = await measure(server, signIn, { ...load, seconds: 2, warmUp: 0 })
      times.push([p50Ms, p99Ms])
      memory.push(ownMegabytes(server.pid))
      last = await describe()
    }
    const seconds = (performance.now() - begun) / 1_000
    sayDelay(`import of ${last.ImportedUsers} users (${last.Status}) in ${round(seconds)} s`, await loopDelay(server))
    const worst = (column: 0 | 1) => round(Math.max(...times.map(time => time[column])))
    say(`  sign-ins: worst p50 ${worst(0)}, worst p99 ${worst(1)} ms of ${times.length} windows of 2 s`)
    const third = Math.max(1, Math.floor(memory.length / 3))
    const highest = (values: number[]) => round(Math.max(...values))
    say(
      `  memory: at most ${highest(memory.slice(0, third))} MB in the first third, ${highest(memory.slice(-third))} MB in the last`,
    )
    say(`  ${last.CompletionMessage ?? 'not finished in time'}`)
  } finally {
    await server.stop()
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
  // Connections that are kept alive would hold the program up.
  agent.destroy()
}
