import assert from 'node:assert/strict'
import { request } from 'node:http'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  countsOf,
  createJob,
  csvOf,
  describeJob,
  imported,
  put,
  type UploadBody,
} from '../../../test/support/import.ts'
import { createPool } from '../../../test/support/pools.ts'

const megabyte = 1_024 * 1_024

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const refused = async (url: string, body: UploadBody, status: number, code: string) => {
    const answer = await put(url, body)
    const text = await answer.text()
    assert.equal(answer.status, status, text)
    assert.match(text, new RegExp(`<Code>${code}</Code>`))
  }
  const chunksOf = async (jobId: string) =>
    (await app.database.db.selectFrom('user_import_chunks').selectAll().where('job_id', '=', jobId).execute()).length
  const hasFile = async (jobId: string) => {
    const row = await app.database.db
      .selectFrom('user_import_jobs')
      .select('uploaded_bytes')
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow()
    return row.uploaded_bytes !== null
  }
  const stream = (size: number, count: number): ReadableStream => {
    let left = count
    return new ReadableStream({
      pull: controller => {
        if (left-- > 0) controller.enqueue(new Uint8Array(size).fill(0x61))
        else controller.close()
      },
    })
  }

  test('a URL takes the file for 15 minutes', async () => {
    const { poolId } = await createPool(app)
    const [early, late] = [await createJob(app, poolId), await createJob(app, poolId)]
    const file = await csvOf(app, poolId, [imported('ann')])
    app.advance(minutes(15) - seconds(2))
    assert.equal((await put(early.url, file)).status, 200)
    app.advance(seconds(2))
    await refused(late.url, file, 403, 'AccessDenied')
    await assert.rejects(app.aws.startUserImportJob({ UserPoolId: poolId, JobId: late.jobId }), {
      name: 'PreconditionNotMetException',
    })
    await app.aws.startUserImportJob({ UserPoolId: poolId, JobId: early.jobId })
    await app.app.tick()
    assert.equal((await describeJob(app, poolId, early.jobId)).Status, 'Succeeded')
  })

  test('a URL takes the file once, also when two come at a time', async () => {
    const { poolId } = await createPool(app)
    const { jobId, url } = await createJob(app, poolId)
    const files = await Promise.all(['ann', 'bob', 'eve'].map(name => csvOf(app, poolId, [imported(name)])))
    const answers = await Promise.all(files.map(file => put(url, file)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.ok(answers.every(({ status }) => [200, 403, 409].includes(status)))
    await refused(url, 'again', 403, 'AccessDenied')
    await app.aws.startUserImportJob({ UserPoolId: poolId, JobId: jobId })
    await refused(url, 'again', 403, 'AccessDenied')
    await app.app.tick()
    assert.deepEqual(countsOf(await describeJob(app, poolId, jobId)), [1, 0, 0])
    await refused(url, 'again', 403, 'AccessDenied')
  })

  test('the signature is for one job, one pool and one time', async () => {
    const { poolId } = await createPool(app)
    const other = await createPool(app)
    const { jobId, url } = await createJob(app, poolId)
    const another = await createJob(app, poolId)
    const signature = new URL(url).searchParams.get('signature') ?? ''
    const changes: ((changed: URL) => void)[] = [
      changed => changed.searchParams.delete('signature'),
      changed => changed.searchParams.delete('expires'),
      changed => changed.searchParams.set('expires', String(Math.floor(app.now() / 1_000) + 86_400)),
      changed => changed.searchParams.set('expires', '9'.repeat(400)),
      changed => changed.searchParams.set('expires', 'NaN'),
      changed => changed.searchParams.set('signature', ''),
      changed =>
        changed.searchParams.set('signature', `${signature.slice(0, -1)}${signature.endsWith('A') ? 'E' : 'A'}`),
      changed => changed.searchParams.set('signature', new URL(another.url).searchParams.get('signature') ?? ''),
      changed => {
        changed.pathname = changed.pathname.replace(jobId, another.jobId)
      },
      changed => {
        changed.pathname = changed.pathname.replace(poolId, other.poolId)
      },
    ]
    for (const change of changes) {
      const changed = new URL(url)
      change(changed)
      await refused(changed.href, 'x', 403, 'SignatureDoesNotMatch')
    }
    assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 404)
    assert.equal((await fetch(url)).status, 404)
    assert.equal((await put(url.replace('/user-import/', '/user-imports/'), 'x')).status, 404)
    for (const { jobId: job } of [{ jobId }, another]) {
      assert.equal(await hasFile(job), false)
      assert.equal(await chunksOf(job), 0)
    }
    assert.equal((await put(url, 'x')).status, 200)
  })

  test('with access keys configured the URL is enough, and the log wants a signature', async () => {
    const keyed = await testApp({ accessKeys: [{ id: 'AKIDEXAMPLE', secret: 'secret' }] })
    const aws = keyed.client({ credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' } })
    const { UserPool } = await aws.createUserPool({ PoolName: 'pool', AutoVerifiedAttributes: ['email'] })
    const { poolId, jobId, url } = await createJob({ ...keyed, aws }, UserPool?.Id ?? '').then(job => ({
      ...job,
      poolId: UserPool?.Id ?? '',
    }))
    const log = `${keyed.url}/_cenote/user-import/${poolId}/${jobId}/log`
    assert.equal((await put(url, 'x')).status, 200)
    assert.equal((await fetch(log)).status, 400)
    aws.destroy()
  })

  test('a file of 100 MB is the largest', { timeout: 60_000 }, async () => {
    const { poolId } = await createPool(app)
    const { jobId, url } = await createJob(app, poolId)
    // Declared as too large, it is refused before any of it is read.
    const status = await new Promise<number>((resolve, reject) => {
      const upload = request(url, { method: 'PUT', headers: { 'content-length': 10_240 * megabyte } }, answer => {
        resolve(answer.statusCode ?? 0)
        upload.destroy()
      })
      upload.once('error', reject)
      upload.flushHeaders()
    })
    assert.equal(status, 400)
    assert.equal(await hasFile(jobId), false)

    // Without a declared length it is refused when the limit is passed, which may be noticed while sending.
    await put(url, stream(megabyte, 101)).then(
      answer => assert.equal(answer.status, 400),
      () => undefined,
    )
    assert.equal(await hasFile(jobId), false)
    assert.equal((await put(url, stream(megabyte, 100))).status, 200)
    assert.equal(await chunksOf(jobId), Math.ceil((100 * megabyte) / (96 * 1_024)))
    await app.app.tick()
  })

  test('an upload that breaks off leaves nothing and can be repeated', async () => {
    const { poolId } = await createPool(app)
    const { jobId, url } = await createJob(app, poolId)
    await new Promise<void>(resolve => {
      const upload = request(url, { method: 'PUT', headers: { 'content-length': megabyte } })
      upload.once('error', () => resolve())
      upload.once('close', () => resolve())
      upload.write(Buffer.alloc(megabyte / 2), () => upload.destroy())
    })
    const file = await csvOf(app, poolId, [imported('ann')])
    let answer = await put(url, file)
    for (let round = 0; answer.status === 409 && round < 500; round++) answer = await put(url, file)
    assert.equal(answer.status, 200)
    await app.app.tick()
    assert.equal(await chunksOf(jobId), 1)
  })

  test('an upload that ended with its node gives way after five minutes', async () => {
    const { poolId } = await createPool(app)
    const { jobId, url } = await createJob(app, poolId)
    const { db } = app.database
    await db
      .updateTable('user_import_jobs')
      .set({ upload_id: 'dead', upload_until: app.now() + minutes(5) })
      .where('id', '=', jobId)
      .execute()
    await db
      .insertInto('user_import_chunks')
      .values([{ job_id: jobId, upload_id: 'dead', sequence: 0, content: 'x' }])
      .execute()
    await refused(url, 'x', 409, 'OperationAborted')
    await app.app.tick()
    assert.equal(await chunksOf(jobId), 1)
    app.advance(minutes(5))
    assert.equal((await put(url, 'x')).status, 200)
    await app.app.tick()
    const left = await db.selectFrom('user_import_chunks').select('upload_id').where('job_id', '=', jobId).execute()
    assert.equal(left.length, 1)
    assert.notEqual(left[0]?.upload_id, 'dead')
  })

  test('what is stored of a file cannot be read in the database, nor moved within it', async () => {
    const { poolId } = await createPool(app)
    const { jobId, url } = await createJob(app, poolId)
    const file = await csvOf(app, poolId, [imported('very-secret-name')])
    await put(url, file)
    const { db } = app.database
    const chunks = await db.selectFrom('user_import_chunks').selectAll().where('job_id', '=', jobId).execute()
    for (const { content } of chunks) {
      assert.ok(!content.includes('very-secret-name'))
      assert.ok(!Buffer.from(content, 'base64url').includes('very-secret-name'))
    }
    const other = await createJob(app, poolId)
    await put(other.url, file)
    await db
      .updateTable('user_import_chunks')
      .set({ content: chunks[0]?.content ?? '' })
      .where('job_id', '=', other.jobId)
      .execute()
    await app.aws.startUserImportJob({ UserPoolId: poolId, JobId: other.jobId })
    await app.app.tick()
    const job = await describeJob(app, poolId, other.jobId)
    assert.equal(job.Status, 'Failed')
    assert.equal(job.CompletionMessage, 'The uploaded CSV file cannot be read.')
    assert.deepEqual(countsOf(job), [0, 0, 0])
  })
})
