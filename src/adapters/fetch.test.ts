import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { after, afterEach, describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { loopbackNetworks, noNetworks, parseNetworks } from '../core/network-addresses.ts'
import { FetchFailure, type FetchFailureReason, type FetchRequest } from '../core/ports.ts'
import { makeSigningCertificate } from '../features/user-pools/certificate.ts'
import { guardedFetch, type LookupAll } from './fetch.ts'

const open: (Server | TcpServer)[] = []
const closeAll = async () => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}
afterEach(closeAll)

const listen = async (server: Server | TcpServer, host = '127.0.0.1'): Promise<number> => {
  open.push(server)
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

/** A server on loopback; its base URL without a final slash. */
const serve = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(listener))}`

const loopback = parseNetworks(loopbackNetworks)
const fetchLocal = guardedFetch({ networks: loopback })
const purpose: FetchRequest = { purpose: 'test' }

const failsWith = (reason: FetchFailureReason) => (error: unknown) => {
  assert.ok(error instanceof FetchFailure, `not a FetchFailure: ${String(error)}`)
  assert.equal(error.reason, reason, error.message)
  return true
}

/** A resolver with a fixed answer for each name, or one answer after the other. */
const names =
  (table: Record<string, string[] | string[][]>, asked: string[] = []): LookupAll =>
  (hostname, _options, callback) => {
    asked.push(hostname)
    const entry = table[hostname] ?? []
    const nth = asked.filter(name => name === hostname).length - 1
    const addresses = Array.isArray(entry[0])
      ? ((entry as string[][])[Math.min(nth, entry.length - 1)] ?? [])
      : (entry as string[])
    setImmediate(() => {
      if (addresses.length === 0) callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), [])
      else
        callback(
          null,
          addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
        )
    })
  }

describe('an exchange', () => {
  test('returns status, headers and body, and sends method, headers and body', async () => {
    const seen: { method?: string; url?: string; type?: string; agent?: string; body: string }[] = []
    const base = await serve((request, response) => {
      let body = ''
      request.on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        const { method = '', url = '' } = request
        seen.push({
          method,
          url,
          type: request.headers['content-type'] ?? '',
          agent: request.headers['user-agent'] ?? '',
          body,
        })
        response.writeHead(418, { 'X-Thing': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('short and stout')
      })
    })
    const answer = await fetchLocal(`${base}/pot?size=2#lid`, {
      ...purpose,
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: 'tip me over',
    })
    assert.equal(answer.status, 418)
    assert.equal(answer.headers['x-thing'], 'yes')
    assert.equal(answer.headers['set-cookie'], 'a=1, b=2')
    assert.equal(answer.body.toString(), 'short and stout')
    assert.match(seen[0]?.agent ?? '', /^Cenote\//)
    assert.deepEqual(
      { ...seen[0], agent: '' },
      { method: 'POST', url: '/pot?size=2', type: 'text/plain', agent: '', body: 'tip me over' },
    )
  })

  test('reaches a host by name, and by any of its addresses that is allowed', async () => {
    const base = await serve((_request, response) => response.end('here'))
    const fetch = guardedFetch({ networks: loopback, lookup: names({ 'idp.test': ['10.0.0.1', '127.0.0.1'] }) })
    const answer = await fetch(base.replace('127.0.0.1', 'idp.test'), purpose)
    assert.equal(answer.body.toString(), 'here')
  })

  test('speaks https, and refuses a certificate that nobody vouches for or that names another host', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const der = makeSigningCertificate(
      { id: 'idp.test' },
      { kid: 'test', privateKey, publicKey, publicJwk: {}, createdAt: Date.now() - 86_400_000 },
      Date.now(),
    )
    const cert = `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' })
    const port = await listen(createTlsServer({ cert, key }, (_request, response) => response.end('sealed')))
    const lookup = names({ 'idp.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] })
    const fetch = guardedFetch({ networks: loopback, lookup })
    await assert.rejects(fetch(`https://idp.test:${port}/`, purpose), failsWith('unreachable'))
    const before = getCACertificates('default')
    after(() => setDefaultCACertificates(before))
    setDefaultCACertificates([...before, cert])
    const answer = await fetch(`https://idp.test:${port}/`, purpose)
    assert.equal(answer.body.toString(), 'sealed')
    await assert.rejects(fetch(`https://other.test:${port}/`, purpose), failsWith('unreachable'))
  })

  test('goes through no proxy that the environment names', async () => {
    const base = await serve((_request, response) => response.end('direct'))
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:9'
    process.env['http_proxy'] = 'http://127.0.0.1:9'
    try {
      assert.equal((await fetchLocal(base, purpose)).body.toString(), 'direct')
    } finally {
      delete process.env['HTTP_PROXY']
      delete process.env['http_proxy']
    }
  })
})

