/** Two nodes on one PostgreSQL behave like one server: what one of them gave out the other takes, what one ended is over. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openTestApp, seconds, type TestApp } from '../support/app.ts'
import { outcomes } from '../support/directory.ts'
import { answerIn, callback, createOAuthClient, createOAuthPool } from '../support/oauth.ts'
import { createClient, email, type TestPool } from '../support/pools.ts'
import { addSamlProvider, inBase64, postTo, responseTo } from '../support/saml-journey.ts'
import {
  allFlows,
  beginSrp,
  beginWithPassword,
  createSignInPool,
  createUser,
  failureOf,
  incorrect,
  password,
  refresh,
  secretHash,
  signIn,
  tokensOf,
} from '../support/sign-in.ts'

describe('two nodes', () => {
  let one: TestApp
  let two: TestApp
  before(async () => {
    // The nodes of one service have one public URL, which is the base of the issuer.
    one = await openTestApp('postgres', { publicUrl: 'https://id.example.com' })
    two = await one.secondNode()
  })
  after(async () => {
    await two.close()
    await one.close()
  })

  /** A pool that both nodes have in memory, with the user ann. */
  const createShared = async (
    client: Parameters<typeof createSignInPool>[1] = {},
    pool: Parameters<typeof createSignInPool>[2] = {},
  ): Promise<TestPool> => {
    const shared = await createSignInPool(one, client, pool)
    await createUser(one, shared.poolId, 'ann', [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }])
    for (const node of [one, two]) {
      await node.aws.describeUserPool({ UserPoolId: shared.poolId })
      await node.aws.describeUserPoolClient({ UserPoolId: shared.poolId, ClientId: shared.clientId })
    }
    return shared
  }

  /** The time until the call fails, in milliseconds; fails itself after a second, which the clock of the nodes ignores. */
  const untilRefused = async (call: () => Promise<unknown>): Promise<{ name: string; message: string }> => {
    const deadline = performance.now() + 1_000
    for (;;) {
      const failure = await failureOf(call())
      if (failure !== undefined) return failure
      assert.ok(performance.now() < deadline, 'still accepted after a second')
      await sleep(10)
    }
  }

  const untilAccepted = async (call: () => Promise<unknown>): Promise<void> => {
    const deadline = performance.now() + 1_000
    for (;;) {
      const failure = await failureOf(call())
      if (failure === undefined) return
      assert.ok(performance.now() < deadline, `still refused after a second: ${failure.message}`)
      await sleep(10)
    }
  }

  test('show the same keys and take each other’s access tokens', async () => {
    const { poolId, clientId } = await createShared()
    const keysOf = async ({ url }: TestApp) => (await fetch(`${url}/${poolId}/.well-known/jwks.json`)).json()
    assert.deepEqual(await keysOf(one), await keysOf(two))
    const { access } = await signIn(one, clientId, 'ann')
    assert.equal((await two.aws.getUser({ AccessToken: access })).Username, 'ann')
  })

  test('take an assertion of a SAML provider once between them', async () => {
    const { poolId } = await createOAuthPool(one)
    await addSamlProvider(one, poolId, { ProviderDetails: { IDPInit: 'true' } })
    const { clientId } = await createOAuthClient(one, poolId, { SupportedIdentityProviders: ['Corp'] })
    const recipient = 'https://id.example.com/saml2/idpresponse'
    const response = responseTo(one, { poolId }, { recipient, requestId: undefined })
    const RelayState = `identity_provider=Corp&client_id=${clientId}&redirect_uri=${callback}&response_type=code&scope=openid`
    const posts = Array.from({ length: 12 }, (_, index) =>
      postTo(`${(index % 2 === 0 ? one : two).url}/saml2/idpresponse`, {
        SAMLResponse: inBase64(response),
        RelayState,
      }),
    )
    const locations = (await Promise.all(posts)).map(({ location }) => answerIn(location))
    assert.equal(locations.filter(answer => answer.has('code')).length, 1)
    const refused = locations.filter(answer => answer.get('error_description')?.includes('has been used already'))
    assert.equal(refused.length, 11)
  })

  test('take turns within one sign-in by SRP', async () => {
    const pool = await createShared()
    const begun = await beginSrp(one, pool, 'ann')
    const answer = (node: TestApp) =>
      node.aws.respondToAuthChallenge({
        ClientId: pool.clientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: begun.responses(),
      })
    assert.ok(tokensOf(await answer(two)).access)
    // The block is good for one sign-in, on whichever node.
    assert.ok(await failureOf(answer(one)))
    assert.ok(await failureOf(answer(two)))
  })

  test('take turns within a sign-in that asks for a new password', async () => {
    const { poolId, clientId } = await createShared()
    await one.aws.adminSetUserPassword({
      UserPoolId: poolId,
      Username: 'ann',
      Password: 'Temp0rary!',
      Permanent: false,
    })
    const { Session, ChallengeName } = await beginWithPassword(one, clientId, 'ann', 'Temp0rary!')
    assert.equal(ChallengeName, 'NEW_PASSWORD_REQUIRED')
    const answer = (node: TestApp) =>
      node.aws.respondToAuthChallenge({
        ClientId: clientId,
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        ...(Session !== undefined && { Session }),
        ChallengeResponses: { USERNAME: 'ann', NEW_PASSWORD: 'N3w-Passw0rd!' },
      })
    const { succeeded, errors } = outcomes(
      await Promise.allSettled([answer(one), answer(two), answer(one), answer(two)]),
    )
    assert.deepEqual([succeeded, [...errors]], [1, ['NotAuthorizedException']])
    for (const node of [one, two]) assert.ok(await signIn(node, clientId, 'ann', 'N3w-Passw0rd!'))
  })

  test('refresh each other’s tokens, and each sees at once what the other revoked', async () => {
    const { clientId } = await createShared()
    const tokens = await signIn(one, clientId, 'ann')
    const refreshed = tokensOf(await refresh(two, clientId, tokens.refresh))
    assert.ok((await one.aws.getUser({ AccessToken: refreshed.access })).Username)
    await one.aws.revokeToken({ ClientId: clientId, Token: tokens.refresh })
    assert.equal((await failureOf(refresh(two, clientId, tokens.refresh)))?.name, 'NotAuthorizedException')
    assert.equal((await failureOf(two.aws.getUser({ AccessToken: refreshed.access })))?.name, 'NotAuthorizedException')
  })

  test('rotate a refresh token once between them', async () => {
    const rotating = { RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 } } as const
    const { clientId } = await createShared({
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_USER_SRP_AUTH'],
      ...rotating,
    })
    const rotate = (node: TestApp, RefreshToken: string) =>
      node.aws.getTokensFromRefreshToken({ ClientId: clientId, RefreshToken })
    for (let round = 0; round < 5; round++) {
      const tokens = await signIn(one, clientId, 'ann')
      const nodes = [one, two, one, two]
      const results = await Promise.allSettled(nodes.map(node => rotate(node, tokens.refresh)))
      const { succeeded, errors } = outcomes(results)
      assert.ok(succeeded <= 1, `${succeeded} rotations`)
      assert.ok(
        [...errors].every(name => /^(RefreshTokenReuse|NotAuthorized)Exception$/.test(name)),
        [...errors].join(),
      )
    }
    const tokens = await signIn(one, clientId, 'ann')
    const next = tokensOf(await rotate(two, tokens.refresh))
    assert.ok(tokensOf(await rotate(one, next.refresh)).access)
  })

  for (const [what, end] of [
    ['a sign-out everywhere', ({ poolId }) => one.aws.adminUserGlobalSignOut({ UserPoolId: poolId, Username: 'ann' })],
    ['a disabling', ({ poolId }) => one.aws.adminDisableUser({ UserPoolId: poolId, Username: 'ann' })],
    ['a deletion', ({ poolId }) => one.aws.adminDeleteUser({ UserPoolId: poolId, Username: 'ann' })],
  ] as [string, (pool: TestPool) => Promise<unknown>][]) {
    test(`see ${what} of a user at once`, async () => {
      const pool = await createShared()
      const tokens = await signIn(two, pool.clientId, 'ann')
      assert.ok((await two.aws.getUser({ AccessToken: tokens.access })).Username)
      const begun = await beginSrp(two, pool, 'ann')
      await end(pool)
      assert.match(
        (await failureOf(two.aws.getUser({ AccessToken: tokens.access })))?.name ?? '',
        /NotAuthorized|UserNotFound/,
      )
      assert.match(
        (await failureOf(refresh(two, pool.clientId, tokens.refresh)))?.name ?? '',
        /NotAuthorized|UserNotFound/,
      )
      assert.ok(await failureOf(begun.answer()))
    })
  }

  test('see a new password at once', async () => {
    const { poolId, clientId } = await createShared()
    assert.ok(await signIn(two, clientId, 'ann'))
    await one.aws.adminSetUserPassword({
      UserPoolId: poolId,
      Username: 'ann',
      Password: 'An0ther-Passw0rd',
      Permanent: true,
    })
    assert.deepEqual(await failureOf(signIn(two, clientId, 'ann')), incorrect)
    assert.ok(await signIn(two, clientId, 'ann', 'An0ther-Passw0rd'))
  })

  test('see within a second that a client is gone', async () => {
    const { poolId, clientId } = await createShared()
    const other = await createClient(one, poolId, { ExplicitAuthFlows: allFlows })
    const tokens = await signIn(two, clientId, 'ann')
    assert.ok(await signIn(two, other, 'ann'))
    await one.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId })
    assert.equal((await untilRefused(() => signIn(two, clientId, 'ann'))).name, 'ResourceNotFoundException')
    assert.ok(await failureOf(refresh(two, clientId, tokens.refresh)))
    assert.ok(await signIn(two, other, 'ann'))
  })

  test('see within a second that a pool is gone', async () => {
    const { poolId, clientId } = await createShared()
    const tokens = await signIn(two, clientId, 'ann')
    await one.aws.deleteUserPool({ UserPoolId: poolId })
    assert.equal(
      (await untilRefused(() => two.aws.describeUserPool({ UserPoolId: poolId }))).name,
      'ResourceNotFoundException',
    )
    await untilRefused(() => signIn(two, clientId, 'ann'))
    await untilRefused(() => two.aws.getUser({ AccessToken: tokens.access }))
    const { status } = await fetch(`${two.url}/${poolId}/.well-known/jwks.json`)
    assert.equal(status, 404)
  })

  test('see within a second which flows a client allows', async () => {
    const { poolId, clientId } = await createShared()
    const update = (ExplicitAuthFlows: typeof allFlows) =>
      one.aws.updateUserPoolClient({ UserPoolId: poolId, ClientId: clientId, ExplicitAuthFlows })
    await update(['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'])
    assert.match(
      (await untilRefused(() => signIn(two, clientId, 'ann'))).message,
      /USER_PASSWORD_AUTH flow not enabled/,
    )
    await update(allFlows)
    await untilAccepted(() => signIn(two, clientId, 'ann'))
  })

  test('see within a second which secrets a client has', async () => {
    const { poolId } = await createShared()
    const { UserPoolClient } = await one.aws.createUserPoolClient({
      UserPoolId: poolId,
      ClientName: 'confidential',
      GenerateSecret: true,
      ExplicitAuthFlows: allFlows,
    })
    const { ClientId: clientId = '', ClientSecret: first = '' } = UserPoolClient ?? {}
    const withSecret = (secret: string) =>
      beginWithPassword(two, clientId, 'ann', password, { SECRET_HASH: secretHash('ann', clientId, secret) })
    assert.ok((await withSecret(first)).AuthenticationResult)
    const { ClientSecretDescriptor } = await one.aws.addUserPoolClientSecret({ UserPoolId: poolId, ClientId: clientId })
    const second = ClientSecretDescriptor?.ClientSecretValue ?? assert.fail('There is no second secret.')
    await untilAccepted(() => withSecret(second))
    const { ClientSecrets = [] } = await one.aws.listUserPoolClientSecrets({ UserPoolId: poolId, ClientId: clientId })
    const old = ClientSecrets.find(({ ClientSecretId }) => ClientSecretId !== ClientSecretDescriptor?.ClientSecretId)
    await one.aws.deleteUserPoolClientSecret({
      UserPoolId: poolId,
      ClientId: clientId,
      ClientSecretId: old?.ClientSecretId ?? '',
    })
    assert.equal((await untilRefused(() => withSecret(first))).name, 'NotAuthorizedException')
    assert.ok((await withSecret(second)).AuthenticationResult)
  })

  test('see within a second how a pool is set', async () => {
    const { poolId } = await createShared()
    const invite = (Username: string, TemporaryPassword: string) =>
      two.aws.adminCreateUser({ UserPoolId: poolId, Username, TemporaryPassword, MessageAction: 'SUPPRESS' })
    await invite('first', 'Sh0rt-en0ugh')
    await one.aws.updateUserPool({ UserPoolId: poolId, Policies: { PasswordPolicy: { MinimumLength: 40 } } })
    let index = 0
    assert.equal((await untilRefused(() => invite(`u${index++}`, 'Sh0rt-en0ugh'))).name, 'InvalidPasswordException')
  })

  test('accept a code once between them', async () => {
    const { clientId } = await createShared()
    for (let round = 0; round < 10; round++) {
      await one.aws.forgotPassword({ ClientId: clientId, Username: 'ann' })
      const ConfirmationCode = await two.lastCode('ann@example.com')
      const results = await Promise.allSettled(
        [one, two, one, two].map((node, index) =>
          node.aws.confirmForgotPassword({
            ClientId: clientId,
            Username: 'ann',
            ConfirmationCode,
            Password: `R0und-${round}-${index}`,
          }),
        ),
      )
      const { succeeded, errors } = outcomes(results)
      assert.equal(succeeded, 1, [...errors].join())
      assert.ok(
        [...errors].every(name => /^(ExpiredCode|CodeMismatch)Exception$/.test(name)),
        [...errors].join(),
      )
      const winner = results.findIndex(({ status }) => status === 'fulfilled')
      assert.ok(await signIn(one, clientId, 'ann', `R0und-${round}-${winner}`))
      // The limit of such messages is not what this is about.
      one.advance(seconds(3_600))
    }
  })

  test('give a name to one user between them', async () => {
    const { poolId, clientId } = await createShared({}, { AliasAttributes: ['email'] })
    for (let round = 0; round < 10; round++) {
      const signUps = [one, two, one, two].map(node =>
        node.aws.signUp({ ClientId: clientId, Username: `same-${round}`, Password: password }),
      )
      const { succeeded, errors } = outcomes(await Promise.allSettled(signUps))
      assert.deepEqual([succeeded, [...errors]], [1, ['UsernameExistsException']])
    }
    const { Users } = await one.aws.listUsers({ UserPoolId: poolId })
    assert.equal(Users?.length, 11)
  })

  test('count wrong passwords together', async () => {
    const { clientId } = await createShared()
    const failures: string[] = []
    for (let index = 0; index < 8; index++) {
      const failure = await failureOf(signIn(index % 2 === 0 ? one : two, clientId, 'ann', 'Wr0ng-Passw0rd'))
      failures.push(failure?.message ?? 'accepted')
    }
    const allowed = failures.filter(message => message === incorrect.message).length
    assert.ok(allowed >= 5 && allowed <= 6, failures.join('; '))
    assert.equal(failures.at(-1), 'Password attempts exceeded')
    assert.deepEqual((await failureOf(signIn(two, clientId, 'ann')))?.message, 'Password attempts exceeded')
  })

  test('share the outbox', async () => {
    const { poolId, clientId } = await createShared()
    await one.aws.signUp({
      ClientId: clientId,
      Username: 'bob',
      Password: password,
      UserAttributes: [email('bob@example.com')],
    })
    const ConfirmationCode = await two.lastCode('bob@example.com')
    await two.aws.confirmSignUp({ ClientId: clientId, Username: 'bob', ConfirmationCode })
    assert.equal((await one.aws.adminGetUser({ UserPoolId: poolId, Username: 'bob' })).UserStatus, 'CONFIRMED')
  })

  test('logged no error in all that', () => {
    for (const { logged } of [one, two])
      assert.deepEqual(
        logged.filter(({ level }) => level === 'error'),
        [],
      )
  })
})
