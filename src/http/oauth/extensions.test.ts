import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  answerIn,
  authorizeUrl,
  basic,
  browserOf,
  callback,
  codeFor,
  contextOfTest,
  createOAuthClient,
  createOAuthPool,
  errorOf,
  type Fields,
  type OAuthClient,
  pkce,
  postForm,
  redeem,
  requestTokens,
  visit,
} from '../../../test/support/oauth.ts'
import { formBrowser } from '../../../test/support/pages.ts'
import { claimsOf, createUser, password } from '../../../test/support/sign-in.ts'
import { type OAuthExtension, oauthExtensions } from '../../core/oauth-extensions.ts'
import { decideDeviceGrant, findDeviceGrant } from '../../features/authorization/device-grants.ts'
import { findBrowserSession } from '../../features/authorization/single-sign-on.ts'

const all = Object.keys(oauthExtensions) as OAuthExtension[]
const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  let cookie: string
  before(async () => {
    app = await testApp({ settings: { oauthExtensions: all } })
    client = await createOAuthPool(app, { GenerateSecret: true })
    await createUser(app, client.poolId, 'ann')
    cookie = await browserOf(app, client, 'ann')
  })
  const post = (path: string, fields: Fields, as: OAuthClient = client) =>
    postForm(
      `${app.url}/oauth2/${path}`,
      as.clientSecret === '' ? { client_id: as.clientId, ...fields } : fields,
      as.clientSecret === '' ? {} : { authorization: basic(as) },
    )

  // ------------------------------------------------------------------------------------------ introspection

  test('a client with a secret learns what a token of its pool stands for', async () => {
    const { json } = await redeem(
      app,
      client,
      await codeFor(app, client, cookie, { scope: 'openid', resource: 'https://api.example/' }),
    )
    const claims = claimsOf(String(json['access_token']))
    const expected = {
      active: true,
      scope: 'openid',
      client_id: client.clientId,
      username: 'ann',
      token_type: 'Bearer',
      exp: claims['exp'],
      iat: claims['iat'],
      sub: claims['sub'],
      aud: 'https://api.example/',
      iss: `${app.url}/${client.poolId}`,
      jti: claims['jti'],
      auth_time: claims['auth_time'],
    }
    const api = await createOAuthClient(app, client.poolId, { GenerateSecret: true })
    for (const who of [client, api])
      assert.deepEqual((await post('introspect', { token: String(json['access_token']) }, who)).json, expected)
    const refresh = await post('introspect', { token: String(json['refresh_token']) })
    assert.deepEqual(
      [refresh.json['active'], refresh.json['username'], refresh.json['token_type']],
      [true, 'ann', undefined],
    )
    // The refresh token of another client is nothing to this one.
    assert.deepEqual((await post('introspect', { token: String(json['refresh_token']) }, api)).json, { active: false })
    await app.aws.revokeToken({
      ClientId: client.clientId,
      ClientSecret: client.clientSecret,
      Token: String(json['refresh_token']),
    })
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
      assert.deepEqual((await post('introspect', { token: String(json[name]) })).json, { active: false })
    }
  })

  test('of tokens that are not in force and of other pools nothing is said, and strangers are told nothing', async () => {
    const foreign = await createOAuthPool(app, { GenerateSecret: true })
    await createUser(app, foreign.poolId, 'ann')
    const { json } = await redeem(app, client, await codeFor(app, client, cookie))
    const token = String(json['access_token'])
    assert.deepEqual((await post('introspect', { token }, foreign)).json, { active: false })
    assert.deepEqual((await post('introspect', { token: 'x' })).json, { active: false })
    const open = await createOAuthClient(app, client.poolId)
    assert.deepEqual(errorOf(await post('introspect', { token }, open)), { status: 401, error: 'invalid_client' })
    assert.equal((await post('introspect', { token }, { ...client, clientSecret: 'x' })).status, 401)
    assert.deepEqual(errorOf(await post('introspect', {})), { status: 400, error: 'invalid_request' })
    const answer = await fetch(`${app.url}/oauth2/introspect`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil' },
    })
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  })

  // ------------------------------------------------------------------------------------------ pushed requests

  const usual = { response_type: 'code', redirect_uri: callback, scope: 'openid', state: 's' }
  const pushedUrl = (request_uri: string, of = client) =>
    `${app.url}/oauth2/authorize?${new URLSearchParams({ client_id: of.clientId, request_uri })}`

  test('a pushed request counts in the place of the address, once', async () => {
    const { verifier, challenge } = pkce()
    const pushed = await post('par', { ...usual, code_challenge: challenge, code_challenge_method: 'S256' })
    assert.deepEqual([pushed.status, pushed.json['expires_in']], [201, 600])
    const uri = String(pushed.json['request_uri'])
    assert.match(uri, /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/)
    const url = `${pushedUrl(uri)}&${new URLSearchParams({ scope: 'openid email', redirect_uri: 'https://evil/', state: 'other' })}`
    // Looking at the sign-in page does not use it up.
    assert.match((await visit(url)).location ?? '', /^\/login\?/)
    const { location } = await visit(url, { cookie })
    assert.ok(location?.startsWith(`${callback}?code=`))
    assert.equal(answerIn(location).get('state'), 's')
    const { json } = await redeem(app, client, answerIn(location).get('code') ?? '', { code_verifier: verifier })
    assert.equal(claimsOf(String(json['access_token']))['scope'], 'openid')
    const again = await visit(url, { cookie })
    assert.deepEqual([again.status, again.location], [400, null])
  })

  test('of many who answer a pushed request at once one gets a code', async () => {
    const { json } = await post('par', usual)
    const url = pushedUrl(String(json['request_uri']))
    const answers = await Promise.all(Array.from({ length: 12 }, () => visit(url, { cookie })))
    assert.equal(answers.filter(({ location }) => location !== null).length, 1)
  })

  test('a request is checked when it is pushed, and a reference is of no use to others or later', async () => {
    for (const [fields, error] of [
      [{ redirect_uri: 'https://evil/' }, 'invalid_request'],
      [{ scope: 'nonsense' }, 'invalid_scope'],
      [{ response_type: 'none' }, 'invalid_request'],
      [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
      [{ request: 'x' }, 'request_not_supported'],
    ] as const) {
      const { status, json } = await post('par', { ...usual, ...fields })
      assert.deepEqual([status, json['error']], [400, error])
    }
    assert.equal((await post('par', usual, { ...client, clientSecret: 'x' })).status, 401)
    const { json } = await post('par', usual)
    const uri = String(json['request_uri'])
    const other = await createOAuthClient(app, client.poolId)
    for (const wrong of [pushedUrl(uri, other), pushedUrl(`${uri}x`), pushedUrl(uri.slice(0, -1))]) {
      const { status, location } = await visit(wrong, { cookie })
      assert.deepEqual([status, location], [400, null])
    }
    app.advance(minutes(10))
    assert.equal((await visit(pushedUrl(uri), { cookie })).location, null)
  })

  // ------------------------------------------------------------------------------------------ devices

  const begin = async (fields: Fields = {}) => (await post('device_authorization', { scope: 'openid', ...fields })).json
  const poll = (json: Record<string, unknown>, as = client) =>
    requestTokens(app, as, { grant_type: deviceGrantType, device_code: String(json['device_code']) })
  const decide = async (userCode: string, decision: 'allow' | 'deny') => {
    const ctx = contextOfTest(app)
    const grant = await findDeviceGrant(ctx, userCode)
    if (grant === undefined) return undefined
    const session = await findBrowserSession(ctx, grant.pool, grant.client, await browserOf(app, client, 'ann'))
    assert.ok(session !== undefined)
    return decideDeviceGrant(ctx, grant, session, decision)
  }
  const error = (name: string) => ({ status: 400, error: name })

  test('a device gets tokens when its user has entered the code and allowed it', async () => {
    const device = await begin()
    assert.match(String(device['user_code']), /^[B-Z]{4}-[B-Z]{4}$/)
    assert.deepEqual([device['expires_in'], device['interval']], [600, 5])
    assert.equal(device['verification_uri_complete'], `${device['verification_uri']}?user_code=${device['user_code']}`)
    assert.deepEqual(errorOf(await poll(device)), error('authorization_pending'))
    assert.deepEqual(errorOf(await poll(device)), error('slow_down'))
    app.advance(seconds(9))
    assert.deepEqual(errorOf(await poll(device)), error('slow_down'))
    app.advance(seconds(15))
    assert.deepEqual(errorOf(await poll(device)), error('authorization_pending'))
    assert.equal(await decide(String(device['user_code']).toLowerCase().replace('-', ' '), 'allow'), true)
    const answers = await Promise.all(Array.from({ length: 8 }, () => poll(device)))
    const [won, ...more] = answers.filter(({ status }) => status === 200)
    assert.equal(more.length, 0)
    assert.equal(claimsOf(String(won?.json['id_token']))['cognito:username'], 'ann')
    assert.deepEqual(errorOf(await poll(device)), error('invalid_grant'))
    assert.equal(await decide(String(device['user_code']), 'allow'), undefined)
  })

  test('a device is refused when its user says no, when time is up, and when it is another one', async () => {
    const denied = await begin()
    assert.equal(await decide(String(denied['user_code']), 'deny'), true)
    assert.deepEqual(errorOf(await poll(denied)), error('access_denied'))
    const late = await begin()
    app.advance(minutes(10))
    assert.equal(await decide(String(late['user_code']), 'allow'), undefined)
    assert.deepEqual(errorOf(await poll(late)), error('expired_token'))
    const other = await createOAuthClient(app, client.poolId, { GenerateSecret: true })
    const own = await begin()
    await decide(String(own['user_code']), 'allow')
    assert.deepEqual(errorOf(await poll(own, other)), error('invalid_grant'))
    assert.deepEqual(errorOf(await poll({ device_code: 'x'.repeat(43) })), error('invalid_grant'))
    assert.deepEqual(errorOf(await poll({ device_code: 'x' })), error('invalid_request'))
    assert.equal((await poll(own)).status, 200)
    assert.deepEqual(errorOf(await post('device_authorization', { scope: 'nonsense' })), error('invalid_scope'))
    const implicit = await createOAuthClient(app, client.poolId, { AllowedOAuthFlows: ['implicit'] })
    assert.deepEqual(errorOf(await post('device_authorization', {}, implicit)), error('unauthorized_client'))
  })

  test('what ends the sessions of the user ends what he has allowed', async () => {
    await createUser(app, client.poolId, 'ben')
    const device = await begin()
    const ctx = contextOfTest(app)
    const grant = await findDeviceGrant(ctx, String(device['user_code']))
    assert.ok(grant !== undefined)
    const session = await findBrowserSession(ctx, grant.pool, grant.client, await browserOf(app, client, 'ben'))
    assert.ok(session !== undefined)
    await decideDeviceGrant(ctx, grant, session, 'allow')
    await app.aws.adminUserGlobalSignOut({ UserPoolId: client.poolId, Username: 'ben' })
    assert.deepEqual(errorOf(await poll(device)), error('invalid_grant'))
  })
})

