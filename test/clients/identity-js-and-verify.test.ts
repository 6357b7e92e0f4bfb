/** `amazon-cognito-identity-js` signs in by SRP; `aws-jwt-verify` and `jose` check the tokens it gets. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserPool,
  type CognitoUserSession,
} from 'amazon-cognito-identity-js'
import { CognitoJwtVerifier, JwtVerifier } from 'aws-jwt-verify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { onEachDatabase, type TestApp } from '../support/app.ts'

const password = 'Corr3ct-horse!'

onEachDatabase(testApp => {
  let app: TestApp

  before(async () => {
    app = await testApp({ realTime: true })
  })

  const createPoolAndClient = async (from: TestApp) => {
    const { UserPool } = await from.aws.createUserPool({ PoolName: 'verify' })
    const UserPoolId = UserPool?.Id ?? ''
    const { UserPoolClient } = await from.aws.createUserPoolClient({ UserPoolId, ClientName: 'web' })
    return { UserPoolId, ClientId: UserPoolClient?.ClientId ?? '' }
  }

  const addUser = async (from: TestApp, UserPoolId: string, Username: string) => {
    await from.aws.adminCreateUser({ UserPoolId, Username, MessageAction: 'SUPPRESS' })
    await from.aws.adminSetUserPassword({ UserPoolId, Username, Password: password, Permanent: true })
  }

  const cognitoUser = (from: TestApp, pool: { UserPoolId: string; ClientId: string }, Username: string) =>
    new CognitoUser({ Username, Pool: new CognitoUserPool({ ...pool, endpoint: from.url }) })

  const signIn = (user: CognitoUser, Password: string): Promise<CognitoUserSession> =>
    new Promise((resolve, reject) =>
      user.authenticateUser(new AuthenticationDetails({ Username: user.getUsername(), Password }), {
        onSuccess: resolve,
        onFailure: reject,
        newPasswordRequired: (attributes: object, required: string[]) => reject({ attributes, required }),
      }),
    )

  test('SRP gives tokens, a wrong password does not', async () => {
    const pool = await createPoolAndClient(app)
    await addUser(app, pool.UserPoolId, 'ann')
    const session = await signIn(cognitoUser(app, pool, 'ann'), password)
    assert.equal(session.isValid(), true)
    assert.equal(session.getAccessToken().payload['username'], 'ann')
    await assert.rejects(signIn(cognitoUser(app, pool, 'ann'), 'Wr0ng-horse!'), {
      code: 'NotAuthorizedException',
      message: 'Incorrect username or password.',
    })
  })

  test('a session is refreshed and signed out by the library', async () => {
    const pool = await createPoolAndClient(app)
    await addUser(app, pool.UserPoolId, 'ann')
    const user = cognitoUser(app, pool, 'ann')
    const session = await signIn(user, password)
    const refreshed = await new Promise<CognitoUserSession>((resolve, reject) =>
      user.refreshSession(session.getRefreshToken(), (error, value) => (error ? reject(error) : resolve(value))),
    )
    assert.notEqual(refreshed.getIdToken().getJwtToken(), session.getIdToken().getJwtToken())
    await new Promise<void>((resolve, reject) => user.globalSignOut({ onSuccess: () => resolve(), onFailure: reject }))
    await assert.rejects(app.aws.getUser({ AccessToken: refreshed.getAccessToken().getJwtToken() }), {
      message: 'Access Token has been revoked',
    })
  })

  test('an invited user answers the new password challenge', async () => {
    const pool = await createPoolAndClient(app)
    await app.aws.adminCreateUser({
      UserPoolId: pool.UserPoolId,
      Username: 'eve',
      TemporaryPassword: 'T3mporary!',
      MessageAction: 'SUPPRESS',
      UserAttributes: [{ Name: 'email', Value: 'eve@example.com' }],
    })
    const user = cognitoUser(app, pool, 'eve')
    const challenge: unknown = await signIn(user, 'T3mporary!').catch((error: unknown) => error)
    assert.deepEqual(challenge, { attributes: { email: 'eve@example.com' }, required: [] })
    const session = await new Promise<CognitoUserSession>((resolve, reject) =>
      user.completeNewPasswordChallenge(password, {}, { onSuccess: resolve, onFailure: reject }),
    )
    assert.equal(session.getIdToken().payload['email'], 'eve@example.com')
  })

  test('passwords and names beyond ASCII sign in by SRP', async () => {
    const pool = await createPoolAndClient(app)
    for (const [name, secret] of [
      ['jürgen', 'pässword-Ω-1!A'],
      ['さくら', 'Pässwörd1! 🙂 x'],
    ] as const) {
      await app.aws.adminCreateUser({ UserPoolId: pool.UserPoolId, Username: name, MessageAction: 'SUPPRESS' })
      await app.aws.adminSetUserPassword({
        UserPoolId: pool.UserPoolId,
        Username: name,
        Password: secret.replaceAll(' ', '_'),
        Permanent: true,
      })
      const session = await signIn(cognitoUser(app, pool, name), secret.replaceAll(' ', '_'))
      assert.equal(session.getIdToken().payload['cognito:username'], name)
    }
  })

  test('aws-jwt-verify and jose accept the tokens of this pool and no others', async () => {
    const pool = await createPoolAndClient(app)
    const other = await createPoolAndClient(app)
    await addUser(app, pool.UserPoolId, 'ann')
    const session = await signIn(cognitoUser(app, pool, 'ann'), password)
    const accessToken = session.getAccessToken().getJwtToken()
    const idToken = session.getIdToken().getJwtToken()
    const issuer = `${app.url}/${pool.UserPoolId}`
    const jwksUri = `${issuer}/.well-known/jwks.json`

    // The library fetches keys by https only; over plain http an application hands them over.
    const trusting = async (UserPoolId: string) => {
      const verifier = JwtVerifier.create({ issuer: `${app.url}/${UserPoolId}`, audience: null })
      const jwks = await fetch(`${app.url}/${UserPoolId}/.well-known/jwks.json`)
      verifier.cacheJwks((await jwks.json()) as Parameters<typeof verifier.cacheJwks>[0])
      return verifier
    }
    const verifier = await trusting(pool.UserPoolId)
    assert.equal((await verifier.verify(accessToken)).token_use, 'access')
    assert.equal((await verifier.verify(idToken)).aud, pool.ClientId)
    const stranger = await trusting(other.UserPoolId)
    await assert.rejects(stranger.verify(accessToken))

    const keys = createRemoteJWKSet(new URL(jwksUri))
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, { issuer, audience: pool.ClientId })
    assert.equal(payload['cognito:username'], 'ann')
    assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid'])
    await assert.rejects(jwtVerify(idToken, keys, { issuer, audience: other.ClientId }))
  })

  test('with the issuer in Cognito’s own form the Cognito verifier works unchanged', async () => {
    const aws = await testApp({ realTime: true, settings: { issuer: 'aws' } })
    const pool = await createPoolAndClient(aws)
    await addUser(aws, pool.UserPoolId, 'ann')
    const session = await signIn(cognitoUser(aws, pool, 'ann'), password)
    const verifier = CognitoJwtVerifier.create({
      userPoolId: pool.UserPoolId,
      tokenUse: 'access',
      clientId: pool.ClientId,
    })
    const jwks = await fetch(`${aws.url}/${pool.UserPoolId}/.well-known/jwks.json`)
    verifier.cacheJwks((await jwks.json()) as Parameters<typeof verifier.cacheJwks>[0])
    const claims = await verifier.verify(session.getAccessToken().getJwtToken())
    assert.equal(claims.iss, `https://cognito-idp.us-east-1.amazonaws.com/${pool.UserPoolId}`)
    await assert.rejects(verifier.verify(session.getIdToken().getJwtToken()))
  })

  test('discovery leads from the issuer to the keys', async () => {
    const { UserPoolId } = await createPoolAndClient(app)
    const issuer = `${app.url}/${UserPoolId}`
    const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string
    >
    assert.equal(discovery['issuer'], issuer)
    const answer = await fetch(discovery['jwks_uri'] ?? '')
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    const { keys } = (await answer.json()) as { keys: Record<string, string>[] }
    assert.equal(keys.length, 2)
    for (const key of keys) assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
    assert.equal((await fetch(`${app.url}/us-east-1_nowhere12/.well-known/jwks.json`)).status, 404)
  })
})
