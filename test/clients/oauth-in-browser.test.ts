/** Unmodified libraries of applications that run in the browser, or sign their users in by one, with the pages in between. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type * as amplifyAuth from 'aws-amplify/auth'
import { build } from 'esbuild'
import type * as oidcClient from 'oidc-client-ts'
import { localTls } from '../../src/local-certificate.ts'
import { openTestApp } from '../support/app.ts'
import { withBrowser } from '../support/browser.ts'
import { addProvider, createTestProvider, setUser } from '../support/identity-provider.ts'
import { createOAuthClient, createOAuthPool } from '../support/oauth.ts'
import { email } from '../support/pools.ts'
import { scratchFolder } from '../support/program.ts'
import { fillSignIn, withRelyingParty } from '../support/relying-party.ts'
import { createUser } from '../support/sign-in.ts'

declare const amplify: typeof amplifyAuth & { Amplify: typeof import('aws-amplify')['Amplify'] }
declare const oidc: typeof oidcClient

const bundle = async (contents: string, globalName: string): Promise<string> => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '..') },
    bundle: true,
    format: 'iife',
    globalName,
    platform: 'browser',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

const open = withBrowser()

// ---------------------------------------------------------------------------------------------- oidc-client-ts

/** Runs in the browser. */
const hasOpener = (): boolean => (globalThis as unknown as { opener: unknown }).opener !== null

const listenForOidc = withRelyingParty(() => bundle("export * from 'oidc-client-ts'", 'oidc'))

test('oidc-client-ts signs in, reads UserInfo, refreshes, and signs out in the standard form', async () => {
  await using app = await openTestApp('sqlite', { realTime: true })
  const home = await listenForOidc()
  const client = await createOAuthPool(app, { CallbackURLs: [home.callback], LogoutURLs: [home.bye] })
  await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
  const settings = {
    authority: `${app.url}/${client.poolId}`,
    client_id: client.clientId,
    redirect_uri: home.callback,
    post_logout_redirect_uri: home.bye,
    scope: 'openid email',
    loadUserInfo: true,
    automaticSilentRenew: false,
    revokeTokenTypes: ['refresh_token' as const],
  }
  const page = await open()
  await page.goto(home.url)
  await page.evaluate(given => void new oidc.UserManager(given).signinRedirect(), settings)
  await fillSignIn(page, 'ann')
  await page.waitForURL(`${home.callback}**`)
  const user = await page.evaluate(async given => {
    const { profile, scope } = await new oidc.UserManager(given).signinRedirectCallback()
    return { profile, scope }
  }, settings)
  assert.equal(user.profile.email, 'ann@example.com')
  // From UserInfo, where everything is text.
  assert.equal(user.profile['username'], 'ann')
  const expiresIn = await page.evaluate(
    async given => (await new oidc.UserManager(given).signinSilent())?.expires_in,
    settings,
  )
  assert.ok((expiresIn ?? 0) > 3_500)
  await page.evaluate(given => new oidc.UserManager(given).revokeTokens(), settings)
  await page.evaluate(given => void new oidc.UserManager(given).signoutRedirect(), settings)
  await page.waitForURL(`${home.bye}**`)
  await page.goto(home.url)
  await page.evaluate(given => void new oidc.UserManager(given).signinRedirect(), settings)
  await page.getByLabel('Password').waitFor()
})

