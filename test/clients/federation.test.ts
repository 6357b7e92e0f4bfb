/**
 * Sign-in through a provider of OpenID Connect that is none of ours, in a real browser: an application with an unmodified
 * library, the pages of this server in both looks, and oidc-provider behind them.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { Provider } from 'oidc-provider'
import * as client from 'openid-client'
import type { Page } from 'playwright-core'
import { openTestApp, type TestApp } from '../support/app.ts'
import { screenshot, withBrowser } from '../support/browser.ts'
import { addProvider, clientId, clientSecret } from '../support/identity-provider.ts'
import { createOAuthClient, createOAuthPool } from '../support/oauth.ts'
import { type RelyingParty, withRelyingParty } from '../support/relying-party.ts'

const open = withBrowser()
const listen = withRelyingParty()
let app: TestApp
let home: RelyingParty
let issuer: string
const server = createServer()

before(async () => {
  app = await openTestApp('sqlite', { realTime: true })
  home = await listen()
  await new Promise<void>(resolve => server.listen(0, resolve))
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [`${app.url}/oauth2/idpresponse`],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['key'] },
    pkce: { required: () => false },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: `${accountId}@example.com`, email_verified: true, name: 'Ann Lee' }),
    }),
  })
  server.on('request', provider.callback())
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await app.close()
})

const social = { client_id: 'x', client_secret: 'x' }
const newPool = async (classic: boolean) => {
  const { poolId } = await createOAuthPool(app, {}, classic ? { UserPoolTier: 'LITE' } : {})
  const add = (type: 'Google' | 'Facebook' | 'LoginWithAmazon' | 'SignInWithApple', ProviderDetails: object) =>
    app.aws.createIdentityProvider({
      UserPoolId: poolId,
      ProviderName: type,
      ProviderType: type,
      ProviderDetails: { ...social, ...ProviderDetails },
    })
  await addProvider(app, poolId, { issuer }, { ProviderDetails: { authorize_scopes: 'openid email profile' } })
  await add('Google', { authorize_scopes: 'openid' })
  await add('Facebook', { authorize_scopes: 'email' })
  await add('LoginWithAmazon', { authorize_scopes: 'profile' })
  await add('SignInWithApple', { authorize_scopes: 'email', team_id: 't', key_id: 'k', private_key: 'p' })
  return createOAuthClient(app, poolId, {
    GenerateSecret: true,
    CallbackURLs: [home.callback],
    SupportedIdentityProviders: ['COGNITO', 'Google', 'Facebook', 'SignInWithApple', 'LoginWithAmazon', 'Corp'],
  })
}

/** What the page of oidc-provider asks for by itself, without the fonts that it would fetch. */
const newBrowser = async (): Promise<Page> => {
  const page = await open()
  await page.route(/^https:/, route => route.abort())
  return page
}

for (const classic of [false, true]) {
  const look = classic ? 'the classic pages' : 'managed login'
  test(`a user of oidc-provider comes by ${look} to an application of openid-client`, async () => {
    const pool = await newPool(classic)
    const config = await client.discovery(
      new URL(`${app.url}/${pool.poolId}`),
      pool.clientId,
      pool.clientSecret,
      undefined,
      { execute: [client.allowInsecureRequests] },
    )
    const page = await newBrowser()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const parameters = {
      redirect_uri: home.callback,
      scope: 'openid email profile',
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    }
    const url = client.buildAuthorizationUrl(config, parameters).href
    await page.goto(url)
    await screenshot(page, `providers-${classic ? 'classic' : 'managed'}`)

    // The user changes his mind.
    const label = classic ? 'Corp' : 'Continue with Corp'
    await page.getByRole('link', { name: label }).click()
    await page.getByText('Cancel').click()
    await page.waitForURL(`${home.callback}**`)
    assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied')

    await page.goto(url)
    await page.getByRole('link', { name: label }).click()
    await page.locator('input[name=login]').fill('ann')
    await page.locator('input[name=password]').fill('any')
    await page.getByRole('button', { name: 'Sign-in' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${home.callback}**`)
    const tokens = await client.authorizationCodeGrant(config, new URL(page.url()), {
      pkceCodeVerifier,
      expectedState,
      expectedNonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    assert.equal(claims?.['cognito:username'], 'Corp_ann')
    assert.deepEqual(
      [claims?.['email'], claims?.['email_verified'], claims?.['name']],
      ['ann@example.com', true, 'Ann Lee'],
    )
    const info = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
    assert.equal(info['username'], 'Corp_ann')

    // The session of the browser is good for the provider: nobody is asked again.
    await page.goto(client.buildAuthorizationUrl(config, { ...parameters, identity_provider: 'Corp' }).href)
    await page.waitForURL(`${home.callback}?code=**`)
    // With prompt=login the provider is told to ask, whatever session it has.
    await page.goto(
      client.buildAuthorizationUrl(config, { ...parameters, identity_provider: 'Corp', prompt: 'login' }).href,
    )
    assert.equal(new URL(page.url()).origin, issuer)
    await page.locator('input[name=login]').waitFor()
    await page.context().close()
  })
}
