import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  basic,
  browserOf,
  codeFor,
  createOAuthClient,
  createOAuthPool,
  errorOf,
  type Fields,
  type OAuthClient,
  postForm,
  redeem,
  requestTokens,
} from '../../../test/support/oauth.ts'
import { email } from '../../../test/support/pools.ts'
import { beginWithPassword, createUser, failureOf, notAuthorized } from '../../../test/support/sign-in.ts'

const badRequest = 'error="invalid_request", error_description="Bad OAuth2 request at UserInfo Endpoint"'
const badToken =
  'error="invalid_token", error_description="Access token is expired, disabled, or deleted, or the user has globally signed out."'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  let cookie: string
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(
      app,
      { ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
      { Schema: [{ Name: 'tier', AttributeDataType: 'String', Mutable: true }] },
    )
    await createUser(app, client.poolId, 'ann', [
      email('ann@example.com'),
      { Name: 'email_verified', Value: 'true' },
      { Name: 'name', Value: 'Ann' },
      { Name: 'address', Value: '1 Main Street' },
      { Name: 'custom:tier', Value: 'gold' },
    ])
    cookie = await browserOf(app, client, 'ann')
  })

  const tokensFor = async (of: OAuthClient, fields: Fields = {}) => {
    const { json } = await redeem(app, of, await codeFor(app, of, cookie, fields))
    return {
      access: String(json['access_token']),
      id: String(json['id_token']),
      refresh: String(json['refresh_token']),
    }
  }
  const userInfo = async (init: RequestInit = {}, path = '/oauth2/userInfo') => {
    const answer = await fetch(`${app.url}${path}`, init)
    const challenge = answer.headers.get('www-authenticate')?.replace(/^Bearer /, '')
    return {
      status: answer.status,
      challenge,
      json: (await answer.json()) as Record<string, unknown>,
      headers: answer.headers,
    }
  }
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })

  test('UserInfo tells the attributes of the scopes as texts, by GET and POST and in both spellings', async () => {
    const { sub } = await app.aws
      .adminGetUser({ UserPoolId: client.poolId, Username: 'ann' })
      .then(({ UserAttributes = [] }) => ({ sub: UserAttributes.find(({ Name }) => Name === 'sub')?.Value }))
    const { access } = await tokensFor(client, { scope: 'openid email' })
    const expected = { sub, email: 'ann@example.com', email_verified: 'true', username: 'ann' }
    const first = await userInfo(bearer(access))
    assert.deepEqual(first.json, expected)
    assert.equal(first.headers.get('content-type'), 'application/json;charset=UTF-8')
    assert.equal(first.headers.get('access-control-allow-origin'), '*')
    assert.deepEqual((await userInfo({ ...bearer(access), method: 'POST' })).json, expected)
    assert.deepEqual((await userInfo(bearer(access), '/oauth2/userinfo')).json, expected)
    const body = new URLSearchParams({ access_token: access })
    assert.deepEqual((await userInfo({ method: 'POST', body })).json, expected)
    const all = await userInfo(bearer((await tokensFor(client, { scope: 'openid' })).access))
    assert.deepEqual(all.json, { ...expected, name: 'Ann', address: '1 Main Street', 'custom:tier': 'gold' })
    const profile = await userInfo(bearer((await tokensFor(client, { scope: 'openid profile' })).access))
    assert.deepEqual(profile.json, {
      sub,
      name: 'Ann',
      address: '1 Main Street',
      'custom:tier': 'gold',
      username: 'ann',
    })
    const reader = await createOAuthClient(app, client.poolId, { ReadAttributes: ['name'] })
    const few = await userInfo(bearer((await tokensFor(reader, { scope: 'openid' })).access))
    assert.deepEqual(few.json, { sub, name: 'Ann', username: 'ann' })
  })

  test('UserInfo refuses everything that is no access token for OpenID Connect in force', async () => {
    const tokens = await tokensFor(client)
    const { AuthenticationResult } = await beginWithPassword(app, client.clientId, 'ann')
    const withoutOpenid = await tokensFor(client, { scope: 'aws.cognito.signin.user.admin' })
    const [header, payload, signature] = tokens.access.split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const token of [
      tokens.id,
      tokens.refresh,
      withoutOpenid.access,
      AuthenticationResult?.AccessToken ?? '',
      `${header}.${payload}.`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${Buffer.from('{}').toString('base64url')}.${signature}`,
      'x',
    ]) {
      const { status, challenge, json } = await userInfo(bearer(token))
      assert.deepEqual([status, challenge, json['error']], [401, badToken, 'invalid_token'])
    }
    for (const init of [
      {},
      { headers: { authorization: 'Bearer' } },
      { headers: { authorization: 'Bearer a b' } },
      { headers: { authorization: `Token ${tokens.access}` } },
      {
        method: 'POST',
        headers: bearer(tokens.access).headers ?? {},
        body: new URLSearchParams({ access_token: tokens.access }),
      },
      {
        method: 'POST',
        body: new URLSearchParams([
          ['access_token', tokens.access],
          ['access_token', tokens.access],
        ]),
      },
    ] as RequestInit[]) {
      const { status, challenge } = await userInfo(init)
      assert.deepEqual([status, challenge], [400, badRequest])
    }
    const inQuery = await userInfo({}, `/oauth2/userInfo?access_token=${tokens.access}`)
    assert.equal(inQuery.status, 400)
    await app.aws.revokeToken({ ClientId: client.clientId, Token: tokens.refresh })
    assert.equal((await userInfo(bearer(tokens.access))).status, 401)
  })

  test('a token is good on the hosts of its own pool only', async () => {
    const other = await createOAuthPool(app)
    await app.aws.createUserPoolDomain({ UserPoolId: other.poolId, Domain: `other-${app.kind}` })
    await app.aws.createUserPoolDomain({ UserPoolId: client.poolId, Domain: `own-${app.kind}` })
    const { access } = await tokensFor(client)
    const port = new URL(app.url).port
    const { request } = await import('node:http')
    const statusOn = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { host: `${host}:${port}`, authorization: `Bearer ${access}` }
        request(`${app.url}/oauth2/userInfo`, { headers }, answer => {
          answer.resume()
          resolve(answer.statusCode)
        })
          .on('error', reject)
          .end()
      })
    assert.equal(await statusOn(`own-${app.kind}.localhost`), 200)
    assert.equal(await statusOn(`other-${app.kind}.localhost`), 401)
    assert.equal(await statusOn('localhost'), 200)
  })

  const revoke = (fields: Fields | string, headers: Record<string, string> = {}) =>
    postForm(`${app.url}/oauth2/revoke`, fields, headers)

  test('revocation ends a refresh token with all that came of it, and answers with nothing', async () => {
    const { access, refresh } = await tokensFor(client)
    const answer = await revoke({ token: refresh, client_id: client.clientId, token_type_hint: 'nonsense' })
    assert.deepEqual([answer.status, answer.json, answer.headers.get('content-length')], [200, {}, '0'])
    const refused = notAuthorized('Access Token has been revoked')
    assert.deepEqual(await failureOf(app.aws.getUser({ AccessToken: access })), refused)
    const again = { grant_type: 'refresh_token', refresh_token: refresh }
    assert.equal((await requestTokens(app, client, again)).json['error'], 'invalid_grant')
    for (const token of [refresh, 'x', `${refresh}x`]) {
      assert.equal((await revoke({ token, client_id: client.clientId })).status, 200)
    }
  })

  test('revocation refuses what the service refuses, and then nothing is revoked', async () => {
    const { access, id, refresh } = await tokensFor(client)
    const { clientId: client_id } = client
    const other = await createOAuthClient(app, client.poolId)
    const confidential = await createOAuthClient(app, client.poolId, { GenerateSecret: true })
    const keeping = await createOAuthClient(app, client.poolId, { EnableTokenRevocation: false })
    const kept = (await tokensFor(keeping)).refresh
    const unsupported = { status: 400, error: 'unsupported_token_type' }
    const invalid = { status: 400, error: 'invalid_request' }
    const unknown = { status: 401, error: 'invalid_client' }
    const secretless = { ...unknown, error_description: 'invalid_client_secret' }
    assert.deepEqual(errorOf(await revoke({ client_id, token: access })), unsupported)
    assert.deepEqual(errorOf(await revoke({ client_id, token: id })), unsupported)
    assert.deepEqual(errorOf(await revoke({ client_id })), invalid)
    assert.deepEqual(errorOf(await revoke({ client_id: other.clientId, token: refresh })), invalid)
    assert.deepEqual(errorOf(await revoke({ client_id: keeping.clientId, token: kept })), invalid)
    assert.deepEqual(errorOf(await revoke(`client_id=${client_id}&token=${refresh}&token=x`)), invalid)
    assert.deepEqual(errorOf(await revoke({ token: refresh })), unknown)
    assert.deepEqual(errorOf(await revoke({ client_id: 'nobody', token: refresh })), unknown)
    assert.deepEqual(errorOf(await revoke({ client_id: confidential.clientId, token: refresh })), secretless)
    const wrong = { ...confidential, clientSecret: 'x' }
    assert.deepEqual(errorOf(await revoke({ token: refresh }, { authorization: basic(wrong) })), secretless)
    await app.aws.getUser({ AccessToken: access })
    const own = (await tokensFor(confidential)).refresh
    assert.equal((await revoke({ token: own }, { authorization: basic(confidential) })).status, 200)
  })
})
