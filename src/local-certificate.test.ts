import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect, createServer, type TlsOptions } from 'node:tls'
import { localTls, makeServerCertificate } from './local-certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'cenote-tls-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const dayMs = 86_400_000
const now = Date.now()
const authority = (dir = folder): string => readFileSync(join(dir, 'tls-ca.pem'), 'utf8')

/** The certificate with which a server of these options meets a client that trusts the authority. */
const meet = async (options: TlsOptions, servername: string, ca: string): Promise<X509Certificate> => {
  const server = createServer(options, socket => socket.end())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo
      const name = /^[\d.]+$/.test(servername) ? {} : { servername }
      const socket = connect({ host: '127.0.0.1', port, ca, ...name }, () => {
        resolve(socket.getPeerX509Certificate() ?? assert.fail('no certificate'))
        socket.destroy()
      })
      socket.once('error', reject)
    })
  } finally {
    server.close()
  }
}

test('a client that trusts the authority takes the server for localhost, for loopback and for each name below localhost', async () => {
  const options = localTls(folder, [], () => now)
  for (const name of ['localhost', '127.0.0.1', 'demo.localhost', 'another-one.localhost', 'DEMO.localhost']) {
    const certificate = await meet(options, name, authority())
    assert.ok(certificate.validToDate.getTime() - certificate.validFromDate.getTime() < 398 * dayMs, name)
    assert.equal(certificate.ca, false)
  }
  await assert.rejects(meet(options, 'example.com', authority()), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  await assert.rejects(meet(options, 'a.b.localhost', authority()), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const other = mkdtempSync(join(folder, 'other-'))
  localTls(other, [], () => now)
  await assert.rejects(meet(options, 'localhost', authority(other)))
})

test('the authority is kept, for its owner alone, and made anew near its end, for other names, and when it is broken', async () => {
  const dir = mkdtempSync(join(folder, 'kept-'))
  const at = (time: number, hosts: string[] = []) => {
    localTls(dir, hosts, () => time)
    return authority(dir)
  }
  const first = at(now)
  for (const file of ['tls-ca.pem', 'tls-ca-key.pem']) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600)
  assert.equal(at(now + 365 * dayMs), first)
  const named = at(now, ['id.example.test', '192.0.2.7', '2001:db8::7'])
  assert.notEqual(named, first)
  assert.equal(at(now, ['id.example.test', '192.0.2.7', '2001:db8::7']), named)
  const renewed = at(now + 3_400 * dayMs, ['id.example.test', '192.0.2.7', '2001:db8::7'])
  assert.notEqual(renewed, named)
  writeFileSync(join(dir, 'tls-ca-key.pem'), 'broken')
  assert.notEqual(at(now), renewed)
  const options = localTls(dir, ['id.example.test'], () => now)
  await meet(options, 'id.example.test', authority(dir))
})

test('the authority cannot vouch for other names', async () => {
  const dir = mkdtempSync(join(folder, 'limited-'))
  const limited = localTls(dir, [], () => now)
  assert.ok(new X509Certificate(authority(dir)).ca)
  const key = createPrivateKey(readFileSync(join(dir, 'tls-ca-key.pem'), 'utf8'))
  const forged = makeServerCertificate({ cert: authority(dir), key }, ['bank.example'], now)
  await assert.rejects(meet({ ...forged }, 'bank.example', authority(dir)), {
    message: 'permitted subtree violation',
  })
  await meet(limited, 'localhost', authority(dir))
})

test('a folder that cannot be made is told', () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  assert.throws(() => localTls(join(file, 'data'), [], () => now), { code: 'ENOTDIR' })
})
