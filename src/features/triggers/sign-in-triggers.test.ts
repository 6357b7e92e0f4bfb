import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachDatabase, type TestApp, type TestFunction, type TriggerEvent } from '../../../test/support/app.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  createSignInPool,
  createUser,
  discreet,
  exceeded,
  incorrect,
  password,
  refresh,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const refusing = (text: string): TestFunction => {
  return () => {
    throw new Error(text)
  }
}
const denied = (trigger: string) => ({
  name: 'UserLambdaValidationException',
  message: `${trigger} failed with error Denied.`,
})

let pools = 0
/** A pool with both triggers of authentication and a user; the functions keep the events that they are given. */
const signInPool = async (
  app: TestApp,
  { pre = event => event, post = event => event }: { pre?: TestFunction; post?: TestFunction } = {},
  client: Parameters<typeof createSignInPool>[1] = {},
) => {
  const events: TriggerEvent[] = []
  const keeping = (run: TestFunction) => (event: TriggerEvent) => {
    events.push(structuredClone(event))
    return run(event)
  }
  pools += 1
  const pool = await createSignInPool(app, client, {
    LambdaConfig: {
      PreAuthentication: app.lambda(`pre-${pools}`, keeping(pre)),
      PostAuthentication: app.lambda(`post-${pools}`, keeping(post)),
    },
  })
  await createUser(app, pool.poolId, 'ann')
  return { ...pool, events, sources: () => events.map(event => event.triggerSource) }
}
const pre = 'PreAuthentication_Authentication'
const post = 'PostAuthentication_Authentication'

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const sharedApp = () => {
    opened ??= testApp()
    return opened
  }

  test('both triggers of authentication run at a sign-in, and neither at a refresh', async () => {
    const app = await sharedApp()
    const { clientId, events, sources } = await signInPool(app)
    const answer = await app.aws.initiateAuth({
      ClientId: clientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: password },
      ClientMetadata: { shop: 'north' },
    })
    const tokens = tokensOf(answer)
    assert.deepEqual(sources(), [pre, post])
    const [before, after] = events
    const { sub, ...attributes } = Object(before?.request['userAttributes']) as Record<string, string>
    assert.match(sub ?? '', /^[\da-f-]{36}$/)
    assert.deepEqual(
      { ...before?.request, userAttributes: attributes },
      {
        userAttributes: { 'cognito:user_status': 'CONFIRMED' },
        validationData: { shop: 'north' },
        userNotFound: false,
      },
    )
    // The metadata of the beginning is not for what comes after the proof.
    assert.deepEqual(Object.keys(after?.request ?? {}), ['userAttributes', 'newDeviceUsed'])
    await refresh(app, clientId, tokens.refresh)
    assert.equal(events.length, 2)
  })

  test('in an SRP exchange the one runs before the challenge and the other after it', async () => {
    const app = await sharedApp()
    const pool = await signInPool(app)
    const exchange = await beginSrp(app, pool, 'ann')
    assert.deepEqual(pool.sources(), [pre])
    await app.aws.respondToAuthChallenge({
      ClientId: pool.clientId,
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeResponses: exchange.responses(),
      ClientMetadata: { shop: 'south' },
    })
    assert.deepEqual(pool.sources(), [pre, post])
    assert.deepEqual(pool.events[1]?.request['clientMetadata'], { shop: 'south' })
  })

  test('pre authentication that throws denies every flow, whatever the password', async () => {
    const app = await sharedApp()
    const pool = await signInPool(app, { pre: refusing('Denied') })
    await assert.rejects(beginWithPassword(app, pool.clientId, 'ann'), denied('PreAuthentication'))
    await assert.rejects(beginWithPassword(app, pool.clientId, 'ann', 'wrong'), denied('PreAuthentication'))
    await assert.rejects(beginSrp(app, pool, 'ann'), denied('PreAuthentication'))
    await assert.rejects(
      app.aws.adminInitiateAuth({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'ann', PASSWORD: password },
      }),
      denied('PreAuthentication'),
    )
  })

  test('post authentication that throws leaves the user without tokens', async () => {
    const app = await sharedApp()
    const { clientId, sources } = await signInPool(app, { post: refusing('Denied') })
    await assert.rejects(beginWithPassword(app, clientId, 'ann'), denied('PostAuthentication'))
    await assert.rejects(beginWithPassword(app, clientId, 'ann', 'wrong'), incorrect)
    assert.deepEqual(sources(), [pre, post, pre])
  })

  test('pre authentication learns of names that nobody has only where the client hides them', async () => {
    const app = await sharedApp()
    const open = await signInPool(app, {}, { ExplicitAuthFlows: allFlows, PreventUserExistenceErrors: 'LEGACY' })
    await assert.rejects(beginWithPassword(app, open.clientId, 'nobody'), { name: 'UserNotFoundException' })
    assert.deepEqual(open.events, [])
    const hidden = await signInPool(app, {}, discreet)
    await assert.rejects(beginWithPassword(app, hidden.clientId, 'nobody'), incorrect)
    assert.deepEqual(
      hidden.events.map(({ userName, request }) => [userName, request]),
      [['nobody', { userAttributes: {}, validationData: null, userNotFound: true }]],
    )
  })

  test('pre authentication does not run while a lock is in force', async () => {
    const app = await sharedApp()
    const { clientId, events } = await signInPool(app)
    for (let tries = 0; tries < 5; tries += 1)
      await assert.rejects(beginWithPassword(app, clientId, 'ann', 'x'), incorrect)
    await assert.rejects(beginWithPassword(app, clientId, 'ann'), exceeded)
    assert.equal(events.length, 5)
  })

  test('what pre authentication does to the user counts', async () => {
    const app = await sharedApp()
    const { poolId, clientId } = await signInPool(app, {
      pre: async event => {
        await app.aws.adminSetUserPassword({
          UserPoolId: poolId,
          Username: 'ann',
          Password: 'An0ther!pass',
          Permanent: true,
        })
        return event
      },
    })
    await assert.rejects(beginWithPassword(app, clientId, 'ann'), incorrect)
    assert.ok(await signIn(app, clientId, 'ann', 'An0ther!pass'))
  })

  test('a user who is disabled, deleted or given another password during post authentication gets no tokens', async () => {
    const app = await sharedApp()
    for (const [act, expected] of [
      [(UserPoolId: string) => app.aws.adminDisableUser({ UserPoolId, Username: 'ann' }), 'User is disabled.'],
      [
        (UserPoolId: string) => app.aws.adminDeleteUser({ UserPoolId, Username: 'ann' }),
        'Incorrect username or password.',
      ],
      [
        (UserPoolId: string) =>
          app.aws.adminSetUserPassword({ UserPoolId, Username: 'ann', Password: 'An0ther!pass', Permanent: true }),
        'Incorrect username or password.',
      ],
    ] as const) {
      const { clientId } = await signInPool(app, {
        post: async event => {
          await act(event.userPoolId)
          return event
        },
      })
      await assert.rejects(beginWithPassword(app, clientId, 'ann'), {
        name: 'NotAuthorizedException',
        message: expected,
      })
    }
  })

  test('post authentication may sign the user out everywhere else', async () => {
    const app = await sharedApp()
    const { clientId } = await signInPool(app, {
      post: async event => {
        await app.aws.adminUserGlobalSignOut({ UserPoolId: event.userPoolId, Username: 'ann' })
        return event
      },
    })
    const first = await signIn(app, clientId, 'ann')
    const second = await signIn(app, clientId, 'ann')
    await assert.rejects(app.aws.getUser({ AccessToken: first.access }), { name: 'NotAuthorizedException' })
    assert.equal((await app.aws.getUser({ AccessToken: second.access })).Username, 'ann')
  })

  test('a function that hangs for one pool leaves the sign-ins of another alone', async () => {
    const app = await sharedApp()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const slow = await signInPool(app, {
      pre: async event => {
        await released
        return event
      },
    })
    const fast = await signInPool(app)
    const hanging = Array.from({ length: 20 }, () => beginWithPassword(app, slow.clientId, 'ann'))
    assert.ok(await signIn(app, fast.clientId, 'ann'))
    release()
    for (const answer of await Promise.all(hanging)) assert.ok(answer.AuthenticationResult)
  })
})