test('oidc-client-ts signs in by a window of its own, which knows who has opened it until it is back', async () => {
  await using app = await openTestApp('sqlite', { realTime: true })
  const home = await listenForOidc()
  const client = await createOAuthPool(app, { CallbackURLs: [home.callback], LogoutURLs: [home.bye] })
  await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
  const settings = {
    authority: `${app.url}/${client.poolId}`,
    client_id: client.clientId,
    redirect_uri: home.callback,
    popup_redirect_uri: home.callback,
    popup_post_logout_redirect_uri: home.bye,
    post_logout_redirect_uri: home.bye,
    scope: 'openid email',
    automaticSilentRenew: false,
  }
  const page = await open()
  await page.goto(home.url)
  const windowAfter = async (act: () => Promise<unknown>) => {
    const [opened] = await Promise.all([page.waitForEvent('popup'), act()])
    return opened
  }
  const keepPromise = (name: 'signinPopup' | 'signoutPopup') =>
    page.evaluate(
      ([given, method]) => {
        Object.assign(globalThis, { promised: new oidc.UserManager(given)[method]() })
      },
      [settings, name] as const,
    )
  const promised = <T>() => page.evaluate(() => (globalThis as unknown as { promised: Promise<T> }).promised)

  const signIn = await windowAfter(() => keepPromise('signinPopup'))
  // A wrong password first: what binds the windows must survive forms, redirects and refusals alike.
  await signIn.getByLabel('Username').fill('ann')
  await signIn.getByLabel('Password').fill('Wr0ng!password')
  await signIn.getByRole('button', { name: 'Sign in' }).click()
  await signIn.getByRole('alert').waitFor()
  await fillSignIn(signIn, 'ann')
  await signIn.waitForURL(`${home.callback}**`)
  // Other libraries, and older versions of this one, hand the answer to the opener.
  assert.equal(await signIn.evaluate(hasOpener), true)
  const closed = signIn.waitForEvent('close')
  await signIn.evaluate(given => void new oidc.UserManager(given).signinPopupCallback(), settings)
  const user = await promised<{ profile: { email?: string } }>()
  assert.equal(user.profile.email, 'ann@example.com')
  await closed

  const signOut = await windowAfter(() => keepPromise('signoutPopup'))
  await signOut.waitForURL(`${home.bye}**`)
  await signOut.evaluate(given => void new oidc.UserManager(given).signoutPopupCallback(), settings)
  await promised()

  // Where no application waits, a page knows no other window and none knows it.
  const alone = await windowAfter(() =>
    page.evaluate(url => {
      const { open } = globalThis as unknown as { open(url: string): unknown }
      Object.assign(globalThis, { alone: open(url) })
    }, `${app.url}/oauth2/authorize?client_id=${client.clientId}&response_type=code&redirect_uri=https://evil.example`),
  )
  await alone.getByText('redirect_mismatch').waitFor()
  assert.equal(await alone.evaluate(hasOpener), false)
  assert.equal(await page.evaluate(() => (globalThis as unknown as { alone: { closed: boolean } }).alone.closed), true)
})

// ---------------------------------------------------------------------------------------------- Amplify

let amplifyConfig = {}
const amplifyScript = bundle(
  "import 'aws-amplify/auth/enable-oauth-listener'; export * from 'aws-amplify/auth'; export { Amplify } from 'aws-amplify'",
  'amplify',
)
const listenForAmplify = withRelyingParty(
  async () => `${await amplifyScript};amplify.Amplify.configure(${JSON.stringify(amplifyConfig)})`,
)

test('Amplify signs in with a redirect to the domain, knows its user, signs out, and comes by a provider', async () => {
  const home = await listenForAmplify()
  const folder = scratchFolder()
  const tls = createTlsServer(localTls(folder.path, [], Date.now))
  await new Promise<void>(resolve => tls.listen(0, '127.0.0.1', resolve))
  const domain = `localhost:${(tls.address() as AddressInfo).port}`
  // Whoever comes to the provider is signed in there and sent back at once.
  const door = createServer((incoming, outgoing) => {
    const address = new URL(incoming.url ?? '', provider.issuer)
    const { redirect_uri: back, state = '' } = Object.fromEntries(address.searchParams)
    const answer = new URLSearchParams({ code: provider.grant(address), state })
    outgoing.writeHead(302, { location: `${back}?${answer}` }).end()
  })
  await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
  const provider = createTestProvider({ now: Date.now }, `http://localhost:${(door.address() as AddressInfo).port}`)
  setUser(provider, 'bob', { email: 'bob@example.com' })
  const publicUrl = `https://${domain}`
  await using app = await openTestApp('sqlite', { realTime: true, publicUrl, fetch: provider.fetch })
  tls.on('request', app.app.listener)
  try {
    const { poolId } = await createOAuthPool(app)
    await addProvider(app, poolId, provider)
    const client = await createOAuthClient(app, poolId, {
      CallbackURLs: [home.callback],
      LogoutURLs: [home.bye],
      SupportedIdentityProviders: ['COGNITO', 'Corp'],
    })
    await createUser(app, client.poolId, 'ann', [email('ann@example.com')])
    amplifyConfig = {
      Auth: {
        Cognito: {
          userPoolId: client.poolId,
          userPoolClientId: client.clientId,
          userPoolEndpoint: `https://${domain}`,
          loginWith: {
            oauth: {
              domain,
              scopes: ['openid', 'email', 'aws.cognito.signin.user.admin'],
              redirectSignIn: [home.callback],
              redirectSignOut: [home.bye],
              responseType: 'code',
            },
          },
        },
      },
    }
    const page = await open({ ignoreHTTPSErrors: true })
    await page.goto(home.callback)
    await page.evaluate(() => void amplify.signInWithRedirect({ customState: 'from the basket' }))
    await fillSignIn(page, 'ann')
    await page.waitForURL(`${home.callback}**`)
    await page.waitForFunction(() =>
      amplify.getCurrentUser().then(
        () => true,
        () => false,
      ),
    )
    const signedIn = await page.evaluate(async () => {
      const { tokens } = await amplify.fetchAuthSession()
      const attributes = await amplify.fetchUserAttributes()
      const { tokens: refreshed } = await amplify.fetchAuthSession({ forceRefresh: true })
      return {
        username: tokens?.accessToken.payload['username'],
        attributes,
        again: refreshed?.idToken?.payload['email'],
      }
    })
    assert.equal(signedIn.username, 'ann')
    assert.equal(signedIn.attributes.email, 'ann@example.com')
    assert.equal(signedIn.again, 'ann@example.com')
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name.startsWith('__Host-cognito-'))
    assert.deepEqual([cookie?.secure, cookie?.httpOnly, cookie?.sameSite], [true, true, 'Lax'])
    // With the session of the browser there is no page on the way.
    await page.evaluate(() => void amplify.signOut())
    await page.waitForURL(`${home.bye}**`)
    await page.goto(home.callback)
    assert.equal(
      await page.evaluate(() =>
        amplify.getCurrentUser().then(
          () => 'somebody',
          () => 'nobody',
        ),
      ),
      'nobody',
    )
    await page.evaluate(() => void amplify.signInWithRedirect())
    await page.getByLabel('Password').waitFor()

    await page.goto(home.callback)
    await page.evaluate(() => void amplify.signInWithRedirect({ provider: { custom: 'Corp' } }))
    await page.waitForURL(`${home.callback}?*`)
    await page.waitForFunction(() =>
      amplify.getCurrentUser().then(
        () => true,
        () => false,
      ),
    )
    const federated = await page.evaluate(async () => {
      const { tokens } = await amplify.fetchAuthSession()
      const { username } = await amplify.getCurrentUser()
      const { email } = await amplify.fetchUserAttributes()
      return { username, email, identities: tokens?.idToken?.payload['identities'] }
    })
    assert.equal(federated.username, 'Corp_bob')
    assert.equal(federated.email, 'bob@example.com')
    assert.equal((federated.identities as { providerName: string }[])[0]?.providerName, 'Corp')
  } finally {
    for (const server of [tls, door]) {
      server.closeAllConnections()
      server.close()
    }
    folder.remove()
  }
})