describe('what is not called', () => {
  const refused: [string, FetchFailureReason][] = [
    ['not a url', 'url'],
    ['file:///etc/passwd', 'url'],
    ['gopher://example.com/', 'url'],
    ['ftp://example.com/', 'url'],
    ['unix:/var/run/docker.sock', 'url'],
    ['http+unix://%2Fvar%2Frun%2Fdocker.sock/', 'url'],
    ['data:text/plain,hello', 'url'],
    ['https://user:secret@example.com/', 'url'],
    ['http://93.184.216.34/', 'url'],
    ['https://127.0.0.1/', 'private-address'],
    ['http://127.0.0.1/', 'private-address'],
    ['https://2130706433/', 'private-address'],
    ['https://0177.0.0.1/', 'private-address'],
    ['https://0x7f.1/', 'private-address'],
    ['https://127.1/', 'private-address'],
    ['https://169.254.169.254/latest/meta-data/', 'private-address'],
    ['https://100.100.100.200/', 'private-address'],
    ['https://10.0.0.1/', 'private-address'],
    ['https://[::1]/', 'private-address'],
    ['https://[fe80::1]/', 'private-address'],
    ['https://[fd00:ec2::254]/', 'private-address'],
    ['https://0.0.0.0/', 'reserved-address'],
    ['https://0/', 'reserved-address'],
    ['https://[::]/', 'reserved-address'],
    ['https://[::ffff:127.0.0.1]/', 'reserved-address'],
    ['https://[64:ff9b::7f00:1]/', 'reserved-address'],
    ['https://[2002:7f00:1::]/', 'reserved-address'],
    ['https://224.0.0.1/', 'reserved-address'],
  ]
  const asked: string[] = []
  const fetch = guardedFetch({ networks: noNetworks, lookup: names({}, asked) })
  for (const [url, reason] of refused) {
    test(`${url}`, async () => {
      await assert.rejects(fetch(url, purpose), failsWith(reason))
      assert.deepEqual(asked, [])
    })
  }

  const hosts: [string, string[], FetchFailureReason][] = [
    ['a name of a private address', ['10.1.2.3'], 'private-address'],
    ['a name of a loopback address', ['127.0.0.1', '::1'], 'private-address'],
    ['a name of a mapped address', ['::ffff:127.0.0.1'], 'reserved-address'],
    ['a name without an address', [], 'unreachable'],
  ]
  for (const [what, addresses, reason] of hosts) {
    test(what, async () => {
      const lookup = names({ 'idp.test': addresses })
      await assert.rejects(
        guardedFetch({ networks: noNetworks, lookup })('https://idp.test/', purpose),
        failsWith(reason),
      )
    })
  }

  test('localhost, with and without a final dot, unless loopback is allowed', async () => {
    const port = await listen(createServer((_request, response) => response.end('home')))
    for (const host of ['localhost', 'localhost.', 'LOCALHOST']) {
      const guarded = guardedFetch({ networks: noNetworks })
      await assert.rejects(guarded(`http://${host}:${port}/`, purpose), failsWith('private-address'))
      assert.equal((await fetchLocal(`http://${host}:${port}/`, purpose)).body.toString(), 'home')
    }
  })

  test('an address that the name gets after it was looked up before', async () => {
    let hits = 0
    const port = await listen(createServer((_request, response) => response.end(String(hits++))))
    const lookup = names({ 'rebind.test': [['127.0.0.2'], ['127.0.0.1']] })
    const fetch = guardedFetch({ networks: parseNetworks(['127.0.0.2']), lookup })
    await assert.rejects(fetch(`http://rebind.test:${port}/`, purpose), failsWith('unreachable'))
    await assert.rejects(fetch(`http://rebind.test:${port}/`, purpose), failsWith('private-address'))
    assert.equal(hits, 0)
  })

  test('http, except on hosts and networks of the list', async () => {
    const port = await listen(createServer((_request, response) => response.end('plain')))
    const lookup = names({ 'idp.internal': ['127.0.0.1'], 'public.test': ['93.184.216.34'] })
    const byHost = guardedFetch({ networks: parseNetworks(['idp.internal']), lookup })
    assert.equal((await byHost(`http://idp.internal:${port}/`, purpose)).body.toString(), 'plain')
    await assert.rejects(byHost(`http://127.0.0.1:${port}/`, purpose), failsWith('private-address'))
    await assert.rejects(byHost('http://public.test/', purpose), failsWith('url'))
    const byNetwork = guardedFetch({ networks: loopback, lookup })
    assert.equal((await byNetwork(`http://idp.internal:${port}/`, purpose)).body.toString(), 'plain')
  })
})

