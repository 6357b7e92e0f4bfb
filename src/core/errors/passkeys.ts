/** What callers see of passkeys. None of these texts is published. */
import { CognitoError, invalidParameter, limitExceeded, notAuthorized, resourceNotFound } from '../errors.ts'

const passkeysPerUser = 'The user has registered the maximum number of passkeys'
const notSupported = (what: string) => new CognitoError('WebAuthnCredentialNotSupportedException', what)

export const passkeysNotEnabled = () =>
  new CognitoError('WebAuthnNotEnabledException', 'Passkeys are not enabled for the user pool.')
/** Said to users of an identity provider, who sign in there. */
export const passkeysNotForProviderUsers = () =>
  new CognitoError('WebAuthnNotEnabledException', 'Users of an identity provider cannot have passkeys.')
export const relyingPartyMissing = () =>
  new CognitoError(
    'WebAuthnConfigurationMissingException',
    'The user pool has neither a relying party ID nor a domain, and one of them is needed for passkeys.',
  )
export const tooManyPasskeys = (max: number) => limitExceeded(`${passkeysPerUser}: ${max}.`)
export const passkeyNotFound = () => resourceNotFound('Passkey does not exist.')

// ---------------------------------------------------------------------------------------------- registering

export const malformedPasskey = () => invalidParameter('The passkey credential is not well formed.')
export const passkeyChallengeNotFound = () =>
  new CognitoError('WebAuthnChallengeNotFoundException', 'The passkey challenge does not exist or has expired.')
export const passkeyOfOtherClient = () =>
  new CognitoError('WebAuthnClientMismatchException', 'The passkey registration was started by another app client.')
export const passkeyOriginNotAllowed = () =>
  new CognitoError('WebAuthnOriginNotAllowedException', 'The origin of the passkey is not allowed.')
export const passkeyOfOtherRelyingParty = () =>
  new CognitoError('WebAuthnRelyingPartyMismatchException', 'The passkey belongs to another relying party.')
export const passkeyAttestationNotSupported = () =>
  notSupported('The attestation format of the passkey is not supported.')
export const passkeyKeyNotSupported = () => notSupported('The public key of the passkey is not supported.')
export const passkeyUserNotVerified = () =>
  notSupported('The authenticator has not verified the user, which the user pool requires.')
/** Said of the user's own passkeys and of those of others alike. */
export const passkeyExists = () => invalidParameter('The passkey is already registered.')

// ---------------------------------------------------------------------------------------------- signing in

/** Whatever is wrong with an assertion, for users with passkeys, without, and for names that nobody has. */
export const passkeyRefused = () => notAuthorized('The passkey could not be verified.')
