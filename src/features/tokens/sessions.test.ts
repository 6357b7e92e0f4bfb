import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionDescriptionType } from '@aws-sdk/client-cognito-identity-provider'
import { days, minutes, onEachDatabase, openTestApp, type TestApp } from '../../../test/support/app.ts'
import { createClient, type TestPool } from '../../../test/support/pools.ts'
import {
  allFlows,
  claimsOf,
  createSignInPool,
  createUser,
  failureOf,
  invalidParameter,
  notAuthorized,
  password,
  refresh,
  signIn,
} from '../../../test/support/sign-in.ts'
import type { Place } from '../../core/ports.ts'

const notTracked = {
  name: 'OperationNotEnabledException',
  message: 'User session tracking is not enabled for the user pool.',
}
const notFound = { name: 'ResourceNotFoundException', message: 'Session does not exist.' }
const revoked = notAuthorized('Access Token has been revoked')
const refreshRevoked = notAuthorized('Refresh Token has been revoked')

const track = (
  app: TestApp,
  poolId: string,
  MaxPerUser = 20,
  UserSessionTracking: 'DISABLED' | 'ENABLED' = 'ENABLED',
) => app.aws.setUserPoolSessionConfiguration({ UserPoolId: poolId, UserSessionTracking, TokenSession: { MaxPerUser } })

/** A pool that tracks sessions, with the users ann and ben. */
const createTrackedPool = async (app: TestApp, max?: number): Promise<TestPool> => {
  const pool = await createSignInPool(app)
  await createUser(app, pool.poolId, 'ann')
  await createUser(app, pool.poolId, 'ben')
  await track(app, pool.poolId, max)
  return pool
}

const sessionsOf = async (app: TestApp, { poolId }: TestPool, username = 'ann'): Promise<SessionDescriptionType[]> =>
  (await app.aws.adminListUserSessions({ UserPoolId: poolId, Username: username })).Sessions ?? []

/** The one session of the user. */
const onlySession = async (app: TestApp, pool: TestPool, username?: string): Promise<SessionDescriptionType> => {
  const [session, ...others] = await sessionsOf(app, pool, username)
  assert.ok(session !== undefined && others.length === 0)
  return session
}

const getUser = (app: TestApp, AccessToken: string) => failureOf(app.aws.getUser({ AccessToken }))

/** A sign-in as a browser sends it. */
const signInFrom = async (app: TestApp, clientId: string, userAgent: string) => {
  const answer = await fetch(app.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
      'user-agent': userAgent,
    },
    body: JSON.stringify({
      ClientId: clientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann', PASSWORD: password },
    }),
  })
  assert.equal(answer.status, 200)
}

