/**
 * `GET /oauth2/authorize` (RFC 6749, section 3.1): straight back to the application when the browser has a session for it,
 * to an identity provider when there is but the one, else to the sign-in page with the same parameters.
 */
import { departToProvider, soleProvider } from '../../features/authorization/federated-sign-in.ts'
import { finishAuthorization } from '../../features/authorization/finish.ts'
import { poolOfRequest } from '../../features/authorization/pool-of-request.ts'
import { readAuthorizationRequest } from '../../features/authorization/request.ts'
import { sessionForRequest } from '../../features/authorization/single-sign-on.ts'
import type { Context } from '../../features/context.ts'
import { browserOf } from '../pages/browser.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { answerHeaders } from './endpoint.ts'
import { orErrorPage } from './error-page.ts'

/** The second path is older than the first and still in use. */
const paths = ['/oauth2/authorize', '/authorize']

export const addAuthorize = (routes: Routes, options: ContextOptions): void => {
  for (const path of paths) {
    routes.all(path, async c => {
      const ctx = contextOf(c, options)
      for (const [name, value] of Object.entries(answerHeaders(ctx))) c.header(name, value)
      // A session is used up by no look: HEAD must not make a code.
      if (c.req.method !== 'GET') return c.body(null, 405, { allow: 'GET' })
      return orErrorPage(c, options, async () => c.redirect(await whereTo(ctx, c), 302))
    })
  }
}

const whereTo = async (ctx: Context, c: RequestContext): Promise<string> => {
  const { search, searchParams } = new URL(c.req.url)
  const at = await poolOfRequest(ctx, c.req.header('host'), searchParams.get('client_id') ?? undefined)
  const request = await readAuthorizationRequest(ctx, at, searchParams)
  const session = await sessionForRequest(ctx, request, c.req.header('cookie'))
  if (session !== undefined) return finishAuthorization({ ...ctx, region: request.pool.region }, request, session)
  const provider = soleProvider(request)
  if (provider === undefined || at === undefined) return `${basePath(ctx)}/login${search}`
  return departToProvider(ctx, request, provider, { baseUrl: at.baseUrl, browser: browserOf(c, ctx) })
}
