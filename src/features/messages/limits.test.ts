import assert from 'node:assert/strict'
import { test } from 'node:test'
import { days, hours, keepingDelivery, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createMfaPool, mailFactor, ownMail } from '../../../test/support/mfa.ts'
import { createPool, createUser, email, phone, statusOf, verified } from '../../../test/support/pools.ts'
import * as signIns from '../../../test/support/sign-in.ts'
import type { MessageLimit } from '../../core/message-limits.ts'

const password = 'Passw0rd!'
const dailyLimit = {
  name: 'LimitExceededException',
  message:
    'Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure your user pool to use your own Amazon SES configuration for sending email.',
}
const attemptLimit = {
  name: 'LimitExceededException',
  message: 'Attempt limit exceeded, please try after some time.',
}

const signUp = (app: TestApp, ClientId: string, Username: string, attribute = email(`${Username}@example.com`)) =>
  app.aws.signUp({ ClientId, Username, Password: password, UserAttributes: [attribute] })

onEachDatabase(testApp => {
  const limited = (messageLimits: Partial<Record<MessageLimit, number>> | undefined) =>
    testApp({ settings: { messageLimits }, delivery: keepingDelivery() })

  test('pools without an account of their own share fifty mails a day, which begins at nine', async () => {
    const app = await limited({})
    const one = await createPool(app)
    const two = await createPool(app)
    const own = await createPool(app, ownMail)
    // To the beginning of a day.
    app.advance(days(1) - ((app.now() - hours(9)) % days(1)))
    for (let index = 0; index < 50; index += 1) {
      const { clientId } = index % 2 === 0 ? one : two
      await signUp(app, clientId, `user${index}`)
    }
    await assert.rejects(signUp(app, one.clientId, 'ann'), dailyLimit)
    assert.equal(await statusOf(app, one.poolId, 'ann'), 'UNCONFIRMED')
    await assert.rejects(app.aws.resendConfirmationCode({ ClientId: two.clientId, Username: 'user1' }), dailyLimit)
    await signUp(app, own.clientId, 'ann')
    // Operations that know no such error are throttled.
    const invited = { UserPoolId: one.poolId, Username: 'bob', UserAttributes: [email('bob@example.com')] }
    await assert.rejects(app.aws.adminCreateUser({ ...invited, DesiredDeliveryMediums: ['EMAIL'] }), {
      name: 'TooManyRequestsException',
    })
    app.advance(days(1) - 1)
    await assert.rejects(app.aws.resendConfirmationCode({ ClientId: one.clientId, Username: 'ann' }), dailyLimit)
    app.advance(1)
    await app.aws.resendConfirmationCode({ ClientId: one.clientId, Username: 'ann' })
    assert.equal((await app.messages()).length, 52)
  })

  test('without limits there are none', async () => {
    const app = await limited(undefined)
    const { clientId } = await createPool(app)
    for (let index = 0; index < 51; index += 1) await signUp(app, clientId, `user${index}`)
    assert.equal((await app.messages()).length, 51)
  })

  test('text messages are limited by pool, and by numbers that look alike', async () => {
    const app = await limited({ PoolSms: 4, PrefixSms: 2 })
    const toPhone = { AutoVerifiedAttributes: ['phone_number' as const] }
    const { clientId } = await createPool(app, toPhone)
    await signUp(app, clientId, 'a', phone('+12025550101'))
    await signUp(app, clientId, 'b', phone('+12025559999'))
    await assert.rejects(signUp(app, clientId, 'c', phone('+12025551234')), attemptLimit)
    await signUp(app, clientId, 'd', phone('+13035550101'))
    await signUp(app, clientId, 'e', phone('+13035550102'))
    await assert.rejects(signUp(app, clientId, 'f', phone('+14045550101')), attemptLimit)
    await signUp(app, (await createPool(app, toPhone)).clientId, 'a', phone('+12025550101'))
    app.advance(days(1))
    await signUp(app, clientId, 'g', phone('+12025551235'))
  })

  test('a user is sent so many messages an hour, and another one does not notice', async () => {
    const app = await limited({ UserMessages: 2, PoolEmails: 4 })
    const pool = await createMfaPool(app, { MfaConfiguration: 'OPTIONAL', ...mailFactor })
    for (const name of ['ann', 'bob']) {
      await signIns.createUser(app, pool.poolId, name, [email(`${name}@example.com`), verified('email')])
      await app.aws.adminSetUserMFAPreference({
        UserPoolId: pool.poolId,
        Username: name,
        EmailMfaSettings: { Enabled: true },
      })
    }
    const begin = (name: string) => signIns.beginWithPassword(app, pool.clientId, name)
    app.advance(hours(1) - (app.now() % hours(1)))
    await begin('ann')
    await begin('ann')
    await assert.rejects(begin('ann'), { name: 'TooManyRequestsException' })
    await begin('bob')
    app.advance(hours(1))
    await begin('ann')
    // The limit of the pool is another one.
    await assert.rejects(begin('bob'), { name: 'TooManyRequestsException' })
  })

  test('one address can ask for so many', async () => {
    const app = await limited({ AddressMessages: 2 })
    const { clientId } = await createPool(app)
    await signUp(app, clientId, 'a')
    await signUp(app, clientId, 'b')
    await assert.rejects(signUp(app, clientId, 'c'), attemptLimit)
  })

  test('where users are hidden, a limit tells nobody who exists, and unknown names use up nothing', async () => {
    const app = await limited({ PoolEmails: 1, UserMessages: 100 })
    const { poolId, clientId } = await createPool(app, ownMail, { PreventUserExistenceErrors: 'ENABLED' })
    for (const name of ['ann', 'bob']) {
      await createUser(app, poolId, name, password, [email(`${name}@example.com`), verified('email')])
    }
    const forget = (Username: string) => app.aws.forgotPassword({ ClientId: clientId, Username })
    for (let index = 0; index < 3; index += 1) await forget(`nobody${index}`)
    await forget('ann')
    assert.equal((await app.messages()).length, 1)
    const { CodeDeliveryDetails } = await forget('bob')
    assert.equal(CodeDeliveryDetails?.Destination, 'b***@e***')
    await forget('nobody')
    assert.equal((await app.messages()).length, 1)
    assert.ok(app.logged.some(({ message }) => message === 'message over a limit not sent'))
  })
})
