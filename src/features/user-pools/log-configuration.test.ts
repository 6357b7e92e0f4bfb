import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createPool, email } from '../../../test/support/pools.ts'
import { failureOf, invalidParameter } from '../../../test/support/sign-in.ts'

const logGroup = 'arn:aws:logs:us-east-1:123456789012:log-group:messages'
const toLogGroup = { CloudWatchLogsConfiguration: { LogGroupArn: logGroup } }
const toBucket = { S3Configuration: { BucketArn: 'arn:aws:s3:::history' } }
const toStream = {
  FirehoseConfiguration: { StreamArn: 'arn:aws:firehose:us-east-1:123456789012:deliverystream/history' },
}
const messages: LogConfigurationType = { EventSource: 'userNotification', LogLevel: 'ERROR', ...toLogGroup }
const history: LogConfigurationType = { EventSource: 'userAuthEvents', LogLevel: 'INFO', ...toBucket }

const read = async (app: TestApp, UserPoolId: string) =>
  (await app.aws.getLogDeliveryConfiguration({ UserPoolId })).LogDeliveryConfiguration
const write = (app: TestApp, UserPoolId: string, LogConfigurations: LogConfigurationType[]) =>
  app.aws.setLogDeliveryConfiguration({ UserPoolId, LogConfigurations })

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const open = () => {
    opened ??= testApp()
    return opened
  }

  test('log configurations are replaced as a whole, read back without drift and survive an update of the pool', async () => {
    const app = await open()
    const { poolId: UserPoolId } = await createPool(app, { UserPoolTier: 'PLUS' })
    assert.deepEqual(await read(app, UserPoolId), { UserPoolId, LogConfigurations: [] })
    for (const LogConfigurations of [
      [messages],
      [history, messages],
      [{ ...history, ...toStream, S3Configuration: undefined }],
    ]) {
      const { LogDeliveryConfiguration } = await write(app, UserPoolId, LogConfigurations)
      const expected = { UserPoolId, LogConfigurations: JSON.parse(JSON.stringify(LogConfigurations)) }
      assert.deepEqual(LogDeliveryConfiguration, expected)
      await app.aws.updateUserPool({ UserPoolId, UserPoolTier: 'PLUS' })
      assert.deepEqual(await read(app, UserPoolId), expected)
    }
    await write(app, UserPoolId, [])
    assert.deepEqual(await read(app, UserPoolId), { UserPoolId, LogConfigurations: [] })
  })

  test('a source has its one level, one destination of the right kind, and one configuration', async () => {
    const app = await open()
    const { poolId } = await createPool(app, { UserPoolTier: 'PLUS' })
    const wrong: [LogConfigurationType[], string][] = [
      [[messages, messages], 'The event source userNotification can be configured only once.'],
      [[{ ...messages, LogLevel: 'INFO' }], 'The event source userNotification cannot be logged at this LogLevel.'],
      [[{ ...history, LogLevel: 'ERROR' }], 'The event source userAuthEvents cannot be logged at this LogLevel.'],
      [[{ ...history, ...toStream }], 'The event source userAuthEvents needs exactly one destination.'],
      [
        [{ EventSource: 'userAuthEvents', LogLevel: 'INFO', S3Configuration: {} }],
        'The event source userAuthEvents needs exactly one destination.',
      ],
      [
        [{ EventSource: 'userNotification', LogLevel: 'ERROR', ...toBucket }],
        'The event source userNotification can only be sent to a CloudWatch log group.',
      ],
    ]
    for (const [configurations, message] of wrong) {
      assert.deepEqual(await failureOf(write(app, poolId, configurations)), invalidParameter(message))
    }
    assert.deepEqual((await read(app, poolId))?.LogConfigurations, [])
  })

  test('the export of user activity needs Plus, also when the pool would step down', async () => {
    const app = await open()
    const { poolId } = await createPool(app)
    const refused = {
      name: 'FeatureUnavailableInTierException',
      message:
        'The following features need to be disabled for the ESSENTIALS pricing tier configured: User activity log export',
    }
    assert.deepEqual(await failureOf(write(app, poolId, [history])), refused)
    await write(app, poolId, [messages])
    await app.aws.updateUserPool({ UserPoolId: poolId, UserPoolTier: 'PLUS' })
    await write(app, poolId, [history])
    const stepDown = () => app.aws.updateUserPool({ UserPoolId: poolId, UserPoolTier: 'ESSENTIALS' })
    assert.deepEqual(await failureOf(stepDown()), refused)
    await write(app, poolId, [])
    assert.equal(await failureOf(stepDown()), undefined)
  })

  test('a message that cannot be delivered is logged to the log group, without its address and code', async () => {
    let code = ''
    const app = await testApp({
      delivery: {
        send: async message => {
          code = message.code ?? ''
          throw new Error(`550 ${message.to} is unknown`)
        },
      },
    })
    const { poolId, clientId } = await createPool(app)
    const other = await createPool(app)
    await write(app, poolId, [messages])
    for (const ClientId of [clientId, other.clientId]) {
      const failure = await failureOf(
        app.aws.signUp({
          ClientId,
          Username: 'ann',
          Password: 'Passw0rd!',
          UserAttributes: [email('ann@example.com')],
        }),
      )
      assert.equal(failure?.name, 'CodeDeliveryFailureException')
    }
    const logs = app.events.filter(event => event.name === 'LogDelivery')
    assert.deepEqual(logs, [
      {
        name: 'LogDelivery',
        destination: logGroup,
        record: {
          eventTimestamp: String(app.now()),
          eventSource: 'USER_NOTIFICATION',
          logLevel: 'ERROR',
          message: { details: 'EMAIL for SignUp was not delivered.' },
          logSourceId: { userPoolId: poolId },
        },
      },
    ])
    assert.equal(code.length, 6)
  })
})
