/** The headers of every page: what browsers may do with it. */
import type { Context } from '../../features/context.ts'
import { isSecure } from './browser.ts'

export interface PageHeaderOptions {
  /**
   * Where a form of the page may lead in the end. Browsers apply form-action to every redirect that follows a form, also to
   * those that the application adds, so its whole scheme is allowed and not the one address.
   */
  redirectUri?: string | undefined
  /** Whether a form of the page leads to an identity provider: by https, and on the own machine perhaps without. */
  leadsToProviders?: boolean | undefined
  /** Whether the page has a script. */
  hasScript?: boolean
}

export const pageHeaders = (
  ctx: Context,
  { redirectUri, leadsToProviders = false, hasScript = false }: PageHeaderOptions = {},
): Record<string, string> => ({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': contentSecurityPolicy(
    [redirectUri ?? '', ...(leadsToProviders ? ['https:', ctx.publicUrl] : [])],
    hasScript,
  ),
  'cross-origin-opener-policy': openerPolicy(redirectUri),
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'permissions-policy': permissions,
  'cache-control': 'no-store',
  // Over plain http, browsers say where a form comes from by its origin only, which `no-referrer` would hide.
  'referrer-policy': isSecure(ctx) ? 'no-referrer' : 'same-origin',
  ...(isSecure(ctx) && { 'strict-transport-security': 'max-age=31536000' }),
})

/** A redirect is no document: it has the headers of a page, but for the kind of its content. */
export const redirectHeaders = (ctx: Context, url: string): Record<string, string> => {
  const { 'content-type': _, ...headers } = pageHeaders(ctx, { redirectUri: url })
  // Browsers look at the policy of every answer on the way, and the application may be waiting at the end of it.
  return { ...headers, 'cross-origin-opener-policy': keepsOpener }
}

const keepsOpener = 'unsafe-none'

/**
 * A page on the way to an application keeps the window that has opened it, because the application may wait there for the
 * answer, and every stricter policy cuts that bond for good. All other pages have nobody to wait for them.
 */
const openerPolicy = (redirectUri: string | undefined): string =>
  redirectUri === undefined || redirectUri.startsWith('/') ? 'same-origin' : keepsOpener

const contentSecurityPolicy = (destinations: readonly string[], hasScript: boolean): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    ...(hasScript ? ["script-src 'self'", "require-trusted-types-for 'script'"] : []),
    "img-src 'self' data:",
    ["form-action 'self'", ...new Set(destinations.flatMap(schemesOf))].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')

/** None for a path of this server. */
const schemesOf = (destination: string): string[] => {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(destination)?.[0]?.toLowerCase()
  return scheme === 'http:' ? ['http:', 'https:'] : scheme === undefined ? [] : [scheme]
}

/** Passkeys are all that a page asks the browser for. */
const permissions = [
  'accelerometer=()',
  'autoplay=()',
  'bluetooth=()',
  'camera=()',
  'clipboard-read=()',
  'display-capture=()',
  'encrypted-media=()',
  'fullscreen=()',
  'geolocation=()',
  'gyroscope=()',
  'hid=()',
  'idle-detection=()',
  'local-fonts=()',
  'magnetometer=()',
  'microphone=()',
  'midi=()',
  'payment=()',
  'picture-in-picture=()',
  'screen-wake-lock=()',
  'serial=()',
  'usb=()',
  'xr-spatial-tracking=()',
  'publickey-credentials-create=(self)',
  'publickey-credentials-get=(self)',
].join(', ')
