/** What callers see when a message cannot be sent. */
import { attemptLimitExceeded, CognitoError, codeDeliveryFailure, limitExceeded, tooManyRequests } from '../errors.ts'

export const emailNotDelivered = () => codeDeliveryFailure('Invalid email provided/Unable to send the email')
/** The wording is not published. */
export const smsNotDelivered = () => codeDeliveryFailure('Invalid phone number provided/Unable to send the SMS')

/** The wording is not published. */
export const emailIdentityNotAllowed = () =>
  new CognitoError('InvalidEmailRoleAccessPolicyException', 'Amazon Cognito is not allowed to use your email identity.')
export const smsRoleNotAllowed = () =>
  new CognitoError('InvalidSmsRoleAccessPolicyException', 'Role does not have permission to publish with SNS')
export const smsRoleNotTrusted = () =>
  new CognitoError(
    'InvalidSmsRoleTrustRelationshipException',
    'Role does not have a trust relationship allowing Cognito to assume the role',
  )

export const dailyEmailLimitExceeded = () =>
  limitExceeded(
    'Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure your user pool to use your own Amazon SES configuration for sending email.',
  )
/** Operations that know no LimitExceededException are throttled like any others. */
export const messageLimitExceeded = (isDeclared: boolean) => (isDeclared ? attemptLimitExceeded() : tooManyRequests())
