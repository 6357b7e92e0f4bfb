import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { DeviceConfigurationType, InitiateAuthCommandOutput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp, type TriggerEvent } from '../../../test/support/app.ts'
import {
  always,
  beginDeviceProof,
  beginFromDevice,
  besidesMfa,
  confirmNewDevice,
  createDevicePool,
  optIn,
  proveDevice,
  registerDevice,
  type TestDevice,
} from '../../../test/support/devices.ts'
import {
  type Authenticator,
  registerAuthenticator,
  respond,
  smsFactor,
  tokenFactor,
} from '../../../test/support/mfa.ts'
import { createClient, phone, type TestPool, verified } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  claimsOf,
  createUser,
  discreet,
  exceeded,
  failureOf,
  incorrect,
  invalidParameter,
  notAuthorized,
  password,
  post,
  refresh,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const unknownDevice = { name: 'ResourceNotFoundException', message: 'Device does not exist.' }
const usedSession = notAuthorized('Invalid session for the user, session can only be used once.')
const nowhere = 'us-east-1_00000000-0000-4000-8000-000000000000'

type Outcome = Pick<InitiateAuthCommandOutput, 'ChallengeName' | 'AuthenticationResult'>
const stepOf = ({ ChallengeName, AuthenticationResult }: Outcome): string =>
  ChallengeName ?? (AuthenticationResult?.NewDeviceMetadata === undefined ? 'tokens' : 'tokens and a new device')

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const poolWithAnn = async (
    configuration: DeviceConfigurationType = always,
    client: Parameters<typeof createDevicePool>[2] = {},
    pool: Parameters<typeof createDevicePool>[3] = {},
  ): Promise<TestPool> => {
    const made = await createDevicePool(app, configuration, client, pool)
    await createUser(app, made.poolId, 'ann', [phone('+12065551234'), verified('phone_number')])
    return made
  }

  /** A pool that tracks devices and asks for second factors, and ann with a remembered device and one or two factors. */
  const withFactor = async (
    configuration: DeviceConfigurationType,
    factor: 'SMS_MFA' | 'SOFTWARE_TOKEN_MFA' | 'SELECT_MFA_TYPE',
    mode: 'OPTIONAL' | 'ON',
    pool: Parameters<typeof createDevicePool>[3] = {},
  ) => {
    const made = await poolWithAnn(configuration, {}, pool)
    const device = await registerDevice(app, made, 'ann')
    await remember(made, device)
    const mfa = { UserPoolId: made.poolId, ...smsFactor, ...tokenFactor }
    await app.aws.setUserPoolMfaConfig({ ...mfa, MfaConfiguration: 'OPTIONAL' })
    const authenticator = factor === 'SMS_MFA' ? undefined : await registerAuthenticator(app, device.access)
    await app.aws.setUserMFAPreference({
      AccessToken: device.access,
      SMSMfaSettings: { Enabled: factor !== 'SOFTWARE_TOKEN_MFA', PreferredMfa: factor === 'SMS_MFA' },
      ...(authenticator !== undefined && {
        SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: factor === 'SOFTWARE_TOKEN_MFA' },
      }),
    })
    if (mode === 'ON') await app.aws.setUserPoolMfaConfig({ ...mfa, MfaConfiguration: 'ON' })
    return { pool: made, device, authenticator }
  }

  const remember = (
    { poolId }: TestPool,
    { key }: TestDevice,
    status: 'remembered' | 'not_remembered' = 'remembered',
  ) =>
    app.aws.adminUpdateDeviceStatus({
      UserPoolId: poolId,
      Username: 'ann',
      DeviceKey: key,
      DeviceRememberedStatus: status,
    })

  const answerFactor = async (
    { clientId }: TestPool,
    challenge: InitiateAuthCommandOutput,
    authenticator: Authenticator | undefined,
    more: Record<string, string> = {},
  ) => {
    const code: Record<string, string> =
      challenge.ChallengeName === 'SMS_MFA'
        ? { SMS_MFA_CODE: await app.lastCode('+12065551234') }
        : { SOFTWARE_TOKEN_MFA_CODE: authenticator?.code(1) ?? '' }
    return respond(app, clientId, 'ann', challenge, { ...code, ...more })
  }

  test('a remembered device proves itself after the password and gets tokens of its own', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    assert.equal(challenge.ChallengeName, 'DEVICE_SRP_AUTH')
    assert.deepEqual(challenge.ChallengeParameters, { USERNAME: 'ann', USER_ID_FOR_SRP: 'ann' })
    const proof = await beginDeviceProof(app, pool, 'ann', device, challenge)
    assert.equal(proof.challenge.ChallengeName, 'DEVICE_PASSWORD_VERIFIER')
    const { SALT = '', SRP_B = '', SECRET_BLOCK = '', ...rest } = proof.parameters
    assert.deepEqual(rest, { DEVICE_KEY: device.key, USERNAME: 'ann' })
    assert.match(`${SALT} ${SRP_B}`, /^[0-9a-f]{1,32} [0-9a-f]{700,768}$/)
    assert.equal(Buffer.from(SECRET_BLOCK, 'base64').toString('base64'), SECRET_BLOCK)
    const done = await proof.prove()
    assert.equal(stepOf(done), 'tokens')
    assert.deepEqual(done.ChallengeParameters, {})
    const tokens = tokensOf(done)
    assert.equal(claimsOf(tokens.access)['device_key'], device.key)
    const refreshed = tokensOf(await refresh(app, pool.clientId, tokens.refresh, { DEVICE_KEY: device.key }))
    assert.equal(claimsOf(refreshed.access)['device_key'], device.key)
  })

  test('the device is named with the proof of SRP, or when SRP begins', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    const DEVICE_KEY = device.key
    const late = await (await beginSrp(app, pool, 'ann')).answer(password, { DEVICE_KEY })
    const early = await (await beginSrp(app, pool, 'ann', { DEVICE_KEY })).answer()
    for (const challenge of [late, early]) {
      assert.deepEqual(challenge.ChallengeParameters, { USERNAME: 'ann' })
      assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, challenge)), 'tokens')
    }
  })

  const chains: [DeviceConfigurationType, 'is remembered' | 'is not remembered', string[]][] = [
    [always, 'is remembered', ['DEVICE_SRP_AUTH', 'tokens']],
    [always, 'is not remembered', ['factor', 'tokens']],
    [optIn, 'is remembered', ['DEVICE_SRP_AUTH', 'tokens']],
    [optIn, 'is not remembered', ['factor', 'tokens']],
    [besidesMfa, 'is remembered', ['factor', 'DEVICE_SRP_AUTH', 'tokens']],
    [besidesMfa, 'is not remembered', ['factor', 'tokens']],
  ]
  for (const mode of ['OPTIONAL', 'ON'] as const) {
    for (const factor of ['SMS_MFA', 'SOFTWARE_TOKEN_MFA'] as const) {
      test(`with MFA ${mode}, a device stands in for ${factor} as the pool says`, async () => {
        for (const [configuration, status, expected] of chains) {
          const { pool, device, authenticator } = await withFactor(configuration, factor, mode)
          if (status === 'is not remembered') await remember(pool, device, 'not_remembered')
          const steps: string[] = []
          let outcome = await beginFromDevice(app, pool, 'ann', device)
          while (outcome.ChallengeName !== undefined) {
            const isDevice = outcome.ChallengeName === 'DEVICE_SRP_AUTH'
            steps.push(outcome.ChallengeName === factor ? 'factor' : outcome.ChallengeName)
            outcome = isDevice
              ? await proveDevice(app, pool, 'ann', device, outcome)
              : await answerFactor(pool, outcome, authenticator, { DEVICE_KEY: device.key })
          }
          const title = `${JSON.stringify(configuration)} ${status}`
          assert.deepEqual([...steps, stepOf(outcome)], expected, title)
          assert.equal(claimsOf(tokensOf(outcome).access)['device_key'], device.key, title)
          // From anywhere else the factor is asked for.
          assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, factor, title)
        }
      })
    }
  }

  test('a device stands in for the choice among factors, and never for setting up the first one', async () => {
    const { pool, device } = await withFactor(always, 'SELECT_MFA_TYPE', 'OPTIONAL')
    assert.equal(stepOf(await beginFromDevice(app, pool, 'ann', device)), 'DEVICE_SRP_AUTH')
    assert.equal(stepOf(await beginWithPassword(app, pool.clientId, 'ann')), 'SELECT_MFA_TYPE')

    const bare = await createDevicePool(app)
    await createUser(app, bare.poolId, 'bob')
    const ofBob = await registerDevice(app, bare, 'bob')
    await app.aws.setUserPoolMfaConfig({ UserPoolId: bare.poolId, MfaConfiguration: 'ON', ...tokenFactor })
    assert.equal(stepOf(await beginFromDevice(app, bare, 'bob', ofBob)), 'MFA_SETUP')
  })

  test('a sign-in that asks for the factor after all does not end with the proof of the device', async () => {
    const { pool, device, authenticator } = await withFactor(always, 'SOFTWARE_TOKEN_MFA', 'ON')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    const proof = await beginDeviceProof(app, pool, 'ann', device, challenge)
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: pool.poolId })
    await app.aws.updateUserPool({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'ON',
      AutoVerifiedAttributes: UserPool?.AutoVerifiedAttributes,
      DeviceConfiguration: besidesMfa,
    })
    const factor = await proof.prove()
    assert.equal(stepOf(factor), 'SOFTWARE_TOKEN_MFA')
    const other = await failureOf(answerFactor(pool, factor, authenticator, { DEVICE_KEY: nowhere }))
    assert.deepEqual(other, unknownDevice)
    const done = await answerFactor(pool, factor, authenticator, { DEVICE_KEY: device.key })
    assert.equal(stepOf(done), 'tokens')
    assert.equal(claimsOf(tokensOf(done).access)['device_key'], device.key)
  })

  test('a device that was not confirmed changes nothing but the name that the tokens carry', async () => {
    const { pool, authenticator } = await withFactor(always, 'SOFTWARE_TOKEN_MFA', 'ON')
    const first = await answerFactor(pool, await beginWithPassword(app, pool.clientId, 'ann'), authenticator)
    assert.equal(stepOf(first), 'tokens and a new device')
    const key = first.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
    app.advance(60_000)
    const challenge = await beginFromDevice(app, pool, 'ann', { key })
    assert.equal(stepOf(challenge), 'SOFTWARE_TOKEN_MFA')
    const done = await answerFactor(pool, challenge, authenticator, { DEVICE_KEY: key })
    assert.equal(stepOf(done), 'tokens')
    assert.equal(claimsOf(tokensOf(done).access)['device_key'], key)
    // Either sign-in may confirm it, and nobody twice.
    const named = { ...done.AuthenticationResult, NewDeviceMetadata: first.AuthenticationResult?.NewDeviceMetadata }
    await confirmNewDevice(app, { AuthenticationResult: named })
    assert.equal((await failureOf(confirmNewDevice(app, first)))?.name, 'DeviceKeyExistsException')
  })

  test('a key that nobody has, one of another user and one of another pool get the same answer', async () => {
    const pool = await poolWithAnn(always, discreet)
    await createUser(app, pool.poolId, 'bob')
    const other = await poolWithAnn()
    const keys = [
      nowhere,
      (await registerDevice(app, pool, 'bob')).key,
      (await registerDevice(app, other, 'ann')).key,
      'no key at all',
      `${'a'.repeat(60)}_0`,
    ]
    const bodies = new Set<string>()
    for (const DEVICE_KEY of keys) {
      const begun = await post(app, 'InitiateAuth', {
        ClientId: pool.clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: password, DEVICE_KEY },
      })
      const exchange = await beginSrp(app, pool, 'ann')
      const answered = await post(app, 'RespondToAuthChallenge', {
        ClientId: pool.clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: { ...exchange.responses(), DEVICE_KEY },
      })
      for (const { status, body } of [begun, answered]) bodies.add(`${status} ${body}`)
    }
    assert.deepEqual([...bodies], ['400 {"__type":"ResourceNotFoundException","message":"Device does not exist."}'])
    // Nobody is told of devices before the password: not with a wrong one, and not for a name that nobody has.
    for (const [name, text] of [
      ['ann', 'wrong'],
      ['eve', password],
    ] as const) {
      const failure = await failureOf(beginWithPassword(app, pool.clientId, name, text, { DEVICE_KEY: keys[1] ?? '' }))
      assert.deepEqual(failure, incorrect)
    }
  })

  test('after the refusal of a key the same request goes on without it', async () => {
    const pool = await poolWithAnn()
    const exchange = await beginSrp(app, pool, 'ann', { DEVICE_KEY: nowhere })
    assert.deepEqual(await failureOf(exchange.answer(password, { DEVICE_KEY: nowhere })), unknownDevice)
    assert.equal(stepOf(await exchange.answer(password)), 'tokens and a new device')
  })

  test('a device that was forgotten is a device no more: the sign-in goes on as from a new one', async () => {
    const { pool, device, authenticator } = await withFactor(besidesMfa, 'SOFTWARE_TOKEN_MFA', 'ON')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    await app.aws.adminForgetDevice({ UserPoolId: pool.poolId, Username: 'ann', DeviceKey: device.key })
    const refused = await failureOf(answerFactor(pool, challenge, authenticator, { DEVICE_KEY: device.key }))
    assert.deepEqual(refused, unknownDevice)
    assert.equal(stepOf(await answerFactor(pool, challenge, authenticator)), 'tokens and a new device')
  })

  test('the proof is refused with another secret, another name of the group, another exchange and bent values', async () => {
    const pool = await poolWithAnn()
    const [device, other] = [await registerDevice(app, pool, 'ann'), await registerDevice(app, pool, 'ann')]
    const begin = async (as: TestDevice = device) =>
      beginDeviceProof(app, pool, 'ann', as, await beginFromDevice(app, pool, 'ann', device))
    const refused = async (
      proof: Awaited<ReturnType<typeof begin>>,
      changes: Record<string, string> = {},
      expected = incorrect,
    ) => {
      assert.deepEqual(await failureOf(proof.prove(changes)), expected, JSON.stringify(changes))
      await app.database.db.deleteFrom('sign_in_failures').execute()
    }
    await refused(await begin({ ...device, password: other.password }))
    await refused(await begin({ ...device, groupKey: '-Other123' }))
    assert.deepEqual(await failureOf(begin(other)), unknownDevice)

    const [one, two] = [await begin(), await begin()]
    const { PASSWORD_CLAIM_SIGNATURE: signature = '' } = one.responses as Record<string, string>
    const bytes = Buffer.from(signature, 'base64')
    bytes[0] = (bytes[0] ?? 0) ^ 1
    await refused(one, { PASSWORD_CLAIM_SIGNATURE: bytes.toString('base64') })
    await refused(one, { PASSWORD_CLAIM_SIGNATURE: 'AAAA' })
    await refused(one, { PASSWORD_CLAIM_SECRET_BLOCK: two.parameters['SECRET_BLOCK'] ?? '' })
    await refused(one, { PASSWORD_CLAIM_SECRET_BLOCK: 'AAAA' })
    await refused(one, { TIMESTAMP: 'Sat Nov 7 00:09:40 UTC 2026' })
    await refused(
      one,
      { TIMESTAMP: 'now' },
      invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.'),
    )
    await refused(one, { DEVICE_KEY: other.key }, unknownDevice)
    await refused(one, { DEVICE_KEY: '' }, invalidParameter('Missing required parameter DEVICE_KEY'))
    await refused(one, { USERNAME: 'bob' }, notAuthorized('Invalid session for the user.'))
    // The user's own exchange is no exchange of a device, nor the other way round.
    const ofUser = await beginSrp(app, pool, 'ann')
    await refused(one, { PASSWORD_CLAIM_SECRET_BLOCK: ofUser.parameters['SECRET_BLOCK'] ?? '' })
    const swapped = { PASSWORD_CLAIM_SECRET_BLOCK: one.parameters['SECRET_BLOCK'] ?? '' }
    assert.deepEqual(await failureOf(ofUser.answer(password, swapped)), incorrect)
    assert.equal(stepOf(await one.prove()), 'tokens')
    await refused(one, {}, usedSession)
  })

  test('a first value that no client computes begins no exchange', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    for (const SRP_A of ['0', '1', 'xyz', 'ff'.repeat(385)]) {
      const failure = await failureOf(beginDeviceProof(app, pool, 'ann', device, challenge, { SRP_A }))
      assert.equal(failure?.name, 'InvalidParameterException', SRP_A.slice(0, 4))
    }
    assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, challenge)), 'tokens')
  })

  test('of 32 that use one session or one proof at once, one succeeds', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    const begun = await Promise.allSettled(
      Array.from({ length: 32 }, () => beginDeviceProof(app, pool, 'ann', device, challenge)),
    )
    const open = begun.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
    assert.equal(open.length, 1)
    const proven = await Promise.all(Array.from({ length: 32 }, () => failureOf(open[0]?.prove() ?? Promise.reject())))
    assert.equal(proven.filter(failure => failure === undefined).length, 1)
    for (const failure of proven.filter(each => each !== undefined)) assert.deepEqual(failure, usedSession)
  })

  test('wrong proofs lock the devices of the user by a counter of their own, which the password does not clear', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    const begin = async (as = device, clientId = pool.clientId) =>
      beginDeviceProof(app, { clientId }, 'ann', as, await beginFromDevice(app, { ...pool, clientId }, 'ann', device))
    const forged = { ...device, password: 'guessed' }
    const clientId = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    for (let failure = 1; failure <= 5; failure += 1) {
      const proof = await begin(forged, failure % 2 === 0 ? clientId : pool.clientId)
      assert.deepEqual(await failureOf(proof.prove()), incorrect)
    }
    assert.deepEqual(await failureOf(begin()), exceeded)
    // Another way into the account stays open.
    assert.equal(stepOf(await beginWithPassword(app, pool.clientId, 'ann')), 'tokens and a new device')
    app.advance(1_001)
    assert.equal(stepOf(await (await begin()).prove()), 'tokens')
    const after = await begin(forged)
    for (let failure = 1; failure <= 4; failure += 1) assert.deepEqual(await failureOf(after.prove()), incorrect)
    assert.equal(stepOf(await (await begin()).prove()), 'tokens')
  })

  test('sessions that belong to a device are refreshed from it alone', async () => {
    const rotating = { RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 } } as const
    const pool = await poolWithAnn()
    const clientId = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows.slice(0, 4), ...rotating })
    const [device, other] = [await registerDevice(app, pool, 'ann'), await registerDevice(app, pool, 'ann')]
    const invalid = notAuthorized('Invalid Refresh Token')
    for (const more of [{}, { DEVICE_KEY: other.key }, { DEVICE_KEY: nowhere }, { DEVICE_KEY: '' }]) {
      assert.deepEqual(
        await failureOf(refresh(app, pool.clientId, device.refresh, more as Record<string, string>)),
        invalid,
      )
    }
    tokensOf(await refresh(app, pool.clientId, device.refresh, { DEVICE_KEY: device.key }))

    const renew = (RefreshToken: string, DeviceKey: string | undefined, ClientId = pool.clientId) =>
      app.aws.getTokensFromRefreshToken({ ClientId, RefreshToken, DeviceKey })
    const dotted = notAuthorized('Invalid Refresh Token.')
    for (const key of [undefined, other.key, nowhere]) {
      assert.deepEqual(await failureOf(renew(device.refresh, key)), dotted)
    }
    tokensOf(await renew(device.refresh, device.key))
    const first = await registerDevice(app, { ...pool, clientId }, 'ann')
    const second = tokensOf(await renew(first.refresh, first.key, clientId))
    assert.equal(claimsOf(second.access)['device_key'], first.key)
    assert.deepEqual(await failureOf(renew(second.refresh, undefined, clientId)), dotted)
    tokensOf(await renew(second.refresh, first.key, clientId))
    // A device that is not remembered is still the one that the session belongs to.
    await remember(pool, device, 'not_remembered')
    tokensOf(await renew(device.refresh, device.key))
  })

  test('while the pool tracks devices, a session without a confirmed one is not refreshed', async () => {
    const untracked = await createDevicePool(app, {})
    await createUser(app, untracked.poolId, 'ann')
    const before = tokensOf(await beginWithPassword(app, untracked.clientId, 'ann'))
    const track = (configuration: DeviceConfigurationType) =>
      app.aws.updateUserPool({ UserPoolId: untracked.poolId, DeviceConfiguration: configuration })
    await track(always)
    const invalid = notAuthorized('Invalid Refresh Token')
    assert.deepEqual(await failureOf(refresh(app, untracked.clientId, before.refresh)), invalid)
    const unconfirmed = await beginWithPassword(app, untracked.clientId, 'ann')
    const key = unconfirmed.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
    const again = () => refresh(app, untracked.clientId, tokensOf(unconfirmed).refresh, { DEVICE_KEY: key })
    assert.deepEqual(await failureOf(again()), invalid)
    await confirmNewDevice(app, unconfirmed)
    tokensOf(await again())

    const forgotten = await registerDevice(app, untracked, 'ann')
    await app.aws.forgetDevice({ AccessToken: forgotten.access, DeviceKey: forgotten.key })
    await track({})
    tokensOf(await refresh(app, untracked.clientId, before.refresh))
    tokensOf(await refresh(app, untracked.clientId, tokensOf(unconfirmed).refresh))
    // Forgotten stays forgotten.
    assert.deepEqual(await failureOf(refresh(app, untracked.clientId, forgotten.refresh)), invalid)
  })

  test('a sign-in by an administrator’s password has no device, and its session is not refreshed', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    for (const AuthFlow of ['ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH'] as const) {
      const outcome = await app.aws.adminInitiateAuth({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        AuthFlow,
        AuthParameters: { USERNAME: 'ann', PASSWORD: password, DEVICE_KEY: device.key },
      })
      assert.equal(stepOf(outcome), 'tokens')
      const tokens = tokensOf(outcome)
      assert.equal('device_key' in claimsOf(tokens.access), false)
      const failure = await failureOf(refresh(app, pool.clientId, tokens.refresh, { DEVICE_KEY: device.key }))
      assert.deepEqual(failure, notAuthorized('Invalid Refresh Token'))
    }
  })

  test('an administrator’s calls take the device through SRP and its challenges', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    const DEVICE_KEY = device.key
    const challenge = await (await beginSrp(app, pool, 'ann', { DEVICE_KEY })).answer()
    const { parameters, responses, challenge: begun } = await beginDeviceProof(app, pool, 'ann', device, challenge)
    assert.equal(parameters['DEVICE_KEY'], device.key)
    const done = await app.aws.adminRespondToAuthChallenge({
      UserPoolId: pool.poolId,
      ClientId: pool.clientId,
      ChallengeName: 'DEVICE_PASSWORD_VERIFIER',
      Session: begun.Session,
      ChallengeResponses: responses,
    })
    assert.equal(stepOf(done), 'tokens')
  })

  test('with a new password no device is asked for its proof unless the answer names it', async () => {
    const pool = await poolWithAnn()
    const device = await registerDevice(app, pool, 'ann')
    for (const named of [false, true]) {
      await app.aws.adminSetUserPassword({ UserPoolId: pool.poolId, Username: 'ann', Password: password })
      const challenge = await beginFromDevice(app, pool, 'ann', device)
      assert.equal(stepOf(challenge), 'NEW_PASSWORD_REQUIRED')
      const more: Record<string, string> = named ? { DEVICE_KEY: device.key } : {}
      const outcome = await respond(app, pool.clientId, 'ann', challenge, { NEW_PASSWORD: password, ...more })
      assert.equal(stepOf(outcome), named ? 'DEVICE_SRP_AUTH' : 'tokens')
      if (!named) assert.equal(claimsOf(tokensOf(outcome).access)['device_key'], device.key)
    }
  })

  // ------------------------------------------------------------------------------------------ triggers

  let functions = 0
  const lambda = (run: (event: TriggerEvent) => object): string => {
    functions += 1
    return app.lambda(`devices-${functions}`, event => ({ ...event, response: run(event) }))
  }

  test('functions are told of a new device and of a device’s proof', async () => {
    const told: unknown[] = []
    const pool = await poolWithAnn(
      always,
      {},
      {
        LambdaConfig: {
          PostAuthentication: lambda(({ request }) => {
            told.push(request['newDeviceUsed'])
            return {}
          }),
          PreTokenGeneration: lambda(({ triggerSource }) => {
            told.push(triggerSource)
            return {}
          }),
        },
      },
    )
    const device = await registerDevice(app, pool, 'ann')
    assert.deepEqual(told.splice(0), [true, 'TokenGeneration_Authentication'])
    await proveDevice(app, pool, 'ann', device, await beginFromDevice(app, pool, 'ann', device))
    assert.deepEqual(told.splice(0), [false, 'TokenGeneration_AuthenticateDevice'])
    await remember(pool, device, 'not_remembered')
    await beginFromDevice(app, pool, 'ann', device)
    assert.deepEqual(told.splice(0), [false, 'TokenGeneration_Authentication'])
  })

  const custom = () => ({
    LambdaConfig: {
      DefineAuthChallenge: lambda(({ request }) => {
        const session = request['session'] as { challengeName: string; challengeResult: boolean }[]
        const last = session.at(-1)
        if (last?.challengeName === 'SRP_A') return { challengeName: 'PASSWORD_VERIFIER' }
        if (last?.challengeName === 'CUSTOM_CHALLENGE') return { issueTokens: last.challengeResult }
        return { challengeName: 'CUSTOM_CHALLENGE' }
      }),
      CreateAuthChallenge: lambda(() => ({ privateChallengeParameters: { answer: '42' } })),
      VerifyAuthChallengeResponse: lambda(({ request }) => ({ answerCorrect: request['challengeAnswer'] === '42' })),
    },
  })
  const beginCustom = ({ clientId }: TestPool, more: Record<string, string> = {}, USERNAME = 'ann') =>
    app.aws.initiateAuth({
      ClientId: clientId,
      AuthFlow: 'CUSTOM_AUTH',
      AuthParameters: { USERNAME, ...more },
    })

  test('in custom authentication the device comes last, whichever request names it', async () => {
    const pool = await poolWithAnn(always, {}, custom())
    const device = await registerDevice(app, pool, 'ann')
    const DEVICE_KEY = device.key
    for (const [early, late] of [
      [{ DEVICE_KEY }, {}],
      [{}, { DEVICE_KEY }],
    ] as Record<string, string>[][]) {
      const challenge = await beginCustom(pool, early)
      assert.equal(stepOf(challenge), 'CUSTOM_CHALLENGE')
      const asked = await respond(app, pool.clientId, 'ann', challenge, { ANSWER: '42', ...late })
      assert.equal(stepOf(asked), 'DEVICE_SRP_AUTH')
      assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, asked)), 'tokens')
    }
    assert.deepEqual(await failureOf(beginCustom(pool, { DEVICE_KEY: nowhere })), unknownDevice)
    const challenge = await beginCustom(pool)
    const refused = respond(app, pool.clientId, 'ann', challenge, { ANSWER: '42', DEVICE_KEY: nowhere })
    assert.deepEqual(await failureOf(refused), unknownDevice)
    const done = await respond(app, pool.clientId, 'ann', challenge, { ANSWER: '42' })
    assert.equal(stepOf(done), 'tokens and a new device')
  })

  test('custom authentication tells of devices nothing about who exists', async () => {
    const pool = await poolWithAnn(always, discreet, custom())
    for (const DEVICE_KEY of [nowhere, (await registerDevice(app, pool, 'ann')).key]) {
      assert.deepEqual(await failureOf(beginCustom(pool, { DEVICE_KEY }, 'eve')), unknownDevice)
    }
    const [known, unknown] = [await beginCustom(pool), await beginCustom(pool, {}, 'eve')]
    assert.equal(known.Session?.length, unknown.Session?.length)
  })

  test('a device that stands in for the factor of custom authentication must prove itself in its end', async () => {
    const { pool, device, authenticator } = await withFactor(always, 'SOFTWARE_TOKEN_MFA', 'ON', custom())
    const DEVICE_KEY = device.key
    const beginWithSrp = async (more: Record<string, string>) => {
      const { createSrpClient, srpTimestamp } = await import('../../../test/support/srp-client.ts')
      const client = createSrpClient(pool.poolId)
      const { ChallengeParameters = {} } = await beginCustom(pool, { CHALLENGE_NAME: 'SRP_A', SRP_A: client.srpA })
      return app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: { ...client.answer(ChallengeParameters, password, srpTimestamp(app.now())), ...more },
      })
    }
    const answerRiddle = (challenge: InitiateAuthCommandOutput, more: Record<string, string> = {}) =>
      respond(app, pool.clientId, 'ann', challenge, { ANSWER: '42', ...more })

    const withoutDevice = await beginWithSrp({})
    assert.equal(stepOf(withoutDevice), 'SOFTWARE_TOKEN_MFA')
    const riddle = await answerFactor(pool, withoutDevice, authenticator)
    assert.equal(stepOf(await answerRiddle(riddle)), 'tokens and a new device')

    const asked = await answerRiddle(await beginWithSrp({ DEVICE_KEY }))
    assert.equal(stepOf(asked), 'DEVICE_SRP_AUTH')
    assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, asked)), 'tokens')

    const other = await confirmNewDevice(app, await answerRiddle(await answeredFactor()))
    const exchanged = await failureOf(answerRiddle(await beginWithSrp({ DEVICE_KEY }), { DEVICE_KEY: other.key }))
    assert.deepEqual(exchanged, unknownDevice)
    for (const gone of [
      () => remember(pool, device, 'not_remembered'),
      () => app.aws.adminForgetDevice({ UserPoolId: pool.poolId, Username: 'ann', DeviceKey: device.key }),
    ]) {
      await remember(pool, device)
      const open = await beginWithSrp({ DEVICE_KEY })
      assert.equal(stepOf(open), 'CUSTOM_CHALLENGE')
      await gone()
      assert.deepEqual(await failureOf(answerRiddle(open)), unknownDevice)
    }

    async function answeredFactor() {
      app.advance(60_000)
      return answerFactor(pool, await beginWithSrp({}), authenticator)
    }
  })

  // ------------------------------------------------------------------------------------------ USER_AUTH

  test('a chosen password takes the device into account, a password-less factor binds the session only', async () => {
    const pool = await poolWithAnn(
      always,
      { ExplicitAuthFlows: [...allFlows, 'ALLOW_USER_AUTH'] },
      {
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'SMS_OTP'] } },
        ...smsFactor.SmsMfaConfiguration,
      },
    )
    const device = await registerDevice(app, pool, 'ann')
    const DEVICE_KEY = device.key
    const begin = (more: Record<string, string>) =>
      app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'USER_AUTH',
        AuthParameters: { USERNAME: 'ann', ...more },
      })
    const chosen = { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password }
    assert.equal(stepOf(await begin({ ...chosen, DEVICE_KEY })), 'DEVICE_SRP_AUTH')
    assert.deepEqual(await failureOf(begin({ ...chosen, DEVICE_KEY: nowhere })), unknownDevice)
    const selection = await begin({ DEVICE_KEY })
    assert.equal(stepOf(selection), 'SELECT_CHALLENGE')
    const answered = await respond(app, pool.clientId, 'ann', selection, { ANSWER: 'PASSWORD', PASSWORD: password })
    assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, answered)), 'tokens')

    for (const [more, expected] of [
      [{ DEVICE_KEY }, 'tokens'],
      [{}, 'tokens and a new device'],
    ] as [Record<string, string>, string][]) {
      const challenge = await begin({ PREFERRED_CHALLENGE: 'SMS_OTP' })
      const SMS_OTP_CODE = await app.lastCode('+12065551234')
      const done = await respond(app, pool.clientId, 'ann', challenge, { SMS_OTP_CODE, ...more })
      assert.equal(stepOf(done), expected)
      if (expected === 'tokens') assert.equal(claimsOf(tokensOf(done).access)['device_key'], device.key)
    }
  })
})
