import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  answerIn,
  authorizeUrl,
  browserOf,
  callback,
  codeFor,
  createOAuthPool,
  errorOf,
  type OAuthClient,
  pkce,
  redeem,
  visit,
} from '../../../test/support/oauth.ts'
import { email } from '../../../test/support/pools.ts'
import { claimsOf, createUser } from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  let cookie: string
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(app)
    await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
    cookie = await browserOf(app, client, 'ann')
  })

  test('without a session the browser goes to the sign-in page with the same parameters', async () => {
    const url = authorizeUrl(app, client, { state: 'a b', scope: 'openid email', unknown: '1' })
    const { status, location } = await visit(url)
    assert.equal(status, 302)
    assert.equal(location, `/login${new URL(url).search}`)
  })

  test('with a session the application gets a code and its state, and the code gives tokens', async () => {
    const { verifier, challenge } = pkce()
    const fields = { state: 'x%2B&=é', scope: 'openid email', nonce: 'n-1' }
    const { location } = await visit(
      authorizeUrl(app, client, { ...fields, code_challenge: challenge, code_challenge_method: 'S256' }),
      { cookie },
    )
    assert.ok(location?.startsWith(`${callback}?code=`))
    assert.equal(answerIn(location).get('state'), fields.state)
    const { status, json } = await redeem(app, client, answerIn(location).get('code') ?? '', {
      code_verifier: verifier,
    })
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(json), ['id_token', 'access_token', 'refresh_token', 'expires_in', 'token_type'])
    const id = claimsOf(String(json['id_token']))
    const access = claimsOf(String(json['access_token']))
    assert.equal(id['nonce'], 'n-1')
    assert.equal(id['email'], 'ann@example.com')
    assert.equal(access['scope'], 'openid email')
    assert.equal(access['version'], 2)
    assert.equal(access['username'], 'ann')
  })

  test('a code is good for five minutes', async () => {
    const [inTime, late] = [await codeFor(app, client, cookie), await codeFor(app, client, cookie)]
    app.advance(minutes(5) - 1)
    assert.equal((await redeem(app, client, inTime)).status, 200)
    app.advance(1)
    assert.deepEqual(errorOf(await redeem(app, client, late)), { status: 400, error: 'invalid_grant' })
  })
})
