import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider'
import { createLocalJWKSet, jwtVerify } from 'jose'
import {
  minutes,
  onEachDatabase,
  type TestApp,
  type TestFunction,
  type TriggerEvent,
} from '../../../test/support/app.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const createPool = async (LambdaConfig: LambdaConfigType = {}) => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'machines', LambdaConfig })
    const UserPoolId = UserPool?.Id ?? ''
    const Scopes = ['read', 'write'].map(ScopeName => ({ ScopeName, ScopeDescription: ScopeName }))
    await app.aws.createResourceServer({ UserPoolId, Identifier: 'api', Name: 'api', Scopes })
    return UserPoolId
  }
  const createClient = async (UserPoolId: string, members: object = {}) => {
    const { UserPoolClient } = await app.aws.createUserPoolClient({
      UserPoolId,
      ClientName: 'machine',
      GenerateSecret: true,
      ExplicitAuthFlows: ['ALLOW_CLIENT_TOKEN_AUTH' as never],
      AllowedOAuthScopes: ['api/read', 'api/write'],
      ...members,
    })
    return { ClientId: UserPoolClient?.ClientId ?? '', Secret: UserPoolClient?.ClientSecret ?? '' }
  }

  test('a client gets a token for itself with all its custom scopes', async () => {
    const UserPoolId = await createPool()
    const client = await createClient(UserPoolId, {
      AccessTokenValidity: 10,
      TokenValidityUnits: { AccessToken: 'minutes' },
    })
    const { ClientAuthenticationResult: result } = await app.aws.getClientToken(client)
    assert.equal(result?.TokenType, 'Bearer')
    assert.equal(result?.ExpiresIn, minutes(10) / 1_000)
    const issuer = `${app.url}/${UserPoolId}`
    const keys = createLocalJWKSet((await (await fetch(`${issuer}/.well-known/jwks.json`)).json()) as never)
    const { payload } = await jwtVerify(result?.AccessToken ?? '', keys, { issuer, currentDate: new Date(app.now()) })
    const { jti, ...claims } = payload
    assert.match(jti ?? '', /^[0-9a-f-]{36}$/)
    const now = Math.floor(app.now() / 1_000)
    assert.deepEqual(claims, {
      sub: client.ClientId,
      token_use: 'access',
      scope: 'api/read api/write',
      auth_time: now,
      iss: issuer,
      exp: now + 600,
      iat: now,
      version: 2,
      client_id: client.ClientId,
    })
  })

  test('it may ask for fewer scopes, and for none that is not its own', async () => {
    const UserPoolId = await createPool()
    const client = await createClient(UserPoolId, { AllowedOAuthScopes: ['api/read'] })
    const { ClientAuthenticationResult: result } = await app.aws.getClientToken({ ...client, Scopes: ['api/read'] })
    const { scope } = JSON.parse(Buffer.from(result?.AccessToken?.split('.')[1] ?? '', 'base64url').toString())
    assert.equal(scope, 'api/read')
    for (const Scopes of [
      ['api/write'],
      ['api/read', 'openid'],
      ['aws.cognito.signin.user.admin'],
      ['other/read'],
      [''],
    ]) {
      await assert.rejects(app.aws.getClientToken({ ...client, Scopes }), { name: 'InvalidParameterException' })
    }
  })

  test('only the secret decides: wrong ones are refused with and without an administrator’s signature', async () => {
    const UserPoolId = await createPool()
    const client = await createClient(UserPoolId)
    const other = await createClient(UserPoolId)
    for (const Secret of [other.Secret, '', 'x'.repeat(52), client.Secret.slice(0, -1)]) {
      await assert.rejects(app.aws.getClientToken({ ...client, Secret }), { name: 'NotAuthorizedException' })
    }
    const ask = (body: object) =>
      fetch(app.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
        },
        body: JSON.stringify(body),
      })
    assert.equal((await ask({ ...client, Secret: other.Secret })).status, 400)
    assert.equal((await ask(client)).status, 200)
  })

  test('a second secret works, a deleted one and a deleted client do not', async () => {
    const UserPoolId = await createPool()
    const client = await createClient(UserPoolId)
    const { ClientId } = client
    app.advance(1_000)
    const { ClientSecretDescriptor: added } = await app.aws.addUserPoolClientSecret({ UserPoolId, ClientId })
    const Secret = added?.ClientSecretValue
    await app.aws.getClientToken({ ClientId, Secret })
    await app.aws.deleteUserPoolClientSecret({ UserPoolId, ClientId, ClientSecretId: added?.ClientSecretId })
    await assert.rejects(app.aws.getClientToken({ ClientId, Secret }), { name: 'NotAuthorizedException' })
    await app.aws.getClientToken(client)
    await app.aws.deleteUserPoolClient({ UserPoolId, ClientId })
    await assert.rejects(app.aws.getClientToken(client), { name: 'ResourceNotFoundException' })
  })

  test('clients with other flows, without secret or without scopes get none', async () => {
    const UserPoolId = await createPool()
    const ordinary = await createClient(UserPoolId, { ExplicitAuthFlows: undefined })
    await assert.rejects(app.aws.getClientToken(ordinary), { name: 'InvalidParameterException' })
    const open = await createClient(UserPoolId, { ExplicitAuthFlows: undefined, GenerateSecret: false })
    await assert.rejects(app.aws.getClientToken({ ...open, Secret: 'x' }), { name: 'NotAuthorizedException' })
    const bare = await createClient(UserPoolId, { AllowedOAuthScopes: undefined })
    await assert.rejects(app.aws.getClientToken(bare), { name: 'InvalidParameterException' })
  })

  test('the scope of a deleted resource server is granted no more', async () => {
    const UserPoolId = await createPool()
    const client = await createClient(UserPoolId)
    await app.aws.getClientToken(client)
    await app.aws.deleteResourceServer({ UserPoolId, Identifier: 'api' })
    await assert.rejects(app.aws.getClientToken(client), { name: 'InvalidParameterException' })
  })

  test('the token of a client opens no self-service operation', async () => {
    const UserPoolId = await createPool()
    const { ClientAuthenticationResult: result } = await app.aws.getClientToken(await createClient(UserPoolId))
    await assert.rejects(app.aws.getUser({ AccessToken: result?.AccessToken }), { name: 'NotAuthorizedException' })
  })

  describe('pre token generation', () => {
    let functions = 0
    /** A client of a pool whose function knows this version of the event. */
    const machine = async (LambdaVersion: 'V1_0' | 'V2_0' | 'V3_0', run: TestFunction) => {
      functions += 1
      const events: TriggerEvent[] = []
      const LambdaArn = app.lambda(`client-tokens-${functions}`, event => {
        events.push(structuredClone(event))
        return run(event)
      })
      const UserPoolId = await createPool({ PreTokenGenerationConfig: { LambdaArn, LambdaVersion } })
      return { UserPoolId, client: await createClient(UserPoolId), events }
    }
    const claimsOf = (result: { AccessToken?: string | undefined } | undefined) =>
      JSON.parse(Buffer.from(result?.AccessToken?.split('.')[1] ?? '', 'base64url').toString())
    const answering = (details: object) => (event: TriggerEvent) => ({
      ...event,
      response: { claimsAndScopeOverrideDetails: details },
    })

    test('in its third version changes the access token of a client, within the bounds of all tokens', async () => {
      const { UserPoolId, client, events } = await machine(
        'V3_0',
        answering({
          idTokenGeneration: { claimsToAddOrOverride: { lost: 'x' } },
          accessTokenGeneration: {
            claimsToAddOrOverride: { tenant: { id: 7 }, sub: 'forged', client_id: 'forged', 'cognito:groups': ['x'] },
            claimsToSuppress: ['iss'],
            scopesToAdd: ['api/more', 'aws.cognito.signin.user.admin'],
            scopesToSuppress: ['api/write'],
          },
        }),
      )
      const { ClientAuthenticationResult } = await app.aws.getClientToken({ ...client, ClientMetadata: { a: 'b' } })
      const claims = claimsOf(ClientAuthenticationResult)
      assert.deepEqual(
        [claims.tenant, claims.scope, claims.sub, claims.client_id, claims.lost, claims['cognito:groups'], claims.iss],
        [
          { id: 7 },
          'api/read api/more',
          client.ClientId,
          client.ClientId,
          undefined,
          undefined,
          `${app.url}/${UserPoolId}`,
        ],
      )
      const [{ callerContext, ...event } = { callerContext: undefined }] = events
      assert.equal(callerContext?.clientId, client.ClientId)
      assert.deepEqual(event, {
        version: '3',
        triggerSource: 'TokenGeneration_ClientCredentials',
        region: 'us-east-1',
        userPoolId: UserPoolId,
        userName: client.ClientId,
        request: {
          userAttributes: {},
          groupConfiguration: { groupsToOverride: [], iamRolesToOverride: [], preferredRole: null },
          scopes: ['api/read', 'api/write'],
          clientMetadata: { a: 'b' },
        },
        response: { claimsAndScopeOverrideDetails: null },
      })
    })

    test('in its earlier versions is not asked', async () => {
      for (const version of ['V1_0', 'V2_0'] as const) {
        const { client, events } = await machine(version, () => assert.fail())
        await app.aws.getClientToken(client)
        assert.deepEqual(events, [])
      }
    })

    test('that throws or returns what cannot be read leaves the client without a token', async () => {
      const failing = await machine('V3_0', () => {
        throw new Error('No')
      })
      await assert.rejects(app.aws.getClientToken(failing.client), {
        name: 'UserLambdaValidationException',
        message: 'PreTokenGeneration failed with error No.',
      })
      for (const details of [
        'text',
        [],
        { accessTokenGeneration: 1 },
        { accessTokenGeneration: { scopesToAdd: [1] } },
      ]) {
        const unreadable = await machine('V3_0', answering(details as object))
        await assert.rejects(app.aws.getClientToken(unreadable.client), { name: 'InvalidLambdaResponseException' })
      }
      // Another pool does not notice.
      const calm = await machine('V3_0', event => event)
      assert.ok((await app.aws.getClientToken(calm.client)).ClientAuthenticationResult?.AccessToken)
    })
  })
})
