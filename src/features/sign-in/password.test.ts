import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthFlowType } from '@aws-sdk/client-cognito-identity-provider'
import { days, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createClient, createPool, email, statusOf } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  claimsOf,
  createSignInPool,
  createUser,
  discreet,
  failureOf,
  incorrect,
  invalidParameter,
  notAuthorized,
  password,
  post,
  secretHash,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const userNotFound = { name: 'UserNotFoundException', message: 'User does not exist.' }
const notConfirmed = { name: 'UserNotConfirmedException', message: 'User is not confirmed.' }
const resetRequired = { name: 'PasswordResetRequiredException', message: 'Password reset required for the user' }
const disabled = notAuthorized('User is disabled.')
const unsupported = invalidParameter('Initiate Auth method not supported.')

const verifiedEmail = (address: string) => [email(address), { Name: 'email_verified', Value: 'true' }]

const beginAsAdministrator = (
  app: TestApp,
  { poolId, clientId }: { poolId: string; clientId: string },
  flow: AuthFlowType,
  parameters: Record<string, string> = { USERNAME: 'ann', PASSWORD: password },
) => app.aws.adminInitiateAuth({ UserPoolId: poolId, ClientId: clientId, AuthFlow: flow, AuthParameters: parameters })

/** Makes users in each state that a user can be in; each has the usual password unless it has none. */
const createUsersInAllStates = async (app: TestApp, poolId: string, clientId: string): Promise<void> => {
  for (const name of ['confirmed', 'disabled', 'reset', 'imported', 'passwordless', 'external']) {
    await createUser(app, poolId, name, verifiedEmail(`${name}@example.com`))
  }
  await app.aws.signUp({ ClientId: clientId, Username: 'unconfirmed', Password: password })
  await app.aws.adminCreateUser({ UserPoolId: poolId, Username: 'temporary', TemporaryPassword: password })
  await app.aws.adminDisableUser({ UserPoolId: poolId, Username: 'disabled' })
  for (const name of ['reset', 'imported']) await app.aws.adminResetUserPassword({ UserPoolId: poolId, Username: name })
  const withoutPassword = { password_salt: null, password_verifier: null, password_set_at: null }
  const { db } = app.database
  await db
    .updateTable('users')
    .set(withoutPassword)
    .where('pool_id', '=', poolId)
    .where('username', 'in', ['imported', 'passwordless', 'external'])
    .execute()
  await db
    .updateTable('users')
    .set({ status: 'EXTERNAL_PROVIDER' })
    .where('pool_id', '=', poolId)
    .where('username', '=', 'external')
    .execute()
}

