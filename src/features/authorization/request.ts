/**
 * Authorization requests: from the parameters of `/oauth2/authorize`, `/login` and `/signup` to a request that every later
 * step can rely on. The checks stand in the order of the service. Until the redirect URI is known to be the client's, what
 * is wrong is shown to the user and nobody is redirected anywhere (RFC 6749, section 4.1.2.1); from then on the application
 * is told.
 */

import {
  AuthorizationError,
  invalidRequest,
  invalidScope,
  loginOptionNotAvailable,
  OAuthError,
  oauthClientNotFound,
  oauthNotEnabled,
  parameterNotPresent,
  parameterRepeated,
  redirectMismatch,
  registrationNotSupported,
  requestNotSupported,
  requestUriNotSupported,
  unauthorizedClient,
} from '../../core/errors/oauth.ts'
import { isCognitoError } from '../../core/errors.ts'
import {
  isCodeChallenge,
  isResource,
  type Parameters,
  type ResponsePlace,
  readParameters,
  withParameters,
  wordsOf,
} from '../../core/oauth.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { getProviderByIdentifier } from '../identity-providers/provider.ts'
import { customScopes } from '../resource-servers/resource-server.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { PoolOfRequest } from './pool-of-request.ts'

export type ResponseType = 'code' | 'token'

export interface AuthorizationRequest {
  pool: Pool
  client: Client
  /** One of the client's callback URLs. */
  redirectUri: string
  responseType: ResponseType
  /** What is granted when the user signs in. */
  scopes: string[]
  state: string | undefined
  nonce: string | undefined
  /** Of method S256. */
  codeChallenge: string | undefined
  resource: string | undefined
  prompt: ReadonlySet<string>
  /** Seconds. */
  maxAge: number | undefined
  acrValues: string[]
  loginHint: string | undefined
  lang: string | undefined
  /** The provider that the request asks for: `COGNITO` or the name of one that the client supports. */
  identityProvider: string | undefined
  /** As they came, for the address of the next page. */
  parameters: URLSearchParams
}

/** Where the user's next page or the application's next answer has to know the client before anything is checked. */
type ClientPlace = Pick<PoolOfRequest, 'pool' | 'client'>

const responsePlaces: Record<ResponseType, ResponsePlace> = { code: 'query', token: 'fragment' }
const stateLengthMax = 16_384
const nonceLengthMax = 2_048

/**
 * Reads and checks the parameters of a request. `at` is where they came to; undefined when neither host nor client led to a
 * pool.
 * @throws AuthorizationError
 */
export const readAuthorizationRequest = async (
  ctx: Context,
  at: ClientPlace | undefined,
  search: URLSearchParams,
): Promise<AuthorizationRequest> => {
  const parameters = readParameters(search)
  for (const name of ['client_id', 'redirect_uri']) if (parameters.isRepeated(name)) throw parameterRepeated(name)
  if (parameters.get('client_id') === undefined) throw parameterNotPresent('client_id')
  if (at?.client === undefined) throw oauthClientNotFound()
  const { pool, client } = at
  const redirectUri = checkedRedirectUri(client, parameters.get('redirect_uri'))
  try {
    return { pool, client, redirectUri, ...(await readTerms(ctx, { pool, client }, parameters)), parameters: search }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw refusal({ redirectUri, responseType: parameters.get('response_type'), state: stateOf(parameters) }, error)
  }
}

/** The error as an answer to the application: description, state, error, in the order of the service. */
export const refusal = (
  {
    redirectUri,
    responseType,
    state,
  }: { redirectUri: string; responseType: string | undefined; state?: string | undefined },
  { code, description }: Pick<OAuthError, 'code' | 'description'>,
): AuthorizationError => {
  const answer = { error_description: description, state, error: code }
  const place = responseType === 'token' ? responsePlaces.token : responsePlaces.code
  return new AuthorizationError(code, description ?? code, withParameters(redirectUri, answer, place))
}

/** A state that is given twice is nobody's. */
const stateOf = (parameters: Parameters): string | undefined =>
  parameters.isRepeated('state') ? undefined : parameters.get('state')

/**
 * The redirect URI, which is compared character by character (RFC 9700, section 4.1.3). A client with one provider may leave
 * it out: then its default is meant, or its only callback URL.
 */
const checkedRedirectUri = (client: Client, given: string | undefined): string => {
  const { CallbackURLs = [], DefaultRedirectURI } = client.settings
  if (given !== undefined) {
    if (!CallbackURLs.includes(given)) throw redirectMismatch()
    return given
  }
  const only = DefaultRedirectURI ?? (CallbackURLs.length === 1 ? CallbackURLs[0] : undefined)
  if (only === undefined || supportedProviders(client).length !== 1) throw parameterNotPresent('redirect_uri')
  return only
}

/** The providers that the client offers; none when it names none. */
export const supportedProviders = (client: Client): string[] => client.settings.SupportedIdentityProviders ?? []

type Terms = Omit<AuthorizationRequest, 'pool' | 'client' | 'redirectUri' | 'parameters'>