test('codes of devices cannot be tried at will', async () => {
  await using app = await openTestApp('sqlite', { settings: { oauthExtensions: all } })
  const client = await createOAuthPool(app)
  const { json } = await postForm(`${app.url}/oauth2/device_authorization`, { client_id: client.clientId })
  const ctx = contextOfTest(app)
  for (let guess = 0; guess < 100; guess += 1) assert.equal(await findDeviceGrant(ctx, 'BCDF-GHJK'), undefined)
  assert.equal(await findDeviceGrant(ctx, String(json['user_code'])), undefined)
  const elsewhere = await findDeviceGrant({ ...ctx, sourceIp: '192.0.2.1' }, String(json['user_code']))
  assert.equal(elsewhere?.client.id, client.clientId)
})

test('the user of a device enters its code, signs in and decides on the pages', async () => {
  await using app = await openTestApp('sqlite', { settings: { oauthExtensions: all } })
  const client = await createOAuthPool(app, { ClientName: 'Television' })
  await createUser(app, client.poolId, 'ann')
  const begin = async () =>
    (await postForm(`${app.url}/oauth2/device_authorization`, { client_id: client.clientId, scope: 'openid' })).json
  const poll = (device: Record<string, unknown>) =>
    requestTokens(app, client, { grant_type: deviceGrantType, device_code: String(device['device_code']) })
  const browser = formBrowser(app)
  const wrong = await browser.open('/device?user_code=BCDF-GHJK')
  assert.deepEqual([wrong.status, wrong.errors['user_code']], [400, 'The code is not valid or has expired.'])
  assert.equal((await browser.open('/device')).heading, 'Connect a device')

  const first = await begin()
  const complete = new URL(String(first['verification_uri_complete']))
  const login = await browser.open(complete.pathname + complete.search)
  const asked = await browser.submit(login, { username: 'ann', password })
  assert.match(asked.body, /Television/)
  assert.ok(asked.body.includes(String(first['user_code'])))
  assert.deepEqual(errorOf(await poll(first)), { status: 400, error: 'authorization_pending' })
  // Only a form of the page decides.
  await browser.post(asked.url, { decision: 'allow' }, { 'sec-fetch-site': 'cross-site' })
  app.advance(seconds(5))
  assert.deepEqual(errorOf(await poll(first)), { status: 400, error: 'authorization_pending' })
  assert.match((await browser.submit(asked, { decision: 'allow' })).body, /Your device is connected/)
  assert.equal((await poll(first)).status, 200)

  // Signed in already, the user is asked all the same.
  const second = await begin()
  const again = await browser.open(`/device?user_code=${String(second['user_code']).toLowerCase()}`)
  assert.equal(again.heading, 'Connect a device')
  assert.match((await browser.submit(again, { decision: 'deny' })).body, /The device was not let in/)
  assert.deepEqual(errorOf(await poll(second)), { status: 400, error: 'access_denied' })
})

test('what is switched off is not there', async () => {
  await using app = await openTestApp('sqlite', { settings: { oauthExtensions: [] } })
  const client = await createOAuthPool(app, { GenerateSecret: true })
  const authorization = basic(client)
  for (const path of ['introspect', 'par', 'device_authorization']) {
    assert.equal((await postForm(`${app.url}/oauth2/${path}`, { token: 'x' }, { authorization })).status, 404)
  }
  const { status, location } = await visit(`${app.url}/device`)
  assert.deepEqual([status, location], [400, null])
  const poll = { grant_type: deviceGrantType, device_code: 'x'.repeat(43) }
  assert.deepEqual(errorOf(await requestTokens(app, client, poll)), { status: 400, error: 'unsupported_grant_type' })
  const pushed = authorizeUrl(app, client, { request_uri: 'urn:ietf:params:oauth:request_uri:x' })
  assert.equal((await visit(pushed)).location, `${callback}?error=request_uri_not_supported`)
})
