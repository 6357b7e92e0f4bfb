import assert from 'node:assert/strict'
import { request } from 'node:http'
import { before, describe, test } from 'node:test'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  addProvider,
  arrive,
  callbackUrl,
  createTestProvider,
  depart,
  setUser,
  signInThrough,
  type TestProvider,
} from '../../../test/support/identity-provider.ts'
import {
  answerIn,
  authorizeUrl,
  callback,
  createOAuthClient,
  createOAuthPool,
  type OAuthClient,
  postForm,
  redeem,
  visit,
} from '../../../test/support/oauth.ts'
import { formBrowser } from '../../../test/support/pages.ts'
import { claimsOf } from '../../../test/support/sign-in.ts'

interface HostAnswer {
  status: number | undefined
  location: string | undefined
  cookie: string
}

/** A GET at a host that leads to the application, as browsers send it. */
const visitAt = (url: string, host: string, cookie = ''): Promise<HostAnswer> =>
  new Promise((resolve, reject) => {
    request(url, { headers: { host, cookie } }, answer => {
      answer.resume()
      const set = answer.headers['set-cookie'] ?? []
      resolve({
        status: answer.statusCode,
        location: answer.headers.location,
        cookie: set.map(line => line.split(';', 1)[0]).join('; '),
      })
    })
      .on('error', reject)
      .end()
  })

