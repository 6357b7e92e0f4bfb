/**
 * The sinks of pools' logs: CloudWatch Logs, Data Firehose and S3, or servers that speak like them, by the ARN that a pool
 * names; and a file and a webhook of the operator, which take the records of all pools. Only what the configuration names
 * is called.
 */
import { hash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, FetchResponse, LogBatch, LogSinks } from '../core/ports.ts'
import { type Credentials, signatureHeaders } from '../core/sigv4-sign.ts'
import { fetchFrom } from './aws-call.ts'
import { signedPost } from './signed-post.ts'

export interface LogSinkOptions {
  /** Endpoints of services; `{region}` stands for the region of the destination. */
  cloudWatchEndpoint?: string | undefined
  firehoseEndpoint?: string | undefined
  s3Endpoint?: string | undefined
  /** Sign the calls of the three. */
  credentials?: Credentials | undefined
  /** One JSON document a line. */
  file?: string | undefined
  webhook?: { url: string; secret: string } | undefined
}

type Sink = (batch: LogBatch) => Promise<readonly number[]>
interface Surroundings {
  clock: Clock
  /** Twelve digits, part of the names of objects in buckets. */
  account: string
}

/** Each service by the ARNs that it takes. */
const services = {
  cloudwatch: { arn: /^arn:[\w-]+:logs:/, option: 'cloudWatchEndpoint', sink: () => cloudWatch },
  firehose: { arn: /^arn:[\w-]+:firehose:/, option: 'firehoseEndpoint', sink: () => firehose },
  s3: { arn: /^arn:[\w-]+:s3:/, option: 's3Endpoint', sink: () => s3 },
} as const

export const createLogSinks = (options: LogSinkOptions, surroundings: Surroundings): LogSinks => {
  const sinks = new Map<string, { takes: (destination: string) => boolean; sink: Sink }>()
  const everything = () => true
  for (const [name, { arn, option, sink }] of Object.entries(services)) {
    const endpoint = options[option]
    if (endpoint === undefined || options.credentials === undefined) continue
    const call = signedCall(endpoint, options.credentials, surroundings.clock)
    sinks.set(name, { takes: destination => arn.test(destination), sink: sink()(call, surroundings) })
  }
  if (options.file !== undefined) sinks.set('file', { takes: everything, sink: file(options.file) })
  if (options.webhook !== undefined)
    sinks.set('webhook', { takes: everything, sink: webhook(options.webhook, surroundings) })
  return {
    of: destination => [...sinks].filter(([, { takes }]) => takes(destination)).map(([name]) => name),
    deliver: async (name, batch) => {
      const found = sinks.get(name)
      if (found === undefined) throw new Error(`No sink ${name} is configured any more.`)
      return found.sink(batch)
    },
  }
}

// ---------------------------------------------------------------------------------------------- AWS

interface Call {
  method: 'POST' | 'PUT'
  service: string
  region: string
  /** With a slash in front; characters that need no encoding only. */
  path: string
  headers: Readonly<Record<string, string>>
  body: string
}

type SignedCall = (call: Call) => Promise<FetchResponse>

const timeoutMs = 10_000

/** Reaches the endpoint whatever its address, because the operator has named it. */
const signedCall =
  (endpoint: string, credentials: Credentials, clock: Clock): SignedCall =>
  ({ method, service, region, path, headers, body }) => {
    const url = new URL(endpoint.replaceAll('{region}', region).replace(/\/+$/, '') + path)
    const signed = signatureHeaders(credentials, { method, url, headers, body, region, service, now: clock.now() })
    return fetchFrom(url.href)(url.href, { purpose: 'log delivery', method, headers: signed, body, timeoutMs })
  }

const json11 = (call: SignedCall, service: string, region: string) => async (target: string, input: object) => {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }
  return call({ method: 'POST', service, region, path: '/', headers, body: JSON.stringify(input) })
}

const none: readonly number[] = []

/** Log events of one request may be this many bytes, with 26 for each beside its text. */
const putLogBytesMax = 1_048_576
const logEventOverhead = 26

