/**
 * Dynamic client registration (RFC 7591), where the pool takes it: with a token that allows it, or from everybody when the
 * pool is open. What registers becomes an app client like any other, of type DCR.
 */
import type { CreateUserPoolClientRequest, DcrConfigurationType, OAuthFlowType } from '../../contract/types.ts'
import {
  invalidClientMetadata,
  invalidRedirectUri,
  invalidRegistrationToken,
  invalidSoftwareStatement,
  registrationNotOffered,
} from '../../core/errors/oauth.ts'
import { CognitoError } from '../../core/errors.ts'
import { wordsOf } from '../../core/oauth.ts'
import { createClient } from '../app-clients/change-client.ts'
import type { Client } from '../app-clients/client.ts'
import { checkRedirectUrl } from '../app-clients/redirect-urls.ts'
import type { Context } from '../context.ts'
import { listProviders, localProvider } from '../identity-providers/provider.ts'
import { readCustomScopes } from '../resource-servers/resource-server.ts'
import { hasScope, verifyAccessToken } from '../tokens/signed-in.ts'
import type { Pool } from '../user-pools/pool.ts'
import { isSystemScope } from './scopes.ts'

/** The scope of tokens that may register clients. No client can register for it. */
const registrationScope = 'aws.cognito/dcr/register'

/** Whether clients can register themselves in the pool at all. */
export const takesRegistrations = ({ settings }: Pool): boolean =>
  settings.DcrConfiguration !== undefined && settings.DcrConfiguration.EnableStatus !== 'Disabled'

/** The answer to a registration (RFC 7591, section 3.2.1). */
export interface ClientInformation {
  client_id: string
  client_secret?: string
  /** Seconds since the epoch. */
  client_id_issued_at: number
  /** 0: never. */
  client_secret_expires_at?: number
  client_name: string
  redirect_uris?: string[]
  grant_types: string[]
  response_types: string[]
  token_endpoint_auth_method: string
  scope: string
}

/**
 * Registers a client in the pool.
 * @throws OAuthError `invalid_token` with status 401, `invalid_redirect_uri`, `invalid_client_metadata`,
 * `invalid_software_statement`
 */
export const registerClient = async (
  ctx: Context,
  pool: Pool,
  { token, metadata }: { token: string | undefined; metadata: unknown },
): Promise<ClientInformation> => {
  const configuration = pool.settings.DcrConfiguration
  if (configuration === undefined || !takesRegistrations(pool)) throw registrationNotOffered()
  const allowedFlows = await allowedFlowsOf(ctx, pool, configuration, token)
  const wanted = readMetadata(metadata)
  const flow = checkedFlow(wanted, allowedFlows)
  const isPublic = wanted.authMethod === 'none'
  if (isPublic && flow === 'client_credentials') throw invalidClientMetadata('client_credentials needs a secret.')
  if (flow === 'code') checkRedirectUris(wanted.redirectUris)
  const scopes = await checkedScopes(ctx, pool, configuration, flow, wanted.scope)
  const client = await create(ctx, pool, {
    ClientName: wanted.name,
    GenerateSecret: !isPublic,
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: [flow],
    AllowedOAuthScopes: scopes,
    ...(flow === 'code' && {
      CallbackURLs: wanted.redirectUris,
      SupportedIdentityProviders: await providersOf(ctx, pool),
    }),
    PreventUserExistenceErrors: 'ENABLED',
  })
  return present(client, wanted, scopes)
}

/**
 * Without a token what the open pool lets everybody have; with one what the pool lets holders of such a token have.
 * @throws OAuthError `invalid_token`
 */
const allowedFlowsOf = async (
  ctx: Context,
  pool: Pool,
  { OpenDcrEnabled, OpenDcrGrantTypes, AuthenticatedGrantTypes }: DcrConfigurationType,
  token: string | undefined,
): Promise<readonly OAuthFlowType[]> => {
  if (token === undefined) {
    if (OpenDcrEnabled !== true) throw invalidRegistrationToken()
    return OpenDcrGrantTypes ?? []
  }
  const verified = await verifyAccessToken(ctx, token).catch((error: unknown) => {
    throw error instanceof CognitoError ? invalidRegistrationToken() : error
  })
  // A user's token never has the scope: it is for clients that speak for themselves.
  const isOfClient = verified.claims['sub'] === verified.client.id
  if (verified.pool.id !== pool.id || !isOfClient || !hasScope(verified.claims, registrationScope)) {
    throw invalidRegistrationToken()
  }
  return AuthenticatedGrantTypes ?? []
}

// ---------------------------------------------------------------------------------------------- metadata

interface Metadata {
  name: string
  redirectUris: string[]
  grantTypes: string[]
  responseTypes: string[]
  authMethod: AuthMethod
  scope: string | undefined
}

const authMethods = ['client_secret_basic', 'client_secret_post', 'none'] as const
type AuthMethod = (typeof authMethods)[number]

const redirectUrisMax = 100
const redirectUriLengthMax = 1_024
const scopesMax = 50
const defaultName = 'Registered client'