onEachDatabase(testApp => {
  let app: TestApp
  let provider: TestProvider
  let client: OAuthClient
  before(async () => {
    provider = createTestProvider({ now: () => app.now() })
    setUser(provider, '1', { email: 'ann@example.com' })
    const oauthExtensions = ['pushed-requests', 'device-grant'] as const
    const fetch: TestProvider['fetch'] = (url, request) => provider.fetch(url, request)
    app = await testApp({ fetch, settings: { oauthExtensions } })
    client = await newClient(app)
  })

  const newClient = async (at: TestApp): Promise<OAuthClient> => {
    const { poolId } = await createOAuthPool(at)
    await addProvider(at, poolId, provider)
    return createOAuthClient(at, poolId, { SupportedIdentityProviders: ['COGNITO', 'Corp'] })
  }
  const usernameFor = async (location: string | null): Promise<unknown> => {
    const { json } = await redeem(app, client, answerIn(location).get('code') ?? '')
    return claimsOf(String(json['access_token']))['username']
  }

  test('the way back is at the domain of the pool where it began, and at no other', async () => {
    const { port } = new URL(app.url)
    const other = await createOAuthPool(app)
    const [own, foreign] = [`fed-${app.kind}`, `fed-other-${app.kind}`]
    await app.aws.createUserPoolDomain({ UserPoolId: client.poolId, Domain: own })
    await app.aws.createUserPoolDomain({ UserPoolId: other.poolId, Domain: foreign })
    const start = authorizeUrl(app, client, { identity_provider: 'Corp' })
    const begun = await visitAt(start, `${own}.localhost:${port}`)
    const address = new URL(begun.location ?? '')
    assert.equal(address.searchParams.get('redirect_uri'), `http://${own}.localhost:${port}/oauth2/idpresponse`)
    const state = address.searchParams.get('state') ?? ''
    const back = callbackUrl(app, { state, code: provider.grant(address) })
    const ended = await visitAt(back, `${own}.localhost:${port}`, begun.cookie)
    assert.match(ended.location ?? '', /code=/)
    const token = provider.calls.findLast(({ url }) => url.pathname === '/token')
    assert.equal(token?.form.get('redirect_uri'), `http://${own}.localhost:${port}/oauth2/idpresponse`)
    const again = await visitAt(start, `${own}.localhost:${port}`)
    const params = { state: new URL(again.location ?? '').searchParams.get('state') ?? '', code: 'x' }
    const stray = await visitAt(callbackUrl(app, params), `${foreign}.localhost:${port}`, again.cookie)
    assert.deepEqual([stray.status, stray.location], [400, undefined])
  })

  test('the answer and what is refused stand where the application looks for them', async () => {
    const fields = { identity_provider: 'Corp', response_type: 'token', scope: 'openid', state: 's' }
    const { location } = await signInThrough(app, client, provider, fields)
    assert.match(location ?? '', /^https:\/\/app\.example\/callback#id_token=/)
    const refused = await arrive(app, await depart(app, client, fields), { error: 'access_denied' })
    assert.equal(refused.location, `${callback}#state=s&error=access_denied`)
  })

  test('each sign-in gives the browser another session and ends the one before', async () => {
    const sessionIn = (headers: Headers) =>
      headers
        .getSetCookie()
        .find(line => line.startsWith('cognito-'))
        ?.split(';', 1)[0] ?? ''
    const first = await depart(app, client)
    const one = sessionIn((await arrive(app, first, { code: provider.grant(first.address) })).headers)
    const cookie = `${first.cookie}; ${one}`
    const second = await depart(app, client, { identity_provider: 'Corp', prompt: 'login' }, cookie)
    const two = sessionIn((await arrive(app, second, { code: provider.grant(second.address) })).headers)
    assert.ok(one !== '' && two !== '' && one !== two)
    const silently = async (session: string) =>
      answerIn((await visit(authorizeUrl(app, client, { prompt: 'none' }), { cookie: session })).location).get('error')
    assert.equal(await silently(one), 'login_required')
    assert.equal(await silently(two), null)
  })

  describe('a request that the browser does not bring itself', () => {
    test('is answered by the provider that the user chooses, once', async () => {
      const { json } = await postForm(`${app.url}/oauth2/par`, {
        client_id: client.clientId,
        response_type: 'code',
        redirect_uri: callback,
        scope: 'openid',
      })
      const parameters = { client_id: client.clientId, request_uri: String(json['request_uri']) }
      const browser = formBrowser(app)
      const page = await browser.open(`/login?${new URLSearchParams(parameters)}`)
      const href = /<a class="provider [^"]*" href="([^"]*)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
      const address = new URL((await browser.open(href)).location ?? '')
      const fields = new URLSearchParams({
        state: address.searchParams.get('state') ?? '',
        code: provider.grant(address),
      })
      const { location } = await browser.open(`/oauth2/idpresponse?${fields}`)
      assert.equal(await usernameFor(location ?? null), 'Corp_1')
      const unknown = new URLSearchParams({ ...parameters, identity_provider: 'Nowhere' })
      assert.equal((await visit(`${app.url}/oauth2/authorize?${unknown}`)).status, 400)
    })

    test('of a device leads back to the page of its code', async () => {
      const { json } = await postForm(`${app.url}/oauth2/device_authorization`, {
        client_id: client.clientId,
        scope: 'openid',
      })
      const departed = await depart(app, client, {
        user_code: String(json['user_code']),
        identity_provider: 'Corp',
        response_type: undefined,
        redirect_uri: undefined,
        scope: undefined,
      })
      const { location } = await arrive(app, departed, { code: provider.grant(departed.address) })
      assert.match(location ?? '', /^\/device\?user_code=/)
    })
  })

  test('sign-ins through providers are counted by themselves', async () => {
    const fetch: TestProvider['fetch'] = (url, request) => provider.fetch(url, request)
    const limited = await testApp({ fetch, settings: { rateLimits: { UserFederation: 1 } } })
    const provided = await newClient(limited)
    const answers = [await signInThrough(limited, provided, provider), await signInThrough(limited, provided, provider)]
    const [first, second] = answers.map(({ location }) => answerIn(location))
    assert.equal(first?.get('error'), null)
    assert.deepEqual(
      [second?.get('error'), second?.get('error_description')],
      ['temporarily_unavailable', 'Rate exceeded '],
    )
  })

  test('a sign-in may begin at one node and end at another', async () => {
    if (app.kind !== 'postgres') return
    await using second = await app.secondNode()
    const departed = await depart(app, client)
    const { location } = await arrive(second, departed, { code: provider.grant(departed.address) })
    assert.equal(await usernameFor(location), 'Corp_1')
  })
})
