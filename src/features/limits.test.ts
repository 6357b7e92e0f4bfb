import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, seconds, type TestApp } from '../../test/support/app.ts'
import { createPool } from '../../test/support/pools.ts'
import {
  allFlows,
  createSignInPool,
  createUser,
  failureOf,
  invalidParameter,
  password,
} from '../../test/support/sign-in.ts'

const exceeded = { name: 'TooManyRequestsException', message: 'Rate exceeded' }
const definition = (Category: string) => ({ LimitClass: 'API_CATEGORY', Attributes: { Category } }) as const

/** Calls one after the other; how many succeeded. Every other one must have been refused for its rate. */
const countSucceeded = async (tries: number, call: (index: number) => Promise<unknown>): Promise<number> => {
  let succeeded = 0
  for (let index = 0; index < tries; index += 1) {
    const failure = await failureOf(call(index))
    if (failure === undefined) succeeded += 1
    else assert.deepEqual(failure, exceeded)
  }
  return succeeded
}

onEachDatabase(testApp => {
  const opened = new Map<boolean, Promise<TestApp>>()
  /** With limits, each test begins with full buckets. */
  const open = async (limited: boolean): Promise<TestApp> => {
    const app = opened.get(limited) ?? testApp(limited ? { settings: { rateLimits: { UserList: 4 } } } : {})
    opened.set(limited, app)
    ;(await app).advance(seconds(60))
    return app
  }

  test('without rate limits nothing is refused', async () => {
    const app = await open(false)
    const { poolId } = await createPool(app)
    assert.equal(await countSucceeded(40, () => app.aws.describeUserPool({ UserPoolId: poolId })), 40)
  })

  test('a pool takes as many requests of a category as its limit says, and as many again a second later', async () => {
    const app = await open(true)
    const { poolId: UserPoolId } = await createPool(app)
    const other = await createPool(app)
    assert.equal(await countSucceeded(20, () => app.aws.describeUserPool({ UserPoolId })), 15)
    assert.equal(await countSucceeded(2, () => app.aws.describeUserPool({ UserPoolId: other.poolId })), 2)
    assert.equal(await countSucceeded(2, () => app.aws.getUserPoolMfaConfig({ UserPoolId })), 2)
    app.advance(seconds(1))
    assert.equal(await countSucceeded(20, () => app.aws.describeUserPool({ UserPoolId })), 15)
  })

  test('one operation on a resource of the pool is limited to 5 per second', async () => {
    const app = await open(true)
    const { poolId: UserPoolId, clientId: ClientId } = await createPool(app)
    assert.equal(await countSucceeded(8, () => app.aws.describeUserPoolClient({ UserPoolId, ClientId })), 5)
    assert.equal(await countSucceeded(8, () => app.aws.listUserPoolClients({ UserPoolId, MaxResults: 1 })), 5)
  })

  test('the configuration overrides a limit', async () => {
    const app = await open(true)
    const { poolId: UserPoolId } = await createPool(app)
    assert.equal(await countSucceeded(8, () => app.aws.listUsers({ UserPoolId })), 4)
  })

  test('one user is read 10 times per second, and written 10 times', async () => {
    const app = await open(true)
    const { poolId: UserPoolId } = await createSignInPool(app)
    await createUser(app, UserPoolId, 'ann')
    await createUser(app, UserPoolId, 'ben')
    app.advance(seconds(1))
    assert.equal(await countSucceeded(15, () => app.aws.adminGetUser({ UserPoolId, Username: 'ann' })), 10)
    assert.equal(
      await countSucceeded(15, () => app.aws.adminEnableUser({ UserPoolId, Username: 'ANN'.toLowerCase() })),
      10,
    )
    assert.equal(await countSucceeded(3, () => app.aws.adminGetUser({ UserPoolId, Username: 'ben' })), 3)
  })

  test('sign-ins count by name and by pool, refreshing tokens counts apart', async () => {
    const app = await open(true)
    const { poolId: UserPoolId, clientId: ClientId } = await createSignInPool(app)
    await createUser(app, UserPoolId, 'ann')
    const signIn = () =>
      app.aws.initiateAuth({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: password },
      })
    const { AuthenticationResult } = await signIn()
    assert.equal(await countSucceeded(12, signIn), 9)
    const refresh = () =>
      app.aws.initiateAuth({
        ClientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: AuthenticationResult?.RefreshToken ?? '' },
      })
    assert.equal(await countSucceeded(12, refresh), 12)
  })

  test("a forged access token does not use up another user's reads", async () => {
    const app = await open(true)
    const { poolId: UserPoolId, clientId } = await createSignInPool(app, { ExplicitAuthFlows: allFlows })
    await createUser(app, UserPoolId, 'ann')
    const { AuthenticationResult } = await app.aws.initiateAuth({
      ClientId: clientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: password },
    })
    const AccessToken = AuthenticationResult?.AccessToken ?? ''
    const forged = `${AccessToken.slice(0, -10)}${'A'.repeat(9)}Q`
    for (let index = 0; index < 12; index += 1)
      assert.notEqual(await failureOf(app.aws.getUser({ AccessToken: forged })), undefined)
    assert.equal(await countSucceeded(12, () => app.aws.getUser({ AccessToken })), 10)
  })

  test('a provisioned limit is read back, holds for all pools of the region, and in no other', async () => {
    const app = await open(true)
    const LimitDefinition = definition('UserRead')
    const read = async (client = app.aws) => {
      const { Limit } = await client.getProvisionedLimit({ LimitDefinition })
      app.advance(seconds(1))
      return Limit
    }
    assert.deepEqual(await read(), { LimitDefinition, ProvisionedLimitValue: 120, FreeLimitValue: 120 })
    const { Limit } = await app.aws.updateProvisionedLimit({ LimitDefinition, RequestedLimitValue: 300 })
    assert.deepEqual(Limit, { LimitDefinition, ProvisionedLimitValue: 300, FreeLimitValue: 120 })
    app.advance(seconds(1))
    assert.deepEqual(await read(), Limit)
    assert.equal((await read(app.client({ region: 'eu-west-1' })))?.ProvisionedLimitValue, 120)
    const { poolId: UserPoolId } = await createSignInPool(app)
    const failures = await Promise.all(
      Array.from({ length: 310 }, (_, index) =>
        failureOf(app.aws.adminGetUser({ UserPoolId, Username: `user${index}` })),
      ),
    )
    assert.equal(failures.filter(failure => failure?.name === 'UserNotFoundException').length, 300)
    await app.aws.updateProvisionedLimit({ LimitDefinition, RequestedLimitValue: 120 })
    app.advance(seconds(1))
    assert.equal((await read())?.ProvisionedLimitValue, 120)
  })

  test('a limit can be provisioned only for adjustable categories, between the free limit and the quota', async () => {
    const app = await open(false)
    const fixed = invalidParameter('The category is not one whose limit can be adjusted.')
    for (const category of ['UserList', 'LimitManagement', 'Invented', '__proto__', 'toString', '']) {
      const LimitDefinition = definition(category)
      assert.deepEqual(await failureOf(app.aws.getProvisionedLimit({ LimitDefinition })), fixed)
      assert.deepEqual(
        await failureOf(app.aws.updateProvisionedLimit({ LimitDefinition, RequestedLimitValue: 1_000 })),
        fixed,
      )
    }
    const LimitDefinition = definition('UserAuthentication')
    const update = (RequestedLimitValue: number) =>
      failureOf(app.aws.updateProvisionedLimit({ LimitDefinition, RequestedLimitValue }))
    assert.deepEqual(
      await update(119),
      invalidParameter('The requested limit must not be less than the free limit of 120.'),
    )
    assert.deepEqual(await update(1_201), {
      name: 'ServiceQuotaExceededException',
      message: 'The requested limit exceeds the quota of 1200 requests per second of the account.',
    })
    assert.equal(await update(1_200), undefined)
    const { Limit } = await app.aws.getProvisionedLimit({ LimitDefinition })
    assert.equal(Limit?.ProvisionedLimitValue, 1_200)
  })
})
