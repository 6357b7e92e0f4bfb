import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { days, minutes, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  answerIn,
  authorizeUrl,
  browserOf,
  callback,
  codeFor,
  createOAuthClient,
  createOAuthPool,
  type Fields,
  type OAuthClient,
  redeem,
  visit,
} from '../../../test/support/oauth.ts'
import { email } from '../../../test/support/pools.ts'
import { claimsOf, createUser, failureOf, notAuthorized } from '../../../test/support/sign-in.ts'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  before(async () => {
    app = await testApp()
    client = await createOAuthPool(app)
    await createUser(app, client.poolId, 'ann')
  })

  /** `code` when the session is taken up, `login` when the user is asked, else the error. */
  const outcome = async (cookie: string, fields: Fields = {}, of = client): Promise<string> => {
    const { location } = await visit(authorizeUrl(app, of, fields), { cookie })
    if (location?.startsWith('/login?')) return 'login'
    if (location?.startsWith('https://corp.example/')) return 'provider'
    const answer = answerIn(location)
    return answer.get('error') ?? (answer.has('code') ? 'code' : String(location))
  }
  const track = (poolId: string) =>
    app.aws.setUserPoolSessionConfiguration({
      UserPoolId: poolId,
      UserSessionTracking: 'ENABLED',
      TokenSession: { MaxPerUser: 20 },
    })
  const reuseFor = ({ poolId, clientId }: OAuthClient, MaxValidityMinutes: number) =>
    app.aws.setUserPoolClientSessionConfiguration({
      UserPoolId: poolId,
      ClientId: clientId,
      SSOSession: { MaxValidityMinutes },
    })

  test('a session is good for every client of the pool, for an hour from the sign-in and no longer', async () => {
    const second = await createOAuthClient(app, client.poolId)
    const cookie = await browserOf(app, client, 'ann')
    const signedInAt = Math.floor(app.now() / 1_000)
    app.advance(minutes(59))
    assert.equal(await outcome(cookie, {}, second), 'code')
    const { json } = await redeem(app, second, await codeFor(app, second, cookie))
    const claims = claimsOf(String(json['id_token']))
    assert.deepEqual([claims['auth_time'], claims['amr']], [signedInAt, ['pwd']])
    app.advance(minutes(1))
    assert.equal(await outcome(cookie), 'login')
  })

  test('the application decides when the user has to sign in again', async () => {
    const cookie = await browserOf(app, client, 'ann')
    assert.equal(await outcome(cookie, { prompt: 'none' }), 'code')
    assert.equal(await outcome(cookie, { prompt: 'login' }), 'login')
    assert.equal(await outcome(cookie, { prompt: 'login consent' }), 'login')
    assert.equal(await outcome(cookie, { prompt: 'consent' }), 'code')
    assert.equal(await outcome(cookie, { prompt: 'nonsense' }), 'code')
    assert.equal(await outcome(cookie, { max_age: '0' }), 'login')
    assert.equal(await outcome(cookie, { max_age: '0', prompt: 'none' }), 'login_required')
    app.advance(seconds(31))
    assert.equal(await outcome(cookie, { max_age: '60' }), 'code')
    assert.equal(await outcome(cookie, { max_age: '30' }), 'login')
    assert.equal(await outcome('', { prompt: 'none' }), 'login_required')
    const { location } = await visit(authorizeUrl(app, client, { prompt: 'none', state: 's', response_type: 'token' }))
    assert.equal(location, `${callback}#state=s&error=login_required`)
  })

  test('an application that means another user does not get the one of the browser', async () => {
    await createUser(app, client.poolId, 'hinted')
    const [ann, ben] = await Promise.all(['ann', 'hinted'].map(name => browserOf(app, client, name)))
    const tokensOf = async (cookie: string) => (await redeem(app, client, await codeFor(app, client, cookie))).json
    const [ofAnn, ofBen] = [await tokensOf(ann ?? ''), await tokensOf(ben ?? '')]
    const ask = async (fields: Fields) =>
      (await visit(authorizeUrl(app, client, fields), { cookie: ann ?? '' })).location
    const hintOf = (tokens: Record<string, unknown>) => ({ id_token_hint: String(tokens['id_token']) })
    assert.match((await ask({ ...hintOf(ofAnn), prompt: 'none' })) ?? '', /[?&]code=/)
    assert.match((await ask({ ...hintOf(ofBen), prompt: 'none' })) ?? '', /[?&]error=login_required/)
    assert.match((await ask(hintOf(ofBen))) ?? '', /^\/login\?/)
    // What is no ID token of the pool says nothing, as in Cognito.
    const forged = `${String(ofBen['id_token']).slice(0, -8)}AAAAAAAA`
    for (const id_token_hint of ['x', forged, String(ofBen['access_token'])]) {
      assert.match((await ask({ id_token_hint })) ?? '', /[?&]code=/)
    }
  })

  test('a client whose users come from elsewhere does not take up a session of the pool', async () => {
    await app.aws.createIdentityProvider({
      UserPoolId: client.poolId,
      ProviderName: 'Corp',
      ProviderType: 'OIDC',
      ProviderDetails: {
        client_id: 'x',
        client_secret: 'x',
        oidc_issuer: 'https://corp.example',
        attributes_request_method: 'GET',
        authorize_scopes: 'openid',
        authorize_url: 'https://corp.example/a',
        token_url: 'https://corp.example/t',
        attributes_url: 'https://corp.example/u',
        jwks_uri: 'https://corp.example/j',
      },
      IdpIdentifiers: ['corp.example'],
    })
    const corp = await createOAuthClient(app, client.poolId, { SupportedIdentityProviders: ['Corp'] })
    const both = await createOAuthClient(app, client.poolId, { SupportedIdentityProviders: ['Corp', 'COGNITO'] })
    const cookie = await browserOf(app, client, 'ann')
    assert.equal(await outcome(cookie, {}, corp), 'provider')
    assert.equal(await outcome(cookie, {}, both), 'code')
    assert.equal(await outcome(cookie, { identity_provider: 'COGNITO' }, both), 'code')
    assert.equal(await outcome(cookie, { identity_provider: 'Corp' }, both), 'provider')
    assert.equal(await outcome(cookie, { idp_identifier: 'corp.example' }, both), 'provider')
    assert.equal(await outcome(cookie, { idp_identifier: 'corp.example', prompt: 'none' }, both), 'login_required')
  })

  test('the session of another pool is nobody here, whatever the cookie is called', async () => {
    const foreign = await createOAuthPool(app)
    await createUser(app, foreign.poolId, 'ann')
    const cookie = await browserOf(app, foreign, 'ann')
    assert.equal(await outcome(cookie), 'login')
    const own = await browserOf(app, client, 'ann')
    assert.equal(await outcome(`${own.split('=')[0]}=${cookie.split('=')[1]}`), 'login')
    assert.equal(await outcome(`${cookie}; ${own}`), 'code')
  })

  test('a cookie that was made up or changed is none', async () => {
    const cookie = await browserOf(app, client, 'ann')
    const [name = '', value = ''] = cookie.split('=')
    const [id, secret = ''] = value.split('.')
    for (const wrong of [
      '',
      'x',
      `${id}`,
      `${id}.`,
      `${id}.${secret.slice(1)}`,
      `${id}.${'A'.repeat(43)}`,
      `${id}.${secret}x`,
      `sso${'a'.repeat(25)}.${secret}`,
      `.${secret}`,
      `${id}.${secret}; x`.repeat(50),
    ]) {
      assert.equal(await outcome(`${name}=${wrong}`), wrong.includes(`${secret};`) ? 'code' : 'login', wrong)
    }
    assert.equal(await outcome(`${'a=b; '.repeat(300)}${cookie}`), 'code')
  })

  test('each sign-in makes a new session, and the one that the browser had before ends', async () => {
    await createUser(app, client.poolId, 'ben')
    const planted = await browserOf(app, client, 'ben')
    const cookie = await browserOf(app, client, 'ann', { cookie: planted })
    assert.notEqual(cookie, planted)
    assert.equal(await outcome(planted), 'login')
    const { json } = await redeem(app, client, await codeFor(app, client, cookie))
    assert.equal(claimsOf(String(json['access_token']))['username'], 'ann')
    // A made-up key is not taken over.
    const chosen = `${cookie.split('=')[0]}=sso${'z'.repeat(25)}.${'z'.repeat(43)}`
    assert.notEqual(await browserOf(app, client, 'ann', { cookie: chosen }), chosen)
  })

  test('a session ends with the user, with his password and with signing out everywhere', async () => {
    const ids = (Username: string) => ({ UserPoolId: client.poolId, Username })
    const endings: Record<string, (name: string) => Promise<unknown>> = {
      disabled: name => app.aws.adminDisableUser(ids(name)),
      deleted: name => app.aws.adminDeleteUser(ids(name)),
      changed: name => app.aws.adminSetUserPassword({ ...ids(name), Password: 'An0ther!pass', Permanent: true }),
      reset: name => app.aws.adminResetUserPassword(ids(name)),
      everywhere: name => app.aws.adminUserGlobalSignOut(ids(name)),
    }
    for (const [name, end] of Object.entries(endings)) {
      await createUser(app, client.poolId, name, [
        email(`${name}@example.com`),
        { Name: 'email_verified', Value: 'true' },
      ])
      const cookie = await browserOf(app, client, name)
      assert.equal(await outcome(cookie), 'code')
      await end(name)
      assert.equal(await outcome(cookie), 'login', name)
      assert.equal(await outcome(cookie, { prompt: 'none' }), 'login_required', name)
    }
  })

  test('while sessions are tracked each client says how long it takes them up', async () => {
    const long = await createOAuthPool(app)
    await createUser(app, long.poolId, 'ann')
    await track(long.poolId)
    const [never, usual] = [await createOAuthClient(app, long.poolId), await createOAuthClient(app, long.poolId)]
    await reuseFor(long, 129_600)
    await reuseFor(never, 0)
    const cookie = await browserOf(app, never, 'ann')
    assert.equal(await outcome(cookie, {}, never), 'login')
    assert.equal(await outcome(cookie, {}, usual), 'code')
    app.advance(minutes(61))
    assert.equal(await outcome(cookie, {}, usual), 'login')
    assert.equal(await outcome(cookie, {}, long), 'code')
    app.advance(days(89))
    assert.equal(await outcome(cookie, {}, long), 'code')
    app.advance(days(1))
    assert.equal(await outcome(cookie, {}, long), 'login')
  })

  test('tracked sessions of browsers are listed, know their tokens, and are ended alone or together', async () => {
    const tracked = await createOAuthPool(app)
    const { poolId } = tracked
    await track(poolId)
    await createUser(app, poolId, 'ann')
    const ids = { UserPoolId: poolId, Username: 'ann' }
    const list = async () => (await app.aws.adminListUserSessions(ids)).Sessions ?? []
    const ofType = async (type: string) => (await list()).filter(({ SessionType }) => SessionType === type)
    const begin = async () => {
      const cookie = await browserOf(app, tracked, 'ann')
      const tokens = async () => (await redeem(app, tracked, await codeFor(app, tracked, cookie))).json
      return { cookie, tokens: [await tokens(), await tokens()] }
    }
    const endAll = async () => {
      for (const { SessionId } of await list())
        await app.aws.adminRevokeUserSession({ ...ids, SessionId: SessionId ?? '' })
    }
    const { cookie } = await begin()
    const [browser] = await ofType('SSO')
    assert.match(browser?.SessionId ?? '', /^sso[a-z0-9]{25}$/)
    assert.equal(browser?.ClientId, tracked.clientId)
    const children = await ofType('TOKEN')
    assert.deepEqual(
      children.map(({ OriginSessionId }) => OriginSessionId),
      [browser?.SessionId, browser?.SessionId],
    )
    app.advance(minutes(5))
    await codeFor(app, tracked, cookie)
    assert.equal((await ofType('SSO'))[0]?.LastActiveDate?.getTime(), app.now())

    // NONE: the target alone.
    await app.aws.adminRevokeUserSession({ ...ids, SessionId: browser?.SessionId ?? '' })
    assert.equal(await outcome(cookie, {}, tracked), 'login')
    assert.equal((await ofType('TOKEN')).length, 2)
    await endAll()

    // LINKED, from the browser: all of its tokens.
    const second = await begin()
    const [parent] = await ofType('SSO')
    await app.aws.adminRevokeUserSession({
      ...ids,
      SessionId: parent?.SessionId ?? '',
      RevokeAssociatedSessions: 'LINKED',
    })
    assert.deepEqual(await list(), [])
    for (const tokens of second.tokens) {
      const AccessToken = String(tokens['access_token'])
      assert.deepEqual(
        await failureOf(app.aws.getUser({ AccessToken })),
        notAuthorized('Access Token has been revoked'),
      )
    }

    // LINKED, from tokens: their browser, and not what else came of it.
    const third = await begin()
    const [mine, other] = third.tokens.map(tokens => String(tokens['access_token']))
    const own = (await app.aws.listUserSessions({ AccessToken: mine })).Sessions ?? []
    assert.equal(own.filter(({ IsCurrentSession }) => IsCurrentSession).length, 1)
    const target = own.find(it => it.SessionType === 'TOKEN' && !it.IsCurrentSession)?.SessionId ?? ''
    await app.aws.revokeUserSession({ AccessToken: mine, SessionId: target, RevokeAssociatedSessions: 'LINKED' })
    assert.equal(await outcome(third.cookie, {}, tracked), 'login')
    await app.aws.getUser({ AccessToken: mine })
    assert.equal((await failureOf(app.aws.getUser({ AccessToken: other })))?.name, 'NotAuthorizedException')
    await endAll()

    // A user does not end the tokens that he speaks with, not even by way of their browser.
    const fourth = await begin()
    const AccessToken = String(fourth.tokens[0]?.['access_token'])
    const [its] = await ofType('SSO')
    const revocation = { AccessToken, SessionId: its?.SessionId ?? '', RevokeAssociatedSessions: 'LINKED' as const }
    assert.equal((await failureOf(app.aws.revokeUserSession(revocation)))?.name, 'InvalidParameterException')
    assert.equal(await outcome(fourth.cookie, {}, tracked), 'code')

    // RevokeToken with LINKED.
    const Token = String(fourth.tokens[1]?.['refresh_token'])
    await app.aws.revokeToken({ ClientId: tracked.clientId, Token, RevokeAssociatedSessions: 'LINKED' })
    assert.equal(await outcome(fourth.cookie, {}, tracked), 'login')
    await app.aws.getUser({ AccessToken })
  })

  test('the session of another user is not to be ended by its id', async () => {
    const tracked = await createOAuthPool(app)
    await track(tracked.poolId)
    for (const name of ['ann', 'eve']) await createUser(app, tracked.poolId, name)
    const cookie = await browserOf(app, tracked, 'ann')
    const eve = await redeem(app, tracked, await codeFor(app, tracked, await browserOf(app, tracked, 'eve')))
    const { Sessions = [] } = await app.aws.adminListUserSessions({ UserPoolId: tracked.poolId, Username: 'ann' })
    const revocation = { AccessToken: String(eve.json['access_token']), SessionId: Sessions[0]?.SessionId ?? '' }
    assert.equal((await failureOf(app.aws.revokeUserSession(revocation)))?.name, 'ResourceNotFoundException')
    assert.equal(await outcome(cookie, {}, tracked), 'code')
  })

  test('sessions, codes and what hangs on them are swept when they are over', async () => {
    const cookie = await browserOf(app, client, 'ann')
    await codeFor(app, client, cookie)
    app.advance(days(91))
    await app.app.tick()
    for (const table of ['browser_sessions', 'authorization_codes'] as const) {
      assert.deepEqual(await app.database.db.selectFrom(table).selectAll().execute(), [])
    }
  })
})

