/** Passkeys on the pages in a real browser, with an authenticator that Chromium simulates. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { addAuthenticator, type VirtualAuthenticator } from '../../../test/support/amplify-page.ts'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { screenshot, withBrowser } from '../../../test/support/browser.ts'
import { type OAuthClient, redeem } from '../../../test/support/oauth.ts'
import { createPagePool, pagePath } from '../../../test/support/pages.ts'
import { email } from '../../../test/support/pools.ts'
import { allFlows, claimsOf, createUser, password } from '../../../test/support/sign-in.ts'

const open = withBrowser()

onEachDatabase(testApp => {
  let app: TestApp
  let domains = 0

  before(async () => {
    app = await testApp()
  })

  /** A pool with a domain, whose host is the relying party, and a user. */
  const createClient = async (): Promise<{ client: OAuthClient; host: string; callback: string }> => {
    domains += 1
    const prefix = `passkeys-${app.kind}-${domains}`
    const host = `http://${prefix}.localhost:${new URL(app.url).port}`
    const callback = `http://localhost:${new URL(app.url).port}/health`
    const client = await createPagePool(
      app,
      { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } } },
      { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH'], CallbackURLs: [callback] },
    )
    await app.aws.createUserPoolDomain({ UserPoolId: client.poolId, Domain: prefix, ManagedLoginVersion: 2 })
    await app.aws.createManagedLoginBranding({
      UserPoolId: client.poolId,
      ClientId: client.clientId,
      UseCognitoProvidedValues: true,
    })
    await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
    return { client, host, callback }
  }

  const openWithAuthenticator = async (): Promise<[Page, VirtualAuthenticator, string[]]> => {
    const page = await open()
    const complaints: string[] = []
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
    return [page, await addAuthenticator(page), complaints]
  }

  const claimsAfter = async (client: OAuthClient, page: Page, callback: string) => {
    await page.waitForURL(url => url.href.startsWith(callback))
    const code = new URL(page.url()).searchParams.get('code') ?? ''
    const { json } = await redeem(app, client, code, { redirect_uri: callback })
    const { 'cognito:username': username, amr } = claimsOf(String(json['id_token']))
    return { username, amr }
  }

  test('a user adds a passkey, and signs in with it and nothing else', async () => {
    const { client, host, callback } = await createClient()
    const [page, authenticator, complaints] = await openWithAuthenticator()

    await page.goto(host + pagePath(client, '/passkeys/add', { redirect_uri: callback, response_type: undefined }))
    await page.getByLabel('Username').fill('ann')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Add a passkey' }).waitFor()
    await screenshot(page, 'pages-add-passkey')
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    assert.deepEqual(await claimsAfter(client, page, callback), { username: 'ann', amr: ['pwd'] })
    const [credential, ...others] = await authenticator.credentials()
    assert.deepEqual(others, [])
    assert.equal(credential?.rpId, new URL(host).hostname)

    await page.context().clearCookies()
    const signIn = async (): Promise<void> => {
      await page.goto(host + pagePath(client, '/login', { redirect_uri: callback }))
      await page.getByLabel('Username').fill('ann')
      await page.getByRole('button', { name: 'Next' }).click()
      await page.getByRole('heading', { name: 'Choose how to sign in' }).waitFor()
      await page.getByRole('button', { name: 'Passkey' }).click()
    }
    await signIn()
    assert.deepEqual(await claimsAfter(client, page, callback), { username: 'ann', amr: ['swk'] })
    // The application has no icon.
    assert.deepEqual(
      complaints.filter(text => !text.includes('404')),
      [],
    )

    // The authenticator has lost its passkeys: the page says so, and works again when they are back.
    await page.context().clearCookies()
    await authenticator.clear()
    await signIn()
    await page.getByText('The passkey did not work, or the request was cancelled. Try again.').waitFor()
    await screenshot(page, 'pages-passkey-failed')
    assert.ok(credential)
    await authenticator.add({ ...credential, signCount: 100 })
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    assert.deepEqual(await claimsAfter(client, page, callback), { username: 'ann', amr: ['swk'] })

    // A copy that has been used less often than the passkey is refused by the server.
    await page.context().clearCookies()
    await authenticator.clear()
    await authenticator.add({ ...credential, signCount: 1 })
    await signIn()
    await page.getByRole('alert').filter({ hasText: 'The passkey did not work' }).first().waitFor()
    await page.getByRole('link', { name: 'Try another way' }).click()
    await page.getByLabel('Username').waitFor()
    await page.context().close()
  })

  test('without a script the page says that it needs one, and offers another way', async () => {
    const { client, host, callback } = await createClient()
    const page = await open({ javaScriptEnabled: false })
    await page.goto(host + pagePath(client, '/passkeys/add', { redirect_uri: callback }))
    await page.getByLabel('Username').fill('ann')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    const warning = page.locator('noscript').getByRole('alert')
    await warning.waitFor()
    assert.match((await warning.textContent()) ?? '', /^Passkeys need JavaScript/)
    assert.equal(await page.getByRole('button', { name: 'Add a passkey' }).isVisible(), false)
    await screenshot(page, 'pages-passkey-without-script')
    await page.getByRole('button', { name: 'Not now' }).click()
    assert.deepEqual(await claimsAfter(client, page, callback), { username: 'ann', amr: ['pwd'] })
    await page.context().close()
  })
})
