/** Whether the pool tracks the sessions of its users, and how many each may have. */
import type { SetUserPoolSessionConfigurationRequest } from '../../contract/types.ts'
import { featuresUnavailableInTier } from '../../core/errors.ts'
import type { Pool, PoolSettings } from './pool.ts'
import { hasTier } from './tiers.ts'

export type SessionConfiguration = Omit<SetUserPoolSessionConfigurationRequest, 'UserPoolId'>

const untouched: SessionConfiguration = { UserSessionTracking: 'DISABLED', TokenSession: { MaxPerUser: 20 } }

/** The configuration in force. */
export const sessionConfiguration = (pool: Pick<Pool, 'settings'>): SessionConfiguration =>
  pool.settings.SessionConfiguration ?? untouched

/** Whether new sessions are recorded, and those that were recorded are shown. */
export const tracksSessions = (pool: Pick<Pool, 'settings'>): boolean =>
  sessionConfiguration(pool).UserSessionTracking === 'ENABLED'

/** @throws FeatureUnavailableInTierException when the pool's tier does not track sessions. */
export const assertTierTracksSessions = (pool: Pick<Pool, 'settings'>): void => {
  if (!hasTier(pool.settings, 'ESSENTIALS')) throw featuresUnavailableInTier('LITE', ['Session tracking'])
}

/**
 * The settings with this session configuration.
 * @throws FeatureUnavailableInTierException
 */
export const withSessionConfiguration = (pool: Pool, requested: SessionConfiguration): PoolSettings => {
  assertTierTracksSessions(pool)
  const { UserSessionTracking, TokenSession } = requested
  return {
    ...pool.settings,
    SessionConfiguration: { UserSessionTracking, TokenSession: { MaxPerUser: TokenSession.MaxPerUser } },
  }
}
