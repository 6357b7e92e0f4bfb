/**
 * Sign-in and sign-out through a SAML provider on another site, in a real browser without scripts, for an application with an
 * unmodified library of OpenID Connect.
 */
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import * as openid from 'openid-client'
import { openTestApp, type TestApp } from '../support/app.ts'
import { screenshot, withBrowser } from '../support/browser.ts'
import { createOAuthClient, createOAuthPool } from '../support/oauth.ts'
import { type RelyingParty, withRelyingParty } from '../support/relying-party.ts'
import {
  encryptAssertion,
  idpEntityId,
  idpMetadata,
  logoutResponseXml,
  messagePath,
  sharedIdpKey,
  signedResponse,
  signXml,
} from '../support/saml-idp.ts'
import { addSamlProvider, inBase64, messageIn } from '../support/saml-journey.ts'

const open = withBrowser()
const listen = withRelyingParty()
let app: TestApp
let home: RelyingParty
let site: string
let audience: string
let certificate: string

/** The page of the provider, on which the user lets the message go. */
const sendForm = (response: ServerResponse, action: string, fields: Record<string, string>, label: string): void => {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
  response
    .writeHead(200, { 'content-type': 'text/html' })
    .end(`<title>Corp</title><form method="post" action="${action}">${inputs.join('')}<button>${label}</button></form>`)
}

const idp = createServer(async (request, response) => {
  const address = new URL(request.url ?? '/', site)
  if (address.pathname === '/metadata') {
    response.end(idpMetadata([sharedIdpKey()], { signOn: `${site}/sso`, logout: `${site}/slo` }))
    return
  }
  if (!address.searchParams.has('SAMLRequest')) {
    response.writeHead(404).end()
    return
  }
  const message = messageIn(address)
  const [, requestId = ''] = / ID="([^"]*)"/.exec(message) ?? []
  const RelayState = address.searchParams.get('RelayState') ?? ''
  const now = Date.now()
  if (address.pathname === '/sso') {
    const [, recipient = ''] = / AssertionConsumerServiceURL="([^"]*)"/.exec(message) ?? []
    const signed = signedResponse({ now, audience, recipient, requestId, nameId: 'ann' })
    const SAMLResponse = inBase64(await encryptAssertion(signed, { certificate }))
    sendForm(response, recipient, { SAMLResponse, RelayState }, 'Sign in as Ann')
  } else {
    const recipient = `${app.url}/saml2/logout`
    const SAMLResponse = inBase64(signXml(logoutResponseXml({ now, recipient, requestId }), { of: messagePath }))
    sendForm(response, recipient, { SAMLResponse, RelayState }, 'Sign out of Corp')
  }
})

before(async () => {
  app = await openTestApp('sqlite', { realTime: true })
  home = await listen()
  await new Promise<void>(resolve => idp.listen(0, resolve))
  // Another site than that of the server, so that cookies stay behind as they do in the world.
  const host = new URL(app.url).hostname === 'localhost' ? '127.0.0.1' : 'localhost'
  site = `http://${host}:${(idp.address() as AddressInfo).port}`
})
after(async () => {
  idp.closeAllConnections()
  idp.close()
  await app.close()
})

test('a user of a SAML provider comes to an application of openid-client, and leaves again', async () => {
  const { poolId } = await createOAuthPool(app)
  await addSamlProvider(app, poolId, {
    ProviderDetails: {
      MetadataURL: `${site}/metadata`,
      MetadataFile: '',
      IDPSignout: 'true',
      EncryptedResponses: 'true',
      RequestSigningAlgorithm: 'rsa-sha256',
    },
  })
  const { IdentityProvider } = await app.aws.describeIdentityProvider({ UserPoolId: poolId, ProviderName: 'Corp' })
  certificate = IdentityProvider?.ProviderDetails?.['ActiveEncryptionCertificate'] ?? ''
  audience = `urn:amazon:cognito:sp:${poolId}`
  const { clientId, clientSecret } = await createOAuthClient(app, poolId, {
    GenerateSecret: true,
    CallbackURLs: [home.callback],
    LogoutURLs: [`${home.callback}?bye`],
    SupportedIdentityProviders: ['COGNITO', 'Corp'],
  })
  const config = await openid.discovery(new URL(`${app.url}/${poolId}`), clientId, clientSecret, undefined, {
    execute: [openid.allowInsecureRequests],
  })
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()]
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: home.callback,
    scope: 'openid email',
    state: expectedState,
    nonce: expectedNonce,
  })
  const page = await open({ javaScriptEnabled: false })
  await page.goto(url.href)
  await screenshot(page, 'saml-provider')
  await page
    .getByRole('link', { name: /Corp/ })
    .or(page.getByRole('button', { name: /Corp/ }))
    .click()
  await page.getByRole('button', { name: 'Sign in as Ann' }).click()
  await page.waitForURL(`${home.callback}**`)
  const tokens = await openid.authorizationCodeGrant(config, new URL(page.url()), { expectedState, expectedNonce })
  const claims = tokens.claims()
  assert.equal(claims?.['cognito:username'], 'Corp_ann')
  assert.equal(claims?.['email'], 'ann@corp.example')
  const [identity] = (claims?.['identities'] ?? []) as Record<string, string>[]
  assert.deepEqual([identity?.['providerType'], identity?.['issuer']], ['SAML', idpEntityId])
  await page.goto(
    `${app.url}/logout?${new URLSearchParams({ client_id: clientId, logout_uri: `${home.callback}?bye` })}`,
  )
  await page.getByRole('button', { name: 'Sign out of Corp' }).click()
  await page.waitForURL(`${home.callback}?bye`)
  assert.deepEqual(
    (await page.context().cookies(app.url)).filter(({ name }) => name.startsWith('cognito-')),
    [],
  )
})
