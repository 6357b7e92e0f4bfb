import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, openTestApp, type TestApp } from '../../../test/support/app.ts'
import { createOAuthPool } from '../../../test/support/oauth.ts'
import { oauthExtensions } from '../../core/oauth-extensions.ts'

const certificate = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555'

const read = async (url: string) => {
  const answer = await fetch(url)
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Record<string, unknown> }
}

onEachDatabase(testApp => {
  test('the document names what works, below the issuer and in the places of RFC 8414', async () => {
    const app = await testApp()
    const { poolId } = await createOAuthPool(app)
    const issuer = `${app.url}/${poolId}`
    const { status, headers, json } = await read(`${issuer}/.well-known/openid-configuration`)
    assert.equal(status, 200)
    assert.equal(headers.get('access-control-allow-origin'), '*')
    assert.deepEqual(json, {
      authorization_endpoint: `${app.url}/oauth2/authorize`,
      end_session_endpoint: `${app.url}/logout`,
      id_token_signing_alg_values_supported: ['RS256'],
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: ['code', 'token'],
      revocation_endpoint: `${app.url}/oauth2/revoke`,
      scopes_supported: ['openid', 'email', 'phone', 'profile'],
      subject_types_supported: ['public'],
      token_endpoint: `${app.url}/oauth2/token`,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      userinfo_endpoint: `${app.url}/oauth2/userInfo`,
      revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      response_modes_supported: ['query', 'fragment'],
      grant_types_supported: ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      prompt_values_supported: ['none', 'login'],
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
    })
    for (const url of [
      `${issuer}/.well-known/oauth-authorization-server`,
      `${app.url}/.well-known/oauth-authorization-server/${poolId}`,
      `${app.url}/.well-known/openid-configuration/${poolId}`,
    ]) {
      assert.deepEqual((await read(url)).json, json, url)
    }
    assert.equal((await read(`${app.url}/us-east-1_nothinghe/.well-known/openid-configuration`)).status, 404)
    // On a host of no pool there is no telling whose document is meant.
    assert.equal((await read(`${app.url}/.well-known/openid-configuration`)).status, 404)
  })

  test('the keys are public halves only', async () => {
    const app = await testApp()
    const { poolId } = await createOAuthPool(app)
    const { json } = await read(`${app.url}/${poolId}/.well-known/jwks.json`)
    const keys = json['keys'] as Record<string, string>[]
    assert.equal(keys.length, 2)
    for (const key of keys) assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  })
})

const documentOf = async (app: TestApp, poolId: string) =>
  (await read(`${app.url}/${poolId}/.well-known/openid-configuration`)).json

test('browsers are led to the domain of the pool, and programs too where its name has an address', async () => {
  await using app = await openTestApp('sqlite', { publicUrl: 'https://id.example.com' })
  const { poolId } = await createOAuthPool(app)
  await app.aws.createUserPoolDomain({ UserPoolId: poolId, Domain: 'shop' })
  const prefixed = await documentOf(app, poolId)
  assert.equal(prefixed['issuer'], `https://id.example.com/${poolId}`)
  assert.equal(prefixed['authorization_endpoint'], 'https://shop.id.example.com/oauth2/authorize')
  assert.equal(prefixed['token_endpoint'], 'https://shop.id.example.com/oauth2/token')
  await app.aws.createUserPoolDomain({
    UserPoolId: poolId,
    Domain: 'login.shop.example',
    CustomDomainConfig: { CertificateArn: certificate },
  })
  const custom = await documentOf(app, poolId)
  assert.equal(custom['authorization_endpoint'], 'https://login.shop.example/oauth2/authorize')
  assert.equal(custom['end_session_endpoint'], 'https://login.shop.example/logout')
  assert.equal(custom['token_endpoint'], 'https://login.shop.example/oauth2/token')
})

test('below localhost only browsers are led to the domain, because programs may not find it', async () => {
  await using app = await openTestApp('sqlite', { publicUrl: 'http://localhost:9229' })
  const { poolId } = await createOAuthPool(app)
  await app.aws.createUserPoolDomain({ UserPoolId: poolId, Domain: 'shop' })
  const document = await documentOf(app, poolId)
  assert.equal(document['authorization_endpoint'], 'http://shop.localhost:9229/oauth2/authorize')
  assert.equal(document['token_endpoint'], 'http://localhost:9229/oauth2/token')
  assert.equal(document['userinfo_endpoint'], 'http://localhost:9229/oauth2/userInfo')
})

test('extensions are announced where they are switched on', async () => {
  const all = Object.keys(oauthExtensions) as (keyof typeof oauthExtensions)[]
  await using app = await openTestApp('sqlite', { settings: { oauthExtensions: all } })
  const { poolId } = await createOAuthPool(app)
  const document = await documentOf(app, poolId)
  assert.equal(document['introspection_endpoint'], `${app.url}/oauth2/introspect`)
  assert.equal(document['pushed_authorization_request_endpoint'], `${app.url}/oauth2/par`)
  assert.equal(document['device_authorization_endpoint'], `${app.url}/oauth2/device_authorization`)
  assert.equal(document['authorization_response_iss_parameter_supported'], true)
  assert.ok((document['grant_types_supported'] as string[]).includes('urn:ietf:params:oauth:grant-type:device_code'))
})
