/** Unmodified OAuth and OpenID Connect libraries of servers, with users who sign in on the pages in a real browser. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { JwtVerifier } from 'aws-jwt-verify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { type OAuthExtension, oauthExtensions } from '../../src/core/oauth-extensions.ts'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { withBrowser } from '../support/browser.ts'
import { createOAuthClient, createOAuthPool, type OAuthClient } from '../support/oauth.ts'
import { email } from '../support/pools.ts'
import { passThrough, type RelyingParty, signInAt, withRelyingParty } from '../support/relying-party.ts'
import { createUser } from '../support/sign-in.ts'

const all = Object.keys(oauthExtensions) as OAuthExtension[]

onEachDatabase(testApp => {
  const open = withBrowser()
  const listen = withRelyingParty()
  let app: TestApp
  let home: RelyingParty
  let confidential: OAuthClient
  let openClient: OAuthClient
  before(async () => {
    app = await testApp({ realTime: true, settings: { oauthExtensions: all } })
    home = await listen()
    const urls = { CallbackURLs: [home.callback], LogoutURLs: [home.bye] }
    confidential = await createOAuthPool(app, { GenerateSecret: true, ...urls })
    openClient = await createOAuthClient(app, confidential.poolId, urls)
    await createUser(app, confidential.poolId, 'ann', [email('ann@example.com')])
    const Scopes = [{ ScopeName: 'read', ScopeDescription: 'read' }]
    await app.aws.createResourceServer({ UserPoolId: confidential.poolId, Identifier: 'api', Name: 'api', Scopes })
  })
  const issuer = () => new URL(`${app.url}/${confidential.poolId}`)
  const discover = (of: OAuthClient, authentication?: client.ClientAuth) =>
    client.discovery(
      issuer(),
      of.clientId,
      of.clientSecret === '' ? undefined : of.clientSecret,
      of.clientSecret === '' ? client.None() : authentication,
      { execute: [client.allowInsecureRequests] },
    )

  test('openid-client: code flow with PKCE, state and nonce, userinfo, refresh, revocation and sign-out', async () => {
    const config = await discover(confidential)
    assert.equal(config.serverMetadata().supportsPKCE(), true)
    const page = await open()
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: home.callback,
      scope: 'openid email',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
    })
    const tokens = await client.authorizationCodeGrant(config, await signInAt(page, url, 'ann', home), {
      pkceCodeVerifier,
      expectedState,
      expectedNonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    assert.equal(claims?.['email'], 'ann@example.com')
    const info = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
    assert.equal(info.email, 'ann@example.com')
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
    assert.equal(refreshed.claims()?.sub, claims?.sub)
    assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, true)
    await client.tokenRevocation(config, tokens.refresh_token ?? '')
    assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false)
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token ?? ''), { error: 'invalid_grant' })
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? ''))

    const end = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: home.bye,
      state: 'over',
    })
    await page.goto(end.href)
    assert.equal(page.url(), `${home.bye}?state=over`)
    const silent = client.buildAuthorizationUrl(config, {
      redirect_uri: home.callback,
      scope: 'openid',
      prompt: 'none',
    })
    const answer = await passThrough(page, silent, home)
    assert.equal(answer.searchParams.get('error'), 'login_required')
  })

  test('openid-client: a public client, both ways of a secret, client credentials and max_age', async () => {
    const page = await open()
    const config = await discover(openClient)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const parameters = {
      redirect_uri: home.callback,
      scope: 'openid profile',
      max_age: '600',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    }
    const first = await signInAt(page, client.buildAuthorizationUrl(config, parameters), 'ann', home)
    const tokens = await client.authorizationCodeGrant(config, first, { pkceCodeVerifier, maxAge: 600 })
    assert.equal(tokens.claims()?.['cognito:username'], 'ann')
    // The second application does not ask the user again.
    for (const authentication of [client.ClientSecretBasic(), client.ClientSecretPost()]) {
      const second = await discover(confidential, authentication)
      const url = client.buildAuthorizationUrl(second, { redirect_uri: home.callback, scope: 'openid' })
      const silent = await client.authorizationCodeGrant(second, await passThrough(page, url, home))
      assert.equal(silent.claims()?.auth_time, tokens.claims()?.auth_time)
    }
    const machine = await createOAuthClient(app, openClient.poolId, {
      GenerateSecret: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: ['api/read'],
    })
    const own = await client.clientCredentialsGrant(await discover(machine), { scope: 'api/read' })
    assert.equal(own.expires_in, 3_600)
    await assert.rejects(client.clientCredentialsGrant(await discover(machine), { scope: 'api/x' }), {
      error: 'invalid_scope',
    })
    await assert.rejects(client.clientCredentialsGrant(await discover({ ...machine, clientSecret: 'x' })), {
      error: 'invalid_client',
    })
  })

  test('openid-client: pushed authorization requests and dynamic registration', async () => {
    const page = await open()
    const config = await discover(confidential)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: home.callback,
      scope: 'openid email',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
    const tokens = await client.authorizationCodeGrant(config, await signInAt(page, url, 'ann', home), {
      pkceCodeVerifier,
    })
    assert.equal(tokens.claims()?.['email'], 'ann@example.com')

    await app.aws.updateUserPool({ UserPoolId: confidential.poolId, DcrConfiguration: { OpenDcrEnabled: true } })
    const registered = await client.dynamicClientRegistration(
      issuer(),
      { redirect_uris: [home.callback], client_name: 'Registered' },
      undefined,
      { execute: [client.allowInsecureRequests] },
    )
    const again = client.buildAuthorizationUrl(registered, { redirect_uri: home.callback, scope: 'openid' })
    const other = await client.authorizationCodeGrant(registered, await passThrough(page, again, home))
    assert.equal(other.claims()?.aud, registered.clientMetadata().client_id)
  })

  test('oauth4webapi: code flow with all of its checks', async () => {
    const options = { [oauth.allowInsecureRequests]: true }
    const as = await oauth.processDiscoveryResponse(issuer(), await oauth.discoveryRequest(issuer(), options))
    const own: oauth.Client = { client_id: confidential.clientId }
    const authentication = oauth.ClientSecretBasic(confidential.clientSecret)
    const verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const url = new URL(as.authorization_endpoint ?? '')
    url.search = new URLSearchParams({
      client_id: own.client_id,
      redirect_uri: home.callback,
      response_type: 'code',
      scope: 'openid phone',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    }).toString()
    const callback = oauth.validateAuthResponse(as, own, await signInAt(await open(), url, 'ann', home), state)
    const response = await oauth.authorizationCodeGrantRequest(
      as,
      own,
      authentication,
      callback,
      home.callback,
      verifier,
      options,
    )
    const result = await oauth.processAuthorizationCodeResponse(as, own, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    })
    await oauth.validateApplicationLevelSignature(as, response, options)
    const claims = oauth.getValidatedIdTokenClaims(result)
    const info = await oauth.userInfoRequest(as, own, result.access_token, options)
    assert.equal((await oauth.processUserInfoResponse(as, own, claims?.sub ?? '', info)).sub, claims?.sub)
    const replay = await oauth.authorizationCodeGrantRequest(
      as,
      own,
      authentication,
      callback,
      home.callback,
      verifier,
      options,
    )
    await assert.rejects(oauth.processAuthorizationCodeResponse(as, own, replay), { error: 'invalid_grant' })
  })

  test('aws-jwt-verify and jose accept the tokens and nobody else’s', async () => {
    const page = await open()
    const config = await discover(confidential)
    const url = client.buildAuthorizationUrl(config, { redirect_uri: home.callback, scope: 'openid email' })
    const tokens = await client.authorizationCodeGrant(config, await signInAt(page, url, 'ann', home))
    const jwks = new URL(`${issuer().href}/.well-known/jwks.json`)
    const options = { issuer: issuer().href, audience: confidential.clientId }
    assert.equal((await jwtVerify(tokens.id_token ?? '', createRemoteJWKSet(jwks), options)).payload['token_use'], 'id')
    const verifier = JwtVerifier.create({ issuer: issuer().href, audience: null, jwksUri: jwks.href })
    verifier.cacheJwks((await (await fetch(jwks)).json()) as Parameters<typeof verifier.cacheJwks>[0])
    const access = await verifier.verify(tokens.access_token)
    assert.equal(access['client_id'], confidential.clientId)
    assert.equal(access['scope'], 'openid email')
    await assert.rejects(verifier.verify(`${tokens.access_token.slice(0, -4)}AAAA`))
  })
})
