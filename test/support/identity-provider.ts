/**
 * Identity providers as tests use them: one that answers at whatever addresses it is given, in the place of the fetch of the
 * application, and the journeys of browsers through it. It signs ID tokens with keys of its own and says of its user what
 * the test wants; the hooks let it lie.
 */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { CreateIdentityProviderCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { type Fetch, FetchFailure, type FetchRequest } from '../../src/core/ports.ts'
import type { TestApp } from './app.ts'
import { type Answer, authorizeUrl, type Fields, type OAuthClient, visit } from './oauth.ts'

export type Claims = Record<string, unknown>

export interface ProviderKey {
  kid: string
  alg: string
  privateKey: KeyObject
  publicJwk: object
}

export const newKey = (kid: string, alg: 'ES256' | 'RS256' = 'ES256'): ProviderKey => {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return { kid, alg, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A signed token (RFC 7515); `header` replaces members of the usual one. */
export const signedToken = (key: ProviderKey, claims: object, header: object = {}): string => {
  const text = `${encoded({ alg: key.alg, kid: key.kid, ...header })}.${encoded(claims)}`
  const options = { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const }
  return `${text}.${sign('sha256', Buffer.from(text), options).toString('base64url')}`
}

/** A token under a shared secret. */
export const secretToken = (secret: string | Buffer, claims: object, header: object = {}): string => {
  const text = `${encoded({ alg: 'HS256', ...header })}.${encoded(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** A call that has come to the provider. */
export interface Call {
  url: URL
  request: FetchRequest
  /** Of a form that was posted. */
  form: URLSearchParams
}

type AnswerTo = (call: Call) => { status?: number; body: string | object }

export interface TestProvider {
  issuer: string
  key: ProviderKey
  fetch: Fetch
  calls: Call[]
  /** What the ID token says beyond the usual; undefined takes a usual claim away. */
  idClaims: Claims
  /** What userInfo says. */
  userInfo: Claims
  /** Makes the ID token from the claims, in the place of a signature by `key`. */
  makeIdToken: ((claims: Claims) => string) | undefined
  /** Answers by path or whole URL, in the place of the usual ones; a function may also throw. */
  answers: Map<string, AnswerTo>
  /** The user signs in: a code for the request that the browser was sent with. */
  grant(address: URL): string
}

export const clientId = 'client-at-provider'
export const clientSecret = 'secret-at-provider'

export const createTestProvider = (
  { now }: { now: () => number },
  issuer = 'https://idp.example.com',
): TestProvider => {
  const nonces = new Map<string, string | null>()
  const usual = new Map<string, AnswerTo>([
    [`${issuer}/.well-known/openid-configuration`, () => ({ body: { ...metadata(issuer), issuer } })],
    [`${issuer}/keys`, () => ({ body: { keys: [provider.key.publicJwk] } })],
    [`${issuer}/userinfo`, () => ({ body: provider.userInfo })],
    [
      `${issuer}/token`,
      ({ form }) => {
        const code = form.get('code') ?? ''
        if (!nonces.has(code)) return { status: 400, body: { error: 'invalid_grant' } }
        const claims = JSON.parse(
          JSON.stringify({
            iss: issuer,
            aud: clientId,
            iat: Math.floor(now() / 1_000),
            exp: Math.floor(now() / 1_000) + 600,
            nonce: nonces.get(code) ?? undefined,
            ...provider.idClaims,
          }),
        ) as Claims
        const id_token = (provider.makeIdToken ?? (given => signedToken(provider.key, given)))(claims)
        return { body: { access_token: `access-${code}`, token_type: 'Bearer', expires_in: 600, id_token } }
      },
    ],
  ])
  const provider: TestProvider = {
    issuer,
    key: newKey('key-1'),
    calls: [],
    idClaims: {},
    userInfo: {},
    makeIdToken: undefined,
    answers: new Map(),
    fetch: async (address, request) => {
      const url = new URL(address)
      const call = { url, request, form: new URLSearchParams(String(request.body ?? url.searchParams)) }
      provider.calls.push(call)
      const place = `${url.origin}${url.pathname}`
      const answer = provider.answers.get(place) ?? provider.answers.get(url.pathname) ?? usual.get(place)
      if (answer === undefined) throw new FetchFailure('unreachable', `${request.purpose}: nothing at ${place}`)
      const { status = 200, body } = answer(call)
      return { status, headers: {}, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
    },
    grant: address => {
      const code = `code-${nonces.size + 1}`
      nonces.set(code, address.searchParams.get('nonce'))
      return code
    },
  }
  return provider
}

/** The user with this subject, of whom ID token and userInfo say the same. */
export const setUser = (provider: TestProvider, sub: string, claims: Claims = {}): void => {
  provider.idClaims = { sub }
  provider.userInfo = { sub, ...claims }
}

const metadata = (issuer: string) => ({
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/userinfo`,
  jwks_uri: `${issuer}/keys`,
})

export const mapping = { email: 'email', email_verified: 'email_verified', name: 'name' }

/** Makes the provider known to the pool, under the name `Corp` unless the test has another one. */
export const addProvider = async (
  app: TestApp,
  poolId: string,
  { issuer }: Pick<TestProvider, 'issuer'>,
  { ProviderDetails, ...members }: Partial<CreateIdentityProviderCommandInput> = {},
): Promise<void> => {
  await app.aws.createIdentityProvider({
    UserPoolId: poolId,
    ProviderName: 'Corp',
    ProviderType: 'OIDC',
    AttributeMapping: mapping,
    ProviderDetails: {
      client_id: clientId,
      client_secret: clientSecret,
      attributes_request_method: 'GET',
      authorize_scopes: 'openid email',
      oidc_issuer: issuer,
      ...ProviderDetails,
    },
    ...members,
  })
}

/** A browser that was sent to a provider. */
export interface Departed {
  /** The authorization endpoint of the provider, with its parameters. */
  address: URL
  state: string
  cookie: string
}

const cookiesIn = ({ headers }: Answer): string[] => headers.getSetCookie().map(line => line.split(';', 1)[0] ?? '')

/** Begins a sign-in at the provider, in a new browser unless there is a cookie. */
export const depart = async (
  app: TestApp,
  client: Pick<OAuthClient, 'clientId'>,
  fields: Fields = { identity_provider: 'Corp' },
  cookie?: string,
): Promise<Departed> => {
  const answer = await visit(
    authorizeUrl(app, client, { scope: 'openid', ...fields }),
    cookie === undefined ? {} : { cookie },
  )
  if (answer.status !== 302 || !answer.location?.startsWith('http')) {
    throw new Error(`The browser was not sent away: ${answer.status} ${answer.location} ${answer.body}`)
  }
  const address = new URL(answer.location)
  return { address, state: address.searchParams.get('state') ?? '', cookie: cookie ?? cookiesIn(answer).join('; ') }
}

export const callbackUrl = (app: TestApp, fields: Fields): string =>
  `${app.url}/oauth2/idpresponse?${new URLSearchParams(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined))}`

/** What the browser is answered that comes back from the provider. */
export const arrive = (app: TestApp, { state, cookie }: Departed, fields: Fields = {}): Promise<Answer> =>
  visit(callbackUrl(app, { state, ...fields }), { cookie })

/** Begins and finishes a sign-in; the answer leads to the application, well or not. */
export const signInThrough = async (
  app: TestApp,
  client: Pick<OAuthClient, 'clientId'>,
  provider: TestProvider,
  fields?: Fields,
): Promise<Answer> => {
  const departed = await depart(app, client, fields)
  return arrive(app, departed, { code: provider.grant(departed.address) })
}
