import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  CreateIdentityProviderCommandInput,
  ProviderUserIdentifierType,
} from '@aws-sdk/client-cognito-identity-provider'
import { fetchFrom, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  attributesByName,
  attributesOf,
  createSignedInUser,
  createTestPool,
  createTestUser,
  outcomes,
  signInUser,
  type TestPool,
  testPassword,
} from '../../../test/support/directory.ts'
import { samlMetadata } from '../../../test/support/saml.ts'
import { inTransaction } from '../context.ts'
import { addIdentity } from '../users/identities.ts'

const google = { client_id: 'a', client_secret: 'b', authorize_scopes: 'openid' }
const oidc = {
  client_id: 'a',
  attributes_request_method: 'GET',
  oidc_issuer: 'https://idp.example.com',
  authorize_scopes: 'openid',
  authorize_url: 'https://idp.example.com/a',
  token_url: 'https://idp.example.com/t',
  attributes_url: 'https://idp.example.com/u',
  jwks_uri: 'https://idp.example.com/j',
}

const subject = (ProviderName: string, ProviderAttributeValue: string): ProviderUserIdentifierType => ({
  ProviderName,
  ProviderAttributeName: 'Cognito_Subject',
  ProviderAttributeValue,
})

const local = (ProviderAttributeValue: string): ProviderUserIdentifierType => ({
  ProviderName: 'Cognito',
  ProviderAttributeValue,
})

