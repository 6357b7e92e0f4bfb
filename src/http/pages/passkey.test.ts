import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { WebAuthnConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { answerIn, callback, type OAuthClient, redeem } from '../../../test/support/oauth.ts'
import { createPagePool, type FormBrowser, formBrowser, pagePath, type ShownPage } from '../../../test/support/pages.ts'
import { newPasskey, registerPasskey, type Saying, type TestPasskey } from '../../../test/support/passkeys.ts'
import { email } from '../../../test/support/pools.ts'
import { allFlows, claimsOf, createUser, password, signIn } from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  /** As browsers reach it by a name: an address can have no passkeys. */
  let named: TestApp
  let here: Saying

  before(async () => {
    app = await testApp()
    named = { ...app, url: app.url.replace('127.0.0.1', 'localhost') }
    here = { origin: named.url, relyingPartyId: 'localhost' }
  })

  const createClient = async (
    webAuthn: WebAuthnConfigurationType = { RelyingPartyId: 'localhost' },
    factors: ('PASSWORD' | 'WEB_AUTHN' | 'EMAIL_OTP')[] = ['PASSWORD', 'WEB_AUTHN'],
  ): Promise<OAuthClient> => {
    const client = await createPagePool(
      app,
      { Policies: { SignInPolicy: { AllowedFirstAuthFactors: factors } } },
      { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH'] },
    )
    await app.aws.setUserPoolMfaConfig({ UserPoolId: client.poolId, WebAuthnConfiguration: webAuthn })
    return client
  }

  /** A user who has a passkey already. */
  const withPasskey = async (client: OAuthClient): Promise<TestPasskey> => {
    await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
    const { access } = await signIn(app, client.clientId, 'ann')
    return registerPasskey(app, access, newPasskey('ES256', here))
  }

  const usernameAfter = async (client: OAuthClient, { location, heading, alerts }: ShownPage) => {
    assert.ok(location, `${heading} ${alerts}`)
    const { json } = await redeem(app, client, answerIn(location).get('code') ?? '')
    const { 'cognito:username': username, amr } = claimsOf(String(json['id_token']))
    return { username, amr }
  }

  /** What the page asks the browser for. */
  const requestOf = ({ body }: ShownPage) => {
    const [, kind, options = ''] = /id="passkey-request" data-kind="(\w+)" data-options="(.*?)"/.exec(body) ?? []
    return { kind, options: JSON.parse(options.replaceAll('&quot;', '"') || '{}') as { challenge: string } }
  }

  const choose = async (client: OAuthClient, browser: FormBrowser = formBrowser(named)) => {
    const named = await browser.submit(await browser.open(pagePath(client)), { username: 'ann' })
    return { browser, choice: named, page: await browser.submit(named, { answer: 'WEB_AUTHN' }) }
  }

  describe('the sign-in page', () => {
    test('offers a passkey, and takes the answer of the browser', async () => {
      const client = await createClient()
      const passkey = await withPasskey(client)
      const { browser, choice, page } = await choose(client)
      assert.match(choice.body, /value="WEB_AUTHN"/)
      assert.equal(page.heading, 'Sign in with a passkey')
      const { kind, options } = requestOf(page)
      assert.equal(kind, 'get')
      const done = await browser.submit(page, { credential: passkey.assert(options) })
      assert.deepEqual(await usernameAfter(client, done), { username: 'ann', amr: ['swk'] })
      const again = await browser.submit(page, { credential: passkey.assert(options) })
      assert.equal(again.location, undefined)
    })

    test('tells a refusal, asks no more by itself, and takes another answer', async () => {
      const client = await createClient()
      const passkey = await withPasskey(client)
      const { browser, page } = await choose(client)
      assert.match(page.body, / data-now/)
      const { options } = requestOf(page)
      const failed = 'The passkey did not work, or the request was cancelled. Try again.'
      for (const credential of ['', '{}', 'x'.repeat(40_000), passkey.assert(options, { challenge: 'AAAA' })]) {
        const refused = await browser.submit(page, { credential })
        assert.equal(refused.status, 400)
        assert.ok(refused.alerts.includes(failed), refused.alerts.join())
        assert.doesNotMatch(refused.body, / data-now/)
        assert.deepEqual(requestOf(refused).options, options)
      }
      const done = await browser.submit(page, { credential: passkey.assert(options) })
      assert.equal((await usernameAfter(client, done)).username, 'ann')
    })

    test('does not offer one on a host that is not of the relying party', async () => {
      const client = await createClient()
      await withPasskey(client)
      const browser = formBrowser(app)
      const page = await browser.submit(await browser.open(pagePath(client)), { username: 'ann' })
      assert.equal(page.heading, 'Enter your password')
      assert.doesNotMatch(page.body, /WEB_AUTHN/)
    })

    test('has one script, from this server, which is kept for ever', async () => {
      const client = await createClient()
      await withPasskey(client)
      const { page } = await choose(client)
      const sources = [...page.body.matchAll(/<script\b(.*?)>/g)].map(([, attributes]) => attributes)
      assert.equal(sources.length, 1)
      const path = /src="(.*?)"/.exec(sources[0] ?? '')?.[1] ?? ''
      assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self';/)
      const script = await fetch(new URL(path, app.url))
      assert.equal(script.status, 200)
      assert.match(script.headers.get('content-type') ?? '', /^text\/javascript/)
      assert.match(script.headers.get('cache-control') ?? '', /immutable/)
      const older = await fetch(new URL(path.replace(/[\w-]+\.js/, 'older.js'), app.url))
      assert.equal(older.headers.get('cache-control'), 'no-store')
      assert.equal(await older.text(), await script.text())
    })
  })

  describe('/passkeys/add', () => {
    const add = (client: OAuthClient, fields = {}) => pagePath(client, '/passkeys/add', fields)
    const addOnly = { response_type: undefined, state: undefined }
    const signedIn = async (client: OAuthClient) => {
      const browser = formBrowser(named)
      const name = await browser.submit(await browser.open(pagePath(client)), { username: 'ann' })
      await browser.submit(name, { password })
      return browser
    }
    const countOf = async (client: OAuthClient): Promise<number> => {
      const { access } = await signIn(app, client.clientId, 'ann')
      return (await app.aws.listWebAuthnCredentials({ AccessToken: access })).Credentials?.length ?? 0
    }
    const withUser = async (...setup: Parameters<typeof createClient>) => {
      const client = await createClient(...setup)
      await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
      return { client, browser: await signedIn(client) }
    }

    test('adds a passkey for the user of the browser, and leads back to the application', async () => {
      const { client, browser } = await withUser()
      const page = await browser.open(add(client, addOnly))
      assert.equal(page.heading, 'Add a passkey')
      const { kind, options } = requestOf(page)
      assert.equal(kind, 'create')
      const credential = JSON.stringify(newPasskey('ES256', here).register(options))
      const done = await browser.submit(page, { credential })
      assert.equal(done.location, callback)
      assert.equal(await countOf(client), 1)
      const again = await browser.submit(page, { credential })
      assert.equal(again.location, undefined)
      assert.equal(again.status, 400)
      assert.equal(await countOf(client), 1)
    })

    test('leads back with an answer where one is asked for, also when the user does not want a passkey', async () => {
      const { client, browser } = await withUser()
      const page = await browser.open(add(client))
      const skipped = await browser.submit(page, { skip: 'true' })
      assert.equal((await usernameAfter(client, skipped)).username, 'ann')
      assert.equal(answerIn(skipped.location ?? null).get('state'), 'state-1')
      const plain = await browser.submit(await browser.open(add(client, { response_type: undefined })), {
        skip: 'true',
      })
      assert.equal(plain.location, `${callback}?state=state-1`)
      assert.equal(await countOf(client), 0)
    })

    test('asks for a sign-in first where nobody is signed in, and comes after it', async () => {
      const client = await createClient()
      await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
      const browser = formBrowser(named)
      const start = await browser.open(add(client, addOnly))
      assert.equal(start.heading, 'Sign in')
      const page = await browser.submit(await browser.submit(start, { username: 'ann' }), { password })
      assert.equal(page.heading, 'Add a passkey')
      const { options } = requestOf(page)
      const done = await browser.submit(page, {
        credential: JSON.stringify(newPasskey('ES256', here).register(options)),
      })
      assert.equal((await usernameAfter(client, done)).username, 'ann')
      assert.equal(await countOf(client), 1)
    })

    test('takes an answer from the browser in which it was asked for, and from no other session or client', async () => {
      const { client, browser } = await withUser()
      const page = await browser.open(add(client))
      const { options } = requestOf(page)
      const credential = JSON.stringify(newPasskey('ES256', here).register(options))
      const other = await signedIn(client)
      const otherPage = await other.open(add(client))
      const stale = await browser.submit(page, { credential })
      assert.equal(stale.status, 400)
      const mixed = await other.submit(otherPage, { credential })
      assert.equal(mixed.status, 400)
      const { access } = await signIn(app, client.clientId, 'ann')
      await assert.rejects(
        app.aws.completeWebAuthnRegistration({
          AccessToken: access,
          Credential: newPasskey('ES256', here).register(requestOf(mixed).options) as { id: string },
        }),
        { name: 'WebAuthnChallengeNotFoundException' },
      )
      assert.equal(await countOf(client), 0)
    })

    test('takes no form that was not made here', async () => {
      const { client, browser } = await withUser()
      const page = await browser.open(add(client))
      const { options } = requestOf(page)
      const credential = JSON.stringify(newPasskey('ES256', here).register(options))
      const values = { ...page.forms[0]?.values, credential }
      const action = page.forms[0]?.action ?? ''
      assert.equal((await browser.post(action, { ...values, _csrf: 'x' })).status, 403)
      assert.equal((await browser.post(action, values, { 'sec-fetch-site': 'cross-site' })).status, 403)
      assert.equal(await countOf(client), 0)
      assert.ok((await browser.post(action, values)).location)
    })

    test('says why the user can have none', async () => {
      const { client, browser } = await withUser({ RelyingPartyId: 'localhost' }, ['PASSWORD', 'EMAIL_OTP'])
      const page = await browser.open(add(client))
      assert.ok(page.alerts.includes('You cannot add a passkey to this account.'))
      assert.equal(requestOf(page).kind, undefined)
      assert.ok((await browser.submit(page, { skip: 'true' })).location)
    })

    test('ends with the session of the browser', async () => {
      const { client, browser } = await withUser()
      const page = await browser.open(add(client))
      await app.aws.adminUserGlobalSignOut({ UserPoolId: client.poolId, Username: 'ann' })
      const { options } = requestOf(page)
      const late = await browser.submit(page, {
        credential: JSON.stringify(newPasskey('ES256', here).register(options)),
      })
      assert.equal(late.heading, 'Sign in')
      app.advance(minutes(61))
      assert.equal((await (await signedIn(client)).open(add(client))).heading, 'Add a passkey')
    })

    test('is not there in the classic pages, nor for a redirect that is not the client’s', async () => {
      const { client, browser } = await withUser()
      assert.equal((await browser.open(add(client, { redirect_uri: 'https://evil.example/' }))).status, 400)
      const prefix = `classic-${Date.now().toString(36)}${app.kind}`
      await app.aws.createUserPoolDomain({ UserPoolId: client.poolId, Domain: prefix, ManagedLoginVersion: 1 })
      const classic = await browser.open(add(client))
      assert.equal(classic.status, 404)
    })
  })

  test('a passkey is offered once after a sign-up, where users can have one', async () => {
    for (const [factors, heading] of [
      [['PASSWORD', 'WEB_AUTHN'], 'Add a passkey'],
      [['PASSWORD'], ''],
    ] as const) {
      const client = await createClient({ RelyingPartyId: 'localhost' }, [...factors])
      const browser = formBrowser(named)
      const form = await browser.open(pagePath(client, '/signup'))
      const confirm = await browser.submit(form, {
        username: 'ann',
        password,
        confirmation: password,
        'requiredAttributes[email]': 'ann@example.com',
      })
      let page = await browser.submit(confirm, { code: await app.lastCode('ann@example.com') })
      if (page.forms[0]?.values['username'] !== undefined) page = await browser.submit(page, { username: 'ann' })
      while (page.location === undefined && /password/i.test(page.heading))
        page = await browser.submit(page, { password })
      assert.equal(page.heading, heading)
      if (heading !== '') page = await browser.submit(page, { skip: 'true' })
      assert.equal((await usernameAfter(client, page)).username, 'ann')
      const next = formBrowser(named)
      const name = await next.submit(await next.open(pagePath(client)), { username: 'ann' })
      assert.ok((await next.submit(name, { password })).location)
    }
  })
})
