import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  AuthFactorType,
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
  SetUserPoolMfaConfigCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { authenticator, mailFactor, ownMail, smsFactor, tokenFactor } from '../../../test/support/mfa.ts'
import { claimsAfter, createPagePool, formBrowser, pagePath, submitted } from '../../../test/support/pages.ts'
import { email, phone } from '../../../test/support/pools.ts'
import { createUser, password } from '../../../test/support/sign-in.ts'

const another = 'An0ther!pw'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  describe('a forgotten password', () => {
    const verified = [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }]

    test('is replaced by means of a code, and the user signs in with the new one', async () => {
      const client = await createPagePool(app)
      await createUser(app, client.poolId, 'ann', verified)
      const { browser, page } = await submitted(app, client, '/forgotPassword', { username: 'ann' })
      assert.equal(page.heading, 'Reset your password')
      const values = { code: await app.lastCode('ann@example.com'), password: another, confirmation: another }
      assert.deepEqual((await browser.submit(page, { ...values, code: '000000' })).errors, {
        code: 'Invalid verification code provided, please try again.',
      })
      assert.deepEqual((await browser.submit(page, { ...values, confirmation: 'x' })).errors, {
        confirmation: 'The passwords do not match.',
      })
      const done = await browser.submit(page, values)
      assert.deepEqual(done.alerts, ['Your password has been changed. Sign in with the new one.'])
      await claimsAfter(app, client, await browser.submit(done, { password: another }))
    })

    test('of nobody gets the same pages after as many statements where the client hides users', async () => {
      const client = await createPagePool(app, {}, { PreventUserExistenceErrors: 'ENABLED' })
      await createUser(app, client.poolId, 'ann', verified)
      const pages = []
      // The first one finds nothing in the caches.
      for (const username of ['cid', 'ann', 'bob']) {
        const statements = app.statements()
        const { browser, page } = await submitted(app, client, '/forgotPassword', { username })
        const refused = await browser.submit(page, { code: '000000', password: another, confirmation: another })
        pages.push([page.heading, page.forms.length, refused.errors, app.statements() - statements])
      }
      assert.deepEqual(pages[1], pages[2])
    })

    test('is not offered where an administrator resets passwords', async () => {
      const client = await createPagePool(app, {
        AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'admin_only', Priority: 1 }] },
      })
      assert.doesNotMatch((await formBrowser(app).open(pagePath(client))).body, /forgotPassword/)
    })

    test('has to be replaced by a user whose password an administrator has reset', async () => {
      const client = await createPagePool(app)
      await createUser(app, client.poolId, 'ann', verified)
      await app.aws.adminResetUserPassword({ UserPoolId: client.poolId, Username: 'ann' })
      const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
      assert.equal(page.heading, 'Reset your password')
      const code = await app.lastCode('ann@example.com')
      const done = await browser.submit(page, { code, password: another, confirmation: another })
      await claimsAfter(app, client, await browser.submit(done, { password: another }))
    })
  })

  test('a temporary password is replaced, and what is required and missing is asked for', async () => {
    const client = await createPagePool(app, {
      Schema: [{ Name: 'family_name', AttributeDataType: 'String', Required: true, Mutable: true }],
    })
    await app.aws.adminCreateUser({ UserPoolId: client.poolId, Username: 'ann', TemporaryPassword: password })
    const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
    assert.equal(page.heading, 'Change your password')
    const values = { password: another, confirmation: another, 'requiredAttributes[family_name]': 'Lee' }
    assert.deepEqual((await browser.submit(page, { ...values, 'requiredAttributes[family_name]': '' })).errors, {
      'attribute-family_name': 'This field is required.',
    })
    assert.deepEqual((await browser.submit(page, { ...values, password: 'x', confirmation: 'x' })).errors, {
      password: 'Password not long enough',
    })
    const claims = await claimsAfter(app, client, await browser.submit(page, values))
    assert.equal(claims['family_name'], 'Lee')
    const back = await browser.open(page.url)
    assert.equal(back.heading, 'Something went wrong')
  })

  describe('a second factor', () => {
    const both = [email('ann@example.com'), phone('+12065550100')]
    const withMfa = async (
      config: Omit<SetUserPoolMfaConfigCommandInput, 'UserPoolId'>,
      attributes = both,
      pool: Partial<CreateUserPoolCommandInput> = {},
    ) => {
      const client = await createPagePool(app, { ...ownMail, ...pool })
      await app.aws.setUserPoolMfaConfig({ UserPoolId: client.poolId, ...config })
      await createUser(app, client.poolId, 'ann', attributes)
      return client
    }

    test('by authenticator application is set up during the sign-in, and asked for from then on', async () => {
      const client = await withMfa({ MfaConfiguration: 'ON', ...tokenFactor })
      const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
      assert.equal(page.heading, 'Set up authenticator app MFA')
      const secret = /<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page.body)?.[1]?.replaceAll(' ', '') ?? ''
      assert.ok(page.body.includes(`secret=${secret}`))
      const app1 = authenticator(app, secret)
      const refused = await browser.submit(page, { code: app1.wrongCode() })
      assert.deepEqual(refused.errors, { code: 'Invalid code received for user' })
      assert.ok(refused.body.includes(`secret=${secret}`))
      await claimsAfter(app, client, await browser.submit(refused, { code: app1.code(), deviceName: 'phone' }))
      app.advance(60_000)
      const { browser: other, page: code } = await submitted(app, client, '/login', { username: 'ann', password })
      assert.equal(code.heading, 'Enter your code')
      assert.deepEqual((await other.submit(code, { code: app1.wrongCode() })).errors, {
        code: 'Invalid code received for user',
      })
      const spaced = app1.code().replace(/(...)/, '$1 ')
      await claimsAfter(app, client, await other.submit(code, { code: spaced }))
    })

    test('by text message can be sent once more, and the first code is worth nothing then', async () => {
      const client = await withMfa({ MfaConfiguration: 'ON', ...smsFactor })
      const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
      assert.equal(page.heading, 'Enter your code')
      assert.match(page.body, /\*0100/)
      const first = await app.lastCode('+12065550100')
      const again = await browser.submit(page, { resend: 'true' }, 1)
      assert.deepEqual(again.alerts, ['We sent a new code.'])
      const second = await app.lastCode('+12065550100')
      assert.equal((await browser.submit(again, { code: first === second ? '000000' : first })).location, undefined)
      await claimsAfter(app, client, await browser.submit(again, { code: second }))
    })

    test('is chosen where there are several', async () => {
      const client = await withMfa({ MfaConfiguration: 'ON', ...smsFactor, ...mailFactor })
      await app.aws.adminSetUserMFAPreference({
        UserPoolId: client.poolId,
        Username: 'ann',
        SMSMfaSettings: { Enabled: true },
        EmailMfaSettings: { Enabled: true },
      })
      const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
      assert.equal(page.heading, 'Choose a multi-factor authentication (MFA) method')
      assert.equal((await browser.submit(page, { answer: 'SOFTWARE_TOKEN_MFA' })).status, 400)
      const code = await browser.submit(page, { answer: 'SMS_MFA' })
      await claimsAfter(app, client, await browser.submit(code, { code: await app.lastCode('+12065550100') }))
    })

    test('is chosen before it is set up where there are several', async () => {
      const client = await withMfa({ MfaConfiguration: 'ON', ...tokenFactor, ...mailFactor }, [], {
        AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_phone_number', Priority: 1 }] },
      })
      const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
      assert.equal(page.heading, 'Set up multi-factor authentication (MFA)')
      const address = await browser.submit(page, { answer: 'EMAIL_OTP' })
      assert.equal(address.heading, 'Set up email MFA')
      assert.deepEqual((await browser.submit(address, { email: 'ann' })).errors, {
        email: 'Invalid email address format.',
      })
      const sent = await browser.submit(address, { email: 'ann@example.com' })
      const first = await app.lastCode('ann@example.com')
      // A code to an address that is nobody's yet can be sent once more as well, to that address.
      const again = await browser.submit(sent, { resend: 'true' }, 1)
      assert.deepEqual(again.alerts, ['We sent a new code.'])
      const mails = (await app.messages()).filter(({ userPoolId }) => userPoolId === client.poolId)
      assert.deepEqual(
        mails.map(({ to }) => to),
        ['ann@example.com', 'ann@example.com'],
      )
      const second = await app.lastCode('ann@example.com')
      assert.equal((await browser.submit(again, { code: first === second ? '000000' : first })).location, undefined)
      const twice = await browser.submit(again, { resend: 'true' }, 1)
      const end = await browser.submit(twice, { code: await app.lastCode('ann@example.com') })
      assert.equal((await claimsAfter(app, client, end))['email'], 'ann@example.com')
    })

    test('that was tried too often locks the step', async () => {
      const client = await withMfa({ MfaConfiguration: 'ON', ...smsFactor })
      const { browser, page } = await submitted(app, client, '/login', { username: 'ann', password })
      let shown = page
      for (let tries = 0; tries < 6; tries += 1) shown = await browser.submit(page, { code: '000000' })
      assert.match(shown.alerts.join() + Object.values(shown.errors).join(), /exceeded|Invalid/)
      assert.equal(shown.location, undefined)
    })
  })

  describe('the choice of a first factor', () => {
    const withChoice = (factors: AuthFactorType[], more: Partial<CreateUserPoolClientCommandInput> = {}) =>
      createPagePool(
        app,
        { Policies: { SignInPolicy: { AllowedFirstAuthFactors: factors } } },
        { ExplicitAuthFlows: ['ALLOW_USER_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'], ...more },
      )
    const both = [email('ann@example.com'), phone('+12065550100')]

    test('comes after the name, and the password has a page of its own', async () => {
      const client = await withChoice(['PASSWORD', 'EMAIL_OTP', 'SMS_OTP'])
      await createUser(app, client.poolId, 'ann', both)
      const browser = formBrowser(app)
      const form = await browser.open(pagePath(client))
      assert.ok(!('password' in (form.forms[0]?.values ?? {})))
      const choice = await browser.submit(form, { username: 'ann' })
      assert.equal(choice.heading, 'Choose how to sign in')
      assert.deepEqual(
        [...choice.body.matchAll(/name="answer" value="(\w+)"/g)].map(match => match[1]),
        ['PASSWORD', 'EMAIL_OTP', 'SMS_OTP'],
      )
      const page = await browser.submit(choice, { answer: 'PASSWORD' })
      assert.equal(page.heading, 'Enter your password')
      const refused = await browser.submit(page, { password: 'Wr0ng!pass' })
      assert.deepEqual(refused.alerts, ['Incorrect username or password.'])
      await claimsAfter(app, client, await browser.submit(refused, { password }))
    })

    test('may be a code, which can be sent once more', async () => {
      const client = await withChoice(['PASSWORD', 'EMAIL_OTP', 'SMS_OTP'])
      await createUser(app, client.poolId, 'ann', both)
      const { browser, page: choice } = await submitted(app, client, '/login', { username: 'ann' })
      const page = await browser.submit(choice, { answer: 'EMAIL_OTP' })
      assert.equal(page.heading, 'Enter your code')
      assert.match(page.body, /a\*\*\*@e\*\*\*/)
      const wrong = await browser.submit(page, { code: '00000000' })
      assert.deepEqual(Object.keys(wrong.errors), ['code'])
      const again = await browser.submit(wrong, { resend: 'true' }, 1)
      assert.deepEqual(again.alerts, ['We sent a new code.'])
      await claimsAfter(app, client, await browser.submit(again, { code: await app.lastCode('ann@example.com') }))
    })

    test('is left out for a user with one way to sign in', async () => {
      const client = await withChoice(['PASSWORD', 'EMAIL_OTP'])
      await createUser(app, client.poolId, 'ann')
      const { page } = await submitted(app, client, '/login', { username: 'ann' })
      assert.equal(page.heading, 'Enter your password')
    })

    test('tells nobody who exists where the client hides users', async () => {
      const client = await withChoice(['PASSWORD', 'EMAIL_OTP'], { PreventUserExistenceErrors: 'ENABLED' })
      await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
      const seen = []
      // The first one finds nothing in the caches.
      for (const username of ['cid', 'ann', 'bob']) {
        const statements = app.statements()
        const { browser, page: choice } = await submitted(app, client, '/login', { username })
        const code = await browser.submit(choice, { answer: 'EMAIL_OTP' })
        const wrong = await browser.submit(code, { code: '00000000' })
        const { page: again } = await submitted(app, client, '/login', { username })
        const refused = await browser.post(again.url, { password: 'x' })
        const pages = [choice, code, wrong, refused].map(({ status, heading, errors, alerts }) => [
          status,
          heading,
          errors,
          alerts,
        ])
        seen.push([app.statements() - statements, ...pages])
      }
      assert.deepEqual(seen[1], seen[2])
    })

    test('leads to the level that the application asks for, and a session below it is not taken up', async () => {
      const client = await withChoice(['PASSWORD', 'EMAIL_OTP'])
      await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
      const wish = { acr_values: 'urn:cognito:loa:4 urn:cognito:loa:3' }
      const browser = formBrowser(app)
      const choice = await browser.submit(await browser.open(pagePath(client)), { username: 'ann' })
      const low = await browser.submit(await browser.submit(choice, { answer: 'PASSWORD' }), { password })
      assert.equal((await claimsAfter(app, client, low))['acr'], 'urn:cognito:loa:1')

      const form = await browser.open(pagePath(client, '/oauth2/authorize', wish))
      const only = await browser.submit(form, { username: 'ann' })
      // A mailed code alone would not be enough.
      assert.equal(only.heading, 'Enter your password')
      const page = await browser.submit(only, { password })
      assert.equal(page.heading, 'Enter your code')
      const high = await browser.submit(page, { code: await app.lastCode('ann@example.com') })
      assert.equal((await claimsAfter(app, client, high))['acr'], 'urn:cognito:loa:3')
      const silent = await browser.open(pagePath(client, '/oauth2/authorize', { acr_values: 'urn:cognito:loa:3' }))
      assert.equal((await claimsAfter(app, client, silent))['acr'], 'urn:cognito:loa:3')
      const unknown = await browser.open(pagePath(client, '/oauth2/authorize', { acr_values: 'gold' }))
      assert.ok(unknown.location)
    })

    test('is not known by the classic pages', async () => {
      const client = await createPagePool(
        app,
        { UserPoolTier: 'LITE' },
        { ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
      )
      const page = await formBrowser(app).open(pagePath(client))
      assert.match(page.body, /class="look-classic"/)
      assert.ok('password' in (page.forms[0]?.values ?? {}))
    })
  })

  test('what a function of the pool refuses is shown in its words', async () => {
    const arn = app.lambda('refusing', () => {
      throw new Error('not <b>today</b>')
    })
    const client = await createPagePool(app, { LambdaConfig: { PreAuthentication: arn } })
    await createUser(app, client.poolId, 'ann')
    const { page } = await submitted(app, client, '/login', { username: 'ann', password })
    assert.match(page.alerts.join(), /^PreAuthentication failed with error not <b>today<\/b>/)
    assert.doesNotMatch(page.body, /<b>today/)
  })
})
