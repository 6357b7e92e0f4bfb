import assert from 'node:assert/strict'
import { test } from 'node:test'
import { days, minutes, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'
import { createMfaPool, mailFactor, respond } from '../../../test/support/mfa.ts'
import { createPool, createUser, email, phone, statusOf, verified } from '../../../test/support/pools.ts'
import * as signIns from '../../../test/support/sign-in.ts'
import { type Delivery, DeliveryFailure, type DeliveryFailureReason, type OutgoingMessage } from '../../core/ports.ts'
import { leaseDue } from './queue.ts'

const password = 'Passw0rd!'
const deliveryFailure = { name: 'CodeDeliveryFailureException' }

/** A delivery that fails as long as it has a reason to. */
const fragileDelivery = () => {
  const delivery = {
    sent: [] as OutgoingMessage[],
    tries: 0,
    failing: undefined as DeliveryFailureReason | undefined,
    send: async (message: OutgoingMessage): Promise<void> => {
      delivery.tries += 1
      if (delivery.failing !== undefined) throw new DeliveryFailure(delivery.failing, 'no way')
      delivery.sent.push(message)
    },
  } satisfies Delivery & Record<string, unknown>
  return delivery
}

const queued = (app: TestApp) => app.database.db.selectFrom('message_queue').selectAll().execute()

const invite = (app: TestApp, UserPoolId: string, Username = 'ann') =>
  app.aws.adminCreateUser({
    UserPoolId,
    Username,
    UserAttributes: [email(`${Username}@example.com`), verified('email')],
    DesiredDeliveryMediums: ['EMAIL'],
  })

onEachDatabase(testApp => {
  const setUp = async () => {
    const delivery = fragileDelivery()
    const app = await testApp({ delivery })
    return { app, delivery, ...(await createPool(app)) }
  }

  test('a message that was taken over leaves the queue', async () => {
    const { app, delivery, poolId } = await setUp()
    await invite(app, poolId)
    assert.equal(delivery.sent.length, 1)
    assert.deepEqual(await queued(app), [])
  })

  test('an invitation that cannot be sent now is sent later, once', async () => {
    const { app, delivery, poolId } = await setUp()
    delivery.failing = 'unavailable'
    await invite(app, poolId)
    assert.equal(await statusOf(app, poolId, 'ann'), 'FORCE_CHANGE_PASSWORD')
    assert.equal((await queued(app)).length, 1)
    delivery.failing = undefined
    await app.app.tick()
    assert.equal(delivery.tries, 1)
    app.advance(seconds(5))
    await Promise.all([app.app.tick(), app.app.tick()])
    assert.equal(delivery.sent.length, 1)
    const [message] = delivery.sent
    const [shown] = await app.messages()
    assert.deepEqual([message?.id, message?.to, message?.code], [shown?.id, 'ann@example.com', shown?.code])
    app.advance(days(1))
    await app.app.tick()
    assert.equal(delivery.tries, 2)
  })

  test('the pauses between tries double, up to five minutes, and the message is given up when it is of no use', async () => {
    const { app, delivery, poolId } = await setUp()
    delivery.failing = 'unavailable'
    await invite(app, poolId)
    for (const pause of [5, 10, 20, 40, 80, 160, 300, 300]) {
      const { tries } = delivery
      app.advance(seconds(pause) - 1)
      await app.app.tick()
      assert.equal(delivery.tries, tries, `before ${pause} s`)
      app.advance(1)
      await app.app.tick()
      assert.equal(delivery.tries, tries + 1, `after ${pause} s`)
    }
    const { tries } = delivery
    app.advance(days(7))
    delivery.failing = undefined
    await app.app.tick()
    assert.deepEqual([delivery.tries, delivery.sent.length], [tries, 0])
    assert.deepEqual(await queued(app), [])
    assert.ok(app.logged.some(({ message }) => message === 'message given up'))
  })

  test('an invitation that is refused for good fails the operation and is not sent later', async () => {
    const { app, delivery, poolId } = await setUp()
    for (const reason of ['refused', 'email-identity'] as const) {
      delivery.failing = reason
      await assert.rejects(invite(app, poolId, reason), deliveryFailure)
      assert.equal(await statusOf(app, poolId, reason), 'FORCE_CHANGE_PASSWORD')
    }
    delivery.failing = undefined
    app.advance(minutes(10))
    await app.app.tick()
    assert.equal(delivery.sent.length, 0)
  })

  test('what a user is told has failed is not sent later', async () => {
    const { app, delivery, poolId, clientId } = await setUp()
    await createUser(app, poolId, 'bob', password, [email('bob@example.com'), verified('email')])
    const operations = [
      () =>
        app.aws.signUp({
          ClientId: clientId,
          Username: 'ann',
          Password: password,
          UserAttributes: [email('ann@example.com')],
        }),
      () => app.aws.resendConfirmationCode({ ClientId: clientId, Username: 'ann' }),
      () => app.aws.forgotPassword({ ClientId: clientId, Username: 'bob' }),
    ]
    for (delivery.failing of ['unavailable', 'refused'] as const) {
      for (const operation of operations.slice(delivery.failing === 'refused' ? 1 : 0)) {
        await assert.rejects(operation(), deliveryFailure)
      }
    }
    delivery.failing = undefined
    app.advance(minutes(10))
    await app.app.tick()
    assert.equal(delivery.sent.length, 0)
    assert.deepEqual(await queued(app), [])
  })

  test('operations of administrators leave what cannot be sent now to the queue', async () => {
    const { app, delivery, poolId } = await setUp()
    await createUser(app, poolId, 'bob', password, [email('bob@example.com'), verified('email')])
    delivery.failing = 'unavailable'
    await app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: 'bob' })
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: poolId,
      Username: 'bob',
      UserAttributes: [email('new@example.com')],
    })
    delivery.failing = undefined
    app.advance(seconds(5))
    await app.app.tick()
    assert.deepEqual(
      new Set(delivery.sent.map(({ source, to }) => `${source} to ${to}`)),
      new Set(['ForgotPassword to bob@example.com', 'UpdateUserAttribute to new@example.com']),
    )
  })

  test('the code of a sign-in is sent as long as the sign-in waits for it', async () => {
    const delivery = fragileDelivery()
    const app = await testApp({ delivery })
    const pool = await createMfaPool(app, { MfaConfiguration: 'ON', ...mailFactor })
    await signIns.createUser(app, pool.poolId, 'ann', [email('ann@example.com')])
    await app.aws.adminSetUserMFAPreference({
      UserPoolId: pool.poolId,
      Username: 'ann',
      EmailMfaSettings: { Enabled: true },
    })
    delivery.failing = 'unavailable'
    const challenge = await signIns.beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(challenge.ChallengeName, 'EMAIL_OTP')
    delivery.failing = undefined
    app.advance(seconds(5))
    await app.app.tick()
    const answered = await respond(app, pool.clientId, 'ann', challenge, {
      EMAIL_OTP_CODE: delivery.sent[0]?.code ?? '',
    })
    assert.ok(answered.AuthenticationResult)
    delivery.failing = 'unavailable'
    await signIns.beginWithPassword(app, pool.clientId, 'ann')
    delivery.failing = undefined
    app.advance(minutes(3))
    await app.app.tick()
    assert.equal(delivery.sent.length, 1)
    delivery.failing = 'refused'
    await assert.rejects(signIns.beginWithPassword(app, pool.clientId, 'ann'), deliveryFailure)
  })

  test('a newer code takes the place of an older one, and one that is over is not sent', async () => {
    const { app, delivery, poolId } = await setUp()
    for (const name of ['ann', 'bob', 'cyd']) {
      await createUser(app, poolId, name, password, [email(`${name}@example.com`), verified('email')])
    }
    delivery.failing = 'unavailable'
    const reset = (Username: string) => app.aws.adminResetUserPassword({ UserPoolId: poolId, Username })
    for (const name of ['ann', 'ann', 'bob', 'cyd']) await reset(name)
    assert.equal((await queued(app)).length, 3)
    await invite(app, poolId, 'dot')
    for (const Username of ['bob', 'dot']) {
      await app.aws.adminSetUserPassword({ UserPoolId: poolId, Username, Password: password, Permanent: true })
    }
    await app.aws.adminDeleteUser({ UserPoolId: poolId, Username: 'cyd' })
    assert.equal((await queued(app)).length, 3)
    delivery.failing = undefined
    app.advance(seconds(5))
    await app.app.tick()
    const [newest] = (await app.messages()).filter(({ username }) => username === 'ann')
    assert.deepEqual(
      delivery.sent.map(({ id }) => id),
      [newest?.id],
    )
    assert.deepEqual(await queued(app), [])
  })

  test('a message waits while the configuration has no way out for it', async () => {
    const { app, delivery, poolId } = await setUp()
    delivery.failing = 'unavailable'
    await invite(app, poolId)
    delivery.failing = undefined
    Object.assign(delivery, { media: ['SMS'] })
    app.advance(seconds(5))
    await app.app.tick()
    assert.equal(delivery.sent.length, 0)
    assert.equal((await queued(app)).length, 1)
    Object.assign(delivery, { media: ['EMAIL'] })
    app.advance(minutes(1))
    await app.app.tick()
    assert.equal(delivery.sent.length, 1)
  })

  test('the end of a pool takes its messages along, and so does the reset of test mode', async () => {
    const { app, delivery, poolId } = await setUp()
    delivery.failing = 'unavailable'
    await invite(app, poolId)
    await app.aws.deleteUserPool({ UserPoolId: poolId })
    assert.deepEqual(await queued(app), [])
    await invite(app, (await createPool(app)).poolId)
    await fetch(`${app.url}/_cenote/reset`, { method: 'POST' })
    assert.deepEqual(await queued(app), [])
  })

  test('nothing of a message lies open in the queue', async () => {
    const { app, delivery, poolId } = await setUp()
    delivery.failing = 'unavailable'
    await invite(app, poolId)
    const rows = JSON.stringify(await queued(app))
    const [shown] = await app.messages()
    for (const text of [shown?.code ?? '', 'ann@example.com', 'temporary password'])
      assert.ok(!rows.includes(text), text)
  })

  test('what a pool’s configuration does not let out is answered with its own errors', async () => {
    const { app, delivery, poolId } = await setUp()
    const { clientId } = await createPool(app, { AutoVerifiedAttributes: ['email', 'phone_number'] })
    const signUp = (Username: string, attribute: ReturnType<typeof email>) =>
      app.aws.signUp({ ClientId: clientId, Username, Password: password, UserAttributes: [attribute] })
    delivery.failing = 'email-identity'
    await assert.rejects(signUp('ann', email('ann@example.com')), { name: 'InvalidEmailRoleAccessPolicyException' })
    delivery.failing = 'sms-role'
    await assert.rejects(signUp('bob', phone('+12025550101')), {
      name: 'InvalidSmsRoleAccessPolicyException',
      message: 'Role does not have permission to publish with SNS',
    })
    delivery.failing = 'sms-role-trust'
    await assert.rejects(signUp('cyd', phone('+12025550102')), {
      name: 'InvalidSmsRoleTrustRelationshipException',
      message: 'Role does not have a trust relationship allowing Cognito to assume the role',
    })
    await assert.rejects(
      app.aws.adminCreateUser({ UserPoolId: poolId, Username: 'dot', UserAttributes: [phone('+12025550103')] }),
      { name: 'InvalidSmsRoleTrustRelationshipException' },
    )
    delivery.failing = 'refused'
    await assert.rejects(signUp('eve', phone('+12025550104')), deliveryFailure)
  })

  test('nobody waits for long: a slow server has the message, and when it fails after all it is tried again', async () => {
    const late = Promise.withResolvers<void>()
    const delivery = { sent: 0, send: () => (delivery.sent++ === 0 ? late.promise : Promise.resolve()) }
    const app = await testApp({ delivery })
    const { poolId, clientId } = await createPool(app)
    await app.aws.signUp({
      ClientId: clientId,
      Username: 'ann',
      Password: password,
      UserAttributes: [email('ann@example.com')],
    })
    assert.equal(await statusOf(app, poolId, 'ann'), 'UNCONFIRMED')
    late.reject(new DeliveryFailure('unavailable', 'no way'))
    await app.app.handedOver()
    app.advance(seconds(5))
    await app.app.tick()
    assert.equal(delivery.sent, 2)
    assert.deepEqual(await queued(app), [])
  })

  test('many messages are sent in one run, and a run ends when nobody takes any', async () => {
    const { app, delivery, poolId } = await setUp()
    delivery.failing = 'unavailable'
    for (let index = 0; index < 25; index += 1) await invite(app, poolId, `user${index}`)
    app.advance(seconds(5))
    delivery.tries = 0
    await app.app.tick()
    assert.equal(delivery.tries, 20)
    delivery.failing = undefined
    app.advance(minutes(1))
    await app.app.tick()
    assert.equal(new Set(delivery.sent.map(({ id }) => id)).size, 25)
    assert.equal(delivery.sent.length, 25)
  })
})

