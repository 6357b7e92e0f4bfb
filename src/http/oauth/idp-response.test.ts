import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { minutes, onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'
import {
  addProvider,
  arrive,
  type Claims,
  callbackUrl,
  clientSecret,
  createTestProvider,
  depart,
  newKey,
  type ProviderKey,
  secretToken,
  setUser,
  signedToken,
  signInThrough,
  type TestProvider,
} from '../../../test/support/identity-provider.ts'
import {
  answerIn,
  authorizeUrl,
  createOAuthClient,
  createOAuthPool,
  type Fields,
  type OAuthClient,
  postForm,
  visit,
} from '../../../test/support/oauth.ts'
import { FetchFailure, type FetchFailureReason } from '../../core/ports.ts'

const providers = { SupportedIdentityProviders: ['COGNITO', 'Corp'] }

onEachDatabase(testApp => {
  let app: TestApp
  let provider: TestProvider
  let client: OAuthClient
  before(async () => {
    provider = createTestProvider({ now: () => app.now() })
    app = await testApp({ fetch: (url, request) => provider.fetch(url, request) })
    const { poolId } = await createOAuthPool(app)
    await addProvider(app, poolId, provider, { IdpIdentifiers: ['corp.example'] })
    client = await createOAuthClient(app, poolId, providers)
    setUser(provider, '1', { email: 'ann@example.com' })
  })

  const refusal = async (lie: () => void, fields?: Fields): Promise<(string | null)[]> => {
    const honest = { ...provider, answers: new Map(provider.answers) }
    try {
      lie()
      const { location } = await signInThrough(app, client, provider, fields)
      const answer = answerIn(location)
      return [answer.get('error') ?? 'no error', answer.get('error_description')]
    } finally {
      Object.assign(provider, honest)
    }
  }
  const page = ({ status, body }: { status: number; body: string }) => [
    status,
    /An error was encountered with the requested page\. ?([^<]*)/.exec(body)?.[1],
  ]

  describe('the way to the provider', () => {
    test('has what the request asks for, a state and a nonce of its own', async () => {
      const fields = {
        identity_provider: 'Corp',
        state: 'app-state',
        nonce: 'app-nonce',
        login_hint: 'ann',
        prompt: 'login consent',
      }
      const [one, other] = [await depart(app, client, fields), await depart(app, client, fields)]
      const parameters = Object.fromEntries(one.address.searchParams)
      assert.equal(`${one.address.origin}${one.address.pathname}`, 'https://idp.example.com/authorize')
      assert.deepEqual(
        { ...parameters, state: '', nonce: '' },
        {
          client_id: 'client-at-provider',
          redirect_uri: `${app.url}/oauth2/idpresponse`,
          scope: 'openid email',
          response_type: 'code',
          login_hint: 'ann',
          prompt: 'login consent',
          state: '',
          nonce: '',
        },
      )
      assert.notEqual(one.state, other.state)
      assert.notEqual(parameters['nonce'], other.address.searchParams.get('nonce'))
      assert.notEqual(parameters['nonce'], 'app-nonce')
    })

    test('is found by an identifier, and taken at once where there is no other', async () => {
      const { address } = await depart(app, client, { idp_identifier: 'corp.example' })
      assert.equal(address.host, 'idp.example.com')
      const only = await createOAuthClient(app, client.poolId, { SupportedIdentityProviders: ['Corp'] })
      assert.equal((await depart(app, only, {})).address.host, 'idp.example.com')
      assert.match((await visit(authorizeUrl(app, client))).location ?? '', /^\/login\?/)
    })

    test('asks for the levels that the provider knows', async () => {
      await app.aws.updateIdentityProvider({
        UserPoolId: client.poolId,
        ProviderName: 'Corp',
        AcrMapping: { Level3: 'strong', Level2: 'medium' },
      })
      const acr_values = 'urn:cognito:loa:4 urn:cognito:loa:3 urn:cognito:loa:2 other'
      const { address } = await depart(app, client, { identity_provider: 'Corp', acr_values })
      assert.equal(address.searchParams.get('acr_values'), 'strong medium')
    })

    test("does not exist for a provider that is unknown or not the client's", async () => {
      const local = await createOAuthClient(app, client.poolId)
      const unavailable = [400, 'Login option is not available. Please try another one']
      for (const [to, fields] of [
        [client, { identity_provider: 'Nowhere' }],
        [client, { identity_provider: 'corp' }],
        [client, { identity_provider: '__proto__' }],
        [client, { idp_identifier: 'constructor' }],
        [local, { identity_provider: 'Corp' }],
        [local, { idp_identifier: 'corp.example' }],
      ] as const) {
        assert.deepEqual(page(await visit(authorizeUrl(app, to, fields))), unavailable, JSON.stringify(fields))
      }
    })
  })

  describe('an answer is refused', () => {
    const invalid = [400, 'Invalid State']
    const code = (departed: { address: URL }) => ({ code: provider.grant(departed.address) })

    test('that nobody has asked for', async () => {
      const departed = await depart(app, client)
      for (const state of [
        undefined,
        '',
        'x',
        'A'.repeat(43),
        departed.state.slice(1),
        `${departed.state}=`,
        'x'.repeat(9_000),
      ]) {
        assert.deepEqual(
          page(await visit(callbackUrl(app, { state, ...code(departed) }), { cookie: departed.cookie })),
          invalid,
        )
      }
      const twice = `${callbackUrl(app, { state: departed.state, ...code(departed) })}&state=${departed.state}`
      assert.deepEqual(page(await visit(twice, { cookie: departed.cookie })), invalid)
    })

    test('in another browser, which does not take it from its own', async () => {
      const [mine, other] = [await depart(app, client), await depart(app, client)]
      assert.deepEqual(page(await arrive(app, { ...mine, cookie: other.cookie }, code(mine))), invalid)
      assert.deepEqual(page(await arrive(app, { ...mine, cookie: '' }, code(mine))), invalid)
      assert.match((await arrive(app, mine, code(mine))).location ?? '', /code=/)
    })

    test('a second time, also when both come at once', async () => {
      const departed = await depart(app, client)
      const fields = code(departed)
      const answers = await Promise.all(Array.from({ length: 6 }, () => arrive(app, departed, fields)))
      assert.equal(answers.filter(({ location }) => location?.includes('code=')).length, 1)
      assert.equal(answers.filter(({ status }) => status === 400).length, 5)
    })

    test('after five minutes', async () => {
      const [early, late] = [await depart(app, client), await depart(app, client)]
      app.advance(minutes(5) - 1)
      assert.match((await arrive(app, early, code(early))).location ?? '', /code=/)
      app.advance(1)
      assert.deepEqual(page(await arrive(app, late, code(late))), invalid)
    })

    test('with the values of other steps in the place of the state', async () => {
      const departed = await depart(app, client)
      const { location } = await arrive(app, departed, code(departed))
      const answer = answerIn(location).get('code') ?? ''
      assert.deepEqual(
        page(await visit(callbackUrl(app, { state: answer, code: 'x' }), { cookie: departed.cookie })),
        invalid,
      )
      const other = await depart(app, client)
      const { json } = await postForm(`${app.url}/oauth2/token`, {
        grant_type: 'authorization_code',
        client_id: client.clientId,
        code: other.state,
        redirect_uri: 'https://app.example/callback',
      })
      assert.equal(json['error'], 'invalid_grant')
    })

    test('by HEAD, by other methods, and posted by a provider that does not post', async () => {
      const departed = await depart(app, client)
      const url = callbackUrl(app, { state: departed.state, ...code(departed) })
      const headers = { cookie: departed.cookie }
      assert.equal((await fetch(url, { method: 'HEAD', headers })).status, 405)
      assert.equal((await fetch(url, { method: 'PUT', headers })).status, 405)
      const posted = await fetch(`${app.url}/oauth2/idpresponse`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ state: departed.state, ...code(departed) }),
      })
      assert.equal(posted.status, 400)
      assert.match((await visit(url, headers)).location ?? '', /code=/)
    })

    test('that says a thing twice', async () => {
      const departed = await depart(app, client)
      const url = `${callbackUrl(app, { state: departed.state, ...code(departed) })}&code=other`
      const { location } = await visit(url, { cookie: departed.cookie })
      assert.equal(answerIn(location).get('error_description'), 'Corp Error - the answer has no code ')
    })

    test('that another server gave, as far as it says who it is', async () => {
      const [honest, mixed] = [await depart(app, client), await depart(app, client)]
      const { location } = await arrive(app, mixed, { ...code(mixed), iss: 'https://evil.example' })
      assert.equal(answerIn(location).get('error_description'), 'Bad response issuer https://evil.example ')
      const answer = await arrive(app, honest, { ...code(honest), iss: provider.issuer })
      assert.match(answer.location ?? '', /code=/)
    })

    test('when the client, the provider or their bond has gone meanwhile', async () => {
      const second = createTestProvider({ now: () => app.now() })
      await addProvider(app, client.poolId, second, { ProviderName: 'Passing' })
      const going = await createOAuthClient(app, client.poolId, { SupportedIdentityProviders: ['Corp', 'Passing'] })
      const fields = { identity_provider: 'Passing' }
      const [unbound, deleted, orphan] = [
        await depart(app, going, fields),
        await depart(app, going, fields),
        await depart(app, going, fields),
      ]
      const ids = { UserPoolId: going.poolId, ClientId: going.clientId }
      const settings = {
        ...ids,
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['code' as const],
        AllowedOAuthScopes: ['openid'],
        CallbackURLs: ['https://app.example/callback'],
      }
      await app.aws.updateUserPoolClient({ ...settings, SupportedIdentityProviders: ['Corp'] })
      const unavailable = [400, 'Login option is not available. Please try another one']
      assert.deepEqual(page(await arrive(app, unbound, code(unbound))), unavailable)
      await app.aws.updateUserPoolClient({ ...settings, SupportedIdentityProviders: ['Corp', 'Passing'] })
      await app.aws.deleteIdentityProvider({ UserPoolId: going.poolId, ProviderName: 'Passing' })
      assert.deepEqual(page(await arrive(app, deleted, code(deleted))), unavailable)
      await app.aws.deleteUserPoolClient(ids)
      assert.deepEqual(page(await arrive(app, orphan, code(orphan))), invalid)
    })
  })

  describe('what the provider refuses', () => {
    const answerTo = async (fields: Fields) => {
      const departed = await depart(app, client, { identity_provider: 'Corp', state: 'app-state' })
      return arrive(app, departed, fields)
    }

    test('is told the application, as text', async () => {
      const { location, headers } = await answerTo({
        error: 'access_denied',
        error_description: '<script>"x"</script>',
      })
      assert.equal(
        location,
        'https://app.example/callback?error_description=+script++x++%2Fscript+&state=app-state&error=access_denied',
      )
      assert.equal(
        headers.getSetCookie().some(line => line.startsWith('cognito-')),
        false,
      )
    })

    test('in words of its own is an invalid request', async () => {
      const answer = answerIn((await answerTo({ error: 'consent_missing', error_description: 'no' })).location)
      assert.deepEqual(
        [answer.get('error'), answer.get('error_description')],
        ['invalid_request', 'consent_missing; no'],
      )
      const neither = answerIn((await answerTo({})).location)
      assert.equal(neither.get('error_description'), 'Corp Error - the answer has no code ')
    })
  })

  describe('an ID token is refused', () => {
    const making = (make: (claims: Claims) => string) => () => {
      provider.makeIdToken = make
    }
    const signed = (change: Claims, header?: object) =>
      making(claims => signedToken(provider.key, { ...claims, ...change }, header))
    let stranger: ProviderKey
    before(() => {
      stranger = newKey('key-1')
    })
    const now = () => Math.floor(app.now() / 1_000)
    const unsigned = (claims: Claims, alg: string) =>
      `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
    const lies: [string, () => void, string][] = [
      ['that is missing', () => provider.answers.set('/token', () => ({ body: { access_token: 'a' } })), 'missing'],
      ['without a signature', making(claims => unsigned(claims, 'none')), 'format'],
      ['without a signature, in other letters', making(claims => unsigned(claims, 'nOnE')), 'format'],
      ['by a key of somebody else', making(claims => signedToken(stranger, claims)), 'signature'],
      [
        'by the public key as a secret',
        making(claims => secretToken(JSON.stringify(provider.key.publicJwk), claims, { kid: 'key-1' })),
        'signature',
      ],
      ['by another secret', making(claims => secretToken('guess', claims)), 'signature'],
      ['of a kid that is unknown', signed({}, { kid: 'other' }), 'signature'],
      ['without a kid', signed({}, { kid: undefined }), 'signature'],
      ['of another algorithm than its key', signed({}, { alg: 'ES384' }), 'signature'],
      ['with a critical header', signed({}, { crit: ['b64'], b64: false }), 'format'],
      ['of another issuer', signed({ iss: 'https://idp.example.com/' }), 'issuer https://idp.example.com/'],
      ['for another client', signed({ aud: 'other' }), 'audience'],
      ['for several clients without saying for whom', signed({ aud: ['client-at-provider', 'other'] }), 'audience'],
      ['for the client by way of another', signed({ azp: 'other' }), 'audience'],
      ['without a nonce', signed({ nonce: undefined }), 'nonce'],
      ['with the nonce of another sign-in', signed({ nonce: 'other' }), 'nonce'],
      ['that has expired', () => signed({ exp: now() - 61 })(), 'expiry'],
      ['whose end is text', () => signed({ exp: String(now() + 60) })(), 'expiry'],
      ['that was made long ago', () => signed({ iat: now() - 601 })(), 'issue time'],
      ['from the future', () => signed({ iat: now() + 120 })(), 'issue time'],
      ['with the hash of another access token', signed({ at_hash: 'LDktKdoQak3Pk0cnXxCltA' }), 'at_hash'],
      ['without a subject', signed({ sub: undefined }), 'subject'],
      ['whose subject is a number', signed({ sub: 1 }), 'subject'],
    ]
    for (const [what, lie, fault] of lies) {
      test(what, async () => {
        assert.deepEqual(await refusal(lie), ['invalid_request', `Bad id_token ${fault} `])
      })
    }

    test('whose claims can be read in two ways', async () => {
      const lie = making(claims => {
        const [header, , signature] = signedToken(provider.key, claims).split('.')
        const twice = Buffer.from(JSON.stringify(claims).replace(/}$/, ',"sub":"2"}')).toString('base64url')
        return [header, twice, signature].join('.')
      })
      assert.deepEqual(await refusal(lie), ['invalid_request', 'Bad id_token format '])
    })

    test('unless the client secret signs it, or one of several audiences is authorized', async () => {
      const bySecret = making(claims => secretToken(clientSecret, claims))
      assert.deepEqual(await refusal(bySecret), ['no error', null])
      const forSeveral = signed({ aud: ['other', 'client-at-provider'], azp: 'client-at-provider' })
      assert.deepEqual(await refusal(forSeveral), ['no error', null])
    })
  })

  describe('a call to the provider', () => {
    const failing = (path: string, reason: FetchFailureReason) => () =>
      void provider.answers.set(path, () => {
        throw new FetchFailure(reason, 'failed')
      })
    const answering = (path: string, body: string | object, status?: number) => () =>
      void provider.answers.set(path, () => ({ body, ...(status !== undefined && { status }) }))
    const failures: [string, () => void, string][] = [
      [
        'for tokens that takes too long',
        failing('/token', 'timeout'),
        'Timeout occurred in calling IdP token endpoint ',
      ],
      ['for tokens that finds nobody', failing('/token', 'unreachable'), 'Connection reset '],
      ['for tokens that leads to the own network', failing('/token', 'private-address'), 'Connection reset '],
      ['for tokens that is too long', failing('/token', 'too-large'), 'Connection reset '],
      ['for tokens that is refused', answering('/token', {}, 401), 'Corp Error - 401 error getting token '],
      ['for tokens that is led elsewhere', answering('/token', '', 302), 'Corp Error - 302 error getting token '],
      [
        'for tokens that gets a page',
        answering('/token', '<html>'),
        'Corp Error - unusable answer of the token endpoint ',
      ],
      ['for tokens that gets none', answering('/token', {}), 'Corp Error - unusable answer of the token endpoint '],
      [
        'for tokens that can be read in two ways',
        answering('/token', '{"access_token":"a","access_token":"b"}'),
        'Corp Error - unusable answer of the token endpoint ',
      ],
      ['for the user that takes too long', failing('/userinfo', 'timeout'), 'Read timed out '],
      [
        'for the user that is refused',
        answering('/userinfo', { error: 'insufficient_scope' }, 403),
        'Corp Error - 403 insufficient_scope ',
      ],
      ['for the user that finds another', answering('/userinfo', { sub: '2' }), 'Unable to retrieve user info '],
      ['for the user that finds nobody', answering('/userinfo', {}), 'Unable to retrieve user info '],
      ['for the user that gets a list', answering('/userinfo', '[]'), 'Unable to retrieve user info '],
    ]
    for (const [what, lie, description] of failures) {
      test(what, async () => {
        assert.deepEqual(await refusal(lie), ['invalid_request', description])
      })
    }

    test('shows the secret in the body, follows no redirect and proves nothing in the address', async () => {
      provider.calls.length = 0
      await signInThrough(app, client, provider)
      const token = provider.calls.find(({ url }) => url.pathname === '/token')
      assert.equal(token?.request.method, 'POST')
      assert.equal(token?.url.search, '')
      assert.equal(token?.form.get('client_secret'), clientSecret)
      assert.equal(token?.request.headers?.['authorization'], undefined)
      assert.deepEqual(new Set(provider.calls.map(({ request }) => request.redirectsMax)), new Set([0]))
      const user = provider.calls.find(({ url }) => url.pathname === '/userinfo')
      assert.match(user?.request.headers?.['authorization'] ?? '', /^Bearer access-code-/)
    })

    test('for the user is made by POST where the provider wants it, and without a secret where it has given none', async () => {
      await addProvider(app, client.poolId, provider, {
        ProviderName: 'Posting',
        ProviderDetails: { attributes_request_method: 'POST', client_secret: '' },
      })
      const posting = await createOAuthClient(app, client.poolId, { SupportedIdentityProviders: ['Posting'] })
      provider.calls.length = 0
      const { location } = await signInThrough(app, posting, provider, {})
      assert.match(location ?? '', /code=/)
      const call = (path: string) => provider.calls.find(({ url }) => url.pathname === path) ?? assert.fail(path)
      assert.deepEqual([call('/userinfo').request.method, call('/userinfo').request.body], ['POST', ''])
      assert.equal(call('/token').form.has('client_secret'), false)
      provider.makeIdToken = claims => secretToken('', claims)
      const unsigned = await signInThrough(app, posting, provider, {})
      provider.makeIdToken = undefined
      assert.equal(answerIn(unsigned.location).get('error_description'), 'Bad id_token signature ')
    })

    test('asks for keys again when one is unknown, at most once a minute, and gets by without an answer', async () => {
      const asked = () => provider.calls.filter(({ url }) => url.pathname === '/keys').length
      const outcome = () => refusal(() => {}).then(([error]) => error)
      app.advance(minutes(5))
      assert.equal(await outcome(), 'no error')
      provider.calls.length = 0
      const former = provider.key
      try {
        provider.key = newKey('key-2')
        // The keys have just been read, so the new one is not believed in at once.
        assert.equal(await outcome(), 'invalid_request')
        assert.equal(asked(), 0)
        app.advance(seconds(60))
        assert.equal(await outcome(), 'no error')
        assert.equal(await outcome(), 'no error')
        assert.equal(asked(), 1)
        provider.answers.set('/keys', () => {
          throw new FetchFailure('unreachable', 'down')
        })
        app.advance(minutes(10))
        assert.equal(await outcome(), 'no error')
        assert.equal(await outcome(), 'no error')
        assert.equal(asked(), 2)
      } finally {
        provider.key = former
        provider.answers.clear()
        app.advance(minutes(5))
      }
    })
  })

  test('the level that the provider vouches for is that of the tokens, with the methods that it names', async () => {
    const levelOf = async (claims: Claims) => {
      const departed = await depart(app, client)
      provider.makeIdToken = given => signedToken(provider.key, { ...given, ...claims })
      const { location } = await arrive(app, departed, { code: provider.grant(departed.address) })
      provider.makeIdToken = undefined
      const { json } = await postForm(`${app.url}/oauth2/token`, {
        grant_type: 'authorization_code',
        client_id: client.clientId,
        code: answerIn(location).get('code') ?? '',
        redirect_uri: 'https://app.example/callback',
      })
      const payload = String(json['access_token']).split('.')[1] ?? ''
      const { acr, amr } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims
      return [acr, amr]
    }
    assert.deepEqual(await levelOf({ acr: 'strong', amr: ['pwd', 'otp', 'telepathy'] }), [
      'urn:cognito:loa:3',
      ['fed', 'pwd', 'otp', 'mfa'],
    ])
    assert.deepEqual(await levelOf({ acr: 'unheard', amr: 'pwd' }), ['urn:cognito:loa:1', ['fed']])
  })
})
