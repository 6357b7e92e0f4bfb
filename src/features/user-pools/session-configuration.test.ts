import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createPool } from '../../../test/support/pools.ts'
import { failureOf } from '../../../test/support/sign-in.ts'

const lite = 'The following features need to be disabled for the LITE pricing tier configured: Session tracking'
const notTracked = {
  name: 'OperationNotEnabledException',
  message: 'User session tracking is not enabled for the user pool.',
}

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const open = () => {
    opened ??= testApp()
    return opened
  }

  test('an untouched pool tracks no sessions and would allow 20 of each user', async () => {
    const app = await open()
    const { poolId } = await createPool(app)
    const { $metadata, ...found } = await app.aws.getUserPoolSessionConfiguration({ UserPoolId: poolId })
    assert.deepEqual(found, {
      UserPoolId: poolId,
      UserSessionTracking: 'DISABLED',
      TokenSession: { MaxPerUser: 20 },
    })
  })

  test('the session configuration is set as a whole, read back, kept by other changes and shown nowhere else', async () => {
    const app = await open()
    const { poolId } = await createPool(app)
    const other = await createPool(app)
    const wanted = { UserPoolId: poolId, UserSessionTracking: 'ENABLED', TokenSession: { MaxPerUser: 3 } } as const
    const { $metadata: _, ...answer } = await app.aws.setUserPoolSessionConfiguration(wanted)
    assert.deepEqual(answer, wanted)
    await app.aws.updateUserPool({ UserPoolId: poolId, PoolName: 'renamed' })
    const { $metadata, ...found } = await app.aws.getUserPoolSessionConfiguration({ UserPoolId: poolId })
    assert.deepEqual(found, wanted)
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: poolId })
    assert.equal(UserPool !== undefined && 'SessionConfiguration' in UserPool, false)
    const untouched = await app.aws.getUserPoolSessionConfiguration({ UserPoolId: other.poolId })
    assert.equal(untouched.UserSessionTracking, 'DISABLED')
    await app.aws.setUserPoolSessionConfiguration({
      UserPoolId: poolId,
      UserSessionTracking: 'DISABLED',
      TokenSession: { MaxPerUser: 100 },
    })
    const changed = await app.aws.getUserPoolSessionConfiguration({ UserPoolId: poolId })
    assert.deepEqual([changed.UserSessionTracking, changed.TokenSession], ['DISABLED', { MaxPerUser: 100 }])
  })

  test('a number of sessions outside of 1 to 100 is refused', async () => {
    const app = await open()
    const { poolId } = await createPool(app)
    for (const [MaxPerUser, constraint] of [
      [0, 'greater than or equal to 1'],
      [101, 'less than or equal to 100'],
    ] as const) {
      assert.deepEqual(
        await failureOf(
          app.aws.setUserPoolSessionConfiguration({
            UserPoolId: poolId,
            UserSessionTracking: 'ENABLED',
            TokenSession: { MaxPerUser },
          }),
        ),
        {
          name: 'InvalidParameterException',
          message: `1 validation error detected: Value '${MaxPerUser}' at 'tokenSession.maxPerUser' failed to satisfy constraint: Member must have value ${constraint}`,
        },
      )
    }
  })

  test('a Lite pool tracks no sessions, and a pool that tracks them does not step down to Lite', async () => {
    const app = await open()
    const small = await createPool(app, { UserPoolTier: 'LITE' })
    const wanted = { UserSessionTracking: 'ENABLED', TokenSession: { MaxPerUser: 3 } } as const
    const refused = { name: 'FeatureUnavailableInTierException', message: lite }
    assert.deepEqual(
      await failureOf(app.aws.setUserPoolSessionConfiguration({ UserPoolId: small.poolId, ...wanted })),
      refused,
    )
    const large = await createPool(app)
    await app.aws.setUserPoolSessionConfiguration({ UserPoolId: large.poolId, ...wanted })
    const stepDown = () => app.aws.updateUserPool({ UserPoolId: large.poolId, UserPoolTier: 'LITE' })
    assert.deepEqual(await failureOf(stepDown()), refused)
    await app.aws.setUserPoolSessionConfiguration({
      UserPoolId: large.poolId,
      ...wanted,
      UserSessionTracking: 'DISABLED',
    })
    assert.equal(await failureOf(stepDown()), undefined)
  })

  test('a pool that does not exist has no session configuration', async () => {
    const app = await open()
    assert.deepEqual(await failureOf(app.aws.getUserPoolSessionConfiguration({ UserPoolId: 'us-east-1_absent123' })), {
      name: 'ResourceNotFoundException',
      message: 'User pool us-east-1_absent123 does not exist.',
    })
  })

  test('a client takes up sessions for 60 minutes until it is told otherwise, also after it was updated', async () => {
    const app = await open()
    const { poolId, clientId } = await createPool(app)
    const ids = { UserPoolId: poolId, ClientId: clientId }
    const read = async () => (await app.aws.getUserPoolClientSessionConfiguration(ids)).SSOSession
    assert.deepEqual(await read(), { MaxValidityMinutes: 60 })
    const set = (MaxValidityMinutes: number) =>
      app.aws.setUserPoolClientSessionConfiguration({ ...ids, SSOSession: { MaxValidityMinutes } })
    assert.deepEqual(await failureOf(set(5)), notTracked)
    const track = (UserSessionTracking: 'DISABLED' | 'ENABLED') =>
      app.aws.setUserPoolSessionConfiguration({
        UserPoolId: poolId,
        UserSessionTracking,
        TokenSession: { MaxPerUser: 20 },
      })
    await track('ENABLED')
    for (const minutes of [0, 129_600, 5]) {
      const { $metadata, ...answer } = await set(minutes)
      assert.deepEqual(answer, { ...ids, SSOSession: { MaxValidityMinutes: minutes } })
      assert.deepEqual(await read(), { MaxValidityMinutes: minutes })
    }
    assert.equal((await failureOf(set(129_601)))?.name, 'InvalidParameterException')
    await app.aws.updateUserPoolClient({ ...ids, ClientName: 'renamed' })
    await track('DISABLED')
    assert.deepEqual(await read(), { MaxValidityMinutes: 5 })
    const { UserPoolClient } = await app.aws.describeUserPoolClient(ids)
    assert.equal(UserPoolClient !== undefined && 'SSOSession' in UserPoolClient, false)
  })

  test("another pool's client is not found", async () => {
    const app = await open()
    const one = await createPool(app)
    const two = await createPool(app)
    assert.deepEqual(
      await failureOf(
        app.aws.getUserPoolClientSessionConfiguration({ UserPoolId: one.poolId, ClientId: two.clientId }),
      ),
      { name: 'ResourceNotFoundException', message: `User pool client ${two.clientId} does not exist.` },
    )
  })

  test('the client of a Lite pool has no sessions to take up', async () => {
    const app = await open()
    const { poolId, clientId } = await createPool(app, { UserPoolTier: 'LITE' })
    assert.deepEqual(
      await failureOf(
        app.aws.setUserPoolClientSessionConfiguration({
          UserPoolId: poolId,
          ClientId: clientId,
          SSOSession: { MaxValidityMinutes: 5 },
        }),
      ),
      { name: 'FeatureUnavailableInTierException', message: lite },
    )
  })
})
