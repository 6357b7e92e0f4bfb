import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider'
import { minutes, onEachDatabase, seconds, type TestApp, type TestAppOptions } from '../../../test/support/app.ts'
import {
  countsOf,
  createJob,
  csvOf,
  csvWith,
  describeJob,
  imported,
  logOf,
  put,
  startJob,
} from '../../../test/support/import.ts'
import { createPool } from '../../../test/support/pools.ts'
import { scratchFolder, startProgram } from '../../../test/support/program.ts'

/** Users, some of them twice, some of them not acceptable: of three lines two come in at first. */
const manyRows = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    if (index % 10 === 8) return imported(`user${index - 1}`)
    return index % 10 === 9 ? imported(`bad ${index}`) : imported(`user${index}`)
  })
const expectedCounts = (count: number) => [count * 0.8, count * 0.1, count * 0.1]

onEachDatabase(testApp => {
  const folder = scratchFolder()
  after(() => folder.remove())
  let files = 0
  const appOnFile = (options: TestAppOptions = {}) => testApp({ ...options, file: join(folder.path, `${files++}.db`) })

  /** Every line was counted and logged once, and the users are there. */
  const assertWhole = async (app: TestApp, poolId: string, jobId: string, count: number) => {
    const job = await describeJob(app, poolId, jobId)
    assert.equal(job.Status, 'Succeeded')
    assert.deepEqual(countsOf(job), expectedCounts(count))
    const numbers = (await logOf(app, poolId, jobId)).map(line => Number(/Line Number (\d+) /.exec(line)?.[1]))
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_, index) => index + 2),
    )
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: poolId })
    assert.equal(UserPool?.EstimatedNumberOfUsers, count * 0.8)
  }
  const untilSome = async (app: TestApp, poolId: string, jobId: string) => {
    let [users = 0] = countsOf(await describeJob(app, poolId, jobId))
    while (users === 0) [users = 0] = countsOf(await describeJob(app, poolId, jobId))
    return users
  }

  test('another node goes on where a node was lost, and no line counts twice', async () => {
    const count = 1_000
    const first = await appOnFile()
    const { poolId } = await createPool(first)
    const jobId = await startJob(first, poolId, await csvOf(first, poolId, manyRows(count)))
    const lost = assert.rejects(first.app.tick())
    await untilSome(first, poolId, jobId)
    await first.close()
    await lost
    const second = await first.secondNode()
    const left = await describeJob(second, poolId, jobId)
    const users = left.ImportedUsers ?? 0
    assert.equal(left.Status, 'InProgress')
    assert.ok(users > 0 && users < count * 0.8)
    second.advance(minutes(1) - seconds(1))
    await second.app.tick()
    assert.equal((await describeJob(second, poolId, jobId)).ImportedUsers, users)
    second.advance(seconds(1))
    await second.app.tick()
    await assertWhole(second, poolId, jobId, count)
    await second.close()
  })

  test('of several that tick at once one does the work', async () => {
    const count = 200
    const first = await appOnFile()
    // Only one process at a time can have a SQLite file.
    const second = first.kind === 'postgres' ? await first.secondNode() : first
    const { poolId } = await createPool(first)
    const jobId = await startJob(first, poolId, await csvOf(first, poolId, manyRows(count)))
    await Promise.all([first.app.tick(), second.app.tick(), first.app.tick(), second.app.tick()])
    await assertWhole(second, poolId, jobId, count)
    await second.close()
    await first.close()
  })

  test('a node that stops leaves the rest to others at once', async () => {
    const count = 600
    const first = await appOnFile()
    const { poolId } = await createPool(first)
    const jobId = await startJob(first, poolId, await csvOf(first, poolId, manyRows(count)))
    const work = first.app.tick()
    await untilSome(first, poolId, jobId)
    first.app.drain()
    await work
    await first.close()
    const second = await first.secondNode()
    assert.equal((await describeJob(second, poolId, jobId)).Status, 'InProgress')
    await second.app.tick()
    await assertWhole(second, poolId, jobId, count)
    await second.close()
  })

  test('a job whose time is over is continued by the next tick', async () => {
    const count = 600
    const app = await appOnFile()
    const { poolId } = await createPool(app)
    const jobId = await startJob(app, poolId, await csvOf(app, poolId, manyRows(count)))
    const work = app.app.tick()
    await untilSome(app, poolId, jobId)
    app.advance(seconds(20))
    await work
    assert.equal((await describeJob(app, poolId, jobId)).Status, 'InProgress')
    await app.app.tick()
    await assertWhole(app, poolId, jobId, count)
    await app.close()
  })

  test('a job that is stopped while its node is lost stays stopped', async () => {
    const first = await appOnFile()
    const { poolId } = await createPool(first)
    const jobId = await startJob(first, poolId, await csvOf(first, poolId, manyRows(1_000)))
    const lost = assert.rejects(first.app.tick())
    await untilSome(first, poolId, jobId)
    await first.close()
    await lost
    const second = await first.secondNode()
    const { UserImportJob: stopped } = await second.aws.stopUserImportJob({ UserPoolId: poolId, JobId: jobId })
    second.advance(minutes(2))
    await second.app.tick()
    assert.deepEqual(await describeJob(second, poolId, jobId), stopped)
    const { UserPool } = await second.aws.describeUserPool({ UserPoolId: poolId })
    assert.equal(UserPool?.EstimatedNumberOfUsers, stopped?.ImportedUsers)
    await second.close()
  })

  test('a long line that lies across the parts of a file is one line', async () => {
    const app = await appOnFile()
    const { poolId } = await createPool(app)
    const { CSVHeader = [] } = await app.aws.getCSVHeader({ UserPoolId: poolId })
    const long = (name: string) =>
      imported(
        name,
        Object.fromEntries(['name', 'nickname', 'profile', 'picture'].map(key => [key, '€'.repeat(2_000)])),
      )
    const rows = Array.from({ length: 30 }, (_, index) => long(`long${index}`))
    const jobId = await startJob(app, poolId, csvWith(CSVHeader, rows))
    const work = app.app.tick()
    await untilSome(app, poolId, jobId)
    app.advance(seconds(20))
    await work
    await app.app.tick()
    assert.deepEqual(countsOf(await describeJob(app, poolId, jobId)), [30, 0, 0])
    await app.close()
  })
})

