import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  basic,
  createOAuthClient,
  createOAuthPool,
  errorOf,
  type OAuthClient,
  postForm,
} from '../../../test/support/oauth.ts'
import { failureOf } from '../../../test/support/sign-in.ts'
import { parseNetworks } from '../../core/network-addresses.ts'

const tries = 100
const wrong = { status: 400, error: 'invalid_client', error_description: 'invalid_client_secret' }
const locked = { status: 429, error: 'temporarily_unavailable', error_description: 'Rate exceeded' }
/** The place that guesses is the proxy of the tests itself; others are behind it. */
const elsewhere = { 'x-forwarded-for': '203.0.113.7' }

onEachDatabase(testApp => {
  let app: TestApp
  let poolId: string
  before(async () => {
    app = await testApp({
      settings: {
        trustedProxies: parseNetworks(['127.0.0.0/8']),
        oauthExtensions: ['introspection', 'pushed-requests', 'device-grant'],
      },
    })
    poolId = (await createOAuthPool(app)).poolId
  })
  const createClient = () => createOAuthClient(app, poolId, { GenerateSecret: true })

  /** An empty token request: what is wrong with it is told to none but the client. */
  const ask = (client: OAuthClient, headers: Record<string, string> = {}, path = 'token', node = app) =>
    postForm(
      `${node.url}/oauth2/${path}`,
      { grant_type: 'refresh_token', refresh_token: 'x' },
      { authorization: basic(client), ...headers },
    )
  const guess = (client: OAuthClient, headers?: Record<string, string>, path?: string, node?: TestApp) =>
    ask({ ...client, clientSecret: 'a'.repeat(51) }, headers, path, node)
  const guessTimes = async (client: OAuthClient, times: number, headers?: Record<string, string>) => {
    for (let time = 0; time < times; time += 1) assert.deepEqual(errorOf(await guess(client, headers)), wrong)
  }
  const isKnown = async (client: OAuthClient, headers?: Record<string, string>) =>
    (await ask(client, headers)).json['error'] === 'invalid_grant'

  test('who guesses the secret of a client locks himself out, and nobody else', async () => {
    const client = await createClient()
    const other = await createClient()
    await guessTimes(client, tries - 1)
    assert.ok(await isKnown(client), 'the right secret is taken before the lock')
    await guessTimes(client, tries)
    for (const path of ['token', 'revoke', 'introspect', 'par', 'device_authorization']) {
      const answer = await ask(client, {}, path)
      assert.deepEqual([path, answer.status, answer.headers.get('retry-after')], [path, 429, '1'])
    }
    const failure = await failureOf(
      app.aws.revokeToken({ ClientId: client.clientId, ClientSecret: client.clientSecret, Token: 'x' }),
    )
    assert.equal(failure?.name, 'TooManyRequestsException')
    assert.deepEqual(errorOf(await guess(client)), locked)
    assert.ok(await isKnown(client, elsewhere), 'the client is elsewhere')
    assert.ok(await isKnown(other), 'another client is not meant')
  })

  test('the lock lasts longer with each further wrong secret, and a right one ends it', async () => {
    const client = await createClient()
    await guessTimes(client, tries)
    app.advance(seconds(1))
    await guessTimes(client, 1)
    app.advance(seconds(1))
    assert.equal((await ask(client)).status, 429)
    app.advance(seconds(1))
    assert.ok(await isKnown(client))
    await guessTimes(client, tries - 1)
    assert.ok(await isKnown(client))
  })

  test('the addresses of one network of IPv6 are one place', async () => {
    const client = await createClient()
    for (let host = 1; host <= tries; host += 1) {
      await guessTimes(client, 1, { 'x-forwarded-for': `2001:db8:1:2::${host.toString(16)}` })
    }
    assert.equal((await ask(client, { 'x-forwarded-for': '2001:db8:1:2:ffff::1' })).status, 429)
    assert.ok(await isKnown(client, { 'x-forwarded-for': '2001:db8:1:3::1' }))
  })

  test('guesses at once, on several nodes, are no more than those one after the other', async () => {
    const client = await createClient()
    const nodes = [app, ...(app.kind === 'postgres' ? [await app.secondNode()] : [])]
    try {
      const answers = await Promise.all(
        Array.from({ length: tries + 30 }, (_, index) => guess(client, {}, 'token', nodes[index % nodes.length])),
      )
      assert.equal(answers.filter(({ status }) => status === 400).length, tries)
      assert.equal(answers.filter(({ status }) => status === 429).length, 30)
    } finally {
      await nodes[1]?.close()
    }
  })

  test('a client without a secret has nothing to guess', async () => {
    const client = await createOAuthClient(app, poolId)
    for (let time = 0; time < tries + 1; time += 1) assert.equal((await guess(client)).status, 400)
  })
})
