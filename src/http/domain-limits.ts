/**
 * The limits of requests at the authorization server and the pages: those of an address before anything is done, those of
 * app client and pool here for what browsers ask, and for what programs ask where it is known who they are.
 */

import { isCognitoError } from '../core/errors.ts'
import { poolOfRequest } from '../features/authorization/pool-of-request.ts'
import { countAtDomain } from '../features/limits.ts'
import { type ContextOptions, contextOf, type Routes } from './request-context.ts'

/** Below `/oauth2`, programs are clients that prove themselves; everything else there is for browsers. */
const isForPrograms = (path: string): boolean =>
  path.startsWith('/oauth2/') && !/^\/oauth2\/(?:authorize|idpresponse)$/.test(path)

/** What has limits of its own, is kept by browsers and proxies, or watches over the server. */
const isApart = (path: string): boolean =>
  /^\/(?:$|pages\/|health$|ready$|metrics$|_cenote\/|console(?:\/|$)|\.well-known\/|[\w-]{1,45}_[0-9A-Za-z]{1,9}\/)/.test(
    path,
  )

export const addDomainLimits = (routes: Routes, options: ContextOptions): void => {
  if (options.services.settings.rateLimits === undefined) return
  routes.use(async (c, next) => {
    if (isApart(c.req.path)) return next()
    const ctx = contextOf(c, options)
    const at = isForPrograms(c.req.path)
      ? undefined
      : await poolOfRequest(ctx, c.req.header('host'), c.req.query('client_id'))
    try {
      countAtDomain(ctx, { address: true, ...at })
    } catch (error) {
      if (!isCognitoError(error, 'TooManyRequestsException')) throw error
      return c.json({ error: 'temporarily_unavailable', error_description: error.message }, 429, { 'retry-after': '1' })
    }
    return next()
  })
}