onEachDatabase(testApp => {
  let opened: Promise<TestApp> | undefined
  const open = () => {
    opened ??= testApp({ places: { find: address => places.get(address) } })
    return opened
  }
  const places = new Map<string, Place>()

  test('each sign-in is a session, which its user and the administrator see', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const first = await signIn(app, pool.clientId, 'ann')
    const began = app.now()
    app.advance(minutes(1))
    const second = await signIn(app, pool.clientId, 'ann')
    await signIn(app, pool.clientId, 'ben')
    const seen = await sessionsOf(app, pool)
    assert.equal(seen.length, 2)
    const { SessionId, ...rest } = seen[1] ?? {}
    assert.match(SessionId ?? '', /^tkn[a-z0-9]{25}$/)
    assert.deepEqual(rest, {
      SessionType: 'TOKEN',
      ClientId: pool.clientId,
      CreateDate: new Date(began),
      LastActiveDate: new Date(began),
      DeviceType: 'unknown',
      LastIPAddress: '127.0.0.1',
      LastLocation: { Country: 'unknown' },
      IsCurrentSession: false,
    })
    places.set('127.0.0.1', { city: 'Lyon', country: 'France', latitude: 45.8, longitude: 4.8 })
    assert.deepEqual((await sessionsOf(app, pool))[1]?.LastLocation, { City: 'Lyon', Country: 'France' })
    places.set('127.0.0.1', { country: 'France' })
    assert.deepEqual((await sessionsOf(app, pool))[1]?.LastLocation, { Country: 'France' })
    places.clear()
    for (const [tokens, index] of [
      [second, 0],
      [first, 1],
    ] as const) {
      const { Sessions = [], NextToken } = await app.aws.listUserSessions({ AccessToken: tokens.access })
      assert.equal(NextToken, undefined)
      assert.deepEqual(
        Sessions.map(session => session.SessionId),
        seen.map(session => session.SessionId),
      )
      assert.deepEqual(
        Sessions.map(session => session.IsCurrentSession),
        [index === 0, index === 1],
      )
    }
  })

  test('a sign-in tells browser and system, and a refresh tells them anew together with its time', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const chrome = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/537.36 Chrome/125.0.0.0 Safari/537.36'
    await signInFrom(app, pool.clientId, chrome)
    assert.equal((await onlySession(app, pool)).DeviceType, 'Chrome 125 / macOS 15.0')
    const tokens = await signIn(app, pool.clientId, 'ben')
    app.advance(minutes(7))
    await refresh(app, pool.clientId, tokens.refresh)
    const session = await onlySession(app, pool, 'ben')
    assert.equal(session.LastActiveDate?.getTime(), app.now())
    assert.equal(session.CreateDate?.getTime(), app.now() - minutes(7))
  })

  test('rotation keeps the session and counts as use', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const clientId = await createClient(app, pool.poolId, {
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      RefreshTokenRotation: { Feature: 'ENABLED' },
    })
    const tokens = await signIn(app, clientId, 'ann')
    const before = await onlySession(app, pool)
    app.advance(minutes(2))
    const { AuthenticationResult } = await app.aws.getTokensFromRefreshToken({
      ClientId: clientId,
      RefreshToken: tokens.refresh,
    })
    const after = await onlySession(app, pool)
    assert.equal(after.SessionId, before.SessionId)
    assert.equal(after.LastActiveDate?.getTime(), app.now())
    const { Sessions = [] } = await app.aws.listUserSessions({ AccessToken: AuthenticationResult?.AccessToken })
    assert.equal(Sessions[0]?.IsCurrentSession, true)
  })

  test('without tracking nothing is recorded, listed or revoked', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    await track(app, pool.poolId, 20, 'DISABLED')
    const { access } = await signIn(app, pool.clientId, 'ann')
    const ids = { UserPoolId: pool.poolId, Username: 'ann' }
    const SessionId = `tkn${'a'.repeat(25)}`
    const calls = [
      app.aws.listUserSessions({ AccessToken: access }),
      app.aws.adminListUserSessions(ids),
      app.aws.revokeUserSession({ AccessToken: access, SessionId }),
      app.aws.adminRevokeUserSession({ ...ids, SessionId }),
    ]
    for (const failure of await Promise.all(calls.map(failureOf))) assert.deepEqual(failure, notTracked)
    await track(app, pool.poolId)
    assert.deepEqual(await sessionsOf(app, pool), [])
  })

  test('sessions from before a pause of tracking are there again after it', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    await signIn(app, pool.clientId, 'ann')
    await track(app, pool.poolId, 20, 'DISABLED')
    await track(app, pool.poolId)
    await onlySession(app, pool)
  })

  test('one session more than allowed ends the one that was unused for longest', async () => {
    const app = await open()
    const pool = await createTrackedPool(app, 2)
    const first = await signIn(app, pool.clientId, 'ann')
    app.advance(1)
    const second = await signIn(app, pool.clientId, 'ann')
    app.advance(1)
    await refresh(app, pool.clientId, first.refresh)
    app.advance(1)
    const third = await signIn(app, pool.clientId, 'ann')
    assert.equal((await sessionsOf(app, pool)).length, 2)
    assert.deepEqual(await getUser(app, second.access), revoked)
    assert.deepEqual(await failureOf(refresh(app, pool.clientId, second.refresh)), refreshRevoked)
    for (const tokens of [first, third]) {
      assert.equal(await getUser(app, tokens.access), undefined)
      await refresh(app, pool.clientId, tokens.refresh)
    }
  })

  test('a lower limit ends nothing until the next sign-in, which then ends all that are too many', async () => {
    const app = await open()
    const pool = await createTrackedPool(app, 5)
    for (let count = 0; count < 5; count += 1) {
      await signIn(app, pool.clientId, 'ann')
      app.advance(1)
    }
    await track(app, pool.poolId, 2)
    assert.equal((await sessionsOf(app, pool)).length, 5)
    await signIn(app, pool.clientId, 'ann')
    assert.equal((await sessionsOf(app, pool)).length, 2)
  })

  test('many sign-ins at once leave exactly as many sessions as allowed, and no others that work', async () => {
    const app = await open()
    const pool = await createTrackedPool(app, 3)
    const all = await Promise.all(Array.from({ length: 12 }, () => signIn(app, pool.clientId, 'ann')))
    const alive = []
    for (const tokens of all) if ((await getUser(app, tokens.access)) === undefined) alive.push(tokens)
    assert.equal(alive.length, 3)
    assert.equal((await sessionsOf(app, pool)).length, 3)
    const refreshed = await Promise.allSettled(all.map(tokens => refresh(app, pool.clientId, tokens.refresh)))
    assert.equal(refreshed.filter(({ status }) => status === 'fulfilled').length, 3)
  })

  test('a user ends another session of his own, but not the one he speaks with', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const mine = await signIn(app, pool.clientId, 'ann')
    const lost = await signIn(app, pool.clientId, 'ann')
    const { Sessions = [] } = await app.aws.listUserSessions({ AccessToken: mine.access })
    const current = Sessions.find(session => session.IsCurrentSession)?.SessionId ?? ''
    const other = Sessions.find(session => !session.IsCurrentSession)?.SessionId ?? ''
    const revoke = (SessionId: string) => app.aws.revokeUserSession({ AccessToken: mine.access, SessionId })
    assert.deepEqual(
      await failureOf(revoke(current)),
      invalidParameter('The session of the access token cannot be revoked.'),
    )
    await revoke(other)
    assert.deepEqual(await getUser(app, lost.access), revoked)
    assert.deepEqual(await failureOf(refresh(app, pool.clientId, lost.refresh)), refreshRevoked)
    assert.equal(await getUser(app, mine.access), undefined)
    assert.equal((await onlySession(app, pool)).SessionId, current)
    assert.deepEqual(await failureOf(revoke(other)), notFound)
  })

  test("nobody ends another user's session, not even the administrator in the name of the wrong user", async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const ann = await signIn(app, pool.clientId, 'ann')
    const ben = await signIn(app, pool.clientId, 'ben')
    const { SessionId } = await onlySession(app, pool, 'ann')
    const id = SessionId ?? ''
    const elsewhere = await createTrackedPool(app)
    const calls = [
      app.aws.revokeUserSession({ AccessToken: ben.access, SessionId: id }),
      app.aws.adminRevokeUserSession({ UserPoolId: pool.poolId, Username: 'ben', SessionId: id }),
      app.aws.adminRevokeUserSession({ UserPoolId: elsewhere.poolId, Username: 'ann', SessionId: id }),
      app.aws.adminRevokeUserSession({ UserPoolId: pool.poolId, Username: 'ann', SessionId: `${id}x` }),
      app.aws.adminRevokeUserSession({ UserPoolId: pool.poolId, Username: 'ann', SessionId: 'x'.repeat(100_000) }),
    ]
    for (const failure of await Promise.all(calls.map(failureOf))) assert.deepEqual(failure, notFound)
    assert.equal(await getUser(app, ann.access), undefined)
    await app.aws.adminRevokeUserSession({
      UserPoolId: pool.poolId,
      Username: 'ann',
      SessionId: id,
      RevokeAssociatedSessions: 'LINKED',
    })
    assert.deepEqual(await getUser(app, ann.access), revoked)
    assert.equal(await getUser(app, ben.access), undefined)
    assert.deepEqual(await sessionsOf(app, pool), [])
  })

  test('of many who end a session at once one succeeds', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    await signIn(app, pool.clientId, 'ann')
    const { SessionId } = await onlySession(app, pool)
    const ids = { UserPoolId: pool.poolId, Username: 'ann', SessionId }
    const results = await Promise.all(Array.from({ length: 6 }, () => failureOf(app.aws.adminRevokeUserSession(ids))))
    assert.equal(results.filter(result => result === undefined).length, 1)
    for (const result of results) if (result !== undefined) assert.deepEqual(result, notFound)
  })

  test('what ends the tokens of a session takes it off the list', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const byToken = await signIn(app, pool.clientId, 'ann')
    await app.aws.revokeToken({ ClientId: pool.clientId, Token: byToken.refresh })
    assert.deepEqual(await sessionsOf(app, pool), [])

    const byUser = await signIn(app, pool.clientId, 'ann')
    await signIn(app, pool.clientId, 'ann')
    await app.aws.globalSignOut({ AccessToken: byUser.access })
    assert.deepEqual(await sessionsOf(app, pool), [])
    await signIn(app, pool.clientId, 'ann')
    await onlySession(app, pool)

    await app.aws.adminUserGlobalSignOut({ UserPoolId: pool.poolId, Username: 'ann' })
    assert.deepEqual(await sessionsOf(app, pool), [])

    const other = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows })
    await signIn(app, other, 'ann')
    assert.equal((await onlySession(app, pool)).ClientId, other)
    await app.aws.deleteUserPoolClient({ UserPoolId: pool.poolId, ClientId: other })
    assert.deepEqual(await sessionsOf(app, pool), [])

    await signIn(app, pool.clientId, 'ann')
    app.advance(days(31))
    assert.deepEqual(await sessionsOf(app, pool), [])
    await app.app.tick()
    const rows = await app.database.db.selectFrom('token_sessions').select('id').execute()
    assert.deepEqual(rows, [])
  })

  test('while sessions are tracked, tokens name theirs even for a client that revokes none', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    const clientId = await createClient(app, pool.poolId, { ExplicitAuthFlows: allFlows, EnableTokenRevocation: false })
    const { access } = await signIn(app, clientId, 'ann')
    assert.equal(typeof claimsOf(access)['origin_jti'], 'string')
    const { SessionId } = await onlySession(app, pool)
    await app.aws.adminRevokeUserSession({ UserPoolId: pool.poolId, Username: 'ann', SessionId })
    assert.deepEqual(await getUser(app, access), revoked)
  })

  test('the token of another list is refused', async () => {
    const app = await open()
    const pool = await createTrackedPool(app)
    assert.deepEqual(
      await failureOf(
        app.aws.adminListUserSessions({ UserPoolId: pool.poolId, Username: 'ann', NextToken: 'invented' }),
      ),
      invalidParameter('Invalid pagination token.'),
    )
    assert.deepEqual(await failureOf(sessionsOf(app, pool, 'nobody')), {
      name: 'UserNotFoundException',
      message: 'User does not exist.',
    })
  })
})

test('nodes on one database count the sessions of a user together', async () => {
  await using app = await openTestApp('postgres')
  await using node = await app.secondNode()
  const pool = await createTrackedPool(app, 2)
  const all = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const at = index % 2 === 0 ? app : node
      return { at, tokens: await signIn(at, pool.clientId, 'ann') }
    }),
  )
  const failures = await Promise.all(all.map(({ at, tokens }) => getUser(at, tokens.access)))
  assert.equal(failures.filter(failure => failure === undefined).length, 2)
  for (const failure of failures) if (failure !== undefined) assert.deepEqual(failure, revoked)
  assert.equal((await sessionsOf(node, pool)).length, 2)
})
