/** Remembered devices through stock Amplify and `amazon-cognito-identity-js`. */
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
  fetchDevices,
  forgetDevice,
  rememberDevice,
  setUpTOTP,
  signIn,
  signOut,
  updateMFAPreference,
  verifyTOTPSetup,
} from 'aws-amplify/auth'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { always, besidesMfa, createDevicePool, optIn } from '../support/devices.ts'
import { type Authenticator, authenticator, smsFactor, tokenFactor } from '../support/mfa.ts'
import { phone, type TestPool, verified } from '../support/pools.ts'
import { createUser, password } from '../support/sign-in.ts'

const Username = 'ann'
const number = '+12065551234'

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool

  before(async () => {
    app = await testApp({ realTime: true })
  })

  const usePool = async (
    configuration: Parameters<typeof createDevicePool>[1],
    settings: Parameters<typeof createDevicePool>[3] = {},
  ): Promise<void> => {
    pool = await createDevicePool(app, configuration, {}, settings)
    await createUser(app, pool.poolId, Username, [phone(number), verified('phone_number')])
    Amplify.configure({
      Auth: {
        Cognito: { userPoolId: pool.poolId, userPoolClientId: pool.clientId, userPoolEndpoint: app.url },
      },
    })
  }

  const useMfa = (mode: 'ON' | 'OPTIONAL') =>
    app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, MfaConfiguration: mode, ...smsFactor, ...tokenFactor })

  const devicesOfAnn = async (): Promise<string[]> => {
    const { Devices = [] } = await app.aws.adminListDevices({ UserPoolId: pool.poolId, Username })
    return Devices.map(({ DeviceKey = '' }) => DeviceKey)
  }

  const forgetAll = async (): Promise<void> => {
    for (const DeviceKey of await devicesOfAnn()) {
      await app.aws.adminForgetDevice({ UserPoolId: pool.poolId, Username, DeviceKey })
    }
  }

  // ------------------------------------------------------------------------------------------ Amplify

  beforeEach(() => signOut().catch(() => undefined))

  const stepOf = async (signedIn: ReturnType<typeof signIn>): Promise<string> => (await signedIn).nextStep.signInStep
  // A plain password spares the clients' own arithmetic, which is slow, where it is not what a test is about.
  const begin = () => stepOf(signIn({ username: Username, password, options: { authFlowType: 'USER_PASSWORD_AUTH' } }))
  const keyInTokens = async (options = {}) =>
    (await fetchAuthSession(options)).tokens?.accessToken.payload['device_key']

  /** An authenticator application for the user who is signed in, as preferred factor. */
  const useAuthenticator = async (): Promise<Authenticator> => {
    const device = authenticator(app, (await setUpTOTP()).sharedSecret)
    await verifyTOTPSetup({ code: device.code() })
    await updateMFAPreference({ totp: 'PREFERRED' })
    return device
  }

  test('with Amplify a device signs in without the second factor until it is forgotten', async () => {
    await usePool(always)
    await useMfa('OPTIONAL')
    assert.equal(await begin(), 'DONE')
    const device = await useAuthenticator()
    const [remembered, ...others] = await fetchDevices()
    assert.deepEqual(others, [])
    assert.equal(remembered?.id, await keyInTokens())
    assert.equal(typeof remembered?.name, 'string')
    assert.equal(Object(remembered).attributes.last_ip_used, '127.0.0.1')
    assert.ok(Math.abs((remembered?.lastAuthenticatedDate?.getTime() ?? 0) - Date.now()) < 600_000)

    await signOut()
    assert.equal(await begin(), 'DONE')
    assert.deepEqual(await devicesOfAnn(), [remembered?.id])
    for (let refresh = 0; refresh < 2; refresh += 1) {
      assert.equal(await keyInTokens({ forceRefresh: true }), remembered?.id)
    }

    await forgetDevice()
    assert.deepEqual(await fetchDevices(), [])
    assert.equal((await fetchAuthSession({ forceRefresh: true })).tokens, undefined)
    assert.equal(await begin(), 'CONFIRM_SIGN_IN_WITH_TOTP_CODE')
    assert.equal(await stepOf(confirmSignIn({ challengeResponse: device.code(1) })), 'DONE')
    const [fresh] = await fetchDevices()
    assert.notEqual(fresh?.id, remembered?.id)
  })

  test('with Amplify a device is remembered when the user says so', async () => {
    await usePool(optIn)
    await useMfa('OPTIONAL')
    assert.equal(await begin(), 'DONE')
    const device = await useAuthenticator()
    await signOut()
    assert.equal(await begin(), 'CONFIRM_SIGN_IN_WITH_TOTP_CODE')
    assert.equal(await stepOf(confirmSignIn({ challengeResponse: device.code(1) })), 'DONE')
    await rememberDevice()
    await signOut()
    assert.equal(await begin(), 'DONE')
    assert.equal((await devicesOfAnn()).length, 1)
  })

  test('with Amplify a device answers after the code where it does not stand in for it', async () => {
    await usePool(besidesMfa)
    await useMfa('ON')
    const keys = []
    for (let time = 0; time < 2; time += 1) {
      assert.equal(await begin(), 'CONFIRM_SIGN_IN_WITH_SMS_CODE')
      assert.equal(await stepOf(confirmSignIn({ challengeResponse: await app.lastCode(number) })), 'DONE')
      keys.push(await keyInTokens())
      await signOut()
    }
    assert.equal(keys[0], keys[1])
  })

  test('Amplify goes on without a device that an administrator has made the pool forget', async () => {
    await usePool(always)
    const signInBy = async (authFlowType: 'USER_SRP_AUTH' | 'USER_PASSWORD_AUTH') => {
      await signOut()
      assert.equal(await stepOf(signIn({ username: Username, password, options: { authFlowType } })), 'DONE')
      return keyInTokens()
    }
    const first = await signInBy('USER_PASSWORD_AUTH')
    assert.equal(await signInBy('USER_SRP_AUTH'), first)
    for (const authFlowType of ['USER_SRP_AUTH', 'USER_PASSWORD_AUTH'] as const) {
      await forgetAll()
      assert.notEqual(await signInBy(authFlowType), first)
    }
  })

  test('with Amplify a device ends custom authentication', async () => {
    const lambda = (name: string, response: (session: unknown[]) => object) =>
      app.lambda(`${name}-device`, event => ({
        ...event,
        response: response((event.request['session'] ?? []) as unknown[]),
      }))
    await usePool(always, {
      LambdaConfig: {
        DefineAuthChallenge: lambda('define', session =>
          session.length === 0 ? { challengeName: 'CUSTOM_CHALLENGE' } : { issueTokens: true },
        ),
        CreateAuthChallenge: lambda('create', () => ({})),
        VerifyAuthChallengeResponse: lambda('verify', () => ({ answerCorrect: true })),
      },
    })
    const signInBy = async () => {
      const options = { authFlowType: 'CUSTOM_WITHOUT_SRP' } as const
      assert.equal(await stepOf(signIn({ username: Username, options })), 'CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE')
      assert.equal(await stepOf(confirmSignIn({ challengeResponse: '42' })), 'DONE')
      const key = await keyInTokens()
      await signOut()
      return key
    }
    const [first, second] = [await signInBy(), await signInBy()]
    assert.equal(first, second)
    await forgetAll()
    assert.notEqual(await signInBy(), first)
  })

  // ------------------------------------------------------------------------------------------ identity-js

  type Callbacks = Parameters<CognitoUser['authenticateUser']>[1]
  interface Result {
    session?: CognitoUserSession
    /** The user must be asked whether the device is to be remembered. */
    asksUser?: boolean
    asked?: string
  }

  const cognitoUser = (flow = 'USER_PASSWORD_AUTH'): CognitoUser => {
    const user = new CognitoUser({
      Username,
      Pool: new CognitoUserPool({ UserPoolId: pool.poolId, ClientId: pool.clientId, endpoint: app.url }),
    })
    user.setAuthenticationFlowType(flow)
    return user
  }

  const result = (call: (callbacks: Callbacks) => void): Promise<Result> =>
    new Promise((resolve, reject) => {
      const asks = (asked: string) => resolve({ asked })
      call({
        onSuccess: (session, asksUser) => resolve({ session, asksUser: asksUser === true }),
        onFailure: reject,
        mfaRequired: asks,
        totpRequired: asks,
      })
    })
  const authenticate = (user: CognitoUser): Promise<Result> =>
    result(callbacks => user.authenticateUser(new AuthenticationDetails({ Username, Password: password }), callbacks))
  const sendCode = (user: CognitoUser, code: string, type?: string): Promise<Result> =>
    result(callbacks => user.sendMFACode(code, callbacks, type))

  const done = <T>(call: (callbacks: { onSuccess: (value: T) => void; onFailure: (error: Error) => void }) => void) =>
    new Promise<T>((resolve, reject) => call({ onSuccess: resolve, onFailure: reject }))

  /** The device as the library keeps it. */
  const cached = (user: CognitoUser): string | undefined => {
    user.getCachedDeviceKeyAndPassword()
    return Object(user).deviceKey ?? undefined
  }
  const keyOf = ({ session }: Result): unknown => session?.getAccessToken().payload['device_key']

  test('the identity library keeps a device, shows it, signs in with it and forgets it', async () => {
    await usePool(optIn)
    await useMfa('OPTIONAL')
    const user = cognitoUser()
    const first = await authenticate(user)
    assert.equal(first.asksUser, true)
    const key = cached(user)
    assert.equal(keyOf(first), key)
    await done(callbacks => user.setDeviceStatusRemembered(callbacks))

    const secret = await new Promise<string>((resolve, reject) =>
      user.associateSoftwareToken({ associateSecretCode: resolve, onFailure: reject }),
    )
    const application = authenticator(app, secret)
    await done(callbacks => user.verifySoftwareToken(application.code(), 'phone', callbacks))
    await new Promise<void>((resolve, reject) =>
      user.setUserMfaPreference(null, { PreferredMfa: true, Enabled: true }, error =>
        error ? reject(error) : resolve(),
      ),
    )

    const again = cognitoUser()
    const second = await authenticate(again)
    assert.equal(second.session?.isValid(), true)
    assert.equal(keyOf(second), key)
    const shown = await done<{ Device: { DeviceKey: string } }>(callbacks => again.getDevice(callbacks as never))
    assert.equal(shown.Device.DeviceKey, key)
    const listed = await done<{ Devices: { DeviceKey: string; DeviceAttributes: { Name: string }[] }[] }>(callbacks =>
      again.listDevices(10, null as never, callbacks as never),
    )
    assert.deepEqual(
      listed.Devices.map(({ DeviceKey }) => DeviceKey),
      [key],
    )
    assert.ok(listed.Devices[0]?.DeviceAttributes.some(({ Name }) => Name === 'device_name'))
    const refreshed = await new Promise<CognitoUserSession>((resolve, reject) => {
      const token = second.session?.getRefreshToken()
      assert.ok(token)
      again.refreshSession(token, (error, session) => (error ? reject(error) : resolve(session)))
    })
    assert.equal(refreshed.getAccessToken().payload['device_key'], key)

    await done(callbacks => again.setDeviceStatusNotRemembered(callbacks))
    assert.equal((await authenticate(cognitoUser())).asked, 'SOFTWARE_TOKEN_MFA')
    await done(callbacks => again.setDeviceStatusRemembered(callbacks))
    await done(callbacks => again.forgetDevice(callbacks as never))
    assert.equal(cached(cognitoUser()), undefined)
    const last = cognitoUser()
    assert.equal((await authenticate(last)).asked, 'SOFTWARE_TOKEN_MFA')
    assert.equal((await sendCode(last, application.code(1), 'SOFTWARE_TOKEN_MFA')).asksUser, true)
    assert.notEqual(cached(last), key)
  })

  test('the identity library registers a device after a code and needs no code from then on', async () => {
    await usePool(always)
    await useMfa('ON')
    const user = cognitoUser()
    assert.equal((await authenticate(user)).asked, 'SMS_MFA')
    const first = await sendCode(user, await app.lastCode(number))
    assert.equal(first.asksUser, false)
    const key = cached(user)
    assert.equal(keyOf(first), key)
    for (const flow of ['USER_SRP_AUTH', 'USER_PASSWORD_AUTH']) {
      assert.equal(keyOf(await authenticate(cognitoUser(flow))), key)
    }
  })

  test('the identity library goes on without a device that is gone', async () => {
    await usePool(always)
    const user = cognitoUser('USER_SRP_AUTH')
    const first = await authenticate(user)
    await forgetAll()
    // The same object names the device when SRP begins and in its proof, a new one in the proof alone.
    const second = await authenticate(user)
    await forgetAll()
    const third = await authenticate(cognitoUser('USER_SRP_AUTH'))
    assert.deepEqual(await devicesOfAnn(), [keyOf(third)])
    assert.equal(new Set([first, second, third].map(keyOf)).size, 3)
  })
})
