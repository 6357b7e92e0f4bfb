/**
 * The answer of a provider that speaks OpenID Connect or the OAuth of its own: the code is exchanged for tokens, the ID
 * token is checked, and the user is asked for (OpenID Connect Core, sections 3.1.2.5 to 3.1.3.7 and 5.3).
 */
import { type Factor, federatedFactors, levels } from '../../../core/claims.ts'
import {
  badIdToken,
  changedMeanwhile,
  codeMissing,
  refusedByProvider,
  tokenRefused,
  tokenTimeout,
  tokenUnusable,
  unusableSubject,
  userInfoUnusable,
  wrongServer,
} from '../../../core/errors/federation.ts'
import type { OAuthErrorCode } from '../../../core/errors/oauth.ts'
import {
  faultInClaims,
  isSignedByOneOf,
  isSignedWithSecret,
  matchesSecret,
  type ParsedIdToken,
  parseIdToken,
} from '../../../core/id-token.ts'
import type { Claims } from '../../../core/jwt.ts'
import { type Parameters, withParameters } from '../../../core/oauth.ts'
import type { Context } from '../../context.ts'
import type { Provider } from '../../identity-providers/provider.ts'
import type { FederatedAnswer } from '../sign-in.ts'
import { appleClientSecret, appleNames } from './apple.ts'
import { callProvider, successOf, textIn } from './call.ts'
import { publishedKeys } from './keys.ts'
import { userInfoOf } from './user-info.ts'

const codeLengthMax = 4_096

/**
 * What the provider says of the user who has come back with these parameters. `remembered` is what was kept when the user
 * was sent away.
 * @throws OAuthError for the application
 */
export const arriveByCode = async (
  ctx: Context,
  provider: Provider,
  parameters: Parameters,
  remembered: Readonly<Record<string, string>>,
): Promise<FederatedAnswer> => {
  if (provider.type === 'SAML') throw changedMeanwhile()
  // An answer that says a thing twice says nothing.
  if (parameters.repeated.length > 0) throw codeMissing(provider.name)
  const { details } = provider.settings
  const issuer = parameters.get('iss')
  if (issuer !== undefined && details['oidc_issuer'] !== undefined && !issuersOf(provider).includes(issuer)) {
    throw wrongServer(plain(issuer))
  }
  if (parameters.get('error') !== undefined) throw refusalIn(provider, parameters)
  const code = parameters.get('code')
  if (code === undefined || code.length > codeLengthMax) throw codeMissing(provider.name)
  const tokens = await exchange(ctx, provider, code, remembered['redirectUri'] ?? '')
  const accessToken = textIn(tokens, 'access_token')
  if (accessToken === undefined) throw tokenUnusable(provider.name)
  const idToken = hasIdToken(provider)
    ? await checkedIdToken(ctx, provider, textIn(tokens, 'id_token'), { accessToken, nonce: remembered['nonce'] ?? '' })
    : undefined
  const userInfo = await userInfoOf(ctx, provider, accessToken, idToken)
  const subject = subjectOf(provider, idToken, userInfo)
  const claims = new Map<string, unknown>([
    ...appleNames(provider.type === 'SignInWithApple' ? parameters.get('user') : undefined),
    ...Object.entries(userInfo ?? {}),
    ...Object.entries(idToken ?? {}),
    ['access_token', accessToken],
    ['id_token', textIn(tokens, 'id_token')],
  ])
  return {
    provider,
    subject,
    claims,
    told: { tokenResponse: tokens, idToken, userInfo },
    ...(idToken !== undefined && { factors: factorsIn(provider, idToken) }),
  }
}

// ---------------------------------------------------------------------------------------------- a refusal

/** What applications know how to read. */
const passedOn: readonly string[] = [
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'user_cancelled_authorize',
] satisfies OAuthErrorCode[]

const refusalIn = ({ type }: Provider, parameters: Parameters) => {
  const error = parameters.get('error') ?? ''
  const description = plain(parameters.get('error_description') ?? '')
  // Facebook says the better part of it in parameters of its own.
  const own = type === 'Facebook' ? ['error', 'error_code', 'error_reason'] : []
  const more = own.flatMap(name => {
    const value = parameters.get(name)
    return value === undefined ? [] : [`${name}=${plain(value)}`]
  })
  const isKnown = passedOn.includes(error)
  const text = [...(isKnown ? [] : [plain(error)]), description, ...more].filter(part => part !== '').join('; ')
  return refusedByProvider(isKnown ? (error as OAuthErrorCode) : 'invalid_request', text === '' ? undefined : text)
}

const textLengthMax = 500

