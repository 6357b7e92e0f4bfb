import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RiskConfigurationType, SetRiskConfigurationCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createClient, createPool } from '../../../test/support/pools.ts'
import { failureOf, invalidParameter } from '../../../test/support/sign-in.ts'
import { getClient } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { getPool } from '../user-pools/pool.ts'
import { riskRules } from './risk-configuration.ts'

const sourceArn = 'arn:aws:ses:us-east-1:123456789012:identity/example.com'
const credentials = { Actions: { EventAction: 'NO_ACTION' as const }, EventFilter: ['SIGN_IN' as const] }
const takeover = {
  Actions: {
    LowAction: { Notify: false, EventAction: 'NO_ACTION' as const },
    HighAction: { Notify: true, EventAction: 'BLOCK' as const },
  },
  NotifyConfiguration: { SourceArn: sourceArn, BlockEmail: { Subject: 'Stopped', TextBody: 'We stopped it.' } },
}
const exceptions = { BlockedIPRangeList: ['203.0.113.0/24', '2001:db8::/32'], SkippedIPRangeList: ['10.0.0.0/8'] }

const set = async (app: TestApp, input: SetRiskConfigurationCommandInput) =>
  (await app.aws.setRiskConfiguration(input)).RiskConfiguration
const describe = async (
  app: TestApp,
  UserPoolId: string,
  ClientId?: string,
): Promise<RiskConfigurationType | undefined> =>
  (await app.aws.describeRiskConfiguration({ UserPoolId, ClientId })).RiskConfiguration

