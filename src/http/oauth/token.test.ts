import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { minutes, onEachDatabase, type TestApp, type TriggerEvent } from '../../../test/support/app.ts'
import {
  basic,
  browserOf,
  callback,
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
import { createPool, email, phone } from '../../../test/support/pools.ts'
import { beginWithPassword, claimsOf, createUser } from '../../../test/support/sign-in.ts'

const machine = {
  GenerateSecret: true,
  AllowedOAuthFlows: ['client_credentials' as const],
  AllowedOAuthScopes: ['api/read', 'api/write'],
}

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  let cookie: string
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(app, {
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    })
    await createUser(app, client.poolId, 'ann', [
      email('ann@example.com'),
      phone('+15555550100'),
      { Name: 'name', Value: 'Ann' },
    ])
    cookie = await browserOf(app, client, 'ann')
    await createApi(client.poolId)
  })
  const createApi = async (UserPoolId: string) => {
    const Scopes = ['read', 'write', 'secret'].map(ScopeName => ({ ScopeName, ScopeDescription: ScopeName }))
    await app.aws.createResourceServer({ UserPoolId, Identifier: 'api', Name: 'api', Scopes })
  }
  const endpoint = () => `${app.url}/oauth2/token`

  test('the tokens of a sign-in on the pages say what those of Cognito say, and verify', async () => {
    const { json } = await redeem(app, client, await codeFor(app, client, cookie, { nonce: 'n' }))
    const jwks = await (await fetch(`${app.url}/${client.poolId}/.well-known/jwks.json`)).json()
    const keys = createLocalJWKSet(jwks as never)
    const options = { issuer: `${app.url}/${client.poolId}`, currentDate: new Date(app.now()) }
    const id = await jwtVerify(String(json['id_token']), keys, { ...options, audience: client.clientId })
    const access = await jwtVerify(String(json['access_token']), keys, options)
    assert.deepEqual(Object.keys(access.payload), [
      'sub',
      'iss',
      'version',
      'client_id',
      'origin_jti',
      'event_id',
      'token_use',
      'scope',
      'auth_time',
      'acr',
      'amr',
      'exp',
      'iat',
      'jti',
      'username',
    ])
    const { createHash } = await import('node:crypto')
    const digest = createHash('sha256').update(String(json['access_token'])).digest()
    assert.equal(id.payload['at_hash'], digest.subarray(0, 16).toString('base64url'))
    assert.equal(id.payload['nonce'], 'n')
    assert.equal(id.payload['auth_time'], access.payload['auth_time'])
    assert.equal(id.payload['cognito:username'], 'ann')
  })

  test('scopes decide on the attributes in the ID token, and on whether there is one', async () => {
    const attributes = async (scope: string) => {
      const { json } = await redeem(app, client, await codeFor(app, client, cookie, { scope }))
      if (json['id_token'] === undefined) return undefined
      const names = ['email', 'email_verified', 'phone_number', 'phone_number_verified', 'name']
      return names.filter(name => name in claimsOf(String(json['id_token'])))
    }
    assert.deepEqual(await attributes('openid email'), ['email', 'email_verified'])
    assert.deepEqual(await attributes('openid phone'), ['phone_number', 'phone_number_verified'])
    assert.deepEqual(await attributes('openid profile'), ['name'])
    assert.deepEqual(await attributes('openid'), [
      'email',
      'email_verified',
      'phone_number',
      'phone_number_verified',
      'name',
    ])
    assert.deepEqual(await attributes('openid email profile'), ['email', 'email_verified', 'name'])
    assert.equal(await attributes('aws.cognito.signin.user.admin'), undefined)
  })

  test('only the self-service scope lets an access token change its user', async () => {
    const tokenFor = async (scope: string) => {
      const { json } = await redeem(app, client, await codeFor(app, client, cookie, { scope }))
      return String(json['access_token'])
    }
    await app.aws.getUser({ AccessToken: await tokenFor('openid aws.cognito.signin.user.admin') })
    const AccessToken = await tokenFor('openid profile')
    const refusal = { name: 'NotAuthorizedException', message: 'Access Token does not have required scopes' }
    await assert.rejects(app.aws.getUser({ AccessToken }), refusal)
    await assert.rejects(app.aws.globalSignOut({ AccessToken }), refusal)
    await assert.rejects(
      app.aws.changePassword({ AccessToken, PreviousPassword: 'Passw0rd!', ProposedPassword: 'Passw0rd!2' }),
      refusal,
    )
  })

  test('a client that may not read what a scope stands for gets no tokens', async () => {
    const blind = await createOAuthClient(app, client.poolId, { ReadAttributes: ['email', 'name'] })
    const code = (scope: string) => codeFor(app, blind, cookie, { scope })
    const refused = { status: 400, error: 'invalid_grant' }
    assert.deepEqual(errorOf(await redeem(app, blind, await code('openid email'))), refused)
    assert.deepEqual(errorOf(await redeem(app, blind, await code('openid phone'))), refused)
    assert.equal((await redeem(app, blind, await code('openid profile'))).status, 200)
  })

  test('a refresh keeps scopes, resource and time of sign-in; the nonce belongs to the first ID token', async () => {
    const fields = { scope: 'openid profile', nonce: 'n', resource: 'https://api.example/' }
    const first = await redeem(app, client, await codeFor(app, client, cookie, fields))
    app.advance(minutes(10))
    const refresh = {
      grant_type: 'refresh_token',
      refresh_token: String(first.json['refresh_token']),
      scope: 'openid email',
    }
    const { status, json } = await requestTokens(app, client, refresh)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(json), ['id_token', 'access_token', 'expires_in', 'token_type'])
    const [id, access] = [claimsOf(String(json['id_token'])), claimsOf(String(json['access_token']))]
    const before = claimsOf(String(first.json['access_token']))
    assert.deepEqual(
      [
        access['scope'],
        access['aud'],
        access['auth_time'],
        access['origin_jti'],
        access['version'],
        id['nonce'],
        id['email'],
      ],
      ['openid profile', 'https://api.example/', before['auth_time'], before['origin_jti'], 2, undefined, undefined],
    )
    // The API refreshes it as well, and it stays what it is.
    const { AuthenticationResult } = await app.aws.initiateAuth({
      ClientId: client.clientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: refresh.refresh_token },
    })
    assert.equal(claimsOf(AuthenticationResult?.AccessToken ?? '')['scope'], 'openid profile')
  })

  test('refresh tokens of the API are good here, and those of others are not', async () => {
    const { AuthenticationResult } = await beginWithPassword(app, client.clientId, 'ann')
    const refresh_token = AuthenticationResult?.RefreshToken ?? ''
    const { status, json } = await requestTokens(app, client, { grant_type: 'refresh_token', refresh_token })
    assert.equal(status, 200)
    assert.equal(claimsOf(String(json['access_token']))['scope'], 'aws.cognito.signin.user.admin')
    const other = await createOAuthClient(app, client.poolId)
    const refused = { status: 400, error: 'invalid_grant', error_description: 'Invalid Refresh Token' }
    for (const [who, token] of [
      [other, refresh_token],
      [client, `${refresh_token}x`],
      [client, String(json['access_token'])],
      [client, 'x'],
    ] as const) {
      assert.deepEqual(
        errorOf(await requestTokens(app, who, { grant_type: 'refresh_token', refresh_token: token })),
        refused,
      )
    }
    assert.deepEqual(errorOf(await requestTokens(app, client, { grant_type: 'refresh_token' })), {
      status: 400,
      error: 'invalid_request',
    })
    await app.aws.revokeToken({ ClientId: client.clientId, Token: refresh_token })
    assert.deepEqual(errorOf(await requestTokens(app, client, { grant_type: 'refresh_token', refresh_token })), {
      ...refused,
      error_description: 'Refresh Token has been revoked',
    })
  })

  test('with rotation each answer holds a new refresh token, and of many who use one at once one gets it', async () => {
    const rotating = await createOAuthClient(app, client.poolId, {
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
    })
    const { json } = await redeem(app, rotating, await codeFor(app, rotating, cookie))
    const use = (token: unknown) =>
      requestTokens(app, rotating, { grant_type: 'refresh_token', refresh_token: String(token) })
    const answers = await Promise.all(Array.from({ length: 16 }, () => use(json['refresh_token'])))
    const [won, ...more] = answers.filter(({ status }) => status === 200)
    assert.equal(more.length, 0)
    assert.notEqual(won?.json['refresh_token'], undefined)
    assert.equal((await use(json['refresh_token'])).json['error'], 'invalid_grant')
    assert.equal((await use(won?.json['refresh_token'])).status, 200)
  })

  test('a client with a secret proves itself in the header or in the body, and in no other way', async () => {
    const confidential = await createOAuthClient(app, client.poolId, { GenerateSecret: true })
    const { clientId, clientSecret } = confidential
    const other = await createOAuthClient(app, client.poolId, { GenerateSecret: true })
    const attempt = async (fields: Fields, headers: Record<string, string> = {}) => {
      const code = await codeFor(app, confidential, cookie)
      return errorOf(
        await postForm(
          endpoint(),
          { grant_type: 'authorization_code', code, redirect_uri: callback, ...fields },
          headers,
        ),
      )
    }
    const authorization = basic(confidential)
    const encoded = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
    for (const [fields, headers] of [
      [{}, { authorization }],
      [{ client_id: clientId }, { authorization }],
      [{ client_id: clientId, client_secret: clientSecret }, {}],
      [{ client_id: clientId, client_secret: clientSecret }, { authorization }],
      [{}, { authorization: authorization.replace('Basic', 'basic') }],
      [{}, encoded(`${clientId}:%${clientSecret.charCodeAt(0).toString(16)}${clientSecret.slice(1)}`)],
    ] as const) {
      assert.equal((await attempt(fields, headers)).status, 200)
    }
    const secretless = { status: 400, error: 'invalid_client', error_description: 'invalid_client_secret' }
    const unknown = { status: 400, error: 'invalid_client' }
    for (const [expected, fields, headers] of [
      [secretless, { client_id: clientId }, {}],
      [secretless, { client_id: clientId, client_secret: 'x' }, {}],
      [secretless, { client_id: clientId, client_secret: '' }, {}],
      [secretless, { client_id: clientId, client_secret: other.clientSecret }, {}],
      [secretless, {}, encoded(`${clientId}:`)],
      [secretless, {}, encoded(`${clientId}:wrong`)],
      [unknown, {}, encoded(`nobody:${clientSecret}`)],
      [unknown, {}, encoded(clientId)],
      [unknown, {}, { authorization: `Bearer ${clientSecret}` }],
      [unknown, {}, { authorization: 'Basic' }],
      [unknown, {}, { authorization: 'Basic %%%' }],
      [unknown, {}, { authorization: `Basic ${'A'.repeat(9_000)}` }],
      [unknown, { client_id: other.clientId }, { authorization }],
      [unknown, { client_id: clientId, client_secret: 'x' }, { authorization }],
      [unknown, { client_id: 'nobody', client_secret: clientSecret }, {}],
      [unknown, { client_id: `${clientId}\u0000`, client_secret: clientSecret }, {}],
      [secretless, { client_id: clientId, client_assertion: 'x', client_assertion_type: 'urn:x' }, {}],
    ] as const) {
      assert.deepEqual(await attempt(fields, headers), expected, JSON.stringify([fields, headers]))
    }
    const inQuery = await postForm(`${endpoint()}?client_id=${clientId}&client_secret=${clientSecret}`, {
      grant_type: 'refresh_token',
      refresh_token: 'x',
    })
    assert.deepEqual(errorOf(inQuery), { status: 400, error: 'invalid_request' })
    // A public client that sends a secret is not the one it says it is.
    const code = await codeFor(app, client, cookie)
    assert.deepEqual(errorOf(await redeem(app, client, code, { client_secret: 'x' })), secretless)
  })

  test('both secrets of a client are good, and a deleted one is not', async () => {
    const machineClient = await createOAuthClient(app, client.poolId, machine)
    const ids = { UserPoolId: client.poolId, ClientId: machineClient.clientId }
    const { ClientSecretDescriptor: added } = await app.aws.addUserPoolClientSecret(ids)
    const second = { ...machineClient, clientSecret: added?.ClientSecretValue ?? '' }
    const ask = (who: OAuthClient) => requestTokens(app, who, { grant_type: 'client_credentials' })
    for (const who of [machineClient, second]) assert.equal((await ask(who)).status, 200)
    await app.aws.deleteUserPoolClientSecret({ ...ids, ClientSecretId: added?.ClientSecretId ?? '' })
    assert.equal((await ask(second)).json['error'], 'invalid_client')
    assert.equal((await ask(machineClient)).status, 200)
  })

  test('client_credentials gives a token about the client with its custom scopes and nothing of a user', async () => {
    const machineClient = await createOAuthClient(app, client.poolId, {
      ...machine,
      AccessTokenValidity: 5,
      TokenValidityUnits: { AccessToken: 'minutes' },
    })
    const { status, json, headers } = await requestTokens(app, machineClient, { grant_type: 'client_credentials' })
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual(Object.keys(json), ['access_token', 'expires_in', 'token_type'])
    assert.equal(json['expires_in'], 300)
    const claims = claimsOf(String(json['access_token']))
    assert.deepEqual(Object.keys(claims), [
      'sub',
      'token_use',
      'scope',
      'auth_time',
      'iss',
      'exp',
      'iat',
      'version',
      'jti',
      'client_id',
    ])
    assert.equal(claims['sub'], machineClient.clientId)
    assert.equal(claims['scope'], 'api/read api/write')
    const some = await requestTokens(app, machineClient, { grant_type: 'client_credentials', scope: 'api/read' })
    assert.equal(claimsOf(String(some.json['access_token']))['scope'], 'api/read')
  })

  test('client_credentials refuses what is not a custom scope of the client, and clients that are not for it', async () => {
    const machineClient = await createOAuthClient(app, client.poolId, machine)
    const ask = async (scope: string, who = machineClient) =>
      errorOf(await requestTokens(app, who, { grant_type: 'client_credentials', scope }))
    const error = (name: string) => ({ status: 400, error: name })
    for (const scope of [
      'openid',
      'aws.cognito.signin.user.admin',
      'api/none',
      'other/read',
      'api/read openid',
      'aws.cognito/dcr/register',
    ]) {
      assert.deepEqual(await ask(scope), error('invalid_scope'), scope)
    }
    assert.deepEqual(await ask('api/secret'), error('invalid_grant'))
    assert.deepEqual(await ask('api/read api/secret'), error('invalid_grant'))
    assert.deepEqual(await ask(Array.from({ length: 51 }, (_, n) => `api/x${n}`).join(' ')), error('invalid_scope'))
    const web = await createOAuthClient(app, client.poolId, { GenerateSecret: true })
    assert.deepEqual(await ask('api/read', web), error('unauthorized_client'))
    assert.deepEqual(await ask('api/read', client), error('invalid_client'))
    await app.aws.deleteResourceServer({ UserPoolId: client.poolId, Identifier: 'api' })
    assert.deepEqual(await ask('', machineClient), error('invalid_grant'))
    await createApi(client.poolId)
    assert.equal((await ask('', machineClient)).status, 200)
  })

  test('the code flow of a client that does not have it is refused', async () => {
    const implicit = await createOAuthClient(app, client.poolId, { AllowedOAuthFlows: ['implicit'] })
    assert.deepEqual(errorOf(await redeem(app, implicit, 'x')), { status: 400, error: 'unauthorized_client' })
  })

  test('requests that are none are answered with the errors of the standard, always in JSON', async () => {
    const { clientId: client_id } = client
    const ask = async (fields: Fields | string, headers?: Record<string, string>) =>
      errorOf(await postForm(endpoint(), fields, headers))
    const invalid = { status: 400, error: 'invalid_request' }
    assert.deepEqual(await ask({ client_id }), invalid)
    assert.deepEqual(await ask({ client_id, grant_type: '' }), invalid)
    assert.deepEqual(await ask({ grant_type: 'refresh_token', refresh_token: 'x' }), invalid)
    assert.deepEqual(await ask(`grant_type=refresh_token&grant_type=refresh_token&client_id=${client_id}`), invalid)
    assert.deepEqual(await ask(`grant_type[]=refresh_token&client_id=${client_id}`), invalid)
    assert.deepEqual(await ask({ client_id, grant_type: 'authorization_code', redirect_uri: callback }), invalid)
    assert.deepEqual(
      await ask(JSON.stringify({ grant_type: 'refresh_token', client_id }), { 'content-type': 'application/json' }),
      invalid,
    )
    assert.deepEqual(
      await ask({ client_id, grant_type: 'x' }, { 'content-type': 'multipart/form-data; boundary=x' }),
      invalid,
    )
    for (const grant_type of [
      'password',
      'implicit',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:ietf:params:oauth:grant-type:saml2-bearer',
      'Authorization_Code',
      '__proto__',
    ]) {
      const expected = { status: 400, error: 'unsupported_grant_type' }
      assert.deepEqual(await ask({ client_id, grant_type, device_code: 'x'.repeat(43) }), expected, grant_type)
    }
    const large = await ask({ client_id, grant_type: 'refresh_token', refresh_token: 'x'.repeat(70_000) })
    assert.deepEqual([large.status, (large as { error?: string }).error], [413, 'invalid_request'])
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await fetch(endpoint(), { method })
      assert.deepEqual(
        [answer.status, answer.headers.get('allow'), await answer.json()],
        [405, 'POST', { error: 'invalid_request' }],
      )
    }
  })

  test('a body without a type, unescaped or with a charset, is read as clients mean it', async () => {
    const code = await codeFor(app, client, cookie)
    const body = `grant_type=authorization_code&client_id=${client.clientId}&code=${code}&redirect_uri=${callback}`
    const untyped = await fetch(endpoint(), { method: 'POST', body: Buffer.from(body) })
    assert.equal(untyped.status, 200)
    const other = `grant_type=authorization_code&client_id=${client.clientId}&code=${await codeFor(app, client, cookie)}&redirect_uri=${callback}`
    const { status } = await postForm(endpoint(), other, {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    })
    assert.equal(status, 200)
  })

  test('scripts of every origin may call it, without cookies', async () => {
    for (const origin of ['https://evil.example', 'null']) {
      const { headers } = await postForm(endpoint(), {}, { origin })
      assert.equal(headers.get('access-control-allow-origin'), '*')
      assert.equal(headers.get('access-control-allow-credentials'), null)
      const preflight = await fetch(endpoint(), {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-amz-user-agent',
        },
      })
      assert.equal(preflight.status, 200)
      assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
      assert.equal(preflight.headers.get('access-control-allow-headers'), 'x-amz-user-agent')
      assert.equal(preflight.headers.get('access-control-allow-credentials'), null)
    }
  })

  test('the functions of a pool see sign-ins on the pages and clients that speak for themselves', async () => {
    const events: TriggerEvent[] = []
    const LambdaArn = app.lambda('pre-token', event => {
      events.push(event)
      if (event.request['clientMetadata'] !== undefined) throw new Error('not today')
      const change = {
        claimsToAddOrOverride: { tenant: 'acme', aud: client.clientId, nonce: 'other' },
        scopesToAdd: ['extra'],
      }
      return { ...event, response: { claimsAndScopeOverrideDetails: { accessTokenGeneration: change } } }
    })
    const { poolId } = await createPool(app, {
      LambdaConfig: { PreTokenGenerationConfig: { LambdaArn, LambdaVersion: 'V3_0' } },
    })
    await createApi(poolId)
    const web = await createOAuthClient(app, poolId)
    const machineClient = await createOAuthClient(app, poolId, machine)
    await createUser(app, poolId, 'ann')
    const code = await codeFor(app, web, await browserOf(app, web, 'ann'), {
      scope: 'openid',
      resource: 'https://api.example/',
    })
    const { json } = await redeem(app, web, code)
    const claims = claimsOf(String(json['access_token']))
    assert.deepEqual(
      [claims['tenant'], claims['aud'], claims['scope']],
      ['acme', 'https://api.example/', 'openid extra'],
    )
    assert.equal(events[0]?.triggerSource, 'TokenGeneration_HostedAuth')
    assert.equal(events[0]?.callerContext.clientId, web.clientId)

    const ask = (fields: Fields) => requestTokens(app, machineClient, { grant_type: 'client_credentials', ...fields })
    assert.equal(claimsOf(String((await ask({})).json['access_token']))['tenant'], 'acme')
    assert.equal(events[1]?.triggerSource, 'TokenGeneration_ClientCredentials')
    assert.deepEqual(errorOf(await ask({ aws_client_metadata: '{"tenant":"a"}' })), {
      status: 400,
      error: 'invalid_request',
      error_description: 'PreTokenGeneration failed with error not today.',
    })
    assert.deepEqual(events[2]?.request['clientMetadata'], { tenant: 'a' })
    for (const aws_client_metadata of ['x', '[]', '"x"', 'null', '{"a":1}', '{"a":{"b":"c"}}']) {
      assert.deepEqual(errorOf(await ask({ aws_client_metadata })), { status: 400, error: 'invalid_request' })
    }
    assert.equal(events.length, 3)
  })
})
