import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { hours, minutes, onEachDatabase, seconds, type TestApp } from '../../test/support/app.ts'
import { type FakeAws, fakeCredentials, startFakeAws } from '../../test/support/fake-aws.ts'
import { createClient, createPool, email, signIn, type TestPool } from '../../test/support/pools.ts'
import { allFlows, home, Password, signInFrom, watchedPool } from '../../test/support/threat-protection.ts'
import { createLogSinks, type LogSinkOptions } from '../adapters/log-sinks.ts'
import { systemClock } from '../adapters/system.ts'
import type { LogSinks } from '../core/ports.ts'

const group = 'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/users'
const stream = 'arn:aws:firehose:eu-west-2:123456789012:deliverystream/users'
const bucket = 'arn:aws:s3:::user-logs'
const secret = 'a-secret-of-the-webhook'

const folder = mkdtempSync(join(tmpdir(), 'cenote-logs-'))
after(() => rmSync(folder, { recursive: true }))

const sinks = (options: LogSinkOptions) => createLogSinks(options, { clock: systemClock, account: '123456789012' })

onEachDatabase(testApp => {
  let aws: FakeAws
  let app: TestApp
  /** What the operator has configured. */
  let configured: LogSinks
  let deliver: () => Promise<void>
  before(async () => {
    aws = await startFakeAws()
    app = await testApp({
      logSinks: {
        of: destination => configured.of(destination),
        deliver: (sink, batch) => configured.deliver(sink, batch),
      },
      delivery: { send: () => deliver() },
    })
  })
  after(() => aws.close())
  beforeEach(async () => {
    aws.requests.length = 0
    aws.answer = () => ({})
    deliver = () => Promise.resolve()
    configured = sinks(toAws())
    await app.database.db.deleteFrom('log_records').execute()
  })

  const toAws = () => ({
    cloudWatchEndpoint: aws.url,
    firehoseEndpoint: aws.url,
    s3Endpoint: aws.url,
    credentials: fakeCredentials,
  })

  /** A pool whose history goes there. */
  const loggedPool = async (destination: object, more: Parameters<typeof watchedPool>[2] = {}) => {
    const pool = await watchedPool(app, 'AUDIT', more)
    await app.aws.setLogDeliveryConfiguration({
      UserPoolId: pool.poolId,
      LogConfigurations: [{ EventSource: 'userAuthEvents', LogLevel: 'INFO', ...destination }],
    })
    return pool
  }
  const toGroup = { CloudWatchLogsConfiguration: { LogGroupArn: group } }
  const waiting = () => app.database.db.selectFrom('log_records').selectAll().execute()

  describe('CloudWatch Logs', () => {
    test('gets a signed request with the events of a pool in their order', async () => {
      const pool = await loggedPool(toGroup)
      await signInFrom(app, pool, home)
      app.advance(seconds(1))
      await assert.rejects(signInFrom(app, pool, home, { password: 'wrong' }))
      await app.app.tick()
      assert.equal(aws.requests.length, 1)
      const [request] = aws.requests
      assert.deepEqual([request?.service, request?.region], ['logs', 'eu-west-1'])
      assert.equal(request?.headers['x-amz-target'], 'Logs_20140328.PutLogEvents')
      const body = JSON.parse(request?.body ?? '') as {
        logGroupName: string
        logStreamName: string
        logEvents: { timestamp: number; message: string }[]
      }
      assert.deepEqual([body.logGroupName, body.logStreamName], ['/aws/vendedlogs/users', pool.poolId])
      assert.deepEqual(
        body.logEvents.map(({ timestamp }) => timestamp),
        [app.now() - 1_000, app.now()],
      )
      const records = body.logEvents.map(({ message }) => JSON.parse(message))
      const { AuthEvents = [] } = await app.aws.adminListUserAuthEvents({ UserPoolId: pool.poolId, Username: 'ann' })
      const { UserAttributes } = await app.aws.adminGetUser({ UserPoolId: pool.poolId, Username: 'ann' })
      const sub = UserAttributes?.find(({ Name }) => Name === 'sub')?.Value
      assert.deepEqual(records[0], {
        eventTimestamp: String(app.now() - 1_000),
        eventSource: 'USER_AUTH_EVENTS',
        logLevel: 'INFO',
        message: {
          version: '1',
          eventId: AuthEvents[1]?.EventId,
          eventType: 'SignIn',
          userSub: sub,
          userName: 'ann',
          userPoolId: pool.poolId,
          clientId: pool.clientId,
          creationDate: records[0].message.creationDate,
          eventResponse: 'Pass',
          riskLevel: '',
          riskDecision: 'NoRisk',
          challenges: ['Password:Success'],
          deviceName: 'Chrome 126, Windows 10',
          ipAddress: '198.51.100.7',
          requestId: records[0].message.requestId,
          idpName: '',
          compromisedCredentialDetected: 'false',
          city: '',
          country: '',
          eventFeedbackValue: '',
          eventFeedbackDate: '',
          eventFeedbackProvider: '',
          hasContextData: 'false',
        },
        logSourceId: { userPoolId: pool.poolId },
      })
      assert.match(records[0].message.creationDate, /^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}$/)
      assert.equal(records[1].message.eventResponse, 'Fail')
      assert.deepEqual(await waiting(), [])
    })

    test('gets the stream made where there is none yet', async () => {
      const pool = await loggedPool(toGroup)
      let exists = false
      aws.answer = ({ headers }) => {
        if (headers['x-amz-target'] === 'Logs_20140328.CreateLogStream') exists = true
        return exists ? {} : { status: 400, body: { __type: 'ResourceNotFoundException' } }
      }
      await signInFrom(app, pool, home)
      await app.app.tick()
      assert.deepEqual(
        aws.requests.map(({ headers }) => headers['x-amz-target']),
        ['Logs_20140328.PutLogEvents', 'Logs_20140328.CreateLogStream', 'Logs_20140328.PutLogEvents'],
      )
      assert.deepEqual(await waiting(), [])
    })
  })

  describe('Data Firehose', () => {
    test('gets a line for each event, and again only those that it did not take', async () => {
      const pool = await loggedPool({ FirehoseConfiguration: { StreamArn: stream } })
      for (let count = 0; count < 3; count += 1) await signInFrom(app, pool, home)
      aws.answer = () => ({
        body: {
          FailedPutCount: 1,
          RequestResponses: [{ RecordId: '1' }, { ErrorCode: 'ServiceUnavailableException' }, {}],
        },
      })
      await app.app.tick()
      const records = () =>
        (JSON.parse(aws.requests.at(-1)?.body ?? '') as { DeliveryStreamName: string; Records: { Data: string }[] })
          .Records
      const sent = records().map(({ Data }) => Buffer.from(Data, 'base64').toString('utf8'))
      assert.equal(sent.length, 3)
      assert.ok(sent.every(line => line.endsWith('}\n')))
      assert.deepEqual(
        [aws.requests[0]?.service, aws.requests[0]?.region, aws.requests[0]?.headers['x-amz-target']],
        ['firehose', 'eu-west-2', 'Firehose_20150804.PutRecordBatch'],
      )
      assert.equal((await waiting()).length, 1)
      aws.answer = () => ({})
      app.advance(seconds(6))
      await app.app.tick()
      assert.deepEqual(
        records().map(({ Data }) => Buffer.from(Data, 'base64').toString('utf8')),
        [sent[1]],
      )
      assert.deepEqual(await waiting(), [])
    })
  })

  describe('S3', () => {
    test('gets an object of lines under the account, the region, the pool and the day', async () => {
      const pool = await loggedPool({ S3Configuration: { BucketArn: bucket } })
      await signInFrom(app, pool, home)
      await app.app.tick()
      const [request] = aws.requests
      const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/')
      assert.deepEqual([request?.method, request?.service, request?.region], ['PUT', 's3', 'us-east-1'])
      const base = `/user-logs/AWSLogs/123456789012/Cognito/us-east-1/${pool.poolId}/`
      assert.ok(request?.path.startsWith(base), request?.path)
      assert.match(request?.path.slice(base.length) ?? '', /^\d{4}\/\d\d\/\d\d\/[\w-]{36}\.jsonl$/)
      assert.ok(request?.path.includes(day.slice(0, 4)))
      const lines = request?.body.trimEnd().split('\n') ?? []
      assert.deepEqual(
        lines.map(line => JSON.parse(line).message.eventType),
        ['SignIn'],
      )
    })
  })

  describe('what the operator has of his own', () => {
    let server: Server
    let url: string
    const posted: { body: string; headers: Record<string, unknown> }[] = []
    let status = 200
    before(async () => {
      server = createServer(async (incoming, outgoing) => {
        const chunks: Buffer[] = []
        for await (const chunk of incoming) chunks.push(chunk as Buffer)
        posted.push({ body: Buffer.concat(chunks).toString('utf8'), headers: incoming.headers })
        outgoing.writeHead(status).end()
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logs`
    })
    after(() => new Promise<void>(resolve => server.close(() => resolve())))
    beforeEach(() => {
      posted.length = 0
      status = 200
    })

    test('a file gets a line for each event, and nobody else reads it', async () => {
      const file = join(folder, `${Math.random()}`, 'events.jsonl')
      configured = sinks({ file })
      const pool = await loggedPool(toGroup)
      for (let count = 0; count < 2; count += 1) {
        await signInFrom(app, pool, home)
        await app.app.tick()
      }
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
      assert.equal(lines.length, 2)
      assert.ok(lines.every(line => JSON.parse(line).logSourceId.userPoolId === pool.poolId))
      assert.equal(statSync(file).mode & 0o077, 0)
    })

    test('a webhook gets a signed array, beside what else is configured', async () => {
      const file = join(folder, `${Math.random()}.jsonl`)
      configured = sinks({ ...toAws(), file, webhook: { url, secret } })
      const pool = await loggedPool(toGroup)
      await signInFrom(app, pool, home)
      await app.app.tick()
      const [post] = posted
      assert.equal((JSON.parse(post?.body ?? '') as unknown[]).length, 1)
      const expected = createHmac('sha256', secret).update(`${post?.headers['x-cenote-timestamp']}.${post?.body}`)
      assert.equal(post?.headers['x-cenote-signature'], `v1=${expected.digest('hex')}`)
      assert.equal(aws.requests.length, 1)
      assert.ok(existsSync(file))
    })

    test('one that fails holds up no other, and gets everything later, after longer and longer times', async () => {
      const file = join(folder, `${Math.random()}.jsonl`)
      configured = sinks({ file, webhook: { url, secret } })
      const pool = await loggedPool(toGroup)
      status = 503
      await signInFrom(app, pool, home)
      await app.app.tick()
      assert.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 1)
      assert.ok(app.logged.some(({ message }) => message === 'log not delivered'))
      const tried = async (ms: number) => {
        const before = posted.length
        app.advance(ms)
        await app.app.tick()
        return posted.length > before
      }
      assert.equal(await tried(seconds(4)), false)
      assert.equal(await tried(seconds(1)), true)
      assert.equal(await tried(seconds(9)), false)
      assert.equal(await tried(seconds(1)), true)
      status = 200
      assert.equal(await tried(minutes(15)), true)
      assert.equal(await tried(minutes(15)), false)
      assert.deepEqual(await waiting(), [])
      assert.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 1)
    })
  })

  describe('records on their way', () => {
    test('are sealed, and stored together with what they tell of', async () => {
      const pool = await loggedPool(toGroup)
      await signInFrom(app, pool, home)
      const rows = await waiting()
      assert.equal(rows.length, 1)
      assert.match(String(rows[0]?.content), /^[\w+/=.-]+$/)
    })

    test('go out when the node that had taken them is gone', async () => {
      const pool = await loggedPool(toGroup)
      await signInFrom(app, pool, home)
      // What is left of a node that was killed between taking a record and saying what became of it.
      await app.database.db
        .updateTable('log_records')
        .set({ tries: 1, next_try_at: app.now() + minutes(2) })
        .execute()
      await app.app.tick()
      assert.equal(aws.requests.length, 0)
      app.advance(minutes(2))
      await app.app.tick()
      assert.equal(aws.requests.length, 1)
      assert.deepEqual(await waiting(), [])
    })

    test('are dropped after a day of trying, which is logged', async () => {
      const pool = await loggedPool(toGroup)
      aws.answer = () => ({ status: 500 })
      await signInFrom(app, pool, home)
      app.advance(hours(24))
      await app.app.tick()
      assert.equal((await waiting()).length, 1)
      app.advance(1)
      await app.app.tick()
      assert.deepEqual(await waiting(), [])
      assert.ok(app.logged.some(({ message }) => message.startsWith('log records dropped')))
    })

    test('are more than fit into one request, and none is left behind', async () => {
      const pool = await loggedPool(toGroup)
      await signInFrom(app, pool, home)
      const [row] = await waiting()
      assert.ok(row)
      const { sequence: _, ...copy } = row
      for (let part = 0; part < 4; part += 1) {
        await app.database.db
          .insertInto('log_records')
          .values(Array.from({ length: 300 }, () => copy))
          .execute()
      }
      await app.app.tick()
      const counts = aws.requests.map(({ body }) => (JSON.parse(body) as { logEvents: unknown[] }).logEvents.length)
      assert.deepEqual(counts, [500, 500, 201])
      assert.deepEqual(await waiting(), [])
    })

    test('go to two nodes at once and arrive once', async () => {
      if (app.kind !== 'postgres') return
      const other = await app.secondNode()
      try {
        const pool = await loggedPool(toGroup)
        for (let count = 0; count < 10; count += 1) await signInFrom(app, pool, home)
        await Promise.all([app.app.tick(), other.app.tick(), app.app.tick(), other.app.tick()])
        const ids = aws.requests.flatMap(({ body }) =>
          (JSON.parse(body) as { logEvents: { message: string }[] }).logEvents.map(
            ({ message }) => JSON.parse(message).message.eventId,
          ),
        )
        assert.equal(ids.length, 10)
        assert.equal(new Set(ids).size, 10)
      } finally {
        await other.close()
      }
    })
  })

  describe('which records a pool gets delivered', () => {
    test('none without a configuration, and none any more when it is taken away', async () => {
      const pool = await watchedPool(app, 'AUDIT')
      await signInFrom(app, pool, home)
      const logged = await loggedPool(toGroup)
      await app.aws.setLogDeliveryConfiguration({ UserPoolId: logged.poolId, LogConfigurations: [] })
      await signInFrom(app, logged, home)
      await app.app.tick()
      assert.deepEqual(aws.requests, [])
    })

    test('those of names that nobody has, which they do not repeat', async () => {
      const pool = await loggedPool(toGroup)
      const clientId = await createClient(app, pool.poolId, { ...allFlows, PreventUserExistenceErrors: 'ENABLED' })
      await assert.rejects(signIn(app, clientId, 'my-secret-password', 'x'))
      await app.app.tick()
      assert.equal(aws.requests.length, 1)
      assert.ok(!aws.requests[0]?.body.includes('my-secret-password'))
    })

    test('failures of messages, without address and code', async () => {
      deliver = () => Promise.reject(new Error('mailbox of bob@example.com is full'))
      const { poolId, clientId }: TestPool = await createPool(app)
      await app.aws.setLogDeliveryConfiguration({
        UserPoolId: poolId,
        LogConfigurations: [{ EventSource: 'userNotification', LogLevel: 'ERROR', ...toGroup }],
      })
      const bob = { ClientId: clientId, Username: 'bob', Password, UserAttributes: [email('bob@example.com')] }
      await assert.rejects(app.aws.signUp(bob), { name: 'CodeDeliveryFailureException' })
      await app.app.tick()
      const { logEvents } = JSON.parse(aws.requests[0]?.body ?? '') as { logEvents: { message: string }[] }
      assert.deepEqual(JSON.parse(logEvents[0]?.message ?? ''), {
        eventTimestamp: String(app.now()),
        eventSource: 'USER_NOTIFICATION',
        logLevel: 'ERROR',
        message: { details: 'EMAIL for SignUp was not delivered.' },
        logSourceId: { userPoolId: poolId },
      })
    })

    test('all of them leave as events where the operator has configured nothing for the destination', async () => {
      configured = sinks({ s3Endpoint: aws.url, credentials: fakeCredentials })
      const pool = await loggedPool(toGroup)
      await signInFrom(app, pool, home)
      assert.deepEqual(await waiting(), [])
      const found = app.events.filter(({ name, destination }) => name === 'LogDelivery' && destination === group)
      assert.deepEqual(
        found.map(({ destination }) => destination),
        [group],
      )
    })
  })
})
