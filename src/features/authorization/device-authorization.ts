/** The endpoint with which a device begins (RFC 8628, section 3.1). */
import { domainUrl } from '../../core/domain-names.ts'
import type { Context } from '../context.ts'
import { mainDomain } from '../managed-login/domains.ts'
import { authenticateClient, type FormRequest } from './client-authentication.ts'
import { beginDeviceGrant } from './device-grants.ts'

/** The answer to the device (RFC 8628, section 3.2). Times are seconds. */
export interface DeviceAuthorizationResponse {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete: string
  expires_in: number
  interval: number
}

/** @throws OAuthError `invalid_client` with status 401, and what beginDeviceGrant throws. */
export const answerDeviceAuthorization = async (
  ctx: Context,
  request: FormRequest,
): Promise<DeviceAuthorizationResponse> => {
  const { pool, client } = await authenticateClient(ctx, request, 401)
  const begun = await beginDeviceGrant(ctx, pool, client, request.form.get('scope'))
  const domain = await mainDomain(ctx, pool)
  const page = `${domain === undefined ? ctx.publicUrl : domainUrl(ctx.publicUrl, domain)}/device`
  return {
    device_code: begun.deviceCode,
    user_code: begun.userCode,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${begun.userCode}`,
    expires_in: begun.lifetimeSeconds,
    interval: begun.intervalSeconds,
  }
}
