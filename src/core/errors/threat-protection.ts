/** What threat protection tells callers. None of these texts is published. */
import { CognitoError, invalidParameter, notAuthorized, resourceNotFound } from '../errors.ts'

export const addOnNotEnabled = () =>
  new CognitoError('UserPoolAddOnNotEnabledException', 'User pool add-ons are not enabled.')

/** A sign-in or sign-up that the risk configuration blocks. The text is reported, not published. */
export const blockedForSecurity = () => notAuthorized('Unable to login because of security reasons.')

/** A new password that is known to others. The text is reported by applications. */
export const compromisedPassword = () =>
  new CognitoError('InvalidPasswordException', 'Provided password cannot be used for security reasons.')

export const invalidIpAddress = () => invalidParameter('IpAddress must be an IPv4 or IPv6 address.')

export const authEventNotFound = () => resourceNotFound('Auth event does not exist.')

/** The same for a token that was used, has expired or belongs to another event, user or pool, and for unknown users. */
export const invalidFeedbackToken = () => notAuthorized('Invalid feedback token.')
