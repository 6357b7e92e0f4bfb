import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  answerIn,
  authorizeUrl,
  browserOf,
  callback,
  createOAuthClient,
  createOAuthPool,
  type Fields,
  type OAuthClient,
  pkce,
  visit,
} from '../../../test/support/oauth.ts'
import { createClient } from '../../../test/support/pools.ts'
import { registeredTargets, strangeTargets } from '../../../test/support/redirect-targets.ts'
import { createUser } from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(app)
  })

  /** Where the application is led, with what it is told. */
  const refusal = async (fields: Fields, of = client) => {
    const { status, location } = await visit(authorizeUrl(app, of, fields))
    assert.equal(status, 302)
    return location
  }
  /** A page for the user, who is led nowhere. */
  const shown = async (url: string, text: string | RegExp, cookie?: string) => {
    const { status, location, body, headers } = await visit(url, cookie === undefined ? {} : { cookie })
    assert.deepEqual({ status, location }, { status: 400, location: null }, url)
    assert.match(body, typeof text === 'string' ? new RegExp(text.replace(/[.']/g, '.+')) : text)
    assert.equal(headers.get('access-control-allow-origin'), null)
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
  }

  test('nobody is led to a redirect URI that is not registered to the letter, not even with a session', async () => {
    const strict = await createOAuthClient(app, client.poolId, {
      CallbackURLs: [...registeredTargets],
    })
    await createUser(app, client.poolId, 'mallory')
    const cookie = await browserOf(app, strict, 'mallory')
    for (const redirect_uri of strangeTargets) {
      await shown(authorizeUrl(app, strict, { redirect_uri }), 'redirect_mismatch', cookie)
      // The page that shows the form would lead there as well.
      const login = authorizeUrl(app, strict, { redirect_uri }).replace('/oauth2/authorize?', '/login?')
      assert.deepEqual((await visit(login, { cookie })).location, null)
    }
    for (const redirect_uri of registeredTargets) {
      const { location } = await visit(authorizeUrl(app, strict, { redirect_uri }), { cookie })
      assert.ok(location?.startsWith(`${redirect_uri}?code=`), redirect_uri)
    }
  })

  test('what is wrong with client or redirect URI is shown first, and never told to anybody else', async () => {
    const url = (fields: Fields) => authorizeUrl(app, client, fields)
    await shown(
      url({ client_id: undefined, redirect_uri: 'https://evil/' }),
      "String parameter 'client_id' is not present",
    )
    await shown(url({ client_id: '' }), "parameter 'client_id' is not present")
    await shown(url({ client_id: 'nobody', response_type: 'x' }), 'Client does not exist.')
    await shown(url({ client_id: `a'"<script>` }), 'Client does not exist.')
    await shown(url({ client_id: 'x'.repeat(5_000) }), 'Client does not exist.')
    await shown(`${url({})}&client_id=${client.clientId}`, "client_id' must not be repeated")
    await shown(`${url({})}&redirect_uri=${encodeURIComponent(callback)}`, "redirect_uri' must not be repeated")
    const two = await createOAuthClient(app, client.poolId, { CallbackURLs: [callback, 'https://app.example/b'] })
    const without = authorizeUrl(app, two, { redirect_uri: undefined })
    await shown(without, "parameter 'redirect_uri' is not present")
    await shown(`${without}&redirect_uri[]=${encodeURIComponent(callback)}`, "parameter 'redirect_uri' is not present")
    await shown(url({ identity_provider: 'Nobody' }), 'Login option is not available. Please try another one')
    await shown(url({ idp_identifier: 'nobody' }), 'Login option is not available. Please try another one')
    await shown(url({ idp_identifier: 'x\u0000y' }), 'Login option is not available. Please try another one')
  })

  test('a client with one provider may leave the redirect URI out', async () => {
    await createUser(app, client.poolId, 'ben')
    const cookie = await browserOf(app, client, 'ben')
    const { location } = await visit(authorizeUrl(app, client, { redirect_uri: undefined }), { cookie })
    assert.ok(location?.startsWith(`${callback}?code=`))
    const withDefault = await createOAuthClient(app, client.poolId, {
      CallbackURLs: [callback, 'https://app.example/default'],
      DefaultRedirectURI: 'https://app.example/default',
    })
    const answer = await visit(authorizeUrl(app, withDefault, { redirect_uri: undefined }), { cookie })
    assert.ok(answer.location?.startsWith('https://app.example/default?code='))
  })

  test('a client that is not enabled for OAuth is told so, in the words and the order of the service', async () => {
    const off = await createOAuthClient(app, client.poolId, { AllowedOAuthFlowsUserPoolClient: false })
    assert.equal(
      await refusal({ state: 's', response_type: 'nonsense' }, off),
      `${callback}?error_description=Client+is+not+enabled+for+OAuth2.0+flows+&state=s&error=invalid_request`,
    )
    const noProvider = await createClient(app, client.poolId, {
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid'],
      CallbackURLs: [callback],
    })
    await shown(authorizeUrl(app, { clientId: noProvider }), 'Login option is not available')
  })

  test('everything else that is wrong is told to the application with its state', async () => {
    const { challenge } = pkce()
    const codeOnly = await createOAuthClient(app, client.poolId, { AllowedOAuthFlows: ['code'] })
    const told = async (fields: Fields, error: string, of?: OAuthClient) => {
      const location = await refusal({ state: 's', ...fields }, of)
      assert.equal(location?.replace(callback, ''), `?state=s&error=${error}`, JSON.stringify(fields))
    }
    for (const response_type of [
      undefined,
      '',
      'id_token',
      'none',
      'code token',
      'token code',
      'CODE',
      'code id_token',
    ]) {
      await told({ response_type }, 'invalid_request')
    }
    for (const scope of ['nonsense', 'openid nonsense', 'offline_access', 'api/read', 'OPENID', 'openid\u0000']) {
      await told({ scope }, 'invalid_scope')
    }
    const short = challenge.slice(1)
    for (const fields of [
      { code_challenge: challenge },
      { code_challenge_method: 'S256' },
      { code_challenge: challenge, code_challenge_method: 'plain' },
      { code_challenge: challenge, code_challenge_method: 's256' },
      { code_challenge: short, code_challenge_method: 'S256' },
      { code_challenge: `${challenge}a`, code_challenge_method: 'S256' },
      { code_challenge: `${short}+`, code_challenge_method: 'S256' },
      { code_challenge: `${short}=`, code_challenge_method: 'S256' },
    ]) {
      await told(fields, 'invalid_request')
    }
    for (const resource of [
      'api',
      'http://api.example/',
      'https://api.example/#x',
      'javascript://x',
      'https://a b/',
      'data://x',
    ]) {
      await told({ resource }, 'invalid_request')
    }
    for (const prompt of ['none login', 'none none login']) await told({ prompt }, 'invalid_request')
    for (const max_age of ['-1', 'x', '1.5', '9999999999']) await told({ max_age }, 'invalid_request')
    await told({ nonce: 'n'.repeat(3_000) }, 'invalid_request')
    await told({ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported')
    await told({ request_uri: 'http://127.0.0.1:1/request' }, 'request_uri_not_supported')
    await told({ registration: '{}' }, 'registration_not_supported')
    assert.equal(
      await refusal({ response_type: 'token', state: 's' }, codeOnly),
      `${callback}#state=s&error=unauthorized_client`,
    )
    const repeated = await visit(`${authorizeUrl(app, client, { state: 's' })}&scope=openid&scope=email`)
    assert.equal(repeated.location, `${callback}?state=s&error=invalid_request`)
    // Which of two states would be meant?
    const states = await visit(`${authorizeUrl(app, client, { state: 's' })}&state=t`)
    assert.equal(states.location, `${callback}?error=invalid_request`)
  })

  test('parameters without effect do no harm', async () => {
    const url = authorizeUrl(app, client, {
      claims: '{"id_token":{"email":{"essential":true}}}',
      display: 'popup',
      ui_locales: 'de',
      id_token_hint: 'x',
      response_mode: 'form_post',
      userContextData: 'x',
      audience: 'https://evil/',
    })
    assert.equal((await visit(url)).location, `/login${new URL(url).search}`)
  })

  test('a state comes back byte for byte and splits no header', async () => {
    await createUser(app, client.poolId, 'cleo')
    const cookie = await browserOf(app, client, 'cleo')
    for (const state of [
      'a b+c',
      'x%2By&z=1',
      '%Xk',
      'é💥"><svg onload=alert(1)>',
      '\r\nset-cookie: a=b\r\n\r\n<html>',
      's'.repeat(10_000),
      '#fragment?query',
    ]) {
      const { location, headers } = await visit(authorizeUrl(app, client, { state }), { cookie })
      assert.equal(answerIn(location).get('state'), state)
      assert.equal(headers.get('set-cookie'), null)
    }
    const { location } = await visit(authorizeUrl(app, client), { cookie })
    assert.deepEqual([...answerIn(location).keys()], ['code'])
  })

  test('a callback with a query keeps it, and the answer follows', async () => {
    const CallbackURLs = ['https://app.example/cb?tenant=1&x=%2F', 'https://app.example/cb?']
    const odd = await createOAuthClient(app, client.poolId, { CallbackURLs })
    await createUser(app, client.poolId, 'dora')
    const cookie = await browserOf(app, odd, 'dora')
    for (const [redirect_uri, beginning] of [
      ['https://app.example/cb?tenant=1&x=%2F', 'https://app.example/cb?tenant=1&x=%2F&code='],
      ['https://app.example/cb?', 'https://app.example/cb?code='],
    ] as const) {
      const { location } = await visit(authorizeUrl(app, odd, { redirect_uri }), { cookie })
      assert.ok(location?.startsWith(beginning), location ?? '')
    }
  })

  test('only GET begins an authorization, and the older path does as well', async () => {
    const url = authorizeUrl(app, client)
    for (const method of ['POST', 'PUT', 'HEAD', 'DELETE']) {
      const { status, headers } = await fetch(url, { method, redirect: 'manual' })
      assert.deepEqual([status, headers.get('allow')], [405, 'GET'])
    }
    assert.equal((await visit(url.replace('/oauth2/authorize', '/authorize'))).location, `/login${new URL(url).search}`)
  })
})
