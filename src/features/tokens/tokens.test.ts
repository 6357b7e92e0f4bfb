import assert from 'node:assert/strict'
import { createHmac, sign } from 'node:crypto'
import { test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { hours, minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import { createClient, email, phone } from '../../../test/support/pools.ts'
import {
  allFlows,
  claimsOf,
  createSignInPool,
  createUser,
  failureOf,
  notAuthorized,
  refresh,
  signIn,
  tokensOf,
} from '../../../test/support/sign-in.ts'
import { getPool } from '../user-pools/pool.ts'
import { getSigningKeys, type SigningKeys } from '../user-pools/signing-keys.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const invalid = notAuthorized('Invalid Access Token')
const badSignature = notAuthorized('Could not verify signature for Access Token')
const expired = notAuthorized('Access Token has expired')
const revoked = notAuthorized('Access Token has been revoked')
const unscoped = notAuthorized('Access Token does not have required scopes')

const use = (app: TestApp, token: string) => failureOf(app.aws.getUser({ AccessToken: token }))

const keysOf = async (app: TestApp, poolId: string): Promise<SigningKeys> => {
  const ctx = {
    ...app.app.services,
    requestId: '',
    region: 'us-east-1',
    publicUrl: app.url,
    sourceIp: '',
    userAgent: '',
  }
  return getSigningKeys(ctx, await getPool(ctx, poolId))
}

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token that says whatever the test wants, signed with a key of the pool. */
const forge = (
  key: SigningKeys['access'],
  claims: unknown,
  header: unknown = { kid: key.kid, alg: 'RS256' },
): string => {
  const text = `${base64url(header)}.${base64url(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), key.privateKey).toString('base64url')}`
}

onEachDatabase(testApp => {
  let shared: Promise<TestApp> | undefined
  const oneApp = (): Promise<TestApp> => (shared ??= testApp())

  test('the tokens say what they should and verify with the keys that the pool publishes', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(
      app,
      {},
      {
        Schema: [{ Name: 'level', AttributeDataType: 'Number', Mutable: true }],
      },
    )
    await createUser(app, poolId, 'ann', [
      email('ann@example.com'),
      phone('+15551234567'),
      { Name: 'email_verified', Value: 'True' },
      { Name: 'address', Value: 'Main Street 1' },
      { Name: 'custom:level', Value: '12' },
    ])
    const { access, id } = await signIn(app, clientId, 'ann')
    const issuer = `${app.url}/${poolId}`
    const now = Math.floor(app.now() / 1_000)
    const { jti, origin_jti, event_id, sub, ...accessRest } = claimsOf(access)
    for (const value of [jti, origin_jti, event_id, sub]) assert.match(String(value), uuid)
    assert.deepEqual(accessRest, {
      iss: issuer,
      client_id: clientId,
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      auth_time: now,
      acr: 'urn:cognito:loa:1',
      amr: ['pwd'],
      exp: now + 3_600,
      iat: now,
      username: 'ann',
    })
    const { jti: idJti, ...idRest } = claimsOf(id)
    assert.notEqual(idJti, jti)
    assert.deepEqual(idRest, {
      sub,
      email_verified: true,
      iss: issuer,
      phone_number_verified: false,
      'cognito:username': 'ann',
      origin_jti,
      aud: clientId,
      event_id,
      token_use: 'id',
      auth_time: now,
      acr: 'urn:cognito:loa:1',
      amr: ['pwd'],
      exp: now + 3_600,
      iat: now,
      address: { formatted: 'Main Street 1' },
      'custom:level': '12',
      email: 'ann@example.com',
      phone_number: '+15551234567',
    })

    const jwks = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
    const kids = new Set<string | undefined>()
    for (const token of [access, id]) {
      const { protectedHeader } = await jwtVerify(token, jwks, {
        issuer,
        algorithms: ['RS256'],
        currentDate: new Date(app.now()),
      })
      assert.deepEqual(Object.keys(protectedHeader), ['kid', 'alg'])
      kids.add(protectedHeader.kid)
    }
    assert.equal(kids.size, 2)
  })

  test('the tokens of a new sign-in share nothing with those of the last', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const tokens = [await signIn(app, clientId, 'ann'), await signIn(app, clientId, 'ann')]
    const claims = tokens.flatMap(({ access, id }) => [claimsOf(access), claimsOf(id)])
    assert.equal(new Set(claims.map(({ jti }) => jti)).size, 4)
    assert.equal(new Set(claims.map(({ origin_jti }) => origin_jti)).size, 2)
    assert.equal(new Set(claims.map(({ event_id }) => event_id)).size, 2)
  })

  test('groups and roles are in the tokens as they are at the time', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const first = await signIn(app, clientId, 'ann')
    assert.equal('cognito:groups' in claimsOf(first.access), false)
    const arn = (name: string) => `arn:aws:iam::123456789012:role/${name}`
    for (const [name, role, precedence] of [
      ['staff', 'staff', 2],
      ['admins', 'admins', 1],
      ['guests', undefined, 0],
    ] as const) {
      await app.aws.createGroup({
        UserPoolId: poolId,
        GroupName: name,
        Precedence: precedence,
        ...(role !== undefined && { RoleArn: arn(role) }),
      })
      await app.aws.adminAddUserToGroup({ UserPoolId: poolId, Username: 'ann', GroupName: name })
    }
    const { access, id } = tokensOf(await refresh(app, clientId, first.refresh))
    assert.deepEqual(claimsOf(access)['cognito:groups'], ['admins', 'guests', 'staff'])
    assert.equal('cognito:roles' in claimsOf(access), false)
    assert.deepEqual(claimsOf(id)['cognito:groups'], ['admins', 'guests', 'staff'])
    assert.deepEqual(claimsOf(id)['cognito:roles'], [arn('admins'), arn('staff')])
    assert.equal(claimsOf(id)['cognito:preferred_role'], arn('admins'))
  })

  test('the client decides on lifetimes, readable attributes and revocation', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann', [email('ann@example.com'), { Name: 'name', Value: 'Ann' }])
    const clientId = await createClient(app, poolId, {
      ExplicitAuthFlows: allFlows,
      AccessTokenValidity: 10,
      IdTokenValidity: 20,
      TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'minutes' },
      ReadAttributes: ['name'],
      EnableTokenRevocation: false,
    })
    const { access, id, refresh: token } = await signIn(app, clientId, 'ann')
    const [accessToken, idToken] = [claimsOf(access), claimsOf(id)]
    assert.equal(Number(accessToken['exp']) - Number(accessToken['iat']), 600)
    assert.equal(Number(idToken['exp']) - Number(idToken['iat']), 1_200)
    assert.equal(idToken['name'], 'Ann')
    assert.equal('email' in idToken || 'email_verified' in idToken, false)
    for (const claims of [accessToken, idToken]) assert.equal('jti' in claims || 'origin_jti' in claims, false)
    assert.equal(await use(app, access), undefined)
    assert.deepEqual(await failureOf(app.aws.revokeToken({ ClientId: clientId, Token: token })), {
      name: 'UnsupportedOperationException',
      message: 'Token revocation is not enabled for the client.',
    })
    await app.aws.globalSignOut({ AccessToken: access })
    assert.deepEqual(await use(app, access), revoked)
    assert.deepEqual(await failureOf(refresh(app, clientId, token)), notAuthorized('Refresh Token has been revoked'))
  })

  test('an access token works for its lifetime', async () => {
    const app = await testApp()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const { access } = await signIn(app, clientId, 'ann')
    const lifetimeMs = hours(1) - (app.now() % 1_000)
    app.advance(lifetimeMs - 1)
    assert.equal(await use(app, access), undefined)
    app.advance(1)
    assert.deepEqual(await use(app, access), expired)
    app.advance(-hours(1) - minutes(1))
    assert.deepEqual(await use(app, access), invalid, 'a token from the future')
  })

  test('nothing but an access token of the pool is taken for one', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    const other = await createSignInPool(app)
    for (const pool of [poolId, other.poolId]) await createUser(app, pool, 'ann')
    const own = await signIn(app, clientId, 'ann')
    const foreign = await signIn(app, other.clientId, 'ann')
    const keys = await keysOf(app, poolId)
    const foreignKeys = await keysOf(app, other.poolId)
    const claims = claimsOf(own.access)
    const now = Math.floor(app.now() / 1_000)

    assert.equal(await use(app, forge(keys.access, claims)), undefined, 'the forge itself works')
    const [header = '', payload = '', signature = ''] = own.access.split('.')
    const publicPem = keys.access.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const hmacText = `${base64url({ kid: keys.access.kid, alg: 'HS256' })}.${payload}`
    const table: [string, string, unknown][] = [
      ['an ID token', own.id, invalid],
      ['a refresh token', own.refresh, invalid],
      ['no token', 'abc', invalid],
      ['no signature', `${header}.${payload}.`, invalid],
      ['a fourth part', `${own.access}.x`, invalid],
      ['the signature of another token', `${header}.${payload}.${foreign.access.split('.')[2]}`, badSignature],
      [
        'other claims under the signature',
        `${header}.${base64url({ ...claims, username: 'ben' })}.${signature}`,
        badSignature,
      ],
      ['alg none', `${base64url({ kid: keys.access.kid, alg: 'none' })}.${payload}.${signature}`, invalid],
      [
        'HS256 with the public key',
        `${hmacText}.${createHmac('sha256', publicPem).update(hmacText).digest('base64url')}`,
        invalid,
      ],
      ['the key of ID tokens', forge(keys.id, claims), invalid],
      ['the key of ID tokens under the other kid', forge({ ...keys.id, kid: keys.access.kid }, claims), badSignature],
      ['the key of another pool', forge(foreignKeys.access, claims), invalid],
      ['the client of another pool', forge(keys.access, { ...claims, client_id: other.clientId }), invalid],
      ['a client that is not there', forge(keys.access, { ...claims, client_id: 'gone' }), invalid],
      ['a client id that is no text', forge(keys.access, { ...claims, client_id: ['x'] }), invalid],
      ['a client id with a NUL', forge(keys.access, { ...claims, client_id: 'a\0' }), invalid],
      ['another issuer', forge(keys.access, { ...claims, iss: `${app.url}/${other.poolId}` }), invalid],
      ['another use', forge(keys.access, { ...claims, token_use: 'id' }), invalid],
      ['no expiry', forge(keys.access, { ...claims, exp: undefined }), invalid],
      ['an expiry that is text', forge(keys.access, { ...claims, exp: String(now + 60) }), invalid],
      ['an expiry with a fraction', forge(keys.access, { ...claims, exp: now + 60.5 }), invalid],
      ['an enormous expiry', forge(keys.access, { ...claims, exp: 1e20 }), invalid],
      ['expired', forge(keys.access, { ...claims, exp: now }), expired],
      ['from the future', forge(keys.access, { ...claims, iat: now + 31 }), invalid],
      ['another scope', forge(keys.access, { ...claims, scope: 'openid' }), unscoped],
      [
        'a scope that contains it',
        forge(keys.access, { ...claims, scope: 'xaws.cognito.signin.user.adminx' }),
        unscoped,
      ],
      [
        'no user',
        forge(keys.access, { ...claims, sub: 'nobody' }),
        { name: 'UserNotFoundException', message: 'User does not exist.' },
      ],
      ['another event', forge(keys.access, { ...claims, event_id: crypto.randomUUID() }), revoked],
      ['an event id that is none', forge(keys.access, { ...claims, event_id: 'x' }), revoked],
      ['expired and of another scope', forge(keys.access, { ...claims, exp: now, scope: 'openid' }), expired],
    ]
    for (const [title, token, expected] of table) assert.deepEqual(await use(app, token), expected, title)
    const unwelcome = await failureOf(app.aws.getUser({ AccessToken: 'a b' }))
    assert.equal(unwelcome?.name, 'InvalidParameterException')
    assert.deepEqual(app.logged, [])
  })

  test('a token is refused once its session, client or user has ended', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    const name = { UserPoolId: poolId, Username: 'ann' }
    await createUser(app, poolId, 'ann', [email('ann@example.com'), { Name: 'email_verified', Value: 'true' }])

    const first = await signIn(app, clientId, 'ann')
    const second = await signIn(app, clientId, 'ann')
    await app.aws.revokeToken({ ClientId: clientId, Token: first.refresh })
    assert.deepEqual(await use(app, first.access), revoked)
    assert.equal(await use(app, second.access), undefined)
    assert.deepEqual(await failureOf(app.aws.globalSignOut({ AccessToken: first.access })), revoked)

    await app.aws.globalSignOut({ AccessToken: second.access })
    assert.deepEqual(await use(app, second.access), revoked)
    assert.deepEqual(await failureOf(app.aws.globalSignOut({ AccessToken: second.access })), revoked)

    const third = await signIn(app, clientId, 'ann')
    assert.equal(await use(app, third.access), undefined)
    await app.aws.adminUserGlobalSignOut(name)
    assert.deepEqual(await use(app, third.access), revoked)

    const fourth = await signIn(app, clientId, 'ann')
    await app.aws.adminDisableUser(name)
    assert.deepEqual(await use(app, fourth.access), revoked)
    await app.aws.adminEnableUser(name)
    assert.deepEqual(await use(app, fourth.access), revoked)

    const fifth = await signIn(app, clientId, 'ann')
    await app.aws.adminResetUserPassword(name)
    assert.deepEqual(await use(app, fifth.access), {
      name: 'PasswordResetRequiredException',
      message: 'Password reset required for the user',
    })
    await app.aws.adminSetUserPassword({ ...name, Password: 'Passw0rd!', Permanent: true })
    assert.equal(await use(app, fifth.access), undefined)

    const client = await createClient(app, poolId, { ExplicitAuthFlows: allFlows })
    const sixth = await signIn(app, client, 'ann')
    await app.aws.deleteUserPoolClient({ UserPoolId: poolId, ClientId: client })
    assert.deepEqual(await use(app, sixth.access), invalid)

    await app.aws.adminDeleteUser(name)
    assert.deepEqual(await use(app, fifth.access), { name: 'UserNotFoundException', message: 'User does not exist.' })
  })

  test('what ends a session on one node ends it on the others', async () => {
    const app = await testApp({ publicUrl: 'https://id.example' })
    if (app.kind !== 'postgres') return
    const node = await app.secondNode()
    const { poolId, clientId } = await createSignInPool(app)
    await createUser(app, poolId, 'ann')
    const [one, two, three] = [
      await signIn(app, clientId, 'ann'),
      await signIn(app, clientId, 'ann'),
      await signIn(node, clientId, 'ann'),
    ]
    for (const { access } of [one, two, three])
      for (const at of [app, node]) assert.equal(await use(at, access), undefined)
    await node.aws.revokeToken({ ClientId: clientId, Token: one.refresh })
    assert.deepEqual(await use(app, one.access), revoked)
    assert.equal(await use(app, two.access), undefined)
    await node.aws.globalSignOut({ AccessToken: two.access })
    for (const { access } of [two, three]) assert.deepEqual(await use(app, access), revoked)
    await node.close()
  })

  test('RevokeToken ends one session and answers what is not there like what is', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app)
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId: poolId,
      ClientName: 'confidential',
      GenerateSecret: true,
      ExplicitAuthFlows: allFlows,
    })
    const other = { ClientId: UserPoolClient?.ClientId ?? '', ClientSecret: UserPoolClient?.ClientSecret ?? '' }
    await createUser(app, poolId, 'ann')
    const { access, id, refresh: token } = await signIn(app, clientId, 'ann')
    const unauthorized = { name: 'UnauthorizedException', message: 'Invalid client secret' }
    const unsupported = { name: 'UnsupportedTokenTypeException', message: 'Unsupported token type' }
    const refused: [string, Parameters<typeof app.aws.revokeToken>[0], unknown][] = [
      ['an access token', { ClientId: clientId, Token: access }, unsupported],
      ['an ID token', { ClientId: clientId, Token: id }, unsupported],
      ['an unknown client', { ClientId: 'nosuchclient', Token: token }, unauthorized],
      ['the token of another client', { ...other, Token: token }, unauthorized],
      ['a missing secret', { ClientId: other.ClientId, Token: token }, unauthorized],
      ['a wrong secret', { ...other, ClientSecret: 'x'.repeat(52), Token: token }, unauthorized],
      [
        'a secret for a public client',
        { ClientId: clientId, ClientSecret: other.ClientSecret, Token: token },
        unauthorized,
      ],
    ]
    for (const [title, input, expected] of refused)
      assert.deepEqual(await failureOf(app.aws.revokeToken(input)), expected, title)
    for (const garbage of ['abc', 'a.b.c', token.slice(0, -1), '....']) {
      await app.aws.revokeToken({ ClientId: clientId, Token: garbage })
    }
    assert.equal(await use(app, access), undefined)
    const refreshed = tokensOf(await refresh(app, clientId, token))
    await app.aws.revokeToken({ ClientId: clientId, Token: token })
    await app.aws.revokeToken({ ClientId: clientId, Token: token })
    for (const dead of [access, refreshed.access]) assert.deepEqual(await use(app, dead), revoked)
    assert.deepEqual(await failureOf(refresh(app, clientId, token)), notAuthorized('Refresh Token has been revoked'))
  })

  test('a revocation is kept as long as a token of the session can be', async () => {
    const app = await testApp()
    const { poolId } = await createSignInPool(app)
    const clientId = await createClient(app, poolId, {
      ExplicitAuthFlows: allFlows,
      RefreshTokenValidity: 1,
      AccessTokenValidity: 1,
      TokenValidityUnits: { RefreshToken: 'days', AccessToken: 'days' },
    })
    await createUser(app, poolId, 'ann')
    const { refresh: token } = await signIn(app, clientId, 'ann')
    app.advance(hours(24) - seconds(1))
    const last = tokensOf(await refresh(app, clientId, token))
    await app.aws.revokeToken({ ClientId: clientId, Token: token })
    app.advance(hours(24) - seconds(1))
    await app.app.tick()
    assert.deepEqual(await use(app, last.access), revoked)
    app.advance(hours(1))
    await app.app.tick()
    assert.deepEqual(await app.database.db.selectFrom('revoked_sessions').selectAll().execute(), [])
    assert.deepEqual(await use(app, last.access), expired)
  })

  test('AdminUserGlobalSignOut names a user of its pool', async () => {
    const app = await oneApp()
    const { poolId } = await createSignInPool(app)
    const other = await createSignInPool(app)
    await createUser(app, other.poolId, 'ann')
    const { access } = await signIn(app, other.clientId, 'ann')
    assert.deepEqual(await failureOf(app.aws.adminUserGlobalSignOut({ UserPoolId: poolId, Username: 'ann' })), {
      name: 'UserNotFoundException',
      message: 'User does not exist.',
    })
    assert.equal(await use(app, access), undefined)
  })

  test('the levels of authentication have the names that the pool gives them, and none on the LITE tier', async () => {
    const app = await oneApp()
    const { poolId, clientId } = await createSignInPool(app, {}, { UserPoolTier: 'LITE' })
    await createUser(app, poolId, 'ann')
    const { access, id } = await signIn(app, clientId, 'ann')
    for (const token of [access, id]) assert.equal('acr' in claimsOf(token) || 'amr' in claimsOf(token), false)
    const named = await createSignInPool(app, {}, { AcrConfiguration: { Level1: { AcrValue: 'urn:low' } } })
    await createUser(app, named.poolId, 'ann')
    assert.equal(claimsOf((await signIn(app, named.clientId, 'ann')).access)['acr'], 'urn:low')
  })
})
