import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { days, onEachDatabase, openTestApp, type TestApp } from '../../../test/support/app.ts'
import {
  authorizeUrl,
  browserOf,
  callback,
  codeFor,
  createOAuthClient,
  createOAuthPool,
  type Fields,
  type OAuthClient,
  redeem,
  visit,
} from '../../../test/support/oauth.ts'
import { createUser } from '../../../test/support/sign-in.ts'

const bye = 'https://app.example/bye'

const logoutUrl = (app: TestApp, fields: Fields) =>
  `${app.url}/logout?${new URLSearchParams(Object.entries(fields).filter((it): it is [string, string] => it[1] !== undefined))}`

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(app)
    for (const name of ['ann', 'ben']) await createUser(app, client.poolId, name)
  })
  const logout = (fields: Fields, cookie = '') =>
    visit(logoutUrl(app, { client_id: client.clientId, ...fields }), cookie === '' ? {} : { cookie })
  const isSignedIn = async (cookie: string, of = client) =>
    (await visit(authorizeUrl(app, of), { cookie })).location?.startsWith(`${callback}?code=`) === true
  const signedIn = async (username = 'ann') => {
    const cookie = await browserOf(app, client, username)
    assert.equal(await isSignedIn(cookie), true)
    return cookie
  }
  const idTokenOf = async (cookie: string, of = client) =>
    String((await redeem(app, of, await codeFor(app, of, cookie))).json['id_token'])

  test('signing out ends the session of the browser, removes its cookie and leads to the sign-out URL', async () => {
    const cookie = await signedIn()
    const other = await signedIn()
    const { status, location, headers } = await logout({ logout_uri: bye, state: 's', extra: '1' }, cookie)
    assert.deepEqual([status, location], [302, bye])
    const set = headers.get('set-cookie') ?? ''
    assert.match(set, /^cognito-\w+=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/)
    assert.equal(await isSignedIn(cookie), false)
    // The session of another browser is another session.
    assert.equal(await isSignedIn(other), true)
    assert.equal((await logout({ logout_uri: bye })).location, bye)
  })

  test('tokens outlive the session of the browser', async () => {
    const cookie = await signedIn()
    const { json } = await redeem(app, client, await codeFor(app, client, cookie))
    await logout({ logout_uri: bye }, cookie)
    await app.aws.getUser({ AccessToken: String(json['access_token']) })
  })

  test('nobody is led to a sign-out URL that is not registered to the letter', async () => {
    const other = await createOAuthClient(app, client.poolId, { LogoutURLs: ['https://other.example/bye'] })
    for (const logout_uri of [
      'https://app.example/bye/',
      'https://app.example/BYE',
      'https://app.example/bye?x',
      'https://app.example/bye#x',
      'https://app.example/bye\u0000',
      'https://app.example/bye\r\nx: y',
      'https://app.example/../bye',
      'https://app.example%2fbye',
      'https://app.example@evil/bye',
      'https://app.example.evil/bye',
      'http://app.example/bye',
      '//app.example/bye',
      '//evil',
      '/\\evil',
      '\\\\evil',
      '/login',
      'javascript:alert(1)',
      'data:text/html,x',
      callback,
      'https://other.example/bye',
      '',
    ]) {
      for (const parameter of ['logout_uri', 'post_logout_redirect_uri']) {
        const { status, location, body } = await logout({ [parameter]: logout_uri, redirect_uri: undefined })
        assert.equal(location, null, logout_uri)
        if (logout_uri !== '') {
          assert.equal(status, 400)
          assert.match(body, /Required String parameter .+redirect_uri.+ is not present/)
        }
      }
    }
    assert.equal(
      (await visit(logoutUrl(app, { client_id: other.clientId, logout_uri: 'https://other.example/bye' }))).location,
      'https://other.example/bye',
    )
  })

  test('without a client that exists nothing ends', async () => {
    const cookie = await signedIn()
    for (const [fields, text] of [
      [{ client_id: undefined, logout_uri: bye }, /client_id/],
      [{ client_id: 'nobody', logout_uri: bye }, /Client does not exist/],
    ] as const) {
      const { status, location, body } = await logout(fields, cookie)
      assert.deepEqual([status, location], [400, null])
      assert.match(body, text)
    }
    const repeated = await visit(
      `${logoutUrl(app, { client_id: client.clientId, logout_uri: bye })}&logout_uri=${bye}`,
      { cookie },
    )
    assert.deepEqual([repeated.status, repeated.location], [400, null])
    assert.equal(await isSignedIn(cookie), true)
  })

  test('with a redirect URI it leads on to the sign-in page, with all scopes unless some are named', async () => {
    const cookie = await signedIn()
    const fields = { redirect_uri: callback, response_type: 'code', state: 's', identity_provider: 'Google' }
    const { location } = await logout(fields, cookie)
    const url = new URL(location ?? '', app.url)
    assert.equal(url.pathname, '/login')
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      client_id: client.clientId,
      redirect_uri: callback,
      response_type: 'code',
      state: 's',
      scope: 'openid email phone profile aws.cognito.signin.user.admin',
    })
    assert.equal(await isSignedIn(cookie), false)
    const some = await logout({ ...fields, scope: 'openid' })
    assert.equal(new URL(some.location ?? '', app.url).searchParams.get('scope'), 'openid')
    const wrong = await logout({ redirect_uri: 'https://evil/', response_type: 'code' })
    assert.deepEqual([wrong.status, wrong.location], [400, null])
    assert.equal((await logout({ ...fields, logout_uri: bye })).location, bye)
  })

  test('the standard form leads to the registered URL with the state, for an ID token however old', async () => {
    const cookie = await signedIn()
    const id_token_hint = await idTokenOf(cookie)
    app.advance(days(2))
    const later = await signedIn()
    const fields = { client_id: undefined, id_token_hint, post_logout_redirect_uri: bye, state: 'a b' }
    assert.equal((await logout(fields, later)).location, `${bye}?state=a+b`)
    assert.equal(await isSignedIn(later), false)
    assert.equal((await logout({ post_logout_redirect_uri: bye })).location, bye)
    const { status, location, body } = await logout({})
    assert.deepEqual([status, location], [200, null])
    assert.match(body, /You are signed out/)
  })

  test('the standard form by POST goes on by GET, so that the cookie comes with it', async () => {
    const body = new URLSearchParams({ client_id: client.clientId, post_logout_redirect_uri: bye, state: 's' })
    const answer = await fetch(`${app.url}/logout`, { method: 'POST', body, redirect: 'manual' })
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, `/logout?${body}`])
  })

  test('a hint of another user, client or server ends nothing', async () => {
    const cookie = await signedIn()
    const ben = await idTokenOf(await signedIn('ben'))
    const second = await createOAuthClient(app, client.poolId)
    const ofSecond = await idTokenOf(cookie, second)
    const { json } = await redeem(app, client, await codeFor(app, client, cookie))
    const own = String(json['id_token'])
    for (const id_token_hint of [
      ben,
      ofSecond,
      String(json['access_token']),
      String(json['refresh_token']),
      `${own.slice(0, -4)}AAAA`,
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${own.split('.')[1]}.`,
      'x',
    ]) {
      const { status, location } = await logout({ id_token_hint, post_logout_redirect_uri: bye }, cookie)
      assert.deepEqual([status, location], [400, null])
      assert.equal(await isSignedIn(cookie), true)
    }
    assert.equal((await logout({ id_token_hint: own, post_logout_redirect_uri: bye }, cookie)).location, bye)
  })
})

test('where the standard form is switched off it ends on an error page, after the session as in the service', async () => {
  await using app = await openTestApp('sqlite', { settings: { oauthExtensions: [] } })
  const client = await createOAuthPool(app)
  await createUser(app, client.poolId, 'ann')
  const cookie = await browserOf(app, client, 'ann')
  const url = logoutUrl(app, { client_id: client.clientId, post_logout_redirect_uri: bye, id_token_hint: 'x' })
  const { status, location, body } = await visit(url, { cookie })
  assert.deepEqual([status, location], [400, null])
  assert.match(body, /Required String parameter .+redirect_uri.+ is not present/)
  assert.match((await visit(authorizeUrl(app, client), { cookie })).location ?? '', /^\/login/)
})
