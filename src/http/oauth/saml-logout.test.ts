import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  type Answer,
  authorizeUrl,
  createOAuthClient,
  createOAuthPool,
  type OAuthClient,
  visit,
} from '../../../test/support/oauth.ts'
import {
  idpMetadata,
  logoutResponseXml,
  makeIdpKey,
  messagePath,
  sharedIdpKey,
  signXml,
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

const bye = 'https://app.example/bye'
const stranger = makeIdpKey()

onEachDatabase(testApp => {
  let app: TestApp
  let client: OAuthClient
  before(async () => {
    app = await testApp()
    client = await newClient({ IDPSignout: 'true' })
  })

  const newClient = async (
    details: Record<string, string>,
    logout: string | undefined = 'https://idp.example.com/slo',
  ) => {
    const { poolId } = await createOAuthPool(app)
    const MetadataFile = idpMetadata([sharedIdpKey()], logout === undefined ? {} : { logout })
    await addSamlProvider(app, poolId, { ProviderDetails: { MetadataFile, ...details } })
    return createOAuthClient(app, poolId, { SupportedIdentityProviders: ['Corp'] })
  }
  const cookieOf = ({ headers }: Answer) => /cognito-\w+=[^;]+/.exec(headers.get('set-cookie') ?? '')?.[0] ?? ''
  const logoutUrl = ({ clientId }: OAuthClient, fields: Record<string, string> = { logout_uri: bye }) =>
    `${app.url}/logout?${new URLSearchParams({ client_id: clientId, ...fields })}`
  /** A browser that has signed in and now signs out. */
  const departToSignOut = async (of = client, fields?: Record<string, string>) => {
    const signedIn = await signInThroughIdp(app, of, {
      nameIdAttributes: ' Format="urn:f" NameQualifier="q&amp;a"',
      sessionIndex: '_s&lt;1',
    })
    const cookie = cookieOf(signedIn)
    const answer = await visit(logoutUrl(of, fields), { cookie })
    // The session here has ended, whatever the provider does.
    assert.match((await visit(authorizeUrl(app, of), { cookie })).location ?? '', /^https:\/\/idp.example.com\/sso/)
    return answer
  }
  const recipient = () => `${app.url}/saml2/logout`
  const answerTo = (address: URL, changes: Partial<Parameters<typeof logoutResponseXml>[0]> = {}) => {
    const requestId = / ID="([^"]*)"/.exec(messageIn(address))?.[1] ?? ''
    return logoutResponseXml({ now: app.now(), recipient: recipient(), requestId, ...changes })
  }
  const post = (address: URL, response: string) =>
    postTo(recipient(), { SAMLResponse: inBase64(response), RelayState: address.searchParams.get('RelayState') ?? '' })
  const signed = (response: string, key = sharedIdpKey()) => signXml(response, { of: messagePath, key })

  test('signing out ends the session at the provider as well, and leads on when the provider has answered', async () => {
    const { status, location, headers } = await departToSignOut()
    assert.equal(status, 302)
    assert.match(headers.get('set-cookie') ?? '', /^cognito-\w+=; Path=\/; Max-Age=0/)
    const address = new URL(location ?? '')
    assert.equal(address.href.split('?')[0], 'https://idp.example.com/slo')
    const request = messageIn(address)
    assert.match(request, /<saml2p:LogoutRequest .*Destination="https:\/\/idp.example.com\/slo"/)
    assert.match(request, new RegExp(`<saml2:Issuer>urn:amazon:cognito:sp:${client.poolId}</saml2:Issuer>`))
    assert.match(request, /<saml2:NameID Format="urn:f" NameQualifier="q&amp;a">ann@corp.example<\/saml2:NameID>/)
    assert.match(request, /<saml2p:SessionIndex>_s&lt;1<\/saml2p:SessionIndex>/)
    await assertSignedRequest(app, client, address)
    const response = signed(answerTo(address))
    assert.deepEqual([(await post(address, response)).location], [bye])
    // The answer is good once.
    const again = await post(address, response)
    assert.deepEqual([again.status, again.location], [400, null])
  })

  test('an answer that is not the signed one of the provider leads nowhere', async () => {
    const address = new URL((await departToSignOut()).location ?? '')
    const foreign = await newClient({ IDPSignout: 'true' })
    const responses: [string, string][] = [
      ['unsigned', answerTo(address)],
      ['forged', signed(answerTo(address), stranger)],
      ['changed', signed(answerTo(address)).replace('status:Success', 'status:Responder')],
      ['of another provider', signed(answerTo(address, { issuer: 'https://other' }))],
      ['for another URL', signed(answerTo(address, { recipient: 'https://other' }))],
      ['for no URL', signed(answerTo(address, { recipient: '' }))],
      ['to another request', signed(answerTo(address, { requestId: '_other' }))],
      ['a response to a sign-in', responseTo(app, client, { recipient: recipient(), requestId: undefined })],
      ['nothing', ''],
    ]
    for (const [what, response] of responses) {
      const { status, location, body } = await post(address, response)
      assert.deepEqual([status, location], [400, null], what)
      assert.match(body, /from identity provider/, what)
    }
    const other = new URL((await departToSignOut(foreign)).location ?? '')
    assert.equal((await post(other, signed(answerTo(address)))).status, 400)
    assert.equal((await post(address, signed(answerTo(address)))).location, bye)
    const late = new URL((await departToSignOut()).location ?? '')
    const response = signed(answerTo(late))
    app.advance(minutes(5))
    assert.equal((await post(late, response)).status, 400)
  })

  test('a provider that could not end its session lets the browser go on', async () => {
    const address = new URL((await departToSignOut()).location ?? '')
    const status = 'urn:oasis:names:tc:SAML:2.0:status:Responder'
    assert.equal((await post(address, signed(answerTo(address, { status })))).location, bye)
    assert.ok(app.logged.some(({ message }) => message.includes('has not ended its session')))
  })

  test('signing out leads on to the sign-in page as well', async () => {
    const fields = { redirect_uri: 'https://app.example/callback', response_type: 'code', scope: 'openid' }
    const address = new URL((await departToSignOut(client, fields)).location ?? '')
    assert.match((await post(address, signed(answerTo(address)))).location ?? '', /^\/login\?/)
    // The place to go on to is checked before the browser leaves.
    const refused = await departToSignOut(client, { logout_uri: 'https://evil.example/' })
    assert.deepEqual([refused.status, refused.location], [400, null])
  })

  test('without IDPSignout, or a place for it, the session ends here alone', async () => {
    assert.equal((await departToSignOut(await newClient({}))).location, bye)
    const { poolId } = await createOAuthPool(app)
    await addSamlProvider(app, poolId, { ProviderDetails: { IDPSignout: 'true' } })
    const without = await createOAuthClient(app, poolId, { SupportedIdentityProviders: ['Corp'] })
    assert.equal((await departToSignOut(without)).location, bye)
    assert.equal((await visit(logoutUrl(client))).location, bye)
  })

  test('what belongs to a sign-in is nothing at a sign-out, and the other way round', async () => {
    const address = new URL((await departToSignOut()).location ?? '')
    const departed = await departToIdp(app, client)
    const ofSignOut = { relayState: address.searchParams.get('RelayState') ?? '', cookie: departed.cookie }
    assert.equal((await arriveFromIdp(app, ofSignOut, responseTo(app, client, departed))).status, 400)
    const answer = signed(answerTo(address, { requestId: departed.requestId }))
    assert.equal((await post(departed.address, answer)).status, 400)
    // Nor is either of them a code.
    for (const code of [departed.relayState, ofSignOut.relayState]) {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: client.clientId,
        code,
        redirect_uri: 'https://app.example/callback',
      })
      assert.equal((await fetch(`${app.url}/oauth2/token`, { method: 'POST', body })).status, 400)
    }
    assert.equal((await visit(recipient())).status, 405)
  })
})
