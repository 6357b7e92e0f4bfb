import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, type TestApp, type TestFunction, type TriggerEvent } from '../../../test/support/app.ts'
import { attributesOf, email, statusOf, verified } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  createSignInPool,
  createUser,
  discreet,
  exceeded,
  incorrect,
  tokensOf,
} from '../../../test/support/sign-in.ts'

// Shorter than the pool's policy allows.
const oldPassword = 'old'
const legacy = { ExplicitAuthFlows: allFlows, PreventUserExistenceErrors: 'LEGACY' } as const

let pools = 0
const migrationPool = async (
  app: TestApp,
  run: TestFunction,
  client: Parameters<typeof createSignInPool>[1] = legacy,
  pool: Parameters<typeof createSignInPool>[2] = {},
) => {
  const events: TriggerEvent[] = []
  pools += 1
  const UserMigration = app.lambda(`migration-${pools}`, event => {
    events.push(structuredClone(event))
    return run(event)
  })
  return { ...(await createSignInPool(app, client, { LambdaConfig: { UserMigration }, ...pool })), events }
}
const answering = (response: object) => (event: TriggerEvent) => ({ ...event, response })
const ann = { email: 'ann@example.com', email_verified: 'true' }
/** Knows everybody by the old password. */
const directory =
  (response: object): TestFunction =>
  event => {
    if (event.request['password'] !== oldPassword) throw new Error('Bad password')
    return { ...event, response }
  }
