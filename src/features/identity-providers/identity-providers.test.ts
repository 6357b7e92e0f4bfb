import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type {
  CreateIdentityProviderCommandInput,
  IdentityProviderType,
  IdentityProviderTypeType,
} from '@aws-sdk/client-cognito-identity-provider'
import { type FetchAnswer, fetchFrom, hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createTestPool, outcomes } from '../../../test/support/directory.ts'
import { keyDescriptor, samlMetadata, service, testCertificate } from '../../../test/support/saml.ts'
import { FetchFailure } from '../../core/ports.ts'

const issuer = 'https://idp.example.com/realm'
const wellKnown = `${issuer}/.well-known/openid-configuration`
const metadataUrl = 'https://saml.example.com/metadata'

const discoveryDocument = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    ...changes,
  })

/** The servers of others, as they are unless a test says otherwise. */
const answers = new Map<string, FetchAnswer>()
const resetAnswers = () => {
  answers.clear()
  answers.set(wellKnown, discoveryDocument())
  answers.set(metadataUrl, samlMetadata())
}

const oidcDetails = {
  client_id: 'client',
  client_secret: 'secret',
  attributes_request_method: 'GET',
  oidc_issuer: issuer,
  authorize_scopes: 'openid email',
}
const socialDetails = { client_id: 'client', client_secret: 'secret', authorize_scopes: 'email profile openid' }
const amazonDetails = { ...socialDetails, authorize_scopes: 'profile postal_code' }
const appleDetails = {
  client_id: 'com.example.web',
  team_id: 'TEAM123456',
  key_id: 'KEY1234567',
  private_key: 'MIGTAgEAMBMGByqGSM49',
  authorize_scopes: 'email name',
}
const samlDetails = { MetadataURL: metadataUrl }

const details: Record<IdentityProviderTypeType, Record<string, string>> = {
  OIDC: oidcDetails,
  SAML: samlDetails,
  Google: socialDetails,
  Facebook: { ...socialDetails, authorize_scopes: 'public_profile, email', api_version: 'v17.0' },
  LoginWithAmazon: amazonDetails,
  SignInWithApple: appleDetails,
}

const without = (object: Record<string, string>, ...keys: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))

