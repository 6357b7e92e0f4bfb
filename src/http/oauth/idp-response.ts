/**
 * `/oauth2/idpresponse`: where OpenID Connect and social providers send the browser back to. The answer comes in the query,
 * or in a form that the provider has the browser post. Cookies do not go along with such a form, so what it holds is kept,
 * and the browser is sent here once more by itself.
 */
import { invalidState } from '../../core/errors/federation.ts'
import { readParameters } from '../../core/oauth.ts'
import {
  type FederatedAuthorization,
  finishReturn,
  returnedSignIn,
} from '../../features/authorization/federated-sign-in.ts'
import { finishAuthorization } from '../../features/authorization/finish.ts'
import { beginBrowserSession } from '../../features/authorization/single-sign-on.ts'
import type { Context } from '../../features/context.ts'
import { arriveByCode } from '../../features/federation/relying-party/arrive.ts'
import { answersByForm, callbackPath } from '../../features/federation/relying-party/depart.ts'
import { keepPostedAnswer } from '../../features/federation/requests.ts'
import { readForm } from '../form.ts'
import { browserOf } from '../pages/browser.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { answerHeaders } from './endpoint.ts'
import { orErrorPage } from './error-page.ts'

export const addIdpResponse = (routes: Routes, options: ContextOptions): void => {
  routes.all(callbackPath, async c => {
    const ctx = contextOf(c, options)
    for (const [name, value] of Object.entries(answerHeaders(ctx))) c.header(name, value)
    if (c.req.method !== 'GET' && c.req.method !== 'POST') return c.body(null, 405, { allow: 'GET, POST' })
    return orErrorPage(c, options, async () =>
      c.req.method === 'POST' ? c.redirect(await keepPosted(ctx, c), 303) : c.redirect(await answer(ctx, c), 302),
    )
  })
}

const keepPosted = async (ctx: Context, c: RequestContext): Promise<string> => {
  const form = await readForm(c)
  if (typeof form === 'string') throw invalidState()
  const state = form.get('state') ?? ''
  if (!(await keepPostedAnswer(ctx, state, form, answersByForm))) throw invalidState()
  return `${basePath(ctx)}${callbackPath}?${new URLSearchParams({ state })}`
}

const answer = async (ctx: Context, c: RequestContext): Promise<string> => {
  const query = new URL(c.req.url).searchParams
  const [state = '', ...others] = query.getAll('state')
  if (others.length > 0) throw invalidState()
  const returned = await returnedSignIn(ctx, { host: c.req.header('host'), state, browser: browserOf(c, ctx) })
  const parameters = readParameters(returned.posted ?? query)
  const authorization = await finishReturn(ctx, returned, (there, provider) =>
    arriveByCode(there, provider, parameters, returned.remembered),
  )
  return returnToApplication(ctx, c, authorization)
}

/** Begins the session of the browser; the URL leads back to the application. */
export const returnToApplication = async (
  ctx: Context,
  c: RequestContext,
  { request, proof }: FederatedAuthorization,
): Promise<string> => {
  const { pool, client } = request
  const there = { ...ctx, region: pool.region }
  const { session, cookie } = await beginBrowserSession(there, pool, client, proof, c.req.header('cookie'))
  c.header('set-cookie', cookie, { append: true })
  return finishAuthorization(there, request, session)
}
