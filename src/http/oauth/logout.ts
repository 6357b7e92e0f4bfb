/** `GET /logout`: the end of the browser's session. */
import { AuthorizationError } from '../../core/errors/oauth.ts'
import { SignOutRefused, signOut } from '../../features/authorization/sign-out.ts'
import type { Context } from '../../features/context.ts'
import { readForm } from '../form.ts'
import { showError, showSignedOut } from '../pages/error-page.ts'
import { sendNotice } from '../pages/place.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { answerHeaders } from './endpoint.ts'

export const addLogout = (routes: Routes, options: ContextOptions): void => {
  routes.all('/logout', async c => {
    const ctx = contextOf(c, options)
    for (const [name, value] of Object.entries(answerHeaders(ctx))) c.header(name, value)
    if (c.req.method === 'POST') return repeatAsGet(ctx, c)
    if (c.req.method !== 'GET') return c.body(null, 405, { allow: 'GET, POST' })
    return answer(ctx, c, options)
  })
}

const answer = async (ctx: Context, c: RequestContext, options: ContextOptions): Promise<Response> => {
  const request = {
    host: c.req.header('host'),
    cookieHeader: c.req.header('cookie'),
    search: new URL(c.req.url).searchParams,
  }
  try {
    const { location, cookie } = await signOut(ctx, request)
    c.header('set-cookie', cookie)
    if (location === undefined) return sendNotice(c, options, showSignedOut)
    return c.redirect(location.startsWith('/') ? basePath(ctx) + location : location, 302)
  } catch (thrown) {
    if (thrown instanceof SignOutRefused) c.header('set-cookie', thrown.cookie)
    const error = thrown instanceof SignOutRefused ? thrown.error : thrown
    if (!(error instanceof AuthorizationError)) throw error
    if (error.location !== undefined) return c.redirect(error.location, 302)
    return sendNotice(c, options, place => showError(place, error.message))
  }
}

/** Browsers send no cookie with a form from another site, but they do when they follow a redirect by GET. */
const repeatAsGet = async (ctx: Context, c: RequestContext): Promise<Response> => {
  const form = await readForm(c)
  if (form === 'too large') return c.body(null, 413)
  if (form === 'malformed') return c.body(null, 400)
  return c.redirect(`${basePath(ctx)}/logout?${form}`, 303)
}