/** The members that count, with the defaults of RFC 7591, section 2. Others are ignored, as the standard allows. */
const readMetadata = (metadata: unknown): Metadata => {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) throw invalidClientMetadata()
  const given = metadata as Record<string, unknown>
  if (given['software_statement'] !== undefined) throw invalidSoftwareStatement()
  const redirectUris = given['redirect_uris'] ?? []
  if (!isTexts(redirectUris) || redirectUris.length > redirectUrisMax) throw invalidRedirectUri()
  const grantTypes = given['grant_types'] ?? ['authorization_code']
  const authMethod = authMethods.find(method => method === (given['token_endpoint_auth_method'] ?? authMethods[0]))
  const { client_name: name = defaultName, scope } = given
  if (!isTexts(grantTypes) || authMethod === undefined || typeof name !== 'string' || !isOptionalText(scope)) {
    throw invalidClientMetadata()
  }
  if (name.length > 128 || !/^[\w\s+=,.@-]+$/.test(name))
    throw invalidClientMetadata('client_name has characters that are not allowed.')
  const responseTypes = given['response_types'] ?? (grantTypes.includes('authorization_code') ? ['code'] : [])
  if (!isTexts(responseTypes)) throw invalidClientMetadata()
  return { name, redirectUris, grantTypes, responseTypes, authMethod, scope }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string')
const isOptionalText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string'

const flows = new Map<string, OAuthFlowType>([
  ['authorization_code', 'code'],
  ['client_credentials', 'client_credentials'],
])

/** A client has one flow; refresh tokens come with it. */
const checkedFlow = ({ grantTypes, responseTypes }: Metadata, allowed: readonly OAuthFlowType[]): OAuthFlowType => {
  const [type, ...others] = new Set(grantTypes.filter(name => name !== 'refresh_token'))
  const flow = flows.get(type ?? '')
  if (flow === undefined || others.length > 0) throw invalidClientMetadata('grant_types must name one grant.')
  if (!allowed.includes(flow)) throw invalidClientMetadata(`The grant ${type} is not allowed.`)
  const expected = flow === 'code' ? 'code' : undefined
  const fits = expected === undefined ? responseTypes.length === 0 : responseTypes.every(name => name === expected)
  if (!fits || (expected !== undefined && responseTypes.length === 0)) {
    throw invalidClientMetadata('response_types and grant_types do not go together.')
  }
  return flow
}

const checkRedirectUris = (uris: readonly string[]): void => {
  if (uris.length === 0 || uris.some(uri => uri.length > redirectUriLengthMax)) throw invalidRedirectUri()
  try {
    for (const uri of uris) checkRedirectUrl(uri)
  } catch (error) {
    throw error instanceof CognitoError ? invalidRedirectUri(error.message) : error
  }
}

const identityScopes = ['openid', 'email', 'phone', 'profile']

/** The scopes that are asked for, or all that a registered client of the flow can have. */
const checkedScopes = async (
  ctx: Context,
  pool: Pool,
  { AllowedScopes = [] }: DcrConfigurationType,
  flow: OAuthFlowType,
  scope: string | undefined,
): Promise<string[]> => {
  const existing = await readCustomScopes(ctx, pool)
  const possible = [...identityScopes, ...AllowedScopes].filter(
    name => name !== registrationScope && (isSystemScope(name) ? flow === 'code' : existing.has(name)),
  )
  const asked = scope === undefined ? [...new Set(possible)] : wordsOf(scope)
  if (asked.length === 0 || asked.length > scopesMax || asked.some(name => !possible.includes(name))) {
    throw invalidClientMetadata('scope names a scope that is not allowed.')
  }
  return asked
}

const providersMax = 300

/** Everybody who can sign in to the pool can sign in to the client. */
const providersOf = async (ctx: Context, pool: Pool): Promise<string[]> => [
  localProvider,
  ...(await listProviders(ctx, pool, '', providersMax)).map(provider => provider.name),
]

const create = async (
  ctx: Context,
  pool: Pool,
  input: Omit<CreateUserPoolClientRequest, 'UserPoolId'>,
): Promise<Client> => {
  try {
    return await createClient({ ...ctx, region: pool.region }, pool, input, { registered: true })
  } catch (error) {
    const isRefused = error instanceof CognitoError && error.name !== 'LimitExceededException'
    throw isRefused ? invalidClientMetadata(error.message) : error
  }
}

const present = (client: Client, wanted: Metadata, scopes: readonly string[]): ClientInformation => {
  const secret = client.secrets[0]?.value
  return {
    client_id: client.id,
    ...(secret !== undefined && { client_secret: secret }),
    client_id_issued_at: Math.floor(client.createdAt / 1_000),
    ...(secret !== undefined && { client_secret_expires_at: 0 }),
    client_name: client.name,
    ...(wanted.redirectUris.length > 0 && { redirect_uris: wanted.redirectUris }),
    grant_types: wanted.grantTypes,
    response_types: wanted.responseTypes,
    token_endpoint_auth_method: wanted.authMethod,
    scope: scopes.join(' '),
  }
}
