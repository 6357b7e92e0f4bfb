/** What USER_AUTH, the sign-in in which the user chooses the first factor, tells its callers. No text is published. */
import { featuresUnavailableInTier, invalidParameter } from '../errors.ts'

export const userAuthUnavailableInTier = (tier: string) => featuresUnavailableInTier(tier, ['Choice-based sign-in'])
export const unknownFirstFactor = () =>
  invalidParameter('The challenge must be one of PASSWORD, PASSWORD_SRP, EMAIL_OTP, SMS_OTP and WEB_AUTHN.')
export const firstFactorNotOffered = () => invalidParameter('The selected challenge is not available to the user.')
