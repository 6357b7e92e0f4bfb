import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  answerIn,
  authorizeUrl,
  callback,
  createOAuthClient,
  type OAuthClient,
  redeem,
} from '../../../test/support/oauth.ts'
import {
  claimsAfter,
  createPagePool,
  type FormBrowser,
  formBrowser,
  pagePath,
  submitted,
} from '../../../test/support/pages.ts'
import { email } from '../../../test/support/pools.ts'
import { claimsOf, createUser, password } from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  before(async () => {
    app = await testApp()
    client = await createPagePool(app)
    await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
  })

  const signIn = async (browser: FormBrowser, values: Record<string, string>, at = client) =>
    browser.submit(await browser.open(pagePath(at)), values)

  describe('name and password', () => {
    test('lead back to the application with a code, the state, and a session of the browser', async () => {
      const browser = formBrowser(app)
      const page = await browser.open(authorizeUrl(app, client, { state: 'a b&=é', scope: 'openid' }))
      assert.equal(page.heading, 'Sign in')
      const { location } = await browser.submit(page, { username: 'ann', password })
      assert.ok(location?.startsWith(`${callback}?code=`))
      assert.equal(answerIn(location ?? null).get('state'), 'a b&=é')
      const { status, json } = await redeem(app, client, answerIn(location ?? null).get('code') ?? '')
      assert.equal(status, 200)
      assert.equal(claimsOf(String(json['id_token']))['cognito:username'], 'ann')
      const again = await browser.open(authorizeUrl(app, client))
      assert.ok(again.location?.startsWith(`${callback}?code=`))
    })

    test('that are wrong are refused on the page, which keeps the name and not the password', async () => {
      const browser = formBrowser(app)
      const page = await signIn(browser, { username: 'ann', password: 'Wr0ng!pass' })
      assert.equal(page.status, 400)
      assert.deepEqual(page.alerts, ['Incorrect username or password.'])
      assert.equal(page.forms[0]?.values['username'], 'ann')
      assert.equal(page.forms[0]?.values['password'], '')
      assert.ok(!page.body.includes('Wr0ng!pass'))
      assert.match((await browser.submit(page, { password })).location ?? '', /code=/)
    })

    test('that are missing are asked for beside their fields', async () => {
      const { errors } = await signIn(formBrowser(app), { username: '', password: '' })
      assert.deepEqual(errors, {
        signInFormUsername: 'This field is required.',
        signInFormPassword: 'This field is required.',
      })
    })

    test('of a client with a secret need no secret hash', async () => {
      const confidential = await createPagePool(app, {}, { GenerateSecret: true })
      await createUser(app, confidential.poolId, 'ann')
      const { location } = await signIn(formBrowser(app), { username: 'ann', password }, confidential)
      assert.equal((await redeem(app, confidential, answerIn(location ?? null).get('code') ?? '')).status, 200)
    })

    test('are refused while a lock is in force', async () => {
      await createUser(app, client.poolId, 'locked')
      const browser = formBrowser(app)
      for (let tries = 0; tries < 5; tries += 1) await signIn(browser, { username: 'locked', password: 'Wr0ng!pass' })
      assert.deepEqual((await signIn(browser, { username: 'locked', password })).alerts, ['Password attempts exceeded'])
      app.advance(minutes(1))
      assert.match((await signIn(browser, { username: 'locked', password })).location ?? '', /code=/)
    })
  })

  test('too many requests are refused as in the API, on the page', async () => {
    await using limited = await testApp({ settings: { rateLimits: { UserAuthentication: 1 } } })
    const at = await createPagePool(limited)
    await createUser(limited, at.poolId, 'ann')
    const browser = formBrowser(limited)
    const page = await browser.open(pagePath(at))
    await browser.submit(page, { username: 'ann', password: 'Wr0ng!pass' })
    const refused = await browser.submit(page, { username: 'ann', password })
    assert.deepEqual(refused.alerts, ['Too many requests. Please try again after some time.'])
  })

  test('a client that hides users says the same of nobody and of a wrong password, after as many statements', async () => {
    const hiding = await createPagePool(app, {}, { PreventUserExistenceErrors: 'ENABLED' })
    await createUser(app, hiding.poolId, 'ann')
    const pages = []
    // The first one finds nothing in the caches.
    for (const username of ['cid', 'ann', 'bob']) {
      const before = app.statements()
      const { status, alerts, errors } = await signIn(formBrowser(app), { username, password: 'Wr0ng!pass' }, hiding)
      pages.push({ status, alerts, errors, statements: app.statements() - before })
    }
    assert.deepEqual(pages[1], pages[2])
    const open = await signIn(formBrowser(app), { username: 'bob', password })
    assert.deepEqual(open.alerts, ['User does not exist.'])
  })

  describe('a browser in which somebody is signed in', () => {
    test('may go on as the same user or sign in as another', async () => {
      await createUser(app, client.poolId, 'eve')
      const browser = formBrowser(app)
      await signIn(browser, { username: 'ann', password })
      const chooser = await browser.open(pagePath(client))
      assert.match(chooser.body, /Continue as ann/)
      const same = await browser.submit(chooser, { continue: 'true' })
      assert.match(same.location ?? '', /code=/)
      const form = await browser.open(pagePath(client, '/login', { prompt: 'login' }))
      const other = await browser.submit(form, { username: 'eve', password })
      const { json } = await redeem(app, client, answerIn(other.location ?? null).get('code') ?? '')
      assert.equal(claimsOf(String(json['id_token']))['cognito:username'], 'eve')
      assert.match((await browser.open(pagePath(client))).body, /Continue as eve/)
    })

    test('has to sign in anew when the session has ended meanwhile', async () => {
      const browser = formBrowser(app)
      await signIn(browser, { username: 'ann', password })
      const chooser = await browser.open(pagePath(client))
      app.advance(minutes(61))
      const form = await browser.submit(chooser, { continue: 'true' })
      assert.equal(form.location, undefined)
      assert.equal(form.heading, 'Sign in')
    })
  })

  test('the tokens name the event in the history of the user, whichever client has taken the session up', async () => {
    const watched = await createPagePool(app, {
      UserPoolTier: 'PLUS',
      UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' },
    })
    await createUser(app, watched.poolId, 'ann')
    const { browser, page } = await submitted(app, watched, '/login', { username: 'ann', password })
    const { AuthEvents = [] } = await app.aws.adminListUserAuthEvents({ UserPoolId: watched.poolId, Username: 'ann' })
    const { event_id } = await claimsAfter(app, watched, page)
    assert.equal(AuthEvents.length, 1)
    assert.equal(event_id, AuthEvents[0]?.EventId)
    const other = { ...watched, ...(await createOAuthClient(app, watched.poolId)) }
    const taken = await browser.open(pagePath(other, '/oauth2/authorize'))
    const { event_id: again } = await claimsAfter(app, other, taken)
    assert.equal(again, event_id)
    const implicit = await browser.open(pagePath(other, '/oauth2/authorize', { response_type: 'token' }))
    const idToken = answerIn(implicit.location ?? '').get('id_token') ?? ''
    assert.equal(claimsOf(idToken)['event_id'], event_id)
  })

  test('two tabs do not disturb each other', async () => {
    const browser = formBrowser(app)
    const [one, other] = [
      await browser.open(pagePath(client, '/login', { state: 'one' })),
      await browser.open(pagePath(client, '/login', { state: 'other' })),
    ]
    const first = await browser.submit(one, { username: 'ann', password })
    const second = await browser.submit(other, { username: 'ann', password })
    assert.equal(answerIn(first.location ?? null).get('state'), 'one')
    assert.equal(answerIn(second.location ?? null).get('state'), 'other')
  })
})
