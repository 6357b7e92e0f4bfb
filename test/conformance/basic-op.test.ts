/**
 * The plan `oidcc-basic-certification-test-plan` of the OpenID conformance suite, module by module, for a client that is
 * registered by hand. Where Cognito differs from the standard and we follow it, the test says so; docs/oauth.md lists all
 * of these places.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openPlan, type Plan } from '../support/conformance.ts'
import { answerIn, basic, callback, pkce, postForm, redeem, requestTokens } from '../support/oauth.ts'
import { pagePath } from '../support/pages.ts'
import { password } from '../support/sign-in.ts'

describe('oidcc-basic-certification-test-plan', () => {
  let plan: Plan
  before(async () => {
    plan = await openPlan()
  })
  after(() => plan[Symbol.asyncDispose]())

  const userInfo = async (token: unknown, init: RequestInit = {}) => {
    const answer = await fetch(String(plan.discovery['userinfo_endpoint']), {
      headers: { authorization: `Bearer ${token}` },
      ...init,
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const flow = async (fields = {}) => {
    const answer = await plan.authorize(plan.browser(), fields)
    const tokens = await plan.tokens(answer)
    return { answer, tokens, claims: await plan.idClaims(tokens) }
  }

  test('oidcc-server: the whole flow, with state and nonce', async () => {
    const { answer, tokens, claims } = await flow({ state: 'st', nonce: 'no' })
    assert.equal(answer.get('state'), 'st')
    assert.equal(claims['nonce'], 'no')
    assert.match(String(tokens.json['token_type']), /^bearer$/i)
    assert.equal(tokens.headers.get('cache-control'), 'no-store')
  })

  test('oidcc-response-type-missing: an error, told to the application', async () => {
    const { location } = await plan.open(plan.browser(), { response_type: undefined })
    assert.equal(answerIn(location ?? null).get('error'), 'invalid_request')
  })

  test('oidcc-userinfo-get, -post-header, -post-body: the same subject as the ID token', async () => {
    const { tokens, claims } = await flow()
    const token = String(tokens.json['access_token'])
    const body = new URLSearchParams({ access_token: token })
    for (const init of [{}, { method: 'POST' }, { method: 'POST', headers: {}, body }]) {
      assert.equal((await userInfo(token, init)).json['sub'], claims.sub)
    }
  })

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    assert.equal((await flow()).claims['nonce'], undefined)
  })

  test('oidcc-scope-profile, -email, -phone, -all: the claims that the scopes ask for, in UserInfo', async () => {
    for (const [scope, expected] of [
      ['openid profile', ['locale', 'name']],
      ['openid email', ['email', 'email_verified']],
      ['openid phone', ['phone_number']],
      ['openid profile email phone', ['email', 'email_verified', 'locale', 'name', 'phone_number']],
    ] as const) {
      const { tokens } = await flow({ scope })
      const { json } = await userInfo(tokens.json['access_token'])
      const claims = Object.keys(json).filter(name => name !== 'sub' && name !== 'username')
      assert.deepEqual(claims.sort(), [...expected], scope)
    }
  })

  test('oidcc-scope-email: flags are texts in UserInfo, as in Cognito, and booleans in the ID token', async () => {
    const { tokens, claims } = await flow({ scope: 'openid email' })
    assert.equal((await userInfo(tokens.json['access_token'])).json['email_verified'], 'true')
    assert.equal(claims['email_verified'], true)
  })

  test('oidcc-scope-address: there is no such scope in Cognito', async () => {
    const { location } = await plan.open(plan.browser(), { scope: 'openid address' })
    assert.equal(answerIn(location ?? null).get('error'), 'invalid_scope')
  })

  test('oidcc-ensure-other-scope-order-succeeds', async () => {
    await flow({ scope: 'email openid' })
  })

  test('oidcc-display-page, -popup, ui-locales, claims-locales, login-hint and unknown parameters do no harm', async () => {
    for (const fields of [
      { display: 'page' },
      { display: 'popup' },
      { ui_locales: 'se' },
      { claims_locales: 'se' },
      { login_hint: 'ann@example.com' },
      { extra: 'foobar' },
    ]) {
      await flow(fields)
    }
  })

  test('oidcc-prompt-login: a second sign-in, at a later time', async () => {
    const browser = plan.browser()
    const first = await plan.idClaims(await plan.tokens(await plan.authorize(browser)))
    plan.app.advance(2_000)
    assert.equal((await plan.open(browser, { prompt: 'login' })).location, undefined)
    const second = await plan.idClaims(await plan.tokens(await plan.authorize(browser, { prompt: 'login' })))
    assert.ok(Number(second['auth_time']) > Number(first['auth_time']))
  })

  test('oidcc-prompt-none-not-logged-in: login_required', async () => {
    const { location } = await plan.open(plan.browser(), { prompt: 'none', state: 'st' })
    assert.deepEqual(Object.fromEntries(answerIn(location ?? null)), { state: 'st', error: 'login_required' })
  })

  test('oidcc-prompt-none-logged-in and id-token-hint: the same user and time of sign-in', async () => {
    const browser = plan.browser()
    const tokens = await plan.tokens(await plan.authorize(browser))
    const first = await plan.idClaims(tokens)
    const fields = { prompt: 'none', id_token_hint: String(tokens.json['id_token']) }
    const { location } = await plan.open(browser, fields)
    const second = await plan.idClaims(await plan.tokens(answerIn(location ?? null)))
    assert.deepEqual([second.sub, second['auth_time']], [first.sub, first['auth_time']])
  })

  test('oidcc-max-age-1: another sign-in when the last one is older', async () => {
    const browser = plan.browser()
    const first = await plan.idClaims(await plan.tokens(await plan.authorize(browser)))
    plan.app.advance(2_000)
    assert.equal((await plan.open(browser, { max_age: '1' })).location, undefined)
    const second = await plan.idClaims(await plan.tokens(await plan.authorize(browser, { max_age: '1' })))
    assert.ok(Number(second['auth_time']) > Number(first['auth_time']))
  })

  test('oidcc-max-age-10000: no other sign-in, and auth_time tells when the last one was', async () => {
    const browser = plan.browser()
    const first = await plan.idClaims(await plan.tokens(await plan.authorize(browser)))
    const { location } = await plan.open(browser, { max_age: '10000' })
    const second = await plan.idClaims(await plan.tokens(answerIn(location ?? null)))
    assert.equal(second['auth_time'], first['auth_time'])
  })

  test('oidcc-ensure-request-with-acr-values-succeeds: the ID token says how the user signed in', async () => {
    const { claims } = await flow({ acr_values: 'urn:cognito:loa:1 urn:unknown' })
    assert.equal(claims['acr'], 'urn:cognito:loa:1')
  })

  test('oidcc-codereuse and -codereuse-30seconds: a code is good once, and its tokens are taken back', async () => {
    for (const ms of [0, 30_000]) {
      const answer = await plan.authorize(plan.browser())
      const { json } = await plan.tokens(answer)
      plan.app.advance(ms)
      const again = await plan.tokens(answer)
      assert.deepEqual([again.status, again.json['error']], [400, 'invalid_grant'])
      assert.equal((await userInfo(json['access_token'])).status, 401)
    }
  })

  test('oidcc-ensure-registered-redirect-uri: an error page', async () => {
    const { status, location } = await plan.open(plan.browser(), { redirect_uri: `${callback}/unregistered` })
    assert.deepEqual([status, location], [400, undefined])
  })

  test('oidcc-ensure-post-request-succeeds: Cognito takes GET only, and so do we', async () => {
    const body = new URLSearchParams({ client_id: plan.client.clientId, response_type: 'code' })
    const { status } = await fetch(`${plan.app.url}/oauth2/authorize`, { method: 'POST', body })
    assert.equal(status, 405)
  })

  test('oidcc-server-client-secret-post, and client_secret_basic', async () => {
    const { clientId, clientSecret } = plan.client
    const exchange = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
      const code = (await plan.authorize(plan.browser())).get('code') ?? ''
      const usual = { grant_type: 'authorization_code', code, redirect_uri: callback }
      return (await postForm(String(plan.discovery['token_endpoint']), { ...usual, ...fields }, headers)).status
    }
    assert.equal(await exchange({ client_id: clientId, client_secret: clientSecret }), 200)
    assert.equal(await exchange({}, { authorization: basic(plan.client) }), 200)
    // The standard has 401 for this, Cognito 400.
    assert.equal(await exchange({}, { authorization: basic({ clientId, clientSecret: 'wrong' }) }), 400)
  })

  test('oidcc-unsigned-request-object-…-rejected-as-unsupported, ensure-request-object-with-redirect-uri', async () => {
    const object = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`
    const { location } = await plan.open(plan.browser(), { request: object })
    assert.equal(answerIn(location ?? null).get('error'), 'request_not_supported')
    const unregistered = { request: object, redirect_uri: 'https://evil/' }
    assert.equal((await plan.open(plan.browser(), unregistered)).status, 400)
  })

  test('oidcc-claims-essential: the parameter is ignored, as discovery says', async () => {
    await flow({ claims: '{"userinfo":{"name":{"essential":true}}}' })
    assert.equal(plan.discovery['claims_parameter_supported'], false)
  })

  test('oidcc-refresh-token: a new ID token of the same user and sign-in', async () => {
    const { tokens, claims } = await flow()
    const refreshed = await requestTokens(plan.app, plan.client, {
      grant_type: 'refresh_token',
      refresh_token: String(tokens.json['refresh_token']),
    })
    const again = await plan.idClaims(refreshed)
    assert.deepEqual(
      [again.iss, again.sub, again.aud, again['auth_time']],
      [claims.iss, claims.sub, claims.aud, claims['auth_time']],
    )
  })

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const { verifier, challenge } = pkce()
    const answer = await plan.authorize(plan.browser(), { code_challenge: challenge, code_challenge_method: 'S256' })
    const { status } = await redeem(plan.app, plan.client, answer.get('code') ?? '', { code_verifier: verifier })
    assert.equal(status, 200)
  })

  test('a sign-in with a wrong password leads nowhere', async () => {
    const browser = plan.browser()
    const page = await browser.submit(await browser.open(pagePath(plan.client)), {
      username: 'ann',
      password: `${password}x`,
    })
    assert.equal(page.location, undefined)
  })
})

describe('oidcc-config-certification-test-plan', () => {
  test('oidcc-discovery-endpoint-verification, -server-rotate-keys aside: what the document must say', async () => {
    await using plan = await openPlan()
    const { discovery, issuer } = plan
    assert.equal(discovery['issuer'], issuer)
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
      'jwks_uri',
      'end_session_endpoint',
    ]) {
      assert.ok(URL.canParse(String(discovery[name])), name)
    }
    const includes = (name: string, value: string) => (discovery[name] as string[]).includes(value)
    assert.ok(includes('scopes_supported', 'openid'))
    assert.ok(includes('response_types_supported', 'code'))
    assert.ok(includes('grant_types_supported', 'authorization_code'))
    assert.ok(includes('subject_types_supported', 'public'))
    assert.ok(includes('id_token_signing_alg_values_supported', 'RS256'))
    assert.ok(includes('token_endpoint_auth_methods_supported', 'client_secret_basic'))
    assert.equal(discovery['request_uri_parameter_supported'], false)
    const { keys } = (await (await fetch(String(discovery['jwks_uri']))).json()) as { keys: Record<string, string>[] }
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length)
    for (const key of keys) {
      assert.deepEqual([key['kty'], key['use'], key['alg'], key['d']], ['RSA', 'sig', 'RS256', undefined])
    }
  })
})
