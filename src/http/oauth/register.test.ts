import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { DcrConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  authorizeUrl,
  browserOf,
  callback,
  codeFor,
  createOAuthClient,
  errorOf,
  type JsonAnswer,
  redeem,
  requestTokens,
  visit,
} from '../../../test/support/oauth.ts'
import { createPool } from '../../../test/support/pools.ts'
import { claimsOf, createUser } from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const poolWith = async (DcrConfiguration: DcrConfigurationType) => {
    const { poolId } = await createPool(app, { DcrConfiguration })
    const Scopes = [{ ScopeName: 'read', ScopeDescription: 'read' }]
    await app.aws.createResourceServer({ UserPoolId: poolId, Identifier: 'api', Name: 'api', Scopes })
    return poolId
  }
  const register = async (poolId: string, metadata: unknown, token?: string): Promise<JsonAnswer> => {
    const answer = await fetch(`${app.url}/${poolId}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown>, headers: answer.headers }
  }
  const open: DcrConfigurationType = { OpenDcrEnabled: true, AllowedScopes: ['api/read', 'aws.cognito/dcr/register'] }
  /** A token that may register clients. */
  const initialToken = async (UserPoolId: string) => {
    const registrar = await createOAuthClient(app, UserPoolId, {
      GenerateSecret: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: ['aws.cognito/dcr/register'],
    })
    const { json } = await requestTokens(app, registrar, { grant_type: 'client_credentials' })
    return String(json['access_token'])
  }

  test('an open pool makes a client of whoever registers, and the client signs users in', async () => {
    const poolId = await poolWith(open)
    await createUser(app, poolId, 'ann')
    const { status, json } = await register(poolId, {
      redirect_uris: [callback],
      client_name: 'An agent',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      unknown: 'ignored',
    })
    assert.equal(status, 201)
    const { client_id, client_id_issued_at, ...others } = json
    assert.equal(client_id_issued_at, Math.floor(app.now() / 1_000))
    assert.deepEqual(others, {
      client_name: 'An agent',
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'openid email phone profile api/read',
    })
    const client = { poolId, clientId: String(client_id), clientSecret: '' }
    const cookie = await browserOf(app, client, 'ann')
    const tokens = await redeem(app, client, await codeFor(app, client, cookie, { scope: 'openid api/read' }))
    assert.equal(claimsOf(String(tokens.json['access_token']))['scope'], 'openid api/read')
    const { location } = await visit(authorizeUrl(app, client, { redirect_uri: 'https://evil/' }), { cookie })
    assert.equal(location, null)
  })

  test('what is registered is an app client of type DCR, whose secrets are its own', async () => {
    const poolId = await poolWith(open)
    const { json } = await register(poolId, { redirect_uris: [callback] })
    assert.deepEqual([json['token_endpoint_auth_method'], json['client_secret_expires_at']], ['client_secret_basic', 0])
    const ids = { UserPoolId: poolId, ClientId: String(json['client_id']) }
    const { UserPoolClient } = await app.aws.describeUserPoolClient(ids)
    assert.equal(UserPoolClient?.ClientType, 'DCR')
    assert.equal(UserPoolClient?.ClientSecret, json['client_secret'])
    const regular = await createOAuthClient(app, poolId)
    const list = async (ClientType?: 'DCR' | 'REGULAR') => {
      const { UserPoolClients = [] } = await app.aws.listUserPoolClients({
        UserPoolId: poolId,
        MaxResults: 60,
        ClientType,
      })
      return UserPoolClients.map(({ ClientId }) => ClientId)
    }
    assert.deepEqual(await list('DCR'), [ids.ClientId])
    const others = await list('REGULAR')
    assert.ok(others.includes(regular.clientId) && !others.includes(ids.ClientId))
    assert.deepEqual((await list()).sort(), [...others, ids.ClientId].sort())
    await app.aws.updateUserPoolClient({ ...ids, ClientName: 'renamed' })
    assert.equal((await app.aws.describeUserPoolClient(ids)).UserPoolClient?.ClientType, 'DCR')
    const refused = { name: 'InvalidParameterException' }
    await assert.rejects(app.aws.addUserPoolClientSecret(ids), refused)
    await assert.rejects(app.aws.listUserPoolClientSecrets(ids), refused)
  })

  test('where registration wants a token it takes one of this pool that is for it, and nothing else', async () => {
    const poolId = await poolWith({ AllowedScopes: ['api/read'] })
    const machine = { grant_types: ['client_credentials'], scope: 'api/read' }
    const refused = { status: 401, error: 'invalid_token' }
    const other = await poolWith({})
    const { json } = await register(poolId, machine, await initialToken(poolId))
    const client = { clientId: String(json['client_id']), clientSecret: String(json['client_secret']) }
    const tokens = await requestTokens(app, client, { grant_type: 'client_credentials' })
    assert.equal(claimsOf(String(tokens.json['access_token']))['scope'], 'api/read')
    assert.deepEqual(errorOf(await register(poolId, machine)), refused)
    for (const token of ['x', String(tokens.json['access_token']), await initialToken(other)]) {
      assert.deepEqual(errorOf(await register(poolId, machine, token)), refused)
    }
    // Nobody registers a client that could register others.
    const greedy = { ...machine, scope: 'aws.cognito/dcr/register' }
    assert.equal((await register(poolId, greedy, await initialToken(poolId))).json['error'], 'invalid_client_metadata')
  })

  test('a pool that takes no registrations has no such endpoint', async () => {
    const { poolId } = await createPool(app)
    const off = await poolWith({ EnableStatus: 'Disabled', OpenDcrEnabled: true })
    for (const id of [poolId, off, 'us-east-1_nothinghe']) {
      assert.equal((await register(id, { redirect_uris: [callback] })).status, 404)
      const document = await (await fetch(`${app.url}/${id}/.well-known/openid-configuration`)).json()
      assert.equal((document as Record<string, unknown>)['registration_endpoint'], undefined)
    }
    const on = await poolWith(open)
    const document = await (await fetch(`${app.url}/${on}/.well-known/openid-configuration`)).json()
    assert.equal((document as Record<string, unknown>)['registration_endpoint'], `${app.url}/${on}/oauth2/register`)
  })

  test('metadata that no client could have is refused', async () => {
    const poolId = await poolWith({ OpenDcrEnabled: true, OpenDcrGrantTypes: ['code', 'implicit'] })
    const valid = { redirect_uris: [callback] }
    const check = async (error: string, metadata: unknown) => {
      const { status, json } = await register(poolId, metadata)
      assert.deepEqual([status, json['error']], [400, error], JSON.stringify(metadata))
    }
    for (const uri of [
      'http://app.example/cb',
      'javascript:alert(1)',
      'https://a@b/',
      'https://app.example/#x',
      'x',
      '',
    ]) {
      await check('invalid_redirect_uri', { redirect_uris: [uri] })
    }
    await check('invalid_redirect_uri', {})
    await check('invalid_redirect_uri', { redirect_uris: callback })
    await check('invalid_redirect_uri', { redirect_uris: [1] })
    await check('invalid_redirect_uri', { redirect_uris: Array.from({ length: 101 }, (_, n) => `${callback}/${n}`) })
    for (const members of [
      { grant_types: ['implicit'], response_types: ['token'] },
      { grant_types: ['password'] },
      { grant_types: ['client_credentials'] },
      { grant_types: ['authorization_code', 'client_credentials'] },
      { grant_types: 'authorization_code' },
      { grant_types: [] },
      { response_types: ['token'] },
      { response_types: [] },
      { token_endpoint_auth_method: 'private_key_jwt' },
      { client_name: '<script>' },
      { client_name: 'x'.repeat(129) },
      { client_name: 1 },
      { scope: 'aws.cognito.signin.user.admin' },
      { scope: 'openid nonsense' },
      { scope: 'aws.cognito/dcr/register' },
      { scope: '' },
      { scope: 1 },
    ]) {
      await check('invalid_client_metadata', { ...valid, ...members })
    }
    for (const text of ['', 'x', 'null', '[]', '"x"', `{"redirect_uris":["${'x'.repeat(70_000)}"]}`]) {
      await check('invalid_client_metadata', text)
    }
    await check('invalid_software_statement', { ...valid, software_statement: 'x' })
    const { UserPoolClients } = await app.aws.listUserPoolClients({
      UserPoolId: poolId,
      MaxResults: 60,
      ClientType: 'DCR',
    })
    assert.deepEqual(UserPoolClients, [])
  })
})
