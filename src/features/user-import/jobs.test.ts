import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { days, hours, minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  countsOf,
  createJob,
  csvOf,
  describeJob,
  imported,
  importFile,
  logOf,
  put,
  roleArn,
  startJob,
} from '../../../test/support/import.ts'
import { createPool, email, statusOf } from '../../../test/support/pools.ts'

const standardHeader =
  'name given_name family_name middle_name nickname preferred_username profile picture website email email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at'.split(
    ' ',
  )
const error = (name: string, message: string | RegExp) => ({ name: `${name}Exception`, message })
const inProgress = { name: 'UserImportInProgressException' }

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })
  const stop = (UserPoolId: string, JobId: string) => app.aws.stopUserImportJob({ UserPoolId, JobId })
  const start = (UserPoolId: string, JobId: string) => app.aws.startUserImportJob({ UserPoolId, JobId })

  describe('GetCSVHeader', () => {
    test('names the attributes of the pool, custom ones after the standard ones', async () => {
      const { poolId } = await createPool(app, {
        Schema: [
          { Name: 'tier', AttributeDataType: 'String' },
          { Name: 'secret', AttributeDataType: 'String', DeveloperOnlyAttribute: true },
        ],
      })
      const { $metadata: _, ...answer } = await app.aws.getCSVHeader({ UserPoolId: poolId })
      assert.deepEqual(answer, {
        UserPoolId: poolId,
        CSVHeader: [...standardHeader, 'custom:tier', 'dev:custom:secret', 'cognito:mfa_enabled', 'cognito:username'],
      })
      await assert.rejects(
        app.aws.getCSVHeader({ UserPoolId: 'us-east-1_123456789' }),
        error('ResourceNotFound', 'User pool us-east-1_123456789 does not exist.'),
      )
    })
  })

  describe('jobs', () => {
    test('are read back as they were made', async () => {
      const { poolId } = await createPool(app)
      for (const algorithm of [undefined, 'BCRYPT'] as const) {
        const { UserImportJob: job } = await app.aws.createUserImportJob({
          UserPoolId: poolId,
          JobName: 'my job, 1',
          CloudWatchLogsRoleArn: roleArn,
          ...(algorithm !== undefined && { PasswordHashingAlgorithm: algorithm }),
        })
        assert.match(job?.JobId ?? '', /^import-[0-9A-Za-z]{10}$/)
        assert.ok(job?.PreSignedUrl?.startsWith(`${app.url}/_cenote/user-import/${poolId}/${job.JobId}?`))
        assert.deepEqual(job, {
          JobName: 'my job, 1',
          JobId: job?.JobId,
          UserPoolId: poolId,
          PreSignedUrl: job?.PreSignedUrl,
          CreationDate: new Date(app.now()),
          Status: 'Created',
          CloudWatchLogsRoleArn: roleArn,
          ImportedUsers: 0,
          SkippedUsers: 0,
          FailedUsers: 0,
          ...(algorithm !== undefined && { PasswordHashingAlgorithm: algorithm }),
        })
        assert.deepEqual(await describeJob(app, poolId, job.JobId ?? ''), job)
      }
    })

    test('go from Created over Pending to Succeeded, with their dates', async () => {
      const { poolId } = await createPool(app)
      const { jobId, url } = await createJob(app, poolId)
      const createdAt = app.now()
      assert.equal((await put(url, await csvOf(app, poolId, [imported('ann'), imported('bob')]))).status, 200)
      app.advance(minutes(1))
      const { UserImportJob: started } = await start(poolId, jobId)
      assert.equal(started?.Status, 'Pending')
      assert.deepEqual(started?.StartDate, new Date(createdAt + minutes(1)))
      assert.equal(started?.CompletionDate, undefined)
      app.advance(minutes(1))
      await app.app.tick()
      const job = await describeJob(app, poolId, jobId)
      assert.equal(job.Status, 'Succeeded')
      assert.equal(job.CompletionMessage, 'Import Job Completed Successfully.')
      assert.deepEqual(countsOf(job), [2, 0, 0])
      assert.deepEqual(job.CompletionDate, new Date(createdAt + minutes(2)))
      assert.deepEqual(job.StartDate, new Date(createdAt + minutes(1)))
      assert.deepEqual(job.CreationDate, new Date(createdAt))
      assert.equal(await statusOf(app, poolId, 'ann'), 'RESET_REQUIRED')
      assert.deepEqual(await logOf(app, poolId, jobId), [
        '[SUCCEEDED] Line Number 2 - The import succeeded.',
        '[SUCCEEDED] Line Number 3 - The import succeeded.',
      ])
      assert.ok(app.events.some(event => event.name === 'UserImport' && event['jobId'] === jobId))
      const left = await app.database.db.selectFrom('user_import_chunks').select('job_id').execute()
      assert.ok(left.every(chunk => chunk.job_id !== jobId))
    })

    test('are unknown in other pools and under other ids', async () => {
      const { poolId } = await createPool(app)
      const other = await createPool(app)
      const { jobId } = await createJob(app, poolId)
      for (const [pool, job] of [
        [other.poolId, jobId],
        [poolId, 'import-0123456789'],
      ] as const) {
        const unknown = error('ResourceNotFound', `User import job ${job} does not exist.`)
        await assert.rejects(describeJob(app, pool, job), unknown)
        await assert.rejects(start(pool, job), unknown)
        await assert.rejects(stop(pool, job), unknown)
      }
      assert.deepEqual(
        (await app.aws.listUserImportJobs({ UserPoolId: other.poolId, MaxResults: 60 })).UserImportJobs,
        [],
      )
    })

    test('need a file, an auto-verified attribute and the state Created to start', async () => {
      const { poolId } = await createPool(app)
      const { jobId, url } = await createJob(app, poolId)
      await assert.rejects(start(poolId, jobId), error('PreconditionNotMet', `No csv file was uploaded for ${jobId}`))
      await put(url, await csvOf(app, poolId, [imported('ann')]))
      await start(poolId, jobId)
      await assert.rejects(start(poolId, jobId), { name: 'PreconditionNotMetException' })
      await app.app.tick()
      await assert.rejects(start(poolId, jobId), { name: 'PreconditionNotMetException' })

      const bare = await createPool(app, { AutoVerifiedAttributes: [] })
      const another = await createJob(app, bare.poolId)
      await put(another.url, await csvOf(app, bare.poolId, [imported('ann')]))
      await assert.rejects(start(bare.poolId, another.jobId), { name: 'PreconditionNotMetException' })
    })

    test('only one is active at a time, whoever starts first', async () => {
      const pools = [await createPool(app), await createPool(app)]
      const jobs: [string, string][] = []
      for (const { poolId } of [...pools, ...pools]) {
        const { jobId, url } = await createJob(app, poolId)
        await put(url, await csvOf(app, poolId, [imported('ann')]))
        jobs.push([poolId, jobId])
      }
      const started = await Promise.allSettled(jobs.map(([poolId, jobId]) => start(poolId, jobId)))
      const refused = started.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
      assert.equal(refused.length, jobs.length - 1)
      for (const reason of refused) assert.equal(reason.name, 'PreconditionNotMetException')
      await app.app.tick()
      const [poolId, jobId] = jobs[started.findIndex(result => result.status === 'rejected')] ?? ['', '']
      await start(poolId, jobId)
      await app.app.tick()
      assert.notEqual((await describeJob(app, poolId, jobId)).Status, 'Pending')
    })

    test('expire when they are not started within a day', async () => {
      const { poolId } = await createPool(app)
      const { jobId, url } = await createJob(app, poolId)
      const createdAt = app.now()
      await put(url, await csvOf(app, poolId, [imported('ann')]))
      app.advance(hours(24) - 1)
      assert.equal((await describeJob(app, poolId, jobId)).Status, 'Created')
      app.advance(1)
      for (let round = 0; round < 2; round++) {
        const job = await describeJob(app, poolId, jobId)
        assert.equal(job.Status, 'Expired')
        assert.equal(job.CompletionMessage, 'The user import job has expired.')
        assert.deepEqual(job.CompletionDate, new Date(createdAt + hours(24)))
        await assert.rejects(start(poolId, jobId), { name: 'PreconditionNotMetException' })
        await app.app.tick()
      }
      const left = await app.database.db.selectFrom('user_import_chunks').select('job_id').execute()
      assert.ok(left.every(chunk => chunk.job_id !== jobId))
    })

    test('a pool has at most 1,000', async () => {
      const { poolId } = await createPool(app)
      const { jobId } = await createJob(app, poolId)
      const row = await app.database.db
        .selectFrom('user_import_jobs')
        .selectAll()
        .where('id', '=', jobId)
        .executeTakeFirstOrThrow()
      const copies = Array.from({ length: 998 }, (_, index) => ({ ...row, id: `import-${poolId.slice(-9)}${index}` }))
      for (let at = 0; at < copies.length; at += 100) {
        await app.database.db
          .insertInto('user_import_jobs')
          .values(copies.slice(at, at + 100))
          .execute()
      }
      const made = await Promise.allSettled([createJob(app, poolId), createJob(app, poolId), createJob(app, poolId)])
      const refused = made.flatMap(result => (result.status === 'rejected' ? [result.reason.name] : []))
      assert.deepEqual(refused, ['LimitExceededException', 'LimitExceededException'])
      await createJob(app, (await createPool(app)).poolId)
    })
  })

  describe('ListUserImportJobs', () => {
    test('pages through the jobs of the pool, newest first', async () => {
      const { poolId } = await createPool(app)
      const ids: string[] = []
      for (let index = 0; index < 7; index++) {
        ids.unshift((await createJob(app, poolId)).jobId)
        if (index % 2 === 0) app.advance(1)
      }
      const whole = await app.aws.listUserImportJobs({ UserPoolId: poolId, MaxResults: 60 })
      assert.equal(whole.PaginationToken, undefined)
      const dates = whole.UserImportJobs?.map(job => job.CreationDate?.getTime() ?? 0) ?? []
      assert.deepEqual(
        dates,
        dates.toSorted((one, other) => other - one),
      )
      assert.deepEqual(whole.UserImportJobs?.map(job => job.JobId).sort(), ids.toSorted())
      for (const MaxResults of [1, 3, 7]) {
        const listed = []
        let PaginationToken: string | undefined
        do {
          const page = await app.aws.listUserImportJobs({
            UserPoolId: poolId,
            MaxResults,
            ...(PaginationToken !== undefined && { PaginationToken }),
          })
          assert.ok((page.UserImportJobs?.length ?? 0) <= MaxResults)
          listed.push(...(page.UserImportJobs ?? []))
          PaginationToken = page.PaginationToken
        } while (PaginationToken !== undefined)
        assert.deepEqual(listed, whole.UserImportJobs)
      }
      assert.deepEqual(
        whole.UserImportJobs?.[0],
        await describeJob(app, poolId, whole.UserImportJobs?.[0]?.JobId ?? ''),
      )
    })

    test('a token is for the rest of its own list', async () => {
      const { poolId } = await createPool(app)
      const other = await createPool(app)
      for (let index = 0; index < 2; index++) await createJob(app, poolId)
      const { PaginationToken } = await app.aws.listUserImportJobs({ UserPoolId: poolId, MaxResults: 1 })
      assert.ok(PaginationToken)
      const list = (UserPoolId: string, token: string) =>
        app.aws.listUserImportJobs({ UserPoolId, MaxResults: 1, PaginationToken: token })
      await assert.rejects(list(other.poolId, PaginationToken), { name: 'InvalidParameterException' })
      await assert.rejects(list(poolId, `${PaginationToken}x`), { name: 'InvalidParameterException' })
      assert.equal((await list(poolId, PaginationToken)).UserImportJobs?.length, 1)
      await assert.rejects(app.aws.listUserImportJobs({ UserPoolId: poolId, MaxResults: 0 }), {
        name: 'InvalidParameterException',
      })
      await assert.rejects(app.aws.listUserImportJobs({ UserPoolId: poolId, MaxResults: 61 }), {
        name: 'InvalidParameterException',
      })
    })
  })

  describe('StopUserImportJob', () => {
    test('ends a job before its first user', async () => {
      const { poolId } = await createPool(app)
      const jobId = await startJob(app, poolId, await csvOf(app, poolId, [imported('ann')]))
      const { UserImportJob: job } = await stop(poolId, jobId)
      assert.equal(job?.Status, 'Stopped')
      assert.equal(job?.CompletionMessage, 'The Import Job was stopped by the developer.')
      assert.deepEqual(job?.CompletionDate, new Date(app.now()))
      await app.app.tick()
      assert.deepEqual(await describeJob(app, poolId, jobId), job)
      await assert.rejects(statusOf(app, poolId, 'ann'), { name: 'UserNotFoundException' })
      await assert.rejects(stop(poolId, jobId), { name: 'PreconditionNotMetException' })
      const left = await app.database.db.selectFrom('user_import_chunks').select('job_id').execute()
      assert.ok(left.every(chunk => chunk.job_id !== jobId))
    })

    test('ends a job in the middle; what it says was imported is what is there', async () => {
      const { poolId } = await createPool(app)
      const rows = Array.from({ length: 600 }, (_, index) => imported(`user${index}`))
      const jobId = await startJob(app, poolId, await csvOf(app, poolId, rows))
      const work = app.app.tick()
      let job = await describeJob(app, poolId, jobId)
      while ((job.ImportedUsers ?? 0) === 0) job = await describeJob(app, poolId, jobId)
      const stopped = (await stop(poolId, jobId)).UserImportJob ?? {}
      assert.equal(stopped.Status, 'Stopped')
      await work
      await app.app.tick()
      const [users = 0] = countsOf(stopped)
      assert.ok(users > 0 && users < rows.length)
      assert.deepEqual(await describeJob(app, poolId, jobId), stopped)
      assert.equal((await app.aws.describeUserPool({ UserPoolId: poolId })).UserPool?.EstimatedNumberOfUsers, users)
      assert.equal((await logOf(app, poolId, jobId)).length, users)
    })

    test('is for active jobs only', async () => {
      const { poolId } = await createPool(app)
      const { jobId } = await createJob(app, poolId)
      await assert.rejects(stop(poolId, jobId), { name: 'PreconditionNotMetException' })
      assert.equal((await describeJob(app, poolId, jobId)).Status, 'Created')
    })
  })

  describe('while a job is active', () => {
    test('its pool keeps its settings, and other pools are free', async () => {
      const { poolId } = await createPool(app)
      const other = await createPool(app)
      const update = (UserPoolId: string) =>
        app.aws.updateUserPool({ UserPoolId, AutoVerifiedAttributes: ['email'], UserPoolTags: { a: 'b' } })
      const add = (UserPoolId: string) =>
        app.aws.addCustomAttributes({ UserPoolId, CustomAttributes: [{ Name: 'x', AttributeDataType: 'String' }] })
      const jobId = await startJob(app, poolId, await csvOf(app, poolId, [imported('ann')]))
      const pool = (await app.aws.describeUserPool({ UserPoolId: poolId })).UserPool
      app.advance(seconds(1))
      await assert.rejects(update(poolId), inProgress)
      await assert.rejects(add(poolId), inProgress)
      await assert.rejects(app.aws.deleteUserPool({ UserPoolId: poolId }), inProgress)
      assert.deepEqual((await app.aws.describeUserPool({ UserPoolId: poolId })).UserPool, pool)
      await update(other.poolId)
      await add(other.poolId)
      await app.aws.deleteUserPool({ UserPoolId: other.poolId })
      await app.app.tick()
      assert.equal((await describeJob(app, poolId, jobId)).Status, 'Succeeded')
      await update(poolId)
      await add(poolId)
      await app.aws.deleteUserPool({ UserPoolId: poolId })
    })

    test('a change and a start at once: one of them fails, or the change comes first', async () => {
      for (let round = 0; round < 5; round++) {
        const { poolId } = await createPool(app)
        const { jobId, url } = await createJob(app, poolId)
        await put(url, await csvOf(app, poolId, [imported('ann')]))
        const [deleted, started] = await Promise.allSettled([
          app.aws.deleteUserPool({ UserPoolId: poolId }),
          start(poolId, jobId),
        ])
        assert.equal([deleted, started].filter(({ status }) => status === 'fulfilled').length, 1)
        await app.app.tick()
      }
    })
  })

  test('logs are dropped 30 days after the end of the job', async () => {
    const { poolId } = await createPool(app)
    const job = await importFile(app, poolId, await csvOf(app, poolId, [imported('ann')]))
    app.advance(days(30))
    await app.app.tick()
    assert.equal((await logOf(app, poolId, job.JobId)).length, 1)
    app.advance(1)
    await app.app.tick()
    assert.deepEqual(await logOf(app, poolId, job.JobId), [])
  })

  test('an imported user sets a password with a code', async () => {
    const { poolId, clientId } = await createPool(
      app,
      {},
      { ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
    )
    await importFile(app, poolId, await csvOf(app, poolId, [imported('ann')]))
    const signIn = (PASSWORD: string) =>
      app.aws.initiateAuth({
        ClientId: clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD },
      })
    await assert.rejects(signIn('Passw0rd!'), error('PasswordResetRequired', 'Password reset required for the user'))
    await app.aws.forgotPassword({ ClientId: clientId, Username: 'ann' })
    await app.aws.confirmForgotPassword({
      ClientId: clientId,
      Username: 'ann',
      ConfirmationCode: await app.lastCode('ann@example.com'),
      Password: 'Passw0rd!',
    })
    assert.ok((await signIn('Passw0rd!')).AuthenticationResult?.AccessToken)
    assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
  })

  test('pools with jobs and files can be deleted', async () => {
    const { poolId } = await createPool(app)
    const { url } = await createJob(app, poolId)
    assert.equal((await put(url, 'x'.repeat(300_000))).status, 200)
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: 'ann',
      MessageAction: 'SUPPRESS',
      UserAttributes: [email('a@example.com')],
    })
    await app.aws.deleteUserPool({ UserPoolId: poolId })
    const jobs = await app.database.db
      .selectFrom('user_import_jobs')
      .select('id')
      .where('pool_id', '=', poolId)
      .execute()
    assert.deepEqual(jobs, [])
  })
})
