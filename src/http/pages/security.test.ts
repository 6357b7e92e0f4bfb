import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { tokenFactor } from '../../../test/support/mfa.ts'
import type { OAuthClient } from '../../../test/support/oauth.ts'
import { createPagePool, formBrowser, pagePath, type ShownPage } from '../../../test/support/pages.ts'
import { createUser, password } from '../../../test/support/sign-in.ts'

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'\`{{7*7}}\${7*7}</title></style>`

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  before(async () => {
    app = await testApp()
    client = await createPagePool(app)
    await createUser(app, client.poolId, 'ann')
  })
  const credentials = { username: 'ann', password }

  describe('a form', () => {
    const refusedForms: [what: string, headers: Record<string, string>, change?: Record<string, string>][] = [
      ['without its token', { 'sec-fetch-site': 'same-origin' }, { _csrf: '' }],
      ['with another browser’s token', { 'sec-fetch-site': 'same-origin' }, { _csrf: 'x'.repeat(43) }],
      ['from another site', { 'sec-fetch-site': 'cross-site' }],
      ['from another host of the site', { 'sec-fetch-site': 'same-site' }],
      ['that nobody knows the origin of', {}],
      ['with a foreign origin', { origin: 'https://evil.example' }],
      [
        'with a foreign origin beside a forged site',
        { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
      ],
      ['with a hidden origin alone', { origin: 'null' }],
    ]
    for (const [what, headers, change = {}] of refusedForms) {
      test(`${what} is refused`, async () => {
        const browser = formBrowser(app)
        const page = await browser.open(pagePath(client))
        const { action = '', values = {} } = page.forms[0] ?? {}
        const answer = await browser.post(action, { ...values, ...credentials, ...change }, headers)
        assert.equal(answer.status, 403)
        assert.equal(answer.location, undefined)
        assert.ok(!browser.cookies.has(`cognito-${client.poolId.split('_')[1]}`))
      })
    }

    test('is taken when the browser tells its own origin', async () => {
      const browser = formBrowser(app)
      const { forms } = await browser.open(pagePath(client))
      const { action = '', values = {} } = forms[0] ?? {}
      assert.match(
        (await browser.post(action, { ...values, ...credentials }, { origin: app.url })).location ?? '',
        /code=/,
      )
    })

    test('is no address: a name and a password in one sign nobody in', async () => {
      const browser = formBrowser(app)
      for (const path of ['/login', '/oauth2/authorize']) {
        const page = await browser.open(pagePath(client, path, credentials))
        assert.deepEqual([page.heading, page.location], ['Sign in', undefined])
        assert.ok(!page.body.includes(`value="${password}"`))
      }
      assert.deepEqual([...browser.cookies.keys()], ['cenote-browser'])
    })

    test('leads on by 302 or 303, so that no password is sent on with it', async () => {
      const browser = formBrowser(app)
      const { forms } = await browser.open(pagePath(client))
      const { action = '', values = {} } = forms[0] ?? {}
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const { status } = await fetch(`${app.url}${action}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ ...values, ...credentials }),
        headers: { cookie, 'sec-fetch-site': 'same-origin' },
      })
      assert.equal(status, 302)
    })

    test('of every page needs its token', async () => {
      for (const path of [
        '/login',
        '/signup',
        '/confirm',
        '/resendcode',
        '/forgotPassword',
        '/confirmforgotPassword',
        '/resetpassword',
        '/mfa',
        '/mfaoption',
        '/mfasetup',
      ]) {
        const browser = formBrowser(app)
        await browser.open(pagePath(client))
        assert.equal((await browser.post(pagePath(client, path), { username: 'ann' })).status, 403, path)
      }
    })

    test('that is too large, no form, or says a thing twice is not read', async () => {
      const browser = formBrowser(app)
      const { forms } = await browser.open(pagePath(client))
      const { action = '', values = {} } = forms[0] ?? {}
      assert.equal((await browser.post(action, { ...values, username: 'a'.repeat(70_000) })).status, 413)
      const post = (type: string, body: string) =>
        fetch(`${app.url}${action}`, {
          method: 'POST',
          body,
          headers: { 'content-type': type, 'sec-fetch-site': 'same-origin' },
        })
      assert.equal((await post('application/json', '{"username":"ann"}')).status, 400)
      assert.equal((await post('application/x-www-form-urlencoded', 'username=a&username=b')).status, 400)
      assert.equal((await post('application/x-www-form-urlencoded', 'username=a%00')).status, 400)
    })
  })

  test('every page, and the way back to the application, has the headers that keep other sites out', async () => {
    const browser = formBrowser(app)
    const pages = [
      await browser.open(pagePath(client)),
      await browser.open(pagePath(client, '/signup')),
      await browser.open(pagePath(client, '/forgotPassword')),
      await browser.open('/error?error=redirect_mismatch'),
      await browser.open('/eventFeedback?userPoolId=x'),
      await browser.open(pagePath(client, '/mfa', { _step: 'x'.repeat(24) })),
      await browser.open(pagePath(client, '/login', { redirect_uri: 'https://evil.example' })),
      await browser.post(pagePath(client), {}),
      await browser.submit(await browser.open(pagePath(client)), { username: 'ann', password: 'wrong' }),
      await browser.submit(await browser.open(pagePath(client)), credentials),
    ]
    for (const { headers, url } of pages) {
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'; /, url)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.match(policy, /base-uri 'none'/)
      assert.match(policy, /form-action 'self'/)
      assert.doesNotMatch(policy, /unsafe|script-src|connect-src/)
      assert.equal(headers.get('x-frame-options'), 'DENY')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.ok(headers.get('referrer-policy'))
      assert.ok(headers.get('permissions-policy'))
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.equal(headers.get('access-control-allow-origin'), null)
    }
  })

  test('a page lets go of the window that has opened it, unless an application may be waiting there', async () => {
    const browser = formBrowser(app)
    const policyOf = async (path: string) => (await browser.open(path)).headers.get('cross-origin-opener-policy')
    const onTheWay = [
      pagePath(client),
      pagePath(client, '/signup'),
      pagePath(client, '/forgotPassword'),
      // A sign-in that has ended begins anew, in the same window.
      pagePath(client, '/mfa', { _step: 'x'.repeat(24) }),
    ]
    for (const path of onTheWay) assert.equal(await policyOf(path), 'unsafe-none', path)
    const ends = [
      '/error?error=redirect_mismatch',
      pagePath(client, '/login', { redirect_uri: 'https://evil.example' }),
      pagePath(client, '/oauth2/authorize', { client_id: 'nobody' }),
      `/logout?client_id=${client.clientId}&logout_uri=https://evil.example`,
      `/confirmUser?client_id=${client.clientId}&user_name=ann&confirmation_code=1`,
      '/eventFeedback?userPoolId=x',
    ]
    for (const path of ends) assert.equal(await policyOf(path), 'same-origin', path)
    const back = await browser.submit(await browser.open(pagePath(client)), credentials)
    assert.ok(back.location)
    assert.equal(back.headers.get('cross-origin-opener-policy'), 'unsafe-none')
  })

  test('over https cookies are bound to it and to the host, and addresses are kept from others', async () => {
    await using secure = await testApp({ publicUrl: 'https://auth.example.com' })
    const at = await createPagePool(secure)
    const answer = await fetch(`${secure.url}${pagePath(at)}`)
    const [cookie] = answer.headers.getSetCookie()
    assert.match(cookie ?? '', /^__Host-cenote-browser=[\w-]{24}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
    assert.match(answer.headers.get('strict-transport-security') ?? '', /max-age=\d{8}/)
  })

  test('behind a proxy that shows the server below a path, all addresses begin with it', async () => {
    await using below = await testApp({ publicUrl: 'https://example.com/auth' })
    const at = await createPagePool(below)
    for (const path of ['/login', '/signup', '/forgotPassword']) {
      const { body } = await formBrowser(below).open(pagePath(at, path))
      const addresses = [...body.matchAll(/ (?:href|src|action)="([^"?#]+)/g)].map(match => match[1])
      assert.ok(addresses.length > 3)
      for (const address of addresses)
        assert.match(address ?? '', /^\/auth\/(?:pages\/|login$|signup$|forgotPassword$)/)
    }
    const feedback = await formBrowser(below).open(
      '/eventFeedback?userPoolId=a&userName=b&eventId=c&feedbackToken=d&feedbackValue=Valid',
    )
    assert.match(feedback.body, /href="\/auth\/pages\/styles\//)
    assert.equal(feedback.forms[0]?.action, '/auth/eventFeedback')
  })

  test('no page repeats as markup what somebody else has written', async () => {
    const named = await createPagePool(app, {
      Schema: [{ Name: 'nickname', AttributeDataType: 'String', Required: true, Mutable: true }],
    })
    const browser = formBrowser(app)
    const strange = { state: hostile, nonce: hostile, lang: hostile, login_hint: hostile, ui: hostile, scope: 'openid' }
    const pages: ShownPage[] = [
      await browser.open(`/error?error=${encodeURIComponent(hostile)}`),
      await browser.open(pagePath(named, '/login', { redirect_uri: hostile })),
      await browser.open(pagePath(named, '/login', { client_id: hostile })),
    ]
    for (const path of ['/login', '/signup', '/forgotPassword']) {
      const page = await browser.open(pagePath(named, path, strange))
      pages.push(page)
      pages.push(
        await browser.submit(page, {
          username: hostile,
          password: hostile,
          confirmation: 'x',
          'requiredAttributes[nickname]': hostile,
        }),
      )
    }
    for (const { body, url } of pages) {
      assert.ok(body.length > 0, url)
      assert.doesNotMatch(body, /<script|<img src=x|onerror=alert\(1\)>/, url)
    }
  })

  test('the error page says nothing that it was told by its address', async () => {
    const browser = formBrowser(app)
    const known = await browser.open('/error?error=redirect_mismatch&client_id=x')
    assert.deepEqual(known.alerts, ['An error was encountered with the requested page. redirect_mismatch'])
    const phishing = await browser.open('/error?error=Call+0900-123')
    assert.deepEqual(phishing.alerts, ['An error was encountered with the requested page.'])
    assert.equal(phishing.status, 400)
  })

  test('a request that is not in order leads nowhere but to its application', async () => {
    const browser = formBrowser(app)
    for (const fields of [
      { client_id: 'nobody' },
      { redirect_uri: 'https://evil.example' },
      { client_id: undefined },
    ]) {
      const page = await browser.open(pagePath(client, '/login', fields))
      assert.equal(page.status, 400)
      assert.equal(page.location, undefined)
    }
    const refused = await browser.open(pagePath(client, '/login', { scope: 'nothing' }))
    assert.match(refused.location ?? '', /^https:\/\/app\.example\/callback\?.*error=invalid_scope/)
  })

  test('pages answer to GET and POST, and to no HEAD that could change something', async () => {
    for (const [method, path] of [
      ['HEAD', '/login'],
      ['PUT', '/login'],
      ['GET', '/resendcode'],
      ['POST', '/error'],
      ['HEAD', '/confirmUser'],
    ] as const) {
      const { status } = await fetch(`${app.url}${pagePath(client, path)}`, { method })
      assert.equal(status, 405, `${method} ${path}`)
    }
  })

  test('the path of a page may be written in any case', async () => {
    const browser = formBrowser(app)
    for (const path of ['/forgotpassword', '/ForgotPassword', '/FORGOTPASSWORD/']) {
      assert.equal((await browser.open(pagePath(client, path))).heading, 'Forgot your password?')
    }
  })

  describe('a step of a sign-in', () => {
    let guarded: OAuthClient
    before(async () => {
      guarded = await createPagePool(app)
      await app.aws.setUserPoolMfaConfig({ UserPoolId: guarded.poolId, MfaConfiguration: 'ON', ...tokenFactor })
      await createUser(app, guarded.poolId, 'ann')
    })
    const toSetUp = async (browser = formBrowser(app)) => ({
      browser,
      page: await browser.submit(await browser.open(pagePath(guarded)), credentials),
    })

    test('opens in no other browser and for no other client', async () => {
      const { browser, page } = await toSetUp()
      assert.equal(page.heading, 'Set up authenticator app MFA')
      assert.equal((await browser.open(page.url)).heading, page.heading)
      assert.equal((await formBrowser(app).open(page.url)).heading, 'Something went wrong')
      const foreign = page.url.replace(guarded.clientId, client.clientId)
      assert.equal((await browser.open(foreign)).heading, 'Something went wrong')
    })

    test('ends with the time that the client allows, and the page says how to go on', async () => {
      const { browser, page } = await toSetUp()
      app.advance(minutes(3))
      const over = await browser.submit(page, { code: '123456' })
      assert.equal(over.heading, 'Something went wrong')
      assert.match(over.body, /href="\/login\?client_id=/)
      assert.equal((await browser.open(page.url)).heading, 'Something went wrong')
    })

    test('that nobody has begun leads to the sign-in page', async () => {
      for (const path of ['/mfa', '/mfasetup', '/mfaoption', '/resetpassword', '/confirm', '/confirmforgotPassword']) {
        assert.equal((await formBrowser(app).open(pagePath(guarded, path))).heading, 'Sign in', path)
      }
    })

    test('is shown by its own page, wherever it is asked for', async () => {
      const { browser, page } = await toSetUp()
      for (const path of ['/mfa', '/mfaoption', '/resetpassword', '/login']) {
        assert.equal((await browser.open(page.url.replace('/mfasetup', path))).heading, page.heading)
      }
    })
  })
})
