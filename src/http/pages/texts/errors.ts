/**
 * What went wrong, in the language of the page. The messages of the API are English; those that a user can meet have a
 * text of their own here. Messages of triggers are shown as their author wrote them.
 */
import { malformedPasskey, passkeyExists, passkeyRefused, tooManyPasskeys } from '../../../core/errors/passkeys.ts'
import {
  attemptLimitExceeded,
  authenticationCodeMismatch,
  type CognitoError,
  codeExpired,
  codeMismatch,
  contactAdministrator,
  incorrectUsernameOrPassword,
  invalidEmailFormat,
  invalidPhoneNumberFormat,
  invalidSession,
  noRecoveryMedium,
  passwordAttemptsExceeded,
  passwordBreaksPolicy,
  passwordHistoryViolation,
  passwordNotResettable,
  passwordResetRequired,
  sessionExpired,
  sessionUsed,
  signUpNotPermitted,
  signUpPasswordBlank,
  signUpPasswordMissing,
  softwareTokenCodeMismatch,
  softwareTokenCodeUsed,
  softwareTokenVerificationMismatch,
  temporaryPasswordExpired,
  tooManyRequests,
  userDisabled,
  userNotConfirmed,
  userNotFound,
  usernameShouldBeEmail,
  usernameShouldBePhoneNumber,
} from '../../../core/errors.ts'
import { passkeysPerUserMax } from '../../../features/passkeys/passkey.ts'
import type { TextKey, Texts } from './index.ts'

const passwordTexts = {
  length: 'passwordTooShort',
  tooLong: 'passwordTooLong',
  uppercase: 'passwordNeedsUppercase',
  lowercase: 'passwordNeedsLowercase',
  numeric: 'passwordNeedsNumber',
  symbol: 'passwordNeedsSymbol',
  outerSpace: 'passwordOuterSpace',
} as const satisfies Record<Parameters<typeof passwordBreaksPolicy>[1], TextKey>

/** Which text stands for a message of the API. */
const byMessage = new Map<string, TextKey>([
  ...Object.entries(passwordTexts).map(
    ([rule, key]) => [passwordBreaksPolicy('password', rule as keyof typeof passwordTexts).message, key] as const,
  ),
  [signUpPasswordMissing().message, 'fieldRequired'],
  [signUpPasswordBlank().message, 'fieldRequired'],
  [passwordHistoryViolation().message, 'passwordUsedBefore'],
  ...[passkeyRefused(), malformedPasskey(), passkeyExists()].map(({ message }) => [message, 'passkeyFailed'] as const),
  [tooManyPasskeys(passkeysPerUserMax).message, 'tooManyPasskeys'],
  [incorrectUsernameOrPassword().message, 'incorrectCredentials'],
  [userNotFound().message, 'userDoesNotExist'],
  [userDisabled().message, 'userDisabled'],
  [userNotConfirmed().message, 'userNotConfirmed'],
  [passwordResetRequired().message, 'passwordResetRequired'],
  [temporaryPasswordExpired().message, 'temporaryPasswordExpired'],
  [passwordAttemptsExceeded().message, 'passwordAttemptsExceeded'],
  [attemptLimitExceeded().message, 'attemptLimitExceeded'],
  [tooManyRequests().message, 'tooManyRequests'],
  [codeMismatch().message, 'codeMismatch'],
  [authenticationCodeMismatch().message, 'codeIncorrect'],
  [softwareTokenCodeMismatch().message, 'codeIncorrect'],
  [softwareTokenVerificationMismatch().message, 'codeIncorrect'],
  [softwareTokenCodeUsed().message, 'codeAlreadyUsed'],
  [codeExpired().message, 'codeExpired'],
  [invalidEmailFormat().message, 'invalidEmail'],
  [invalidPhoneNumberFormat().message, 'invalidPhoneNumber'],
  [usernameShouldBeEmail().message, 'invalidEmail'],
  [usernameShouldBePhoneNumber().message, 'invalidPhoneNumber'],
  [noRecoveryMedium().message, 'noRecoveryContact'],
  [passwordNotResettable().message, 'resetNotAllowed'],
  [contactAdministrator().message, 'resetNotAllowed'],
  [signUpNotPermitted().message, 'signUpNotPermitted'],
  [invalidSession().message, 'sessionEnded'],
  [sessionExpired().message, 'sessionEnded'],
  [sessionUsed().message, 'sessionEnded'],
  ['User already exists', 'usernameTaken'],
  ['An account with the given email already exists.', 'emailTaken'],
  ['An account with the given phone_number already exists.', 'phoneNumberTaken'],
  ['Unable to login because of security reasons.', 'signInBlocked'],
  ['Provided password cannot be used for security reasons.', 'passwordUnsafe'],
])

/** Errors whose message is somebody else's: the function of a trigger wrote it for the user. */
const written = new Set<CognitoError['name']>(['UserLambdaValidationException'])

const byName = new Map<CognitoError['name'], TextKey>([
  ['CodeDeliveryFailureException', 'codeDeliveryFailed'],
  ['WebAuthnChallengeNotFoundException', 'passkeyFailed'],
  ['WebAuthnCredentialNotSupportedException', 'passkeyFailed'],
  ['WebAuthnOriginNotAllowedException', 'passkeyFailed'],
  ['WebAuthnRelyingPartyMismatchException', 'passkeyFailed'],
  ['WebAuthnConfigurationMissingException', 'passkeysUnavailable'],
  ['WebAuthnNotEnabledException', 'passkeysUnavailable'],
  ['CodeMismatchException', 'codeMismatch'],
  ['ExpiredCodeException', 'codeExpired'],
  ['TooManyRequestsException', 'tooManyRequests'],
  ['LimitExceededException', 'attemptLimitExceeded'],
  ['UserNotFoundException', 'userDoesNotExist'],
  ['UsernameExistsException', 'usernameTaken'],
  ['InvalidParameterException', 'invalidValue'],
])

/**
 * The text for an error of a rule: its own translation, the author's words for an error of a trigger, else a text for
 * errors of its kind; the last resort says that something went wrong.
 */
export const errorText = (texts: Texts, error: CognitoError): string => {
  const key = byMessage.get(error.message)
  if (key !== undefined) return texts[key]
  if (written.has(error.name)) return error.message
  return texts[byName.get(error.name) ?? 'internalError']
}