// ---------------------------------------------------------------------------------------------- Auth.js

/** Its own types ask for those of a browser, which clash with Node's; these are the ones in use here. */
interface AuthJs {
  Auth(request: Request, config: object): Promise<Response>
}
const authJs = '@auth/core'
const { Auth } = (await import(authJs)) as AuthJs
const { default: Cognito } = (await import(`${authJs}/providers/cognito`)) as { default(options: object): object }

/** Auth.js as a framework mounts it. */
const withAuthJs = (config: () => object): (() => Promise<string>) => {
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = `http://${incoming.headers.host}${incoming.url}`
    if (!incoming.url?.startsWith('/auth/')) return void outgoing.writeHead(200).end('Application')
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const headers = new Headers(incoming.headers as Record<string, string>)
    const body = incoming.method === 'POST' ? { body: Buffer.concat(chunks) } : {}
    const response = await Auth(new Request(url, { method: incoming.method ?? 'GET', headers, ...body }), config())
    outgoing.statusCode = response.status
    for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
    outgoing.setHeader('set-cookie', response.headers.getSetCookie())
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  }
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return async () => {
    if (!server.listening) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `http://localhost:${(server.address() as AddressInfo).port}`
  }
}

let authJsClient: { issuer: string; clientId: string; clientSecret: string }
const listenForAuthJs = withAuthJs(() => ({
  basePath: '/auth',
  trustHost: true,
  secret: 'a secret of the test that is long enough',
  providers: [Cognito(authJsClient)],
}))

test('Auth.js signs in with its Cognito provider', async () => {
  await using app = await openTestApp('sqlite', { realTime: true })
  const url = await listenForAuthJs()
  const { poolId, clientId, clientSecret } = await createOAuthPool(app, {
    GenerateSecret: true,
    CallbackURLs: [`${url}/auth/callback/cognito`],
  })
  await createUser(app, poolId, 'ann', [email('ann@example.com'), { Name: 'name', Value: 'Ann' }])
  authJsClient = { issuer: `${app.url}/${poolId}`, clientId, clientSecret }
  const page = await open()
  await page.goto(`${url}/auth/signin`)
  await page.getByRole('button', { name: /cognito/i }).click()
  await fillSignIn(page, 'ann')
  await page.waitForURL(`${url}/**`)
  const session = await page.evaluate(async () => (await fetch('/auth/session')).json() as Promise<{ user?: unknown }>)
  assert.deepEqual(session.user, { name: 'Ann', email: 'ann@example.com' })
})
