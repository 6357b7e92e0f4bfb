import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { smsFactor, tokenFactor } from '../../../test/support/mfa.ts'
import { claimsAfter, createPagePool, formBrowser, pagePath, submitted } from '../../../test/support/pages.ts'
import { attributesOf, email, statusOf } from '../../../test/support/pools.ts'
import { createUser, password } from '../../../test/support/sign-in.ts'

const another = 'An0ther!pw'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  describe('sign-up', () => {
    const withEmail = {
      Schema: [
        { Name: 'email', AttributeDataType: 'String', Required: true, Mutable: true },
        { Name: 'given_name', AttributeDataType: 'String', Required: true, Mutable: true },
        { Name: 'size', AttributeDataType: 'Number', Mutable: true },
      ],
    } as const
    const ann = {
      username: 'ann',
      password,
      confirmation: password,
      'requiredAttributes[email]': 'ann@example.com',
      'requiredAttributes[given_name]': 'Ann',
    }

    test('asks for what is required, sends a code, and the code confirms the user and signs him in', async () => {
      const client = await createPagePool(app, { ...withEmail, Schema: [...withEmail.Schema] })
      const { browser, page } = await submitted(app, client, '/signup', {
        ...ann,
        'requiredAttributes[custom:size]': '4',
      })
      assert.equal(page.heading, 'Confirm your account')
      assert.match(page.body, /a\*\*\*@e\*\*\*/)
      assert.deepEqual((await browser.submit(page, { code: '000000' })).errors, {
        code: 'Invalid verification code provided, please try again.',
      })
      const done = await browser.submit(page, { code: await app.lastCode('ann@example.com') })
      assert.equal((await claimsAfter(app, client, done))['given_name'], 'Ann')
      assert.equal((await browser.open(page.url)).heading, 'Something went wrong')
      const { sub: _, ...attributes } = await attributesOf(app, client.poolId, 'ann')
      assert.deepEqual(attributes, {
        email: 'ann@example.com',
        email_verified: 'true',
        given_name: 'Ann',
        'custom:size': '4',
      })
    })

    test('leads to the sign-in page when the confirmation is late, or something has happened to the user', async () => {
      const client = await createPagePool(app, { ...withEmail, Schema: [...withEmail.Schema] })
      const { browser, page } = await submitted(app, client, '/signup', ann)
      app.advance(minutes(15))
      const late = await browser.submit(page, { code: await app.lastCode('ann@example.com') })
      assert.deepEqual(late.alerts, ['Your registration has been confirmed!'])
      assert.equal(late.forms[0]?.values['username'], 'ann')
      await claimsAfter(app, client, await browser.submit(late, { password }))

      const bob = { ...ann, username: 'bob', 'requiredAttributes[email]': 'bob@example.com' }
      const { browser: other, page: waiting } = await submitted(app, client, '/signup', bob)
      await app.aws.adminUserGlobalSignOut({ UserPoolId: client.poolId, Username: 'bob' })
      const changed = await other.submit(waiting, { code: await app.lastCode('bob@example.com') })
      assert.deepEqual(changed.alerts, ['Your registration has been confirmed!'])
    })

    test('that a function of the pool confirms signs in at once', async () => {
      const PreSignUp = app.lambda('confirming', event => ({ ...event, response: { autoConfirmUser: true } }))
      const client = await createPagePool(app, { LambdaConfig: { PreSignUp } })
      const { page } = await submitted(app, client, '/signup', { username: 'ann', password, confirmation: password })
      assert.equal((await claimsAfter(app, client, page))['cognito:username'], 'ann')
    })

    test('counts as second factor, but sets none up', async () => {
      const Schema = [{ Name: 'phone_number', AttributeDataType: 'String' as const, Required: true, Mutable: true }]
      const values = {
        username: 'ann',
        password,
        confirmation: password,
        'requiredAttributes[phone_number]': '+12065550111',
      }
      for (const [factor, heading] of [
        [smsFactor, undefined],
        [tokenFactor, 'Set up authenticator app MFA'],
      ] as const) {
        const client = await createPagePool(app, { Schema, AutoVerifiedAttributes: ['phone_number'] })
        await app.aws.setUserPoolMfaConfig({ UserPoolId: client.poolId, MfaConfiguration: 'ON', ...factor })
        const { browser, page } = await submitted(app, client, '/signup', values)
        const done = await browser.submit(page, { code: await app.lastCode('+12065550111') })
        if (heading === undefined) await claimsAfter(app, client, done)
        else assert.equal(done.heading, heading)
      }
    })

    test('needs no password where a code can take its place', async () => {
      const client = await createPagePool(
        app,
        {
          Schema: [{ Name: 'email', AttributeDataType: 'String', Required: true, Mutable: true }],
          Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
        },
        { ExplicitAuthFlows: ['ALLOW_USER_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
      )
      const { browser, page } = await submitted(app, client, '/signup', {
        username: 'ann',
        'requiredAttributes[email]': 'ann@example.com',
      })
      await claimsAfter(app, client, await browser.submit(page, { code: await app.lastCode('ann@example.com') }))
    })

    test('tells each fault beside its field and keeps what was typed', async () => {
      const client = await createPagePool(app, { ...withEmail, Schema: [...withEmail.Schema] })
      const { page: empty } = await submitted(app, client, '/signup', {})
      assert.deepEqual(Object.keys(empty.errors), ['username', 'attribute-given_name', 'attribute-email', 'password'])
      const faults: [change: Record<string, string>, field: string, text: string][] = [
        [{ confirmation: another }, 'confirmation', 'The passwords do not match.'],
        [{ password: 'Sh0rt!', confirmation: 'Sh0rt!' }, 'password', 'Password not long enough'],
        [{ password: 'a', confirmation: 'a' }, 'password', 'Password not long enough'],
        [{ 'requiredAttributes[email]': 'ann' }, 'attribute-email', 'Invalid email address format.'],
        [{ username: 'a'.repeat(129) }, 'username', 'This value is not valid.'],
      ]
      for (const [change, field, text] of faults) {
        const { page } = await submitted(app, client, '/signup', { ...ann, ...change })
        assert.deepEqual(page.errors, { [field]: text })
        assert.equal(page.forms[0]?.values['requiredAttributes[given_name]'], 'Ann')
        assert.equal(page.forms[0]?.values['password'], '')
      }
      await createUser(app, client.poolId, 'ann', [email('x@example.com'), { Name: 'given_name', Value: 'A' }])
      const { page } = await submitted(app, client, '/signup', ann)
      assert.deepEqual(page.errors, { username: 'User already exists' })
    })

    test('takes an address as username, and asks for it once', async () => {
      const client = await createPagePool(app, {
        ...withEmail,
        Schema: [...withEmail.Schema],
        UsernameAttributes: ['email'],
      })
      const browser = formBrowser(app)
      const form = await browser.open(pagePath(client, '/signup'))
      assert.ok(!('requiredAttributes[email]' in (form.forms[0]?.values ?? {})))
      const page = await browser.submit(form, {
        username: 'ann@example.com',
        password,
        confirmation: password,
        'requiredAttributes[given_name]': 'Ann',
      })
      assert.equal(page.heading, 'Confirm your account')
      const wrong = await browser.submit(await browser.open(pagePath(client, '/signup')), { ...ann, username: 'ann' })
      assert.deepEqual(wrong.errors, { username: 'Invalid email address format.' })
    })

    test('sends another code on request', async () => {
      const client = await createPagePool(app, { ...withEmail, Schema: [...withEmail.Schema] })
      const { browser, page } = await submitted(app, client, '/signup', ann)
      const first = await app.lastCode('ann@example.com')
      const again = await browser.submit(page, {}, 1)
      assert.deepEqual(again.alerts, ['We sent a new code.'])
      const second = await app.lastCode('ann@example.com')
      assert.notEqual(first, second)
      await browser.submit(again, { code: second })
      assert.equal(await statusOf(app, client.poolId, 'ann'), 'CONFIRMED')
    })

    test('of a pool that sends no codes waits for an administrator', async () => {
      const client = await createPagePool(app, { AutoVerifiedAttributes: [] })
      const { page } = await submitted(app, client, '/signup', { username: 'ann', password, confirmation: password })
      assert.match(page.alerts.join(), /administrator/)
      assert.equal(await statusOf(app, client.poolId, 'ann'), 'UNCONFIRMED')
    })

    test('is offered and taken only where users may sign up', async () => {
      const client = await createPagePool(app, { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } })
      const browser = formBrowser(app)
      const form = await browser.open(pagePath(client))
      assert.doesNotMatch(form.body, /\/signup/)
      const refused = await browser.open(pagePath(client, '/signup'))
      assert.deepEqual(refused.alerts, ['SignUp is not permitted for this user pool'])
      const values = { ...form.forms[0]?.values, username: 'ann', password, confirmation: password }
      assert.deepEqual((await browser.post(pagePath(client, '/signup'), values)).alerts, refused.alerts)
    })

    test('links to the terms of the client when there are both', async () => {
      const client = await createPagePool(app)
      const terms = (TermsName: string, url: string) =>
        app.aws.createTerms({
          UserPoolId: client.poolId,
          ClientId: client.clientId,
          TermsName,
          TermsSource: 'LINK',
          Enforcement: 'NONE',
          Links: { 'cognito:default': url },
        })
      await terms('terms-of-use', 'https://example.com/terms')
      const open = () => formBrowser(app).open(pagePath(client, '/signup'))
      assert.doesNotMatch((await open()).body, /example\.com\/terms/)
      await terms('privacy-policy', 'https://example.com/privacy')
      assert.match((await open()).body, /href="https:\/\/example\.com\/terms".*href="https:\/\/example\.com\/privacy"/s)
    })
  })

  test('a user who is not confirmed is led to the code, and can have another', async () => {
    const client = await createPagePool(app)
    await app.aws.signUp({
      ClientId: client.clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
    })
    const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
    assert.equal(page.heading, 'Confirm your account')
    assert.deepEqual(page.alerts, ['User is not confirmed.'])
    const again = await browser.submit(page, {}, 1)
    const done = await browser.submit(again, { code: await app.lastCode('ann@example.com') })
    await claimsAfter(app, client, await browser.submit(done, { password }))
  })

  test('the link in a message confirms a user once, and says so whenever it is opened', async () => {
    const client = await createPagePool(app)
    await app.aws.signUp({
      ClientId: client.clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
    })
    const code = await app.lastCode('ann@example.com')
    const browser = formBrowser(app)
    const open = (text: string) =>
      browser.open(`/confirmUser/?client_id=${client.clientId}&user_name=ann&confirmation_code=${text}`)
    const wrong = await open('000000')
    assert.deepEqual(wrong.alerts, ['Invalid verification code provided, please try again.'])
    assert.equal(await statusOf(app, client.poolId, 'ann'), 'UNCONFIRMED')
    for (let times = 0; times < 2; times += 1) {
      assert.deepEqual((await open(code)).alerts, ['Your registration has been confirmed!'])
    }
    assert.equal(await statusOf(app, client.poolId, 'ann'), 'CONFIRMED')
  })
})
