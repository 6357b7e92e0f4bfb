/** Sign-ins through a SAML provider as a browser goes through them, and the provider at the other end. */
import assert from 'node:assert/strict'
import { verify, X509Certificate } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import type { CreateIdentityProviderCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'
import { type Answer, authorizeUrl, type Fields, type OAuthClient, visit } from './oauth.ts'
import { idpMetadata, type ResponseContent, type Signing, sharedIdpKey, signedResponse } from './saml-idp.ts'

/** Adds a provider with the usual metadata. */
export const addSamlProvider = async (
  app: TestApp,
  poolId: string,
  members: Partial<CreateIdentityProviderCommandInput> = {},
): Promise<void> => {
  await app.aws.createIdentityProvider({
    UserPoolId: poolId,
    ProviderName: 'Corp',
    ProviderType: 'SAML',
    AttributeMapping: { email: 'email' },
    ...members,
    ProviderDetails: { MetadataFile: idpMetadata([sharedIdpKey()]), ...members.ProviderDetails },
  })
}

/** A browser on its way to the provider. */
export interface Departed {
  address: URL
  /** XML. */
  request: string
  requestId: string
  /** Where the response is to be posted to. */
  recipient: string
  relayState: string
  cookie: string
}

/** The message in the query of a redirect to a provider. */
export const messageIn = (address: URL): string =>
  inflateRawSync(Buffer.from(address.searchParams.get('SAMLRequest') ?? '', 'base64')).toString('utf8')

/** The request is signed with the key whose certificate the pool shows, over the octets as they were sent. */
export const assertSignedRequest = async (
  app: TestApp,
  { poolId }: Pick<OAuthClient, 'poolId'>,
  address: URL,
): Promise<void> => {
  const { Certificate = '' } = await app.aws.getSigningCertificate({ UserPoolId: poolId })
  const { publicKey } = new X509Certificate(Buffer.from(Certificate, 'base64'))
  const [octets = '', signature = ''] = address.search.slice(1).split('&Signature=')
  assert.match(
    octets,
    /^SAMLRequest=[^&]+&RelayState=[^&]+&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256$/,
  )
  assert.ok(verify('sha256', Buffer.from(octets), publicKey, Buffer.from(decodeURIComponent(signature), 'base64')))
}

/** The browser asks for a sign-in and is sent to the provider. */
export const departToIdp = async (app: TestApp, client: OAuthClient, fields: Fields = {}): Promise<Departed> => {
  const { location, headers, body } = await visit(authorizeUrl(app, client, { identity_provider: 'Corp', ...fields }))
  assert.ok(location?.startsWith('https://idp.example.com/'), `${location} ${body}`)
  const address = new URL(location ?? '')
  const request = messageIn(address)
  return {
    address,
    request,
    requestId: / ID="([^"]*)"/.exec(request)?.[1] ?? '',
    recipient: / AssertionConsumerServiceURL="([^"]*)"/.exec(request)?.[1] ?? '',
    relayState: address.searchParams.get('RelayState') ?? '',
    cookie: (headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '',
  }
}

/** The response of an honest provider, but for what the test changes. */
export const responseTo = (
  app: TestApp,
  { poolId }: Pick<OAuthClient, 'poolId'>,
  { requestId, recipient }: Pick<Departed, 'recipient'> & { requestId: string | undefined },
  content: Partial<ResponseContent> = {},
  signing: Partial<Signing> = {},
): string =>
  signedResponse(
    { now: app.now(), audience: `urn:amazon:cognito:sp:${poolId}`, recipient, requestId, ...content },
    signing,
  )

/** What the browser posts for a provider. It comes from another site, so no cookie goes along. */
export const postTo = async (url: string, fields: Record<string, string> | [string, string][]): Promise<Answer> => {
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.example.com' },
    body: new URLSearchParams(fields),
  })
  const { status, headers } = answer
  return { status, location: headers.get('location'), body: await answer.text(), headers }
}

export const inBase64 = (xml: string): string => Buffer.from(xml).toString('base64')

/** The browser posts the response and follows the redirect with its cookie, as far as there is one. */
export const arriveFromIdp = async (
  app: TestApp,
  { relayState, cookie }: Pick<Departed, 'relayState' | 'cookie'>,
  response: string,
): Promise<Answer> => {
  const posted = await postTo(`${app.url}/saml2/idpresponse`, {
    SAMLResponse: inBase64(response),
    RelayState: relayState,
  })
  if (posted.status !== 303) return posted
  return visit(new URL(posted.location ?? '', app.url).href, { cookie })
}

/** The whole way: to the provider, and back with its response. */
export const signInThroughIdp = async (
  app: TestApp,
  client: OAuthClient,
  content: Partial<ResponseContent> = {},
  { fields = {}, signing = {} }: { fields?: Fields; signing?: Partial<Signing> } = {},
): Promise<Answer> => {
  const departed = await departToIdp(app, client, fields)
  return arriveFromIdp(app, departed, responseTo(app, client, departed, content, signing))
}
