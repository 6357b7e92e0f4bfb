import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type {
  CreateIdentityProviderCommandInput,
  CreateUserPoolClientCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { type FetchAnswer, fetchFrom, hours, minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  type Answer,
  answerIn,
  authorizeUrl,
  callback,
  createOAuthClient,
  createOAuthPool,
  type Fields,
  type OAuthClient,
  redeem,
  visit,
} from '../../../test/support/oauth.ts'
import {
  encryptAssertion,
  idpEntityId,
  idpMetadata,
  instant,
  makeIdpKey,
  type ResponseContent,
  sharedIdpKey,
} from '../../../test/support/saml-idp.ts'
import {
  addSamlProvider,
  arriveFromIdp,
  assertSignedRequest,
  departToIdp,
  inBase64,
  messageIn,
  postTo,
  responseTo,
  signInThroughIdp,
} from '../../../test/support/saml-journey.ts'
import { claimsOf } from '../../../test/support/sign-in.ts'

const withCorp = { SupportedIdentityProviders: ['COGNITO', 'Corp'] }
const stranger = makeIdpKey()
const metadataUrl = 'https://idp.example.com/metadata'

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  const answers = new Map<string, FetchAnswer>()
  const fetched = fetchFrom(answers)
  before(async () => {
    app = await testApp({ fetch: fetched })
    client = await newClient()
  })

  const newClient = async (
    provider: Partial<CreateIdentityProviderCommandInput> = {},
    members: Partial<CreateUserPoolClientCommandInput> = withCorp,
  ): Promise<OAuthClient> => {
    const { poolId } = await createOAuthPool(app, {}, { UsernameConfiguration: { CaseSensitive: false } })
    await addSamlProvider(app, poolId, provider)
    return createOAuthClient(app, poolId, members)
  }
  const update = (of: OAuthClient, details: Record<string, string>) =>
    app.aws.updateIdentityProvider({
      UserPoolId: of.poolId,
      ProviderName: 'Corp',
      ProviderDetails: { MetadataFile: idpMetadata([sharedIdpKey()]), ...details },
    })
  const tokensOf = async ({ location, body }: Answer, of = client) => {
    assert.ok(location?.startsWith(`${callback}?code=`), `${location} ${body}`)
    const { json } = await redeem(app, of, answerIn(location).get('code') ?? '')
    return claimsOf(String(json['id_token']))
  }
  /** What the application is told. */
  const refusalOf = ({ location }: Answer): string => {
    assert.ok(location?.startsWith(callback), `${location}`)
    const answer = answerIn(location)
    assert.equal(answer.get('code'), null)
    return `${answer.get('error')}: ${answer.get('error_description')}`
  }
  /** Nobody but the user is told. */
  const assertErrorPage = ({ status, location, body, headers }: Answer, text: string) => {
    assert.deepEqual([status, location], [400, null])
    assert.match(body, new RegExp(text))
    assert.doesNotMatch(headers.get('set-cookie') ?? '', /cognito-/)
  }

  // ------------------------------------------------------------------------------------------ sign-in

  test('a browser goes to the provider and comes back with a code of the user who signed in there', async () => {
    const departed = await departToIdp(app, client, { state: 's1' })
    assert.equal(departed.address.href.split('?')[0], 'https://idp.example.com/sso')
    assert.deepEqual([...departed.address.searchParams.keys()], ['SAMLRequest', 'RelayState'])
    assert.equal(departed.recipient, `${app.url}/saml2/idpresponse`)
    assert.match(departed.requestId, /^_[0-9a-f-]{36}$/)
    assert.match(departed.request, /Destination="https:\/\/idp.example.com\/sso"/)
    assert.match(departed.request, new RegExp(`<saml2:Issuer>urn:amazon:cognito:sp:${client.poolId}</saml2:Issuer>`))
    assert.doesNotMatch(departed.request, /ForceAuthn|NameIDPolicy/)
    const attributes = { email: 'Ella@corp.example', unmapped: 'x' }
    const response = responseTo(app, client, departed, { nameId: 'Ella@corp.example', attributes })
    const answer = await arriveFromIdp(app, departed, response)
    assert.equal(answerIn(answer.location).get('state'), 's1')
    assert.match(answer.headers.get('set-cookie') ?? '', /cognito-/)
    const claims = await tokensOf(answer)
    assert.equal(claims['cognito:username'], 'corp_ella@corp.example')
    assert.equal(claims['email'], 'Ella@corp.example')
    const [identity] = claims['identities'] as Record<string, string>[]
    assert.equal(identity?.['userId'], 'Ella@corp.example')
    assert.equal(identity?.['providerType'], 'SAML')
    assert.equal(identity?.['issuer'], idpEntityId)
    // The next request finds the session of the browser and does not leave.
    const cookie = /cognito-[^;]*/.exec(answer.headers.get('set-cookie') ?? '')?.[0] ?? ''
    const again = await visit(authorizeUrl(app, client, { identity_provider: 'Corp' }), { cookie })
    assert.equal((await tokensOf(again))['sub'], claims['sub'])
  })

  test('a second sign-in is the same user, and brings the attributes up to date', async () => {
    const first = await tokensOf(await signInThroughIdp(app, client, { nameId: 'bo' }))
    const attributes = { email: 'bo@new.example' }
    const second = await tokensOf(await signInThroughIdp(app, client, { nameId: 'bo', attributes }))
    assert.equal(second['sub'], first['sub'])
    assert.equal(second['email'], 'bo@new.example')
    // The subject is compared letter by letter, and the name of the profile is not.
    assert.match(
      refusalOf(await signInThroughIdp(app, client, { nameId: 'BO' })),
      /Already found an entry for username corp_bo /,
    )
  })

  test('a linked identity signs in as the user it is linked to, by attribute first and by subject from then on', async () => {
    const of = await newClient()
    await app.aws.adminCreateUser({ UserPoolId: of.poolId, Username: 'local', MessageAction: 'SUPPRESS' })
    await app.aws.adminLinkProviderForUser({
      UserPoolId: of.poolId,
      DestinationUser: { ProviderName: 'Cognito', ProviderAttributeValue: 'local' },
      SourceUser: { ProviderName: 'Corp', ProviderAttributeName: 'email', ProviderAttributeValue: 'fay@corp.example' },
    })
    const attributes = { email: 'fay@corp.example' }
    for (const content of [{ attributes }, { attributes: { email: 'fay@new.example' } }]) {
      const claims = await tokensOf(await signInThroughIdp(app, of, { nameId: 'f1', ...content }), of)
      assert.equal(claims['cognito:username'], 'local')
    }
    // Whoever else comes with the address is somebody else.
    const other = await tokensOf(await signInThroughIdp(app, of, { nameId: 'f2', attributes }), of)
    assert.equal(other['cognito:username'], 'corp_f2')
  })

  test('several values become a list, and the subject can be mapped', async () => {
    const of = await newClient({ AttributeMapping: { email: 'NameID', name: 'groups' } })
    const claims = await tokensOf(
      await signInThroughIdp(app, of, {
        nameId: 'cy@corp.example',
        attributes: { groups: ['a b', 'c'], NameID: 'other' },
      }),
      of,
    )
    assert.equal(claims['email'], 'cy@corp.example')
    assert.equal(claims['name'], '[a+b,c]')
  })

  test('the function for inbound federation is given the attributes', async () => {
    const of = await newClient()
    const told: unknown[] = []
    const LambdaArn = app.lambda('inbound-saml', event => {
      told.push(event.request)
      return event
    })
    await app.aws.updateUserPool({
      UserPoolId: of.poolId,
      LambdaConfig: { InboundFederation: { LambdaVersion: 'V1_0', LambdaArn } },
    })
    await tokensOf(
      await signInThroughIdp(app, of, { nameId: 'di', attributes: { email: 'di@x.example', g: ['1', '2'] } }),
      of,
    )
    assert.deepEqual(told, [
      {
        providerName: 'Corp',
        providerType: 'SAML',
        attributes: { samlResponse: { email: 'di@x.example', g: ['1', '2'], NameID: 'di' } },
      },
    ])
  })

  test('the request is signed with the key of GetSigningCertificate where that is asked for', async () => {
    const of = await newClient({ ProviderDetails: { RequestSigningAlgorithm: 'rsa-sha256' } })
    const { address } = await departToIdp(app, of, { prompt: 'login' })
    assert.match(messageIn(address), /ForceAuthn="true"/)
    await assertSignedRequest(app, of, address)
  })

  test('a provider is found by an identifier, and the only one of a client without a page', async () => {
    const of = await newClient({ IdpIdentifiers: ['corp.example'] })
    const departed = await departToIdp(app, of, { identity_provider: undefined, idp_identifier: 'corp.example' })
    await tokensOf(await arriveFromIdp(app, departed, responseTo(app, of, departed)), of)
    const only = await createOAuthClient(app, of.poolId, { SupportedIdentityProviders: ['Corp'] })
    await departToIdp(app, only, { identity_provider: undefined })
  })

  test('an encrypted assertion opens with the key of the provider, and is demanded where it must be', async () => {
    const of = await newClient({ ProviderDetails: { EncryptedResponses: 'true' } })
    const { IdentityProvider } = await app.aws.describeIdentityProvider({ UserPoolId: of.poolId, ProviderName: 'Corp' })
    const certificate = IdentityProvider?.ProviderDetails?.['ActiveEncryptionCertificate'] ?? ''
    const departed = await departToIdp(app, of)
    const encrypted = await encryptAssertion(responseTo(app, of, departed), { certificate })
    await tokensOf(await arriveFromIdp(app, departed, encrypted), of)
    assert.equal(
      refusalOf(await signInThroughIdp(app, of)),
      'server_error: Invalid SAML response received: SAML Assertion is not encrypted. ',
    )
    // The key of another provider opens nothing.
    const again = await departToIdp(app, client)
    const foreign = await encryptAssertion(responseTo(app, client, again), { certificate })
    assert.match(refusalOf(await arriveFromIdp(app, again, foreign)), /signature is invalid/)
  })

  // ------------------------------------------------------------------------------------------ refusals

  const refusals: [string, Partial<ResponseContent>, Parameters<typeof responseTo>[4], string][] = [
    ['another key', {}, { key: stranger }, 'SAML Assertion signature is invalid.'],
    ['another audience', { audience: 'urn:other' }, {}, 'Audience restriction was violated.'],
    ['an old assertion', { now: 1_000 }, {}, 'SAML Assertion is not within the validity period.'],
    ['another issuer', { issuer: 'https://other' }, {}, 'Issuer does not match the identity provider.'],
    ['another recipient', { recipient: 'https://other', destination: '' }, {}, 'Recipient does not match.'],
    ['another destination', { destination: 'https://other' }, {}, 'Destination does not match.'],
    ['no answer to the request', { requestId: undefined }, {}, 'InResponseTo does not match the request.'],
    [
      'a refusal by the provider',
      {
        status:
          '<samlp:Status><samlp:StatusCode Value="urn:x"/><samlp:StatusMessage>Locked out</samlp:StatusMessage></samlp:Status>',
      },
      {},
      'Locked out',
    ],
  ]
  test('the application is told why a response is refused, and nobody is signed in', async () => {
    for (const [what, content, signing, text] of refusals) {
      const answer = await signInThroughIdp(
        app,
        client,
        { nameId: 'nobody', ...content },
        { fields: { state: what }, signing: signing ?? {} },
      )
      assert.equal(refusalOf(answer), `server_error: Invalid SAML response received: ${text} `, what)
      assert.equal(answerIn(answer.location).get('state'), what)
      assert.equal(answer.headers.get('set-cookie'), null)
    }
    const { Users } = await app.aws.listUsers({ UserPoolId: client.poolId, Filter: 'username ^= "corp_nobody"' })
    assert.deepEqual(Users, [])
  })

  test('a sign-in ends in the browser in which it began, and once', async () => {
    const departed = await departToIdp(app, client)
    const response = responseTo(app, client, departed)
    const other = await departToIdp(app, client)
    const failed = 'Invalid samlResponse or relayState from identity provider'
    assertErrorPage(await arriveFromIdp(app, { ...departed, cookie: other.cookie }, response), failed)
    const again = await postTo(departed.recipient, {
      SAMLResponse: inBase64(response),
      RelayState: departed.relayState,
    })
    assertErrorPage(again, 'Invalid relayState from identity provider')
    // The answer is still kept for the browser that waits for it.
    const url = `${departed.recipient}?${new URLSearchParams({ RelayState: departed.relayState })}`
    const { cookie } = departed
    const results = await Promise.all(Array.from({ length: 8 }, () => visit(url, { cookie })))
    assert.equal(results.filter(({ status }) => status === 302).length, 1)
    assertErrorPage(await visit(url, { cookie }), failed)
    // Swapped between two sign-ins of one browser, each response answers the wrong request.
    const one = await departToIdp(app, client)
    assert.match(
      refusalOf(await arriveFromIdp(app, one, responseTo(app, client, other))),
      /InResponseTo does not match/,
    )
  })

  test('a sign-in takes no longer than five minutes', async () => {
    const departed = await departToIdp(app, client)
    const response = responseTo(app, client, departed)
    app.advance(minutes(5))
    assertErrorPage(await arriveFromIdp(app, departed, response), 'Invalid relayState')
  })

  test('RelayState and message of the wrong form lead nowhere', async () => {
    const departed = await departToIdp(app, client)
    const SAMLResponse = inBase64(responseTo(app, client, departed))
    for (const RelayState of [
      '',
      'javascript:alert(1)',
      '//evil.example',
      'https://evil.example',
      'x'.repeat(10_240),
      'A'.repeat(43),
    ]) {
      assertErrorPage(await postTo(departed.recipient, { SAMLResponse, RelayState }), 'Invalid relayState')
    }
    const { relayState: RelayState } = departed
    const wrong: [string, string][][] = [
      [['RelayState', RelayState]],
      [
        ['RelayState', RelayState],
        ['SAMLResponse', ''],
      ],
      [
        ['RelayState', RelayState],
        ['SAMLResponse', 'A'.repeat(100_001)],
      ],
      [
        ['RelayState', RelayState],
        ['SAMLResponse', SAMLResponse],
        ['SAMLResponse', SAMLResponse],
      ],
      [
        ['RelayState', RelayState],
        ['RelayState', RelayState],
        ['SAMLResponse', SAMLResponse],
      ],
      [
        ['RelayState', RelayState],
        ['SAMLResponse', SAMLResponse],
        ['x', 'x'.repeat(262_144)],
      ],
    ]
    for (const fields of wrong) assertErrorPage(await postTo(departed.recipient, fields), 'from identity provider')
    assertErrorPage(await visit(departed.recipient), 'from identity provider')
    assert.equal((await fetch(departed.recipient, { method: 'PUT' })).status, 405)
    await tokensOf(await arriveFromIdp(app, departed, responseTo(app, client, departed)))
    // What is posted is any text; it is read where the browser is known.
    for (const text of [
      '%',
      Buffer.from([0xff, 0xfe]).toString('base64'),
      inBase64('<a'),
      inBase64(`<!DOCTYPE x>${'<a>'.repeat(20_000)}`),
    ]) {
      const next = await departToIdp(app, client)
      const posted = await postTo(next.recipient, { SAMLResponse: text, RelayState: next.relayState })
      const answer = await visit(new URL(posted.location ?? '', app.url).href, { cookie: next.cookie })
      assert.match(refusalOf(answer), /The response cannot be read/)
    }
  })

  test('a response as long as is accepted signs in', async () => {
    const departed = await departToIdp(app, client)
    const attributes = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`a${index}`, 'x'.repeat(30)]))
    const response = responseTo(app, client, departed, { attributes })
    const length = inBase64(response).length
    assert.ok(length > 70_000 && length <= 100_000, String(length))
    await tokensOf(await arriveFromIdp(app, departed, response))
  })

  test('a provider that is gone, or that the client no longer has, signs nobody in', async () => {
    const of = await newClient()
    const one = await departToIdp(app, of)
    const settings = { UserPoolId: of.poolId, ClientId: of.clientId }
    const { UserPoolClient } = await app.aws.describeUserPoolClient(settings)
    const { ClientSecret: _, ...current } = UserPoolClient ?? {}
    await app.aws.updateUserPoolClient({ ...current, ...settings, SupportedIdentityProviders: ['COGNITO'] })
    assertErrorPage(await arriveFromIdp(app, one, responseTo(app, of, one)), 'Login option is not available')
    await app.aws.updateUserPoolClient({ ...current, ...settings })
    const two = await departToIdp(app, of)
    await app.aws.deleteIdentityProvider({ UserPoolId: of.poolId, ProviderName: 'Corp' })
    assert.equal((await arriveFromIdp(app, two, responseTo(app, of, two))).status, 400)
    const { Users } = await app.aws.listUsers({ UserPoolId: of.poolId })
    assert.deepEqual(Users, [])
    // Nor does one of another type in its place.
    await addSamlProvider(app, of.poolId)
    const three = await departToIdp(app, of)
    await app.aws.deleteIdentityProvider({ UserPoolId: of.poolId, ProviderName: 'Corp' })
    const posted = await postTo(three.recipient, { SAMLResponse: inBase64('<a/>'), RelayState: three.relayState })
    assert.equal(posted.status, 400)
    await addSamlProvider(app, of.poolId)
    const four = await departToIdp(app, of)
    const elsewhere = `${app.url}/oauth2/idpresponse?${new URLSearchParams({ state: four.relayState, code: 'x' })}`
    assert.match(refusalOf(await visit(elsewhere, { cookie: four.cookie })), /^invalid_request: /)
  })

  test('the response of another provider, or for another pool, is not the one that is waited for', async () => {
    await addSamlProvider(app, client.poolId, {
      ProviderName: 'Other',
      ProviderDetails: { MetadataFile: idpMetadata([stranger], { entityId: 'https://other.example.com' }) },
    })
    const departed = await departToIdp(app, client)
    const ofOther = responseTo(app, client, departed, { issuer: 'https://other.example.com' }, { key: stranger })
    assert.match(refusalOf(await arriveFromIdp(app, departed, ofOther)), /signature is invalid/)
    const foreign = await newClient()
    const there = await departToIdp(app, foreign)
    assert.match(refusalOf(await arriveFromIdp(app, there, responseTo(app, client, there))), /Audience restriction/)
  })

  // ------------------------------------------------------------------------------------------ begun by the provider

  const unsolicited = (of: OAuthClient, fields: Fields = {}) => {
    const entries = {
      identity_provider: 'Corp',
      client_id: of.clientId,
      redirect_uri: callback,
      response_type: 'code',
      scope: 'openid email',
      ...fields,
    }
    return new URLSearchParams(
      Object.entries(entries).filter((it): it is [string, string] => it[1] !== undefined),
    ).toString()
  }
  const postUnsolicited = (of: OAuthClient, response: string, fields: Fields = {}) =>
    postTo(`${app.url}/saml2/idpresponse`, { SAMLResponse: inBase64(response), RelayState: unsolicited(of, fields) })
  const unasked = (of: OAuthClient, content: Partial<ResponseContent> = {}) =>
    responseTo(app, of, { recipient: `${app.url}/saml2/idpresponse`, requestId: undefined }, content)

  test('a provider begins a sign-in where it may', async () => {
    const of = await newClient({ ProviderDetails: { IDPInit: 'true' } }, { SupportedIdentityProviders: ['Corp'] })
    const answer = await postUnsolicited(of, unasked(of), { state: 's2' })
    assert.equal(answerIn(answer.location).get('state'), 's2')
    const claims = await tokensOf(answer, of)
    assert.equal(claims['cognito:username'], 'corp_ann@corp.example')
    const problems: [Partial<ResponseContent>, RegExp][] = [
      [{ requestId: '_x' }, /unsolicited response/],
      [{ issueInstant: instant(app.now() - minutes(6) - 1) }, /issued too long ago/],
      [{ audience: 'urn:other' }, /Audience restriction/],
    ]
    for (const [content, text] of problems)
      assert.match(refusalOf(await postUnsolicited(of, unasked(of, content))), text)
    assertErrorPage(
      await postUnsolicited(of, unasked(of), { redirect_uri: 'https://evil.example/' }),
      'redirect_mismatch',
    )
    assertErrorPage(await postUnsolicited(of, unasked(of), { identity_provider: 'Nobody' }), 'Login option')
    assertErrorPage(await postUnsolicited(of, unasked(of), { client_id: 'x' }), 'Invalid relayState')
    assert.match(refusalOf(await postUnsolicited(of, unasked(of), { scope: 'nonsense' })), /invalid_scope/)
    // An answer must still name its request.
    assert.match(refusalOf(await signInThroughIdp(app, of, { requestId: undefined })), /InResponseTo does not match/)
  })

  test('an assertion is good once, in whatever sign-in', async () => {
    const of = await newClient({ ProviderDetails: { IDPInit: 'true' } }, { SupportedIdentityProviders: ['Corp'] })
    const response = unasked(of)
    const results = await Promise.all(Array.from({ length: 16 }, () => postUnsolicited(of, response)))
    assert.equal(results.filter(({ location }) => location?.startsWith(`${callback}?code=`)).length, 1)
    assert.match(refusalOf(await postUnsolicited(of, response)), /SAML Assertion has been used already/)
    const departed = await departToIdp(app, of)
    const first = responseTo(app, of, departed, { assertionId: '_once' })
    await tokensOf(await arriveFromIdp(app, departed, first), of)
    const next = await departToIdp(app, of)
    const replay = responseTo(app, of, next, { assertionId: '_once' })
    assert.match(refusalOf(await arriveFromIdp(app, next, replay)), /has been used already/)
  })

  test('a provider begins nothing where it may not', async () => {
    const on = { ProviderDetails: { IDPInit: 'true' } }
    const off = await newClient({}, { SupportedIdentityProviders: ['Corp'] })
    assertErrorPage(await postUnsolicited(off, unasked(off)), 'Invalid relayState')
    const local = await newClient(on)
    assertErrorPage(await postUnsolicited(local, unasked(local)), 'Invalid relayState')
    // Every other provider of the client must allow it too.
    const mixed = await newClient(on, { SupportedIdentityProviders: ['Corp'] })
    await addSamlProvider(app, mixed.poolId, { ProviderName: 'Closed' })
    const both = await createOAuthClient(app, mixed.poolId, { SupportedIdentityProviders: ['Corp', 'Closed'] })
    assertErrorPage(await postUnsolicited(both, unasked(both)), 'Invalid relayState')
    await tokensOf(await postUnsolicited(mixed, unasked(mixed)), mixed)
  })

  // ------------------------------------------------------------------------------------------ metadata

  test('published metadata is read again after six hours, and what it no longer has no longer counts', async () => {
    answers.set(metadataUrl, idpMetadata([sharedIdpKey()]))
    const of = await newClient({ ProviderDetails: { MetadataURL: metadataUrl, MetadataFile: '' } })
    const asked = () => fetched.asked.filter(url => url === metadataUrl).length
    const before = asked()
    answers.set(metadataUrl, idpMetadata([stranger]))
    app.advance(hours(6) - 1)
    await tokensOf(await signInThroughIdp(app, of), of)
    assert.equal(asked(), before)
    app.advance(1)
    assert.match(refusalOf(await signInThroughIdp(app, of)), /signature is invalid/)
    await tokensOf(await signInThroughIdp(app, of, {}, { signing: { key: stranger } }), of)
    assert.equal(asked(), before + 1)
  })

  test('a provider that cannot be reached keeps nobody out for a day, and is not asked at each sign-in', async () => {
    answers.set(metadataUrl, idpMetadata([sharedIdpKey()]))
    const of = await newClient({ ProviderDetails: { MetadataURL: metadataUrl, MetadataFile: '' } })
    const asked = () => fetched.asked.filter(url => url === metadataUrl).length
    const before = asked()
    answers.delete(metadataUrl)
    app.advance(hours(7))
    for (let turn = 0; turn < 2; turn++) await tokensOf(await signInThroughIdp(app, of), of)
    assert.equal(asked(), before + 1)
    // That of another provider is not taken for its own.
    answers.set(metadataUrl, idpMetadata([stranger], { entityId: 'https://evil.example' }))
    app.advance(minutes(5))
    await tokensOf(await signInThroughIdp(app, of), of)
    assert.equal(asked(), before + 2)
    app.advance(hours(17))
    const refused = await visit(authorizeUrl(app, of, { identity_provider: 'Corp' }))
    assert.match(refusalOf(refused), /server_error: The metadata of the identity provider cannot be retrieved /)
    answers.set(metadataUrl, idpMetadata([sharedIdpKey()]))
    await tokensOf(await signInThroughIdp(app, of), of)
  })

  test('a change of the provider counts at once', async () => {
    const of = await newClient()
    const departed = await departToIdp(app, of)
    await update(of, { MetadataFile: idpMetadata([stranger]) })
    assert.match(refusalOf(await arriveFromIdp(app, departed, responseTo(app, of, departed))), /signature is invalid/)
  })
})
