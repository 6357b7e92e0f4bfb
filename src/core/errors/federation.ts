/**
 * What a sign-in through an identity provider can be refused with. The application is told in the redirect, as
 * `error_description`; wordings that the service is known to use are marked. A blank at the end is the service's.
 */
import type { CognitoError } from '../errors.ts'
import { AuthorizationError, OAuthError, type OAuthErrorCode, oauthErrorOf } from './oauth.ts'

const refused = (text: string) => new OAuthError('invalid_request', `${text} `)

/** An error of the API as the application is told of it after a sign-in through a provider. [known] for all that has a text */
export const refusedFederation = (error: CognitoError): OAuthError => {
  const { code, status } = oauthErrorOf(error)
  // Nothing has been granted yet, so no grant is invalid: what the user or a function is refused for is the request's fault.
  return new OAuthError(code === 'invalid_grant' ? 'invalid_request' : code, `${error.message} `, status)
}

// ---------------------------------------------------------------------------------------------- the profile

/** [known] */
export const attributesRequired = (names: readonly string[]) => refused(`attributes required: [${names.join(', ')}]`)
/** Each fault, as `name: fault`, ends its own line. [known] */
export const invalidUserAttributes = (faults: readonly string[]) =>
  refused(`Invalid user attributes: ${faults.map(fault => `${fault}\n`).join('')}`)
/** The wording is not published. */
export const unreadableValue = 'Attribute value has characters that cannot be stored.'
/** The name is somebody else's. [known] */
export const alreadyFound = (username: string) => refused(`Already found an entry for username ${username}`)
/** An address that the provider vouches for is another user's. [known] */
export const addressTaken = (attribute: string) => refused(`An account with the ${attribute} already exists.`)
/** The wording is not published. */
export const unusableSubject = () => refused('The identity provider names the user in a form that cannot be used')
/** The provider, the link or the user was changed while the sign-in was under way. The wording is not published. */
export const changedMeanwhile = () => refused('The sign-in has been changed meanwhile. Please try again')

// ---------------------------------------------------------------------------------------------- the way there and back

/** For the error page: an answer that belongs to no sign-in of this browser. [known] */
export const invalidState = () => new AuthorizationError('Invalid State')
/** The provider, or the person in front of it, has refused. `code` is passed on where applications know it. */
export const refusedByProvider = (code: OAuthErrorCode, description: string | undefined) =>
  new OAuthError(code, description)

// ---------------------------------------------------------------------------------------------- OpenID Connect and OAuth

/** The answer holds neither a code nor an error. The wording is not published. */
export const codeMissing = (provider: string) => refused(`${provider} Error - the answer has no code`)
/** The answer is that of another authorization server (RFC 9207). The wording is not published. */
export const wrongServer = (issuer: string) => refused(`Bad response issuer ${issuer}`)
/** [known] */
export const tokenTimeout = () => refused('Timeout occurred in calling IdP token endpoint')
/** [known] */
export const tokenRefused = (provider: string, status: number) =>
  refused(`${provider} Error - ${status} error getting token`)
/** What was answered cannot be read, or lacks what it must have. The wording is not published. */
export const tokenUnusable = (provider: string) => refused(`${provider} Error - unusable answer of the token endpoint`)
/** [known] */
export const connectionReset = () => refused('Connection reset')
/** [known] */
export const readTimedOut = () => refused('Read timed out')
/** [known] */
export const keysTimeout = () => refused('Timeout in calling jwks uri')
/** The wording is not published. */
export const keysUnusable = () => refused('Unable to retrieve keys from jwks uri')
/** [known] for the issuer; for the others the wording is made after it. */
export const badIdToken = (fault: string) => refused(`Bad id_token ${fault}`)
/** [known] for Google; for the others the wording is made after it. */
export const userInfoRefused = (provider: string, status: number, code = '') =>
  refused(`${provider} Error - ${status} ${code === '' ? 'error getting user info' : code}`)
/** The wording is not published. */
export const userInfoUnusable = () => refused('Unable to retrieve user info')
/** The administrator has stored a key that cannot sign. The wording is not published. */
export const unusablePrivateKey = () => refused('The private key of the identity provider cannot be used')
