/**
 * HTTP that is wrong, odd or hostile: the server answers with a 4xx or closes the connection, changes nothing and goes
 * on. None of it touches the database, so one kind of database is enough.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { operations } from '../../src/contract/model.ts'
import { openTestApp, type TestApp } from '../support/app.ts'
import { createTestPool } from '../support/directory.ts'
import { withPrototypeKeys } from '../support/model-inputs.ts'
import { assertUnharmed } from '../support/unharmed.ts'
import { createWire, exchange, jsonType, rawRequest, signatureForm, targetPrefix, type Wire } from '../support/wire.ts'

/** One answer is due. */
const one = { answers: 1, quietMs: 5_000 }

const isClientError = (status: number): boolean => status >= 400 && status < 500

describe('hostile HTTP', () => {
  let app: TestApp
  let wire: Wire
  let poolId: string
  before(async () => {
    app = await openTestApp('sqlite')
    wire = createWire(app.url)
    poolId = (await createTestPool(app)).UserPoolId
  })
  after(async () => {
    wire.close()
    await app.close()
  })

  /** Creates a pool when it gets through, which is what must not happen. */
  const body = '{"PoolName":"intruder"}'
  const create = (...headers: string[]) => rawRequest('CreateUserPool', body, headers)
  const ask = () => rawRequest('DescribeUserPool', JSON.stringify({ UserPoolId: poolId }))

  test('the content type must be that of the protocol, so that no web page can send one without asking', async () => {
    const describePool = (type: string | undefined) =>
      wire.send({
        body: JSON.stringify({ UserPoolId: poolId }),
        headers: {
          'x-amz-target': `${targetPrefix}DescribeUserPool`,
          authorization: signatureForm,
          ...(type !== undefined && { 'content-type': type }),
        },
      })
    await assertUnharmed(app, async () => {
      for (const type of [
        undefined,
        '',
        'text/plain',
        'application/json',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=a',
        'application/x-amz-json-1.0',
        `${jsonType}1`,
        `${jsonType} garbage`,
        `${jsonType}, text/plain`,
        `text/plain, ${jsonType}`,
        `${jsonType}; charset=latin1`,
        `${jsonType}; charset=utf-16`,
        `${jsonType}; charset=utf-8; charset=utf-16`,
        `${jsonType}; boundary=a`,
        'application/x-amz-cbor-1.1',
      ]) {
        const { status, type: error } = await describePool(type)
        assert.deepEqual([status, error], [400, 'UnknownOperationException'], String(type))
      }
    })
    for (const type of [
      jsonType,
      jsonType.toUpperCase(),
      `${jsonType};charset=UTF-8`,
      `${jsonType}; charset="utf-8"`,
    ]) {
      assert.equal((await describePool(type)).status, 200, type)
    }
  })

  test('a target that names no operation is told so, whatever else is wrong', async () => {
    await assertUnharmed(app, async () => {
      for (const target of [
        undefined,
        '',
        'CreateUserPool',
        targetPrefix,
        `${targetPrefix}createuserpool`,
        `${targetPrefix}CreateUserPool\u00a0`,
        `${targetPrefix}__proto__`,
        `${targetPrefix}constructor`,
        `${targetPrefix}toString`,
        `${targetPrefix}hasOwnProperty`,
        `${targetPrefix}${targetPrefix}CreateUserPool`,
        'AWSCognitoIdentityService.CreateUserPool',
        `${targetPrefix.toLowerCase()}CreateUserPool`,
        `${targetPrefix}${'A'.repeat(8_000)}`,
        `${targetPrefix}CreateUserPool, ${targetPrefix}CreateUserPool`,
      ]) {
        const { status, type } = await wire.send({
          body,
          headers: {
            'content-type': jsonType,
            authorization: signatureForm,
            ...(target && { 'x-amz-target': target }),
          },
        })
        assert.deepEqual([status, type], [400, 'UnknownOperationException'], String(target))
      }
      const tooLong = await exchange(app.url, [rawRequest('A'.repeat(20_000), body)])
      assert.deepEqual([tooLong.statuses, tooLong.closed], [[431], true])
    })
  })

  test('compressed bodies are refused before anything is inflated', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    await assertUnharmed(app, async () => {
      for (const [encoding, bytes] of [
        ['gzip', gzipSync(body)],
        ['x-gzip', gzipSync(body)],
        ['deflate', deflateSync(body)],
        ['br', brotliCompressSync(body)],
        ['zstd', Buffer.from(body)],
        ['identity, gzip', gzipSync(body)],
        ['aws-chunked', Buffer.from(body)],
        ['gzip', bomb],
      ] as const) {
        const { status, type } = await wire.call('CreateUserPool', bytes, { 'content-encoding': encoding })
        assert.deepEqual([status, type], [400, 'SerializationException'], encoding)
      }
      assert.equal((await wire.call('CreateUserPool', gzipSync(body))).type, 'SerializationException')
    })
    const plain = await wire.call('DescribeUserPool', { UserPoolId: poolId }, { 'content-encoding': 'identity' })
    assert.equal(plain.status, 200)
  })

  test('other methods and other paths are not found and do nothing', async () => {
    const headers = {
      'content-type': jsonType,
      authorization: signatureForm,
      'x-amz-target': `${targetPrefix}CreateUserPool`,
    }
    await assertUnharmed(app, async () => {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY']) {
        const { status } = await wire.send({ method, headers, body })
        assert.ok(isClientError(status), `${method}: ${status}`)
      }
      for (const path of [
        '//',
        '/%2e%2e/',
        '/..%2f',
        '/.%00/',
        '/%',
        '/%ff',
        '/%c0%af',
        '/index.html',
        '/__proto__',
        '/__proto__/.well-known/jwks.json',
        '/constructor/.well-known/openid-configuration',
        '/%00/.well-known/jwks.json',
        '/%ff%fe/.well-known/jwks.json',
        "/'%20or%201=1--/.well-known/jwks.json",
        `/${'a'.repeat(10_000)}/.well-known/jwks.json`,
        `/${'../'.repeat(1_000)}etc/passwd`,
        '/_cenote/../_cenote/none',
        '/_cenote/__proto__',
        '/%5fcenote/messages',
        '/x/%2e%2e/health',
        '/heal%74h',
        '/./health',
        '/x/../health',
        '/x\\..\\health',
        '//health',
      ]) {
        for (const method of ['GET', 'POST']) {
          const { status } = await wire.send({ method, path, headers, body: method === 'GET' ? '' : body })
          assert.ok(isClientError(status), `${method} ${path.slice(0, 60)}: ${status}`)
        }
      }
      const tunnel = await exchange(app.url, ['CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'])
      assert.ok(tunnel.closed && tunnel.statuses.every(status => status >= 400), tunnel.text)
    })
    assert.equal((await wire.send({ method: 'GET', path: `/${poolId}/.well-known/jwks.json` })).status, 200)
    assert.equal((await wire.send({ method: 'GET', path: '/health' })).status, 200)
  })

  test('request lines and hosts that make no sense are refused', async () => {
    await assertUnharmed(app, async () => {
      const requests: [string, string][] = [
        ['no HTTP at all', 'GARBAGE\r\n\r\n'],
        ['no target', 'POST\r\n\r\n'],
        ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
        ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
        ['HTTP/2 in the request line', 'POST / HTTP/2.0\r\nHost: a\r\n\r\n'],
        ['no headers', 'POST / HTTP/1.1\r\n\r\n'],
        ['a NUL in the target', create().replace('POST / ', 'POST /\x00 ')],
        ['a space before a colon', create().replace('Host: localhost', 'Host : localhost')],
        ['no host', create().replace('Host: localhost\r\n', '')],
        ['two hosts', create('Host: other')],
        ['a NUL in a header', create('X-Header: a\x00b')],
        ['a space in the name of a header', create('Bad Header: a')],
        ['a header without a name', create(': a')],
        ['a header of 17 KB', create(`X-Long: ${'a'.repeat(17_000)}`)],
        ['3,000 headers', create(...Array.from({ length: 3_000 }, (_, index) => `X-${index}: a`))],
      ]
      for (const [what, request] of requests) {
        const { statuses } = await exchange(app.url, [request], one)
        assert.ok(statuses.length === 1 && statuses.every(isClientError), `${what}: ${statuses}`)
      }
    })
    for (const host of [
      'a b',
      '',
      '[::1',
      'a/../b',
      'a@b',
      'a?b',
      'a#b',
      '%00',
      'é',
      '__proto__',
      'a:99999',
      ':',
      'evil.example',
    ]) {
      const { statuses } = await exchange(app.url, [ask().replace('Host: localhost', `Host: ${host}`)], one)
      assert.ok(statuses.length === 1 && statuses.every(status => status < 500), `${host}: ${statuses}`)
    }
    const absolute = await exchange(app.url, [ask().replace('POST / ', 'POST http://evil.example/ ')], one)
    assert.ok(
      absolute.statuses.every(status => status < 500),
      absolute.text,
    )
    assert.deepEqual((await exchange(app.url, [ask()], one)).statuses, [200])
    assert.deepEqual((await exchange(app.url, [ask().replace('HTTP/1.1', 'HTTP/1.0')], one)).statuses, [200])
  })

  test('a request that two readers could read as two different ones is refused and the connection closed', async () => {
    const inner = create()
    const hidden = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    const raw = (text: string, ...headers: string[]) => rawRequest('CreateUserPool', text, headers)
    await assertUnharmed(app, async () => {
      for (const [what, request] of [
        ['both lengths', raw(chunked, `Content-Length: ${chunked.length}`, 'Transfer-Encoding: chunked')],
        ['both lengths, hidden', raw(hidden, 'Content-Length: 4', 'Transfer-Encoding: chunked')],
        ['two lengths', raw(body, `Content-Length: ${body.length}`, 'Content-Length: 0')],
        ['two equal lengths', raw(body, `Content-Length: ${body.length}`, `Content-Length: ${body.length}`)],
        ['a list of lengths', raw(body, `Content-Length: ${body.length}, ${body.length}`)],
        ['a signed length', raw(body, `Content-Length: +${body.length}`)],
        ['a negative length', raw(body, 'Content-Length: -1')],
        ['a hexadecimal length', raw(body, 'Content-Length: 0x17')],
        ['a length beyond 64 bits', raw(body, 'Content-Length: 18446744073709551639')],
        ['an unknown coding', raw(chunked, 'Transfer-Encoding: xchunked')],
        ['a list of codings', raw(chunked, 'Transfer-Encoding: chunked, identity')],
        ['two codings', raw(chunked, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity')],
        ['a space before the colon', raw(chunked, 'Transfer-Encoding : chunked')],
        ['a folded line', raw(chunked, 'Transfer-Encoding:\r\n chunked')],
        ['a tab in the coding', raw(chunked, 'Transfer-Encoding: \x0bchunked')],
        ['bare line feeds', create().replaceAll('\r\n', '\n')],
        ['a bare line feed after the coding', raw(chunked, 'Transfer-Encoding: chunked\nX: a')],
        ['a wrong chunk size', raw('zz\r\nabc\r\n0\r\n\r\n', 'Transfer-Encoding: chunked')],
        ['a chunk size beyond 64 bits', raw(`${'f'.repeat(17)}\r\n${body}\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked')],
        ['a chunk that is longer than said', raw(`2\r\n${body}\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked')],
        [
          'an endless chunk extension',
          raw(`17;${'a'.repeat(1_000_000)}\r\n${body}\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked'),
        ],
      ] as const) {
        const { statuses, closed } = await exchange(app.url, [request])
        assert.ok(closed, `${what}: the connection stays open`)
        assert.ok(statuses.length <= 1 && statuses.every(isClientError), `${what}: ${statuses}`)
      }
    })
    const describePool = JSON.stringify({ UserPoolId: poolId })
    const good = `${describePool.length.toString(16)}\r\n${describePool}\r\n0\r\n\r\n`
    const answered = await exchange(
      app.url,
      [rawRequest('DescribeUserPool', good, ['Transfer-Encoding: chunked'])],
      one,
    )
    assert.deepEqual(answered.statuses, [200])
  })

  test('headers that decide what is done count once', async () => {
    await assertUnharmed(app, async () => {
      for (const [what, request] of [
        ['two targets', create(`X-Amz-Target: ${targetPrefix}ListUserPools`)],
        ['two signatures', create(`Authorization: ${signatureForm}`)],
        ['header and query', create().replace('POST / ', 'POST /?X-Amz-Signature=00 ')],
      ] as const) {
        const { statuses } = await exchange(app.url, [request], one)
        assert.deepEqual(statuses, [400], what)
      }
    })
  })

  test('headers, cookies and parameters may have the names of what every object inherits', async () => {
    const names = Object.keys(withPrototypeKeys(0))
    const headers = [...names.map(name => `${name}: x`), `Cookie: ${names.map(name => `${name}=x`).join('; ')}`]
    const query = names.map(name => `${name}=x&${name}[a]=y`).join('&')
    await assertUnharmed(app, async () => {
      const request = rawRequest('DescribeUserPool', JSON.stringify({ UserPoolId: poolId }), headers)
      assert.deepEqual((await exchange(app.url, [request], one)).statuses, [200])
      assert.equal((await wire.send({ method: 'GET', path: `/_cenote/messages?${query}` })).status, 200)
      for (const text of ['%00', 'a%00', '%ff', '%ed%a0%80', '%', '%zz', "'%20or%201=1--", 'a'.repeat(10_000)]) {
        for (const name of ['to', 'username', 'userPoolId', 'other']) {
          const { status, text: answer } = await wire.send({ method: 'GET', path: `/_cenote/messages?${name}=${text}` })
          assert.deepEqual([status, answer], [200, '[]'], `${name}=${text.slice(0, 40)}`)
        }
      }
      assert.equal((await wire.send({ method: 'GET', path: `/_cenote/messages?to=a&to=b&to[x]=c` })).text, '[]')
      assert.equal((await wire.send({ method: 'GET', path: `/${poolId}/.well-known/jwks.json?${query}` })).status, 200)
    })
  })

  test('a body beyond the limit is refused at once, however it is announced', async () => {
    const head = (header: string) => rawRequest('CreateUserPool', '', [header])
    await assertUnharmed(app, async () => {
      for (const length of [2 * 1024 * 1024 + 1, 10_000_000, 100_000_000, Number.MAX_SAFE_INTEGER]) {
        const { statuses, closed } = await exchange(app.url, [head(`Content-Length: ${length}`)])
        assert.deepEqual([statuses, closed], [[413], true], String(length))
      }
      const chunk = `100000\r\n${'a'.repeat(0x100000)}\r\n`
      const { statuses, closed } = await exchange(app.url, [
        head('Transfer-Encoding: chunked'),
        ...Array.from({ length: 20 }, () => chunk),
      ])
      assert.ok(closed)
      // The answer may be lost when the connection closes while the client still writes.
      assert.ok(
        statuses.every(status => status === 413),
        String(statuses),
      )
    })
  })

  test('expectations, upgrades and trailers are no way around anything', async () => {
    const signed = `Authorization: ${signatureForm}`
    const pool = JSON.stringify({ UserPoolId: poolId })
    await assertUnharmed(app, async () => {
      const unsigned = create().replace(`${signed}\r\n`, '')
      for (const request of [
        unsigned.replace(body, '').replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked') +
          `${body.length.toString(16)}\r\n${body}\r\n0\r\n${signed}\r\n\r\n`,
        unsigned.replace(
          'Host: localhost',
          'Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
        ),
      ]) {
        const { statuses, text } = await exchange(app.url, [request], one)
        assert.deepEqual(statuses, [400], text)
        assert.match(text, /MissingAuthenticationTokenException/)
      }
      const expecting = await exchange(
        app.url,
        [rawRequest('DescribeUserPool', pool, [`Content-Length: ${pool.length}`, 'Expect: 100-continue'])],
        one,
      )
      assert.deepEqual(expecting.statuses, [100, 200])
      const unknown = await exchange(app.url, [create('Expect: 200-ok', `Content-Length: ${body.length}`)], one)
      assert.deepEqual(unknown.statuses, [417])
      const silent = await exchange(
        app.url,
        [rawRequest('CreateUserPool', '', ['Content-Length: 23', 'Expect: 100-continue'])],
        one,
      )
      assert.deepEqual(silent.statuses, [100])
      for (const upgrade of ['websocket', 'h2c']) {
        const upgraded = ask().replace(
          'Host: localhost',
          `Host: localhost\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}`,
        )
        const { statuses } = await exchange(app.url, [upgraded], one)
        assert.deepEqual(statuses, [200])
      }
    })
  })

  test('a thousand requests on one connection are answered in order', async () => {
    const requests = Array.from({ length: 1_000 }, (_, index) =>
      index % 2 === 0 ? ask() : create().replace('CreateUserPool', 'Nothing'),
    )
    await assertUnharmed(app, async () => {
      const { statuses } = await exchange(app.url, [requests.join('')], { answers: 1_000, quietMs: 10_000 })
      assert.equal(statuses.length, 1_000)
      assert.ok(statuses.every((status, index) => status === (index % 2 === 0 ? 200 : 400)))
    })
  })

  test('half-sent requests and silent connections hold nobody up', async () => {
    const { port, hostname } = new URL(app.url)
    const sockets: Socket[] = []
    await assertUnharmed(app, async () => {
      try {
        for (let index = 0; index < 400; index++) {
          const socket = connect(Number(port), hostname)
          socket.on('error', () => {})
          sockets.push(socket)
          await new Promise(resolve => socket.once('connect', resolve))
          if (index % 4 === 1) socket.write('POST / HTTP/1.1\r\nHost: a\r\nX-')
          if (index % 4 === 2) socket.write(create('Content-Length: 1000'))
          if (index % 4 === 3)
            socket.write(rawRequest('CreateUserPool', '17\r\n{"PoolName"', ['Transfer-Encoding: chunked']))
        }
        const times: number[] = []
        for (let index = 0; index < 50; index++) {
          const start = performance.now()
          assert.equal((await wire.call('DescribeUserPool', { UserPoolId: poolId })).status, 200)
          times.push(performance.now() - start)
        }
        const median = times.sort((a, b) => a - b)[25] ?? 0
        assert.ok(median < 50, `${median} ms`)
      } finally {
        for (const socket of sockets) socket.destroy()
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    })
  })

  test('a request that comes slowly is answered when it is there, and one that is cut off is not carried out', async () => {
    const slow = ask()
    const pieces = [...slow].flatMap((character, index) => (index % 40 === 0 ? [5, character] : [character]))
    assert.deepEqual((await exchange(app.url, pieces, one)).statuses, [200])
    await assertUnharmed(app, async () => {
      const request = create()
      for (const length of [10, request.length - body.length, request.length - 1]) {
        const { statuses } = await exchange(app.url, [request.slice(0, length)], { quietMs: 100 })
        assert.deepEqual(statuses, [])
      }
    })
  })

  test('a signature that is no signature is refused with a 4xx wherever one is due', async () => {
    const names = Object.entries(operations).filter(([, { auth }]) => auth === 'sigv4')
    assert.equal(names.length, 105)
    await assertUnharmed(app, async () => {
      for (const authorization of [
        '',
        'AWS4-HMAC-SHA256',
        'AWS4-HMAC-SHA256 ',
        'AWS4-HMAC-SHA256 =',
        'AWS AKID:c2ln',
        'Basic YTpi',
        'Bearer a.b.c',
        `${signatureForm}, `.repeat(400),
        'AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00',
        signatureForm.replace('cognito-idp', 's3'),
        signatureForm.replace('us-east-1', '__proto__'),
        signatureForm.replace('us-east-1', '../etc'),
        signatureForm.replace('local', 'a/b'),
        '__proto__=1',
      ]) {
        const { status, type } = await wire.call('CreateUserPool', body, { authorization })
        assert.ok(status === 400 || status === 431, `${authorization.slice(0, 60)}: ${status}`)
        assert.match(type, /^(IncompleteSignature|InvalidSignature|MissingAuthenticationToken)Exception$|^$/)
      }
    })
  })
})
