/** What USER_AUTH, the sign-in in which the user chooses the first factor, tells its callers. No text is published. */
import { featuresUnavailableInTier, invalidParameter } from '../errors.ts'

export const userAuthUnavailableInTier = (tier: string) => featuresUnavailableInTier(tier, ['Choice-based sign-in'])
export const unknownFirstFactor = () =>
  invalidParameter('The challenge must be one of PASSWORD, PASSWORD_SRP, EMAIL_OTP, SMS_OTP and WEB_AUTHN.')
export const targetLevelUnknown = () => invalidParameter('TARGET_ACR_VALUES names no level of the user pool.')
export const targetLevelUnreachable = () =>
  invalidParameter('The user has no factor with which a level of TARGET_ACR_VALUES can be reached.')
export const targetLevelReached = () => invalidParameter('The access token already has the level that is asked for.')
export const accessTokenWithoutTarget = () => invalidParameter('ACCESS_TOKEN can be used with TARGET_ACR_VALUES only.')
export const invalidMaxAge = () => invalidParameter('MAX_AGE must be a number of seconds.')
export const firstFactorNotOffered = () => invalidParameter('The selected challenge is not available to the user.')
