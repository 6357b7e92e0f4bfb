/** The headers of every page: what browsers may do with it. */
import type { Context } from '../../features/context.ts'
import { isSecure } from './browser.ts'

/**
 * `redirectUri` is where a form of the page may lead in the end. Browsers apply form-action to every redirect that follows
 * a form, also to those that the application adds, so its whole scheme is allowed and not the one address.
 */
export const pageHeaders = (ctx: Context, redirectUri?: string): Record<string, string> => ({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': contentSecurityPolicy(redirectUri),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'permissions-policy': permissions,
  'cache-control': 'no-store',
  // Over plain http, browsers say where a form comes from by its origin only, which `no-referrer` would hide.
  'referrer-policy': isSecure(ctx) ? 'no-referrer' : 'same-origin',
  ...(isSecure(ctx) && { 'strict-transport-security': 'max-age=31536000' }),
})

const contentSecurityPolicy = (redirectUri: string | undefined): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    `form-action 'self' ${schemesOf(redirectUri ?? '')}`.trimEnd(),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')

/** None for a path of this server. */
const schemesOf = (redirectUri: string): string => {
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:/i.exec(redirectUri) ?? []
  return scheme.toLowerCase() === 'http:' ? 'http: https:' : scheme.toLowerCase()
}

const permissions = [
  'accelerometer=()',
  'camera=()',
  'geolocation=()',
  'gyroscope=()',
  'magnetometer=()',
  'microphone=()',
  'payment=()',
  'usb=()',
  'publickey-credentials-create=(self)',
  'publickey-credentials-get=(self)',
].join(', ')
