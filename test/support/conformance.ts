/** What the ports of the OpenID conformance plans share: a client as the suite registers it, and its user. */
import assert from 'node:assert/strict'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { openTestApp, type TestApp } from './app.ts'
import { answerIn, createOAuthPool, type Fields, type JsonAnswer, type OAuthClient, redeem } from './oauth.ts'
import { type FormBrowser, formBrowser, pagePath, type ShownPage } from './pages.ts'
import { createUser, password } from './sign-in.ts'

export interface Plan extends AsyncDisposable {
  app: TestApp
  client: OAuthClient
  issuer: string
  discovery: Record<string, unknown>
  /** A browser without cookies. */
  browser(): FormBrowser
  /** Where an authorization request ends, signing the user in when it is asked for. */
  authorize(browser: FormBrowser, fields?: Fields): Promise<URLSearchParams>
  /** Where it ends when nobody types anything. */
  open(browser: FormBrowser, fields?: Fields): Promise<ShownPage>
  tokens(answer: URLSearchParams): Promise<JsonAnswer>
  /** The claims of an ID token that is verified as OpenID Connect Core, section 3.1.3.7 says. */
  idClaims(answer: JsonAnswer): Promise<JWTPayload>
}

export const openPlan = async (): Promise<Plan> => {
  const app = await openTestApp('sqlite', { realTime: true })
  const client = await createOAuthPool(app, { GenerateSecret: true })
  await createUser(app, client.poolId, 'ann', [
    { Name: 'email', Value: 'ann@example.com' },
    { Name: 'email_verified', Value: 'true' },
    { Name: 'phone_number', Value: '+15555550100' },
    { Name: 'name', Value: 'Ann' },
    { Name: 'locale', Value: 'en' },
  ])
  const issuer = `${app.url}/${client.poolId}`
  const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const open: Plan['open'] = (browser, fields = {}) =>
    browser.open(pagePath(client, '/oauth2/authorize', { scope: 'openid', ...fields }))
  return {
    app,
    client,
    issuer,
    discovery: discovery as Record<string, unknown>,
    browser: () => formBrowser(app),
    open,
    authorize: async (browser, fields) => {
      const page = await open(browser, fields)
      const end = page.location === undefined ? await browser.submit(page, { username: 'ann', password }) : page
      return answerIn(end.location ?? null)
    },
    tokens: answer => redeem(app, client, answer.get('code') ?? ''),
    idClaims: async ({ json }) => {
      const keys = createRemoteJWKSet(new URL(String((discovery as Record<string, unknown>)['jwks_uri'])))
      const { payload } = await jwtVerify(String(json['id_token']), keys, { issuer, audience: client.clientId })
      for (const name of ['sub', 'exp', 'iat', 'iss', 'aud']) assert.ok(name in payload, name)
      return payload
    },
    [Symbol.asyncDispose]: () => app.close(),
  }
}
