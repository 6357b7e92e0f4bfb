/**
 * Authorization requests: from the parameters of `/oauth2/authorize`, `/login` and `/signup` to a request that every later
 * step can rely on. The checks stand in the order of the service. Until the redirect URI is known to be the client's, what
 * is wrong is shown to the user and nobody is redirected anywhere (RFC 6749, section 4.1.2.1); from then on the application
 * is told.
 */

import {
  AuthorizationError,
  invalidRequest,
  loginOptionNotAvailable,
  OAuthError,
  oauthClientNotFound,
  oauthNotEnabled,
  parameterNotPresent,
  parameterRepeated,
  redirectMismatch,
  registrationNotSupported,
  requestNotSupported,
  requestUriInvalid,
  requestUriNotSupported,
  unauthorizedClient,
  userCodeInvalid,
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
import type { Pool } from '../user-pools/pool.ts'
import { findDeviceGrant } from './device-grants.ts'
import { readIdTokenHint } from './id-token-hint.ts'
import { offers } from './offers.ts'
import type { PoolOfRequest } from './pool-of-request.ts'
import { findPushedRequest, requestUriPrefix } from './pushed-requests.ts'
import { checkedScopes } from './scopes.ts'

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
  /** Names of levels of authentication, in the order in which they are wanted. */
  acrValues: string[]
  loginHint: string | undefined
  lang: string | undefined
  /** The user whose ID token the application has sent along; undefined when it has sent none of the pool. */
  hintedUserId: string | undefined
  /** The provider that the request asks for: `COGNITO` or the name of one that the client supports. */
  identityProvider: string | undefined
  /** As they came, for the address of the next page. */
  parameters: URLSearchParams
  /** The reference under which the client had left the parameters. */
  requestUri?: string
  /** The code of a device that the user lets in with this sign-in; then there is no application to be answered. */
  userCode?: string
}

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
  if (parameters.get('user_code') !== undefined && offers(ctx, 'device-grant')) {
    return withChosenProvider(await readDeviceRequest(ctx, { pool, client }, parameters, search), parameters)
  }
  const requestUri = parameters.get('request_uri')
  if (requestUri?.startsWith(requestUriPrefix) && offers(ctx, 'pushed-requests')) {
    const pushed = await findPushedRequest(ctx, client, requestUri)
    if (pushed === undefined) throw requestUriInvalid()
    const request = await readChecked(ctx, { pool, client }, readParameters(pushed), search)
    return { ...withChosenProvider(request, parameters), requestUri }
  }
  return readChecked(ctx, { pool, client }, parameters, search)
}

/** A request that names no provider leaves the choice to the user, who makes it on the page and not in the request. */
const withChosenProvider = (request: AuthorizationRequest, parameters: Parameters): AuthorizationRequest => {
  const chosen = parameters.get('identity_provider')
  if (request.identityProvider !== undefined || chosen === undefined) return request
  if (!supportedProviders(request.client).includes(chosen)) throw loginOptionNotAvailable()
  return { ...request, identityProvider: chosen }
}

/** The part of the checks that is about what is asked for. */
const readChecked = async (
  ctx: Context,
  { pool, client }: { pool: Pool; client: Client },
  parameters: Parameters,
  search: URLSearchParams,
): Promise<AuthorizationRequest> => {
  const redirectUri = checkedRedirectUri(client, parameters.get('redirect_uri'))
  try {
    return { pool, client, redirectUri, ...(await readTerms(ctx, { pool, client }, parameters)), parameters: search }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw refusal({ redirectUri, responseType: parameters.get('response_type'), state: stateOf(parameters) }, error)
  }
}

/**
 * The request behind the code that a device shows. The user signs in for it and comes back to the page of the code, where he
 * decides.
 */
const readDeviceRequest = async (
  ctx: Context,
  { pool, client }: { pool: Pool; client: Client },
  parameters: Parameters,
  search: URLSearchParams,
): Promise<AuthorizationRequest> => {
  const grant = await findDeviceGrant(ctx, parameters.get('user_code') ?? '')
  if (grant === undefined || grant.client.id !== client.id) throw userCodeInvalid()
  const { userCode, scopes } = grant
  const redirectUri = withParameters(`${new URL(ctx.publicUrl).pathname.replace(/\/$/, '')}/device`, {
    user_code: userCode,
  })
  return {
    pool,
    client,
    redirectUri,
    responseType: 'code',
    scopes,
    state: undefined,
    nonce: undefined,
    codeChallenge: undefined,
    resource: undefined,
    prompt: new Set(),
    maxAge: undefined,
    acrValues: [],
    loginHint: undefined,
    lang: parameters.get('lang'),
    hintedUserId: undefined,
    identityProvider: undefined,
    parameters: search,
    userCode,
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
  return new AuthorizationError(description ?? code, { location: withParameters(redirectUri, answer, place), code })
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
    hintedUserId: await hintedUserId(ctx, pool, parameters.get('id_token_hint')),
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

/** Cognito does not look at the hint, so one that says nothing is no reason to refuse. */
const hintedUserId = async (ctx: Context, pool: Pool, token: string | undefined): Promise<string | undefined> => {
  const hint = token === undefined ? undefined : await readIdTokenHint(ctx, token)
  return hint?.pool.id === pool.id && typeof hint.sub === 'string' ? hint.sub : undefined
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