test('over https the cookie belongs to the host alone and never travels in the open', async () => {
  await using app = await openTestApp('sqlite', { publicUrl: 'https://id.example.com' })
  const client = await createOAuthPool(app)
  await createUser(app, client.poolId, 'ann')
  const { contextOfTest } = await import('../../../test/support/oauth.ts')
  const { beginBrowserSession } = await import('./single-sign-on.ts')
  const { findPool } = await import('../user-pools/pool.ts')
  const { findClient } = await import('../app-clients/client.ts')
  const { getUserByName } = await import('../users/user.ts')
  const ctx = { ...contextOfTest(app), publicUrl: 'https://id.example.com' }
  const [pool, found] = [await findPool(ctx, client.poolId), await findClient(ctx, client.clientId)]
  assert.ok(pool !== undefined && found !== undefined)
  const proof = { user: await getUserByName(ctx, pool, 'ann'), factors: ['pwd' as const] }
  const { cookie } = await beginBrowserSession(ctx, pool, found, proof, undefined)
  assert.match(cookie, /^__Host-cognito-\w+=\S+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure$/)
  const { location, headers } = await visit(authorizeUrl(app, client), { cookie: cookie.split(';')[0] ?? '' })
  assert.ok(location?.startsWith(`${callback}?code=`))
  assert.match(headers.get('strict-transport-security') ?? '', /max-age=31536000/)
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})

