import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { openTestApp, type TestApp } from '../../../test/support/app.ts'
import { authorizeUrl, basic, createOAuthPool, type OAuthClient } from '../../../test/support/oauth.ts'
import { pagePath } from '../../../test/support/pages.ts'

const app: TestApp = await openTestApp('sqlite', {
  publicUrl: 'https://id.example.com',
  settings: { oauthExtensions: ['introspection', 'pushed-requests', 'device-grant', 'end-session'] },
})
let client: OAuthClient
before(async () => {
  client = await createOAuthPool(app, { GenerateSecret: true })
})
test.after(() => app.close())

interface Sent {
  what: string
  path: string
  init?: RequestInit
}

const post = (path: string, body: Record<string, string> = {}, headers = {}): Sent => ({
  what: `POST ${path}`,
  path,
  init: { method: 'POST', body: new URLSearchParams(body), headers: { authorization: basic(client), ...headers } },
})
const get = (path: string): Sent => ({ what: `GET ${path}`, path })
const answerOf = ({ path, init = {} }: Sent, headers: Record<string, string> = {}) =>
  fetch(`${app.url}${path}`, { redirect: 'manual', ...init, headers: { ...init.headers, ...headers } })

/** Open to scripts of every origin. */
const open = () => [
  post('/oauth2/token', { grant_type: 'refresh_token', refresh_token: 'x' }),
  get('/oauth2/token'),
  post('/oauth2/revoke', { token: 'x' }),
  get('/oauth2/userInfo'),
]
/** For servers and for browsers, and no scripts. */
const closed = () => [
  post('/oauth2/introspect', { token: 'x' }),
  post('/oauth2/par', { response_type: 'code', redirect_uri: 'https://app.example/callback' }),
  post('/oauth2/device_authorization'),
  get(authorizeUrl(app, client).slice(app.url.length)),
  get(authorizeUrl(app, client, { redirect_uri: 'https://evil.example' }).slice(app.url.length)),
  get(`/logout?client_id=${client.clientId}&logout_uri=https://app.example/bye`),
  get('/oauth2/idpresponse?state=x'),
  get(pagePath(client)),
]

test('no answer is kept, framed, guessed at, or asked for without encryption', async () => {
  for (const sent of [...open(), ...closed()]) {
    const { headers } = await answerOf(sent)
    assert.deepEqual(
      Object.fromEntries(
        [
          'cache-control',
          'x-content-type-options',
          'x-frame-options',
          'referrer-policy',
          'strict-transport-security',
          'cross-origin-resource-policy',
        ].map(name => [name, headers.get(name)]),
      ),
      {
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=31536000',
        'cross-origin-resource-policy': 'same-origin',
      },
      sent.what,
    )
  }
})

test('no origin is told that it may send cookies, and only what scripts call is open to them', async () => {
  for (const origin of ['https://evil.example', 'null']) {
    for (const sent of open()) {
      const { headers } = await answerOf(sent, { origin })
      assert.equal(headers.get('access-control-allow-origin'), '*', sent.what)
      assert.equal(headers.get('access-control-allow-credentials'), null, sent.what)
    }
    for (const sent of closed()) {
      const { headers } = await answerOf(sent, { origin })
      assert.equal(headers.get('access-control-allow-origin'), null, sent.what)
      assert.equal(headers.get('access-control-allow-credentials'), null, sent.what)
    }
  }
})
