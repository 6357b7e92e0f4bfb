/** The pages that flows of users lead to, as the server sends them. */
import type { CreateUserPoolCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { mailFactor, ownMail, smsFactor, tokenFactor } from './mfa.ts'
import { createPagePool, formBrowser, pagePath, type ShownPage } from './pages.ts'
import { email, phone } from './pools.ts'
import { createUser, password } from './sign-in.ts'

let pools = 0

/** By name. Version 1 stands for the classic pages; `language` is that of managed login. */
export const shownPages = async (app: TestApp, version: 1 | 2, language = 'en'): Promise<Map<string, ShownPage>> => {
  const pages = new Map<string, ShownPage>()
  const keep = async (name: string, page: ShownPage | Promise<ShownPage>): Promise<ShownPage> => {
    const shown = await page
    const expected = /refused|empty|error|nothing/.test(name) ? 400 : 200
    if (shown.status !== expected)
      throw new Error(`${name} has status ${shown.status}: ${shown.heading} ${shown.alerts}`)
    pages.set(name, shown)
    return shown
  }
  const createClient = async (
    pool: Partial<CreateUserPoolCommandInput> = {},
    flows = ['ALLOW_USER_PASSWORD_AUTH'] as ('ALLOW_USER_PASSWORD_AUTH' | 'ALLOW_USER_AUTH')[],
  ) => {
    const client = await createPagePool(
      app,
      { ...ownMail, ...pool },
      { ExplicitAuthFlows: [...flows, 'ALLOW_REFRESH_TOKEN_AUTH'] },
    )
    pools += 1
    const domain = { UserPoolId: client.poolId, Domain: `shown-${pools}` }
    await app.aws.createUserPoolDomain({ ...domain, ManagedLoginVersion: version })
    return client
  }
  const start = async (client: { clientId: string }, path = '/login') => {
    const browser = formBrowser(app)
    return { browser, page: await browser.open(pagePath(client, path, { lang: language })) }
  }
  const signIn = async (client: { clientId: string }, values = { username: 'ann', password }) => {
    const { browser, page } = await start(client)
    return { browser, page: await browser.submit(page, values) }
  }
  const attributes = [email('ann@example.com'), phone('+12065550100')]

  const plain = await createClient({
    Schema: ['email', 'given_name', 'birthdate'].map(Name => ({
      Name,
      AttributeDataType: 'String',
      Required: true,
      Mutable: true,
    })),
  })
  const { browser, page: login } = await start(plain)
  await keep('sign-in', login)
  await keep('sign-in-empty', browser.submit(login, {}))
  await keep('sign-in-refused', browser.submit(login, { username: 'bob', password }))
  const signUp = await keep('sign-up', browser.open(pagePath(plain, '/signup')))
  await keep('sign-up-refused', browser.submit(signUp, { password: 'x' }))
  const confirm = await keep(
    'confirm',
    browser.submit(signUp, {
      username: 'ann',
      password,
      confirmation: password,
      'requiredAttributes[email]': 'ann@example.com',
      'requiredAttributes[given_name]': 'Ann',
      'requiredAttributes[birthdate]': '1990-12-31',
    }),
  )
  await keep('confirm-refused', browser.submit(confirm, { code: '000000' }))
  const resent = await keep('confirm-resent', browser.submit(confirm, {}, 1))
  // Who is untouched since the sign-up is signed in at once.
  await app.aws.adminUserGlobalSignOut({ UserPoolId: plain.poolId, Username: 'ann' })
  await keep('confirmed', browser.submit(resent, { code: await app.lastCode('ann@example.com') }))
  const forgot = await keep('forgot-password', browser.open(pagePath(plain, '/forgotPassword')))
  const reset = await keep('reset-password', browser.submit(forgot, { username: 'ann' }))
  await keep('reset-password-refused', browser.submit(reset, { code: '000000', password, confirmation: 'x' }))
  await keep('nothing-to-go-on-with', browser.open(pagePath(plain, '/mfa', { _step: 'x'.repeat(43) })))
  await keep('redirect-refused', browser.open(pagePath(plain, '/login', { redirect_uri: 'https://evil.example' })))
  await keep('error', browser.open('/error?error=redirect_mismatch'))
  await signIn(plain).then(({ browser: signedIn }) => keep('signed-in', signedIn.open(pagePath(plain))))

  const temporary = await createClient()
  await app.aws.adminCreateUser({ UserPoolId: temporary.poolId, Username: 'ann', TemporaryPassword: password })
  await keep('new-password', (await signIn(temporary)).page)

  const token = await createClient()
  await app.aws.setUserPoolMfaConfig({ UserPoolId: token.poolId, MfaConfiguration: 'ON', ...tokenFactor })
  await createUser(app, token.poolId, 'ann')
  const setUp = await signIn(token)
  await keep('set-up-authenticator', setUp.page)
  await keep('set-up-authenticator-refused', setUp.browser.submit(setUp.page, { code: '1' }))

  const noMail = {
    AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_phone_number' as const, Priority: 1 }] },
  }
  const many = await createClient(noMail)
  await app.aws.setUserPoolMfaConfig({
    UserPoolId: many.poolId,
    MfaConfiguration: 'ON',
    ...tokenFactor,
    ...mailFactor,
    ...smsFactor,
  })
  await createUser(app, many.poolId, 'ann')
  const choice = await signIn(many)
  await keep('choose-set-up', choice.page)
  await keep('set-up-email', choice.browser.submit(choice.page, { answer: 'EMAIL_OTP' }))
  await createUser(app, many.poolId, 'eve', attributes)
  await app.aws.adminSetUserMFAPreference({
    UserPoolId: many.poolId,
    Username: 'eve',
    SMSMfaSettings: { Enabled: true },
    EmailMfaSettings: { Enabled: true },
  })
  const factor = await signIn(many, { username: 'eve', password })
  await keep('choose-mfa', factor.page)
  const code = await keep('code', factor.browser.submit(factor.page, { answer: 'SMS_MFA' }))
  await keep('code-refused', factor.browser.submit(code, { code: '000000' }))

  if (version === 2) {
    const factors = { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP', 'SMS_OTP'] } } as const
    const byChoice = await createClient(
      { Policies: { SignInPolicy: { AllowedFirstAuthFactors: [...factors.SignInPolicy.AllowedFirstAuthFactors] } } },
      ['ALLOW_USER_AUTH'],
    )
    await createUser(app, byChoice.poolId, 'ann', attributes)
    const { browser: chooser, page: name } = await start(byChoice)
    await keep('sign-in-name', name)
    const first = await keep('choose-factor', chooser.submit(name, { username: 'ann' }))
    await keep('password', chooser.submit(first, { answer: 'PASSWORD' }))
  }
  return pages
}
