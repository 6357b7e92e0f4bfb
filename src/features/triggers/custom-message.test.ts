import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, type TestApp, type TestFunction, type TriggerEvent } from '../../../test/support/app.ts'
import { createClient, createPool, email, passwordFlow, phone, signIn, verified } from '../../../test/support/pools.ts'

const password = 'Passw0rd!'
const ownMail = {
  EmailConfiguration: {
    EmailSendingAccount: 'DEVELOPER',
    SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/me@example.com',
  },
} as const

let pools = 0
const messagePool = async (app: TestApp, run: TestFunction, pool: Parameters<typeof createPool>[1] = ownMail) => {
  const events: TriggerEvent[] = []
  pools += 1
  const CustomMessage = app.lambda(`message-${pools}`, event => {
    events.push(structuredClone(event))
    return run(event)
  })
  return { ...(await createPool(app, { LambdaConfig: { CustomMessage }, ...pool }, passwordFlow)), events }
}
const answering = (response: object) => (event: TriggerEvent) => ({ ...event, response })
const fail = (text: string): never => {
  throw new Error(text)
}
const newest = async (app: TestApp, poolId: string) =>
  (await app.messages()).find(message => message.userPoolId === poolId)

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }
  const signUp = (app: TestApp, ClientId: string, more = {}) =>
    app.aws.signUp({
      ClientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
      ...more,
    })

  test('the function words the mail with a code that it never sees', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await messagePool(
      app,
      answering({ emailMessage: 'Hello {username}, <b>{####}</b>', emailSubject: 'Code {####}\r\nBcc: x@example.com' }),
    )
    await signUp(app, clientId, { ClientMetadata: { shop: 'north' } })
    const message = await newest(app, poolId)
    assert.match(message?.code ?? '', /^\d{6}$/)
    assert.match(message?.body ?? '', new RegExp(`<b>${message?.code}</b>$`))
    assert.equal(message?.subject, `Code ${message?.code} Bcc: x@example.com`)
    const [event] = events
    assert.equal(event?.triggerSource, 'CustomMessage_SignUp')
    assert.equal(event?.callerContext.clientId, clientId)
    assert.deepEqual(event?.response, { smsMessage: null, emailMessage: null, emailSubject: null })
    const { userAttributes, ...request } = event?.request ?? {}
    assert.equal((userAttributes as Record<string, string>)['cognito:user_status'], 'UNCONFIRMED')
    assert.deepEqual(request, {
      codeParameter: '{####}',
      linkParameter: '{##Click Here##}',
      usernameParameter: null,
      clientMetadata: { shop: 'north' },
    })
    await app.aws.confirmSignUp({ ClientId: clientId, Username: 'ann', ConfirmationCode: message?.code })
  })

  test('what the function leaves out is as usual', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await messagePool(app, event => event)
    await signUp(app, clientId)
    const message = await newest(app, poolId)
    assert.equal(message?.body, `Your verification code is ${message?.code}. `)
    assert.equal(message?.subject, 'Your verification code')
  })

  test('each occasion has its source', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await messagePool(app, event => event)
    await signUp(app, clientId)
    await app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' })
    await app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' })
    const { AuthenticationResult } = await signIn(app, clientId, 'ann', password)
    const AccessToken = AuthenticationResult?.AccessToken
    await app.aws.getUserAttributeVerificationCode({ AccessToken, AttributeName: 'email', ClientMetadata: { a: 'b' } })
    await app.aws.updateUserAttributes({ AccessToken, UserAttributes: [email('new@example.com')] })
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: poolId,
      Username: 'ann',
      UserAttributes: [email('ann@example.com'), verified('email')],
    })
    await app.aws.forgotPassword({ ClientId: clientId, Username: 'ann' })
    await app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: 'ann' })
    assert.deepEqual(
      events.map(({ triggerSource, callerContext }) => [triggerSource, callerContext.clientId]),
      [
        ['CustomMessage_SignUp', clientId],
        ['CustomMessage_ResendCode', clientId],
        ['CustomMessage_VerifyUserAttribute', clientId],
        ['CustomMessage_UpdateUserAttribute', clientId],
        ['CustomMessage_ForgotPassword', clientId],
        ['CustomMessage_ForgotPassword', 'CLIENT_ID_NOT_APPLICABLE'],
      ],
    )
    assert.deepEqual(events[2]?.request['clientMetadata'], { a: 'b' })
    assert.equal(Object(events[3]?.request['userAttributes']).email, 'new@example.com')
  })

  test('an invitation names the user and carries the password; nothing is worded that is not sent', async () => {
    const app = await sharedApp()
    const { poolId, events } = await messagePool(
      app,
      answering({ smsMessage: '{username}: {####}', emailMessage: 'Dear {username}, {####}' }),
    )
    await app.aws.adminCreateUser({ UserPoolId: poolId, Username: 'quiet', MessageAction: 'SUPPRESS' })
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: 'ann',
      TemporaryPassword: 'Temp0rary<!>',
      UserAttributes: [email('ann@example.com'), phone('+12025550101')],
      DesiredDeliveryMediums: ['SMS', 'EMAIL'],
    })
    const bodies = (await app.messages()).filter(message => message.userPoolId === poolId).map(({ body }) => body)
    assert.deepEqual(new Set(bodies), new Set(['ann: Temp0rary<!>', 'Dear ann, Temp0rary&lt;!&gt;']))
    assert.deepEqual(
      events.map(event => [event.triggerSource, event.request['usernameParameter']]),
      [
        ['CustomMessage_AdminCreateUser', '{username}'],
        ['CustomMessage_AdminCreateUser', '{username}'],
      ],
    )
  })

  test('where users are hidden, the function is asked after the answer, and its refusal reaches nobody', async () => {
    const own = await testApp()
    const answers: TestFunction[] = [
      answering({ emailMessage: 'Here: {####}' }),
      () => fail('ann@example.com is no more'),
    ]
    const { poolId, clientId, events } = await messagePool(own, event => answers.shift()?.(event))
    answers.unshift(event => event)
    await signUp(own, clientId)
    const client = await createClient(own, poolId, { ...passwordFlow, PreventUserExistenceErrors: 'ENABLED' })
    const resend = (Username: string) =>
      own.aws.resendConfirmationCode({ ClientId: client, Username, ClientMetadata: { a: 'b' } })
    await resend('ann')
    await resend('ghost')
    assert.equal(events.length, 1)
    await own.app.sendMessages()
    await own.app.handedOver()
    const [, event] = events
    assert.equal(events.length, 2)
    assert.deepEqual(
      [event?.triggerSource, event?.userName, event?.callerContext.clientId, event?.request['clientMetadata']],
      ['CustomMessage_ResendCode', 'ann', client, { a: 'b' }],
    )
    const message = await newest(own, poolId)
    assert.equal(message?.body, `Here: ${message?.code}`)

    await resend('ann')
    await own.app.sendMessages()
    await own.app.handedOver()
    assert.equal((await newest(own, poolId))?.id, message?.id)
    const told = own.logged.filter(({ message: text }) => text === 'message not delivered')
    assert.equal(told.length, 1)
    assert.doesNotMatch(JSON.stringify(own.logged), /ann@example|no more/)
    await own.app.sendMessages()
    assert.equal(events.length, 3)
    // The newer code took the place of the one that was sent, and nobody knows it.
    const confirmation = { ClientId: client, Username: 'ann', ConfirmationCode: message?.code }
    await assert.rejects(own.aws.confirmSignUp(confirmation), { name: 'CodeMismatchException' })
  })

  test('nobody is told of a password that nobody has forgotten', async () => {
    const app = await sharedApp()
    const { clientId, events } = await messagePool(app, event => event)
    await assert.rejects(app.aws.forgotPassword({ ClientId: clientId, Username: 'nobody' }))
    assert.deepEqual(events, [])
  })

  for (const [title, response, pool] of [
    ['a mail without the code', { emailMessage: 'Hello' }, ownMail],
    ['an empty mail', { emailMessage: '' }, ownMail],
    ['a mail that is too long', { emailMessage: `{####}${'x'.repeat(20_000)}` }, ownMail],
    ['a subject that is too long', { emailSubject: 'x'.repeat(141) }, ownMail],
    ['a number as the mail', { emailMessage: 1 }, ownMail],
    ['a mail where the pool sends none of its own', { emailMessage: '{####}' }, {}],
    ['a subject where the pool sends no mail of its own', { emailSubject: 'Hello' }, {}],
  ] as const) {
    test(`${title} is refused, and no message goes out`, async () => {
      const app = await sharedApp()
      const { poolId, clientId } = await messagePool(app, answering(response), pool)
      await assert.rejects(signUp(app, clientId), { name: 'InvalidLambdaResponseException' })
      assert.equal(await newest(app, poolId), undefined)
      // The user is stored all the same.
      assert.equal((await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })).UserStatus, 'UNCONFIRMED')
    })
  }

  test('text messages are short', async () => {
    const app = await sharedApp()
    const sms = { AutoVerifiedAttributes: ['phone_number' as const] }
    const toPhone = { UserAttributes: [phone('+12025550101')] }
    const fits = await messagePool(app, answering({ smsMessage: `{####}${'ü'.repeat(134)}` }), sms)
    await signUp(app, fits.clientId, toPhone)
    assert.match((await newest(app, fits.poolId))?.body ?? '', /^\d{6}ü{134}$/)
    const long = await messagePool(app, answering({ smsMessage: `{####}${'ü'.repeat(135)}` }), sms)
    await assert.rejects(signUp(app, long.clientId, toPhone), { name: 'InvalidLambdaResponseException' })
  })

  test('a function that throws keeps the message back', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await messagePool(app, () => {
      throw new Error('No words')
    })
    await assert.rejects(signUp(app, clientId), {
      name: 'UserLambdaValidationException',
      message: 'CustomMessage failed with error No words.',
    })
    assert.equal(await newest(app, poolId), undefined)
  })
})