test('a program that is killed in the middle goes on when it is started again', { timeout: 90_000 }, async () => {
  const count = 4_000
  const folder = scratchFolder()
  const args = ['--data', folder.path, '--test-mode', '--log-level', 'error']
  const clientOf = (url: string) =>
    new CognitoIdentityProvider({
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    })
  const describe = async (aws: CognitoIdentityProvider, UserPoolId: string, JobId: string) =>
    (await aws.describeUserImportJob({ UserPoolId, JobId })).UserImportJob ?? {}
  try {
    const first = await startProgram(args)
    const aws = clientOf(first.url)
    const { UserPool } = await aws.createUserPool({ PoolName: 'pool', AutoVerifiedAttributes: ['email'] })
    const poolId = UserPool?.Id ?? ''
    const { CSVHeader = [] } = await aws.getCSVHeader({ UserPoolId: poolId })
    const { jobId, url } = await createJob({ aws } as TestApp, poolId)
    assert.equal((await put(url, csvWith(CSVHeader, manyRows(count)))).status, 200)
    await aws.startUserImportJob({ UserPoolId: poolId, JobId: jobId })
    while ((await describe(aws, poolId, jobId)).ImportedUsers === 0)
      await new Promise(resolve => setTimeout(resolve, 5))
    first.signal('SIGKILL')
    await first.ended
    aws.destroy()

    await using second = await startProgram(args)
    const again = clientOf(second.url)
    const left = await describe(again, poolId, jobId)
    assert.equal(left.Status, 'InProgress')
    assert.ok((left.ImportedUsers ?? 0) > 0 && (left.ImportedUsers ?? 0) < count * 0.8)
    await fetch(`${second.url}/_cenote/clock`, { method: 'POST', body: '{"advance":"PT1M"}' })
    let job = await describe(again, poolId, jobId)
    while (job.Status === 'InProgress') {
      await new Promise(resolve => setTimeout(resolve, 50))
      job = await describe(again, poolId, jobId)
    }
    assert.equal(job.Status, 'Succeeded')
    assert.deepEqual(countsOf(job), expectedCounts(count))
    const described = await again.describeUserPool({ UserPoolId: poolId })
    assert.equal(described.UserPool?.EstimatedNumberOfUsers, count * 0.8)
    again.destroy()
  } finally {
    folder.remove()
  }
})
