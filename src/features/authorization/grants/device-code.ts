/** The grant of RFC 8628: tokens for a device whose user has let it in with a browser. */
import { invalidRequest, unsupportedGrantType } from '../../../core/errors/oauth.ts'
import { beginSession } from '../../tokens/sessions.ts'
import { takeDeviceGrant } from '../device-grants.ts'
import { offers } from '../offers.ts'
import { assertReadable } from './authorization-code.ts'
import { type Grant, presentTokens } from './grant.ts'
import { findGrantedUser } from './granted-user.ts'

const deviceCodeLength = 43

export const deviceCode: Grant = async (ctx, request) => {
  if (!offers(ctx, 'device-grant')) throw unsupportedGrantType()
  const { pool, client, form } = request
  const code = form.get('device_code')
  if (code?.length !== deviceCodeLength) throw invalidRequest()
  const taken = await takeDeviceGrant(ctx, client, code)
  assertReadable(request, taken)
  const tokens = await beginSession(ctx, {
    pool,
    client,
    user: await findGrantedUser(ctx, pool, taken),
    factors: taken.factors,
    source: 'HostedAuth',
    granted: {
      authTime: taken.authTime,
      ...(taken.eventId !== undefined && { eventId: taken.eventId }),
      scope: taken.scope,
      hosted: { browserSessionId: taken.browserSessionId },
    },
  })
  return presentTokens(tokens)
}