onEachDatabase(testApp => {
  let app: TestApp
  const fetch = fetchFrom(answers)
  before(async () => {
    resetAnswers()
    app = await testApp({ fetch })
  })

  const newPool = async () => (await createTestPool(app)).UserPoolId

  const create = async (
    UserPoolId: string,
    input: Partial<CreateIdentityProviderCommandInput> = {},
  ): Promise<IdentityProviderType> => {
    const ProviderType = input.ProviderType ?? 'OIDC'
    const { IdentityProvider } = await app.aws.createIdentityProvider({
      UserPoolId,
      ProviderName: ['OIDC', 'SAML'].includes(ProviderType) ? 'MyProvider' : ProviderType,
      ProviderType,
      ProviderDetails: details[ProviderType],
      ...input,
    })
    assert.ok(IdentityProvider)
    return IdentityProvider
  }

  const describeProvider = async (UserPoolId: string, ProviderName = 'MyProvider') => {
    const { IdentityProvider } = await app.aws.describeIdentityProvider({ UserPoolId, ProviderName })
    assert.ok(IdentityProvider)
    return IdentityProvider
  }

  /** With other answers of others' servers for a while. */
  const whileAnswering = async (changes: [string, FetchAnswer | undefined][], work: () => Promise<void>) => {
    for (const [url, answer] of changes) {
      if (answer === undefined) answers.delete(url)
      else answers.set(url, answer)
    }
    try {
      await work()
    } finally {
      resetAnswers()
    }
  }

  describe('what a provider shows', () => {
    const shown: [IdentityProviderTypeType, Record<string, string>, Record<string, string>][] = [
      [
        'OIDC',
        {
          ...oidcDetails,
          authorize_url: `${issuer}/authorize`,
          token_url: `${issuer}/token`,
          attributes_url: `${issuer}/userinfo`,
          jwks_uri: `${issuer}/jwks`,
          attributes_url_add_attributes: 'false',
        },
        { username: 'sub' },
      ],
      [
        'Google',
        {
          ...socialDetails,
          attributes_url: 'https://people.googleapis.com/v1/people/me?personFields=',
          attributes_url_add_attributes: 'true',
          authorize_url: 'https://accounts.google.com/o/oauth2/v2/auth',
          oidc_issuer: 'https://accounts.google.com',
          token_request_method: 'POST',
          token_url: 'https://www.googleapis.com/oauth2/v4/token',
        },
        { username: 'sub' },
      ],
      [
        'Facebook',
        {
          ...details.Facebook,
          attributes_url: 'https://graph.facebook.com/v17.0/me?fields=',
          attributes_url_add_attributes: 'true',
          authorize_url: 'https://www.facebook.com/v17.0/dialog/oauth',
          token_request_method: 'GET',
          token_url: 'https://graph.facebook.com/v17.0/oauth/access_token',
        },
        { username: 'id' },
      ],
      [
        'LoginWithAmazon',
        {
          ...amazonDetails,
          attributes_url: 'https://api.amazon.com/user/profile',
          attributes_url_add_attributes: 'false',
          authorize_url: 'https://www.amazon.com/ap/oa',
          token_request_method: 'POST',
          token_url: 'https://api.amazon.com/auth/o2/token',
        },
        { username: 'user_id' },
      ],
      [
        'SignInWithApple',
        {
          ...without(appleDetails, 'private_key'),
          attributes_url_add_attributes: 'false',
          authorize_url: 'https://appleid.apple.com/auth/authorize',
          oidc_issuer: 'https://appleid.apple.com',
          token_request_method: 'POST',
          token_url: 'https://appleid.apple.com/auth/token',
        },
        { username: 'sub' },
      ],
    ]
    for (const [type, ProviderDetails, AttributeMapping] of shown) {
      test(`${type}: the details of the request and those of the service`, async () => {
        const UserPoolId = await newPool()
        const created = await create(UserPoolId, { ProviderType: type })
        assert.deepEqual(created, {
          UserPoolId,
          ProviderName: created.ProviderName,
          ProviderType: type,
          ProviderDetails,
          AttributeMapping,
          IdpIdentifiers: [],
          CreationDate: created.CreationDate,
          LastModifiedDate: created.LastModifiedDate,
        })
        assert.equal(created.CreationDate?.getTime(), app.now())
        assert.deepEqual(await describeProvider(UserPoolId, created.ProviderName), created)
      })
    }

    test('SAML: the addresses of the metadata, and a certificate for encryption that stays', async () => {
      const UserPoolId = await newPool()
      const created = await create(UserPoolId, { ProviderType: 'SAML' })
      const { ActiveEncryptionCertificate = '', ...rest } = created.ProviderDetails ?? {}
      assert.deepEqual(rest, {
        MetadataURL: metadataUrl,
        IDPSignout: 'false',
        SSORedirectBindingURI: 'https://idp.example.com/sso',
        SLORedirectBindingURI: 'https://idp.example.com/slo',
      })
      assert.deepEqual(created.AttributeMapping, {})
      const certificate = new X509Certificate(Buffer.from(ActiveEncryptionCertificate, 'base64'))
      assert.equal(certificate.subject, `CN=${UserPoolId}`)
      assert.ok(certificate.verify(certificate.publicKey))
      const other = await create(UserPoolId, { ProviderType: 'SAML', ProviderName: 'Other' })
      assert.notEqual(other.ProviderDetails?.['ActiveEncryptionCertificate'], ActiveEncryptionCertificate)
      await app.aws.updateIdentityProvider({ UserPoolId, ProviderName: 'MyProvider', ProviderDetails: samlDetails })
      const updated = await describeProvider(UserPoolId)
      assert.equal(updated.ProviderDetails?.['ActiveEncryptionCertificate'], ActiveEncryptionCertificate)
    })

    test('SAML: metadata from a file, and every switch', async () => {
      const MetadataFile = samlMetadata({
        role: keyDescriptor(testCertificate()) + service('SingleSignOnService', 'https://file.example.com/sso'),
      })
      const ProviderDetails = {
        MetadataFile,
        IDPSignout: 'TRUE',
        IDPInit: 'true',
        EncryptedResponses: 'true',
        RequestSigningAlgorithm: 'rsa-sha256',
      }
      const created = await create(await newPool(), { ProviderType: 'SAML', ProviderDetails })
      assert.deepEqual(without(created.ProviderDetails ?? {}, 'ActiveEncryptionCertificate'), {
        ...ProviderDetails,
        IDPSignout: 'true',
        SSORedirectBindingURI: 'https://file.example.com/sso',
      })
    })

    test('mapping, identifiers, levels', async () => {
      const UserPoolId = await newPool()
      const AttributeMapping = { email: 'email', email_verified: 'email_verified', username: 'sub' }
      const AcrMapping = { Level1: 'urn:idp:low', Level4: 'urn:idp:high' }
      const created = await create(UserPoolId, {
        AttributeMapping,
        IdpIdentifiers: ['example.com', 'a b', 'example.com'],
        AcrMapping,
      })
      assert.deepEqual(created.AttributeMapping, AttributeMapping)
      assert.deepEqual(created.IdpIdentifiers, ['example.com', 'a b'])
      assert.deepEqual(created.AcrMapping, AcrMapping)
      assert.deepEqual(await describeProvider(UserPoolId), created)
    })

    test('custom attributes can be mapped, and a claim can feed several attributes', async () => {
      const { UserPoolId } = await createTestPool(app, {
        Schema: [{ Name: 'role', AttributeDataType: 'String', Mutable: true }],
      })
      const AttributeMapping = { 'custom:role': 'role', name: 'role' }
      const created = await create(UserPoolId, { AttributeMapping })
      assert.deepEqual(created.AttributeMapping, { ...AttributeMapping, username: 'sub' })
    })

    test('keys that no provider of the type has are left out', async () => {
      const created = await create(await newPool(), {
        ProviderType: 'Google',
        ProviderDetails: JSON.parse(
          JSON.stringify({ ...socialDetails, key_id: 'x', whatever: 'y' }).replace('{', '{"__proto__":"z",'),
        ),
      })
      assert.deepEqual(Object.keys(created.ProviderDetails ?? {}).sort(), [
        'attributes_url',
        'attributes_url_add_attributes',
        'authorize_scopes',
        'authorize_url',
        'client_id',
        'client_secret',
        'oidc_issuer',
        'token_request_method',
        'token_url',
      ])
    })

    test('the schema of the pool has the attribute identities from the first provider on', async () => {
      const UserPoolId = await newPool()
      const schema = async () =>
        ((await app.aws.describeUserPool({ UserPoolId })).UserPool?.SchemaAttributes ?? []).find(
          ({ Name }) => Name === 'identities',
        )
      assert.equal(await schema(), undefined)
      await create(UserPoolId)
      assert.deepEqual(await schema(), {
        Name: 'identities',
        AttributeDataType: 'String',
        DeveloperOnlyAttribute: false,
        Mutable: true,
        Required: false,
        StringAttributeConstraints: {},
      })
      await create(UserPoolId, { ProviderType: 'Google' })
      await app.aws.deleteIdentityProvider({ UserPoolId, ProviderName: 'MyProvider' })
      await app.aws.updateUserPool({ UserPoolId })
      const { UserPool } = await app.aws.describeUserPool({ UserPoolId })
      assert.equal(UserPool?.SchemaAttributes?.filter(({ Name }) => Name === 'identities').length, 1)
    })

    test('secrets are sealed in the database', async () => {
      const UserPoolId = await newPool()
      await create(UserPoolId, { ProviderDetails: { ...oidcDetails, client_secret: 'a-very-plain-secret' } })
      await create(UserPoolId, { ProviderType: 'SignInWithApple' })
      await create(UserPoolId, { ProviderType: 'SAML', ProviderName: 'Saml' })
      const rows = await app.database.db
        .selectFrom('identity_providers')
        .selectAll()
        .where('pool_id', '=', UserPoolId)
        .execute()
      assert.equal(rows.length, 3)
      assert.doesNotMatch(JSON.stringify(rows), /a-very-plain-secret|MIGTAgEAMBMGByqGSM49|private_key|client_secret/)
    })
  })

  describe('OIDC', () => {
    test('nothing is discovered when every endpoint is given', async () => {
      fetch.asked.length = 0
      const endpoints = {
        authorize_url: 'https://a.example.com/authorize',
        token_url: 'https://b.example.com:443/token',
        attributes_url: 'https://c.example.com/me?full=1',
        jwks_uri: 'https://d.example.com/jwks',
      }
      const created = await create(await newPool(), { ProviderDetails: { ...oidcDetails, ...endpoints } })
      assert.deepEqual(fetch.asked, [])
      assert.deepEqual(
        { ...created.ProviderDetails },
        {
          ...oidcDetails,
          ...endpoints,
          attributes_url_add_attributes: 'false',
        },
      )
    })

    test('what is given wins over what is discovered', async () => {
      const ProviderDetails = { ...oidcDetails, token_url: 'https://other.example.com/token' }
      const created = await create(await newPool(), { ProviderDetails })
      assert.equal(created.ProviderDetails?.['token_url'], 'https://other.example.com/token')
      assert.equal(created.ProviderDetails?.['jwks_uri'], `${issuer}/jwks`)
    })

    test('a public client has no secret', async () => {
      const created = await create(await newPool(), { ProviderDetails: { ...oidcDetails, client_secret: '' } })
      assert.equal(created.ProviderDetails?.['client_secret'], undefined)
    })

    test('an issuer that ends in a slash is another issuer, discovered at the same place', async () => {
      const UserPoolId = await newPool()
      const slashed = { ...oidcDetails, oidc_issuer: `${issuer}/` }
      await assert.rejects(create(UserPoolId, { ProviderDetails: slashed }), {
        name: 'InvalidParameterException',
        message: `The well-known endpoint names another issuer: ${issuer}`,
      })
      await whileAnswering([[wellKnown, discoveryDocument({ issuer: `${issuer}/` })]], async () => {
        const created = await create(UserPoolId, { ProviderDetails: slashed })
        assert.equal(created.ProviderDetails?.['oidc_issuer'], `${issuer}/`)
      })
    })

    const documents: [string, FetchAnswer | undefined, string][] = [
      ['nobody answers', undefined, 'Unable to contact well-known endpoint'],
      ['there is none', { status: 404, body: discoveryDocument() }, 'Unable to contact well-known endpoint'],
      [
        'it redirects',
        { status: 302, headers: { location: 'https://x.example.com/' }, body: discoveryDocument() },
        'Unable to contact well-known endpoint',
      ],
      ['it is a page', '<html></html>', 'Unable to contact well-known endpoint'],
      ['it is a list', '[]', 'Unable to contact well-known endpoint'],
      ['it is empty', '', 'Unable to contact well-known endpoint'],
      [
        'it is nested too deeply',
        `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
        'Unable to contact well-known endpoint',
      ],
      ['it names no issuer', discoveryDocument({ issuer: undefined }), 'Unable to contact well-known endpoint'],
      [
        'it names another issuer',
        discoveryDocument({ issuer: 'https://evil.example.com' }),
        'The well-known endpoint names another issuer: https://evil.example.com',
      ],
      [
        'it names no keys',
        discoveryDocument({ jwks_uri: undefined }),
        'jwks_uri is neither given nor named by the well-known endpoint.',
      ],
      [
        'it names something else than a URL',
        discoveryDocument({ token_endpoint: { toString: 'x' } }),
        'token_url is neither given nor named by the well-known endpoint.',
      ],
      [
        'it leads to the own network',
        discoveryDocument({ token_endpoint: 'https://169.254.169.254/token' }),
        'Endpoints can not be private or local IPs',
      ],
      [
        'it leads away from https',
        discoveryDocument({ jwks_uri: 'http://idp.example.com/jwks' }),
        'OIDC endpoint must start with https://',
      ],
      [
        'it leads to a script',
        discoveryDocument({ authorization_endpoint: 'javascript:alert(1)' }),
        'OIDC endpoint must start with https://',
      ],
    ]
    for (const [what, answer, message] of documents) {
      test(`a provider is refused when of the discovery document ${what}`, async () => {
        const UserPoolId = await newPool()
        await whileAnswering([[wellKnown, answer]], () =>
          assert.rejects(create(UserPoolId), { name: 'InvalidParameterException', message }),
        )
        assert.deepEqual((await app.aws.listIdentityProviders({ UserPoolId })).Providers, [])
        await create(UserPoolId)
      })
    }
  })

  describe('details that are refused', () => {
    const oidcRequired =
      'clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details.'
    const socialRequired = 'clientId, clientSecret and authorizeScopes are all required idp details.'
    const appleRequired = 'clientId, privateKey, teamId, and keyId are all required idp details.'
    const refused: [IdentityProviderTypeType, string, Record<string, string>, string][] = [
      ...['client_id', 'attributes_request_method', 'oidc_issuer', 'authorize_scopes'].flatMap(
        (key): [IdentityProviderTypeType, string, Record<string, string>, string][] => [
          ['OIDC', `no ${key}`, without(oidcDetails, key), oidcRequired],
          ['OIDC', `an empty ${key}`, { ...oidcDetails, [key]: '' }, oidcRequired],
        ],
      ),
      ...(['Google', 'Facebook', 'LoginWithAmazon'] as const).flatMap(type =>
        ['client_id', 'client_secret', 'authorize_scopes'].map(
          (key): [IdentityProviderTypeType, string, Record<string, string>, string] => [
            type,
            `no ${key}`,
            without(details[type], key),
            socialRequired,
          ],
        ),
      ),
      ...['client_id', 'team_id', 'key_id', 'private_key', 'authorize_scopes'].map(
        (key): [IdentityProviderTypeType, string, Record<string, string>, string] => [
          'SignInWithApple',
          `no ${key}`,
          without(appleDetails, key),
          appleRequired,
        ],
      ),
      [
        'OIDC',
        'another request method',
        { ...oidcDetails, attributes_request_method: 'PUT' },
        "1 validation error detected: Value 'PUT' at 'attributesRequestMethod' failed to satisfy constraint: Member must satisfy enum value set: [POST, GET]",
      ],
      [
        'OIDC',
        'scopes without openid',
        { ...oidcDetails, authorize_scopes: 'email profile' },
        'authorize_scopes must contain openid.',
      ],
      [
        'OIDC',
        'an issuer without https',
        { ...oidcDetails, oidc_issuer: 'http://idp.example.com' },
        'OIDC endpoint must start with https://',
      ],
      [
        'OIDC',
        'a file as the issuer',
        { ...oidcDetails, oidc_issuer: 'file:///etc/passwd' },
        'OIDC endpoint must start with https://',
      ],
      [
        'OIDC',
        'an issuer that is no URL',
        { ...oidcDetails, oidc_issuer: 'idp' },
        'oidc_issuer must be a URL without user name, password, query and fragment.',
      ],
      [
        'OIDC',
        'an issuer with a query',
        { ...oidcDetails, oidc_issuer: `${issuer}?a=b` },
        'oidc_issuer must be a URL without user name, password, query and fragment.',
      ],
      [
        'OIDC',
        'credentials in an endpoint',
        { ...oidcDetails, token_url: 'https://a:b@idp.example.com/token' },
        'token_url must be a URL without user name, password, query and fragment.',
      ],
      [
        'OIDC',
        'another port',
        { ...oidcDetails, oidc_issuer: 'https://idp.example.com:8443' },
        'oidc_issuer must use port 443 or 80.',
      ],
      ...[
        'https://10.0.0.1',
        'https://169.254.169.254',
        'https://192.168.1.1',
        'https://[fd00::1]',
        'https://2886729729',
      ].map((oidc_issuer): [IdentityProviderTypeType, string, Record<string, string>, string] => [
        'OIDC',
        oidc_issuer,
        { ...oidcDetails, oidc_issuer },
        'Endpoints can not be private or local IPs',
      ]),
      ...['https://0.0.0.0', 'https://[::ffff:127.0.0.1]', 'https://192.0.2.1', 'https://224.0.0.1'].map(
        (oidc_issuer): [IdentityProviderTypeType, string, Record<string, string>, string] => [
          'OIDC',
          oidc_issuer,
          { ...oidcDetails, oidc_issuer },
          'Endpoints cannot be reserved IP addresses',
        ],
      ),
      ['OIDC', 'a line break', { ...oidcDetails, client_id: 'a\nb' }, 'client_id must not contain control characters.'],
      ['OIDC', 'a very long value', { ...oidcDetails, client_secret: 'x'.repeat(4_097) }, 'client_secret is too long.'],
      [
        'LoginWithAmazon',
        'a scope that it does not have',
        { ...amazonDetails, authorize_scopes: 'profile email' },
        'authorize_scopes must be scopes of the provider, separated by spaces.',
      ],
      [
        'SignInWithApple',
        'a scope that it does not have',
        { ...appleDetails, authorize_scopes: 'openid' },
        'authorize_scopes must be scopes of the provider, separated by spaces.',
      ],
      [
        'Facebook',
        'an API version that is none',
        { ...details.Facebook, api_version: '17/../..' },
        'api_version must be a version of the Graph API, for example v17.0.',
      ],
      [
        'Google',
        'a private address',
        { ...socialDetails, token_url: 'https://10.0.0.1/token' },
        'Endpoints can not be private or local IPs',
      ],
      [
        'SAML',
        'no metadata',
        { IDPSignout: 'true' },
        'At least one of the MetadataURL or MetadataFile should be provided.',
      ],
      [
        'SAML',
        'metadata twice',
        { ...samlDetails, MetadataFile: samlMetadata() },
        'Only one of the MetadataURL or MetadataFile should be provided.',
      ],
      ['SAML', 'a switch that is none', { ...samlDetails, IDPInit: 'yes' }, 'IDPInit must be true or false.'],
      [
        'SAML',
        'another algorithm',
        { ...samlDetails, RequestSigningAlgorithm: 'rsa-sha1' },
        'RequestSigningAlgorithm must be rsa-sha256.',
      ],
      ['SAML', 'a file that is no XML', { MetadataFile: 'hello' }, 'Input XML is invalid'],
      [
        'SAML',
        'a file with a document type',
        { MetadataFile: `<!DOCTYPE x>${samlMetadata()}` },
        'Input XML is invalid',
      ],
      [
        'SAML',
        'a file without a key',
        { MetadataFile: samlMetadata({ role: service('SingleSignOnService', issuer) }) },
        'No signing certificate found in metadata.',
      ],
      [
        'SAML',
        'a file without a place to sign in',
        { MetadataFile: samlMetadata({ role: keyDescriptor(testCertificate()) }) },
        'No SingleSignOn Http redirect binding location found in metadata.',
      ],
      [
        'SAML',
        'a private address',
        { MetadataURL: 'https://10.0.0.1/metadata' },
        'Endpoints can not be private or local IPs',
      ],
      [
        'SAML',
        'a reserved address',
        { MetadataURL: 'https://0/metadata' },
        'Endpoints cannot be reserved IP addresses',
      ],
    ]
    for (const [type, what, ProviderDetails, message] of refused) {
      test(`${type}: ${what}`, async () => {
        const UserPoolId = await newPool()
        await assert.rejects(create(UserPoolId, { ProviderType: type, ProviderDetails }), {
          name: 'InvalidParameterException',
          message,
        })
        assert.deepEqual((await app.aws.listIdentityProviders({ UserPoolId })).Providers, [])
      })
    }

    test('SAML metadata that cannot be had', async () => {
      const UserPoolId = await newPool()
      const fails = (message: string) =>
        assert.rejects(create(UserPoolId, { ProviderType: 'SAML' }), { name: 'InvalidParameterException', message })
      await whileAnswering([[metadataUrl, undefined]], () => fails(`Error retrieving metadata from ${metadataUrl}`))
      await whileAnswering([[metadataUrl, { status: 404 }]], () =>
        fails(`Non-ok status code 404 returned from remote metadata source ${metadataUrl}`),
      )
      await whileAnswering([[metadataUrl, '<html>']], () => fails('Input XML is invalid'))
      await create(UserPoolId, { ProviderType: 'SAML' })
    })
  })

  describe('mappings that are refused', () => {
    const mappings: [string, Record<string, string>, string][] = [
      ['an attribute that is not in the schema', { 'custom:role': 'role', email: 'email' }, 'custom:role'],
      ['several', { nope: 'a', email: 'email', 'cognito:groups': 'groups' }, 'nope, cognito:groups'],
      ['the sub', { sub: 'sub' }, 'sub'],
      ['the identities', { identities: 'identities' }, 'identities'],
      ['another user name', { username: 'email' }, 'username'],
      ['no claim', { email: '' }, 'email'],
      ['a member of every object', { constructor: 'a' }, 'constructor'],
    ]
    for (const [what, AttributeMapping, names] of mappings) {
      test(what, async () => {
        await assert.rejects(create(await newPool(), { AttributeMapping }), {
          name: 'InvalidParameterException',
          message: `AttributeMapping contains invalid mapping: [${names}]`,
        })
      })
    }

    test('a user name for SAML, which takes the NameID', async () => {
      await assert.rejects(create(await newPool(), { ProviderType: 'SAML', AttributeMapping: { username: 'uid' } }), {
        message: 'AttributeMapping contains invalid mapping: [username]',
      })
    })

    test('levels that do not exist, without a value, and of a provider that is not OIDC', async () => {
      const UserPoolId = await newPool()
      const mappings: Record<string, string>[] = [{ Level5: 'x' }, { Level1: '' }, { Level1: 'a b' }]
      for (const AcrMapping of mappings) {
        await assert.rejects(create(UserPoolId, { AcrMapping }), { name: 'InvalidParameterException' })
      }
      await assert.rejects(create(UserPoolId, { ProviderType: 'Google', AcrMapping: { Level1: 'x' } }), {
        name: 'InvalidParameterException',
      })
      const created = await create(UserPoolId, { ProviderType: 'Google', AcrMapping: {} })
      assert.equal(created.AcrMapping, undefined)
    })
  })

  describe('names', () => {
    test('a social provider has the name of its type', async () => {
      const UserPoolId = await newPool()
      for (const ProviderType of ['Google', 'Facebook', 'LoginWithAmazon', 'SignInWithApple'] as const) {
        await assert.rejects(create(UserPoolId, { ProviderType, ProviderName: 'Mine' }), {
          name: 'InvalidParameterException',
          message: `Provider Mine cannot be of type ${ProviderType}.`,
        })
      }
    })

    test('COGNITO is no name of a provider, however it is written', async () => {
      const UserPoolId = await newPool()
      for (const ProviderName of ['COGNITO', 'Cognito']) {
        await assert.rejects(create(UserPoolId, { ProviderName }), { name: 'InvalidParameterException' })
      }
    })

    for (const ProviderName of ['_abc', 'ab', 'a b c', 'abc_', 'x'.repeat(33)]) {
      test(`${ProviderName} is no name`, async () => {
        await assert.rejects(create(await newPool(), { ProviderName }), {
          name: 'InvalidParameterException',
          message: /^1 validation error detected: Value .* at 'providerName' failed to satisfy constraint: /,
        })
      })
    }

    test('a name exists once in a pool, also when many create it at once', async () => {
      const UserPoolId = await newPool()
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => create(UserPoolId)))
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['DuplicateProviderException']) })
      await assert.rejects(create(UserPoolId), {
        name: 'DuplicateProviderException',
        message: 'Provider MyProvider already exists.',
      })
      await create(await newPool())
    })

    test('unknown providers are named, also those of other pools', async () => {
      const [UserPoolId, other] = [await newPool(), await newPool()]
      await create(other, { IdpIdentifiers: ['example.com'] })
      const ProviderName = 'MyProvider'
      const error = { name: 'ResourceNotFoundException', message: 'Identity provider MyProvider does not exist.' }
      await assert.rejects(app.aws.describeIdentityProvider({ UserPoolId, ProviderName }), error)
      await assert.rejects(app.aws.updateIdentityProvider({ UserPoolId, ProviderName }), error)
      await assert.rejects(app.aws.deleteIdentityProvider({ UserPoolId, ProviderName }), error)
      await assert.rejects(app.aws.getIdentityProviderByIdentifier({ UserPoolId, IdpIdentifier: 'example.com' }), {
        name: 'ResourceNotFoundException',
        message: 'Identity provider example.com does not exist.',
      })
      await describeProvider(other)
    })

    test('an unknown pool is named', async () => {
      await assert.rejects(create('us-east-1_nothing00'), {
        name: 'ResourceNotFoundException',
        message: 'User pool us-east-1_nothing00 does not exist.',
      })
    })
  })

  describe('identifiers', () => {
    test('find the provider, until it is deleted', async () => {
      const UserPoolId = await newPool()
      const created = await create(UserPoolId, { IdpIdentifiers: ['example.com', 'example.org'] })
      const find = (IdpIdentifier: string) => app.aws.getIdentityProviderByIdentifier({ UserPoolId, IdpIdentifier })
      assert.deepEqual((await find('example.org')).IdentityProvider, created)
      await assert.rejects(find('EXAMPLE.org'), { name: 'ResourceNotFoundException' })
      await app.aws.deleteIdentityProvider({ UserPoolId, ProviderName: 'MyProvider' })
      await assert.rejects(find('example.org'), { name: 'ResourceNotFoundException' })
      await create(UserPoolId, { IdpIdentifiers: ['example.org'] })
    })

    test('belong to one provider of the pool', async () => {
      const UserPoolId = await newPool()
      await create(UserPoolId, { IdpIdentifiers: ['one', 'two'] })
      const taken = {
        name: 'InvalidParameterException',
        message: 'The identifier two belongs to another identity provider of the user pool.',
      }
      await assert.rejects(create(UserPoolId, { ProviderName: 'Other', IdpIdentifiers: ['three', 'two'] }), taken)
      await create(UserPoolId, { ProviderName: 'Other', IdpIdentifiers: ['three'] })
      const update = (IdpIdentifiers: string[]) =>
        app.aws.updateIdentityProvider({ UserPoolId, ProviderName: 'Other', IdpIdentifiers })
      await assert.rejects(update(['two']), taken)
      assert.deepEqual((await describeProvider(UserPoolId, 'Other')).IdpIdentifiers, ['three'])
      await app.aws.updateIdentityProvider({ UserPoolId, ProviderName: 'MyProvider', IdpIdentifiers: [] })
      assert.deepEqual((await update(['two', 'three'])).IdentityProvider?.IdpIdentifiers, ['two', 'three'])
      await create(await newPool(), { IdpIdentifiers: ['one', 'two', 'three'] })
    })

    test('of 51 there is one too many', async () => {
      const UserPoolId = await newPool()
      const identifiers = Array.from({ length: 51 }, (_, index) => `id${index}`)
      await assert.rejects(create(UserPoolId, { IdpIdentifiers: identifiers }), { name: 'InvalidParameterException' })
      const created = await create(UserPoolId, { IdpIdentifiers: identifiers.slice(1) })
      assert.equal(created.IdpIdentifiers?.length, 50)
    })
  })

  describe('updates', () => {
    test('replace the members that they name and keep the others', async () => {
      const UserPoolId = await newPool()
      const created = await create(UserPoolId, {
        AttributeMapping: { email: 'email' },
        IdpIdentifiers: ['example.com'],
        AcrMapping: { Level1: 'low' },
      })
      const update = async (input: object) => {
        await app.aws.updateIdentityProvider({ UserPoolId, ProviderName: 'MyProvider', ...input })
        return describeProvider(UserPoolId)
      }
      app.advance(1_000)
      const touched = await update({})
      assert.deepEqual(touched, { ...created, LastModifiedDate: new Date(app.now()) })
      const mapped = await update({ AttributeMapping: { name: 'name' } })
      assert.deepEqual(mapped, { ...touched, AttributeMapping: { name: 'name', username: 'sub' } })
      const levelled = await update({ AcrMapping: {} })
      assert.equal(levelled.AcrMapping, undefined)
      const secret = await update({ ProviderDetails: { ...created.ProviderDetails, client_secret: 'other' } })
      assert.deepEqual(secret.ProviderDetails, { ...created.ProviderDetails, client_secret: 'other' })
      assert.deepEqual(secret.IdpIdentifiers, ['example.com'])
    })

    for (const type of Object.keys(details) as IdentityProviderTypeType[]) {
      test(`${type}: what was read can be written back and changes nothing`, async () => {
        const UserPoolId = await newPool()
        const created = await create(UserPoolId, { ProviderType: type })
        const { ProviderName = '', ProviderDetails, AttributeMapping, IdpIdentifiers } = created
        await app.aws.updateIdentityProvider({
          UserPoolId,
          ProviderName,
          ProviderDetails,
          AttributeMapping,
          IdpIdentifiers,
        })
        assert.deepEqual(await describeProvider(UserPoolId, ProviderName), {
          ...created,
          LastModifiedDate: new Date(app.now()),
        })
      })
    }

    test('with another issuer, what was discovered from the old one is discovered anew', async () => {
      const UserPoolId = await newPool()
      const { ProviderDetails } = await create(UserPoolId)
      const next = 'https://next.example.com'
      const document = discoveryDocument({
        issuer: next,
        authorization_endpoint: `${next}/a`,
        token_endpoint: `${next}/t`,
        userinfo_endpoint: `${next}/u`,
        jwks_uri: `${next}/j`,
      })
      await whileAnswering([[`${next}/.well-known/openid-configuration`, document]], async () => {
        const { IdentityProvider } = await app.aws.updateIdentityProvider({
          UserPoolId,
          ProviderName: 'MyProvider',
          ProviderDetails: { ...ProviderDetails, oidc_issuer: next, attributes_url: 'https://mine.example.com/u' },
        })
        assert.deepEqual(IdentityProvider?.ProviderDetails, {
          ...ProviderDetails,
          oidc_issuer: next,
          authorize_url: `${next}/a`,
          token_url: `${next}/t`,
          attributes_url: 'https://mine.example.com/u',
          jwks_uri: `${next}/j`,
        })
      })
    })

    test('with another version of the API, the addresses follow', async () => {
      const UserPoolId = await newPool()
      const { ProviderDetails } = await create(UserPoolId, { ProviderType: 'Facebook' })
      const { IdentityProvider } = await app.aws.updateIdentityProvider({
        UserPoolId,
        ProviderName: 'Facebook',
        ProviderDetails: { ...ProviderDetails, api_version: 'v21.0' },
      })
      assert.equal(
        IdentityProvider?.ProviderDetails?.['token_url'],
        'https://graph.facebook.com/v21.0/oauth/access_token',
      )
    })

    test('the addresses of a social provider can be those of a test server', async () => {
      const UserPoolId = await newPool()
      const created = await create(UserPoolId, {
        ProviderType: 'Google',
        ProviderDetails: { ...socialDetails, token_url: 'http://localhost:9000/token' },
      })
      assert.equal(created.ProviderDetails?.['token_url'], 'http://localhost:9000/token')
    })

    test('of SAML read the metadata anew', async () => {
      const UserPoolId = await newPool()
      await create(UserPoolId, { ProviderType: 'SAML' })
      const moved = samlMetadata({
        role: keyDescriptor(testCertificate()) + service('SingleSignOnService', 'https://moved.example.com/sso'),
      })
      await whileAnswering([[metadataUrl, moved]], async () => {
        const before = await describeProvider(UserPoolId)
        assert.equal(before.ProviderDetails?.['SSORedirectBindingURI'], 'https://idp.example.com/sso')
        await app.aws.updateIdentityProvider({ UserPoolId, ProviderName: 'MyProvider', ProviderDetails: samlDetails })
        const { ProviderDetails } = await describeProvider(UserPoolId)
        assert.equal(ProviderDetails?.['SSORedirectBindingURI'], 'https://moved.example.com/sso')
        assert.equal(ProviderDetails?.['SLORedirectBindingURI'], undefined)
      })
    })

    test('that are refused change nothing', async () => {
      const UserPoolId = await newPool()
      const created = await create(UserPoolId)
      await assert.rejects(
        app.aws.updateIdentityProvider({
          UserPoolId,
          ProviderName: 'MyProvider',
          AttributeMapping: { email: 'email' },
          ProviderDetails: { client_id: 'x' },
        }),
        { name: 'InvalidParameterException' },
      )
      assert.deepEqual(await describeProvider(UserPoolId), created)
    })

    test('of many at once each is whole, and whoever lost is told', async () => {
      const UserPoolId = await newPool()
      await create(UserPoolId)
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          app.aws.updateIdentityProvider({
            UserPoolId,
            ProviderName: 'MyProvider',
            IdpIdentifiers: [`id${index}`],
            AttributeMapping: { email: `claim${index}` },
          }),
        ),
      )
      const { succeeded, errors } = outcomes(results)
      assert.ok(succeeded >= 1)
      for (const error of errors) assert.equal(error, 'ConcurrentModificationException')
      const { IdpIdentifiers = [], AttributeMapping } = await describeProvider(UserPoolId)
      assert.equal(IdpIdentifiers[0]?.replace('id', 'claim'), AttributeMapping?.['email'])
      const found = await app.aws.getIdentityProviderByIdentifier({
        UserPoolId,
        IdpIdentifier: IdpIdentifiers[0] ?? '',
      })
      assert.equal(found.IdentityProvider?.ProviderName, 'MyProvider')
    })
  })

  describe('lists', () => {
    test('show all providers of the pool in pages, in the same order each time', async () => {
      const UserPoolId = await newPool()
      const names = ['Zeta', 'Alpha', 'Google', 'Beta', 'Gamma']
      for (const ProviderName of names) {
        await create(UserPoolId, ProviderName === 'Google' ? { ProviderType: 'Google' } : { ProviderName })
      }
      await create(await newPool())
      const seen: (string | undefined)[] = []
      let NextToken: string | undefined
      do {
        const page = await app.aws.listIdentityProviders({ UserPoolId, MaxResults: 2, NextToken })
        assert.ok((page.Providers ?? []).length <= 2)
        for (const provider of page.Providers ?? []) {
          seen.push(provider.ProviderName)
          assert.equal(provider.ProviderType, provider.ProviderName === 'Google' ? 'Google' : 'OIDC')
          assert.ok(provider.CreationDate instanceof Date && provider.LastModifiedDate instanceof Date)
          assert.deepEqual(Object.keys(provider).sort(), [
            'CreationDate',
            'LastModifiedDate',
            'ProviderName',
            'ProviderType',
          ])
        }
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      assert.deepEqual(seen, [...names].sort())
      assert.equal((await app.aws.listIdentityProviders({ UserPoolId, MaxResults: 0 })).Providers?.length, 5)
    })

    test('a token belongs to its pool and lives for an hour', async () => {
      const [UserPoolId, other] = [await newPool(), await newPool()]
      await create(UserPoolId)
      await create(UserPoolId, { ProviderType: 'Google' })
      const { NextToken } = await app.aws.listIdentityProviders({ UserPoolId, MaxResults: 1 })
      assert.ok(NextToken)
      await assert.rejects(app.aws.listIdentityProviders({ UserPoolId: other, NextToken }), {
        name: 'InvalidParameterException',
      })
      assert.equal((await app.aws.listIdentityProviders({ UserPoolId, NextToken })).Providers?.length, 1)
      app.advance(hours(1))
      await assert.rejects(app.aws.listIdentityProviders({ UserPoolId, NextToken }), {
        name: 'InvalidParameterException',
      })
    })

    test('a page has at most 60 entries', async () => {
      await assert.rejects(app.aws.listIdentityProviders({ UserPoolId: await newPool(), MaxResults: 61 }), {
        name: 'InvalidParameterException',
        message: /failed to satisfy constraint: Member must have value less than or equal to 60/,
      })
    })

    test('of 301 providers there is one too many, also when several come at once', async () => {
      const UserPoolId = await newPool()
      await create(UserPoolId, { ProviderType: 'Google' })
      const row = await app.database.db
        .selectFrom('identity_providers')
        .selectAll()
        .where('pool_id', '=', UserPoolId)
        .executeTakeFirstOrThrow()
      for (let start = 0; start < 298; start += 50) {
        const names = Array.from({ length: Math.min(50, 298 - start) }, (_, index) => `copy${start + index}`)
        await app.database.db
          .insertInto('identity_providers')
          .values(names.map(name => ({ ...row, name })))
          .execute()
      }
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => create(UserPoolId, { ProviderName: `Last${index}` })),
      )
      assert.deepEqual(outcomes(results), { succeeded: 1, errors: new Set(['LimitExceededException']) })
    })
  })

  describe('app clients', () => {
    test('name providers that exist', async () => {
      const UserPoolId = await newPool()
      const createClient = (SupportedIdentityProviders: string[]) =>
        app.aws.createUserPoolClient({ UserPoolId, ClientName: 'web', SupportedIdentityProviders })
      const unknown = {
        name: 'InvalidParameterException',
        message: `The provider Google does not exist for User Pool ${UserPoolId}.`,
      }
      await assert.rejects(createClient(['COGNITO', 'Google']), unknown)
      await create(UserPoolId, { ProviderType: 'Google' })
      const { UserPoolClient } = await createClient(['COGNITO', 'Google'])
      assert.deepEqual(UserPoolClient?.SupportedIdentityProviders, ['COGNITO', 'Google'])
    })

    test('keep the name of a provider that is deleted, and cannot name it again', async () => {
      const UserPoolId = await newPool()
      await create(UserPoolId, { ProviderType: 'Google' })
      const { UserPoolClient } = await app.aws.createUserPoolClient({
        UserPoolId,
        ClientName: 'web',
        SupportedIdentityProviders: ['Google'],
      })
      const ClientId = UserPoolClient?.ClientId ?? ''
      await app.aws.deleteIdentityProvider({ UserPoolId, ProviderName: 'Google' })
      const described = await app.aws.describeUserPoolClient({ UserPoolId, ClientId })
      assert.deepEqual(described.UserPoolClient?.SupportedIdentityProviders, ['Google'])
      await assert.rejects(
        app.aws.updateUserPoolClient({ UserPoolId, ClientId, SupportedIdentityProviders: ['Google'] }),
        { name: 'InvalidParameterException' },
      )
    })
  })

  describe('names of users', () => {
    test('nobody signs up under a name that a provider gives', async () => {
      const { UserPoolId, ClientId } = await createTestPool(app, { UsernameConfiguration: { CaseSensitive: false } })
      const signUp = (Username: string) => app.aws.signUp({ ClientId, Username, Password: 'Passw0rd!' })
      await signUp('google_1')
      await create(UserPoolId, { ProviderType: 'Google' })
      await assert.rejects(signUp('GOOGLE_2'), { name: 'InvalidParameterException' })
      await assert.rejects(signUp('Google_'), { name: 'InvalidParameterException' })
      await signUp('googler_2')
      await signUp('my_google_2')
    })
  })
})

describe('the guarded fetch behind the operations', () => {
  onEachDatabase(testApp => {
    test('takes the metadata of a server on this machine, and of no other address', async () => {
      const app = await testApp()
      const server = createServer((request, response) => {
        if (request.url === '/moved') response.writeHead(302, { location: 'https://169.254.169.254/latest' }).end()
        else response.end(request.url === '/large' ? samlMetadata().padEnd(1_048_577) : samlMetadata())
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      after(() => server.close())
      const base = `http://localhost:${(server.address() as AddressInfo).port}`
      const { UserPoolId } = await createTestPool(app)
      const create = (MetadataURL: string) =>
        app.aws.createIdentityProvider({
          UserPoolId,
          ProviderName: 'Local',
          ProviderType: 'SAML',
          ProviderDetails: { MetadataURL },
        })
      await assert.rejects(create(`${base}/moved`), { message: 'Endpoints can not be private or local IPs' })
      await assert.rejects(create(`${base}/large`), { message: `Error retrieving metadata from ${base}/large` })
      await assert.rejects(create('file:///etc/passwd'), { name: 'InvalidParameterException' })
      const { IdentityProvider } = await create(`${base}/metadata`)
      assert.equal(IdentityProvider?.ProviderDetails?.['SSORedirectBindingURI'], 'https://idp.example.com/sso')
    })

    test('a refused address is told apart from a silent server', async () => {
      const reasons: [ConstructorParameters<typeof FetchFailure>[0], string][] = [
        ['private-address', 'Endpoints can not be private or local IPs'],
        ['reserved-address', 'Endpoints cannot be reserved IP addresses'],
        ['timeout', 'Unable to contact well-known endpoint'],
        ['too-large', 'Unable to contact well-known endpoint'],
        ['redirect', 'Unable to contact well-known endpoint'],
      ]
      let reason: (typeof reasons)[number][0] = 'timeout'
      const app = await testApp({ fetch: () => Promise.reject(new FetchFailure(reason, 'no')) })
      const { UserPoolId } = await createTestPool(app)
      for (const [failure, message] of reasons) {
        reason = failure
        await assert.rejects(
          app.aws.createIdentityProvider({
            UserPoolId,
            ProviderName: 'MyProvider',
            ProviderType: 'OIDC',
            ProviderDetails: oidcDetails,
          }),
          { name: 'InvalidParameterException', message },
        )
      }
    })
  })
})
