import assert from 'node:assert/strict'
import { test } from 'node:test'
import { days, hours, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createClient, email } from '../../../test/support/pools.ts'
import {
  allFlows,
  beginWithPassword,
  claimsOf,
  createSignInPool,
  createUser,
  failureOf,
  notAuthorized,
  password,
  refresh,
  secretHash,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'

const invalid = notAuthorized('Invalid Refresh Token')
const invalidDotted = notAuthorized('Invalid Refresh Token.')
const expired = notAuthorized('Refresh Token has expired')
const revoked = notAuthorized('Refresh Token has been revoked')
const reuse = {
  name: 'RefreshTokenReuseException',
  message: 'Refresh token has been rotated and can no longer be used.',
}

const redeem = (app: TestApp, clientId: string, token: string, secret?: string) =>
  app.aws.getTokensFromRefreshToken({
    ClientId: clientId,
    RefreshToken: token,
    ...(secret !== undefined && { ClientSecret: secret }),
  })

/** A client that rotates, with the grace period in seconds. */
const rotating = (grace: number) => ({
  ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH' as const],
  RefreshTokenRotation: { Feature: 'ENABLED' as const, RetryGracePeriodSeconds: grace },
})

onEachDatabase(testApp => {
  let shared: Promise<TestApp> | undefined
  const oneApp = (): Promise<TestApp> => (shared ??= testApp())

  test('a refresh continues the session with new tokens and without another refresh token', async () => {
    const app = await oneApp()
    const pool = await createSignInPool(app)
    await createUser(app, pool.poolId, 'ann')
    const first = await signIn(app, pool.clientId, 'ann')
    app.advance(seconds(90))
    for (const answer of [
      await refresh(app, pool.clientId, first.refresh),
      await app.aws.initiateAuth({
        ClientId: pool.clientId,
        AuthFlow: 'REFRESH_TOKEN',
        AuthParameters: { REFRESH_TOKEN: first.refresh },
      }),
      await app.aws.adminInitiateAuth({
        UserPoolId: pool.poolId,
        ClientId: pool.clientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: first.refresh },
      }),
      await redeem(app, pool.clientId, first.refresh),
    ]) {
      assert.deepEqual(Object.keys(answer.AuthenticationResult ?? {}).sort(), [
        'AccessToken',
        'ExpiresIn',
        'IdToken',
        'TokenType',
      ])
      if ('ChallengeParameters' in answer) assert.deepEqual(answer.ChallengeParameters, {})
      const { access, id } = tokensOf(answer)
      for (const [before, after] of [
        [claimsOf(first.access), claimsOf(access)],
        [claimsOf(first.id), claimsOf(id)],
      ] as const) {
        for (const same of ['sub', 'iss', 'origin_jti', 'auth_time', 'token_use', 'acr', 'amr']) {
          assert.deepEqual(after[same], before[same], same)
        }
        for (const other of ['jti', 'event_id', 'iat', 'exp']) assert.notEqual(after[other], before[other], other)
        assert.equal(Number(after['iat']) - Number(before['iat']), 90)
      }
      assert.equal(claimsOf(id)['aud'], pool.clientId)
      assert.equal(claimsOf(access)['username'], 'ann')
      await app.aws.getUser({ AccessToken: access })
    }
  })

  test('what has changed since is in the new tokens', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann', [email('ann@example.com')])
    const first = await signIn(app, clientId, 'ann')
    await app.aws.adminDeleteUserAttributes({ UserPoolId: poolId, Username: 'ann', UserAttributeNames: ['email'] })
    await app.aws.adminUpdateUserAttributes({
      UserPoolId: poolId,
      Username: 'ann',
      UserAttributes: [{ Name: 'name', Value: 'Ann' }],
    })
    const claims = claimsOf(tokensOf(await refresh(app, clientId, first.refresh)).id)
    assert.equal('email' in claims || 'email_verified' in claims, false)
    assert.equal(claims['name'], 'Ann')
  })

  test('a refresh token is for its client and pool', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    const sibling = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    const other = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const { access, id, refresh: token } = await signIn(app, clientId, 'ann')
    const table: [string, string, string][] = [
      ['another client', sibling, token],
      ['another pool', other.clientId, token],
      ['an access token', clientId, access],
      ['an ID token', clientId, id],
      ['garbage', clientId, 'abc'],
      ['five parts of garbage', clientId, 'a..b.c.d'],
      ['a changed token', clientId, `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`],
    ]
    for (const [title, client, text] of table) {
      assert.deepEqual(await failureOf(refresh(app, client, text)), invalid, title)
      assert.deepEqual(await failureOf(redeem(app, client, text)), invalidDotted, title)
    }
    tokensOf(await refresh(app, clientId, token))
    await app.aws.adminDeleteUser({ UserPoolId: poolId, Username: 'ann' })
    assert.deepEqual(await failureOf(refresh(app, clientId, token)), invalid)
    assert.deepEqual(await failureOf(redeem(app, clientId, token)), {
      name: 'UserNotFoundException',
      message: 'User does not exist.',
    })
  })

  test('a refresh token ends at its end, whatever happens before', async () => {
    const app = await testApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, {
      ExplicitAuthFlows: allFlows,
      RefreshTokenValidity: 2,
      TokenValidityUnits: { RefreshToken: 'hours' },
    })
    const { refresh: token } = await signIn(app, clientId, 'ann')
    app.advance(hours(1))
    await refresh(app, clientId, token)
    app.advance(hours(1) - 1)
    await refresh(app, clientId, token)
    app.advance(1)
    assert.deepEqual(await failureOf(refresh(app, clientId, token)), expired)
    assert.deepEqual(await failureOf(redeem(app, clientId, token)), expired)
    const { refresh: other } = await signIn(app, clientId, 'ann')
    await app.aws.updateUserPoolClient({ UserPoolId: poolId, ClientId: clientId, ExplicitAuthFlows: allFlows })
    app.advance(hours(2))
    assert.deepEqual(await failureOf(refresh(app, clientId, other)), expired, 'the end was fixed at sign-in')
  })

  test('a refresh token is refused once its session or user has ended', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    const name = { UserPoolId: poolId, Username: 'ann' }
    await createUser(app, poolId, 'ann', [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }])
    const both = async (token: string) => [
      await failureOf(refresh(app, clientId, token)),
      await failureOf(redeem(app, clientId, token)),
    ]
    const first = await signIn(app, clientId, 'ann')
    const second = await signIn(app, clientId, 'ann')
    await app.aws.revokeToken({ ClientId: clientId, Token: first.refresh })
    assert.deepEqual(await both(first.refresh), [revoked, revoked])
    assert.deepEqual(await both(second.refresh), [undefined, undefined])
    await app.aws.globalSignOut({ AccessToken: second.access })
    assert.deepEqual(await both(second.refresh), [revoked, revoked])
    const third = await signIn(app, clientId, 'ann')
    await app.aws.adminDisableUser(name)
    assert.deepEqual(await both(third.refresh), [revoked, revoked])
    await app.aws.adminEnableUser(name)
    assert.deepEqual(await both(third.refresh), [revoked, revoked])
    const fourth = await signIn(app, clientId, 'ann')
    await app.aws.changePassword({
      AccessToken: fourth.access,
      PreviousPassword: password,
      ProposedPassword: 'N3w-Passw0rd',
    })
    assert.deepEqual(await both(fourth.refresh), [undefined, undefined], 'a change of the password ends no session')
    await app.aws.adminResetUserPassword(name)
    const reset = { name: 'PasswordResetRequiredException', message: 'Password reset required for the user' }
    assert.deepEqual(await both(fourth.refresh), [reset, reset])
  })

  test('a client with a secret proves itself with each refresh', async () => {
    const app = await oneApp()
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'pool', UsernameAttributes: ['email'] })
    const poolId = UserPool?.Id ?? ''
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId: poolId,
      ClientName: 'client',
      GenerateSecret: true,
      ExplicitAuthFlows: allFlows,
    })
    const [clientId, secret] = [UserPoolClient?.ClientId ?? '', UserPoolClient?.ClientSecret ?? '']
    const address = 'ann@example.com'
    await createUser(app, poolId, address)
    const hash = (name: string) => ({ SECRET_HASH: secretHash(name, clientId, secret) })
    const { access, refresh: token } = tokensOf(
      await beginWithPassword(app, clientId, address, password, hash(address)),
    )
    const sub = String(claimsOf(access)['sub'])

    tokensOf(await refresh(app, clientId, token, hash(sub)))
    tokensOf(await refresh(app, clientId, token, { SECRET_HASH: secret }))
    const mismatch = notAuthorized(`SecretHash does not match for the client: ${clientId}`)
    for (const SECRET_HASH of [hash(address).SECRET_HASH, hash('ben').SECRET_HASH, 'x', '', `${secret}x`]) {
      assert.deepEqual(await failureOf(refresh(app, clientId, token, { SECRET_HASH })), mismatch)
    }
    const unverified = notAuthorized(`Unable to verify secret hash for client ${clientId}`)
    assert.deepEqual(await failureOf(refresh(app, clientId, token)), unverified)

    tokensOf(await redeem(app, clientId, token, secret))
    for (const wrong of [undefined, 'x'.repeat(52), `${secret}x`]) {
      assert.deepEqual(await failureOf(redeem(app, clientId, token, wrong)), unverified)
    }
    const open = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    const own = await signIn(app, open, address)
    assert.deepEqual(
      await failureOf(redeem(app, open, own.refresh, secret)),
      notAuthorized(`Unable to verify secret hash for client ${open}`),
    )
    assert.deepEqual(
      await failureOf(refresh(app, open, own.refresh, { SECRET_HASH: secretHash(sub, open, secret) })),
      notAuthorized(`SecretHash does not match for the client: ${open}`),
    )
    assert.equal((await failureOf(redeem(app, 'nosuchclient', token)))?.name, 'ResourceNotFoundException')
  })

  test('with rotation each refresh token is good for one use', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, { ...rotating(0), EnableTokenRevocation: false })
    const first = await signIn(app, clientId, 'ann')
    assert.equal('origin_jti' in claimsOf(first.access), true, 'rotation needs the name of the session')
    const second = tokensOf(await redeem(app, clientId, first.refresh))
    assert.equal(second.refresh.split('.').length, 5)
    assert.deepEqual(await failureOf(redeem(app, clientId, first.refresh)), reuse)
    const third = tokensOf(await redeem(app, clientId, second.refresh))
    for (const old of [first, second]) assert.deepEqual(await failureOf(redeem(app, clientId, old.refresh)), reuse)
    const fourth = tokensOf(await redeem(app, clientId, third.refresh))
    const origins = [first, second, third, fourth].map(({ access }) => claimsOf(access)['origin_jti'])
    assert.equal(new Set(origins).size, 1)
    assert.deepEqual(await failureOf(refresh(app, clientId, fourth.refresh)), {
      name: 'InvalidParameterException',
      message: 'REFRESH_TOKEN_AUTH flow not enabled for this client',
    })
    await app.aws.getUser({ AccessToken: fourth.access })
  })

  test('within the grace period the last token can be used again, and leads to the same successor', async () => {
    const app = await testApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, rotating(30))
    const first = await signIn(app, clientId, 'ann')
    const second = tokensOf(await redeem(app, clientId, first.refresh))
    app.advance(seconds(30) - 1)
    const again = tokensOf(await redeem(app, clientId, first.refresh))
    app.advance(1)
    assert.deepEqual(await failureOf(redeem(app, clientId, first.refresh)), reuse)
    const third = tokensOf(await redeem(app, clientId, second.refresh))
    // The two successors are one generation: using the other one is repeating that use.
    tokensOf(await redeem(app, clientId, again.refresh))
    app.advance(seconds(30))
    for (const { refresh: old } of [first, second, again])
      assert.deepEqual(await failureOf(redeem(app, clientId, old)), reuse)
    tokensOf(await redeem(app, clientId, third.refresh))
  })

  test('ten rotations in one second leave only the newest token and the one before it', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, rotating(60))
    const tokens = [(await signIn(app, clientId, 'ann')).refresh]
    for (let rotation = 0; rotation < 10; rotation++) {
      tokens.push(tokensOf(await redeem(app, clientId, tokens.at(-1) ?? '')).refresh)
    }
    for (const old of tokens.slice(0, -2)) assert.deepEqual(await failureOf(redeem(app, clientId, old)), reuse)
    for (const good of tokens.slice(-2)) tokensOf(await redeem(app, clientId, good))
  })

  test('of many that present one token at once exactly one gets tokens', async () => {
    const app = await testApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const nodes = app.kind === 'postgres' ? [app, await app.secondNode()] : [app]
    const clientId = await createClient(app, poolId, rotating(0))
    let { refresh: token } = await signIn(app, clientId, 'ann')
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.allSettled(
        Array.from({ length: 32 }, (_, index) => redeem(nodes[index % nodes.length] ?? app, clientId, token)),
      )
      const won = answers.filter(answer => answer.status === 'fulfilled')
      assert.equal(won.length, 1, `round ${round}`)
      for (const answer of answers) if (answer.status === 'rejected') assert.equal(answer.reason.name, reuse.name)
      token = tokensOf(won[0]?.value ?? {}).refresh
    }
    const graceful = await createClient(app, poolId, rotating(10))
    const { refresh: retried } = await signIn(app, graceful, 'ann')
    await Promise.all(Array.from({ length: 32 }, () => redeem(app, graceful, retried)))
    for (const node of nodes) if (node !== app) await node.close()
  })

  test('rotation does not prolong the session', async () => {
    const app = await testApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, { ...rotating(0), RefreshTokenValidity: 10 })
    let { refresh: token } = await signIn(app, clientId, 'ann')
    for (let day = 1; day < 10; day++) {
      app.advance(days(1))
      token = tokensOf(await redeem(app, clientId, token)).refresh
    }
    app.advance(days(1))
    assert.deepEqual(await failureOf(redeem(app, clientId, token)), expired)
    await app.app.tick()
    app.advance(1)
    await app.app.tick()
    assert.deepEqual(await app.database.db.selectFrom('refresh_rotations').selectAll().execute(), [])
  })

  test('revoking one token of a rotation ends all of them', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, rotating(60))
    const first = await signIn(app, clientId, 'ann')
    const second = tokensOf(await redeem(app, clientId, first.refresh))
    await app.aws.revokeToken({ ClientId: clientId, Token: first.refresh })
    for (const { access, refresh: token } of [first, second]) {
      assert.deepEqual(await failureOf(redeem(app, clientId, token)), revoked)
      assert.deepEqual(
        await failureOf(app.aws.getUser({ AccessToken: access })),
        notAuthorized('Access Token has been revoked'),
      )
    }
  })

  test('a client that stops rotating does not bring rotated tokens back', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const clientId = await createClient(app, poolId, rotating(60))
    const first = await signIn(app, clientId, 'ann')
    const second = tokensOf(await redeem(app, clientId, first.refresh))
    await app.aws.updateUserPoolClient({ UserPoolId: poolId, ClientId: clientId, ExplicitAuthFlows: allFlows })
    assert.deepEqual(await failureOf(redeem(app, clientId, first.refresh)), reuse)
    assert.equal(tokensOf(await redeem(app, clientId, second.refresh)).refresh, '')
    tokensOf(await refresh(app, clientId, second.refresh))
  })
})
