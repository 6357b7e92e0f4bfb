import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { openTestApp, type TestApp } from '../../test/support/app.ts'
import { browserOf, createOAuthClient, type OAuthClient, postForm, visit } from '../../test/support/oauth.ts'
import { createPagePool, formBrowser } from '../../test/support/pages.ts'
import { email } from '../../test/support/pools.ts'
import { registeredTargets, strangeTargets } from '../../test/support/redirect-targets.ts'
import { createUser, password } from '../../test/support/sign-in.ts'
import { oauthExtensions } from '../core/oauth-extensions.ts'

const [callback] = registeredTargets
const bye = 'https://app.example/bye'

/** Everything that a browser can be sent to. */
const paths = [
  '/oauth2/authorize',
  '/authorize',
  '/login',
  '/signup',
  '/confirm',
  '/resendcode',
  '/forgotPassword',
  '/confirmforgotPassword',
  '/resetpassword',
  '/mfa',
  '/mfaoption',
  '/mfasetup',
  '/passkey',
  '/passkeys/add',
  '/device',
  '/confirmUser',
  '/error',
  '/eventFeedback',
  '/logout',
  '/oauth2/idpresponse',
  '/saml2/idpresponse',
  '/saml2/logout',
]

/** Parameters of this server and of others that hold addresses, or whose values come back in some answer. */
const parameters = [
  'redirect_uri',
  'logout_uri',
  'post_logout_redirect_uri',
  'RelayState',
  'SAMLRequest',
  'SAMLResponse',
  'state',
  'nonce',
  'lang',
  'ui_locales',
  'login_hint',
  'id_token_hint',
  'request',
  'request_uri',
  'registration',
  'resource',
  'target_link_uri',
  'client_id',
  'response_type',
  'response_mode',
  'identity_provider',
  'idp_identifier',
  'iss',
  'code',
  'error',
  'user_code',
  'user_name',
  '_step',
  '_add_passkey',
  'next',
  'url',
  'continue',
  'returnTo',
]

const lure = '//evil.example'
const lures = [lure, 'https://app.example@evil.example/\r\nLocation: //evil.example']
/** The others have one lure only. */
const isAddress = /ur[il]$|^RelayState$|^next$|^continue$|^returnTo$|^state$/

const app: TestApp = await openTestApp('sqlite', {
  settings: { oauthExtensions: Object.keys(oauthExtensions) as (keyof typeof oauthExtensions)[] },
})
let client: OAuthClient
let cookie: string

before(async () => {
  const { poolId } = await createPagePool(app)
  client = await createOAuthClient(app, poolId, {
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    CallbackURLs: [...registeredTargets],
    LogoutURLs: [bye],
  })
  await createUser(app, poolId, 'ann', [email('ann@example.com')])
  cookie = await browserOf(app, client, 'ann')
})
test.after(() => app.close())

const own = new Set(paths.map(path => path.toLowerCase()))

