import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateIdentityProviderCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { fetchFrom, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { addProvider, clientId, clientSecret } from '../../../test/support/identity-provider.ts'
import { createOAuthClient, createOAuthPool, type OAuthClient } from '../../../test/support/oauth.ts'
import { formBrowser, pagePath, type ShownPage } from '../../../test/support/pages.ts'
import { createUser, password } from '../../../test/support/sign-in.ts'

const endpoints = {
  authorize_url: 'https://idp.example.com/authorize',
  token_url: 'https://idp.example.com/token',
  attributes_url: 'https://idp.example.com/userinfo',
  jwks_uri: 'https://idp.example.com/keys',
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp({ fetch: fetchFrom(new Map()) })
  })

  const add = (poolId: string, ProviderName: string, more: Partial<CreateIdentityProviderCommandInput> = {}) =>
    addProvider(
      app,
      poolId,
      { issuer: 'https://idp.example.com' },
      { ProviderName, ProviderDetails: endpoints, ...more },
    )
  const addGoogle = (poolId: string) =>
    add(poolId, 'Google', {
      ProviderType: 'Google',
      ProviderDetails: { client_id: clientId, client_secret: clientSecret, authorize_scopes: 'openid' },
      AttributeMapping: {},
    })
  const clientOf = (poolId: string, ...names: string[]) =>
    createOAuthClient(app, poolId, { SupportedIdentityProviders: names })
  /** A pool on Lite, which has the classic pages. */
  const newPool = async (classic = false) =>
    (await createOAuthPool(app, {}, classic ? { UserPoolTier: 'LITE' } : {})).poolId
  const links = ({ body }: ShownPage) =>
    [...body.matchAll(/<a class="provider [^"]*" href="([^"]*)">(.*?)<\/a>/gs)].map(([, href = '', label = '']) => ({
      to: new URL(href.replaceAll('&amp;', '&'), app.url),
      label: label.replace(/<svg.*?<\/svg>/gs, '').replace(/<[^>]*>/g, ''),
    }))
  const open = (client: OAuthClient, fields = {}) => formBrowser(app).open(pagePath(client, '/login', fields))

  for (const classic of [false, true]) {
    describe(classic ? 'the classic sign-in page' : 'the sign-in page', () => {
      test('has a button for each provider of the client, which keeps what the application asks for', async () => {
        const poolId = await newPool(classic)
        await addGoogle(poolId)
        await add(poolId, 'Corp')
        await add(poolId, 'Hidden')
        const page = await open(await clientOf(poolId, 'COGNITO', 'Corp', 'Google'), { nonce: 'n', scope: 'openid' })
        const shown = links(page)
        assert.deepEqual(
          new Set(shown.map(({ label }) => label)),
          new Set(classic ? ['Continue with Google', 'Corp'] : ['Continue with Google', 'Continue with Corp']),
        )
        const to = shown.find(({ label }) => label.includes('Google'))?.to ?? assert.fail()
        assert.equal(to.pathname, '/oauth2/authorize')
        assert.deepEqual(
          ['identity_provider', 'state', 'nonce', 'scope'].map(name => to.searchParams.get(name)),
          ['Google', 'state-1', 'n', 'openid'],
        )
        assert.match(page.body, /name="password"/)
        assert.equal(page.body.includes("We won't post") || page.body.includes('We won&#39;t post'), classic)
      })

      test('is for the users of the pool alone when the application asks for it', async () => {
        const poolId = await newPool(classic)
        await add(poolId, 'Corp')
        const page = await open(await clientOf(poolId, 'COGNITO', 'Corp'), { identity_provider: 'COGNITO' })
        assert.deepEqual(links(page), [])
        assert.match(page.body, /name="password"/)
      })

      test('has no form, and no way around it, for a client with other providers only', async () => {
        const poolId = await newPool(classic)
        await add(poolId, 'Corp')
        await add(poolId, 'Other')
        const client = await clientOf(poolId, 'Corp', 'Other')
        await createUser(app, poolId, 'ann')
        const browser = formBrowser(app)
        const page = await browser.open(pagePath(client))
        assert.equal(page.status, 200)
        assert.equal(links(page).length, 2)
        assert.equal(page.forms.length, 0)
        assert.equal(/signup|forgotPassword/.test(page.body), false)
        for (const path of ['/signup', '/forgotPassword']) {
          assert.match((await browser.open(pagePath(client, path))).url, /^\/login\?/)
        }
        const local = await browser.open(pagePath(await clientOf(poolId, 'COGNITO')))
        const values = { ...local.forms[0]?.values, username: 'ann', password }
        const refused = await browser.post(pagePath(client), values)
        assert.equal(refused.location, undefined)
        assert.equal(refused.heading, page.heading)
      })
    })
  }

  test('a page that was opened for the one provider leads there', async () => {
    const poolId = await newPool()
    await add(poolId, 'Corp')
    const page = await open(await clientOf(poolId, 'Corp'))
    assert.match(page.location ?? '', /^https:\/\/idp\.example\.com\/authorize\?/)
  })

  test('a provider that was deleted has no button', async () => {
    const poolId = await newPool()
    await add(poolId, 'Corp')
    const client = await clientOf(poolId, 'COGNITO', 'Corp')
    await app.aws.deleteIdentityProvider({ UserPoolId: poolId, ProviderName: 'Corp' })
    assert.deepEqual(links(await open(client)), [])
  })

  describe('several organizations that can be found by a domain', () => {
    let client: OAuthClient
    before(async () => {
      const poolId = await newPool(true)
      await add(poolId, 'Corp', { IdpIdentifiers: ['Corp.example', 'corp.test'] })
      await add(poolId, 'Other', { IdpIdentifiers: ['other.example'] })
      await add(poolId, 'Foreign', { IdpIdentifiers: ['foreign.example'] })
      client = await clientOf(poolId, 'COGNITO', 'Corp', 'Other')
    })
    const search = async (email: string) => {
      const browser = formBrowser(app)
      const page = await browser.open(pagePath(client))
      const index = page.forms.findIndex(({ values }) => 'email' in values)
      return browser.submit(page, { email }, index)
    }

    test('have one field on the classic page, which leads to the right one', async () => {
      const page = await open(client)
      assert.deepEqual(links(page), [])
      assert.match(page.headers.get('content-security-policy') ?? '', /form-action 'self' [^;]*https:/)
      const found = await search(' Ann@CORP.example ')
      assert.match(found.location ?? '', /^https:\/\/idp\.example\.com\/authorize\?/)
      assert.match((await search('ann@other.example')).location ?? '', /^https:\/\/idp\.example\.com\//)
    })

    test('are not found by other domains, nor by those of providers that the client does not have', async () => {
      for (const email of ['', 'ann@nowhere.example', 'ann@foreign.example', '__proto__', 'x'.repeat(300)]) {
        const page = await search(email)
        assert.equal(page.location, undefined)
        assert.deepEqual(page.errors, { providerSearch: 'We found no sign-in page for this email address.' })
      }
    })
  })

  test('managed login finds organizations by a domain when the branding says so', async () => {
    const poolId = await newPool()
    await addGoogle(poolId)
    await add(poolId, 'Corp', { IdpIdentifiers: ['corp.example'] })
    const client = await clientOf(poolId, 'COGNITO', 'Corp', 'Google')
    await app.aws.createManagedLoginBranding({
      UserPoolId: poolId,
      ClientId: client.clientId,
      Settings: { categories: { auth: { federation: { interfaceStyle: 'DOMAIN_SEARCH' } } } },
    })
    const page = await open(client)
    assert.deepEqual(
      links(page).map(({ label }) => label),
      ['Continue with Google'],
    )
    assert.match(page.body, /id="providerSearch"/)
  })
})
