/** Where a request came from, as sessions remember it. */
import { deviceType } from '../../core/user-agents.ts'
import type { Context } from '../context.ts'
import { addressOf } from '../source-address.ts'

/** The columns of a session. */
export const traceOf = (ctx: Pick<Context, 'userAgent' | 'sourceIp'>) => ({
  device_type: deviceType(ctx.userAgent),
  ip_address: addressOf(ctx),
})