/** A path of this server, or a registered address with nothing but a query or fragment after it. */
const assertHome = (location: string | null, what: string): void => {
  if (location === null) return
  const [target = ''] = location.split(/[?#]/, 1)
  const isHome = own.has(target.toLowerCase()) || [...registeredTargets, bye].includes(target)
  assert.ok(isHome, `${what} leads to ${location}`)
}

/** Where a session of the browser leads further. */
const takesSession = /authorize$|^\/login$|^\/passkeys|^\/device$|^\/logout$/

/** Looks at where the request leads and at what its page links to; returns where it leads. */
const assertLeadsHome = async (path: string, fields: Record<string, string>, how: string): Promise<string | null> => {
  const what = `${path} ${how}`
  const headers = takesSession.test(path) ? { cookie } : {}
  const answer = await visit(`${app.url}${path}?${new URLSearchParams(fields)}`, headers as Record<string, string>)
  assertHome(answer.location, what)
  assert.equal(answer.headers.get('refresh'), null, what)
  assert.doesNotMatch(answer.body, /http-equiv|<base\b/i, what)
  for (const [, address = ''] of answer.body.matchAll(/ (?:href|src|action)="(.*?)"/g)) {
    assert.match(address, /^(?:\/(?![/\\])|\?|#)/, `${what} has a link to ${address}`)
  }
  return answer.location
}

const usual = () => ({ client_id: client.clientId, response_type: 'code', redirect_uri: callback })

test('no parameter of any page leads anywhere but to the server itself and to registered addresses', async () => {
  const ends = new Set<string>()
  for (const path of paths) {
    for (const name of parameters) {
      for (const value of isAddress.test(name) ? lures : [lure]) {
        const location = await assertLeadsHome(path, { ...usual(), [name]: value }, `with ${name} ${value}`)
        if (location !== null) ends.add(location.split('?', 1)[0] ?? '')
      }
    }
  }
  // There are redirects to look at.
  for (const end of [callback, '/login']) assert.ok(ends.has(end), end)
})

test('none of the strange spellings of a registered address is led to, wherever an address is read', async () => {
  assert.ok(strangeTargets.length >= 60)
  const places: [path: string, name: string][] = [
    ...['/signup', '/forgotPassword', '/passkeys/add', '/mfa', '/logout'].map((path): [string, string] => [
      path,
      'redirect_uri',
    ]),
    ['/logout', 'logout_uri'],
    ['/logout', 'post_logout_redirect_uri'],
    ['/logout', 'RelayState'],
  ]
  for (const [path, name] of places) {
    for (const target of strangeTargets) {
      const fields: Record<string, string> = { ...usual(), [name]: target }
      if (path === '/logout' && name !== 'redirect_uri' && name !== 'RelayState') delete fields['redirect_uri']
      const { location } = await visit(`${app.url}${path}?${new URLSearchParams(fields)}`)
      if (name === 'RelayState') assertHome(location, `${path} with ${name} ${target}`)
      else assert.equal(location, null, `${path} with ${name} ${target}`)
    }
  }
})

test('forms lead home as well, whatever stands in their address or in hidden fields of a stranger', async () => {
  for (const name of parameters.filter(parameter => !(parameter in usual()))) {
    const browser = formBrowser(app)
    const page = await browser.open(`/login?${new URLSearchParams({ ...usual(), [name]: lure })}`)
    // An application is told at once of what it may not ask for.
    if (page.location !== undefined) assertHome(page.location, `/login with ${name}`)
    if (page.forms.length === 0) continue
    const end = await browser.submit(page, {
      username: 'ann',
      password,
      redirect_uri: lure,
      RelayState: lure,
      next: lure,
    })
    assertHome(end.location ?? null, `the form of /login with ${name}`)
  }
  const posted = await fetch(`${app.url}/logout`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ client_id: client.clientId, logout_uri: '//evil.example' }),
  })
  assertHome(posted.headers.get('location'), 'POST /logout')
})

test('what identity providers post leads home as well, whatever it says of the way back', async () => {
  const message = Buffer.from('<Response/>').toString('base64')
  for (const target of [...strangeTargets, ...lures]) {
    const begun = new URLSearchParams({ ...usual(), redirect_uri: target }).toString()
    for (const path of ['/saml2/idpresponse', '/saml2/logout', '/oauth2/idpresponse']) {
      for (const RelayState of [target, begun]) {
        const body = new URLSearchParams({
          SAMLResponse: message,
          RelayState,
          state: RelayState,
          error: 'access_denied',
        })
        const { headers } = await fetch(`${app.url}${path}`, { method: 'POST', redirect: 'manual', body })
        assert.equal(headers.get('location'), null, `${path} with ${RelayState}`)
      }
    }
  }
})

test('answers to programs redirect nobody', async () => {
  for (const path of ['token', 'userInfo', 'revoke', 'introspect', 'par', 'device_authorization', 'register']) {
    for (const name of parameters) {
      const { headers } = await postForm(`${app.url}/oauth2/${path}`, { ...usual(), [name]: '//evil.example' })
      assert.equal(headers.get('location'), null, `${path} with ${name}`)
    }
  }
})

test('paths that look like other hosts are not answered with a way there', async () => {
  for (const path of [
    '//evil.example',
    '//evil.example/login',
    '/%2f%2fevil.example',
    '/login//evil.example',
    '/login/',
    '/\\evil.example/',
  ]) {
    const { location } = await visit(`${app.url}${path}?${new URLSearchParams(usual())}`)
    assertHome(location, path)
  }
})
