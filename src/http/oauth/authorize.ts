/**
 * `GET /oauth2/authorize` (RFC 6749, section 3.1): straight back to the application when the browser has a session for it,
 * else to the sign-in page with the same parameters.
 */
import { AuthorizationError } from '../../core/errors/oauth.ts'
import { finishAuthorization } from '../../features/authorization/finish.ts'
import { poolOfRequest } from '../../features/authorization/pool-of-request.ts'
import { readAuthorizationRequest } from '../../features/authorization/request.ts'
import { sessionForRequest } from '../../features/authorization/single-sign-on.ts'
import type { Context } from '../../features/context.ts'
import { showError } from '../pages/error-page.ts'
import { sendNotice } from '../pages/place.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { answerHeaders } from './endpoint.ts'

/** The second path is older than the first and still in use. */
const paths = ['/oauth2/authorize', '/authorize']

export const addAuthorize = (routes: Routes, options: ContextOptions): void => {
  for (const path of paths) {
    routes.all(path, async c => {
      const ctx = contextOf(c, options)
      for (const [name, value] of Object.entries(answerHeaders(ctx))) c.header(name, value)
      // A session is used up by no look: HEAD must not make a code.
      if (c.req.method !== 'GET') return c.body(null, 405, { allow: 'GET' })
      try {
        return c.redirect(await whereTo(ctx, c), 302)
      } catch (error) {
        if (!(error instanceof AuthorizationError)) throw error
        if (error.location !== undefined) return c.redirect(error.location, 302)
        return sendNotice(c, options, place => showError(place, error.message))
      }
    })
  }
}

const whereTo = async (ctx: Context, c: RequestContext): Promise<string> => {
  const { search, searchParams } = new URL(c.req.url)
  const at = await poolOfRequest(ctx, c.req.header('host'), searchParams.get('client_id') ?? undefined)
  const request = await readAuthorizationRequest(ctx, at, searchParams)
  const session = await sessionForRequest(ctx, request, c.req.header('cookie'))
  if (session !== undefined) return finishAuthorization({ ...ctx, region: request.pool.region }, request, session)
  return `${basePath(ctx)}/login${search}`
}
