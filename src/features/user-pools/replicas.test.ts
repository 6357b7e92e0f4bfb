import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CreateUserPoolCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createPool } from '../../../test/support/pools.ts'
import { allFlows, createUser, failureOf, invalidParameter, password } from '../../../test/support/sign-in.ts'
import { parsePolicy } from '../../core/iam-policy.ts'

const region = 'ap-south-1'
const replicable: Partial<CreateUserPoolCommandInput> = {
  KeyConfiguration: {
    KeyType: 'CUSTOMER_MANAGED_KEY',
    KmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab',
  },
  IssuerConfiguration: { Type: 'UPDATED' },
}
const inactive = {
  name: 'OperationNotEnabledException',
  message: 'The replica of the user pool in this Region is not active.',
}
const inSecondary = (operation: string) => ({
  name: 'OperationNotEnabledException',
  message: `${operation} is not enabled in a secondary Region of the user pool.`,
})
const poolNotFound = (poolId: string) => ({
  name: 'ResourceNotFoundException',
  message: `User pool ${poolId} does not exist.`,
})
const arn = (poolId: string, where: string) => `arn:aws:cognito-idp:${where}:123456789012:userpool/${poolId}`

const createReplicable = (app: TestApp) => createPool(app, replicable, { ExplicitAuthFlows: allFlows })

/** A pool whose replica has been created and is INACTIVE. */
const createReplicated = async (app: TestApp) => {
  const pool = await createReplicable(app)
  await app.aws.createUserPoolReplica({ UserPoolId: pool.poolId, RegionName: region })
  app.advance(seconds(10))
  return pool
}

