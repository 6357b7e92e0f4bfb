import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { before, describe, test } from 'node:test'
import type { CreateIdentityProviderCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../../test/support/app.ts'
import {
  addProvider,
  arrive,
  type Call,
  type Claims,
  clientId,
  clientSecret,
  createTestProvider,
  type Departed,
  depart,
  newKey,
  signedToken,
  type TestProvider,
} from '../../../../test/support/identity-provider.ts'
import {
  type Answer,
  answerIn,
  createOAuthClient,
  createOAuthPool,
  type OAuthClient,
  redeem,
} from '../../../../test/support/oauth.ts'
import { claimsOf } from '../../../../test/support/sign-in.ts'

const apple = 'https://appleid.apple.com'
const google = 'https://accounts.google.com'
const teamKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = teamKey.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

type ProviderType = 'Google' | 'Facebook' | 'LoginWithAmazon' | 'SignInWithApple'

const details: Record<ProviderType, Record<string, string>> = {
  Google: { client_id: clientId, client_secret: clientSecret, authorize_scopes: 'profile email openid' },
  Facebook: {
    client_id: clientId,
    client_secret: clientSecret,
    authorize_scopes: 'public_profile, email',
    api_version: 'v17.0',
  },
  LoginWithAmazon: { client_id: clientId, client_secret: clientSecret, authorize_scopes: 'profile' },
  SignInWithApple: {
    client_id: clientId,
    team_id: 'TEAM123456',
    key_id: 'KEY1234567',
    private_key: pem,
    authorize_scopes: 'email name',
  },
}

onEachDatabase(testApp => {
  let app: TestApp
  let provider: TestProvider
  before(async () => {
    provider = createTestProvider({ now: () => app.now() })
    app = await testApp({ fetch: (url, request) => provider.fetch(url, request) })
  })

  const newPool = async (
    type: ProviderType,
    AttributeMapping: Record<string, string>,
    more: Partial<CreateIdentityProviderCommandInput> = {},
  ): Promise<OAuthClient> => {
    const { poolId } = await createOAuthPool(app)
    await app.aws.createIdentityProvider({
      UserPoolId: poolId,
      ProviderName: type,
      ProviderType: type,
      ProviderDetails: details[type],
      AttributeMapping,
      ...more,
    })
    provider.answers.clear()
    provider.calls.length = 0
    return createOAuthClient(app, poolId, { SupportedIdentityProviders: [type] })
  }

  const claimsFrom = async (client: OAuthClient, { location }: Answer): Promise<Claims> => {
    const code = answerIn(location).get('code')
    assert.ok(code, `no code in ${location}`)
    return claimsOf(String((await redeem(app, client, code)).json['id_token']))
  }

  const callTo = (place: string): Call => {
    const call = provider.calls.find(({ url }) => `${url.origin}${url.pathname}` === place)
    return call ?? assert.fail(`${place} was not called: ${provider.calls.map(({ url }) => url)}`)
  }

  const idClaims = (issuer: string, { address }: Departed, claims: Claims) => {
    const iat = Math.floor(app.now() / 1_000)
    return { iss: issuer, aud: clientId, iat, exp: iat + 600, nonce: address.searchParams.get('nonce'), ...claims }
  }

  describe('Google', () => {
    const sign = async (client: OAuthClient, claims: Claims, issuer = google) => {
      const departed = await depart(app, client, {})
      const key = newKey('g')
      const id_token = signedToken(key, idClaims(issuer, departed, claims))
      provider.answers
        .set(`${google}/.well-known/openid-configuration`, () => ({
          body: { issuer: google, jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs' },
        }))
        .set('https://www.googleapis.com/oauth2/v3/certs', () => ({ body: { keys: [key.publicJwk] } }))
        .set('https://www.googleapis.com/oauth2/v4/token', () => ({ body: { access_token: 'at', id_token } }))
      return { departed, answer: await arrive(app, departed, { code: 'g-code', iss: google }) }
    }

    test('tells who the user is in the ID token, and needs not be asked for more', async () => {
      const client = await newPool('Google', { email: 'email', email_verified: 'email_verified', name: 'name' })
      const { departed, answer } = await sign(client, {
        sub: '1098',
        email: 'ann@example.com',
        email_verified: true,
        name: 'Ann',
      })
      assert.equal(`${departed.address.origin}${departed.address.pathname}`, `${google}/o/oauth2/v2/auth`)
      assert.equal(departed.address.searchParams.get('scope'), 'profile email openid')
      const claims = await claimsFrom(client, answer)
      assert.equal(claims['cognito:username'], 'Google_1098')
      assert.deepEqual([claims['email'], claims['email_verified'], claims['name']], ['ann@example.com', true, 'Ann'])
      assert.equal(
        provider.calls.some(({ url }) => url.host === 'people.googleapis.com'),
        false,
      )
    })

    test('is asked for the rest of a person, of whom the main entries count', async () => {
      const client = await newPool('Google', {
        phone_number: 'phoneNumbers',
        birthdate: 'birthdays',
        gender: 'genders',
      })
      provider.answers.set('https://people.googleapis.com/v1/people/me', () => ({
        body: {
          resourceName: 'people/1',
          phoneNumbers: [
            { value: '1', canonicalForm: '+12025550100' },
            { metadata: { primary: true }, value: '2', canonicalForm: '+12025550101' },
          ],
          birthdays: [{ date: { month: 2, day: 9 } }],
          genders: [{ value: 'female', formattedValue: 'Female' }],
        },
      }))
      const { answer } = await sign(client, { sub: '1' }, 'accounts.google.com')
      const { url, request } = callTo('https://people.googleapis.com/v1/people/me')
      assert.equal(url.searchParams.get('personFields'), 'phoneNumbers,birthdays,genders')
      assert.equal(request.headers?.['authorization'], 'Bearer at')
      const claims = await claimsFrom(client, answer)
      assert.deepEqual(
        [claims['phone_number'], claims['birthdate'], claims['gender']],
        ['+12025550101', '0000-02-09', 'Female'],
      )
    })

    test('that refuses is quoted', async () => {
      const client = await newPool('Google', { gender: 'genders' })
      provider.answers.set('https://people.googleapis.com/v1/people/me', () => ({
        status: 403,
        body: { error: { code: 403, status: 'PERMISSION_DENIED' } },
      }))
      const { answer } = await sign(client, { sub: '1' })
      assert.equal(answerIn(answer.location).get('error_description'), 'Google Error - 403 PERMISSION_DENIED ')
    })
  })

  describe('Facebook', () => {
    test('is asked by GET for the tokens and for the mapped fields', async () => {
      const client = await newPool('Facebook', { email: 'email', picture: 'picture' })
      provider.answers
        .set('https://graph.facebook.com/v17.0/oauth/access_token', () => ({ body: { access_token: 'at' } }))
        .set('https://graph.facebook.com/v17.0/me', () => ({
          body: { id: '77', email: 'ann@example.com', picture: { data: { url: 'https://pictures.example/77' } } },
        }))
      const departed = await depart(app, client, {})
      assert.equal(
        `${departed.address.origin}${departed.address.pathname}`,
        'https://www.facebook.com/v17.0/dialog/oauth',
      )
      const claims = await claimsFrom(client, await arrive(app, departed, { code: 'f-code' }))
      assert.equal(claims['cognito:username'], 'Facebook_77')
      assert.equal(claims['picture'], 'https://pictures.example/77')
      assert.equal(claims['email_verified'], false)
      const token = callTo('https://graph.facebook.com/v17.0/oauth/access_token')
      assert.equal(token.request.method, 'GET')
      assert.equal(token.url.searchParams.get('client_secret'), clientSecret)
      assert.equal(callTo('https://graph.facebook.com/v17.0/me').url.searchParams.get('fields'), 'id,email,picture')
    })

    test('that was refused by its user is quoted with what it says', async () => {
      const client = await newPool('Facebook', {})
      const { location } = await arrive(app, await depart(app, client, {}), {
        error: 'access_denied',
        error_code: '200',
        error_description: 'Permissions error',
        error_reason: 'user_denied',
      })
      const answer = answerIn(location)
      assert.equal(answer.get('error'), 'access_denied')
      assert.equal(
        answer.get('error_description'),
        'Permissions error; error=access_denied; error_code=200; error_reason=user_denied',
      )
    })
  })

  test('Amazon is asked for the profile, whose user_id is the subject', async () => {
    const client = await newPool('LoginWithAmazon', { email: 'email', name: 'name' })
    provider.answers
      .set('https://api.amazon.com/auth/o2/token', () => ({ body: { access_token: 'at' } }))
      .set('https://api.amazon.com/user/profile', () => ({
        body: { user_id: 'amzn1.account.X', email: 'ann@example.com', name: 'Ann' },
      }))
    const departed = await depart(app, client, {})
    const claims = await claimsFrom(client, await arrive(app, departed, { code: 'a-code' }))
    assert.equal(claims['cognito:username'], 'LoginWithAmazon_amzn1.account.X')
    assert.equal(callTo('https://api.amazon.com/auth/o2/token').form.get('grant_type'), 'authorization_code')
    provider.answers.set('https://api.amazon.com/user/profile', () => ({ body: { name: 'Nobody' } }))
    const { location } = await arrive(app, await depart(app, client, {}), { code: 'a-code' })
    assert.equal(answerIn(location).get('error'), 'invalid_request')
  })

  describe('Apple', () => {
    const posted = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(`${app.url}/oauth2/idpresponse`, {
        method: 'POST',
        redirect: 'manual',
        // A browser sends no cookies of SameSite=Lax with a form of another site.
        headers: { origin: apple, 'sec-fetch-site': 'cross-site', ...headers },
        body: new URLSearchParams(fields),
      })
    const answering = (departed: Departed, claims: Claims) => {
      const key = newKey('a')
      const id_token = signedToken(key, idClaims(apple, departed, claims))
      provider.answers
        .set(`${apple}/.well-known/openid-configuration`, () => ({
          body: { issuer: apple, jwks_uri: `${apple}/auth/keys` },
        }))
        .set(`${apple}/auth/keys`, () => ({ body: { keys: [key.publicJwk] } }))
        .set(`${apple}/auth/token`, () => ({ body: { access_token: 'at', id_token } }))
    }
    const mapping = {
      email: 'email',
      email_verified: 'email_verified',
      given_name: 'firstName',
      family_name: 'lastName',
    }
    const user = JSON.stringify({ name: { firstName: 'Ann', lastName: 'Lee' }, email: 'forged@example.com' })

    test('posts its answer, proves the client by a signed token, and tells the name once', async () => {
      const client = await newPool('SignInWithApple', mapping)
      const departed = await depart(app, client, {})
      assert.equal(departed.address.searchParams.get('response_mode'), 'form_post')
      answering(departed, { sub: '001.a', email: 'ann@example.com', email_verified: 'true' })
      const first = await posted({ state: departed.state, code: 'apple-code', user })
      assert.equal(first.status, 303)
      assert.equal(first.headers.get('location'), `/oauth2/idpresponse?state=${departed.state}`)
      assert.deepEqual(first.headers.getSetCookie(), [])
      const claims = await claimsFrom(client, await arrive(app, departed))
      assert.equal(claims['cognito:username'], 'SignInWithApple_001.a')
      assert.deepEqual([claims['given_name'], claims['family_name']], ['Ann', 'Lee'])
      assert.deepEqual([claims['email'], claims['email_verified']], ['ann@example.com', true])
      const { form } = callTo(`${apple}/auth/token`)
      const [header = '', payload = '', signature = ''] = (form.get('client_secret') ?? '').split('.')
      const key = { key: createPublicKey(pem), dsaEncoding: 'ieee-p1363' as const }
      assert.ok(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')))
      assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: 'ES256', kid: 'KEY1234567' })
      const now = Math.floor(app.now() / 1_000)
      assert.deepEqual(JSON.parse(Buffer.from(payload, 'base64url').toString()), {
        iss: 'TEAM123456',
        iat: now,
        exp: now + 300,
        aud: apple,
        sub: clientId,
      })
    })

    test('posts once: what comes later in its place, or for no sign-in, is refused', async () => {
      const client = await newPool('SignInWithApple', mapping)
      const departed = await depart(app, client, {})
      answering(departed, { sub: '001.b' })
      assert.equal((await posted({ state: departed.state, code: 'mine' })).status, 303)
      assert.equal((await posted({ state: departed.state, code: 'theirs' })).status, 400)
      assert.equal((await posted({ state: 'x'.repeat(43), code: 'theirs' })).status, 400)
      assert.equal((await posted({ code: 'theirs' })).status, 400)
      await claimsFrom(client, await arrive(app, departed, { code: 'theirs' }))
      assert.equal(callTo(`${apple}/auth/token`).form.get('code'), 'mine')
    })

    test('whose user cancels is quoted', async () => {
      const client = await newPool('SignInWithApple', mapping)
      const departed = await depart(app, client, {})
      await posted({ state: departed.state, error: 'user_cancelled_authorize' })
      const { location } = await arrive(app, departed)
      assert.equal(answerIn(location).get('error'), 'user_cancelled_authorize')
    })

    test('takes a key without its first and last line, and refuses to go on with one of another kind', async () => {
      const bare = pem.replace(/-----[^\n]*\n/g, '').replaceAll('\n', '')
      const client = await newPool('SignInWithApple', mapping, {
        ProviderDetails: { ...details.SignInWithApple, private_key: bare },
      })
      const departed = await depart(app, client, {})
      answering(departed, { sub: '001.c' })
      await posted({ state: departed.state, code: 'c' })
      await claimsFrom(client, await arrive(app, departed))
      const broken = await newPool('SignInWithApple', mapping, {
        ProviderDetails: { ...details.SignInWithApple, private_key: 'no key' },
      })
      const again = await depart(app, broken, {})
      await posted({ state: again.state, code: 'c' })
      const { location } = await arrive(app, again)
      assert.equal(
        answerIn(location).get('error_description'),
        'The private key of the identity provider cannot be used ',
      )
    })

    test('is believed by its own keys alone, never by a secret', async () => {
      const client = await newPool('SignInWithApple', mapping)
      const departed = await depart(app, client, {})
      answering(departed, { sub: '001.d' })
      const stranger = signedToken(newKey('a'), idClaims(apple, departed, { sub: '001.d' }))
      provider.answers.set(`${apple}/auth/token`, () => ({ body: { access_token: 'at', id_token: stranger } }))
      await posted({ state: departed.state, code: 'c' })
      const { location } = await arrive(app, departed)
      assert.equal(answerIn(location).get('error_description'), 'Bad id_token signature ')
    })
  })

  test('an answer of one provider is of no use to the sign-in at another', async () => {
    const client = await newPool('LoginWithAmazon', {})
    await addProvider(app, client.poolId, provider)
    const both = await createOAuthClient(app, client.poolId, {
      SupportedIdentityProviders: ['LoginWithAmazon', 'Corp'],
    })
    const [amazon, corp] = [
      await depart(app, both, { identity_provider: 'LoginWithAmazon' }),
      await depart(app, both, { identity_provider: 'Corp' }),
    ]
    provider.calls.length = 0
    const { location } = await arrive(app, { ...corp, cookie: amazon.cookie }, { code: 'amazon-code' })
    assert.equal(location, null)
    const { location: refused } = await arrive(app, corp, { code: 'amazon-code' })
    assert.equal(answerIn(refused).get('error_description'), 'Corp Error - 400 error getting token ')
    assert.equal(
      provider.calls.some(({ url }) => url.host === 'api.amazon.com'),
      false,
    )
  })
})