/** Everything of which the application may be told what is wrong with it. */
const readTerms = async (
  ctx: Context,
  { pool, client }: { pool: Pool; client: Client },
  parameters: Parameters,
): Promise<Terms> => {
  if (client.settings.AllowedOAuthFlowsUserPoolClient !== true) throw oauthNotEnabled()
  if (parameters.repeated.length > 0) throw invalidRequest()
  const state = parameters.get('state')
  const nonce = parameters.get('nonce')
  if ((state?.length ?? 0) > stateLengthMax || (nonce?.length ?? 0) > nonceLengthMax) throw invalidRequest()
  refuseRequestObjects(parameters)
  const responseType = checkedResponseType(client, parameters.get('response_type'))
  const codeChallenge = checkedChallenge(parameters)
  const scopes = await checkedScopes(ctx, pool, client, parameters.get('scope'))
  return {
    responseType,
    scopes,
    state,
    nonce,
    codeChallenge,
    resource: checkedResource(parameters.get('resource')),
    identityProvider: await checkedProvider(ctx, pool, client, parameters),
    ...checkedPrompt(parameters),
    acrValues: wordsOf(parameters.get('acr_values')),
    loginHint: parameters.get('login_hint'),
    lang: parameters.get('lang'),
  }
}

/** What they would say instead of the parameters is not read, so nobody may believe that it counts. */
const refuseRequestObjects = (parameters: Parameters): void => {
  if (parameters.get('request') !== undefined) throw requestNotSupported()
  if (parameters.get('request_uri') !== undefined) throw requestUriNotSupported()
  if (parameters.get('registration') !== undefined) throw registrationNotSupported()
}

const flowOf: Record<ResponseType, 'code' | 'implicit'> = { code: 'code', token: 'implicit' }

const checkedResponseType = (client: Client, responseType: string | undefined): ResponseType => {
  if (responseType !== 'code' && responseType !== 'token') throw invalidRequest()
  if (!client.settings.AllowedOAuthFlows?.includes(flowOf[responseType])) throw unauthorizedClient()
  return responseType
}

/** Challenge and method go together, and the method is S256. */
const checkedChallenge = (parameters: Parameters): string | undefined => {
  const challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if (challenge === undefined && method === undefined) return undefined
  if (challenge === undefined || method !== 'S256' || !isCodeChallenge(challenge)) throw invalidRequest()
  return challenge
}

/**
 * The scopes that are asked for, or all of the client's. A custom scope that the client lists and that no resource server
 * has any more is inactive and left out.
 */
export const checkedScopes = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  scope: string | undefined,
): Promise<string[]> => {
  const allowed = client.settings.AllowedOAuthScopes ?? []
  const asked = scope === undefined ? allowed : wordsOf(scope)
  if (asked.some(name => !allowed.includes(name))) throw invalidScope()
  const custom = asked.filter(name => !isSystemScope(name))
  if (custom.length === 0) return asked
  const existing = await customScopes(ctx, pool)
  const inactive = new Set(custom.filter(name => !existing.has(name)))
  return asked.filter(name => !inactive.has(name))
}

const systemScopes = new Set(['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'])

export const isSystemScope = (name: string): boolean => systemScopes.has(name)

const checkedResource = (resource: string | undefined): string | undefined => {
  if (resource !== undefined && !isResource(resource)) throw invalidRequest()
  return resource
}

/**
 * The provider by its name or one of its identifiers; the name wins. One that the client does not support is of no use to
 * the application either, so the user is told.
 */
const checkedProvider = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  parameters: Parameters,
): Promise<string | undefined> => {
  const supported = supportedProviders(client)
  if (supported.length === 0) throw loginOptionNotAvailable()
  const identifier = parameters.get('idp_identifier')
  const name = parameters.get('identity_provider') ?? (identifier && (await findProviderName(ctx, pool, identifier)))
  if (name === undefined) return undefined
  if (!supported.includes(name)) throw loginOptionNotAvailable()
  return name
}

const identifierLengthMax = 40

const findProviderName = async (ctx: Context, pool: Pool, identifier: string): Promise<string> => {
  if (identifier.length > identifierLengthMax || identifier.includes('\0')) throw loginOptionNotAvailable()
  try {
    return (await getProviderByIdentifier(ctx, pool, identifier)).name
  } catch (error) {
    throw isCognitoError(error, 'ResourceNotFoundException') ? loginOptionNotAvailable() : error
  }
}

/** `none` stands alone (OpenID Connect Core, section 3.1.2.1); values that nobody knows are left out. */
const checkedPrompt = (parameters: Parameters): Pick<Terms, 'prompt' | 'maxAge'> => {
  const prompt = new Set(wordsOf(parameters.get('prompt')))
  if (prompt.has('none') && prompt.size > 1) throw invalidRequest()
  const maxAge = parameters.get('max_age')
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) throw invalidRequest()
  return { prompt, maxAge: maxAge === undefined ? undefined : Number(maxAge) }
}