const statusOf = async (app: TestApp, UserPoolId: string): Promise<string | undefined> =>
  (await app.aws.listUserPoolReplicas({ UserPoolId })).UserPoolReplicas?.[1]?.Status

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const open = () => {
    opened ??= testApp()
    return opened
  }

  test('a replica is created, activated, deactivated and deleted', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createReplicable(app)
    const primary = {
      RegionName: 'us-east-1',
      Status: 'ACTIVE',
      Role: 'PRIMARY',
      UserPoolArn: arn(UserPoolId, 'us-east-1'),
    }
    const replica = { RegionName: region, Role: 'SECONDARY', UserPoolArn: arn(UserPoolId, region) }
    const ids = { UserPoolId, RegionName: region }
    const list = async () => (await app.aws.listUserPoolReplicas({ UserPoolId })).UserPoolReplicas
    assert.deepEqual(await list(), [primary])

    const created = await app.aws.createUserPoolReplica(ids)
    assert.deepEqual(created.UserPoolReplica, { ...replica, Status: 'CREATING' })
    assert.deepEqual(await list(), [primary, { ...replica, Status: 'CREATING' }])
    const update = (Status: 'ACTIVE' | 'INACTIVE') => app.aws.updateUserPoolReplica({ ...ids, Status })
    assert.deepEqual(
      await failureOf(update('ACTIVE')),
      invalidParameter('The operation needs a replica with the status ACTIVE or INACTIVE.'),
    )
    app.advance(seconds(10))
    assert.equal(await statusOf(app, UserPoolId), 'INACTIVE')

    assert.deepEqual((await update('ACTIVE')).UserPoolReplica, { ...replica, Status: 'ACTIVE' })
    assert.equal(await statusOf(app, UserPoolId), 'ACTIVE')
    const remove = () => app.aws.deleteUserPoolReplica(ids)
    assert.deepEqual(
      await failureOf(remove()),
      invalidParameter('The operation needs a replica with the status INACTIVE.'),
    )
    await app.client({ region }).updateUserPoolReplica({ ...ids, Status: 'INACTIVE' })
    assert.equal(await statusOf(app, UserPoolId), 'INACTIVE')

    assert.deepEqual((await remove()).UserPoolReplica, { ...replica, Status: 'DELETING' })
    assert.deepEqual(await list(), [primary, { ...replica, Status: 'DELETING' }])
    app.advance(seconds(10))
    assert.deepEqual(await list(), [primary])
    assert.deepEqual(await failureOf(remove()), {
      name: 'ResourceNotFoundException',
      message: `The user pool has no replica in the Region ${region}.`,
    })
    assert.equal((await app.aws.createUserPoolReplica(ids)).UserPoolReplica?.Status, 'CREATING')
  })

  test('only a pool with a multi-Region key, the shared issuer and a tier above Lite gets a replica', async () => {
    const app = await open()
    const create = async (pool: Partial<CreateUserPoolCommandInput>, RegionName = region) => {
      const { poolId } = await createPool(app, { ...replicable, ...pool })
      return failureOf(app.aws.createUserPoolReplica({ UserPoolId: poolId, RegionName }))
    }
    const key = 'A user pool with a replica needs a KeyConfiguration with a multi-Region customer managed key.'
    assert.deepEqual(await create({ KeyConfiguration: undefined }), invalidParameter(key))
    const single = {
      KeyType: 'CUSTOMER_MANAGED_KEY',
      KmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    } as const
    assert.deepEqual(await create({ KeyConfiguration: single }), invalidParameter(key))
    assert.deepEqual(
      await create({ IssuerConfiguration: { Type: 'ORIGINAL' } }),
      invalidParameter('A user pool with a replica needs an IssuerConfiguration of type UPDATED.'),
    )
    assert.deepEqual(await create({ UserPoolTier: 'LITE' }), {
      name: 'FeatureUnavailableInTierException',
      message:
        'The following features need to be disabled for the LITE pricing tier configured: Multi-Region replication',
    })
    for (const wrong of ['us-east-1', 'no region', 'x'.repeat(32)]) {
      assert.deepEqual(
        await create({}, wrong),
        invalidParameter(`A replica of the user pool cannot be created in the Region ${wrong}.`),
      )
    }
    assert.equal(await create({}), undefined)
  })

  test('a pool has one replica, also when many are asked for at once', async () => {
    const app = await open()
    const { poolId } = await createReplicable(app)
    const results = await Promise.all(
      ['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1'].map(RegionName =>
        failureOf(app.aws.createUserPoolReplica({ UserPoolId: poolId, RegionName })),
      ),
    )
    assert.equal(results.filter(result => result === undefined).length, 1)
    for (const result of results) {
      if (result === undefined) continue
      assert.deepEqual(result, { name: 'LimitExceededException', message: 'A user pool can have at most one replica.' })
    }
    assert.equal((await app.aws.listUserPoolReplicas({ UserPoolId: poolId })).UserPoolReplicas?.length, 2)
  })

  test('the region of the replica answers for the pool as soon as the replica is there, and no other region does', async () => {
    const app = await open()
    const there = app.client({ region })
    const { poolId: UserPoolId } = await createReplicable(app)
    const list = async (client = there) =>
      (await client.listUserPools({ MaxResults: 60 })).UserPools?.find(pool => pool.Id === UserPoolId)
    assert.deepEqual(await failureOf(there.describeUserPool({ UserPoolId })), poolNotFound(UserPoolId))
    await app.aws.createUserPoolReplica({ UserPoolId, RegionName: region })
    assert.deepEqual(await failureOf(there.describeUserPool({ UserPoolId })), poolNotFound(UserPoolId))
    assert.equal(await list(), undefined)
    app.advance(seconds(10))
    const { UserPool } = await there.describeUserPool({ UserPoolId })
    assert.equal(UserPool?.Arn, arn(UserPoolId, region))
    assert.equal((await app.aws.describeUserPool({ UserPoolId })).UserPool?.Arn, arn(UserPoolId, 'us-east-1'))
    assert.deepEqual((await list())?.ReplicaRegions, [region])
    assert.deepEqual((await list(app.aws))?.ReplicaRegions, [region])
    assert.deepEqual(
      await failureOf(app.client({ region: 'eu-west-1' }).describeUserPool({ UserPoolId })),
      poolNotFound(UserPoolId),
    )
    await app.aws.deleteUserPoolReplica({ UserPoolId, RegionName: region })
    assert.deepEqual(await failureOf(there.describeUserPool({ UserPoolId })), poolNotFound(UserPoolId))
    assert.equal(await list(), undefined)
    app.advance(seconds(10))
    assert.equal((await list(app.aws))?.ReplicaRegions, undefined)
  })

  test('an inactive replica serves administrators who look, an active one also signs users in', async () => {
    const app = await open()
    const there = app.client({ region })
    const { poolId: UserPoolId, clientId: ClientId } = await createReplicated(app)
    await createUser(app, UserPoolId, 'ann')
    const signIn = (client = there) =>
      client.adminInitiateAuth({
        UserPoolId,
        ClientId,
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: password },
      })
    assert.deepEqual(await failureOf(signIn()), inactive)
    assert.equal((await there.adminGetUser({ UserPoolId, Username: 'ann' })).Username, 'ann')
    assert.equal((await there.listUsers({ UserPoolId })).Users?.length, 1)
    assert.equal((await there.describeUserPoolClient({ UserPoolId, ClientId })).UserPoolClient?.ClientId, ClientId)
    assert.notEqual((await signIn(app.aws)).AuthenticationResult, undefined)

    await app.aws.updateUserPoolReplica({ UserPoolId, RegionName: region, Status: 'ACTIVE' })
    const { AuthenticationResult } = await signIn()
    assert.equal((await app.aws.getUser({ AccessToken: AuthenticationResult?.AccessToken })).Username, 'ann')

    await app.aws.updateUserPoolReplica({ UserPoolId, RegionName: region, Status: 'INACTIVE' })
    assert.deepEqual(await failureOf(signIn()), inactive)
  })

  test('a secondary region changes nothing that all regions share', async () => {
    const app = await open()
    const there = app.client({ region })
    const { poolId: UserPoolId, clientId: ClientId } = await createReplicated(app)
    await createUser(app, UserPoolId, 'ann')
    await app.aws.updateUserPoolReplica({ UserPoolId, RegionName: region, Status: 'ACTIVE' })
    const user = { UserPoolId, Username: 'ann' }
    const calls: [string, Promise<unknown>][] = [
      ['AdminCreateUser', there.adminCreateUser({ UserPoolId, Username: 'ben' })],
      ['AdminDeleteUser', there.adminDeleteUser(user)],
      ['AdminSetUserPassword', there.adminSetUserPassword({ ...user, Password: 'An0ther!!' })],
      ['AdminUpdateUserAttributes', there.adminUpdateUserAttributes({ ...user, UserAttributes: [] })],
      ['CreateGroup', there.createGroup({ UserPoolId, GroupName: 'g' })],
      ['CreateUserPoolClient', there.createUserPoolClient({ UserPoolId, ClientName: 'c' })],
      ['DeleteUserPoolClient', there.deleteUserPoolClient({ UserPoolId, ClientId })],
      ['AddCustomAttributes', there.addCustomAttributes({ UserPoolId, CustomAttributes: [{ Name: 'a' }] })],
      ['DeleteUserPool', there.deleteUserPool({ UserPoolId })],
      ['CreateUserPoolReplica', there.createUserPoolReplica({ UserPoolId, RegionName: 'eu-west-1' })],
      ['DeleteUserPoolReplica', there.deleteUserPoolReplica({ UserPoolId, RegionName: region })],
      [
        'SetUserPoolSessionConfiguration',
        there.setUserPoolSessionConfiguration({
          UserPoolId,
          UserSessionTracking: 'ENABLED',
          TokenSession: { MaxPerUser: 1 },
        }),
      ],
    ]
    const failures = await Promise.all(calls.map(([, call]) => failureOf(call)))
    assert.deepEqual(
      failures,
      calls.map(([operation]) => inSecondary(operation)),
    )
    assert.equal((await app.aws.listUsers({ UserPoolId })).Users?.length, 1)
  })

  test('mail, messages, triggers and tags belong to each region, and an update there must repeat all else', async () => {
    const app = await open()
    const there = app.client({ region })
    const { poolId: UserPoolId } = await createReplicable(app)
    await app.aws.createUserPoolReplica({ UserPoolId, RegionName: region, UserPoolTags: { where: 'there' } })
    app.advance(seconds(10))
    const read = async (client = there) => (await client.describeUserPool({ UserPoolId })).UserPool
    assert.deepEqual((await read())?.UserPoolTags, { where: 'there' })
    assert.deepEqual((await read(app.aws))?.UserPoolTags ?? {}, {})

    const LambdaConfig = { PreSignUp: `arn:aws:lambda:${region}:123456789012:function:pre` }
    const global = { AutoVerifiedAttributes: ['email' as const], ...replicable }
    await there.updateUserPool({ UserPoolId, ...global, LambdaConfig })
    assert.deepEqual((await read())?.LambdaConfig, LambdaConfig)
    assert.deepEqual((await read(app.aws))?.LambdaConfig, {})
    const refused = invalidParameter(
      'Settings that all Regions of the user pool share cannot be changed in a secondary Region.',
    )
    for (const change of [
      { ...global, AutoVerifiedAttributes: [] },
      { ...global, PoolName: 'another' },
      { ...global, DeletionProtection: 'ACTIVE' as const },
      { ...global, IssuerConfiguration: undefined },
    ]) {
      assert.deepEqual(await failureOf(there.updateUserPool({ UserPoolId, ...change })), refused)
    }
    await there.tagResource({ ResourceArn: arn(UserPoolId, region), Tags: { more: '1' } })
    assert.deepEqual((await there.listTagsForResource({ ResourceArn: arn(UserPoolId, region) })).Tags, {
      where: 'there',
      more: '1',
    })
    assert.deepEqual((await app.aws.listTagsForResource({ ResourceArn: arn(UserPoolId, 'us-east-1') })).Tags, {})

    const logs = [
      {
        EventSource: 'userNotification' as const,
        LogLevel: 'ERROR' as const,
        CloudWatchLogsConfiguration: { LogGroupArn: `arn:aws:logs:${region}:123456789012:log-group:messages` },
      },
    ]
    await there.setLogDeliveryConfiguration({ UserPoolId, LogConfigurations: logs })
    const here = await app.aws.getLogDeliveryConfiguration({ UserPoolId })
    assert.deepEqual(here.LogDeliveryConfiguration?.LogConfigurations, [])
    const found = await there.getLogDeliveryConfiguration({ UserPoolId })
    assert.deepEqual(found.LogDeliveryConfiguration?.LogConfigurations, logs)

    await app.aws.updateUserPool({ UserPoolId, ...global, PoolName: 'renamed' })
    assert.deepEqual([(await read())?.Name, (await read())?.LambdaConfig], ['renamed', LambdaConfig])
  })

  test('a pool with a replica keeps what replication needs and is not deleted before it', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createReplicated(app)
    const update = (change: object) => failureOf(app.aws.updateUserPool({ UserPoolId, ...replicable, ...change }))
    assert.equal((await update({ UserPoolTier: 'LITE' }))?.name, 'FeatureUnavailableInTierException')
    assert.equal((await update({ IssuerConfiguration: undefined }))?.name, 'InvalidParameterException')
    assert.equal((await update({ KeyConfiguration: undefined }))?.name, 'InvalidParameterException')
    assert.equal(await update({}), undefined)
    const remove = () => failureOf(app.aws.deleteUserPool({ UserPoolId }))
    const refused = invalidParameter('User pool cannot be deleted. It has a replica that should be deleted first.')
    assert.deepEqual(await remove(), refused)
    await app.aws.deleteUserPoolReplica({ UserPoolId, RegionName: region })
    assert.deepEqual(await remove(), refused)
    app.advance(seconds(10))
    assert.equal(await remove(), undefined)
  })

  test('a policy for the pool in one region says nothing of the other', async () => {
    const secret = '0123456789abcdef0123'
    const policyFor = (where: string) =>
      parsePolicy({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'cognito-idp:*',
            Resource: `arn:aws:cognito-idp:${where}:123456789012:userpool/*`,
          },
        ],
      })
    const app = await testApp({
      accessKeys: [
        { id: 'HERE', secret, policy: policyFor('us-east-1') },
        { id: 'THERE', secret, policy: policyFor(region) },
      ],
    })
    const client = (accessKeyId: string, where: string) =>
      app.client({ region: where, credentials: { accessKeyId, secretAccessKey: secret } })
    const here = client('HERE', 'us-east-1')
    const { UserPool } = await here.createUserPool({ PoolName: 'replicated', ...replicable })
    const UserPoolId = UserPool?.Id ?? ''
    await here.createUserPoolReplica({ UserPoolId, RegionName: region })
    app.advance(seconds(10))
    for (const [id, own, other] of [
      ['HERE', 'us-east-1', region],
      ['THERE', region, 'us-east-1'],
    ] as const) {
      assert.equal(await failureOf(client(id, own).describeUserPool({ UserPoolId })), undefined)
      const refused = await failureOf(client(id, other).describeUserPool({ UserPoolId }))
      assert.equal(refused?.name, 'AccessDeniedException')
    }
  })

  test("tags of the replica follow the rules of a pool's tags", async () => {
    const app = await open()
    const { poolId } = await createReplicable(app)
    assert.deepEqual(
      await failureOf(
        app.aws.createUserPoolReplica({ UserPoolId: poolId, RegionName: region, UserPoolTags: { 'aws:x': '1' } }),
      ),
      { name: 'UserPoolTaggingException', message: 'Tag keys must not begin with aws:, which is reserved.' },
    )
  })
})
