import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createPool, email, phone, statusOf } from '../../../test/support/pools.ts'

const byLink = {
  VerificationMessageTemplate: {
    DefaultEmailOption: 'CONFIRM_WITH_LINK',
    EmailMessageByLink: 'Dear reader, {##Click Here##} or {##do not##}.',
    EmailSubjectByLink: 'Is it you?',
    EmailMessage: 'Code: {####}',
    EmailSubject: 'A code',
    SmsMessage: 'SMS code: {####}',
  },
} as const

const signUp = (app: TestApp, ClientId: string, Username = 'ann', attribute = email('ann@example.com')) =>
  app.aws.signUp({ ClientId, Username, Password: 'Passw0rd!', UserAttributes: [attribute] })

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp({ publicUrl: 'https://id.example.com' })
    return opened
  }
  const newest = async (app: TestApp, poolId: string) =>
    (await app.messages()).find(message => message.userPoolId === poolId) ?? assert.fail('no message')
  /** Where the mail leads to. */
  const linkIn = (body: string) =>
    new URL((/<a href="([^"]*)">/.exec(body)?.[1] ?? assert.fail(body)).replaceAll('&amp;', '&'))

  test('a sign-up is confirmed by a link at the domain of the pool', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await createPool(app, byLink)
    await app.aws.createUserPoolDomain({ UserPoolId: poolId, Domain: `links-${app.kind}` })
    await signUp(app, clientId, 'ann&<co>+%/?')
    const { subject, body, code } = await newest(app, poolId)
    assert.equal(subject, 'Is it you?')
    const link = linkIn(body)
    assert.equal(`${link.origin}${link.pathname}`, `https://links-${app.kind}.id.example.com/confirmUser/`)
    assert.deepEqual(
      [...link.searchParams],
      [
        ['client_id', clientId],
        ['user_name', 'ann&<co>+%/?'],
        ['confirmation_code', code],
      ],
    )
    assert.match(body, /^Dear reader, <a href="[^"<>]*">Click Here<\/a> or <a href="[^"<>]*">do not<\/a>\.$/)
    await app.aws.confirmSignUp({
      ClientId: clientId,
      Username: link.searchParams.get('user_name') ?? '',
      ConfirmationCode: link.searchParams.get('confirmation_code') ?? '',
    })
    assert.equal(await statusOf(app, poolId, 'ann&<co>+%/?'), 'CONFIRMED')
  })

  test('a click confirms the user', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createPool(app, byLink)
    await signUp(app, clientId)
    assert.equal((await fetch(linkIn((await newest(app, poolId)).body))).status, 200)
    assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
  })

  test('a custom domain stands before the prefix, and without a domain the server itself takes the click', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await createPool(app, byLink)
    const host = async () => {
      await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
      return linkIn((await newest(app, poolId)).body).host
    }
    await signUp(app, clientId)
    assert.equal(linkIn((await newest(app, poolId)).body).host, 'id.example.com')
    await app.aws.createUserPoolDomain({ UserPoolId: poolId, Domain: `two-${app.kind}` })
    assert.equal(await host(), `two-${app.kind}.id.example.com`)
    const custom = `auth-${app.kind}.example.org`
    await app.aws.createUserPoolDomain({
      UserPoolId: poolId,
      Domain: custom,
      CustomDomainConfig: { CertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1' },
    })
    assert.equal(await host(), custom)
  })

  test('everything but a sign-up by mail is confirmed by a code', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await createPool(app, {
      ...byLink,
      AutoVerifiedAttributes: ['email', 'phone_number'],
    })
    await signUp(app, clientId, 'bob', phone('+12025550101'))
    assert.match((await newest(app, poolId)).body, /^SMS code: \d{6}$/)
    await signUp(app, clientId)
    await app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' })
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: poolId,
      Username: 'ann',
      UserAttributes: [email('new@example.com')],
    })
    const { subject, body } = await newest(app, poolId)
    assert.equal(subject, 'A code')
    assert.match(body, /^Code: \d{6}$/)
  })

  test('a pool without words of its own has a link with the default ones', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await createPool(app, {
      VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_LINK' },
    })
    await signUp(app, clientId)
    const { subject, body } = await newest(app, poolId)
    assert.equal(subject, 'Your verification link')
    assert.match(
      body,
      /^Please click the link below to verify your email address\. <a href="[^"]*">Verify Email<\/a> $/,
    )
  })

  test('the function that words messages may place the link', async () => {
    const app = await sharedApp()
    const ownMail = {
      EmailConfiguration: {
        EmailSendingAccount: 'DEVELOPER',
        SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/me@example.com',
      },
    } as const
    let emailMessage = ''
    const CustomMessage = app.lambda(`links-${app.kind}`, event => {
      assert.equal(event.request['linkParameter'], '{##Click Here##}')
      return { ...event, response: { emailMessage } }
    })
    const { poolId, clientId } = await createPool(app, { ...byLink, ...ownMail, LambdaConfig: { CustomMessage } })
    emailMessage = 'Please {##Click Here##}'
    await signUp(app, clientId)
    assert.match((await newest(app, poolId)).body, /^Please <a href="[^"]*">Click Here<\/a>$/)
    emailMessage = 'Code {####}'
    await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
    assert.match((await newest(app, poolId)).body, /^Code \d{6}$/)
    emailMessage = 'Neither'
    await assert.rejects(app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' }), {
      name: 'InvalidLambdaResponseException',
    })
  })
})
