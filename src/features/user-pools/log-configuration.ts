/**
 * Where the logs of a pool go. Failures to deliver a message go to a log group; the history of what users do can go to
 * a log group, a bucket or a stream.
 */
import type { EventSourceName, LogConfigurationType, LogLevel } from '../../contract/types.ts'
import { invalidLogConfiguration } from '../../core/errors.ts'
import { logDestinations } from '../log-delivery.ts'
import type { PoolSettings } from './pool.ts'
import { checkTier } from './tiers.ts'

const levels: Record<EventSourceName, LogLevel> = { userNotification: 'ERROR', userAuthEvents: 'INFO' }

/**
 * The settings with these log configurations in the place of all former ones.
 * @throws InvalidParameterException for a wrong level or destination and for a source that is given twice,
 * FeatureUnavailableInTierException
 */
export const withLogConfigurations = (
  settings: PoolSettings,
  configurations: readonly LogConfigurationType[],
): PoolSettings => {
  const sources = new Set<EventSourceName>()
  for (const configuration of configurations) {
    const { EventSource, LogLevel } = configuration
    if (sources.has(EventSource)) throw invalidLogConfiguration('repeated', EventSource)
    sources.add(EventSource)
    if (LogLevel !== levels[EventSource]) throw invalidLogConfiguration('level', EventSource)
    const destinations = logDestinations(configuration)
    if (destinations.length !== 1) throw invalidLogConfiguration('destination', EventSource)
    if (EventSource === 'userNotification' && configuration.CloudWatchLogsConfiguration?.LogGroupArn === undefined) {
      throw invalidLogConfiguration('logGroup', EventSource)
    }
  }
  const changed = { ...settings, LogConfigurations: [...configurations] }
  checkTier(changed)
  return changed
}
