import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { challengeNames, everyResponse } from '../../../test/support/challenges.ts'
import {
  always,
  beginDeviceProof,
  beginFromDevice,
  createDevicePool,
  registerDevice,
  type TestDevice,
} from '../../../test/support/devices.ts'
import { respond } from '../../../test/support/mfa.ts'
import { createClient, email, type TestPool, verified } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginWithPassword,
  createUser,
  failureOf,
  password,
  tokensOf,
} from '../../../test/support/sign-in.ts'

interface Begun {
  pool: TestPool
  device: TestDevice
  session: string
  /** The next request of the sign-in, right in itself. */
  next: () => Promise<unknown>
}

const begin = async (app: TestApp) => {
  const pool = await createDevicePool(app)
  await createUser(app, pool.poolId, 'ann', [email('ann@example.com'), verified('email')])
  const device = await registerDevice(app, pool, 'ann')
  return { pool, device, challenge: await beginFromDevice(app, pool, 'ann', device) }
}

const steps: Record<string, (app: TestApp) => Promise<Begun>> = {
  DEVICE_SRP_AUTH: async app => {
    const { pool, device, challenge } = await begin(app)
    const next = () => beginDeviceProof(app, pool, 'ann', device, challenge)
    return { pool, device, session: challenge.Session ?? '', next }
  },
  DEVICE_PASSWORD_VERIFIER: async app => {
    const { pool, device, challenge } = await begin(app)
    const proof = await beginDeviceProof(app, pool, 'ann', device, challenge)
    return { pool, device, session: proof.challenge.Session ?? '', next: () => proof.prove() }
  },
}

const ann = ({ poolId }: TestPool) => ({ UserPoolId: poolId, Username: 'ann' })

const interruptions: Record<string, (app: TestApp, pool: TestPool, device: TestDevice) => Promise<unknown>> = {
  AdminForgetDevice: (app, pool, { key }) => app.aws.adminForgetDevice({ ...ann(pool), DeviceKey: key }),
  ForgetDevice: (app, _pool, { key, access }) => app.aws.forgetDevice({ AccessToken: access, DeviceKey: key }),
  'AdminUpdateDeviceStatus, not remembered': (app, pool, { key }) =>
    app.aws.adminUpdateDeviceStatus({ ...ann(pool), DeviceKey: key, DeviceRememberedStatus: 'not_remembered' }),
  'the end of tracking': (app, { poolId }) => app.aws.updateUserPool({ UserPoolId: poolId, DeviceConfiguration: {} }),
  AdminDisableUser: (app, pool) => app.aws.adminDisableUser(ann(pool)),
  'AdminDisableUser and AdminEnableUser': async (app, pool) => {
    await app.aws.adminDisableUser(ann(pool))
    await app.aws.adminEnableUser(ann(pool))
  },
  AdminDeleteUser: (app, pool) => app.aws.adminDeleteUser(ann(pool)),
  'deletion and a new user of the same name': async (app, pool) => {
    await app.aws.adminDeleteUser(ann(pool))
    await createUser(app, pool.poolId, 'ann')
  },
  AdminSetUserPassword: (app, pool) =>
    app.aws.adminSetUserPassword({ ...ann(pool), Password: password, Permanent: true }),
  AdminResetUserPassword: (app, pool) => app.aws.adminResetUserPassword(ann(pool)),
  AdminUserGlobalSignOut: (app, pool) => app.aws.adminUserGlobalSignOut(ann(pool)),
  DeleteUserPoolClient: (app, { poolId, clientId }) =>
    app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId }),
  DeleteUserPool: (app, { poolId }) => app.aws.deleteUserPool({ UserPoolId: poolId }),
  'a lockout': async (app, { poolId }) => {
    const clientId = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    for (let failure = 1; failure <= 5; failure++) await failureOf(beginWithPassword(app, clientId, 'ann', 'wrong'))
  },
  'the time that a session has': async app => app.advance(3 * 60_000),
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  for (const [title, interrupt] of Object.entries(interruptions)) {
    test(`${title} between two steps refuses the next one`, async () => {
      for (const [step, make] of Object.entries(steps)) {
        const { pool, device, next } = await make(app)
        await interrupt(app, pool, device)
        const failure = await failureOf(next())
        assert.match(failure?.name ?? 'none', /^(NotAuthorized|ResourceNotFound)Exception$/, step)
      }
      assert.deepEqual(app.logged, [])
    })
  }

  test('every step succeeds when nothing happens that concerns it', async () => {
    for (const make of Object.values(steps)) {
      const { pool, next } = await make(app)
      await registerDevice(app, pool, 'ann')
      await app.aws.adminUpdateUserAttributes({ ...ann(pool), UserAttributes: [{ Name: 'nickname', Value: 'annie' }] })
      await app.aws.updateUserPool({ UserPoolId: pool.poolId, DeviceConfiguration: always })
      await next()
    }
  })

  test('a pending challenge is answered as what it is and as nothing else', async () => {
    for (const [step, make] of Object.entries(steps)) {
      const { pool, device, session, next } = await make(app)
      for (const name of challengeNames.filter(each => each !== step)) {
        const answered = respond(
          app,
          pool.clientId,
          'ann',
          { ChallengeName: name, Session: session },
          everyResponse(session, device.key),
        )
        assert.equal((await failureOf(answered))?.name, 'NotAuthorizedException', `${step} answered by ${name}`)
      }
      await next()
    }
  })

  test('the session of another client, user or pool, a changed one and none is refused', async () => {
    const { pool, device, challenge } = await begin(app)
    await createUser(app, pool.poolId, 'bob')
    const other = await begin(app)
    const clientId = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    const session = challenge.Session ?? ''
    const changed = `${session.slice(0, 99)}${session[99] === 'A' ? 'B' : 'A'}${session.slice(100)}`
    const ofBob = await registerDevice(app, pool, 'bob')
    for (const attempt of [
      beginDeviceProof(app, { clientId }, 'ann', device, challenge),
      beginDeviceProof(app, pool, 'bob', device, challenge),
      beginDeviceProof(app, pool, 'bob', ofBob, challenge),
      beginDeviceProof(app, pool, 'ann', device, other.challenge),
      beginDeviceProof(app, pool, 'ann', device, { Session: changed }),
      beginDeviceProof(app, other.pool, 'ann', other.device, challenge),
    ].map(failureOf)) {
      assert.deepEqual(await attempt, {
        name: 'NotAuthorizedException',
        message: 'Invalid session for the user.',
      })
    }
    const none = await failureOf(beginDeviceProof(app, pool, 'ann', device, {}))
    assert.deepEqual(none, { name: 'InvalidParameterException', message: 'Missing required parameter Session' })
    const proof = await beginDeviceProof(app, pool, 'ann', device, challenge)
    tokensOf(await proof.prove())
  })

  test('a device that is forgotten while its proof is on its way gets no session that can be refreshed', async () => {
    const { pool, device, challenge } = await begin(app)
    const proof = await beginDeviceProof(app, pool, 'ann', device, challenge)
    const [outcome] = await Promise.allSettled([
      proof.prove(),
      app.aws.adminForgetDevice({ ...ann(pool), DeviceKey: device.key }),
    ])
    if (outcome.status === 'rejected') {
      assert.match(String(outcome.reason), /Device does not exist/)
    } else {
      const { refresh } = tokensOf(outcome.value)
      const again = app.aws.getTokensFromRefreshToken({
        ClientId: pool.clientId,
        RefreshToken: refresh,
        DeviceKey: device.key,
      })
      assert.equal((await failureOf(again))?.name, 'NotAuthorizedException')
    }
  })
})
