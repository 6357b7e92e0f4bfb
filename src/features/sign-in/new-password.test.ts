import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CreateUserPoolCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { attributesOf, createClient, email, statusOf, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  claimsOf,
  createSignInPool,
  createUser,
  failureOf,
  invalidParameter,
  notAuthorized,
  password,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const newPassword = 'N3w-Passw0rd'
const invalidSession = notAuthorized('Invalid session for the user.')
const unauthorized = notAuthorized('A client attempted to write unauthorized attribute')

const invite = (app: TestApp, { poolId }: TestPool, name: string, attributes: { Name: string; Value: string }[] = []) =>
  app.aws.adminCreateUser({
    UserPoolId: poolId,
    Username: name,
    TemporaryPassword: password,
    MessageAction: 'SUPPRESS',
    UserAttributes: attributes,
  })

const answer = (app: TestApp, { clientId }: TestPool, session: string | undefined, responses: Record<string, string>) =>
  app.aws.respondToAuthChallenge({
    ClientId: clientId,
    ChallengeName: 'NEW_PASSWORD_REQUIRED',
    ...(session !== undefined && { Session: session }),
    ChallengeResponses: { USERNAME: 'ann', NEW_PASSWORD: newPassword, ...responses },
  })

const schema: Partial<CreateUserPoolCommandInput> = {
  Schema: [
    { Name: 'name', Required: true, Mutable: true },
    { Name: 'email', Required: true, Mutable: true },
    { Name: 'role', AttributeDataType: 'String', Mutable: true },
    { Name: 'fixed', AttributeDataType: 'String', Mutable: false },
  ],
}

onEachDatabase(testApp => {
  let shared: Promise<TestApp> | undefined
  const oneApp = (): Promise<TestApp> => (shared ??= testApp())

  test('the challenge tells what is there and what is missing, and the answer confirms the user', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app, {}, schema)
    await invite(app, pool, 'ann', [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }])
    const challenge = await beginWithPassword(app, pool.clientId, 'ann')
    assert.equal(challenge.ChallengeName, 'NEW_PASSWORD_REQUIRED')
    assert.equal(challenge.AuthenticationResult, undefined)
    assert.match(challenge.Session ?? '', /^[A-Za-z0-9_-]{20,2048}$/)
    assert.deepEqual(challenge.ChallengeParameters, {
      USER_ID_FOR_SRP: 'ann',
      requiredAttributes: '["userAttributes.name"]',
      userAttributes: '{"email":"ann@example.com","email_verified":"true"}',
    })
    const result = await answer(app, pool, challenge.Session, {
      'userAttributes.name': 'Ann',
      'userAttributes.custom:role': 'x',
    })
    assert.deepEqual(result.ChallengeParameters, {})
    const { id } = tokensOf(result)
    assert.equal(claimsOf(id)['name'], 'Ann')
    assert.equal(claimsOf(id)['custom:role'], 'x')
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'CONFIRMED')
    const { sub, ...attributes } = await attributesOf(app, pool.poolId, 'ann')
    assert.deepEqual(attributes, { name: 'Ann', email: 'ann@example.com', email_verified: 'true', 'custom:role': 'x' })
    await signIn(app, pool.clientId, 'ann', newPassword)
    assert.deepEqual(
      await failureOf(beginWithPassword(app, pool.clientId, 'ann')),
      notAuthorized('Incorrect username or password.'),
    )
  })

  test('after SRP the challenge no longer names the user; the administrator answers as well', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await invite(app, pool, 'ann')
    const challenge = await (await beginSrp(app, pool, 'ann')).answer()
    assert.equal(challenge.ChallengeName, 'NEW_PASSWORD_REQUIRED')
    assert.deepEqual(challenge.ChallengeParameters, { requiredAttributes: '[]', userAttributes: '{}' })
    tokensOf(
      await app.aws.adminRespondToAuthChallenge({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        ...(challenge.Session !== undefined && { Session: challenge.Session }),
        // The new password may be the temporary one.
        ChallengeResponses: { USERNAME: 'ann', NEW_PASSWORD: password },
      }),
    )
    tokensOf(await (await beginSrp(app, pool, 'ann')).answer())
  })

  test('what cannot be accepted changes nothing and leaves the session in force', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app, {}, schema)
    await createUser(app, pool.poolId, 'ben', [email('ben@example.com')])
    await invite(app, pool, 'ann', [email('ann@example.com')])
    const { Session } = await beginWithPassword(app, pool.clientId, 'ann')
    const name = { 'userAttributes.name': 'Ann' }
    const policy = (rule: string) => ({
      name: 'InvalidPasswordException',
      message: `Password did not conform with policy: ${rule}`,
    })
    const table: [Record<string, string>, unknown][] = [
      [{}, invalidParameter('Invalid attributes given, name is missing')],
      [{ 'userAttributes.name': '' }, invalidParameter('Invalid attributes given, name is missing')],
      [
        { ...name, 'userAttributes.email': 'new@example.com' },
        notAuthorized('Cannot modify an already provided email'),
      ],
      [
        { ...name, 'userAttributes.email': 'ann@example.com' },
        notAuthorized('Cannot modify an already provided email'),
      ],
      [{ ...name, 'userAttributes.email_verified': 'true' }, unauthorized],
      [{ ...name, 'userAttributes.sub': 'x' }, unauthorized],
      [
        { ...name, 'userAttributes.custom:fixed': 'x' },
        invalidParameter('user.custom:fixed: Attribute cannot be updated.\n'),
      ],
      [
        { ...name, 'userAttributes.custom:unknown': 'x' },
        invalidParameter('user.custom:unknown: Attribute does not exist in the schema.\n'),
      ],
      [
        { ...name, 'userAttributes.__proto__': 'x' },
        invalidParameter('user.__proto__: Attribute does not exist in the schema.\n'),
      ],
      [{ ...name, 'userAttributes.phone_number': '12' }, invalidParameter('Invalid phone number format.')],
      [{ ...name, NEW_PASSWORD: '' }, invalidParameter('Missing required parameter NEW_PASSWORD')],
      [{ ...name, NEW_PASSWORD: 'short' }, policy('Password not long enough')],
      [{ ...name, NEW_PASSWORD: 'passw0rd!' }, policy('Password must have uppercase characters')],
      [{ ...name, NEW_PASSWORD: 'Password!' }, policy('Password must have numeric characters')],
      [{ ...name, USERNAME: 'ben' }, invalidSession],
      [{ ...name, USERNAME: 'nobody' }, invalidSession],
      [{ ...name, USERNAME: '' }, invalidParameter('Missing required parameter USERNAME')],
      [{ ...name, SECRET_HASH: 'x' }, notAuthorized(`Unable to verify secret hash for client ${pool.clientId}`)],
    ]
    for (const [responses, expected] of table) {
      assert.deepEqual(await failureOf(answer(app, pool, Session, responses)), expected, JSON.stringify(responses))
    }
    assert.equal(await statusOf(app, pool.poolId, 'ann'), 'FORCE_CHANGE_PASSWORD')
    tokensOf(await answer(app, pool, Session, name))
  })

  test('a client can set only what it may write and is shown only what it may read', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app, {}, schema)
    const clientId = await createClient(app, poolId, {
      ExplicitAuthFlows: allFlows,
      ReadAttributes: ['name'],
      WriteAttributes: ['name', 'email'],
    })
    const pool = { poolId, clientId }
    await invite(app, pool, 'ann', [email('ann@example.com'), { Name: 'custom:role', Value: 'x' }])
    const { Session, ChallengeParameters } = await beginWithPassword(app, clientId, 'ann')
    assert.equal(ChallengeParameters?.['userAttributes'], '{}')
    const name = { 'userAttributes.name': 'Ann' }
    assert.deepEqual(
      await failureOf(answer(app, pool, Session, { ...name, 'userAttributes.custom:role': 'admin' })),
      unauthorized,
    )
    assert.deepEqual(
      await failureOf(answer(app, pool, Session, { ...name, 'userAttributes.nickname': 'a' })),
      unauthorized,
    )
    tokensOf(await answer(app, pool, Session, name))
    assert.equal((await attributesOf(app, poolId, 'ann'))['custom:role'], 'x')
  })

  test('a new address is unverified and must be free', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app, {}, { UsernameAttributes: ['email', 'phone_number'] })
    await createUser(app, pool.poolId, 'ben@example.com')
    await invite(app, pool, '+15551234567')
    const challenge = await beginWithPassword(app, pool.clientId, '+15551234567')
    const username = { USERNAME: challenge.ChallengeParameters?.['USER_ID_FOR_SRP'] ?? '' }
    const taken = answer(app, pool, challenge.Session, { ...username, 'userAttributes.email': 'ben@example.com' })
    assert.equal((await failureOf(taken))?.name, 'AliasExistsException')
    assert.equal(await statusOf(app, pool.poolId, '+15551234567'), 'FORCE_CHANGE_PASSWORD')
    tokensOf(await answer(app, pool, challenge.Session, { ...username, 'userAttributes.email': 'ann@example.com' }))
    assert.equal((await attributesOf(app, pool.poolId, '+15551234567'))['email_verified'], 'false')
    await signIn(app, pool.clientId, 'ann@example.com', newPassword)
  })

  test('the session is for one answer, also when many come at once', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await invite(app, pool, 'ann')
    const { Session } = await beginWithPassword(app, pool.clientId, 'ann')
    const used = notAuthorized('Invalid session for the user, session can only be used once.')
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        failureOf(answer(app, pool, Session, { NEW_PASSWORD: `N3w-Passw0rd${index}` })),
      ),
    )
    const successes = answers.flatMap((failure, index) => (failure === undefined ? [index] : []))
    assert.equal(successes.length, 1)
    for (const failure of answers) if (failure !== undefined) assert.equal(failure.name, 'NotAuthorizedException')
    await signIn(app, pool.clientId, 'ann', `N3w-Passw0rd${successes[0]}`)
    assert.deepEqual(await failureOf(answer(app, pool, Session, {})), used)
  })

  test('two sessions of one user lead to one new password', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await invite(app, pool, 'ann')
    const first = await beginWithPassword(app, pool.clientId, 'ann')
    const second = await beginWithPassword(app, pool.clientId, 'ann')
    tokensOf(await answer(app, pool, first.Session, {}))
    assert.deepEqual(
      await failureOf(answer(app, pool, second.Session, { NEW_PASSWORD: 'An0ther-one' })),
      invalidSession,
    )
    await signIn(app, pool.clientId, 'ann', newPassword)
  })

  test('a session is for its client, challenge and time, and cannot be changed', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app, { AuthSessionValidity: 5 })
    const client = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    const foreign = await createSignInPool(app)
    for (const each of [pool, foreign]) await invite(app, each, 'ann')
    const { Session = '' } = await beginWithPassword(app, pool.clientId, 'ann')
    assert.deepEqual(await failureOf(answer(app, { ...pool, clientId: client }, Session, {})), invalidSession)
    assert.deepEqual(await failureOf(answer(app, foreign, Session, {})), invalidSession)
    assert.deepEqual(
      await failureOf(answer(app, pool, undefined, {})),
      invalidParameter('Missing required parameter Session'),
    )

    const { session: srpSession } = await beginSrp(app, pool, 'ann')
    assert.deepEqual(await failureOf(answer(app, pool, srpSession, {})), invalidSession)
    for (const challenge of [
      'SMS_MFA',
      'EMAIL_OTP',
      'SOFTWARE_TOKEN_MFA',
      'SELECT_MFA_TYPE',
      'MFA_SETUP',
      'CUSTOM_CHALLENGE',
      'SELECT_CHALLENGE',
      'DEVICE_SRP_AUTH',
      'DEVICE_PASSWORD_VERIFIER',
      'ADMIN_NO_SRP_AUTH',
      'SMS_OTP',
      'PASSWORD',
      'WEB_AUTHN',
      'PASSWORD_SRP',
    ] as const) {
      const responses = { USERNAME: 'ann', NEW_PASSWORD: newPassword, ANSWER: 'PASSWORD', PASSWORD: password }
      const call = { ClientId: pool.clientId, ChallengeName: challenge, ChallengeResponses: responses }
      assert.deepEqual(await failureOf(app.aws.respondToAuthChallenge({ ...call, Session })), invalidSession, challenge)
      assert.deepEqual(
        await failureOf(app.aws.respondToAuthChallenge(call)),
        invalidParameter('Missing required parameter Session'),
      )
    }
    for (let index = 0; index < Session.length; index += 7) {
      const changed = `${Session.slice(0, index)}${Session[index] === 'A' ? 'B' : 'A'}${Session.slice(index + 1)}`
      assert.deepEqual(await failureOf(answer(app, pool, changed, {})), invalidSession)
    }
    for (const changed of [Session.slice(0, -1), `${Session}A`, ` ${Session}`, 'x'.repeat(2_048)]) {
      assert.deepEqual(await failureOf(answer(app, pool, changed, {})), invalidSession)
    }
    assert.equal((await failureOf(answer(app, pool, 'x'.repeat(2_049), {})))?.name, 'InvalidParameterException')
    assert.equal((await failureOf(answer(app, pool, 'x'.repeat(19), {})))?.name, 'InvalidParameterException')

    const { Session: inTime } = await beginWithPassword(app, pool.clientId, 'ann')
    app.advance(minutes(5) - 1)
    tokensOf(await answer(app, pool, inTime, {}))
    app.advance(1)
    const expired = notAuthorized('Invalid session for the user, session is expired.')
    assert.deepEqual(await failureOf(answer(app, pool, Session, {})), expired)
  })
})
