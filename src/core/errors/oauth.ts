/** What callers of the OAuth endpoints can see: codes of the standards, with Cognito's descriptions where it has them. */
import type { CognitoError } from '../errors.ts'

export type OAuthErrorCode =
  | 'access_denied'
  | 'authorization_pending'
  | 'expired_token'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_software_statement'
  | 'invalid_token'
  | 'login_required'
  | 'registration_not_supported'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'server_error'
  | 'slow_down'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type'
  | 'user_cancelled_authorize'

/** An error that a client is told as JSON. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly description: string | undefined
  readonly status: 400 | 401 | 404 | 405 | 413 | 429 | 500 | 503

  constructor(code: OAuthErrorCode, description?: string, status: OAuthError['status'] = 400) {
    super(description ?? code)
    this.name = 'OAuthError'
    this.code = code
    this.description = description
    this.status = status
  }
}

/**
 * An authorization request that is refused. Either the application is told, by a redirect to `location`, or, as long as
 * nothing proves that the redirect URI is the application's, nobody but the user is: then `location` is undefined and the
 * message is for the error page.
 */
export class AuthorizationError extends Error {
  readonly location: string | undefined
  /** `error` as the application is told. */
  readonly code: OAuthErrorCode | undefined

  constructor(message: string, redirect?: { location: string; code: OAuthErrorCode }) {
    super(message)
    this.name = 'AuthorizationError'
    this.location = redirect?.location
    this.code = redirect?.code
  }
}

// ---------------------------------------------------------------------------------------------- the error page

/** What the authorization endpoint would refuse, told to the client itself before any browser comes. */
export const refusedAhead = ({ code, message }: AuthorizationError) =>
  code === undefined ? invalidRequest(message) : new OAuthError(code, message === code ? undefined : message)

/** A fault of which only the user may learn. */
const shown = (text: string) => new AuthorizationError(text)

export const parameterNotPresent = (name: string) => shown(`Required String parameter '${name}' is not present`)
/** The wording for a parameter that is there twice is not published. */
export const parameterRepeated = (name: string) => shown(`Parameter '${name}' must not be repeated`)
export const oauthClientNotFound = () => shown('Client does not exist.')
export const redirectMismatch = () => shown('redirect_mismatch')
export const loginOptionNotAvailable = () => shown('Login option is not available. Please try another one')

/** The wording is not published: Cognito knows neither pushed requests nor devices nor the hint. */
export const requestUriInvalid = () => shown('The request_uri is not valid or has expired')
export const userCodeInvalid = () => shown('The code is not valid or has expired')
export const wrongLogoutHint = () => shown('Invalid id_token_hint')

// ---------------------------------------------------------------------------------------------- answers to applications

const coded = (code: OAuthErrorCode) => (description?: string) => new OAuthError(code, description)

export const invalidRequest = coded('invalid_request')
export const invalidScope = coded('invalid_scope')
export const loginRequired = coded('login_required')
export const invalidGrant = coded('invalid_grant')
export const unauthorizedClient = coded('unauthorized_client')

/** The blank at the end is Cognito's. */
export const oauthNotEnabled = () => invalidRequest('Client is not enabled for OAuth2.0 flows ')
export const requestNotSupported = () => new OAuthError('request_not_supported')
export const requestUriNotSupported = () => new OAuthError('request_uri_not_supported')
export const registrationNotSupported = () => new OAuthError('registration_not_supported')

// ---------------------------------------------------------------------------------------------- the token endpoint

export const invalidClient = (description?: string, status: 400 | 401 = 400) =>
  new OAuthError('invalid_client', description, status)
/** The description is Cognito's. */
export const invalidClientSecret = (status?: 400 | 401) => invalidClient('invalid_client_secret', status)
export const unsupportedGrantType = () => new OAuthError('unsupported_grant_type')
/** The code is Cognito's; RFC 6749, section 5.2 has `invalid_grant` for it. */
export const redirectUriDiffers = () => unauthorizedClient('invalid_redirect')
export const methodNotAllowed = () => new OAuthError('invalid_request', undefined, 405)
export const formTooLarge = () => new OAuthError('invalid_request', 'The body is too large.', 413)

/**
 * What an error of the API is on the OAuth endpoints. A trigger that refuses is told with its text, as it is in the API;
 * what is wrong with a user or a token makes the grant invalid.
 */
export const oauthErrorOf = ({ name, message }: CognitoError): OAuthError => {
  switch (name) {
    case 'UserLambdaValidationException':
    case 'UnexpectedLambdaException':
    case 'InvalidLambdaResponseException':
    case 'InvalidParameterException':
      return invalidRequest(message)
    case 'TooManyRequestsException':
    case 'LimitExceededException':
      return new OAuthError('temporarily_unavailable', message, 429)
    case 'InternalErrorException':
      return new OAuthError('server_error', message, 500)
    default:
      return invalidGrant(message)
  }
}

export const serverError = () => new OAuthError('server_error', undefined, 500)
export const tooManyRequests = () => new OAuthError('temporarily_unavailable', 'Rate exceeded', 429)

// ---------------------------------------------------------------------------------------------- tokens as credentials

export const badUserInfoRequest = () => invalidRequest('Bad OAuth2 request at UserInfo Endpoint')
export const invalidUserInfoToken = () =>
  new OAuthError(
    'invalid_token',
    'Access token is expired, disabled, or deleted, or the user has globally signed out.',
    401,
  )
export const unsupportedTokenType = () => new OAuthError('unsupported_token_type')

// ---------------------------------------------------------------------------------------------- registration (RFC 7591)

export const invalidClientMetadata = coded('invalid_client_metadata')
export const invalidRedirectUri = coded('invalid_redirect_uri')
export const invalidSoftwareStatement = coded('invalid_software_statement')
export const invalidRegistrationToken = () => new OAuthError('invalid_token', undefined, 401)
/** A pool that takes no registrations has no such endpoint. */
export const registrationNotOffered = () => new OAuthError('invalid_request', undefined, 404)
/** An extension that is switched off. */
export const notOffered = () => new OAuthError('invalid_request', undefined, 404)

// ---------------------------------------------------------------------------------------------- devices (RFC 8628)

export const authorizationPending = () => new OAuthError('authorization_pending')
export const slowDown = () => new OAuthError('slow_down')
export const accessDenied = () => new OAuthError('access_denied')
export const expiredDeviceCode = () => new OAuthError('expired_token')
