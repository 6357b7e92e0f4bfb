import assert from 'node:assert/strict'
import { before, beforeEach, test } from 'node:test'
import { openTestApp, seconds, type TestApp } from '../../test/support/app.ts'
import { basic, createOAuthClient, createOAuthPool, type OAuthClient, postForm } from '../../test/support/oauth.ts'
import { pagePath } from '../../test/support/pages.ts'
import { parseNetworks } from '../core/network-addresses.ts'

const app: TestApp = await openTestApp('sqlite', {
  settings: {
    rateLimits: { DomainAddress: 4, DomainClient: 6, Domain: 9, ClientAuthentication: 5 },
    trustedProxies: parseNetworks(['127.0.0.0/8']),
  },
})
let client: OAuthClient
let other: OAuthClient
before(async () => {
  client = await createOAuthPool(app, { GenerateSecret: true })
  other = await createOAuthClient(app, client.poolId)
})
/** Each test begins with full buckets, and with addresses of its own. */
beforeEach(() => app.advance(seconds(60)))
test.after(() => app.close())

let addresses = 0
const fresh = (): string => {
  addresses += 1
  return `2001:db8:${addresses.toString(16)}::1`
}
const open = (path: string, address = fresh()) =>
  fetch(`${app.url}${path}`, { redirect: 'manual', headers: { 'x-forwarded-for': address } })
const login = (of = client, address?: string) => open(pagePath(of), address)
const token = (of = client, address = fresh()) =>
  postForm(
    `${app.url}/oauth2/token`,
    { grant_type: 'refresh_token', refresh_token: 'x', ...(of.clientSecret === '' && { client_id: of.clientId }) },
    { 'x-forwarded-for': address, ...(of.clientSecret !== '' && { authorization: basic(of) }) },
  )
/** How many of the requests, one after the other, were not refused for their rate. */
const taken = async (tries: number, ask: () => Promise<{ status: number; headers: Headers }>): Promise<number> => {
  let count = 0
  for (let index = 0; index < tries; index += 1) {
    const { status, headers } = await ask()
    if (status === 429) assert.equal(headers.get('retry-after'), '1')
    else count += 1
  }
  return count
}

test('an address may ask so many times a second, pages and endpoints together', async () => {
  const address = fresh()
  assert.equal(await taken(2, () => login(client, address)), 2)
  assert.equal(await taken(4, () => token(client, address)), 2)
  assert.equal((await login(client, address)).status, 429)
  assert.equal((await login()).status, 200)
  app.advance(seconds(1))
  assert.equal(await taken(6, () => login(client, address)), 4)
})

test('an app client may be asked for so many times a second, from wherever, and the domain with all its clients', async () => {
  assert.equal(await taken(4, () => login()), 4)
  assert.equal(await taken(4, () => token()), 2)
  assert.equal(await taken(3, () => open(pagePath(client, '/oauth2/authorize'))), 0)
  assert.equal(await taken(5, () => login(other)), 3)
  const elsewhere = await createOAuthPool(app)
  assert.equal(await taken(2, () => login(elsewhere)), 2)
})

test('what is no part of a domain is not counted there', async () => {
  const address = fresh()
  const paths = [
    '/health',
    '/ready',
    `/${client.poolId}/.well-known/jwks.json`,
    '/pages/favicon/x.svg',
    '/_cenote/messages',
  ]
  for (const path of paths) assert.equal(await taken(6, () => open(path, address)), 6, path)
})

test('tokens that clients get for themselves count where GetClientToken counts', async () => {
  await app.aws.createResourceServer({
    UserPoolId: client.poolId,
    Identifier: 'api',
    Name: 'api',
    Scopes: [{ ScopeName: 'read', ScopeDescription: 'read' }],
  })
  const machine = await createOAuthClient(app, client.poolId, {
    GenerateSecret: true,
    AllowedOAuthFlows: ['client_credentials'],
    AllowedOAuthScopes: ['api/read'],
  })
  const ask = () =>
    postForm(
      `${app.url}/oauth2/token`,
      { grant_type: 'client_credentials' },
      { 'x-forwarded-for': fresh(), authorization: basic(machine) },
    )
  assert.equal(await taken(6, ask), 5)
})