/** The rules in force for a client, as what acts on them reads them. */
const rulesOf = async (app: TestApp, poolId: string, clientId: string) => {
  const ctx: Context = {
    ...app.app.services,
    requestId: '',
    region: 'us-east-1',
    publicUrl: app.url,
    sourceIp: undefined,
    userAgent: undefined,
  }
  const pool = await getPool(ctx, poolId)
  return riskRules(ctx, pool, await getClient(ctx, clientId, pool))
}

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const open = () => {
    opened ??= testApp()
    return opened
  }

  test('an untouched pool and an untouched client have no risk configuration', async () => {
    const app = await open()
    const { poolId, clientId } = await createPool(app)
    assert.deepEqual(await describe(app, poolId), { UserPoolId: poolId })
    assert.deepEqual(await describe(app, poolId, clientId), { UserPoolId: poolId, ClientId: clientId })
  })

  test('a configuration is read back without drift, and parts that the next one omits are gone', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createPool(app)
    const everything = {
      UserPoolId,
      CompromisedCredentialsRiskConfiguration: credentials,
      AccountTakeoverRiskConfiguration: takeover,
      RiskExceptionConfiguration: exceptions,
    }
    const expected = { ...everything, LastModifiedDate: new Date(app.now()) }
    assert.deepEqual(await set(app, everything), expected)
    app.advance(seconds(5))
    assert.deepEqual(await describe(app, UserPoolId), expected)
    const one = { UserPoolId, RiskExceptionConfiguration: exceptions }
    await set(app, one)
    assert.deepEqual(await describe(app, UserPoolId), { ...one, LastModifiedDate: new Date(app.now()) })
    assert.deepEqual(await set(app, { UserPoolId }), { UserPoolId })
    assert.deepEqual(await describe(app, UserPoolId), { UserPoolId })
  })

  test('without a filter all three events are watched', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createPool(app)
    await set(app, { UserPoolId, CompromisedCredentialsRiskConfiguration: { Actions: { EventAction: 'BLOCK' } } })
    const found = await describe(app, UserPoolId)
    assert.deepEqual(found?.CompromisedCredentialsRiskConfiguration, {
      Actions: { EventAction: 'BLOCK' },
      EventFilter: ['SIGN_IN', 'PASSWORD_CHANGE', 'SIGN_UP'],
    })
  })

  test("a client's configuration is its own, until it is removed or the client is deleted", async () => {
    const app = await open()
    const { poolId: UserPoolId, clientId } = await createPool(app)
    const other = await createClient(app, UserPoolId)
    await set(app, { UserPoolId, RiskExceptionConfiguration: exceptions })
    await set(app, { UserPoolId, ClientId: clientId, CompromisedCredentialsRiskConfiguration: credentials })
    const own = await describe(app, UserPoolId, clientId)
    assert.deepEqual(own?.CompromisedCredentialsRiskConfiguration, credentials)
    assert.equal(own?.RiskExceptionConfiguration, undefined)
    assert.deepEqual((await describe(app, UserPoolId))?.RiskExceptionConfiguration, exceptions)
    assert.deepEqual(await describe(app, UserPoolId, other), { UserPoolId, ClientId: other })

    assert.deepEqual((await rulesOf(app, UserPoolId, other)).blocked, exceptions.BlockedIPRangeList)
    assert.deepEqual((await rulesOf(app, UserPoolId, clientId)).blocked, [])
    await set(app, { UserPoolId, ClientId: clientId })
    assert.deepEqual((await rulesOf(app, UserPoolId, clientId)).blocked, exceptions.BlockedIPRangeList)

    await set(app, { UserPoolId, ClientId: other, RiskExceptionConfiguration: exceptions })
    await app.aws.deleteUserPoolClient({ UserPoolId, ClientId: other })
    const rows = await app.database.db
      .selectFrom('risk_configurations')
      .select('owner_id')
      .where('pool_id', '=', UserPoolId)
      .execute()
    assert.deepEqual(rows, [{ owner_id: UserPoolId }])
  })

  test('the rules in force are complete: what is not set has the defaults of the service', async () => {
    const app = await open()
    const { poolId, clientId } = await createPool(app)
    const block = { action: 'BLOCK', notify: false }
    assert.deepEqual(await rulesOf(app, poolId, clientId), {
      compromised: { events: new Set(['SIGN_IN', 'PASSWORD_CHANGE', 'SIGN_UP']), action: 'BLOCK' },
      takeover: { Low: block, Medium: block, High: block },
      notification: undefined,
      blocked: [],
      skipped: [],
    })
    await set(app, {
      UserPoolId: poolId,
      CompromisedCredentialsRiskConfiguration: credentials,
      AccountTakeoverRiskConfiguration: takeover,
    })
    const rules = await rulesOf(app, poolId, clientId)
    assert.deepEqual(rules.compromised, { events: new Set(['SIGN_IN']), action: 'NO_ACTION' })
    assert.deepEqual(rules.takeover, {
      Low: { action: 'NO_ACTION', notify: false },
      Medium: { action: 'NO_ACTION', notify: false },
      High: { action: 'BLOCK', notify: true },
    })
    assert.deepEqual(rules.notification?.BlockEmail, takeover.NotifyConfiguration.BlockEmail)
    assert.equal(rules.notification?.MfaEmail.Subject, 'New sign-in attempt')
  })

  test('address ranges are CIDR blocks, at most 200 of each kind', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createPool(app)
    const block = (BlockedIPRangeList: string[]) =>
      failureOf(app.aws.setRiskConfiguration({ UserPoolId, RiskExceptionConfiguration: { BlockedIPRangeList } }))
    for (const range of [
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      'fe80::1%eth0/64',
      '1.2.3.4/8/8',
      'ten',
      '',
    ]) {
      assert.deepEqual(await block([range]), invalidParameter(`${range} is not a valid CIDR block.`))
    }
    assert.deepEqual(await describe(app, UserPoolId), { UserPoolId })
    assert.equal(await block(['0.0.0.0/0', '::/0', '192.0.2.1/32']), undefined)
    const many = Array.from({ length: 200 }, (_, index) => `10.0.${index}.0/24`)
    assert.equal(await block(many), undefined)
    assert.equal((await block([...many, '10.1.0.0/24']))?.name, 'InvalidParameterException')
    assert.equal((await describe(app, UserPoolId))?.RiskExceptionConfiguration?.BlockedIPRangeList?.length, 200)
  })

  test('pool and client must exist, the client in the pool', async () => {
    const app = await open()
    const one = await createPool(app)
    const two = await createPool(app)
    for (const call of [
      () => describe(app, one.poolId, two.clientId),
      () => set(app, { UserPoolId: one.poolId, ClientId: two.clientId, RiskExceptionConfiguration: exceptions }),
    ]) {
      assert.deepEqual(await failureOf(call()), {
        name: 'ResourceNotFoundException',
        message: `User pool client ${two.clientId} does not exist.`,
      })
    }
    assert.deepEqual(await failureOf(describe(app, 'us-east-1_absent123')), {
      name: 'ResourceNotFoundException',
      message: 'User pool us-east-1_absent123 does not exist.',
    })
  })

  test('many changes at once leave one of them, whole', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createPool(app)
    const ranges = Array.from({ length: 8 }, (_, index) => [`10.${index}.0.0/16`])
    await Promise.all(
      ranges.map(list =>
        set(app, { UserPoolId, RiskExceptionConfiguration: { BlockedIPRangeList: list, SkippedIPRangeList: list } }),
      ),
    )
    const { BlockedIPRangeList = [], SkippedIPRangeList } =
      (await describe(app, UserPoolId))?.RiskExceptionConfiguration ?? {}
    assert.deepEqual(BlockedIPRangeList, SkippedIPRangeList)
    assert.ok(ranges.some(list => list[0] === BlockedIPRangeList[0]))
  })

  test('in the region of a replica only the sender of notifications differs', async () => {
    const app = await open()
    const region = 'ap-south-1'
    const { poolId: UserPoolId } = await createPool(app, {
      KeyConfiguration: {
        KeyType: 'CUSTOMER_MANAGED_KEY',
        KmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab',
      },
      IssuerConfiguration: { Type: 'UPDATED' },
    })
    await app.aws.createUserPoolReplica({ UserPoolId, RegionName: region })
    app.advance(seconds(10))
    const there = app.client({ region })
    await set(app, { UserPoolId, AccountTakeoverRiskConfiguration: takeover })
    const SourceArn = `arn:aws:ses:${region}:123456789012:identity/example.com`
    const NotifyConfiguration = { ...takeover.NotifyConfiguration, SourceArn, From: 'no-reply@example.com' }
    await there.setRiskConfiguration({
      UserPoolId,
      AccountTakeoverRiskConfiguration: { ...takeover, NotifyConfiguration },
    })
    const seen = (await there.describeRiskConfiguration({ UserPoolId })).RiskConfiguration
    assert.deepEqual(seen?.AccountTakeoverRiskConfiguration, { ...takeover, NotifyConfiguration })
    assert.deepEqual((await describe(app, UserPoolId))?.AccountTakeoverRiskConfiguration, takeover)
    const refused = invalidParameter(
      'Settings that all Regions of the user pool share cannot be changed in a secondary Region.',
    )
    for (const change of [
      { CompromisedCredentialsRiskConfiguration: credentials },
      { AccountTakeoverRiskConfiguration: { Actions: takeover.Actions } },
      {},
    ]) {
      assert.deepEqual(await failureOf(there.setRiskConfiguration({ UserPoolId, ...change })), refused)
    }
    await app.aws.deleteUserPoolReplica({ UserPoolId, RegionName: region })
    app.advance(seconds(10))
    await app.aws.createUserPoolReplica({ UserPoolId, RegionName: region })
    app.advance(seconds(10))
    const fresh = (await there.describeRiskConfiguration({ UserPoolId })).RiskConfiguration
    assert.deepEqual(fresh?.AccountTakeoverRiskConfiguration, takeover)
  })
})
