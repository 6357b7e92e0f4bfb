import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { verifySignature } from '../core/sigv4.ts'
import { createTriggers } from './triggers.ts'

const clock = { now: () => Date.parse('2026-01-02T03:04:05.678Z') }
const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:pre-sign-up'
const event = { version: '1', userName: 'änn', response: {} }

interface Received {
  method: string | undefined
  url: string
  headers: IncomingMessage['headers']
  rawHeaders: string[]
  body: string
}

let base = ''
let received: Received[] = []
let answer: (response: ServerResponse) => void = () => undefined
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const { method, url = '', headers, rawHeaders } = request
    received.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString('utf8') })
    answer(response)
  })
})
before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const answering = (body: string, status = 200, headers: Record<string, string> = {}) => {
  received = []
  answer = response => response.writeHead(status, headers).end(body)
}
const failure = (reason: string, message: string) => ({ name: 'TriggerFailure', reason, message })
const lambda = (more = {}) => createTriggers({ targets: new Map(), lambdaEndpoint: base, clock, ...more })
const webhook = (name = arn) =>
  createTriggers({ targets: new Map([[name, { url: `${base}/hook`, secret: 'a secret of the hook' }]]), clock })

describe('at a Lambda endpoint', () => {
  test('the function is invoked synchronously with the event and returns JSON', async () => {
    answering('{"response":{"autoConfirmUser":true}}')
    const returned = await lambda().invoke({ target: arn, event, timeoutMs: 5_000 })
    assert.deepEqual(returned, { response: { autoConfirmUser: true } })
    const [request] = received
    assert.equal(request?.method, 'POST')
    assert.equal(request?.url, `/2015-03-31/functions/${encodeURIComponent(arn)}/invocations`)
    assert.equal(request?.headers['x-amz-invocation-type'], 'RequestResponse')
    assert.equal(request?.headers.authorization, undefined)
    assert.deepEqual(JSON.parse(request?.body ?? ''), event)
  })

  test('the call is signed for the region of the function when there are credentials', async () => {
    answering('{}')
    const secret = { secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
    await lambda({ lambdaCredentials: { id: 'AKIDEXAMPLE', ...secret } }).invoke({
      target: arn,
      event,
      timeoutMs: 5_000,
    })
    const [{ url = '', rawHeaders = [], body = '' } = {}] = received
    const request = { method: 'POST', path: url, query: '', rawHeaders, body: Buffer.from(body) }
    const options = { findKey: () => secret, now: clock.now(), service: 'lambda', mode: 'verify' } as const
    assert.deepEqual(verifySignature(request, options), { accessKeyId: 'AKIDEXAMPLE', region: 'eu-west-1' })
    assert.throws(() => verifySignature({ ...request, body: Buffer.from('{}') }, options))
  })

  test('a session token is sent and signed', async () => {
    answering('{}')
    const lambdaCredentials = { id: 'AKIDEXAMPLE', secret: 'secret', sessionToken: 'token' }
    await lambda({ lambdaCredentials }).invoke({ target: arn, event, timeoutMs: 5_000 })
    assert.equal(received[0]?.headers['x-amz-security-token'], 'token')
    assert.match(
      received[0]?.headers.authorization ?? '',
      /SignedHeaders=content-type;host;x-amz-date;x-amz-invocation-type;x-amz-security-token,/,
    )
  })

  for (const [title, body, status, headers, expected] of [
    [
      'a function that throws',
      '{"errorType":"Error","errorMessage":"Not you","trace":[]}',
      200,
      { 'x-amz-function-error': 'Unhandled' },
      failure('function', 'Not you'),
    ],
    [
      'an error without text',
      '"gone"',
      200,
      { 'x-amz-function-error': 'Unhandled' },
      failure('function', 'Unknown error'),
    ],
    [
      'a missing permission',
      '{}',
      403,
      { 'x-amzn-errortype': 'AccessDeniedException:http://internal/' },
      failure('refused', 'AccessDeniedException'),
    ],
    ['an error without a name', '', 500, {}, failure('refused', 'ServiceException')],
    ['a redirect', '', 302, { location: 'http://127.0.0.1:1/' }, failure('refused', 'ServiceException')],
    ['an answer that is no JSON', 'OK', 200, {}, failure('not-json', 'The function returned no JSON.')],
  ] as const) {
    test(`${title} is told as it is`, async () => {
      answering(body, status, headers)
      await assert.rejects(lambda().invoke({ target: arn, event, timeoutMs: 5_000 }), expected)
    })
  }

  test('null is JSON, and what is nested too deeply is no event', async () => {
    answering('null')
    assert.equal(await lambda().invoke({ target: arn, event, timeoutMs: 5_000 }), null)
    answering(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    assert.equal(await lambda().invoke({ target: arn, event, timeoutMs: 5_000 }), undefined)
  })

  test('an answer beyond what Lambda allows is refused', async () => {
    answering(`"${'x'.repeat(7_000_000)}"`)
    await assert.rejects(
      lambda().invoke({ target: arn, event, timeoutMs: 5_000 }),
      failure('refused', 'ServiceException'),
    )
  })

  test('a function that does not answer in time, or answers byte by byte, has failed', async () => {
    answer = () => undefined
    await assert.rejects(lambda().invoke({ target: arn, event, timeoutMs: 50 }), { reason: 'timeout' })
    answer = response => {
      const drip = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(drip))
    }
    await assert.rejects(lambda().invoke({ target: arn, event, timeoutMs: 100 }), { reason: 'timeout' })
  })

  test('a closed connection and a server that is not there cannot be invoked', async () => {
    answer = response => response.destroy()
    await assert.rejects(
      lambda().invoke({ target: arn, event, timeoutMs: 5_000 }),
      failure('refused', 'ServiceException'),
    )
    const nowhere = createTriggers({ targets: new Map(), lambdaEndpoint: 'http://127.0.0.1:1', clock })
    await assert.rejects(
      nowhere.invoke({ target: arn, event, timeoutMs: 5_000 }),
      failure('refused', 'ServiceException'),
    )
  })
})

describe('at a webhook', () => {
  for (const [title, name] of [
    ['by the ARN of the function', arn],
    ['by its name', 'pre-sign-up'],
  ] as const) {
    test(`named ${title}, the event comes with a signature that verifies`, async () => {
      answering('{"response":{}}')
      assert.deepEqual(await webhook(name).invoke({ target: arn, event, timeoutMs: 5_000 }), { response: {} })
      const [{ url, headers, body } = { url: '', headers: {} as IncomingMessage['headers'], body: '' }] = received
      assert.equal(url, '/hook')
      assert.equal(headers['x-cenote-timestamp'], '1767323045')
      const expected = createHmac('sha256', 'a secret of the hook').update(`1767323045.${body}`).digest('hex')
      assert.ok(
        timingSafeEqual(Buffer.from(String(headers['x-cenote-signature'])), Buffer.from(`v1=${expected}`)),
        'signature',
      )
      assert.deepEqual(JSON.parse(body), event)
    })
  }

  test('an error message is the error of the function, any other status is none', async () => {
    answering('{"errorMessage":"Not you"}', 400)
    await assert.rejects(webhook().invoke({ target: arn, event, timeoutMs: 5_000 }), failure('function', 'Not you'))
    answering('<html>', 502)
    await assert.rejects(
      webhook().invoke({ target: arn, event, timeoutMs: 5_000 }),
      failure('refused', 'ServiceException'),
    )
  })
})

test('a function that is configured nowhere does not exist', async () => {
  await assert.rejects(
    createTriggers({ targets: new Map(), clock }).invoke({ target: arn, event, timeoutMs: 5_000 }),
    failure('refused', 'ResourceNotFoundException'),
  )
})
