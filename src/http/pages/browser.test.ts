import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { screenshot, withBrowser } from '../../../test/support/browser.ts'
import { authenticator, tokenFactor } from '../../../test/support/mfa.ts'
import { type OAuthClient, redeem } from '../../../test/support/oauth.ts'
import { createPagePool, pagePath } from '../../../test/support/pages.ts'
import { email } from '../../../test/support/pools.ts'
import { claimsOf, createUser, password } from '../../../test/support/sign-in.ts'

/** An application that shows where it was sent, and sends the browser on to another host, as many do. */
const application = async (): Promise<{ callback: string; server: Server }> => {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo
    if (request.url?.startsWith('/callback')) {
      response
        .writeHead(302, { location: `http://127.0.0.1:${port}/home${request.url.slice('/callback'.length)}` })
        .end()
    } else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Signed in</h1>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { callback: `http://localhost:${(server.address() as AddressInfo).port}/callback`, server }
}

onEachDatabase(testApp => {
  const open = withBrowser()
  let app: TestApp
  let home: Awaited<ReturnType<typeof application>>
  before(async () => {
    app = await testApp()
    home = await application()
  })
  after(() => {
    home.server.close()
    home.server.closeAllConnections()
  })

  const createClient = (...[pool, client]: [pool?: Parameters<typeof createPagePool>[1], client?: object]) =>
    createPagePool(app, pool, { CallbackURLs: [home.callback], ...client })
  const loginUrl = (client: OAuthClient, path = '/login') =>
    app.url + pagePath(client, path, { redirect_uri: home.callback })
  /** Everything that the browser complains about, such as what its policy forbids. */
  const complaintsOf = (page: Page): string[] => {
    const complaints: string[] = []
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
    return complaints
  }
  const signedInAs = async (client: OAuthClient, page: Page): Promise<unknown> => {
    await page.getByRole('heading', { name: 'Signed in' }).waitFor()
    const code = new URL(page.url()).searchParams.get('code') ?? ''
    const { json } = await redeem(app, client, code, { redirect_uri: home.callback })
    return claimsOf(String(json['id_token']))['cognito:username']
  }

  describe('without scripts', () => {
    test('a user signs up, confirms, sets up a second factor, and is signed in', async () => {
      const client = await createClient({
        Schema: [{ Name: 'email', AttributeDataType: 'String', Required: true, Mutable: true }],
      })
      await app.aws.setUserPoolMfaConfig({ UserPoolId: client.poolId, MfaConfiguration: 'ON', ...tokenFactor })
      const page = await open({ javaScriptEnabled: false })
      await page.goto(loginUrl(client))
      await screenshot(page, 'pages-sign-in')
      await page.getByRole('link', { name: 'Create an account' }).click()
      await page.getByLabel('Username').fill('ann')
      await page.getByLabel('Email').fill('ann@example.com')
      await page.getByLabel('Password', { exact: true }).fill(password)
      await page.getByLabel('Confirm password').fill('different')
      await page.getByRole('button', { name: 'Sign up' }).click()
      await page.getByText('The passwords do not match.').waitFor()
      await screenshot(page, 'pages-sign-up-refused')
      await page.getByLabel('Password', { exact: true }).fill(password)
      await page.getByLabel('Confirm password').fill(password)
      await page.getByRole('button', { name: 'Sign up' }).click()
      await page.getByLabel('Verification code').fill(await app.lastCode('ann@example.com'))
      await screenshot(page, 'pages-confirm')
      await page.getByRole('button', { name: 'Confirm account' }).click()
      await page.getByText('Show secret key').click()
      const secret = (await page.locator('code').innerText()).replaceAll(' ', '')
      await screenshot(page, 'pages-mfa-setup')
      await page.getByLabel('Code', { exact: true }).fill(authenticator(app, secret).code())
      await page.getByRole('button', { name: 'Verify' }).click()
      assert.equal(await signedInAs(client, page), 'ann')
      await page.goto(loginUrl(client))
      await screenshot(page, 'pages-signed-in')
      await page.getByRole('button', { name: 'Continue as ann' }).click()
      assert.equal(await signedInAs(client, page), 'ann')
    })
  })

  test('a user signs in with the keyboard alone', async () => {
    const client = await createClient()
    await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
    const page = await open()
    const complaints = complaintsOf(page)
    await page.goto(loginUrl(client))
    await page.locator('[name=username]:focus').waitFor()
    await page.keyboard.type('ann')
    await page.keyboard.press('Tab')
    await page.keyboard.type('Wr0ng!pass')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    assert.equal(await page.getByRole('alert').innerText(), 'Incorrect username or password.')
    await screenshot(page, 'pages-sign-in-refused')
    assert.equal(await page.locator(':focus').getAttribute('name'), 'password')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    assert.equal(await signedInAs(client, page), 'ann')
    assert.deepEqual(
      complaints.filter(text => !/400|favicon/.test(text)),
      [],
    )
  })

  test('on a domain with the classic pages a user gets a new password and signs in', async () => {
    const client = await createClient()
    const prefix = `classic-${app.kind}`
    await app.aws.createUserPoolDomain({ UserPoolId: client.poolId, Domain: prefix, ManagedLoginVersion: 1 })
    const verified = [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }]
    await createUser(app, client.poolId, 'ann', verified)
    const page = await open({ javaScriptEnabled: false })
    await page.goto(loginUrl(client).replace('127.0.0.1', `${prefix}.localhost`))
    await screenshot(page, 'pages-classic-sign-in')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('Username').fill('ann')
    await screenshot(page, 'pages-classic-forgot-password')
    await page.getByRole('button', { name: 'Reset my password' }).click()
    await page.getByLabel('Verification code').fill(await app.lastCode('ann@example.com'))
    await page.getByLabel('New password', { exact: true }).fill('An0ther!pw')
    await page.getByLabel('Enter the new password again').fill('An0ther!pw')
    await screenshot(page, 'pages-classic-reset-password')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('Your password has been changed.').waitFor()
    await page.getByLabel('Password').fill('An0ther!pw')
    await page.getByRole('button', { name: 'Sign in' }).click()
    assert.equal(await signedInAs(client, page), 'ann')
  })

  test('names that are markup run nothing', async () => {
    const name = '"><svg/onload=alert(1)>\'`{alert(1)}'
    const client = await createClient({ PoolName: 'a', MfaConfiguration: 'OFF' }, { ClientName: 'alert' })
    await createUser(app, client.poolId, name)
    const page = await open()
    const dialogs: string[] = []
    page.on('dialog', async dialog => {
      dialogs.push(dialog.message())
      await dialog.dismiss()
    })
    const strange = { state: name, lang: name, login_hint: name, nonce: name }
    await page.goto(app.url + pagePath(client, '/login', { redirect_uri: home.callback, ...strange }))
    assert.equal(await page.getByLabel('Username').inputValue(), name)
    await page.getByLabel('Password').fill(name)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    assert.equal(await signedInAs(client, page), name)
    await page.goto(loginUrl(client))
    await page.getByText(`You are signed in as ${name}.`).waitFor()
    await screenshot(page, 'pages-markup-as-name')
    assert.deepEqual(dialogs, [])
  })
})