describe('redirects', () => {
  test('are followed three times, with the headers that belong to the origin', async () => {
    const seen: string[] = []
    const base = await serve((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`)
      const step = Number(request.url?.slice(1))
      if (step === 3) response.end('arrived')
      else response.writeHead(302, { location: `/${step + 1}` }).end()
    })
    const answer = await fetchLocal(`${base}/0`, { ...purpose, headers: { Authorization: 'Bearer x' } })
    assert.equal(answer.body.toString(), 'arrived')
    assert.deepEqual(seen, ['/0 Bearer x', '/1 Bearer x', '/2 Bearer x', '/3 Bearer x'])
    seen.length = 0
    await assert.rejects(fetchLocal(`${base}/-1`, purpose), failsWith('redirect'))
    assert.equal(seen.length, 4)
  })

  test('leave credentials behind when they lead to another origin', async () => {
    let seen: string | undefined = 'nothing'
    const other = await serve((request, response) => {
      seen = request.headers.authorization
      response.end(request.headers.accept)
    })
    const base = await serve((_request, response) => response.writeHead(307, { location: other }).end())
    const answer = await fetchLocal(base, { ...purpose, headers: { authorization: 'Bearer x', Accept: 'text/xml' } })
    assert.equal(answer.body.toString(), 'text/xml')
    assert.equal(seen, undefined)
  })

  for (const location of ['https://169.254.169.254/', 'https://[::ffff:127.0.0.1]/', 'https://10.0.0.1/']) {
    test(`to ${location} are not followed`, async () => {
      const base = await serve((_request, response) => response.writeHead(302, { location }).end())
      await assert.rejects(fetchLocal(base, purpose), (error: unknown) => {
        assert.ok(error instanceof FetchFailure)
        assert.match(error.reason, /^(private|reserved)-address$/)
        return true
      })
    })
  }

  for (const location of ['file:///etc/passwd', 'gopher://127.0.0.1/', 'http://user:pass@127.0.0.1/']) {
    test(`to ${location} are not followed`, async () => {
      const base = await serve((_request, response) => response.writeHead(301, { location }).end())
      await assert.rejects(fetchLocal(base, purpose), failsWith('url'))
    })
  }

  test('of a POST, and with redirectsMax 0, are returned', async () => {
    let hits = 0
    const base = await serve((_request, response) => {
      hits += 1
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    assert.equal((await fetchLocal(base, { ...purpose, method: 'POST', body: 'x' })).status, 302)
    assert.equal((await fetchLocal(base, { ...purpose, redirectsMax: 0 })).status, 302)
    assert.equal(hits, 2)
  })

  test('from https never lead to http', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const der = makeSigningCertificate(
      { id: 'secure.test' },
      { kid: 'test', privateKey, publicKey, publicJwk: {}, createdAt: Date.now() - 86_400_000 },
      Date.now(),
    )
    const cert = `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
    let hits = 0
    const plain = await serve((_request, response) => response.end(String(hits++)))
    const port = await listen(
      createTlsServer({ cert, key: privateKey.export({ format: 'pem', type: 'pkcs8' }) }, (_request, response) =>
        response.writeHead(302, { location: plain }).end(),
      ),
    )
    const before = getCACertificates('default')
    after(() => setDefaultCACertificates(before))
    setDefaultCACertificates([...before, cert])
    const fetch = guardedFetch({ networks: loopback, lookup: names({ 'secure.test': ['127.0.0.1'] }) })
    await assert.rejects(fetch(`https://secure.test:${port}/`, purpose), failsWith('redirect'))
    assert.equal(hits, 0)
  })
})

describe('limits', () => {
  test('a body of the largest size is taken, one byte more is not, declared or not', async () => {
    const base = await serve((request, response) => {
      const [, size = '0', declared] = (request.url ?? '').split('/')
      if (declared !== undefined) response.setHeader('content-length', size)
      response.end(Buffer.alloc(Number(size), 'x'))
    })
    assert.equal((await fetchLocal(`${base}/1000`, { ...purpose, bytesMax: 1_000 })).body.length, 1_000)
    assert.equal((await fetchLocal(`${base}/1000/declared`, { ...purpose, bytesMax: 1_000 })).body.length, 1_000)
    await assert.rejects(fetchLocal(`${base}/1001`, { ...purpose, bytesMax: 1_000 }), failsWith('too-large'))
    await assert.rejects(fetchLocal(`${base}/1001/declared`, { ...purpose, bytesMax: 1_000 }), failsWith('too-large'))
    assert.equal((await fetchLocal(`${base}/1048576`, purpose)).body.length, 1_048_576)
    await assert.rejects(fetchLocal(`${base}/1048577`, purpose), failsWith('too-large'))
  })

  test('an endless body is cut off', async () => {
    let closed = false
    const base = await serve((_request, response) => {
      response.on('close', () => {
        closed = true
      })
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    await assert.rejects(fetchLocal(base, purpose), failsWith('too-large'))
    while (!closed) await new Promise(resolve => setImmediate(resolve))
  })

  test('a server that says nothing, one that drips and one that never ends its headers run out of time', async () => {
    const silent = await serve(() => {})
    const dripping = await serve((_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const raw = createTcpServer(socket => {
      socket.on('error', () => {}).resume()
      socket.write('HTTP/1.1 200 OK\r\nx-endless: ')
      const timer = setInterval(() => socket.write('x'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    const headers = `http://127.0.0.1:${await listen(raw)}`
    for (const url of [silent, dripping, headers]) {
      const startedAt = performance.now()
      await assert.rejects(fetchLocal(url, { ...purpose, timeoutMs: 150 }), failsWith('timeout'))
      assert.ok(performance.now() - startedAt < 2_000)
    }
  })

  test('a look-up that does not end runs out of time', async () => {
    const fetch = guardedFetch({ networks: loopback, lookup: () => {} })
    const alive = setInterval(() => {}, 1_000)
    await assert.rejects(fetch('https://idp.test/', { ...purpose, timeoutMs: 100 }), failsWith('timeout'))
    clearInterval(alive)
  })

  test('a compressed, a torn and a malformed answer are none', async () => {
    const gzip = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'))
    const torn = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('half')
      setTimeout(() => response.destroy(), 20)
    })
    const raw = createTcpServer(socket => {
      socket.on('error', () => {}).resume()
      socket.end('SSH-2.0-OpenSSH_9.9\r\n')
    })
    for (const url of [gzip, torn, `http://127.0.0.1:${await listen(raw)}`]) {
      await assert.rejects(fetchLocal(url, purpose), failsWith('unreachable'))
    }
  })

  test('nobody listening and headers that would split the request are failures', async () => {
    const port = await listen(createServer())
    await closeAll()
    await assert.rejects(fetchLocal(`http://127.0.0.1:${port}/`, purpose), failsWith('unreachable'))
    const headers = { 'x-a': 'b\r\nx-c: d' }
    await assert.rejects(fetchLocal(`http://127.0.0.1:${port}/`, { ...purpose, headers }), failsWith('unreachable'))
  })
})
