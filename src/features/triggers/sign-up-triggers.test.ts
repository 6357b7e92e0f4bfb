import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp, type TriggerEvent } from '../../../test/support/app.ts'
import {
  attributesOf,
  createPool,
  email,
  passwordFlow,
  phone,
  signIn,
  statusOf,
  verified,
} from '../../../test/support/pools.ts'
import { TriggerFailure } from '../../core/ports.ts'

const password = 'Passw0rd!'
const triggerError = (message: string) => ({ name: 'UserLambdaValidationException', message })

/** A pool whose function for the trigger keeps the events that it is given. */
const withTrigger = async (
  app: TestApp,
  trigger: keyof LambdaConfigType,
  run: (event: TriggerEvent) => unknown = event => event,
  pool: Parameters<typeof createPool>[1] = {},
) => {
  const events: TriggerEvent[] = []
  const arn = app.lambda(`${trigger}-${++functions}`, event => {
    events.push(structuredClone(event))
    return run(event)
  })
  const made = await createPool(app, { LambdaConfig: { [trigger]: arn }, ...pool }, passwordFlow)
  return { ...made, events }
}
let functions = 0

const answering = (response: object) => (event: TriggerEvent) => ({ ...event, response })

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }

  test('pre sign-up is told of a new user and leaves things as they are when it returns the event', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await withTrigger(app, 'PreSignUp')
    const { UserConfirmed, CodeDeliveryDetails } = await app.aws.signUp({
      ClientId: clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
      ValidationData: [{ Name: 'invitation', Value: '42' }],
      ClientMetadata: { shop: 'north' },
    })
    assert.equal(UserConfirmed, false)
    assert.equal(CodeDeliveryDetails?.Destination, 'a***@e***')
    const [event] = events
    assert.match(event?.callerContext.awsSdkVersion ?? '', /^aws-sdk-js-3\./)
    assert.deepEqual(
      { ...event, callerContext: { clientId: event?.callerContext.clientId } },
      {
        version: '1',
        triggerSource: 'PreSignUp_SignUp',
        region: 'us-east-1',
        userPoolId: poolId,
        userName: 'ann',
        callerContext: { clientId },
        request: {
          userAttributes: { email: 'ann@example.com' },
          validationData: { invitation: '42' },
          clientMetadata: { shop: 'north' },
        },
        response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
      },
    )
  })

  test('pre sign-up that throws refuses the user, who is not stored', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await withTrigger(app, 'PreSignUp', () => {
      throw new Error('Not you.')
    })
    await assert.rejects(
      app.aws.signUp({ ClientId: clientId, Username: 'ann', Password: password }),
      triggerError('PreSignUp failed with error Not you..'),
    )
    await assert.rejects(
      app.aws.adminCreateUser({ UserPoolId: poolId, Username: 'ann' }),
      triggerError('PreSignUp failed with error Not you..'),
    )
    assert.deepEqual((await app.aws.listUsers({ UserPoolId: poolId })).Users, [])
  })

  test('pre sign-up is not asked about a name that is taken', async () => {
    const app = await sharedApp()
    const { clientId, events } = await withTrigger(app, 'PreSignUp')
    const signUp = () => app.aws.signUp({ ClientId: clientId, Username: 'ann', Password: password })
    await signUp()
    await assert.rejects(signUp(), { name: 'UsernameExistsException' })
    assert.equal(events.length, 1)
  })

  test('a user whom pre sign-up confirms and verifies signs in without a code', async () => {
    const app = await sharedApp()
    const flags = { autoConfirmUser: true, autoVerifyEmail: true, autoVerifyPhone: true }
    const { poolId, clientId } = await withTrigger(app, 'PreSignUp', answering(flags))
    const answer = await app.aws.signUp({
      ClientId: clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com'), phone('+12025550101')],
    })
    assert.equal(answer.UserConfirmed, true)
    assert.equal(answer.CodeDeliveryDetails, undefined)
    assert.ok((await app.messages()).every(message => message.userPoolId !== poolId))
    const attributes = await attributesOf(app, poolId, 'ann')
    assert.equal(attributes['email_verified'], 'true')
    assert.equal(attributes['phone_number_verified'], 'true')
    assert.ok((await signIn(app, clientId, 'ann', password)).AuthenticationResult)
  })

  test('an address that pre sign-up verifies gets no code but does not confirm the user', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await withTrigger(app, 'PreSignUp', answering({ autoVerifyEmail: true }))
    const signUp = (Username: string, UserAttributes = [email(`${Username}@example.com`)]) =>
      app.aws.signUp({ ClientId: clientId, Username, Password: password, UserAttributes })
    assert.equal((await signUp('ann')).CodeDeliveryDetails, undefined)
    assert.equal(await statusOf(app, poolId, 'ann'), 'UNCONFIRMED')
    await assert.rejects(signUp('bob', []), { name: 'InvalidLambdaResponseException' })
  })

  test('an alias that pre sign-up verifies moves to the new user', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await withTrigger(
      app,
      'PreSignUp',
      answering({ autoConfirmUser: true, autoVerifyEmail: true }),
      { AliasAttributes: ['email'] },
    )
    const signUp = (Username: string) =>
      app.aws.signUp({ ClientId: clientId, Username, Password: password, UserAttributes: [email('a@example.com')] })
    await signUp('ann')
    await signUp('bob')
    assert.equal((await attributesOf(app, poolId, 'ann'))['email_verified'], 'false')
    assert.equal((await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'a@example.com' })).Username, 'bob')
  })

  test('the flags of pre sign-up do nothing for a user whom an administrator makes', async () => {
    const app = await sharedApp()
    const flags = { autoConfirmUser: true, autoVerifyEmail: true, autoVerifyPhone: true }
    const { poolId, events } = await withTrigger(app, 'PreSignUp', answering(flags))
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: 'ann',
      UserAttributes: [email('ann@example.com'), verified('email')],
      ValidationData: [{ Name: 'a', Value: 'b' }],
      ClientMetadata: { c: 'd' },
      MessageAction: 'SUPPRESS',
    })
    assert.equal(await statusOf(app, poolId, 'ann'), 'FORCE_CHANGE_PASSWORD')
    const [event] = events
    assert.equal(event?.triggerSource, 'PreSignUp_AdminCreateUser')
    assert.equal(event?.callerContext.clientId, 'CLIENT_ID_NOT_APPLICABLE')
    assert.deepEqual(event?.request, {
      userAttributes: { email: 'ann@example.com', email_verified: 'true' },
      validationData: { a: 'b' },
      clientMetadata: { c: 'd' },
    })
  })

  for (const [title, returned, message] of [
    ['null', null, 'Unrecognizable lambda output'],
    ['a text', 'yes', 'Unrecognizable lambda output'],
    ['no response', {}, 'Unrecognizable lambda output'],
    ['a text for a flag', { response: { autoConfirmUser: 'true' } }, 'Unrecognizable lambda output'],
  ] as const) {
    test(`a function that returns ${title} refuses the user`, async () => {
      const app = await sharedApp()
      const { clientId } = await withTrigger(app, 'PreSignUp', () => returned)
      await assert.rejects(app.aws.signUp({ ClientId: clientId, Username: 'ann', Password: password }), {
        name: 'InvalidLambdaResponseException',
        message,
      })
    })
  }

  for (const [title, failure, tries, expected] of [
    [
      'is not there',
      new TriggerFailure('refused', 'AccessDeniedException'),
      1,
      ['UnexpectedLambdaException', 'PreSignUp invocation failed due to error AccessDeniedException.'],
    ],
    [
      'returns no JSON',
      new TriggerFailure('not-json', ''),
      1,
      ['InvalidLambdaResponseException', 'Invalid lambda function output : Invalid JSON'],
    ],
    [
      'never answers',
      new TriggerFailure('timeout', ''),
      3,
      [
        'UnexpectedLambdaException',
        'PreSignUp invocation failed due to error Socket timeout while invoking Lambda function.',
      ],
    ],
  ] as const) {
    test(`a function that ${title} is tried ${tries} times and refuses the user`, async () => {
      const app = await sharedApp()
      const { clientId, events } = await withTrigger(app, 'PreSignUp', () => {
        throw failure
      })
      const [name, message] = expected
      await assert.rejects(app.aws.signUp({ ClientId: clientId, Username: 'ann', Password: password }), {
        name,
        message,
      })
      assert.equal(events.length, tries)
    })
  }

  test('a function that answers at the second try is as good as one that answers at once', async () => {
    const app = await sharedApp()
    let calls = 0
    const { clientId } = await withTrigger(app, 'PreSignUp', event => {
      calls += 1
      if (calls === 1) throw new TriggerFailure('timeout', '')
      return { ...event, response: { autoConfirmUser: true } }
    })
    assert.equal(
      (await app.aws.signUp({ ClientId: clientId, Username: 'ann', Password: password })).UserConfirmed,
      true,
    )
  })

  test('post confirmation is told of users who are confirmed, by code, administrator or trigger', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await withTrigger(app, 'PostConfirmation')
    for (const Username of ['ann', 'bob']) {
      await app.aws.signUp({
        ClientId: clientId,
        Username,
        Password: password,
        UserAttributes: [email(`${Username}@example.com`)],
      })
    }
    await app.aws.confirmSignUp({
      ClientId: clientId,
      Username: 'ann',
      ConfirmationCode: await app.lastCode('ann@example.com'),
      ClientMetadata: { by: 'code' },
    })
    await app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'bob' })
    const seen = events.map(({ triggerSource, userName, callerContext, request }) => [
      triggerSource,
      userName,
      callerContext.clientId,
      (request['userAttributes'] as Record<string, string>)['cognito:user_status'],
      (request['userAttributes'] as Record<string, string>)['email_verified'],
      request['clientMetadata'],
    ])
    assert.deepEqual(seen, [
      ['PostConfirmation_ConfirmSignUp', 'ann', clientId, 'CONFIRMED', 'true', { by: 'code' }],
      ['PostConfirmation_ConfirmSignUp', 'bob', 'CLIENT_ID_NOT_APPLICABLE', 'CONFIRMED', 'false', undefined],
    ])
    const { Arn } = { Arn: app.lambda('confirms', answering({ autoConfirmUser: true })) }
    const PostConfirmation = (await app.aws.describeUserPool({ UserPoolId: poolId })).UserPool?.LambdaConfig
      ?.PostConfirmation
    await app.aws.updateUserPool({ UserPoolId: poolId, LambdaConfig: { PreSignUp: Arn, PostConfirmation } })
    await app.aws.signUp({ ClientId: clientId, Username: 'cat', Password: password })
    assert.deepEqual(
      events.slice(2).map(event => [event.triggerSource, event.userName]),
      [['PostConfirmation_ConfirmSignUp', 'cat']],
    )
  })

  test('post confirmation that throws leaves the user confirmed', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await withTrigger(app, 'PostConfirmation', () => {
      throw new Error('Too late')
    })
    await app.aws.signUp({
      ClientId: clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
    })
    const confirm = async () =>
      app.aws.confirmSignUp({ ClientId: clientId, Username: 'ann', ConfirmationCode: await app.lastCode() })
    await assert.rejects(confirm(), triggerError('PostConfirmation failed with error Too late.'))
    assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
    await assert.rejects(confirm(), { name: 'NotAuthorizedException' })
  })

  test('post confirmation is told of a password that was reset', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await withTrigger(app, 'PostConfirmation')
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: 'ann',
      MessageAction: 'SUPPRESS',
      UserAttributes: [email('ann@example.com'), verified('email')],
    })
    await app.aws.adminSetUserPassword({ UserPoolId: poolId, Username: 'ann', Password: password, Permanent: true })
    await app.aws.forgotPassword({ ClientId: clientId, Username: 'ann' })
    await app.aws.confirmForgotPassword({
      ClientId: clientId,
      Username: 'ann',
      ConfirmationCode: await app.lastCode(),
      Password: `${password}2`,
      ClientMetadata: { a: 'b' },
    })
    assert.deepEqual(
      events.map(event => [event.triggerSource, event.userName, event.request['clientMetadata']]),
      [['PostConfirmation_ConfirmForgotPassword', 'ann', { a: 'b' }]],
    )
  })
})