const cloudWatch =
  (call: SignedCall): Sink =>
  async ({ destination, userPoolId, records }) => {
    const [, , , region = '', , , logGroupName = ''] = destination.split(':')
    const logs = json11(call, 'logs', region)
    const stream = { logGroupName, logStreamName: userPoolId }
    // The service wants them in the order of time.
    const events = records
      .map((record, index) => ({ ...record, index }))
      .sort((one, other) => one.at - other.at || one.index - other.index)
    const fitting = withinBytes(events, ({ text }) => Buffer.byteLength(text) + logEventOverhead, putLogBytesMax)
    const put = () =>
      logs('Logs_20140328.PutLogEvents', {
        ...stream,
        logEvents: fitting.map(({ at, text }) => ({ timestamp: at, message: text })),
      })
    let response = await put()
    if (errorOf(response) === 'ResourceNotFoundException') {
      const created = await logs('Logs_20140328.CreateLogStream', stream)
      if (errorOf(created) !== 'ResourceAlreadyExistsException') assertDone(created)
      response = await put()
    }
    assertDone(response)
    return events.slice(fitting.length).map(({ index }) => index)
  }

const putRecordsMax = 500
const putRecordBytesMax = 4_194_304

const firehose =
  (call: SignedCall): Sink =>
  async ({ destination, records }) => {
    const [, , , region = '', , resource = ''] = destination.split(':')
    const DeliveryStreamName = resource.replace(/^deliverystream\//, '')
    const data = records.map(({ text }) => Buffer.from(`${text}\n`).toString('base64'))
    const fitting = withinBytes(data.slice(0, putRecordsMax), ({ length }) => length, putRecordBytesMax)
    const response = await json11(
      call,
      'firehose',
      region,
    )('Firehose_20150804.PutRecordBatch', {
      DeliveryStreamName,
      Records: fitting.map(Data => ({ Data })),
    })
    assertDone(response)
    const { RequestResponses = [] } = parse(response) as { RequestResponses?: { ErrorCode?: string }[] }
    const refused = fitting.flatMap((_, index) => (RequestResponses[index]?.ErrorCode === undefined ? [] : [index]))
    return [...refused, ...records.keys().filter(index => index >= fitting.length)]
  }

const s3 =
  (call: SignedCall, { account, clock }: Surroundings): Sink =>
  async ({ destination, userPoolId, region, id, records }) => {
    const [bucket = '', ...prefix] = destination.slice(destination.lastIndexOf(':') + 1).split('/')
    const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')
    const folder = [bucket, ...prefix.filter(part => part !== ''), 'AWSLogs', account, 'Cognito', region, userPoolId]
    const path = `/${folder.map(encodeURIComponent).join('/')}/${day}/${id}.jsonl`
    const body = lines(records)
    const headers = { 'content-type': 'application/x-ndjson', 'x-amz-content-sha256': hash('sha256', body, 'hex') }
    assertDone(await call({ method: 'PUT', service: 's3', region, path, headers, body }))
    return none
  }

/** As many from the front as fit, one at least. */
const withinBytes = <T>(items: readonly T[], bytesOf: (item: T) => number, max: number): T[] => {
  let bytes = 0
  const tooMany = items.findIndex((item, index) => {
    bytes += bytesOf(item)
    return bytes > max && index > 0
  })
  return tooMany < 0 ? [...items] : items.slice(0, tooMany)
}

const parse = ({ body }: FetchResponse): Record<string, unknown> => {
  try {
    return JSON.parse(body.toString('utf8')) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** The name of the error, which some services precede with a namespace; undefined for success. */
const errorOf = (response: FetchResponse): string | undefined =>
  response.status < 400 ? undefined : (/\w+$/.exec(String(parse(response)['__type'] ?? ''))?.[0] ?? 'no known error')

const assertDone = (response: FetchResponse): void => {
  if (response.status >= 200 && response.status < 300) return
  throw new Error(`The service answered with status ${response.status} (${errorOf(response) ?? 'redirect'}).`)
}

// ---------------------------------------------------------------------------------------------- the operator's own

const lines = (records: LogBatch['records']): string => records.map(({ text }) => `${text}\n`).join('')

/** Appends to the file, which is on the disk before this returns. It may be moved away at any time. */
const file = (path: string): Sink => {
  mkdirSync(dirname(path), { recursive: true })
  return async ({ records }) => {
    const handle = await open(path, 'a', 0o600)
    try {
      await handle.writeFile(lines(records))
      await handle.datasync()
    } finally {
      await handle.close()
    }
    return none
  }
}

/** Posts the records as a JSON array, signed as the webhooks of triggers are. */
const webhook =
  ({ url, secret }: { url: string; secret: string }, { clock }: Surroundings): Sink =>
  async ({ records }) => {
    const body = `[${records.map(({ text }) => text).join(',')}]`
    const response = await signedPost({ url, secret, clock, fetch: fetchFrom(url) }, body, {
      purpose: 'log delivery',
      timeoutMs,
    })
    assertDone(response)
    return none
  }
