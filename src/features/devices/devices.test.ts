import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { days, hours, minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  always,
  beginFromDevice,
  confirmNewDevice,
  nowhere,
  optIn,
  poolWithAnn,
  registerDevice,
  unknownDevice,
} from '../../../test/support/devices.ts'
import type { TestPool } from '../../../test/support/pools.ts'
import {
  beginWithPassword,
  claimsOf,
  createSignInPool,
  createUser,
  failureOf,
  invalidParameter,
  post,
  refresh,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import { createDeviceSecret } from '../../../test/support/srp-client.ts'
import { N } from '../../core/srp.ts'

const failuresOf = (...calls: Promise<unknown>[]) => Promise.all(calls.map(failureOf))
const invalidKey = invalidParameter('Invalid device key given.')
const invalidVerifier = invalidParameter('Invalid device secret verifier given.')
const Username = 'ann'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const admin = ({ poolId }: TestPool) => ({ UserPoolId: poolId, Username })
  const keysOf = (devices: { DeviceKey?: string | undefined }[] | undefined) => (devices ?? []).map(d => d.DeviceKey)

  test('a sign-in from nowhere known brings a device, which its client confirms once', async () => {
    const pool = await poolWithAnn(app)
    const outcome = await beginWithPassword(app, pool.clientId, 'ann')
    const { access } = tokensOf(outcome)
    const { DeviceKey = '', DeviceGroupKey = '' } = outcome.AuthenticationResult?.NewDeviceMetadata ?? {}
    assert.match(DeviceKey, /^us-east-1_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.match(DeviceGroupKey, /^-[0-9A-Za-z]{8}$/)
    assert.equal(claimsOf(access)['device_key'], DeviceKey)
    assert.equal('device_key' in claimsOf(tokensOf(outcome).id), false)

    const confirm = () =>
      app.aws.confirmDevice({
        AccessToken: access,
        DeviceKey,
        DeviceName: 'Firefox',
        DeviceSecretVerifierConfig: createDeviceSecret(DeviceKey, DeviceGroupKey).config,
      })
    assert.equal((await confirm()).UserConfirmationNecessary, false)
    assert.deepEqual(await failureOf(confirm()), {
      name: 'DeviceKeyExistsException',
      message: 'Device already exists.',
    })
  })

  test('of 32 that confirm a device at once one succeeds', async () => {
    const pool = await poolWithAnn(app)
    const outcome = await beginWithPassword(app, pool.clientId, 'ann')
    const all = await Promise.all(Array.from({ length: 32 }, () => failureOf(confirmNewDevice(app, outcome))))
    assert.equal(all.filter(failure => failure === undefined).length, 1)
    assert.equal(all.filter(failure => failure?.name === 'DeviceKeyExistsException').length, 31)
  })

  test('a token confirms the device of its own session and no other', async () => {
    const pool = await poolWithAnn(app)
    await createUser(app, pool.poolId, 'bob')
    const [first, second, ofBob] = await Promise.all(
      ['ann', 'ann', 'bob'].map(name => beginWithPassword(app, pool.clientId, name)),
    )
    const { access } = tokensOf(first ?? {})
    const { config } = createDeviceSecret(nowhere, '-')
    for (const DeviceKey of [
      second?.AuthenticationResult?.NewDeviceMetadata?.DeviceKey,
      ofBob?.AuthenticationResult?.NewDeviceMetadata?.DeviceKey,
      nowhere,
    ]) {
      const confirmation = { AccessToken: access, DeviceKey, DeviceSecretVerifierConfig: config }
      assert.deepEqual(await failureOf(app.aws.confirmDevice(confirmation)), invalidKey)
    }
    await confirmNewDevice(app, first ?? {})
  })

  test('a device can be confirmed for a day, as long as a token of its sign-in can live', async () => {
    const pool = await poolWithAnn(app, always, {
      AccessTokenValidity: 24,
      TokenValidityUnits: { AccessToken: 'hours' },
    })
    const first = await beginWithPassword(app, pool.clientId, 'ann')
    const second = await beginWithPassword(app, pool.clientId, 'ann')
    app.advance(hours(24) - minutes(1))
    await confirmNewDevice(app, first)
    app.advance(minutes(1))
    const DEVICE_KEY = second.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
    assert.deepEqual(await failureOf(beginFromDevice(app, pool, 'ann', { key: DEVICE_KEY })), unknownDevice)
    app.advance(1)
    await app.app.tick()
    const rows = await app.database.db.selectFrom('devices').select('device_key').execute()
    assert.equal(
      rows.some(row => row.device_key === DEVICE_KEY),
      false,
    )
    assert.equal((await app.aws.adminListDevices(admin(pool))).Devices?.length, 1)
  })

  test('a verifier that would let others in is refused, and the device stays to be confirmed', async () => {
    const pool = await poolWithAnn(app)
    const outcome = await beginWithPassword(app, pool.clientId, 'ann')
    const { access } = tokensOf(outcome)
    const DeviceKey = outcome.AuthenticationResult?.NewDeviceMetadata?.DeviceKey
    const { config } = createDeviceSecret(nowhere, '-')
    const bytes = (value: bigint) => Buffer.from(value.toString(16).padStart(768, '0'), 'hex').toString('base64')
    const confirm = (changes: Partial<typeof config>) =>
      failureOf(
        app.aws.confirmDevice({
          AccessToken: access,
          DeviceKey,
          DeviceSecretVerifierConfig: { ...config, ...changes },
        }),
      )
    for (const value of [0n, 1n, N - 1n, N, N + 1n, N + 5n]) {
      assert.deepEqual(await confirm({ PasswordVerifier: bytes(value) }), invalidVerifier, String(value))
    }
    for (const text of ['', '=', '!!!!', 'AA-_', 'AAAA'.repeat(26_000), Buffer.alloc(400, 1).toString('base64')]) {
      assert.deepEqual(await confirm({ PasswordVerifier: text }), invalidVerifier, text.slice(0, 8))
    }
    for (const text of ['', 'AAAA', '!!!!', Buffer.alloc(65, 1).toString('base64')]) {
      assert.deepEqual(await confirm({ Salt: text }), invalidVerifier, text)
    }
    const missing = async (config: object | undefined) =>
      failureOf(app.aws.confirmDevice({ AccessToken: access, DeviceKey, DeviceSecretVerifierConfig: config }))
    assert.deepEqual(await missing(undefined), invalidParameter('Missing required parameter PasswordVerifier'))
    assert.deepEqual(await missing({ Salt: 'AQ==' }), invalidParameter('Missing required parameter PasswordVerifier'))
    assert.deepEqual(
      await missing({ PasswordVerifier: config.PasswordVerifier }),
      invalidParameter('Missing required parameter Salt'),
    )
    await confirmNewDevice(app, outcome)
  })

  test('users and administrators see a device with its name, status, address and times', async () => {
    const pool = await poolWithAnn(app)
    const device = await registerDevice(app, pool, 'ann', 'Firefox on Linux')
    const seen = await app.aws.getDevice({ AccessToken: device.access, DeviceKey: device.key })
    const now = new Date(app.now())
    assert.deepEqual(seen.Device, {
      DeviceKey: device.key,
      DeviceAttributes: [
        { Name: 'device_status', Value: 'valid' },
        { Name: 'device_name', Value: 'Firefox on Linux' },
        { Name: 'dev:device_remembered_status', Value: 'remembered' },
        { Name: 'last_ip_used', Value: '127.0.0.1' },
      ],
      DeviceCreateDate: now,
      DeviceLastModifiedDate: now,
      DeviceLastAuthenticatedDate: new Date(Math.floor(app.now() / 1_000) * 1_000),
    })
    const byAdmin = await app.aws.adminGetDevice({ ...admin(pool), DeviceKey: device.key })
    assert.deepEqual(byAdmin.Device, seen.Device)
    const { body } = await post(app, 'GetDevice', { AccessToken: device.access, DeviceKey: device.key })
    const wire = (JSON.parse(body) as { Device: Record<string, number> }).Device
    assert.equal(wire['DeviceCreateDate'], app.now() / 1_000)
    assert.equal(wire['DeviceLastAuthenticatedDate'], Math.floor(app.now() / 1_000))

    const nameless = await registerDevice(app, pool, 'ann')
    const { Device } = await app.aws.adminGetDevice({ ...admin(pool), DeviceKey: nameless.key })
    assert.equal(
      Device?.DeviceAttributes?.some(({ Name }) => Name === 'device_name'),
      false,
    )
  })

  test('devices are listed a page at a time, newest first, and only the confirmed ones of the user', async () => {
    const pool = await poolWithAnn(app)
    await createUser(app, pool.poolId, 'bob')
    const ofBob = await registerDevice(app, pool, 'bob')
    const devices = []
    for (let index = 0; index < 5; index += 1) {
      app.advance(1)
      devices.unshift(await registerDevice(app, pool, 'ann'))
    }
    await beginWithPassword(app, pool.clientId, 'ann')
    const expected = devices.map(({ key }) => key)
    const AccessToken = devices[0]?.access ?? ''
    const list = (PaginationToken?: string, Limit: number | undefined = 2) =>
      app.aws.listDevices({ AccessToken, Limit, PaginationToken })
    const collected = []
    let token: string | undefined
    do {
      const page = await list(token)
      collected.push(...keysOf(page.Devices))
      token = page.PaginationToken
    } while (token !== undefined)
    assert.deepEqual(collected, expected)
    assert.deepEqual(keysOf((await list(undefined, 0)).Devices), expected)
    assert.deepEqual(keysOf((await app.aws.adminListDevices(admin(pool))).Devices), expected)
    assert.equal('PaginationToken' in (await list(undefined, 5)), false)

    // A token belongs to its list: neither another user nor another operation takes it.
    const { PaginationToken } = await list()
    const foreign = await failureOf(app.aws.listDevices({ AccessToken: ofBob.access, PaginationToken }))
    assert.equal(foreign?.name, 'InvalidParameterException')
    const other = await failureOf(app.aws.adminListDevices({ ...admin(pool), PaginationToken }))
    assert.equal(other?.name, 'InvalidParameterException')
    assert.equal((await failureOf(list('garbage')))?.name, 'InvalidParameterException')
    assert.match((await failureOf(list(undefined, 61)))?.message ?? '', /less than or equal to 60/)
  })

  test('a user sees and changes no device of another user, an administrator none of another pool', async () => {
    const pool = await poolWithAnn(app)
    await createUser(app, pool.poolId, 'bob')
    const ofBob = await registerDevice(app, pool, 'bob')
    const { access } = await signIn(app, pool.clientId, 'ann')
    const other = await poolWithAnn(app)
    const elsewhere = await registerDevice(app, other, 'ann')
    for (const DeviceKey of [ofBob.key, elsewhere.key, nowhere]) {
      const own = { AccessToken: access, DeviceKey }
      const administered = { ...admin(pool), DeviceKey }
      for (const attempt of [
        () => app.aws.getDevice(own),
        () => app.aws.forgetDevice(own),
        () => app.aws.updateDeviceStatus({ ...own, DeviceRememberedStatus: 'remembered' }),
        () => app.aws.updateDeviceStatus(own),
        () => app.aws.adminGetDevice(administered),
        () => app.aws.adminForgetDevice(administered),
        () => app.aws.adminUpdateDeviceStatus({ ...administered, DeviceRememberedStatus: 'not_remembered' }),
      ]) {
        assert.deepEqual(await failureOf(attempt()), unknownDevice)
      }
    }
    const { Device } = await app.aws.adminGetDevice({ UserPoolId: pool.poolId, Username: 'bob', DeviceKey: ofBob.key })
    assert.equal(Device?.DeviceKey, ofBob.key)
    const nobody = { UserPoolId: pool.poolId, Username: 'eve', DeviceKey: ofBob.key }
    for (const failure of await failuresOf(
      app.aws.adminGetDevice(nobody),
      app.aws.adminListDevices(nobody),
      app.aws.adminForgetDevice(nobody),
      app.aws.adminUpdateDeviceStatus(nobody),
    )) {
      assert.equal(failure?.name, 'UserNotFoundException')
    }
  })

  test('a device that is not confirmed is known to no operation but to the one that forgets it', async () => {
    const pool = await poolWithAnn(app)
    const outcome = await beginWithPassword(app, pool.clientId, 'ann')
    const { access } = tokensOf(outcome)
    const DeviceKey = outcome.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
    const own = { AccessToken: access, DeviceKey }
    assert.deepEqual(await failureOf(app.aws.getDevice(own)), unknownDevice)
    const remember = app.aws.updateDeviceStatus({ ...own, DeviceRememberedStatus: 'remembered' })
    assert.deepEqual(await failureOf(remember), unknownDevice)
    assert.deepEqual((await app.aws.listDevices({ AccessToken: access })).Devices, [])
    await app.aws.forgetDevice(own)
    assert.deepEqual(await failureOf(confirmNewDevice(app, outcome)), invalidKey)
  })

  test('where the user is asked, a device is remembered when he says so, and until he says otherwise', async () => {
    const pool = await poolWithAnn(app, optIn)
    const outcome = await beginWithPassword(app, pool.clientId, 'ann')
    const device = await confirmNewDevice(app, outcome)
    const own = { AccessToken: device.access, DeviceKey: device.key }
    const status = async () =>
      (await app.aws.getDevice(own)).Device?.DeviceAttributes?.find(a => a.Name === 'dev:device_remembered_status')
        ?.Value
    const asked = async () => (await beginFromDevice(app, pool, 'ann', device)).ChallengeName
    assert.deepEqual([await status(), await asked()], ['not_remembered', undefined])
    app.advance(minutes(1))
    await app.aws.updateDeviceStatus({ ...own, DeviceRememberedStatus: 'remembered' })
    assert.deepEqual([await status(), await asked()], ['remembered', 'DEVICE_SRP_AUTH'])
    const { Device } = await app.aws.getDevice(own)
    assert.deepEqual(Device?.DeviceLastModifiedDate, new Date(app.now()))
    await app.aws.updateDeviceStatus(own)
    assert.equal(await status(), 'remembered')
    await app.aws.adminUpdateDeviceStatus({
      ...admin(pool),
      DeviceKey: device.key,
      DeviceRememberedStatus: 'not_remembered',
    })
    assert.deepEqual([await status(), await asked()], ['not_remembered', undefined])
    const confirmation = await beginWithPassword(app, pool.clientId, 'ann')
    const { DeviceKey = '', DeviceGroupKey = '' } = confirmation.AuthenticationResult?.NewDeviceMetadata ?? {}
    const answer = await app.aws.confirmDevice({
      AccessToken: tokensOf(confirmation).access,
      DeviceKey,
      DeviceSecretVerifierConfig: createDeviceSecret(DeviceKey, DeviceGroupKey).config,
    })
    assert.equal(answer.UserConfirmationNecessary, true)
  })

  test('forgetting a device answers with an empty body and ends its sessions with it', async () => {
    const pool = await poolWithAnn(app)
    for (const forget of ['ForgetDevice', 'AdminForgetDevice'] as const) {
      const device = await registerDevice(app, pool, 'ann')
      const kept = await registerDevice(app, pool, 'ann')
      const DEVICE_KEY = device.key
      tokensOf(await refresh(app, pool.clientId, device.refresh, { DEVICE_KEY }))
      if (forget === 'ForgetDevice') {
        const answer = await post(app, forget, { AccessToken: device.access, DeviceKey: device.key })
        assert.deepEqual([answer.status, answer.body], [200, ''])
      } else {
        await app.aws.adminForgetDevice({ ...admin(pool), DeviceKey: device.key })
      }
      const failure = { name: 'NotAuthorizedException', message: 'Invalid Refresh Token' }
      assert.deepEqual(await failureOf(refresh(app, pool.clientId, device.refresh, { DEVICE_KEY })), failure)
      // The access token is good until it expires, as one of any session that was not revoked.
      await app.aws.getUser({ AccessToken: device.access })
      tokensOf(await refresh(app, pool.clientId, kept.refresh, { DEVICE_KEY: kept.key }))
      await app.aws.adminForgetDevice({ ...admin(pool), DeviceKey: kept.key })
    }
    assert.deepEqual((await app.aws.adminListDevices(admin(pool))).Devices, [])
  })

  test('a pool that does not track devices has none: sign-ins bring none and the operations say so', async () => {
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const outcome = await beginWithPassword(app, pool.clientId, 'ann', undefined, { DEVICE_KEY: nowhere })
    assert.equal(outcome.AuthenticationResult?.NewDeviceMetadata, undefined)
    const { access, refresh: token } = tokensOf(outcome)
    assert.equal('device_key' in claimsOf(access), false)
    tokensOf(await refresh(app, pool.clientId, token))
    const own = { AccessToken: access, DeviceKey: nowhere }
    const administered = { ...admin(pool), DeviceKey: nowhere }
    for (const failure of await failuresOf(
      app.aws.confirmDevice({ ...own, DeviceSecretVerifierConfig: createDeviceSecret(nowhere, '-').config }),
      app.aws.forgetDevice(own),
      app.aws.getDevice(own),
      app.aws.listDevices({ AccessToken: access }),
      app.aws.updateDeviceStatus(own),
      app.aws.adminForgetDevice(administered),
      app.aws.adminGetDevice(administered),
      app.aws.adminListDevices(admin(pool)),
      app.aws.adminUpdateDeviceStatus(administered),
    )) {
      assert.deepEqual(failure, {
        name: 'InvalidUserPoolConfigurationException',
        message: 'Device tracking is not enabled for the user pool.',
      })
    }
  })

  test('without an access token nobody is asked for', async () => {
    for (const operation of ['GetDevice', 'ForgetDevice']) {
      const { status, body } = await post(app, operation, { DeviceKey: nowhere })
      assert.equal(status, 400)
      assert.match(body, /Missing required parameter AccessToken/)
    }
  })

  test('an ID token, and the token of a user who was signed out, disabled or deleted, does nothing to devices', async () => {
    const pool = await poolWithAnn(app)
    const outcome = await beginWithPassword(app, pool.clientId, 'ann')
    const ends = [
      () => app.aws.adminUserGlobalSignOut(admin(pool)),
      () => app.aws.adminDisableUser(admin(pool)),
      () => app.aws.adminDeleteUser(admin(pool)),
    ]
    const refused = async (AccessToken: string) => {
      const DeviceKey = outcome.AuthenticationResult?.NewDeviceMetadata?.DeviceKey ?? ''
      const { config } = createDeviceSecret(DeviceKey, '-')
      for (const failure of await failuresOf(
        app.aws.confirmDevice({ AccessToken, DeviceKey, DeviceSecretVerifierConfig: config }),
        app.aws.forgetDevice({ AccessToken, DeviceKey }),
        app.aws.getDevice({ AccessToken, DeviceKey }),
        app.aws.listDevices({ AccessToken }),
        app.aws.updateDeviceStatus({ AccessToken, DeviceKey, DeviceRememberedStatus: 'remembered' }),
      )) {
        assert.match(failure?.name ?? 'none', /^(NotAuthorized|UserNotFound)Exception$/)
      }
    }
    await refused(tokensOf(outcome).id)
    for (const end of ends) {
      await end()
      await refused(tokensOf(outcome).access)
    }
  })

  test('the devices of a user go with the user, and those of a pool with the pool', async () => {
    const pool = await poolWithAnn(app)
    await createUser(app, pool.poolId, 'bob')
    const [ofAnn, ofBob] = [await registerDevice(app, pool, 'ann'), await registerDevice(app, pool, 'bob')]
    const rows = async () =>
      (await app.database.db.selectFrom('devices').select('device_key').execute()).map(row => row.device_key)
    await app.aws.adminDeleteUser(admin(pool))
    assert.deepEqual([(await rows()).includes(ofAnn.key), (await rows()).includes(ofBob.key)], [false, true])
    await createUser(app, pool.poolId, 'ann')
    assert.deepEqual(await failureOf(beginFromDevice(app, pool, 'ann', ofAnn)), unknownDevice)
    await app.aws.deleteUserPool({ UserPoolId: pool.poolId })
    await app.app.tick()
    assert.equal((await rows()).includes(ofBob.key), false)
  })

  test('the secret of a device is sealed where it rests, and opens for no other device', async () => {
    const pool = await poolWithAnn(app)
    const [one, two] = [await registerDevice(app, pool, 'ann'), await registerDevice(app, pool, 'ann')]
    const { db } = app.database
    const rows = await db.selectFrom('devices').selectAll().where('device_key', 'in', [one.key, two.key]).execute()
    for (const { verifier } of rows) {
      assert.equal(Buffer.from(verifier ?? '', 'base64url').length > 384 + 28, true)
    }
    const moved = rows.find(row => row.device_key === one.key)
    await db
      .updateTable('devices')
      .set({ salt: moved?.salt ?? null, verifier: moved?.verifier ?? null })
      .where('device_key', '=', two.key)
      .execute()
    const challenge = await beginFromDevice(app, pool, 'ann', two)
    const failure = await failureOf(
      app.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'DEVICE_SRP_AUTH',
        Session: challenge.Session,
        ChallengeResponses: { USERNAME: 'ann', DEVICE_KEY: two.key, SRP_A: 'ab'.repeat(384) },
      }),
    )
    assert.equal(failure?.name, 'InternalErrorException')
    assert.equal(app.logged.splice(0).length, 1)
  })

  test('the times of a device outlast a year of use', async () => {
    const pool = await poolWithAnn(app, optIn)
    const device = await registerDevice(app, pool, 'ann')
    app.advance(days(365))
    assert.equal((await beginFromDevice(app, pool, 'ann', device)).AuthenticationResult?.NewDeviceMetadata, undefined)
    const { Device } = await app.aws.adminGetDevice({ ...admin(pool), DeviceKey: device.key })
    const lastSeconds = (Device?.DeviceLastAuthenticatedDate?.getTime() ?? 0) / 1_000
    assert.equal(lastSeconds, Math.floor(app.now() / 1_000))
    assert.equal((Device?.DeviceCreateDate?.getTime() ?? 0) < app.now() - days(364), true)
  })
})