const signedUp = {
  name: 'InvalidParameterException',
  message: 'Merging is not currently supported, provide a SourceUser that has not been signed up in order to link',
}

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp({ fetch: fetchFrom(new Map()) })
  })

  const createProvider = (
    pool: TestPool,
    ProviderName: string,
    more: Partial<CreateIdentityProviderCommandInput> = {},
  ) =>
    app.aws.createIdentityProvider({
      UserPoolId: pool.UserPoolId,
      ProviderName,
      ProviderType: 'OIDC',
      ProviderDetails: oidc,
      ...more,
    })

  /** A pool with Google, Corp (OIDC) and Saml, and the users ann and bob. */
  const newPool = async (): Promise<TestPool> => {
    const pool = await createTestPool(app)
    await createProvider(pool, 'Google', { ProviderType: 'Google', ProviderDetails: google })
    await createProvider(pool, 'Corp', { AttributeMapping: { email: 'email', name: 'name' } })
    await createProvider(pool, 'Saml', {
      ProviderType: 'SAML',
      ProviderDetails: { MetadataFile: samlMetadata({ entityId: 'https://saml.example.com/entity' }) },
      AttributeMapping: { email: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress' },
    })
    await createTestUser(app, pool, 'ann')
    await createTestUser(app, pool, 'bob')
    return pool
  }

  const link = (
    { UserPoolId }: TestPool,
    DestinationUser: ProviderUserIdentifierType,
    SourceUser: ProviderUserIdentifierType,
  ) => app.aws.adminLinkProviderForUser({ UserPoolId, DestinationUser, SourceUser })

  const disable = ({ UserPoolId }: TestPool, User: ProviderUserIdentifierType) =>
    app.aws.adminDisableProviderForUser({ UserPoolId, User })

  const identitiesOf = async (pool: TestPool, username: string): Promise<unknown> => {
    const { identities } = await attributesOf(app, pool, username)
    return identities === undefined ? undefined : JSON.parse(identities)
  }

  /** A user who has come from a provider, as the first sign-in makes one. */
  const createFederatedUser = async (pool: TestPool, providerName: string, value: string) => {
    const { Attributes } = await createTestUser(app, pool, `${providerName}_${value}`)
    const id = attributesByName(Attributes)['sub'] ?? ''
    await inTransaction(app.app.services, tx =>
      addIdentity(
        tx,
        { id, poolId: pool.UserPoolId },
        { providerName, attribute: 'Cognito_Subject', value, providerType: 'Google', issuer: null, primary: true },
      ),
    )
  }

  describe('a link', () => {
    test('is shown by AdminGetUser, ListUsers, GetUser and the ID token', async () => {
      const pool = await newPool()
      const accessToken = await createSignedInUser(app, pool, 'cid')
      const before = await app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'cid' })
      app.advance(1_000)
      assert.deepEqual(membersOf(await link(pool, local('cid'), subject('Google', '1098'))), {})
      const dateCreated = app.now()
      const text = `[{"userId":"1098","providerName":"Google","providerType":"Google","issuer":null,"primary":false,"dateCreated":${dateCreated}}]`
      const user = await app.aws.adminGetUser({ UserPoolId: pool.UserPoolId, Username: 'cid' })
      assert.equal(attributesByName(user.UserAttributes)['identities'], text)
      assert.ok((user.UserLastModifiedDate ?? 0) > (before.UserLastModifiedDate ?? 0))
      assert.equal(user.UserStatus, 'CONFIRMED')
      const { Users = [] } = await app.aws.listUsers({ UserPoolId: pool.UserPoolId, Filter: 'username = "cid"' })
      assert.equal(attributesByName(Users[0]?.Attributes)['identities'], text)
      const own = await app.aws.getUser({ AccessToken: accessToken })
      assert.equal(attributesByName(own.UserAttributes)['identities'], text)
      const claims = await idTokenClaims(pool, 'cid')
      assert.deepEqual(claims['identities'], [
        {
          dateCreated: String(dateCreated),
          userId: '1098',
          providerName: 'Google',
          providerType: 'Google',
          issuer: null,
          primary: 'false',
        },
      ])
    })

    test('of SAML tells the entity id of the provider', async () => {
      const pool = await newPool()
      await link(pool, local('ann'), subject('Saml', 'Ann@Example.com'))
      assert.deepEqual(await identitiesOf(pool, 'ann'), [
        {
          userId: 'Ann@Example.com',
          providerName: 'Saml',
          providerType: 'SAML',
          issuer: 'https://saml.example.com/entity',
          primary: false,
          dateCreated: app.now(),
        },
      ])
    })

    test('without one there is neither attribute nor claim', async () => {
      const pool = await newPool()
      await createSignedInUser(app, pool, 'cid')
      assert.equal(await identitiesOf(pool, 'cid'), undefined)
      assert.equal('identities' in (await idTokenClaims(pool, 'cid')), false)
    })

    test('can be made by an attribute that a claim is mapped to', async () => {
      const pool = await newPool()
      for (const ProviderName of ['Corp', 'Saml']) {
        await link(pool, local('ann'), {
          ProviderName,
          ProviderAttributeName: 'email',
          ProviderAttributeValue: 'ann@example.com',
        })
      }
      const identities = (await identitiesOf(pool, 'ann')) as { userId: string; providerName: string }[]
      assert.deepEqual(
        identities.map(({ userId, providerName }) => [userId, providerName]),
        [
          ['ann@example.com', 'Corp'],
          ['ann@example.com', 'Saml'],
        ],
      )
    })

    test('leads to a federated user too, who is named by the subject', async () => {
      const pool = await newPool()
      await createFederatedUser(pool, 'Google', '1')
      await link(
        pool,
        { ProviderName: 'Google', ProviderAttributeValue: '1', ProviderAttributeName: 'x' },
        subject('Corp', '2'),
      )
      const identities = (await identitiesOf(pool, 'Google_1')) as { userId: string; primary: boolean }[]
      assert.deepEqual(
        identities.map(({ userId, primary }) => [userId, primary]),
        [
          ['1', true],
          ['2', false],
        ],
      )
    })

    test('finds its destination by alias as well', async () => {
      const pool = await createTestPool(app, { AliasAttributes: ['email'] })
      await createProvider(pool, 'Corp')
      await createTestUser(app, pool, 'ann', { email: 'ann@example.com', email_verified: 'true' })
      await link(pool, local('ann@example.com'), subject('Corp', '1'))
      assert.notEqual(await identitiesOf(pool, 'ann'), undefined)
    })
  })

  describe('a link is refused', () => {
    const refused: [string, ProviderUserIdentifierType, ProviderUserIdentifierType, string, string | RegExp][] = [
      [
        'for a source of the pool itself',
        local('ann'),
        subject('Cognito', 'bob'),
        'InvalidParameterException',
        'Invalid SourceUser: Cognito users with a username/password may not be passed in as a SourceUser, only as a DestinationUser',
      ],
      [
        'for a provider that does not exist',
        local('ann'),
        subject('Nowhere', '1'),
        'ResourceNotFoundException',
        'Identity provider Nowhere does not exist.',
      ],
      [
        'for a user who does not exist',
        local('nobody'),
        subject('Google', '1'),
        'UserNotFoundException',
        'User does not exist.',
      ],
      [
        'for a federated user who does not exist',
        subject('Google', '7'),
        subject('Corp', '1'),
        'UserNotFoundException',
        'User does not exist.',
      ],
      [
        'without a subject',
        local('ann'),
        { ...subject('Google', ''), ProviderAttributeValue: '' },
        'InvalidParameterException',
        /^Invalid SourceUser: /,
      ],
      [
        'without the name of the attribute',
        local('ann'),
        { ProviderName: 'Google', ProviderAttributeValue: '1' },
        'InvalidParameterException',
        /^Invalid SourceUser: /,
      ],
      [
        'for a subject without end',
        local('ann'),
        subject('Corp', 'x'.repeat(2_049)),
        'InvalidParameterException',
        /^Invalid SourceUser: /,
      ],
      [
        'without a destination',
        { ProviderName: 'Cognito' },
        subject('Google', '1'),
        'InvalidParameterException',
        /required/,
      ],
      [
        'for a social provider by another attribute',
        local('ann'),
        { ProviderName: 'Google', ProviderAttributeName: 'username', ProviderAttributeValue: 'a' },
        'InvalidParameterException',
        /^Invalid SourceUser: username is not an attribute/,
      ],
      [
        'by an attribute that is not mapped',
        local('ann'),
        { ProviderName: 'Corp', ProviderAttributeName: 'phone_number', ProviderAttributeValue: '+1' },
        'InvalidParameterException',
        /^Invalid SourceUser: phone_number is not an attribute/,
      ],
      [
        'by a member of every object',
        local('ann'),
        { ProviderName: 'Corp', ProviderAttributeName: 'constructor', ProviderAttributeValue: 'a' },
        'InvalidParameterException',
        /^Invalid SourceUser: constructor is not an attribute/,
      ],
    ]
    for (const [what, destination, source, name, message] of refused) {
      test(what, async () => {
        const pool = await newPool()
        await assert.rejects(link(pool, destination, source), { name, message })
        assert.equal(await identitiesOf(pool, 'ann'), undefined)
      })
    }

    test('when it exists, and when the source is somebody else already', async () => {
      const pool = await newPool()
      await link(pool, local('ann'), subject('Google', '1'))
      await assert.rejects(link(pool, local('ann'), subject('Google', '1')), {
        name: 'InvalidParameterException',
        message: 'SourceUser is already linked to DestinationUser',
      })
      await assert.rejects(link(pool, local('bob'), subject('Google', '1')), signedUp)
      assert.equal(await identitiesOf(pool, 'bob'), undefined)
    })

    test('when the source has signed in', async () => {
      const pool = await newPool()
      await createFederatedUser(pool, 'Google', '1')
      await assert.rejects(link(pool, local('ann'), subject('Google', '1')), signedUp)
      await link(pool, local('ann'), subject('Google', '2'))
    })

    test('as the sixth of a user, also when many come at once', async () => {
      const pool = await newPool()
      const results = await Promise.allSettled(
        Array.from({ length: 12 }, (_, index) => link(pool, local('ann'), subject('Google', `g${index}`))),
      )
      assert.deepEqual(outcomes(results), { succeeded: 5, errors: new Set(['LimitExceededException']) })
      assert.equal(((await identitiesOf(pool, 'ann')) as unknown[]).length, 5)
      await link(pool, local('bob'), subject('Google', 'another'))
    })

    test('to all but one when a source is linked to several users at once', async () => {
      const pool = await newPool()
      const results = await Promise.allSettled(
        ['ann', 'bob', 'ann', 'bob'].map(username => link(pool, local(username), subject('Google', '1'))),
      )
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['InvalidParameterException']) })
      const [ann, bob] = [await identitiesOf(pool, 'ann'), await identitiesOf(pool, 'bob')]
      assert.equal([ann, bob].filter(identities => identities !== undefined).length, 1)
    })

    test('by a sixth attribute of the same provider', async () => {
      const pool = await newPool()
      const attributes = ['email', 'name', 'nickname', 'profile', 'website', 'gender']
      await app.aws.updateIdentityProvider({
        UserPoolId: pool.UserPoolId,
        ProviderName: 'Corp',
        AttributeMapping: Object.fromEntries(attributes.map(name => [name, name])),
      })
      const by = (username: string, ProviderAttributeName: string) =>
        link(pool, local(username), { ProviderName: 'Corp', ProviderAttributeName, ProviderAttributeValue: username })
      for (const attribute of attributes.slice(0, 5)) await by('ann', attribute)
      await assert.rejects(by('bob', 'gender'), { name: 'LimitExceededException' })
      await by('bob', 'email')
      await link(pool, local('bob'), subject('Corp', '1'))
    })
  })

  describe('identities', () => {
    test('are apart by pool, by provider, and by upper and lower case', async () => {
      const [pool, other] = [await newPool(), await newPool()]
      await link(pool, local('ann'), subject('Corp', 'x'))
      await link(pool, local('bob'), subject('Google', 'x'))
      await link(pool, local('bob'), subject('Corp', 'X'))
      await link(other, local('bob'), subject('Corp', 'x'))
      await link(pool, local('bob'), {
        ProviderName: 'Corp',
        ProviderAttributeName: 'email',
        ProviderAttributeValue: 'x',
      })
      assert.equal(((await identitiesOf(pool, 'ann')) as unknown[]).length, 1)
      assert.equal(((await identitiesOf(pool, 'bob')) as unknown[]).length, 3)
      assert.equal(await identitiesOf(other, 'ann'), undefined)
    })

    test('cannot be written or deleted as an attribute, by nobody', async () => {
      const pool = await newPool()
      const AccessToken = await createSignedInUser(app, pool, 'cid')
      await link(pool, local('cid'), subject('Google', '1'))
      const UserAttributes = [{ Name: 'identities', Value: '[]' }]
      const by = { UserPoolId: pool.UserPoolId, Username: 'cid' }
      await assert.rejects(app.aws.adminUpdateUserAttributes({ ...by, UserAttributes }), {
        name: 'InvalidParameterException',
      })
      await assert.rejects(app.aws.adminDeleteUserAttributes({ ...by, UserAttributeNames: ['identities'] }), {
        name: 'InvalidParameterException',
      })
      await assert.rejects(app.aws.updateUserAttributes({ AccessToken, UserAttributes }), {
        name: 'NotAuthorizedException',
      })
      await assert.rejects(app.aws.adminCreateUser({ ...by, Username: 'dan', UserAttributes }), {
        name: 'InvalidParameterException',
      })
      assert.equal(((await identitiesOf(pool, 'cid')) as unknown[]).length, 1)
    })

    test('are free again when the user is deleted', async () => {
      const pool = await newPool()
      await link(pool, local('ann'), subject('Google', '1'))
      await app.aws.adminDeleteUser({ UserPoolId: pool.UserPoolId, Username: 'ann' })
      await link(pool, local('bob'), subject('Google', '1'))
    })

    test('outlive the provider, and can be unlinked then', async () => {
      const pool = await newPool()
      await link(pool, local('ann'), subject('Google', '1'))
      await app.aws.deleteIdentityProvider({ UserPoolId: pool.UserPoolId, ProviderName: 'Google' })
      assert.equal(((await identitiesOf(pool, 'ann')) as unknown[]).length, 1)
      await disable(pool, subject('Google', '1'))
      assert.equal(await identitiesOf(pool, 'ann'), undefined)
    })
  })

  describe('AdminDisableProviderForUser', () => {
    test('ends a link, which can then be made to somebody else', async () => {
      const pool = await newPool()
      const mapped = { ProviderName: 'Corp', ProviderAttributeName: 'email', ProviderAttributeValue: 'a@example.com' }
      await link(pool, local('ann'), subject('Google', '1'))
      await link(pool, local('ann'), mapped)
      assert.deepEqual(membersOf(await disable(pool, subject('Google', '1'))), {})
      assert.deepEqual(
        ((await identitiesOf(pool, 'ann')) as { providerName: string }[]).map(({ providerName }) => providerName),
        ['Corp'],
      )
      await disable(pool, mapped)
      assert.equal(await identitiesOf(pool, 'ann'), undefined)
      await link(pool, local('bob'), subject('Google', '1'))
    })

    test('refuses what is not linked', async () => {
      const pool = await newPool()
      const other = await newPool()
      await link(other, local('ann'), subject('Google', '1'))
      await createFederatedUser(pool, 'Google', '2')
      await assert.rejects(disable(pool, subject('Google', '1')), { name: 'UserNotFoundException' })
      await assert.rejects(disable(pool, subject('Google', '2')), { name: 'InvalidParameterException' })
      await assert.rejects(disable(pool, subject('Nowhere', '1')), {
        name: 'ResourceNotFoundException',
        message: 'Identity provider Nowhere does not exist.',
      })
      await assert.rejects(disable(pool, { ProviderName: 'Google' }), { name: 'InvalidParameterException' })
      assert.notEqual(await identitiesOf(other, 'ann'), undefined)
      assert.notEqual(await identitiesOf(pool, 'Google_2'), undefined)
    })

    test('ends a link once when many ask at once', async () => {
      const pool = await newPool()
      await link(pool, local('ann'), subject('Google', '1'))
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => disable(pool, subject('Google', '1'))))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['UserNotFoundException']) })
    })

    test('ends the password of a local user, until an administrator sets another', async () => {
      const pool = await newPool()
      const accessToken = await createSignedInUser(app, pool, 'cid')
      await disable(pool, subject('Cognito', 'cid'))
      await assert.rejects(signInUser(app, pool, 'cid'), {
        name: 'NotAuthorizedException',
        message: 'Incorrect username or password.',
      })
      await app.aws.getUser({ AccessToken: accessToken })
      await app.aws.adminSetUserPassword({
        UserPoolId: pool.UserPoolId,
        Username: 'cid',
        Password: testPassword,
        Permanent: true,
      })
      await signInUser(app, pool, 'cid')
    })

    test('ends a reset of the password that is under way', async () => {
      const pool = await createTestPool(app)
      const { ClientId } = pool
      await createSignedInUser(app, pool, 'cid', { email: 'cid@example.com', email_verified: 'true' })
      const reset = async () =>
        app.aws.confirmForgotPassword({
          ClientId,
          Username: 'cid',
          ConfirmationCode: await app.lastCode('cid@example.com'),
          Password: testPassword,
        })
      await app.aws.forgotPassword({ ClientId, Username: 'cid' })
      await disable(pool, subject('Cognito', 'cid'))
      await assert.rejects(reset(), { name: 'ExpiredCodeException' })
      await app.aws.forgotPassword({ ClientId, Username: 'cid' })
      await reset()
      await signInUser(app, pool, 'cid')
    })

    test('refuses an unknown local user, and another name of the attribute', async () => {
      const pool = await newPool()
      await assert.rejects(disable(pool, subject('Cognito', 'nobody')), {
        name: 'UserNotFoundException',
        message: 'User does not exist.',
      })
      await assert.rejects(
        disable(pool, { ProviderName: 'Cognito', ProviderAttributeName: 'email', ProviderAttributeValue: 'ann' }),
        { name: 'InvalidParameterException' },
      )
    })
  })

  const membersOf = ({ $metadata: _, ...rest }: { $metadata: unknown }): object => rest

  const idTokenClaims = async ({ UserPoolId, ClientId }: TestPool, USERNAME: string) => {
    const { AuthenticationResult } = await app.aws.adminInitiateAuth({
      UserPoolId,
      ClientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME, PASSWORD: testPassword },
    })
    const [, payload = ''] = AuthenticationResult?.IdToken?.split('.') ?? []
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>
  }
})
