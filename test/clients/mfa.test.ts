/** Second factors through stock Amplify and `amazon-cognito-identity-js`. */
import assert from 'node:assert/strict'
import { before, beforeEach, test } from 'node:test'
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserPool,
  type CognitoUserSession,
} from 'amazon-cognito-identity-js'
import { Amplify } from 'aws-amplify'
import {
  confirmSignIn,
  fetchAuthSession,
  fetchMFAPreference,
  type SignInOutput,
  setUpTOTP,
  signIn,
  signOut,
  updateMFAPreference,
  verifyTOTPSetup,
} from 'aws-amplify/auth'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { authenticator, createMfaPool, mailFactor, smsFactor, tokenFactor } from '../support/mfa.ts'
import { createUser, email, phone, type TestPool } from '../support/pools.ts'

const password = 'Corr3ct-horse!'
const everyFactor = { ...smsFactor, ...tokenFactor, ...mailFactor }

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool

  before(async () => {
    app = await testApp({ realTime: true })
  })

  /** Mail that recovers accounts is offered as second factor to nobody by itself. */
  const byAdministrator = {
    AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'admin_only' as const, Priority: 1 }] },
  }

  const usePool = async (config: Parameters<typeof createMfaPool>[1]): Promise<void> => {
    pool = await createMfaPool(app, config, { pool: byAdministrator })
    Amplify.configure({
      Auth: {
        Cognito: { userPoolId: pool.poolId, userPoolClientId: pool.clientId, userPoolEndpoint: app.url },
      },
    })
  }

  // ------------------------------------------------------------------------------------------ Amplify

  beforeEach(() => signOut().catch(() => undefined))

  const step = ({ nextStep }: SignInOutput): string => nextStep.signInStep

  test('Amplify sets up an authenticator for a signed-in user and signs in with it', async () => {
    await usePool({ MfaConfiguration: 'OPTIONAL', ...everyFactor })
    await createUser(app, pool.poolId, 'ann', password, [phone('+12065551234'), email('ann@example.com')])
    assert.equal((await signIn({ username: 'ann', password })).isSignedIn, true)
    const { sharedSecret, getSetupUri } = await setUpTOTP()
    assert.equal(getSetupUri('App', 'ann').searchParams.get('secret'), sharedSecret)
    const device = authenticator(app, sharedSecret)
    await assert.rejects(verifyTOTPSetup({ code: device.wrongCode() }), { name: 'EnableSoftwareTokenMFAException' })
    await verifyTOTPSetup({ code: device.code() })
    await updateMFAPreference({ totp: 'PREFERRED' })
    assert.deepEqual(await fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' })
    await signOut()

    const begun = await signIn({ username: 'ann', password })
    assert.equal(step(begun), 'CONFIRM_SIGN_IN_WITH_TOTP_CODE')
    await assert.rejects(confirmSignIn({ challengeResponse: device.wrongCode() }), { name: 'CodeMismatchException' })
    assert.equal((await confirmSignIn({ challengeResponse: device.code(1) })).isSignedIn, true)
    assert.ok((await fetchAuthSession()).tokens?.accessToken)

    await updateMFAPreference({ sms: 'ENABLED', email: 'ENABLED', totp: 'NOT_PREFERRED' })
    assert.deepEqual(await fetchMFAPreference(), { enabled: ['SMS', 'TOTP', 'EMAIL'], preferred: undefined })
    for (const [choice, expected, to] of [
      ['SMS', 'CONFIRM_SIGN_IN_WITH_SMS_CODE', '+12065551234'],
      ['EMAIL', 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE', 'ann@example.com'],
    ] as const) {
      await signOut()
      const selecting = await signIn({ username: 'ann', password })
      assert.equal(step(selecting), 'CONTINUE_SIGN_IN_WITH_MFA_SELECTION')
      assert.deepEqual('allowedMFATypes' in selecting.nextStep && selecting.nextStep.allowedMFATypes, [
        'SMS',
        'TOTP',
        'EMAIL',
      ])
      const challenge = await confirmSignIn({ challengeResponse: choice })
      assert.equal(step(challenge), expected)
      assert.equal((await confirmSignIn({ challengeResponse: await app.lastCode(to) })).isSignedIn, true)
    }
    await updateMFAPreference({ sms: 'DISABLED', email: 'DISABLED', totp: 'DISABLED' })
    await signOut()
    assert.equal((await signIn({ username: 'ann', password })).isSignedIn, true)
  })

  test('Amplify sets up an authenticator during the sign-in, after a new password', async () => {
    await usePool({ MfaConfiguration: 'ON', ...tokenFactor })
    await app.aws.adminCreateUser({
      UserPoolId: pool.poolId,
      Username: 'ann',
      TemporaryPassword: 'T3mporary!',
      MessageAction: 'SUPPRESS',
    })
    const begun = await signIn({ username: 'ann', password: 'T3mporary!' })
    assert.equal(step(begun), 'CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED')
    const setup = await confirmSignIn({ challengeResponse: password })
    assert.equal(step(setup), 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP')
    const secret = 'totpSetupDetails' in setup.nextStep ? setup.nextStep.totpSetupDetails.sharedSecret : ''
    const device = authenticator(app, secret)
    await assert.rejects(confirmSignIn({ challengeResponse: device.wrongCode() }), {
      name: 'EnableSoftwareTokenMFAException',
    })
    assert.equal((await confirmSignIn({ challengeResponse: device.code() })).isSignedIn, true)
    await signOut()
    assert.equal(step(await signIn({ username: 'ann', password })), 'CONFIRM_SIGN_IN_WITH_TOTP_CODE')
    assert.equal((await confirmSignIn({ challengeResponse: device.code(1) })).isSignedIn, true)
  })

  test('Amplify sets up mail during the sign-in, chosen or not', async () => {
    await usePool({ MfaConfiguration: 'ON', ...tokenFactor, ...mailFactor })
    await createUser(app, pool.poolId, 'ann', password)
    assert.equal(step(await signIn({ username: 'ann', password })), 'CONTINUE_SIGN_IN_WITH_MFA_SETUP_SELECTION')
    assert.equal(step(await confirmSignIn({ challengeResponse: 'EMAIL' })), 'CONTINUE_SIGN_IN_WITH_EMAIL_SETUP')
    const challenge = await confirmSignIn({ challengeResponse: 'ann@example.com' })
    assert.equal(step(challenge), 'CONFIRM_SIGN_IN_WITH_EMAIL_CODE')
    const done = await confirmSignIn({ challengeResponse: await app.lastCode('ann@example.com') })
    assert.equal(done.isSignedIn, true)
    assert.deepEqual(await fetchMFAPreference(), { enabled: ['EMAIL'], preferred: undefined })
  })

  // ------------------------------------------------------------------------------------------ identity-js

  interface Asked {
    asked: string
    parameters: Record<string, string>
  }
  type Result = CognitoUserSession | Asked

  const cognitoUser = (Username: string) =>
    new CognitoUser({
      Username,
      Pool: new CognitoUserPool({ UserPoolId: pool.poolId, ClientId: pool.clientId, endpoint: app.url }),
    })

  /** Callbacks of the library as a promise: a session, or what is asked for next. */
  const result = (call: (callbacks: Parameters<CognitoUser['authenticateUser']>[1]) => void): Promise<Result> =>
    new Promise((resolve, reject) => {
      const asks = (asked: string, parameters: Record<string, string>) => resolve({ asked, parameters })
      call({
        onSuccess: resolve,
        onFailure: reject,
        mfaRequired: asks,
        totpRequired: asks,
        mfaSetup: asks,
        selectMFAType: asks,
      })
    })

  const authenticate = (user: CognitoUser): Promise<Result> =>
    result(callbacks =>
      user.authenticateUser(new AuthenticationDetails({ Username: user.getUsername(), Password: password }), callbacks),
    )
  const asked = (outcome: Result): string => ('asked' in outcome ? outcome.asked : 'nothing')
  const isSession = (outcome: Result): boolean => 'isValid' in outcome && outcome.isValid()

  const associate = (user: CognitoUser): Promise<string> =>
    new Promise((resolve, reject) =>
      user.associateSoftwareToken({ associateSecretCode: resolve, onFailure: error => reject(error) }),
    )
  const verify = (user: CognitoUser, code: string, name: string): Promise<unknown> =>
    new Promise((resolve, reject) =>
      user.verifySoftwareToken(code, name, { onSuccess: resolve, onFailure: error => reject(error) }),
    )

  test('the identity library sets up an authenticator during the sign-in and uses it', async () => {
    await usePool({ MfaConfiguration: 'ON', ...tokenFactor })
    await createUser(app, pool.poolId, 'ann', password)
    const user = cognitoUser('ann')
    assert.equal(asked(await authenticate(user)), 'MFA_SETUP')
    const device = authenticator(app, await associate(user))
    await assert.rejects(verify(user, device.wrongCode(), 'phone'), { code: 'EnableSoftwareTokenMFAException' })
    await verify(user, device.code(), 'phone')
    assert.equal(user.getSignInUserSession()?.isValid(), true)

    const again = cognitoUser('ann')
    assert.deepEqual(await authenticate(again), {
      asked: 'SOFTWARE_TOKEN_MFA',
      parameters: { FRIENDLY_DEVICE_NAME: 'phone' },
    })
    const code = (text: string) => result(callbacks => again.sendMFACode(text, callbacks, 'SOFTWARE_TOKEN_MFA'))
    await assert.rejects(code(device.wrongCode()), { code: 'CodeMismatchException' })
    assert.ok(isSession(await code(device.code(1))))
  })

  test('the identity library chooses among factors and changes the preference', async () => {
    await usePool({ MfaConfiguration: 'OPTIONAL', ...everyFactor })
    await createUser(app, pool.poolId, 'ann', password, [phone('+12065551234')])
    const user = cognitoUser('ann')
    assert.ok(isSession(await authenticate(user)))
    const device = authenticator(app, await associate(user))
    await verify(user, device.code(), 'phone')
    const prefer = (sms: object, token: object): Promise<unknown> =>
      new Promise((resolve, reject) =>
        user.setUserMfaPreference(
          sms as Parameters<CognitoUser['setUserMfaPreference']>[0],
          token as Parameters<CognitoUser['setUserMfaPreference']>[1],
          (error, value) => (error ? reject(error) : resolve(value)),
        ),
      )
    await prefer({ Enabled: true, PreferredMfa: false }, { Enabled: true, PreferredMfa: false })

    const again = cognitoUser('ann')
    assert.equal(asked(await authenticate(again)), 'SELECT_MFA_TYPE')
    const bySms = await result(callbacks =>
      again.sendMFASelectionAnswer('SMS_MFA', callbacks as Parameters<CognitoUser['sendMFASelectionAnswer']>[1]),
    )
    assert.equal(asked(bySms), 'SMS_MFA')
    const code = await app.lastCode('+12065551234')
    assert.ok(isSession(await result(callbacks => again.sendMFACode(code, callbacks))))

    await prefer({ Enabled: true, PreferredMfa: false }, { Enabled: true, PreferredMfa: true })
    const preferred = await new Promise<{ PreferredMfaSetting: string }>((resolve, reject) =>
      user.getUserData((error, data) => (error ? reject(error) : resolve(data as never)), { bypassCache: true }),
    )
    assert.equal(preferred.PreferredMfaSetting, 'SOFTWARE_TOKEN_MFA')
    const last = cognitoUser('ann')
    assert.equal(asked(await authenticate(last)), 'SOFTWARE_TOKEN_MFA')
    assert.ok(isSession(await result(callbacks => last.sendMFACode(device.code(1), callbacks, 'SOFTWARE_TOKEN_MFA'))))
  })
})
