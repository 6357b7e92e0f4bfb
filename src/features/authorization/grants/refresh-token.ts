/**
 * The grant `refresh_token` (RFC 6749, section 6). A scope in the request is not looked at. `device_key` is an addition of
 * ours, for sessions of the API that belong to a device.
 */
import { invalidGrant, invalidRequest } from '../../../core/errors/oauth.ts'
import { findRefreshToken, refreshTokens } from '../../tokens/refresh.ts'
import { findUserById } from '../../users/user.ts'
import { type Grant, presentTokens } from './grant.ts'

export const refreshToken: Grant = async (ctx, { pool, client, form }) => {
  const text = form.get('refresh_token')
  if (text === undefined) throw invalidRequest()
  const token = await findRefreshToken(ctx, pool, client, text, form.get('device_key'))
  const user = token && (await findUserById(ctx, pool, token.userId))
  if (token === undefined || user === undefined) throw invalidGrant('Invalid Refresh Token')
  return presentTokens(await refreshTokens(ctx, pool, client, token, user))
}
