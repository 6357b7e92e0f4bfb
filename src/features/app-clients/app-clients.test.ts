import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  CreateUserPoolClientCommandInput,
  UpdateUserPoolClientCommandInput,
  UserPoolClientType,
} from '@aws-sdk/client-cognito-identity-provider'
import { days, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const createPool = async (more = {}): Promise<string> => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'clients', ...more })
    return UserPool?.Id ?? ''
  }
  const create = async (
    UserPoolId: string,
    members: Omit<CreateUserPoolClientCommandInput, 'UserPoolId' | 'ClientName'> = {},
  ): Promise<UserPoolClientType> => {
    const { UserPoolClient } = await app.aws.createUserPoolClient({ UserPoolId, ClientName: 'web', ...members })
    assert.ok(UserPoolClient)
    return UserPoolClient
  }
  const describeClient = async (client: UserPoolClientType): Promise<UserPoolClientType> => {
    const { UserPoolId, ClientId } = client
    const { UserPoolClient } = await app.aws.describeUserPoolClient({ UserPoolId, ClientId })
    assert.ok(UserPoolClient)
    return UserPoolClient
  }
  const update = async (
    client: UserPoolClientType,
    members: Omit<UpdateUserPoolClientCommandInput, 'UserPoolId' | 'ClientId'> = {},
  ): Promise<UserPoolClientType> => {
    const { UserPoolId, ClientId } = client
    const { UserPoolClient } = await app.aws.updateUserPoolClient({ UserPoolId, ClientId, ...members })
    assert.ok(UserPoolClient)
    return UserPoolClient
  }

  /** Every member that a client without OAuth can have, none at its default. */
  const everything = {
    RefreshTokenValidity: 10,
    AccessTokenValidity: 30,
    IdTokenValidity: 45,
    TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'minutes', RefreshToken: 'days' },
    ReadAttributes: ['email', 'email_verified', 'name'],
    WriteAttributes: ['email', 'name'],
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_USER_AUTH'],
    SupportedIdentityProviders: ['COGNITO'],
    CallbackURLs: ['https://app.example.com/cb', 'http://localhost:3000/cb', 'myapp://cb'],
    LogoutURLs: ['https://app.example.com/bye'],
    DefaultRedirectURI: 'https://app.example.com/cb',
    AllowedOAuthFlows: ['code', 'implicit'],
    AllowedOAuthScopes: ['openid', 'email', 'aws.cognito.signin.user.admin'],
    AllowedOAuthFlowsUserPoolClient: true,
    AnalyticsConfiguration: {
      ApplicationId: 'a1b2c3d4',
      RoleArn: 'arn:aws:iam::123456789012:role/analytics',
      ExternalId: 'outside',
      UserDataShared: true,
    },
    PreventUserExistenceErrors: 'ENABLED',
    EnableTokenRevocation: false,
    EnablePropagateAdditionalUserContextData: true,
    AuthSessionValidity: 10,
    RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 20 },
  } as const satisfies Omit<CreateUserPoolClientCommandInput, 'UserPoolId' | 'ClientName'>

  describe('creating', () => {
    test('a client with only a name shows the defaults and leaves the rest out', async () => {
      const UserPoolId = await createPool()
      const created = await create(UserPoolId)
      const { ClientId, CreationDate, LastModifiedDate, ...shown } = created
      assert.match(ClientId ?? '', /^[0-9a-v]{26}$/)
      assert.equal(CreationDate?.getTime(), app.now())
      assert.deepEqual(LastModifiedDate, CreationDate)
      const { TokenValidityUnits, ...rest } = shown
      assert.deepEqual(TokenValidityUnits ?? {}, {})
      assert.deepEqual(rest, {
        UserPoolId,
        ClientName: 'web',
        RefreshTokenValidity: 30,
        AllowedOAuthFlowsUserPoolClient: false,
        EnableTokenRevocation: true,
        EnablePropagateAdditionalUserContextData: false,
        AuthSessionValidity: 3,
        ClientType: 'REGULAR',
      })
      assert.deepEqual(await describeClient(created), created)
    })

    test('every member comes back as it was sent, on creation and later', async () => {
      const created = await create(await createPool(), { ...everything, GenerateSecret: true })
      for (const [member, value] of Object.entries(everything)) {
        assert.deepEqual(created[member as keyof UserPoolClientType], value, member)
      }
      assert.match(created.ClientSecret ?? '', /^[0-9a-v]{52}$/)
      assert.deepEqual(await describeClient(created), created)
    })

    test('an update resets what it omits, but for the name, and changes what it names', async () => {
      const pool = await createPool()
      const created = await create(pool, { ...everything, GenerateSecret: true })
      app.advance(seconds(5))
      const { ClientId: _id, CreationDate: _date, ...untouched } = await create(pool)
      const updated = await update(created, { AccessTokenValidity: 2 })
      assert.deepEqual(updated, {
        ...untouched,
        ClientId: created.ClientId,
        CreationDate: created.CreationDate,
        LastModifiedDate: new Date(app.now()),
        ClientSecret: created.ClientSecret,
        AccessTokenValidity: 2,
      })
      assert.deepEqual(await describeClient(created), updated)
      const renamed = await update(created, { ClientName: 'mobile' })
      assert.equal(renamed.ClientName, 'mobile')
    })

    test('one token validity unit brings all three back', async () => {
      const client = await create(await createPool(), {
        AccessTokenValidity: 30,
        TokenValidityUnits: { AccessToken: 'minutes' },
      })
      assert.deepEqual(client.TokenValidityUnits, { AccessToken: 'minutes', IdToken: 'hours', RefreshToken: 'days' })
    })

    test('a rotation that is switched off shows a grace period of 0', async () => {
      const client = await create(await createPool(), {
        RefreshTokenRotation: { Feature: 'DISABLED', RetryGracePeriodSeconds: 30 },
      })
      assert.deepEqual(client.RefreshTokenRotation, { Feature: 'DISABLED', RetryGracePeriodSeconds: 0 })
    })

    test('a chosen secret is kept', async () => {
      const ClientSecret = 'my_own_secret_of_24_chars_or_more'
      const client = await create(await createPool(), { ClientSecret })
      assert.equal(client.ClientSecret, ClientSecret)
      assert.equal((await describeClient(client)).ClientSecret, ClientSecret)
    })

    test('legacy flows come back exactly as sent', async () => {
      const client = await create(await createPool(), { ExplicitAuthFlows: ['ADMIN_NO_SRP_AUTH'] })
      assert.deepEqual(client.ExplicitAuthFlows, ['ADMIN_NO_SRP_AUTH'])
    })

    test('the analytics ARN alone gets the role of the service', async () => {
      const ApplicationArn = 'arn:aws:mobiletargeting:us-east-1:123456789012:apps/0123456789abcdef'
      const client = await create(await createPool(), { AnalyticsConfiguration: { ApplicationArn } })
      assert.deepEqual(client.AnalyticsConfiguration, {
        ApplicationArn,
        RoleArn:
          'arn:aws:iam::123456789012:role/aws-service-role/cognito-idp.amazonaws.com/AWSServiceRoleForAmazonCognitoIdp',
      })
    })
  })

  describe('refusing', () => {
    const refusals: [string, object, { name: string; message?: string | RegExp }][] = [
      [
        'an access token shorter than 5 minutes',
        { AccessTokenValidity: 4, TokenValidityUnits: { AccessToken: 'minutes' } },
        { name: 'InvalidParameterException', message: 'Invalid range for token validity.' },
      ],
      [
        'an ID token longer than a day',
        { IdTokenValidity: 25 },
        { name: 'InvalidParameterException', message: 'Invalid range for token validity.' },
      ],
      [
        'a refresh token longer than ten years',
        { RefreshTokenValidity: 3651 },
        { name: 'InvalidParameterException', message: 'Invalid range for token validity.' },
      ],
      [
        'a refresh token of 315,360,000 days',
        { RefreshTokenValidity: 315_360_000 },
        { name: 'InvalidParameterException', message: 'Invalid range for token validity.' },
      ],
      [
        'a refresh token shorter than the access token',
        { RefreshTokenValidity: 2, AccessTokenValidity: 5, TokenValidityUnits: { RefreshToken: 'hours' } },
        { name: 'InvalidParameterException', message: 'Invalid range for token validity.' },
      ],
      [
        'an unknown read attribute',
        { ReadAttributes: ['custom:nothing'] },
        { name: 'InvalidParameterException', message: 'Invalid read attributes specified while creating a client' },
      ],
      [
        'an unknown write attribute',
        { WriteAttributes: ['custom:nothing'] },
        { name: 'InvalidParameterException', message: 'Invalid write attributes specified while creating a client' },
      ],
      [
        'a verified flag as write attribute',
        { WriteAttributes: ['email', 'email_verified'] },
        { name: 'InvalidParameterException', message: 'Invalid write attributes specified while creating a client' },
      ],
      [
        'sub as write attribute',
        { WriteAttributes: ['sub'] },
        { name: 'InvalidParameterException', message: 'Invalid write attributes specified while creating a client' },
      ],
      [
        'legacy flows mixed with new ones',
        { ExplicitAuthFlows: ['ADMIN_NO_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
        { name: 'InvalidParameterException' },
      ],
      [
        'new flows without refresh',
        { ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'] },
        { name: 'InvalidParameterException', message: 'REFRESH_TOKEN_AUTH should always be allowed.' },
      ],
      [
        'rotation together with the refresh flow',
        {
          ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
          RefreshTokenRotation: { Feature: 'ENABLED' },
        },
        { name: 'InvalidParameterException' },
      ],
      [
        'an unknown identity provider',
        { SupportedIdentityProviders: ['COGNITO', 'Okta'] },
        {
          name: 'InvalidParameterException',
          message: /^The provider Okta does not exist for User Pool us-east-1_\w{9}\.$/,
        },
      ],
      [
        'a default redirect that is no callback',
        { CallbackURLs: ['https://a.example/'], DefaultRedirectURI: 'https://b.example/' },
        { name: 'InvalidParameterException' },
      ],
      [
        'OAuth without flows',
        { AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: ['openid'] },
        {
          name: 'InvalidParameterException',
          message:
            'AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.',
        },
      ],
      [
        'OAuth without scopes',
        { AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: ['code'], CallbackURLs: ['https://a.example/'] },
        {
          name: 'InvalidParameterException',
          message:
            'AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.',
        },
      ],
      [
        'the code flow without callback',
        { AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: ['code'], AllowedOAuthScopes: ['openid'] },
        {
          name: 'InvalidOAuthFlowException',
          message: 'CallbackUrls can not be empty when code flow or implicit flow is selected',
        },
      ],
      [
        'client credentials beside the code flow',
        {
          GenerateSecret: true,
          AllowedOAuthFlows: ['code', 'client_credentials'],
          AllowedOAuthScopes: ['openid'],
          CallbackURLs: ['https://a.example/'],
        },
        {
          name: 'InvalidOAuthFlowException',
          message: 'client_credentials flow can not be selected along with code flow or implicit flow.',
        },
      ],
      [
        'client credentials without secret',
        { AllowedOAuthFlows: ['client_credentials'] },
        {
          name: 'InvalidOAuthFlowException',
          message: 'client_credentials flow can not be selected if client does not have a client secret.',
        },
      ],
      [
        'client credentials with openid',
        { GenerateSecret: true, AllowedOAuthFlows: ['client_credentials'], AllowedOAuthScopes: ['openid'] },
        { name: 'InvalidOAuthFlowException' },
      ],
      [
        'an unknown custom scope',
        { AllowedOAuthFlows: ['code'], AllowedOAuthScopes: ['api/read'], CallbackURLs: ['https://a.example/'] },
        { name: 'ScopeDoesNotExistException', message: 'Invalid scope requested: api/read' },
      ],
      [
        'user context data without secret',
        { EnablePropagateAdditionalUserContextData: true },
        { name: 'InvalidParameterException' },
      ],
      [
        'a generated and a chosen secret',
        { GenerateSecret: true, ClientSecret: 'my_own_secret_of_24_chars_or_more' },
        { name: 'InvalidParameterException' },
      ],
      [
        'analytics by id without role',
        { AnalyticsConfiguration: { ApplicationId: 'a1b2c3d4' } },
        { name: 'InvalidParameterException' },
      ],
      [
        'an auth session of 2 minutes',
        { AuthSessionValidity: 2 },
        {
          name: 'InvalidParameterException',
          message:
            "1 validation error detected: Value '2' at 'authSessionValidity' failed to satisfy constraint: Member must have value greater than or equal to 3",
        },
      ],
      [
        'a grace period of 61 seconds',
        { RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 61 } },
        {
          name: 'InvalidParameterException',
          message:
            "1 validation error detected: Value '61' at 'refreshTokenRotation.retryGracePeriodSeconds' failed to satisfy constraint: Member must have value less than or equal to 60",
        },
      ],
      [
        'the client token flow beside another',
        { GenerateSecret: true, ExplicitAuthFlows: ['ALLOW_CLIENT_TOKEN_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
        { name: 'InvalidParameterException' },
      ],
      [
        'the client token flow without secret',
        { ExplicitAuthFlows: ['ALLOW_CLIENT_TOKEN_AUTH'] },
        { name: 'InvalidParameterException' },
      ],
    ]
    for (const [what, members, error] of refusals) {
      test(`${what} is refused and nothing is created`, async () => {
        const UserPoolId = await createPool()
        await assert.rejects(create(UserPoolId, members), error)
        const { UserPoolClients } = await app.aws.listUserPoolClients({ UserPoolId, MaxResults: 60 })
        assert.deepEqual(UserPoolClients, [])
      })
    }

    test('choice-based sign-in is refused on the Lite tier and accepted above it', async () => {
      const ExplicitAuthFlows: CreateUserPoolClientCommandInput['ExplicitAuthFlows'] = [
        'ALLOW_USER_AUTH',
        'ALLOW_REFRESH_TOKEN_AUTH',
      ]
      const lite = await createPool({ UserPoolTier: 'LITE' })
      await assert.rejects(create(lite, { ExplicitAuthFlows }), { name: 'FeatureUnavailableInTierException' })
      assert.deepEqual((await create(await createPool(), { ExplicitAuthFlows })).ExplicitAuthFlows, ExplicitAuthFlows)
    })

    const redirects = [
      'http://app.example/cb',
      'https://app.example/cb#here',
      '/cb',
      'app.example/cb',
      'https:app.example',
      'https:///app.example',
      'https://user@app.example/',
      'https://user:secret@app.example/',
      'javascript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'JAVASCRIPT:alert(1)',
      'https:\\\\app.example',
      'http://localhost.evil.example/',
      'http://127.0.0.2/',
      'file:///etc/passwd',
      'https://',
      'myapp:',
      'http://[::2]/',
      'https://app.example:99999/',
      'blob:https://app.example/x',
    ]
    for (const url of redirects) {
      test(`${JSON.stringify(url)} cannot be registered as callback or sign-out URL`, async () => {
        const pool = await createPool()
        await assert.rejects(create(pool, { CallbackURLs: [url] }), { name: 'InvalidParameterException' })
        await assert.rejects(create(pool, { LogoutURLs: [url] }), { name: 'InvalidParameterException' })
      })
    }

    test('a plain http URL is refused in Cognito’s words', async () => {
      await assert.rejects(create(await createPool(), { CallbackURLs: ['http://app.example/cb'] }), {
        message: 'http://app.example/cb cannot use the HTTP protocol.',
      })
    })

    test('https, loopback http and application schemes can be registered', async () => {
      const CallbackURLs = [
        'https://app.example',
        'https://app.example:8443/cb?x=1',
        'http://localhost:3000',
        'http://127.0.0.1/',
        'http://[::1]:8080/cb',
        'myapp://cb',
        'com.example.app:/cb',
      ]
      assert.deepEqual((await create(await createPool(), { CallbackURLs })).CallbackURLs, CallbackURLs)
    })

    test('an update names itself in the texts about attributes', async () => {
      const client = await create(await createPool())
      await assert.rejects(update(client, { WriteAttributes: ['sub'] }), {
        message: 'Invalid write attributes specified while updating a client',
      })
      await assert.rejects(update(client, { ReadAttributes: ['x'] }), {
        message: 'Invalid read attributes specified while updating a client',
      })
    })
  })

  describe('finding', () => {
    test('a client of another pool does not exist in this one', async () => {
      const [mine, other] = [await createPool(), await createPool()]
      const { ClientId } = await create(other)
      const notHere = { name: 'ResourceNotFoundException', message: `User pool client ${ClientId} does not exist.` }
      for (const refused of [
        app.aws.describeUserPoolClient({ UserPoolId: mine, ClientId }),
        app.aws.updateUserPoolClient({ UserPoolId: mine, ClientId, ClientName: 'stolen' }),
        app.aws.deleteUserPoolClient({ UserPoolId: mine, ClientId }),
        app.aws.listUserPoolClientSecrets({ UserPoolId: mine, ClientId }),
        app.aws.addUserPoolClientSecret({ UserPoolId: mine, ClientId }),
      ]) {
        await assert.rejects(refused, notHere)
      }
      const { UserPoolClient } = await app.aws.describeUserPoolClient({ UserPoolId: other, ClientId })
      assert.equal(UserPoolClient?.ClientName, 'web')
    })

    test('an unknown pool is told before an unknown client', async () => {
      await assert.rejects(app.aws.describeUserPoolClient({ UserPoolId: 'us-east-1_nowhere12', ClientId: 'nobody' }), {
        name: 'ResourceNotFoundException',
        message: 'User pool us-east-1_nowhere12 does not exist.',
      })
    })

    test('pages show every client once, and their tokens open no other list', async () => {
      const [UserPoolId, other] = [await createPool(), await createPool()]
      const ids = new Set<string | undefined>()
      for (let index = 0; index < 7; index++) ids.add((await create(UserPoolId)).ClientId)
      const seen: (string | undefined)[] = []
      let NextToken: string | undefined
      do {
        const page = await app.aws.listUserPoolClients({ UserPoolId, MaxResults: 3, NextToken })
        for (const client of page.UserPoolClients ?? []) {
          assert.deepEqual(Object.keys(client).sort(), ['ClientId', 'ClientName', 'UserPoolId'])
          seen.push(client.ClientId)
        }
        NextToken = page.NextToken ?? NextToken
        if (page.NextToken === undefined) break
        await assert.rejects(app.aws.listUserPoolClients({ UserPoolId: other, NextToken }), {
          name: 'InvalidParameterException',
        })
      } while (seen.length < 20)
      assert.equal(seen.length, 7)
      assert.deepEqual(new Set(seen), ids)
    })

    test('no client has registered itself', async () => {
      const UserPoolId = await createPool()
      await create(UserPoolId)
      assert.deepEqual((await app.aws.listUserPoolClients({ UserPoolId, ClientType: 'DCR' })).UserPoolClients, [])
      assert.equal(
        (await app.aws.listUserPoolClients({ UserPoolId, ClientType: 'REGULAR' })).UserPoolClients?.length,
        1,
      )
    })

    test('a deleted client is gone at once', async () => {
      const client = await create(await createPool())
      const { UserPoolId, ClientId } = client
      await app.aws.deleteUserPoolClient({ UserPoolId, ClientId })
      await assert.rejects(describeClient(client), { name: 'ResourceNotFoundException' })
      await assert.rejects(app.aws.signUp({ ClientId, Username: 'ann', Password: 'Passw0rd!' }), {
        name: 'ResourceNotFoundException',
      })
    })
  })

  describe('secrets', () => {
    test('a second secret works beside the first, a third is refused, the last one stays', async () => {
      const client = await create(await createPool(), { GenerateSecret: true })
      const { UserPoolId, ClientId } = client
      app.advance(days(1))
      const { ClientSecretDescriptor: second } = await app.aws.addUserPoolClientSecret({ UserPoolId, ClientId })
      assert.match(second?.ClientSecretValue ?? '', /^[0-9a-v]{52}$/)
      assert.equal(second?.ClientSecretId, `${ClientId}--${app.now()}`)
      await assert.rejects(app.aws.addUserPoolClientSecret({ UserPoolId, ClientId }), {
        name: 'LimitExceededException',
      })

      const { ClientSecrets = [] } = await app.aws.listUserPoolClientSecrets({ UserPoolId, ClientId })
      assert.equal(ClientSecrets.length, 2)
      assert.ok(ClientSecrets.every(secret => secret.ClientSecretValue === undefined))
      const [first] = ClientSecrets
      await app.aws.deleteUserPoolClientSecret({ UserPoolId, ClientId, ClientSecretId: first?.ClientSecretId })
      assert.equal((await describeClient(client)).ClientSecret, second?.ClientSecretValue)
      await assert.rejects(
        app.aws.deleteUserPoolClientSecret({ UserPoolId, ClientId, ClientSecretId: second?.ClientSecretId }),
        { name: 'InvalidParameterException' },
      )
    })

    test('a chosen second secret is not shown again', async () => {
      const { UserPoolId, ClientId } = await create(await createPool(), { GenerateSecret: true })
      const ClientSecret = 'another_secret_of_my_own_choice'
      const { ClientSecretDescriptor } = await app.aws.addUserPoolClientSecret({ UserPoolId, ClientId, ClientSecret })
      assert.equal(ClientSecretDescriptor?.ClientSecretValue, undefined)
    })

    test('a public client gets no secret', async () => {
      const { UserPoolId, ClientId } = await create(await createPool())
      await assert.rejects(app.aws.addUserPoolClientSecret({ UserPoolId, ClientId }), {
        name: 'InvalidParameterException',
      })
      assert.deepEqual((await app.aws.listUserPoolClientSecrets({ UserPoolId, ClientId })).ClientSecrets, [])
    })

    test('of many who add a secret at the same time one succeeds', async () => {
      const { UserPoolId, ClientId } = await create(await createPool(), { GenerateSecret: true })
      const outcomes = await Promise.allSettled(
        Array.from({ length: 12 }, () => app.aws.addUserPoolClientSecret({ UserPoolId, ClientId })),
      )
      assert.equal(outcomes.filter(outcome => outcome.status === 'fulfilled').length, 1)
      assert.equal((await app.aws.listUserPoolClientSecrets({ UserPoolId, ClientId })).ClientSecrets?.length, 2)
    })

    test('of many who delete at the same time one secret remains', async () => {
      const { UserPoolId, ClientId } = await create(await createPool(), { GenerateSecret: true })
      await app.aws.addUserPoolClientSecret({ UserPoolId, ClientId })
      const { ClientSecrets = [] } = await app.aws.listUserPoolClientSecrets({ UserPoolId, ClientId })
      await Promise.allSettled(
        [...ClientSecrets, ...ClientSecrets, ...ClientSecrets].map(({ ClientSecretId }) =>
          app.aws.deleteUserPoolClientSecret({ UserPoolId, ClientId, ClientSecretId }),
        ),
      )
      assert.equal((await app.aws.listUserPoolClientSecrets({ UserPoolId, ClientId })).ClientSecrets?.length, 1)
    })

    test('the secret hash must be there, be right, and not be there for a public client', async () => {
      const pool = await createPool()
      const secretive = await create(pool, { GenerateSecret: true })
      const open = await create(pool)
      const signUp = (ClientId: string | undefined, SecretHash?: string) =>
        app.aws.signUp({ ClientId, Username: 'bob', Password: 'Passw0rd!', SecretHash })
      await assert.rejects(signUp(secretive.ClientId), {
        name: 'NotAuthorizedException',
        message: `Client ${secretive.ClientId} is configured with secret but SECRET_HASH was not received`,
      })
      await assert.rejects(signUp(secretive.ClientId, 'd3Jvbmc='), {
        name: 'NotAuthorizedException',
        message: `Unable to verify secret hash for client ${secretive.ClientId}`,
      })
      await assert.rejects(signUp(open.ClientId, 'd3Jvbmc='), {
        name: 'NotAuthorizedException',
        message: `Unable to verify secret hash for client ${open.ClientId}`,
      })
    })

    test('no secret stands in the database in clear', async () => {
      const { ClientSecret = '' } = await create(await createPool(), { GenerateSecret: true })
      const rows = await app.database.db.selectFrom('client_secrets').selectAll().execute()
      assert.ok(rows.length > 0)
      assert.ok(!JSON.stringify(rows).includes(ClientSecret))
    })
  })
})
