/**
 * The logs that pools have sent somewhere. The records leave through the events port, each with the destination that the
 * pool's configuration names.
 */
import type { EventSourceName, LogConfigurationType } from '../contract/types.ts'
import type { Context } from './context.ts'
import type { Pool } from './user-pools/pool.ts'

/** The ARNs of all destinations of a configuration, of which a valid one has exactly one. */
export const logDestinations = (configuration: LogConfigurationType): string[] =>
  [
    configuration.CloudWatchLogsConfiguration?.LogGroupArn,
    configuration.S3Configuration?.BucketArn,
    configuration.FirehoseConfiguration?.StreamArn,
  ].filter(arn => arn !== undefined)

const names: Record<EventSourceName, string> = {
  userNotification: 'USER_NOTIFICATION',
  userAuthEvents: 'USER_AUTH_EVENTS',
}

/**
 * Sends one record of this source to where the pool wants it; nothing when it does not want it. The message never
 * carries a code or another secret. The envelope is the one of Cognito's log of message delivery errors.
 */
export const deliverLog = (
  ctx: Pick<Context, 'clock' | 'events'>,
  pool: Pick<Pool, 'id' | 'settings'>,
  source: EventSourceName,
  message: object,
): void => {
  const configuration = pool.settings.LogConfigurations?.find(({ EventSource }) => EventSource === source)
  if (configuration === undefined) return
  ctx.events.record({
    name: 'LogDelivery',
    destination: logDestinations(configuration)[0],
    record: {
      eventTimestamp: String(ctx.clock.now()),
      eventSource: names[source],
      logLevel: configuration.LogLevel,
      message,
      logSourceId: { userPoolId: pool.id },
    },
  })
}
