/** Where a request came from, as sessions remember it. */
import { deviceType } from '../../core/user-agents.ts'
import type { Context } from '../context.ts'

/** The columns of a session. An address of IPv4 that the socket shows as one of IPv6 is written as what it is. */
export const traceOf = ({ userAgent, sourceIp }: Pick<Context, 'userAgent' | 'sourceIp'>) => ({
  device_type: deviceType(userAgent),
  ip_address: sourceIp?.replace(/^::ffff:(?=\d+\.)/i, '').slice(0, 128) ?? null,
})