onEachDatabase(testApp => {
  let shared: Promise<TestApp> | undefined
  const oneApp = (): Promise<TestApp> => (shared ??= testApp())

  test('the right password gives tokens in every password flow', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    for (const answer of [
      await beginWithPassword(app, pool.clientId, 'ann'),
      await beginAsAdministrator(app, pool, 'ADMIN_USER_PASSWORD_AUTH'),
      await beginAsAdministrator(app, pool, 'ADMIN_NO_SRP_AUTH'),
      await (await beginSrp(app, pool, 'ann')).answer(),
    ]) {
      assert.deepEqual(answer.ChallengeParameters, {})
      assert.equal('ChallengeName' in answer || 'Session' in answer || 'AvailableChallenges' in answer, false)
      const { AccessToken, IdToken, RefreshToken, ...rest } = answer.AuthenticationResult ?? {}
      assert.deepEqual(rest, { ExpiresIn: 3600, TokenType: 'Bearer' })
      for (const token of [AccessToken, IdToken]) assert.equal(token?.split('.').length, 3)
      assert.equal(RefreshToken?.split('.').length, 5)
    }
  })

  test('each flow belongs to its operations', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    for (const flow of ['ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH'] as const) {
      const call = app.aws.initiateAuth({ ClientId: pool.clientId, AuthFlow: flow, AuthParameters: {} })
      assert.deepEqual(await failureOf(call), unsupported)
    }
    assert.deepEqual(await failureOf(beginAsAdministrator(app, pool, 'USER_PASSWORD_AUTH')), unsupported)
  })

  test('a flow that the client does not allow is refused in words of its own', async () => {
    const app = await oneApp()
    const pool = await createPool(app, {}, { ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'] })
    await createUser(app, pool.poolId, 'ann')
    const texts: [AuthFlowType, string][] = [
      ['USER_PASSWORD_AUTH', 'USER_PASSWORD_AUTH flow not enabled for this client'],
      ['USER_SRP_AUTH', 'USER_SRP_AUTH is not enabled for the client.'],
      ['CUSTOM_AUTH', 'CUSTOM_AUTH is not enabled for the client.'],
      ['USER_AUTH', 'USER_AUTH flow not enabled for this client'],
      ['ADMIN_USER_PASSWORD_AUTH', 'Auth flow not enabled for this client'],
      ['ADMIN_NO_SRP_AUTH', 'Auth flow not enabled for this client'],
    ]
    const parameters = { USERNAME: 'ann', PASSWORD: password, SRP_A: '2' }
    for (const [flow, message] of texts) {
      const call = flow.startsWith('ADMIN')
        ? beginAsAdministrator(app, pool, flow, parameters)
        : app.aws.initiateAuth({ ClientId: pool.clientId, AuthFlow: flow, AuthParameters: parameters })
      assert.deepEqual(await failureOf(call), invalidParameter(message), flow)
    }
    const rotating = await createClient(app, pool.poolId, {
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
    })
    for (const flow of ['REFRESH_TOKEN', 'REFRESH_TOKEN_AUTH'] as const) {
      const call = app.aws.initiateAuth({ ClientId: rotating, AuthFlow: flow, AuthParameters: { REFRESH_TOKEN: 'x' } })
      assert.deepEqual(await failureOf(call), invalidParameter('REFRESH_TOKEN_AUTH flow not enabled for this client'))
    }
  })

  test('clients with values of the old kind allow SRP and refresh besides', async () => {
    const app = await oneApp()
    const { poolId } = await createPool(app)
    await createUser(app, poolId, 'ann')
    for (const flow of ['ADMIN_NO_SRP_AUTH', 'USER_PASSWORD_AUTH'] as const) {
      const pool = { poolId, clientId: await createClient(app, poolId, { ExplicitAuthFlows: [flow] }) }
      const { refresh } = tokensOf(await (await beginSrp(app, pool, 'ann')).answer())
      await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'REFRESH_TOKEN',
        AuthParameters: { REFRESH_TOKEN: refresh },
      })
    }
  })

  test('a missing parameter is named', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    const table: [AuthFlowType, Record<string, string>, string][] = [
      ['USER_PASSWORD_AUTH', {}, 'USERNAME'],
      ['USER_PASSWORD_AUTH', { USERNAME: '', PASSWORD: 'x' }, 'USERNAME'],
      ['USER_PASSWORD_AUTH', { USERNAME: 'ann' }, 'PASSWORD'],
      ['USER_SRP_AUTH', { SRP_A: '2' }, 'USERNAME'],
      ['USER_SRP_AUTH', { USERNAME: 'ann' }, 'SRP_A'],
      ['CUSTOM_AUTH', {}, 'USERNAME'],
      ['REFRESH_TOKEN_AUTH', {}, 'REFRESH_TOKEN'],
    ]
    for (const [flow, parameters, missing] of table) {
      const call = app.aws.initiateAuth({ ClientId: pool.clientId, AuthFlow: flow, AuthParameters: parameters })
      assert.deepEqual(await failureOf(call), invalidParameter(`Missing required parameter ${missing}`))
    }
    const call = app.aws.initiateAuth({ ClientId: pool.clientId, AuthFlow: 'USER_PASSWORD_AUTH' })
    assert.deepEqual(await failureOf(call), invalidParameter('Missing required parameter USERNAME'))
    const answer = app.aws.respondToAuthChallenge({ ClientId: pool.clientId, ChallengeName: 'NEW_PASSWORD_REQUIRED' })
    assert.deepEqual(await failureOf(answer), invalidParameter('Missing required parameter USERNAME'))
  })

  test('pool and client must exist and belong together', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    const other = await createSignInPool(app)
    const unknown = (clientId: string) => ({
      name: 'ResourceNotFoundException',
      message: `User pool client ${clientId} does not exist.`,
    })
    assert.deepEqual(await failureOf(beginWithPassword(app, 'nosuchclient', 'ann')), unknown('nosuchclient'))
    const crossed = { poolId: pool.poolId, clientId: other.clientId }
    assert.deepEqual(await failureOf(beginAsAdministrator(app, crossed, 'ADMIN_NO_SRP_AUTH')), unknown(other.clientId))
    const missing = { poolId: 'us-east-1_AAAAAAAAA', clientId: other.clientId }
    assert.deepEqual(await failureOf(beginAsAdministrator(app, missing, 'ADMIN_NO_SRP_AUTH')), {
      name: 'ResourceNotFoundException',
      message: 'User pool us-east-1_AAAAAAAAA does not exist.',
    })
    const answer = app.aws.adminRespondToAuthChallenge({
      UserPoolId: pool.poolId,
      ClientId: other.clientId,
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
    })
    assert.deepEqual(await failureOf(answer), unknown(other.clientId))
  })

  test('a client with a secret asks for its hash, of the name that is sent or the real one', async () => {
    const app = await oneApp()
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'pool', AliasAttributes: ['email'] })
    const poolId = UserPool?.Id ?? ''
    const client = async () => {
      const { UserPoolClient } = await app.aws.createUserPoolClient({
        UserPoolId: poolId,
        ClientName: 'client',
        GenerateSecret: true,
        ExplicitAuthFlows: allFlows,
      })
      return { id: UserPoolClient?.ClientId ?? '', secret: UserPoolClient?.ClientSecret ?? '' }
    }
    const [own, other] = [await client(), await client()]
    await createUser(app, poolId, 'ann', verifiedEmail('ann@example.com'))
    await createUser(app, poolId, 'ben')
    const hash = (name: string, { id, secret } = own) => ({ SECRET_HASH: secretHash(name, id, secret) })
    const wrong = notAuthorized(`Unable to verify secret hash for client ${own.id}`)

    await beginWithPassword(app, own.id, 'ann', password, hash('ann'))
    await beginWithPassword(app, own.id, 'ann@example.com', password, hash('ann@example.com'))
    await beginWithPassword(app, own.id, 'ann@example.com', password, hash('ann'))
    const refused: [string, Record<string, string>, unknown][] = [
      ['ann', {}, notAuthorized(`Client ${own.id} is configured with secret but SECRET_HASH was not received`)],
      ['ann', hash('ann', other), wrong],
      ['ann', hash('ann', { id: own.id, secret: other.secret }), wrong],
      ['ann', hash('ben'), wrong],
      ['ann', hash('ann@example.com'), wrong],
      ['ann', { SECRET_HASH: '' }, wrong],
      ['ann', { SECRET_HASH: own.secret }, wrong],
      ['nobody', hash('ben'), wrong],
    ]
    for (const [name, parameters, expected] of refused) {
      assert.deepEqual(await failureOf(beginWithPassword(app, own.id, name, password, parameters)), expected)
    }
    const open = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    const needless = beginWithPassword(app, open, 'ann', password, { SECRET_HASH: secretHash('ann', open, '') })
    assert.deepEqual(await failureOf(needless), notAuthorized(`Unable to verify secret hash for client ${open}`))

    const srp = await beginSrp(app, { poolId, clientId: own.id }, 'ann', hash('ann'))
    const unhashed = notAuthorized(`Client ${own.id} is configured with secret but SECRET_HASH was not received`)
    assert.deepEqual(await failureOf(srp.answer()), unhashed)
    assert.deepEqual(await failureOf(srp.answer(password, hash('ben'))), wrong)
    tokensOf(await srp.answer(password, hash('ann')))
  })

  test('a client that tells who exists does so before the password', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await createUsersInAllStates(app, pool.poolId, pool.clientId)
    const table: [string, unknown, unknown][] = [
      ['unknown', userNotFound, userNotFound],
      ['confirmed', undefined, incorrect],
      ['temporary', undefined, incorrect],
      ['unconfirmed', notConfirmed, notConfirmed],
      ['disabled', disabled, disabled],
      ['reset', resetRequired, incorrect],
      ['imported', resetRequired, resetRequired],
      ['passwordless', incorrect, incorrect],
      ['external', incorrect, incorrect],
    ]
    for (const [name, right, wrong] of table) {
      assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, name)), right, name)
      assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, name, 'wrong')), wrong, name)
      const srp = (text: string) => beginSrp(app, pool, name).then(({ answer }) => answer(text))
      assert.deepEqual(await failureOf(srp(password)), right, `${name} by SRP`)
      assert.deepEqual(await failureOf(srp('wrong')), wrong, `${name} by SRP`)
    }
  })

  test('a client that does not tell who exists gives one answer to every wrong password', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app, discreet)
    await createUsersInAllStates(app, pool.poolId, pool.clientId)
    const right: [string, unknown][] = [
      ['unknown', incorrect],
      ['confirmed', undefined],
      ['temporary', undefined],
      ['unconfirmed', notConfirmed],
      ['disabled', disabled],
      ['reset', resetRequired],
      ['imported', incorrect],
      ['passwordless', incorrect],
      ['external', incorrect],
    ]
    const answers = new Set<string>()
    for (const [name, expected] of right) {
      assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, name)), expected, name)
      const srp = beginSrp(app, pool, name).then(({ answer }) => answer())
      assert.deepEqual(await failureOf(srp), expected, `${name} by SRP`)
      const { headers, ...rest } = await post(app, 'InitiateAuth', {
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: pool.clientId,
        AuthParameters: { USERNAME: name, PASSWORD: 'wrong' },
      })
      const masked = headers.map(([header, value]) =>
        /^(date|x-amzn-requestid)$/.test(header) ? [header] : [header, value],
      )
      answers.add(JSON.stringify({ ...rest, masked }))
      assert.deepEqual(
        await failureOf(beginSrp(app, pool, name).then(({ answer }) => answer('wrong'))),
        incorrect,
        name,
      )
    }
    assert.equal(answers.size, 1)
    assert.match([...answers][0] ?? '', /Incorrect username or password\./)
  })

  test('an alias signs in once it is verified; the tokens name the real username', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app, {}, { AliasAttributes: ['email', 'preferred_username'] })
    await createUser(app, poolId, 'ann', [email('ann@example.com'), { Name: 'preferred_username', Value: 'annie' }])
    assert.deepEqual(await failureOf(beginWithPassword(app, clientId, 'ann@example.com')), userNotFound)
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: poolId,
      Username: 'ann',
      UserAttributes: [{ Name: 'email_verified', Value: 'true' }],
    })
    for (const name of ['ann', 'ann@example.com', 'annie']) {
      assert.equal(claimsOf((await signIn(app, clientId, name)).access)['username'], 'ann')
    }
  })

  test('in a pool of addresses the username is the sub', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app, {}, { UsernameAttributes: ['email'] })
    await createUser(app, pool.poolId, 'ann@example.com')
    const srp = await beginSrp(app, pool, 'ann@example.com')
    for (const { access, id } of [
      await signIn(app, pool.clientId, 'ann@example.com'),
      tokensOf(await srp.answer()),
      tokensOf(
        await beginAsAdministrator(app, pool, 'ADMIN_USER_PASSWORD_AUTH', {
          USERNAME: 'ann@example.com',
          PASSWORD: password,
        }),
      ),
    ]) {
      const { sub, username } = claimsOf(access)
      assert.equal(username, sub)
      assert.equal(claimsOf(id)['cognito:username'], sub)
      assert.equal(claimsOf(id)['email'], 'ann@example.com')
      assert.equal('email' in claimsOf(access), false)
    }
    assert.match(srp.parameters['USER_ID_FOR_SRP'] ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(srp.parameters['USERNAME'], srp.parameters['USER_ID_FOR_SRP'])
  })

  test('users and passwords of one pool are nothing to another', async () => {
    const app = await oneApp()
    const [one, other] = [await createSignInPool(app), await createSignInPool(app)]
    await createUser(app, one.poolId, 'ann')
    await createUser(app, other.poolId, 'ben')
    assert.deepEqual(await failureOf(beginWithPassword(app, other.clientId, 'ann')), userNotFound)
    assert.deepEqual(await failureOf(beginWithPassword(app, one.clientId, 'ben')), userNotFound)
    await signIn(app, one.clientId, 'ann')
  })

  test('a temporary password works until its end and not a moment longer', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await app.aws.adminCreateUser({ UserPoolId: pool.poolId, Username: 'ann', TemporaryPassword: password })
    app.advance(days(7) - 1)
    assert.equal((await beginWithPassword(app, pool.clientId, 'ann')).ChallengeName, 'NEW_PASSWORD_REQUIRED')
    app.advance(1)
    const expired = notAuthorized('Temporary password has expired and must be reset by an administrator.')
    assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, 'ann')), expired)
    assert.deepEqual(await failureOf(beginSrp(app, pool, 'ann').then(({ answer }) => answer())), expired)
    assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, 'ann', 'wrong')), incorrect)
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'FORCE_CHANGE_PASSWORD')
  })

  test('passwords are compared exactly as they were sent, by SRP as well', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    const long = (end: string) => `Aa1!${'x'.repeat(251)}${end}`
    const passwords: [string, string[]][] = [
      ['Pässw0rd! é', ['Pässw0rd! e\u0301', 'pässw0rd! é', 'Pässw0rd! é ', ' Pässw0rd! é']],
      ['Passw0rd!😀', ['Passw0rd!😁', 'Passw0rd!']],
      [long('1'), [long('2'), long(''), `${long('1')}1`, long('1').slice(0, 72)]],
    ]
    for (const [index, [text, others]] of passwords.entries()) {
      const name = `user${index}`
      await createUser(app, pool.poolId, name)
      await app.aws.adminSetUserPassword({ UserPoolId: pool.poolId, Username: name, Password: text, Permanent: true })
      for (const other of others) {
        assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, name, other)), incorrect)
        assert.deepEqual(await failureOf(beginSrp(app, pool, name).then(({ answer }) => answer(other))), incorrect)
        await signIn(app, pool.clientId, name, text)
        tokensOf(await (await beginSrp(app, pool, name)).answer(text))
      }
    }
  })

  test('custom authentication needs the functions of the pool', async () => {
    const app = await oneApp()
    const { poolId } = await createPool(app)
    await createUser(app, poolId, 'ann')
    const ClientId = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    assert.deepEqual(
      await failureOf(app.aws.initiateAuth({ ClientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { USERNAME: 'ann' } })),
      invalidParameter('Custom auth lambda trigger is not configured for the user pool.'),
    )
  })

  test('a pool that demands a second factor gives no tokens without one', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    await signIn(app, pool.clientId, 'ann')
    await app.aws.setUserPoolMfaConfig({
      UserPoolId: pool.poolId,
      MfaConfiguration: 'ON',
      SoftwareTokenMfaConfiguration: { Enabled: true },
    })
    const tokens = (call: Promise<{ AuthenticationResult?: unknown }>) =>
      call.then(
        answer => answer.AuthenticationResult,
        () => undefined,
      )
    assert.equal(await tokens(beginWithPassword(app, pool.clientId, 'ann')), undefined)
    assert.equal(await tokens(beginSrp(app, pool, 'ann').then(({ answer }) => answer())), undefined)
    assert.deepEqual(await failureOf(beginWithPassword(app, pool.clientId, 'ann', 'wrong')), incorrect)
  })

  test('sign-ins are recorded without anything secret', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app, discreet)
    await createUser(app, poolId, 'ann')
    const { access } = await signIn(app, clientId, 'ann')
    await failureOf(beginWithPassword(app, clientId, 'ann', 'Wr0ng-password'))
    await failureOf(beginWithPassword(app, clientId, 'my-secret-typed-as-name', 'Wr0ng-password'))
    const recorded = app.events.filter(({ name }) => name === 'SignIn')
    const common = { name: 'SignIn', userPoolId: poolId, clientId, flow: 'USER_PASSWORD_AUTH' }
    const userId = claimsOf(access)['sub']
    assert.deepEqual(recorded, [
      { ...common, result: 'Pass', userId },
      { ...common, result: 'Fail', userId },
      { ...common, result: 'Fail', userId: undefined },
    ])
    assert.deepEqual(app.logged, [])
  })
})