/** Text of another server, for people to read: without what could be more than text (RFC 6749, section 4.1.2.1). */
const plain = (text: string): string =>
  text
    .slice(0, textLengthMax)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}"\\<>]/gu, ' ')

// ---------------------------------------------------------------------------------------------- the code

const exchange = async (
  ctx: Context,
  provider: Provider,
  code: string,
  redirectUri: string,
): Promise<Record<string, unknown>> => {
  const { details } = provider.settings
  const url = details['token_url'] ?? ''
  const secret =
    provider.type === 'SignInWithApple' ? appleClientSecret(ctx, provider) : provider.secrets.details['client_secret']
  const parameters = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id: details['client_id'],
    client_secret: secret,
  }
  const isGet = details['token_request_method'] === 'GET'
  const answer = await callProvider(
    ctx,
    isGet ? withParameters(url, parameters) : url,
    {
      purpose: 'token endpoint of a provider',
      method: isGet ? 'GET' : 'POST',
      ...(!isGet && {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: withParameters('', parameters).slice(1),
      }),
    },
    tokenTimeout,
  )
  if (answer.status !== 200) throw tokenRefused(provider.name, answer.status)
  const tokens = successOf(answer)
  if (tokens === undefined) throw tokenUnusable(provider.name)
  return tokens
}

// ---------------------------------------------------------------------------------------------- the ID token

/** Facebook and Amazon tell who the user is when they are asked for it, and not before. */
const hasIdToken = ({ type }: Provider): boolean => type !== 'Facebook' && type !== 'LoginWithAmazon'

/** Google signs with and without the scheme (Google Identity, "OpenID Connect", validation of an ID token). */
const issuersOf = ({ type, settings: { details } }: Provider): string[] => {
  const issuer = details['oidc_issuer'] ?? ''
  return type === 'Google' ? [issuer, issuer.replace(/^https:\/\//, '')] : [issuer]
}

/** @throws OAuthError */
const checkedIdToken = async (
  ctx: Context,
  provider: Provider,
  text: string | undefined,
  { accessToken, nonce }: { accessToken: string; nonce: string },
): Promise<Claims> => {
  const token = text === undefined ? undefined : parseIdToken(text)
  if (token === undefined) throw badIdToken(text === undefined ? 'missing' : 'format')
  if (!(await isSigned(ctx, provider, token))) throw badIdToken('signature')
  const fault = faultInClaims(token, {
    issuers: issuersOf(provider),
    clientId: provider.settings.details['client_id'] ?? '',
    nonce,
    accessToken,
    now: ctx.clock.now() / 1_000,
  })
  if (fault === 'issuer') throw badIdToken(`issuer ${plain(String(token.claims['iss']))}`)
  if (fault !== undefined) throw badIdToken(fault)
  return token.claims
}

/** The client secret signs for OpenID Connect providers alone; all social ones have keys. */
const isSigned = async (ctx: Context, provider: Provider, token: ParsedIdToken): Promise<boolean> => {
  if (isSignedWithSecret(token)) {
    return provider.type === 'OIDC' && matchesSecret(token, provider.secrets.details['client_secret'] ?? '')
  }
  return isSignedByOneOf(token, await publishedKeys(ctx, provider, token.kid))
}

// ---------------------------------------------------------------------------------------------- who it is

/** The user in one answer must be the user of the other one (OpenID Connect Core, section 5.3.2). */
const subjectOf = (provider: Provider, idToken: Claims | undefined, userInfo: Claims | undefined): string => {
  if (provider.type === 'OIDC' && userInfo?.['sub'] !== idToken?.['sub']) throw userInfoUnusable()
  const claim = provider.type === 'Facebook' ? 'id' : provider.type === 'LoginWithAmazon' ? 'user_id' : 'sub'
  const subject = textIn(idToken ?? userInfo, claim)
  if (subject === undefined) throw unusableSubject()
  return subject
}

/** Methods that the provider and this server name alike (RFC 8176). */
const methods: readonly string[] = ['pwd', 'otp', 'sms', 'swk', 'hwk'] satisfies Factor[]

/** The level that the provider vouches for, and the methods that it names. */
const factorsIn = ({ settings: { acrMapping = {} } }: Provider, { acr, amr }: Claims): Factor[] => {
  const level = typeof acr === 'string' ? levels.findLast(name => acrMapping[name] === acr) : undefined
  const named = (Array.isArray(amr) ? amr : []).filter(
    (method): method is Factor => typeof method === 'string' && methods.includes(method),
  )
  return [federatedFactors[level ?? 'Level1'], ...new Set(named)]
}
