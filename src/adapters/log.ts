/** The log: JSON lines on standard error. Causes are logged as type, message and stack; requests never with a body. */
import pino from 'pino'
import type { Events, Log } from '../core/ports.ts'

export const createLog = (level: string): Log & { flush(): void } => {
  const destination = pino.destination({ fd: 2, sync: true })
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: { cause: pino.stdSerializers.err },
    },
    destination,
  )
  return {
    debug: (details, message) => logger.debug(details, message),
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error: (details, message) => logger.error(details, message),
    flush: () => destination.flushSync(),
  }
}

/** Events as log lines. */
export const logEvents = (log: Log): Events => ({
  record: ({ name, ...details }) => log.info({ event: name, ...details }, name),
})
