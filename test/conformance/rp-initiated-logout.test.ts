/** The plan `oidcc-rp-initiated-logout-certification-test-plan` of the OpenID conformance suite, module by module. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openPlan, type Plan } from '../support/conformance.ts'
import type { Fields } from '../support/oauth.ts'
import type { FormBrowser } from '../support/pages.ts'

const bye = 'https://app.example/bye'

describe('oidcc-rp-initiated-logout-certification-test-plan', () => {
  let plan: Plan
  before(async () => {
    plan = await openPlan()
  })
  after(() => plan[Symbol.asyncDispose]())

  const signedIn = async () => {
    const browser = plan.browser()
    const { json } = await plan.tokens(await plan.authorize(browser))
    return { browser, hint: String(json['id_token']) }
  }
  const logout = (browser: FormBrowser, fields: Fields) => {
    const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return browser.open(`/logout?${new URLSearchParams(given)}`)
  }
  const isSignedIn = async (browser: FormBrowser) =>
    (await plan.open(browser, { prompt: 'none' })).location?.includes('code=') === true

  test('discovery-endpoint-verification: the document names the endpoint', () => {
    assert.equal(plan.discovery['end_session_endpoint'], `${plan.app.url}/logout`)
  })

  test('rp-initiated-logout: back to the application with its state, and signed out', async () => {
    const { browser, hint } = await signedIn()
    assert.equal(await isSignedIn(browser), true)
    const fields = { id_token_hint: hint, post_logout_redirect_uri: bye, state: 'st' }
    assert.equal((await logout(browser, fields)).location, `${bye}?state=st`)
    assert.equal(await isSignedIn(browser), false)
  })

  test('no-state: back without one', async () => {
    const { browser, hint } = await signedIn()
    assert.equal((await logout(browser, { id_token_hint: hint, post_logout_redirect_uri: bye })).location, bye)
    assert.equal(await isSignedIn(browser), false)
  })

  test('bad-post-logout-redirect-uri, query-added-to-post-logout-redirect-uri: a page, and no redirect', async () => {
    for (const post_logout_redirect_uri of ['https://app.example/other', `${bye}?extra=1`]) {
      const { browser, hint } = await signedIn()
      const page = await logout(browser, { id_token_hint: hint, post_logout_redirect_uri, state: 'st' })
      assert.deepEqual([page.status, page.location], [400, undefined])
    }
  })

  test('bad-id-token-hint, modified-id-token-hint: a page, no redirect, and still signed in', async () => {
    const { browser, hint } = await signedIn()
    const [header, payload = '', signature] = hint.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const modified = Buffer.from(JSON.stringify({ ...claims, sub: 'other' })).toString('base64url')
    for (const id_token_hint of ['bad', `${header}.${modified}.${signature}`]) {
      const page = await logout(browser, { id_token_hint, post_logout_redirect_uri: bye, state: 'st' })
      assert.deepEqual([page.status, page.location], [400, undefined])
      assert.equal(await isSignedIn(browser), true)
    }
  })

  test('no-id-token-hint, no-params, only-state: without client or hint nobody knows whose session is meant', async () => {
    const { browser } = await signedIn()
    for (const fields of [{ post_logout_redirect_uri: bye, state: 'st' }, {}, { state: 'st' }]) {
      const page = await logout(browser, fields)
      assert.deepEqual([page.status, page.location], [400, undefined])
    }
    assert.equal(await isSignedIn(browser), true)
    const named = { client_id: plan.client.clientId, post_logout_redirect_uri: bye, state: 'st' }
    assert.equal((await logout(browser, named)).location, `${bye}?state=st`)
  })

  test('no-post-logout-redirect-uri: signed out, which a page says', async () => {
    const { browser, hint } = await signedIn()
    const page = await logout(browser, { id_token_hint: hint })
    assert.deepEqual([page.status, page.heading], [200, 'You are signed out'])
    assert.equal(await isSignedIn(browser), false)
  })
})
