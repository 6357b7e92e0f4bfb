import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, openTestApp, type TestApp } from '../../../test/support/app.ts'
import {
  answerIn,
  authorizeUrl,
  browserOf,
  codeFor,
  createOAuthClient,
  createOAuthPool,
  errorOf,
  type Fields,
  type OAuthClient,
  pkce,
  redeem,
  requestTokens,
  visit,
} from '../../../test/support/oauth.ts'
import { createUser, failureOf, notAuthorized } from '../../../test/support/sign-in.ts'

const refused = { status: 400, error: 'invalid_grant' }

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  let other: OAuthClient
  let foreign: OAuthClient
  let cookie: string
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(app)
    other = await createOAuthClient(app, client.poolId)
    foreign = await createOAuthPool(app)
    for (const { poolId } of [client, foreign]) await createUser(app, poolId, 'ann')
    cookie = await browserOf(app, client, 'ann')
  })

  test('a second use by the client ends what the first has given', async () => {
    const code = await codeFor(app, client, cookie)
    const { json } = await redeem(app, client, code)
    const AccessToken = String(json['access_token'])
    await app.aws.getUser({ AccessToken })
    assert.deepEqual(errorOf(await redeem(app, client, code)), refused)
    assert.deepEqual(await failureOf(app.aws.getUser({ AccessToken })), notAuthorized('Access Token has been revoked'))
    const refresh = { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) }
    assert.deepEqual(errorOf(await requestTokens(app, client, refresh)), {
      ...refused,
      error_description: 'Refresh Token has been revoked',
    })
  })

  test('a second use by anybody else ends nothing', async () => {
    const code = await codeFor(app, client, cookie)
    const { json } = await redeem(app, client, code)
    for (const stranger of [other, foreign]) assert.deepEqual(errorOf(await redeem(app, stranger, code)), refused)
    await app.aws.getUser({ AccessToken: String(json['access_token']) })
  })

  test('a stranger does not use up the code of a client', async () => {
    const code = await codeFor(app, client, cookie)
    for (const stranger of [other, foreign]) assert.deepEqual(errorOf(await redeem(app, stranger, code)), refused)
    assert.equal((await redeem(app, client, code)).status, 200)
  })

  test('codes that were never given are refused', async () => {
    const code = await codeFor(app, client, cookie)
    const flipped = (at: number) => code.slice(0, at) + (code[at] === '0' ? '1' : '0') + code.slice(at + 1)
    const wrong = [0, 9, 20, 35].map(flipped).concat(code.toUpperCase(), `${code} `, code.slice(1), 'x', 'é'.repeat(36))
    for (const guess of wrong) assert.deepEqual(errorOf(await redeem(app, client, guess)), refused, guess)
    assert.equal((await redeem(app, client, code)).status, 200)
  })

  test('of many who redeem a code at once exactly one gets tokens', async () => {
    const nodes = [app, ...(app.kind === 'postgres' ? [await app.secondNode()] : [])]
    try {
      for (let round = 0; round < 3; round += 1) {
        const code = await codeFor(app, client, cookie)
        const answers = await Promise.all(
          Array.from({ length: 32 }, (_, index) => redeem(nodes[index % nodes.length] ?? app, client, code)),
        )
        assert.equal(answers.filter(({ status }) => status === 200).length, 1)
        assert.equal(answers.filter(({ json }) => json['error'] === 'invalid_grant').length, 31)
      }
    } finally {
      await nodes[1]?.close()
    }
  })

  test('a code with a challenge wants its verifier, and one wrong try uses it up', async () => {
    const { verifier, challenge } = pkce()
    const bound = { code_challenge: challenge, code_challenge_method: 'S256' }
    const wrong: (string | undefined)[] = [
      undefined,
      '',
      'x',
      challenge,
      pkce().verifier,
      verifier.slice(1),
      `${verifier}a`,
      'a'.repeat(129),
      `${verifier}=`,
    ]
    for (const code_verifier of wrong) {
      const code = await codeFor(app, client, cookie, bound)
      assert.deepEqual(errorOf(await redeem(app, client, code, { code_verifier })), refused, code_verifier)
      assert.deepEqual(errorOf(await redeem(app, client, code, { code_verifier: verifier })), refused)
    }
    const long = 'a'.repeat(128)
    const { createHash } = await import('node:crypto')
    const code = await codeFor(app, client, cookie, {
      ...bound,
      code_challenge: createHash('sha256').update(long).digest('base64url'),
    })
    assert.equal((await redeem(app, client, code, { code_verifier: long })).status, 200)
  })

  test('a verifier without a challenge is a downgrade and refused', async () => {
    const code = await codeFor(app, client, cookie)
    assert.deepEqual(errorOf(await redeem(app, client, code, { code_verifier: pkce().verifier })), refused)
  })

  test('the code of a victim is of no use in the session of an attacker who has begun with a challenge of his own', async () => {
    const victim = pkce()
    const attacker = pkce()
    const code = await codeFor(app, client, cookie, {
      code_challenge: victim.challenge,
      code_challenge_method: 'S256',
    })
    assert.deepEqual(errorOf(await redeem(app, client, code, { code_verifier: attacker.verifier })), refused)
  })

  test('the redirect URI of the exchange is that of the request', async () => {
    for (const redirect_uri of ['https://app.example/callback/', 'https://APP.example/callback', 'https://evil/']) {
      const code = await codeFor(app, client, cookie)
      assert.deepEqual(errorOf(await redeem(app, client, code, { redirect_uri })), {
        status: 400,
        error: 'unauthorized_client',
        error_description: 'invalid_redirect',
      })
      assert.deepEqual(errorOf(await redeem(app, client, code)), refused)
    }
    const code = await codeFor(app, client, cookie)
    assert.deepEqual(errorOf(await redeem(app, client, code, { redirect_uri: undefined })), {
      status: 400,
      error: 'invalid_request',
    })
  })

  test('what ends the sessions of a user ends his codes', async () => {
    const { poolId } = client
    const endings: [string, (Username: string) => Promise<unknown>][] = [
      ['signed-out', Username => app.aws.adminUserGlobalSignOut({ UserPoolId: poolId, Username })],
      ['disabled', Username => app.aws.adminDisableUser({ UserPoolId: poolId, Username })],
      ['deleted', Username => app.aws.adminDeleteUser({ UserPoolId: poolId, Username })],
      ['reset', Username => app.aws.adminResetUserPassword({ UserPoolId: poolId, Username })],
    ]
    for (const [username, end] of endings) {
      await createUser(app, poolId, username, [
        { Name: 'email', Value: `${username}@example.com` },
        { Name: 'email_verified', Value: 'true' },
      ])
      const code = await codeFor(app, client, await browserOf(app, client, username))
      await end(username)
      assert.deepEqual(errorOf(await redeem(app, client, code)), refused, username)
    }
  })

  test('nonce, scopes and resource of the tokens are those of the request, whatever the exchange says', async () => {
    const code = await codeFor(app, client, cookie, {
      scope: 'openid',
      nonce: 'right',
      resource: 'https://api.example/',
    })
    const { json } = await redeem(app, client, code, {
      scope: 'openid email aws.cognito.signin.user.admin',
      nonce: 'wrong',
      resource: 'https://evil/',
    } satisfies Fields)
    const claims = (name: string) =>
      JSON.parse(Buffer.from(String(json[name]).split('.')[1] ?? '', 'base64url').toString())
    assert.equal(claims('id_token').nonce, 'right')
    assert.equal(claims('access_token').scope, 'openid')
    assert.equal(claims('access_token').aud, 'https://api.example/')
    assert.equal(claims('access_token').nonce, undefined)
  })
})

test('an answer names its issuer where that is switched on, so that answers of two servers cannot be mixed up', async () => {
  await using app = await openTestApp('sqlite', { settings: { oauthExtensions: ['response-iss'] } })
  const client = await createOAuthPool(app)
  await createUser(app, client.poolId, 'ann')
  const cookie = await browserOf(app, client, 'ann')
  for (const response_type of ['code', 'token']) {
    const { location } = await visit(authorizeUrl(app, client, { response_type }), { cookie })
    assert.equal(answerIn(location).get('iss'), `${app.url}/${client.poolId}`)
  }
})
