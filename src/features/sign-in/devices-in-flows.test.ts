import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { InitiateAuthCommandOutput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp, type TriggerEvent } from '../../../test/support/app.ts'
import {
  always,
  answerFactor,
  beginDeviceProof,
  beginFromDevice,
  confirmNewDevice,
  nowhere,
  poolWithAnn,
  proveDevice,
  registerDevice,
  rememberAs,
  stepOf,
  unknownDevice,
  withFactor,
} from '../../../test/support/devices.ts'
import { respond, smsFactor, tokenFactor } from '../../../test/support/mfa.ts'
import type { TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  claimsOf,
  discreet,
  failureOf,
  notAuthorized,
  password,
  refresh,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import { createSrpClient, srpTimestamp } from '../../../test/support/srp-client.ts'
import { Password, securityReasons, setRisk, takeover, watchedPool } from '../../../test/support/threat-protection.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  test('a sign-in by an administrator’s password has no device, and its session is not refreshed', async () => {
    const pool = await poolWithAnn(app)
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
    const pool = await poolWithAnn(app)
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
    const pool = await poolWithAnn(app)
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
      app,
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
    await rememberAs(app, pool, device, 'not_remembered')
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
    const pool = await poolWithAnn(app, always, {}, custom())
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
    const pool = await poolWithAnn(app, always, discreet, custom())
    for (const DEVICE_KEY of [nowhere, (await registerDevice(app, pool, 'ann')).key]) {
      assert.deepEqual(await failureOf(beginCustom(pool, { DEVICE_KEY }, 'eve')), unknownDevice)
    }
    const [known, unknown] = [await beginCustom(pool), await beginCustom(pool, {}, 'eve')]
    assert.equal(known.Session?.length, unknown.Session?.length)
  })

  test('a device that stands in for the factor of custom authentication must prove itself in its end', async () => {
    const { pool, device, authenticator } = await withFactor(app, always, 'SOFTWARE_TOKEN_MFA', 'ON', custom())
    const DEVICE_KEY = device.key
    const beginWithSrp = async (more: Record<string, string>) => {
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
    const riddle = await answerFactor(app, pool, withoutDevice, authenticator)
    assert.equal(stepOf(await answerRiddle(riddle)), 'tokens and a new device')

    const asked = await answerRiddle(await beginWithSrp({ DEVICE_KEY }))
    assert.equal(stepOf(asked), 'DEVICE_SRP_AUTH')
    assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, asked)), 'tokens')

    const other = await confirmNewDevice(app, await answerRiddle(await answeredFactor()))
    const exchanged = await failureOf(answerRiddle(await beginWithSrp({ DEVICE_KEY }), { DEVICE_KEY: other.key }))
    assert.deepEqual(exchanged, unknownDevice)
    for (const gone of [
      () => rememberAs(app, pool, device, 'not_remembered'),
      () => app.aws.adminForgetDevice({ UserPoolId: pool.poolId, Username: 'ann', DeviceKey: device.key }),
    ]) {
      await rememberAs(app, pool, device, 'remembered')
      const open = await beginWithSrp({ DEVICE_KEY })
      assert.equal(stepOf(open), 'CUSTOM_CHALLENGE')
      await gone()
      assert.deepEqual(await failureOf(answerRiddle(open)), unknownDevice)
    }

    async function answeredFactor() {
      app.advance(60_000)
      return answerFactor(app, pool, await beginWithSrp({}), authenticator)
    }
  })

  // ------------------------------------------------------------------------------------------ USER_AUTH

  test('a chosen password takes the device into account, a password-less factor binds the session only', async () => {
    const pool = await poolWithAnn(
      app,
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

  // ------------------------------------------------------------------------------------------ risk

  test('what risk asks for is not asked on a remembered device, which proves itself', async () => {
    for (const mfa of [{ MfaConfiguration: 'OPTIONAL', ...tokenFactor } as const, undefined]) {
      const pool = await watchedPool(app, 'ENFORCED', { DeviceConfiguration: always })
      if (mfa !== undefined) await app.aws.setUserPoolMfaConfig({ UserPoolId: pool.poolId, ...mfa })
      await setRisk(app, pool, takeover('MFA_REQUIRED'))
      const begin = (text = Password, more: Record<string, string> = {}) =>
        beginWithPassword(app, pool.clientId, 'ann', text, more)
      const device = await confirmNewDevice(app, await begin())
      for (let tries = 0; tries < 5; tries += 1) assert.ok(await failureOf(begin('wrong')))
      app.advance(60_000)
      assert.deepEqual(await failureOf(begin()), securityReasons)
      for (let tries = 0; tries < 5; tries += 1) assert.ok(await failureOf(begin('wrong')))
      app.advance(60_000)
      const challenge = await begin(Password, { DEVICE_KEY: device.key })
      assert.equal(stepOf(challenge), 'DEVICE_SRP_AUTH')
      assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, challenge)), 'tokens')
    }
  })
})
