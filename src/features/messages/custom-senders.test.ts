import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider'
import { keepingDelivery, onEachDatabase, type TestApp, type TestAppOptions } from '../../../test/support/app.ts'
import { decryptCode, keyArn, kmsKey, kmsKeyring, localKeyring, startKms } from '../../../test/support/kms.ts'
import { mailFactor, ownMail, respond, smsFactor } from '../../../test/support/mfa.ts'
import { createPool, email, phone, verified } from '../../../test/support/pools.ts'
import { allFlows, beginWithPassword, createUser, password, signIn } from '../../../test/support/sign-in.ts'
import {
  abroad,
  eventsOf,
  home,
  setRisk,
  signInFrom,
  takeover,
  watchedPool,
} from '../../../test/support/threat-protection.ts'
import { createCodeEncryption } from '../../adapters/code-encryption.ts'
import { systemClock } from '../../adapters/system.ts'

const key = randomBytes(32)
const withKey = {
  codeEncryption: createCodeEncryption({ keys: new Map([[keyArn, key]]), kms: undefined, clock: systemClock }),
} satisfies TestAppOptions

/** What a custom sender is given. */
interface SenderEvent {
  version: string
  triggerSource: string
  region: string
  userPoolId: string
  userName: string
  callerContext: { awsSdkVersion: string; clientId: string }
  request: {
    type: string
    code: string | null
    clientMetadata: Record<string, string> | null
    userAttributes: Record<string, string>
  }
}