const badPassword = {
  name: 'UserLambdaValidationException',
  message: 'UserMigration failed with error Bad password.',
}

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }

  test('a user whom the function knows signs in with the old password and stays', async () => {
    const app = await sharedApp()
    const pool = await migrationPool(app, directory({ userAttributes: ann, finalUserStatus: 'CONFIRMED' }))
    const answer = await app.aws.initiateAuth({
      ClientId: pool.clientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: oldPassword },
      ClientMetadata: { shop: 'north' },
    })
    assert.ok(tokensOf(answer))
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'CONFIRMED')
    assert.equal((await attributesOf(app, pool.poolId, 'ann'))['email_verified'], 'true')
    const [event] = pool.events
    assert.equal(event?.triggerSource, 'UserMigration_Authentication')
    assert.equal(event?.userName, 'ann')
    assert.deepEqual(event?.request, { password: oldPassword, validationData: { shop: 'north' } })
    // From now on the pool knows the password, also for SRP.
    const exchange = await beginSrp(app, pool, 'ann')
    assert.ok((await exchange.answer(oldPassword)).AuthenticationResult)
    assert.equal(pool.events.length, 1)
  })

  test('SRP does not migrate', async () => {
    const app = await sharedApp()
    const pool = await migrationPool(app, directory({ userAttributes: ann, finalUserStatus: 'CONFIRMED' }))
    await assert.rejects(beginSrp(app, pool, 'ann'), { name: 'UserNotFoundException' })
    assert.deepEqual(pool.events, [])
  })

  test('a user without the status CONFIRMED has to reset the password', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await migrationPool(app, directory({ userAttributes: ann }))
    await assert.rejects(beginWithPassword(app, clientId, 'ann', oldPassword), {
      name: 'PasswordResetRequiredException',
    })
    assert.equal(await statusOf(app, poolId, 'ann'), 'RESET_REQUIRED')
  })

  test('a forgotten password migrates as well, without a password to show', async () => {
    const app = await sharedApp()
    const { clientId, events } = await migrationPool(
      app,
      answering({ userAttributes: ann, finalUserStatus: 'CONFIRMED' }),
    )
    await app.aws.forgotPassword({ ClientId: clientId, Username: 'ann', ClientMetadata: { a: 'b' } })
    await app.aws.confirmForgotPassword({
      ClientId: clientId,
      Username: 'ann',
      ConfirmationCode: await app.lastCode('ann@example.com'),
      Password: 'An0ther!pass',
    })
    assert.ok((await beginWithPassword(app, clientId, 'ann', 'An0ther!pass')).AuthenticationResult)
    assert.deepEqual(
      events.map(event => [event.triggerSource, event.request]),
      [['UserMigration_ForgotPassword', { validationData: null, clientMetadata: { a: 'b' } }]],
    )
  })

  test('what the function refuses is refused, counted and stored nowhere', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await migrationPool(app, directory({ userAttributes: ann }))
    for (let tries = 0; tries < 5; tries += 1) {
      await assert.rejects(beginWithPassword(app, clientId, 'ann', 'wrong'), badPassword)
    }
    await assert.rejects(beginWithPassword(app, clientId, 'ann', oldPassword), exceeded)
    assert.deepEqual((await app.aws.listUsers({ UserPoolId: poolId })).Users, [])
  })

  for (const [title, response] of [
    ['nothing', {}],
    ['no attributes', { userAttributes: {} }],
    ['a boolean as an attribute', { userAttributes: { email: 'a@example.com', email_verified: true } }],
    ['an attribute that the pool does not have', { userAttributes: { shoe: '43' } }],
    ['an address that is none', { userAttributes: { email: 'ann' } }],
    ['another username', { userAttributes: { username: 'bob', email: 'a@example.com' } }],
    ['a username of blanks', { userAttributes: { username: ' ', email: 'a@example.com' } }],
    ['text messages without a number', { userAttributes: ann, enableSMSMFA: true }],
    ['a text for a flag', { userAttributes: ann, forceAliasCreation: 'yes' }],
  ] as const) {
    test(`with ${title} in the answer nobody is migrated`, async () => {
      const app = await sharedApp()
      const open = await migrationPool(app, answering(response))
      await assert.rejects(beginWithPassword(app, open.clientId, 'ann', oldPassword), {
        name: 'UserNotFoundException',
        message: `Exception migrating user in app client ${open.clientId}`,
      })
      const hidden = await migrationPool(app, answering(response), discreet)
      await assert.rejects(beginWithPassword(app, hidden.clientId, 'ann', oldPassword), incorrect)
      for (const { poolId } of [open, hidden]) {
        assert.deepEqual((await app.aws.listUsers({ UserPoolId: poolId })).Users, [])
      }
    })
  }

  test('in pools that sign in with addresses the username is made here', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await migrationPool(
      app,
      directory({ userAttributes: { email_verified: 'true' }, finalUserStatus: 'CONFIRMED' }),
      legacy,
      { UsernameAttributes: ['email'] },
    )
    assert.ok((await beginWithPassword(app, clientId, 'ann@example.com', oldPassword)).AuthenticationResult)
    const { Username } = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann@example.com' })
    assert.match(Username ?? '', /^[\da-f]{8}-/)
    await assert.rejects(beginWithPassword(app, clientId, 'no address', oldPassword), {
      name: 'UserNotFoundException',
      message: 'User does not exist.',
    })
  })

  test('an alias finds the user whose name the function tells; a verified one of another user moves only by force', async () => {
    const app = await sharedApp()
    let force = false
    const { poolId, clientId } = await migrationPool(
      app,
      event => ({
        ...event,
        response: {
          userAttributes: { ...ann, username: 'ann' },
          finalUserStatus: 'CONFIRMED',
          forceAliasCreation: force,
        },
      }),
      legacy,
      { AliasAttributes: ['email'] },
    )
    assert.ok((await beginWithPassword(app, clientId, 'ann@example.com', oldPassword)).AuthenticationResult)
    assert.equal((await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann@example.com' })).Username, 'ann')

    await app.aws.adminDeleteUser({ UserPoolId: poolId, Username: 'ann' })
    await createUser(app, poolId, 'bob', [email('ann@example.com'), verified('email')])
    await assert.rejects(beginWithPassword(app, clientId, 'ann', oldPassword), { name: 'UserNotFoundException' })
    force = true
    assert.ok((await beginWithPassword(app, clientId, 'ann', oldPassword)).AuthenticationResult)
    assert.equal((await attributesOf(app, poolId, 'bob'))['email_verified'], 'false')
  })

  test('the name of another user is not given to somebody else', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await migrationPool(
      app,
      answering({ userAttributes: { username: 'bob', email: 'ann@example.com' }, finalUserStatus: 'CONFIRMED' }),
    )
    await createUser(app, poolId, 'bob', [])
    await assert.rejects(beginWithPassword(app, clientId, 'ann', oldPassword), { name: 'UserNotFoundException' })
    await assert.rejects(beginWithPassword(app, clientId, 'bob', oldPassword), incorrect)
  })

  test('many first sign-ins at once make one user', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await migrationPool(
      app,
      directory({ userAttributes: ann, finalUserStatus: 'CONFIRMED' }),
    )
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => beginWithPassword(app, clientId, 'ann', oldPassword)),
    )
    for (const answer of answers) assert.ok(answer.AuthenticationResult)
    assert.equal((await app.aws.listUsers({ UserPoolId: poolId })).Users?.length, 1)
  })
})
