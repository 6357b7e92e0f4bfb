/** Passkeys through stock Amplify in a real browser, with an authenticator that Chromium simulates. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { WebAuthnConfigurationType } from '@aws-sdk/client-cognito-identity-provider'
import { addAuthenticator, openAmplify, withAmplifyPage } from '../support/amplify-page.ts'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { withBrowser } from '../support/browser.ts'
import { createPasskeyPool } from '../support/passkeys.ts'
import { createUser, password } from '../support/sign-in.ts'

const newPage = withBrowser()
const servePage = withAmplifyPage()

onEachDatabase(testApp => {
  let app: TestApp
  let url: string

  before(async () => {
    app = await testApp({ realTime: true })
    url = await servePage()
  })

  /** A browser in which a user has signed in with the password. */
  const openSignedIn = async (
    webAuthn: WebAuthnConfigurationType = { RelyingPartyId: 'localhost' },
    options: Parameters<typeof addAuthenticator>[1] = {},
  ) => {
    const pool = await createPasskeyPool(app, { webAuthn })
    await createUser(app, pool.poolId, 'ann')
    const page = await newPage()
    const authenticator = await addAuthenticator(page, options)
    const client = await openAmplify(page, url, {
      userPoolId: pool.poolId,
      userPoolClientId: pool.clientId,
      userPoolEndpoint: app.url,
    })
    const { isSignedIn } = await client.call('signIn', { username: 'ann', password })
    assert.equal(isSignedIn, true)
    return { pool, page, authenticator, client }
  }

  type Opened = Awaited<ReturnType<typeof openSignedIn>>

  const register = ({ client }: Opened) => client.call('associateWebAuthnCredential')
  const list = async ({ client }: Opened) => (await client.call('listWebAuthnCredentials')).credentials

  /** Signs in with the passkey, in the same browser. */
  const signInAgain = async ({ client }: Opened) => {
    await client.call('signOut')
    return client.call('signIn', {
      username: 'ann',
      options: { authFlowType: 'USER_AUTH', preferredChallenge: 'WEB_AUTHN' },
    })
  }

  /** The claims of the access token in the browser. */
  const claims = async ({ client }: Opened): Promise<Record<string, unknown>> => {
    const session = await client.call('fetchAuthSession')
    return session.tokens?.accessToken.payload ?? {}
  }

  /** One flow is gone through for each browser, because each takes a while. */
  test('a passkey is registered, listed, signed in with and deleted', async () => {
    const opened = await openSignedIn()
    await register(opened)
    const [kept] = await opened.authenticator.credentials()
    const [credential, ...others] = await list(opened)
    assert.deepEqual(others, [])
    const { credentialId = '', createdAt, ...described } = credential ?? {}
    assert.equal(credentialId, Buffer.from(kept?.credentialId ?? '', 'base64').toString('base64url'))
    assert.deepEqual(described, {
      friendlyCredentialName: 'Passkey',
      relyingPartyId: 'localhost',
      authenticatorAttachment: 'platform',
      authenticatorTransports: ['internal'],
    })
    assert.ok(Math.abs(new Date(createdAt ?? 0).getTime() - Date.now()) < 60_000)
    await assert.rejects(register(opened), { name: 'PasskeyAlreadyExists' })

    assert.equal((await signInAgain(opened)).isSignedIn, true)
    const { username, acr, amr } = await claims(opened)
    assert.deepEqual({ username, acr, amr }, { username: 'ann', acr: 'urn:cognito:loa:3', amr: ['swk'] })

    await opened.client.call('deleteWebAuthnCredential', { credentialId })
    assert.deepEqual(await list(opened), [])
    assert.equal((await signInAgain(opened)).nextStep.signInStep, 'CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION')
    await opened.page.context().close()
  })

  test('a passkey is chosen among the first factors, and a copy of its authenticator is found out', async () => {
    const opened = await openSignedIn({ RelyingPartyId: 'localhost' }, { transport: 'usb' })
    await register(opened)
    assert.equal((await list(opened))[0]?.authenticatorAttachment, 'cross-platform')
    const [copy] = await opened.authenticator.credentials()
    assert.ok(copy)

    await opened.client.call('signOut')
    const begun = await opened.client.call('signIn', { username: 'ann', options: { authFlowType: 'USER_AUTH' } })
    assert.equal(begun.nextStep.signInStep, 'CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION')
    const confirmed = await opened.client.call('confirmSignIn', { challengeResponse: 'WEB_AUTHN' })
    assert.equal(confirmed.isSignedIn, true)
    assert.deepEqual((await claims(opened))['amr'], ['hwk'])
    assert.equal((await signInAgain(opened)).isSignedIn, true)

    await opened.authenticator.clear()
    await opened.authenticator.add(copy)
    await assert.rejects(signInAgain(opened), {
      name: 'NotAuthorizedException',
      message: 'The passkey could not be verified.',
    })
    await opened.page.context().close()
  })

  test('where verification of the user is required, an authenticator that fails at it is of no use', async () => {
    const opened = await openSignedIn({ RelyingPartyId: 'localhost', UserVerification: 'required' })
    await opened.authenticator.setUserVerified(false)
    await assert.rejects(register(opened), { name: 'PasskeyRegistrationCanceled' })
    await opened.authenticator.setUserVerified(true)
    await register(opened)
    assert.equal((await signInAgain(opened)).isSignedIn, true)
    await opened.page.context().close()
  })

  test('a page of another domain can make no passkey for the relying party', async () => {
    const opened = await openSignedIn({ RelyingPartyId: 'example.com' })
    await assert.rejects(register(opened), { name: 'RelyingPartyMismatch' })
    assert.deepEqual(await list(opened), [])
    await opened.page.context().close()
  })
})