test('the implicit grant answers with tokens in the fragment and never with a refresh token', async () => {
  await using app = await openTestApp('sqlite')
  const client = await createOAuthPool(app)
  await createUser(app, client.poolId, 'ann')
  const cookie = await browserOf(app, client, 'ann')
  const ask = async (fields: Fields) =>
    (await visit(authorizeUrl(app, client, { response_type: 'token', ...fields }), { cookie })).location
  const location = await ask({ state: 's', nonce: 'n', resource: 'https://api.example/' })
  assert.ok(location?.startsWith(`${callback}#`))
  const answer = answerIn(location)
  assert.deepEqual([...answer.keys()], ['id_token', 'access_token', 'token_type', 'expires_in', 'state'])
  const [id, access] = [claimsOf(answer.get('id_token') ?? ''), claimsOf(answer.get('access_token') ?? '')]
  assert.deepEqual([id['nonce'], access['aud'], access['version']], ['n', 'https://api.example/', 2])
  assert.ok(typeof id['at_hash'] === 'string')
  await app.aws.getUser({ AccessToken: answer.get('access_token') ?? '' })
  assert.equal(answerIn(await ask({ scope: 'aws.cognito.signin.user.admin' })).get('id_token'), null)
})

test('a function that refuses the tokens of the implicit grant is quoted to the application', async () => {
  await using app = await openTestApp('sqlite')
  const PreTokenGeneration = app.lambda('refuse', () => {
    throw new Error('no tokens today')
  })
  const client = await createOAuthPool(app, {}, { LambdaConfig: { PreTokenGeneration } })
  await createUser(app, client.poolId, 'ann')
  const cookie = await browserOf(app, client, 'ann')
  const { location } = await visit(authorizeUrl(app, client, { response_type: 'token', state: 's' }), { cookie })
  assert.equal(
    location,
    `${callback}#error_description=PreTokenGeneration+failed+with+error+no+tokens+today.&state=s&error=invalid_request`,
  )
})