let functions = 0
/** A pool whose function delivers messages by these media; it keeps its events and may fail. */
const senderPool = async (
  app: TestApp,
  { media = ['EMAIL', 'SMS'], ...pool }: { media?: ('EMAIL' | 'SMS')[] } & Parameters<typeof createPool>[1] = {},
  run: () => unknown = () => undefined,
) => {
  functions += 1
  const events: SenderEvent[] = []
  const LambdaArn = app.lambda(`sender-${functions}`, event => {
    events.push(structuredClone(event) as unknown as SenderEvent)
    return run()
  })
  const sender = { LambdaVersion: 'V1_0', LambdaArn } as const
  const made = await createPool(
    app,
    {
      AutoVerifiedAttributes: ['email', 'phone_number'],
      ...pool,
      LambdaConfig: {
        ...pool.LambdaConfig,
        KMSKeyID: keyArn,
        ...(media.includes('EMAIL') && { CustomEmailSender: sender }),
        ...(media.includes('SMS') && { CustomSMSSender: sender }),
      } satisfies LambdaConfigType,
    },
    { ExplicitAuthFlows: allFlows },
  )
  return { ...made, events, LambdaArn }
}
const codeOf = async (event: SenderEvent | undefined) =>
  (await decryptCode(event?.request.code, localKeyring(key))).text

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp(withKey)
    return opened
  }
  /** Signs a user up whose code goes to the address. */
  const signUp = (app: TestApp, ClientId: string, more = {}) =>
    app.aws.signUp({
      ClientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
      ...more,
    })

  test('the function is given the code encrypted, and the answer is as usual', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await senderPool(app)
    const { CodeDeliveryDetails, UserSub } = await signUp(app, clientId, { ClientMetadata: { lang: 'de' } })
    assert.deepEqual(CodeDeliveryDetails, {
      AttributeName: 'email',
      DeliveryMedium: 'EMAIL',
      Destination: 'a***@e***',
    })
    await app.app.handedOver()
    const [event] = events
    const { callerContext, request, ...rest } = event ?? assert.fail()
    assert.deepEqual(rest, {
      version: '1',
      triggerSource: 'CustomEmailSender_SignUp',
      region: 'us-east-1',
      userPoolId: poolId,
      userName: 'ann',
    })
    assert.equal(callerContext.clientId, clientId)
    assert.match(callerContext.awsSdkVersion, /^aws-sdk-js-\d/)
    assert.deepEqual(Object.keys(request), ['type', 'code', 'clientMetadata', 'userAttributes'])
    assert.deepEqual([request.type, request.clientMetadata], ['customEmailSenderRequestV1', { lang: 'de' }])
    assert.deepEqual(request.userAttributes, {
      sub: UserSub,
      'cognito:user_status': 'UNCONFIRMED',
      email: 'ann@example.com',
      email_verified: 'false',
    })
    const read = await decryptCode(request.code, localKeyring(key))
    assert.match(read.text, /^\d{6}$/)
    assert.equal(read.encryptionContext['userpool-id'], poolId)
    await app.aws.confirmSignUp({ ClientId: clientId, Username: 'ann', ConfirmationCode: read.text })
  })

  test('each occasion has its source, by mail and by text message', async () => {
    const app = await sharedApp()
    // In the background, one could overtake the other.
    const delivered = async (asked: Promise<unknown>): Promise<void> => {
      await asked
      await app.app.handedOver()
    }
    for (const [medium, attribute, address, other, prefix, type] of [
      ['EMAIL', email, 'ann@example.com', 'new@example.com', 'CustomEmailSender', 'customEmailSenderRequestV1'],
      ['SMS', phone, '+12025550101', '+12025550102', 'CustomSMSSender', 'customSMSSenderRequestV1'],
    ] as const) {
      const name = attribute('').Name as 'email' | 'phone_number'
      const { poolId, clientId, events } = await senderPool(app, { AutoVerifiedAttributes: [name] })
      await delivered(signUp(app, clientId, { UserAttributes: [attribute(address)] }))
      await delivered(app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' }))
      await app.aws.adminConfirmSignUp({ UserPoolId: poolId, Username: 'ann' })
      const { access: AccessToken } = await signIn(app, clientId, 'ann')
      await delivered(app.aws.getUserAttributeVerificationCode({ AccessToken, AttributeName: name }))
      await delivered(app.aws.updateUserAttributes({ AccessToken, UserAttributes: [attribute(other)] }))
      await delivered(
        app.aws.adminUpdateUserAttributes({
          UserPoolId: poolId,
          Username: 'ann',
          UserAttributes: [attribute(address), verified(name)],
        }),
      )
      await delivered(app.aws.forgotPassword({ ClientId: clientId, Username: 'ann' }))
      await delivered(app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: 'ann' }))
      await app.aws.adminCreateUser({
        UserPoolId: poolId,
        Username: 'bob',
        UserAttributes: [attribute(address)],
        DesiredDeliveryMediums: [medium],
      })
      await app.app.handedOver()
      assert.deepEqual(
        events.map(event => [event.triggerSource, event.callerContext.clientId, event.request.userAttributes[name]]),
        [
          [`${prefix}_SignUp`, clientId, address],
          [`${prefix}_ResendCode`, clientId, address],
          [`${prefix}_VerifyUserAttribute`, clientId, address],
          [`${prefix}_UpdateUserAttribute`, clientId, other],
          [`${prefix}_ForgotPassword`, clientId, address],
          [`${prefix}_ForgotPassword`, 'CLIENT_ID_NOT_APPLICABLE', address],
          [`${prefix}_AdminCreateUser`, 'CLIENT_ID_NOT_APPLICABLE', address],
        ],
      )
      for (const event of events) {
        assert.equal(event.request.type, type)
        assert.equal(event.request.clientMetadata, null)
        assert.match(await codeOf(event), event.triggerSource.endsWith('AdminCreateUser') ? /^\S{8,}$/ : /^\d{6}$/)
      }
    }
  })

  test('codes of a second factor go through it as well', async () => {
    const app = await sharedApp()
    const { poolId, clientId, events } = await senderPool(app, ownMail)
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: poolId,
      MfaConfiguration: 'ON',
      ...smsFactor,
      ...mailFactor,
    })
    for (const [name, attribute, settings, challengeName, response] of [
      ['ann', email('ann@example.com'), 'EmailMfaSettings', 'EMAIL_OTP', 'EMAIL_OTP_CODE'],
      ['bob', phone('+12025550101'), 'SMSMfaSettings', 'SMS_MFA', 'SMS_MFA_CODE'],
    ] as const) {
      await createUser(app, poolId, name, [attribute])
      await app.aws.adminSetUserMFAPreference({ UserPoolId: poolId, Username: name, [settings]: { Enabled: true } })
      const challenge = await beginWithPassword(app, clientId, name)
      assert.equal(challenge.ChallengeName, challengeName)
      await app.app.handedOver()
      const event = events.at(-1)
      assert.match(event?.triggerSource ?? '', /_Authentication$/)
      const { AuthenticationResult } = await respond(app, clientId, name, challenge, {
        [response]: await codeOf(event),
      })
      assert.ok(AuthenticationResult?.AccessToken)
    }
  })

  test('a temporary password has its angle brackets escaped', async () => {
    const app = await sharedApp()
    const { poolId, events } = await senderPool(app)
    await app.aws.adminCreateUser({
      UserPoolId: poolId,
      Username: 'ann',
      TemporaryPassword: 'Temp<1>&"pass',
      UserAttributes: [email('ann@example.com')],
      DesiredDeliveryMediums: ['EMAIL'],
    })
    await app.app.handedOver()
    assert.equal(await codeOf(events[0]), 'Temp&lt;1&gt;&"pass')
  })

  test('what the function delivers goes no other way, and is worded by nobody else', async () => {
    const delivery = keepingDelivery()
    const app = await testApp({ ...withKey, delivery })
    const worded: string[] = []
    const CustomMessage = app.lambda('words', event => {
      worded.push(event.triggerSource)
      return event
    })
    const { poolId, clientId, events } = await senderPool(app, { media: ['EMAIL'], LambdaConfig: { CustomMessage } })
    await signUp(app, clientId)
    await app.app.handedOver()
    assert.deepEqual([events.length, delivery.sent.length, worded.length], [1, 0, 0])
    const [shown] = await app.messages()
    assert.equal(shown?.code, await codeOf(events[0]))
    assert.equal(shown?.userPoolId, poolId)
    // The other medium is sent as usual.
    await signUp(app, clientId, { Username: 'bob', UserAttributes: [phone('+12025550101')] })
    await app.app.handedOver()
    assert.deepEqual([events.length, delivery.sent.length, worded], [1, 1, ['CustomMessage_SignUp']])
  })

  test('a function that fails fails no operation, and is called three times in all', async () => {
    const app = await testApp(withKey)
    let calls = 0
    const { clientId } = await senderPool(app, {}, () => {
      calls += 1
      throw new Error('no way out for 123456')
    })
    await signUp(app, clientId)
    await app.app.handedOver()
    assert.equal(calls, 1)
    for (let tick = 0; tick < 5; tick += 1) {
      app.advance(60_000)
      await app.app.tick()
      await app.app.handedOver()
    }
    assert.equal(calls, 3)
    assert.deepEqual(await app.database.db.selectFrom('message_queue').selectAll().execute(), [])
    assert.ok(app.logged.some(({ message }) => message === 'message not delivered'))
    assert.doesNotMatch(JSON.stringify(app.logged), /123456/)
  })

  test('without a key nothing leaves, and it is tried again until the code is of no use', async () => {
    const app = await testApp()
    const { clientId, events } = await senderPool(app)
    await signUp(app, clientId)
    await app.app.handedOver()
    assert.deepEqual(events, [])
    assert.ok(app.logged.some(({ details }) => JSON.stringify(details).includes(`No key is configured for ${keyArn}.`)))
    app.advance(24 * 3_600_000)
    await app.app.tick()
    assert.deepEqual(events, [])
    assert.deepEqual(await app.database.db.selectFrom('message_queue').selectAll().execute(), [])
    assert.ok(app.logged.some(({ message }) => message === 'message given up'))
  })

  test('with a KMS, a function like those of the samples reads the code', async () => {
    await using kms = await startKms()
    const codeEncryption = createCodeEncryption({
      keys: new Map(),
      kms: { endpoint: kms.url, credentials: kmsKey },
      clock: systemClock,
    })
    const app = await testApp({ codeEncryption })
    const { poolId, clientId, events } = await senderPool(app)
    await signUp(app, clientId)
    await app.app.handedOver()
    const { text, encryptionContext } = await decryptCode(events[0]?.request.code, kmsKeyring(kms.url))
    assert.equal(encryptionContext['userpool-id'], poolId)
    await app.aws.confirmSignUp({ ClientId: clientId, Username: 'ann', ConfirmationCode: text })
  })

  test('the notice of a takeover says of what and carries no code', async () => {
    const app = await testApp(withKey)
    const events: SenderEvent[] = []
    const LambdaArn = app.lambda('notices', event => {
      events.push(structuredClone(event) as unknown as SenderEvent)
    })
    const pool = await watchedPool(app, 'ENFORCED', {
      LambdaConfig: { KMSKeyID: keyArn, CustomEmailSender: { LambdaVersion: 'V1_0', LambdaArn } },
    })
    await setRisk(app, pool, takeover('NO_ACTION', true))
    await signInFrom(app, pool, home)
    app.advance(60_000)
    await signInFrom(app, pool, abroad)
    await app.app.sendMessages()
    await app.app.handedOver()
    const [event] = events
    assert.equal(events.length, 1)
    assert.equal(event?.triggerSource, 'CustomEmailSender_AccountTakeOverNotification')
    assert.deepEqual([event?.request.code, event?.request.clientMetadata], [null, null])
    const [attempt] = await eventsOf(app, pool)
    const { ONE_CLICK_LINK_VALID, ONE_CLICK_LINK_INVALID, FEEDBACK_TOKEN, LOGIN_TIME, ...told } =
      event?.request.userAttributes ?? {}
    assert.deepEqual(told, {
      EVENT_ID: attempt?.EventId,
      USER_NAME: 'ann',
      IP_ADDRESS: abroad.address,
      ACCOUNT_TAKE_OVER_ACTION: 'NO_ACTION',
      DEVICE_NAME: 'Firefox 127, Linux',
    })
    assert.match(LOGIN_TIME ?? '', /^[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d{2}:\d{2} [AP]M UTC$/)
    for (const link of [ONE_CLICK_LINK_VALID, ONE_CLICK_LINK_INVALID]) {
      assert.equal(new URL(link ?? '').searchParams.get('feedbackToken'), FEEDBACK_TOKEN)
    }
  })

  test('names that nobody has reach no function', async () => {
    const app = await sharedApp()
    const { poolId, events } = await senderPool(app)
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId: poolId,
      ClientName: 'discreet',
      PreventUserExistenceErrors: 'ENABLED',
    })
    await app.aws.forgotPassword({ ClientId: UserPoolClient?.ClientId, Username: 'nobody' })
    await app.app.handedOver()
    assert.deepEqual(events, [])
  })
})