test('several nodes send each message once, and one takes over what another has not finished', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  const sent: string[] = []
  let behaviour: (id: string) => Promise<void> = () => Promise.reject(new DeliveryFailure('unavailable', 'no way'))
  const delivery: Delivery = { send: ({ id }) => behaviour(id) }
  await using one = await openTestApp('postgres', { delivery })
  await using two = await one.secondNode()
  const { poolId } = await createPool(one)
  for (let index = 0; index < 24; index += 1) await invite(one, poolId, `user${index}`)
  one.advance(seconds(5))
  behaviour = async id => {
    sent.push(id)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  await Promise.all([one.app.tick(), two.app.tick(), one.app.tick(), two.app.tick()])
  assert.equal(sent.length, 24)
  assert.equal(new Set(sent).size, 24)
  assert.deepEqual(await queued(one), [])

  // A node that has died in the middle holds its lease for a minute.
  behaviour = () => Promise.reject(new DeliveryFailure('unavailable', 'no way'))
  await invite(one, poolId, 'last')
  one.advance(seconds(5))
  behaviour = () => never
  const [taken] = await leaseDue(one.app.services, 10)
  assert.equal(taken?.parcel.message.username, 'last')
  sent.length = 0
  behaviour = async id => void sent.push(id)
  one.advance(seconds(59))
  await two.app.tick()
  assert.deepEqual(sent, [])
  one.advance(seconds(1))
  await two.app.tick()
  assert.deepEqual(sent, [taken?.id])
})
