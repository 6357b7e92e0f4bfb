import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { DeviceConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  always,
  answerFactor,
  beginDeviceProof,
  beginFromDevice,
  besidesMfa,
  confirmNewDevice,
  createDevicePool,
  nowhere,
  optIn,
  poolWithAnn,
  proveDevice,
  registerDevice,
  rememberAs,
  stepOf,
  type TestDevice,
  unknownDevice,
  withFactor,
} from '../../../test/support/devices.ts'
import { tokenFactor } from '../../../test/support/mfa.ts'
import { createClient } from '../../../test/support/pools.ts'
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

const usedSession = notAuthorized('Invalid session for the user, session can only be used once.')

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  test('a remembered device proves itself after the password and gets tokens of its own', async () => {
    const pool = await poolWithAnn(app)
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
    const pool = await poolWithAnn(app)
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
          const { pool, device, authenticator } = await withFactor(app, configuration, factor, mode)
          if (status === 'is not remembered') await rememberAs(app, pool, device, 'not_remembered')
          const steps: string[] = []
          let outcome = await beginFromDevice(app, pool, 'ann', device)
          while (outcome.ChallengeName !== undefined) {
            const isDevice = outcome.ChallengeName === 'DEVICE_SRP_AUTH'
            steps.push(outcome.ChallengeName === factor ? 'factor' : outcome.ChallengeName)
            outcome = isDevice
              ? await proveDevice(app, pool, 'ann', device, outcome)
              : await answerFactor(app, pool, outcome, authenticator, { DEVICE_KEY: device.key })
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
    const { pool, device } = await withFactor(app, always, 'SELECT_MFA_TYPE', 'OPTIONAL')
    assert.equal(stepOf(await beginFromDevice(app, pool, 'ann', device)), 'DEVICE_SRP_AUTH')
    assert.equal(stepOf(await beginWithPassword(app, pool.clientId, 'ann')), 'SELECT_MFA_TYPE')

    const bare = await createDevicePool(app)
    await createUser(app, bare.poolId, 'bob')
    const ofBob = await registerDevice(app, bare, 'bob')
    await app.aws.setUserPoolMfaConfig({ UserPoolId: bare.poolId, MfaConfiguration: 'ON', ...tokenFactor })
    assert.equal(stepOf(await beginFromDevice(app, bare, 'bob', ofBob)), 'MFA_SETUP')
  })

  test('a sign-in that asks for the factor after all does not end with the proof of the device', async () => {
    const { pool, device, authenticator } = await withFactor(app, always, 'SOFTWARE_TOKEN_MFA', 'ON')
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
    const other = await failureOf(answerFactor(app, pool, factor, authenticator, { DEVICE_KEY: nowhere }))
    assert.deepEqual(other, unknownDevice)
    const done = await answerFactor(app, pool, factor, authenticator, { DEVICE_KEY: device.key })
    assert.equal(stepOf(done), 'tokens')
    assert.equal(claimsOf(tokensOf(done).access)['device_key'], device.key)
  })

  test('a device that was not confirmed changes nothing but the name that the tokens carry', async () => {
    const { pool, authenticator } = await withFactor(app, always, 'SOFTWARE_TOKEN_MFA', 'ON')
    const first = await answerFactor(app, pool, await beginWithPassword(app, pool.clientId, 'ann'), authenticator)
    assert.equal(stepOf(first), 'tokens and a new device')
    const key = first.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
    app.advance(60_000)
    const challenge = await beginFromDevice(app, pool, 'ann', { key })
    assert.equal(stepOf(challenge), 'SOFTWARE_TOKEN_MFA')
    const done = await answerFactor(app, pool, challenge, authenticator, { DEVICE_KEY: key })
    assert.equal(stepOf(done), 'tokens')
    assert.equal(claimsOf(tokensOf(done).access)['device_key'], key)
    // Either sign-in may confirm it, and nobody twice.
    const named = { ...done.AuthenticationResult, NewDeviceMetadata: first.AuthenticationResult?.NewDeviceMetadata }
    await confirmNewDevice(app, { AuthenticationResult: named })
    assert.equal((await failureOf(confirmNewDevice(app, first)))?.name, 'DeviceKeyExistsException')
  })

  test('a key that nobody has, one of another user and one of another pool get the same answer', async () => {
    const pool = await poolWithAnn(app, always, discreet)
    await createUser(app, pool.poolId, 'bob')
    const other = await poolWithAnn(app)
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
    const pool = await poolWithAnn(app)
    const exchange = await beginSrp(app, pool, 'ann', { DEVICE_KEY: nowhere })
    assert.deepEqual(await failureOf(exchange.answer(password, { DEVICE_KEY: nowhere })), unknownDevice)
    assert.equal(stepOf(await exchange.answer(password)), 'tokens and a new device')
  })

  test('a device that was forgotten is a device no more: the sign-in goes on as from a new one', async () => {
    const { pool, device, authenticator } = await withFactor(app, besidesMfa, 'SOFTWARE_TOKEN_MFA', 'ON')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    await app.aws.adminForgetDevice({ UserPoolId: pool.poolId, Username: 'ann', DeviceKey: device.key })
    const refused = await failureOf(answerFactor(app, pool, challenge, authenticator, { DEVICE_KEY: device.key }))
    assert.deepEqual(refused, unknownDevice)
    assert.equal(stepOf(await answerFactor(app, pool, challenge, authenticator)), 'tokens and a new device')
  })

  test('the proof is refused with another secret, another name of the group, another exchange and bent values', async () => {
    const pool = await poolWithAnn(app)
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
    const pool = await poolWithAnn(app)
    const device = await registerDevice(app, pool, 'ann')
    const challenge = await beginFromDevice(app, pool, 'ann', device)
    for (const SRP_A of ['0', '1', 'xyz', 'ff'.repeat(385)]) {
      const failure = await failureOf(beginDeviceProof(app, pool, 'ann', device, challenge, { SRP_A }))
      assert.equal(failure?.name, 'InvalidParameterException', SRP_A.slice(0, 4))
    }
    assert.equal(stepOf(await proveDevice(app, pool, 'ann', device, challenge)), 'tokens')
  })

  test('of 32 that use one session or one proof at once, one succeeds', async () => {
    const pool = await poolWithAnn(app)
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
    const pool = await poolWithAnn(app)
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
})
