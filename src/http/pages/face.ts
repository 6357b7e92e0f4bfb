/**
 * The way of a request to its page: the pool and its client, the authorization request, the browser, what was sent, and
 * what the page before has left.
 */
import { AuthorizationError } from '../../core/errors/oauth.ts'
import type { Client } from '../../features/app-clients/client.ts'
import type { PoolOfRequest } from '../../features/authorization/pool-of-request.ts'
import { readAuthorizationRequest } from '../../features/authorization/request.ts'
import { findStep } from '../../features/managed-login/page-steps.ts'
import type { ContextOptions, Routes } from '../request-context.ts'
import { browserOf, isFormToken, isFromOwnPage } from './browser.ts'
import { confirmByLink } from './confirm-link.ts'
import { addDeviceEntry } from './device.ts'
import { knownError, showError, showProblem, showSessionOver } from './error-page.ts'
import { type Form, fieldOf, readPageForm } from './forms.ts'
import { type Page, type Place, redirectTo, stepParameter } from './page.ts'
import { locate } from './place.ts'
import { normalPath, type Route, routeOf } from './routes.ts'
import type { Step } from './steps.ts'

/** Answers the paths of the pages and leaves all others alone. */
export const addPages = (routes: Routes, options: ContextOptions): void => {
  addDeviceEntry(routes, options)
  routes.use(async (c, next) => {
    const path = normalPath(c.req.path)
    const route = routeOf(path)
    if (route === undefined && path !== '/error' && path !== '/confirmuser') return next()
    const { place, at, search, hasPages } = await locate(c, options)
    try {
      if (route === undefined) return await answerLink(place, path, at, search)
      const method = c.req.method === 'GET' ? 'get' : c.req.method === 'POST' ? 'post' : undefined
      const handler = method && route[method]
      if (handler === undefined) return methodNotAllowed(place, route)
      const page = await readPage(place, at, search, route)
      if (page instanceof Response) return page
      if (!hasPages) return showProblem(place, place.texts.pagesUnavailable)
      return method === 'get' || isOwnForm(page) ? await handler(page) : showSessionOver(page, 403)
    } catch (cause) {
      if (cause instanceof AuthorizationError) {
        return cause.location === undefined ? showError(place, cause.message) : redirectTo(place, cause.location)
      }
      const { log, requestId } = place.ctx
      log.error({ requestId, path, cause }, 'request failed')
      return showProblem(place, place.texts.internalError, 500)
    }
  })
}

/** The pages that no authorization request leads to. */
const answerLink = async (
  place: Place,
  path: string,
  at: PoolOfRequest | undefined,
  search: URLSearchParams,
): Promise<Response> => {
  // Programs that look at links ask for the head alone: that must not confirm anything.
  if (place.c.req.method !== 'GET') return methodNotAllowed(place, { get: true })
  if (path === '/error') return showError(place, knownError(search.get('error')))
  if (at?.client === undefined) return showError(place, undefined)
  return confirmByLink({ ...place, pool: at.pool, client: at.client }, search)
}

const methodNotAllowed = (place: Place, { get, post }: { get?: unknown; post?: unknown }): Response => {
  place.c.header('allow', [get && 'GET', post && 'POST'].filter(name => name !== undefined).join(', '))
  return showProblem(place, place.texts.pageNotFound, 405)
}

/**
 * The request for a page with all that belongs to it; a response when what was sent cannot be read.
 * @throws AuthorizationError for an authorization request that is not in order
 */
const readPage = async (
  place: Place,
  at: PoolOfRequest | undefined,
  search: URLSearchParams,
  { needsNoResponseType }: Route,
): Promise<Page | Response> => {
  const { c, ctx, frame, texts } = place
  const query = new URLSearchParams(search)
  query.delete(stepParameter)
  const asked = needsNoResponseType ? withResponseType(query, at?.client) : query
  const request = await readAuthorizationRequest(ctx, at, asked)
  const { pool, client, redirectUri } = request
  const form: Form | string = c.req.method === 'POST' ? await readPageForm(c) : new Map()
  if (typeof form === 'string') return showProblem(place, texts.invalidValue, form === 'too large' ? 413 : 400)
  const browser = browserOf(c, ctx)
  const stepId = search.get(stepParameter) ?? undefined
  const kept = stepId === undefined ? undefined : await findStep(ctx, { client, browser }, stepId)
  return {
    ...place,
    pool,
    client,
    managed: frame.look.kind === 'managed',
    request,
    redirectUri,
    query,
    browser,
    form,
    stepId,
    // Only the pages keep steps, so an authentic one has the shape of one.
    step: kept as Step | undefined,
  }
}

/** As the client may ask, where nothing is asked for. */
const withResponseType = (query: URLSearchParams, client: Client | undefined): URLSearchParams => {
  if (query.has('response_type')) return query
  const flows = client?.settings.AllowedOAuthFlows ?? []
  return new URLSearchParams([...query, ['response_type', flows.includes('code') ? 'code' : 'token']])
}

const isOwnForm = ({ c, ctx, browser, form }: Page): boolean =>
  isFromOwnPage(c, ctx) && isFormToken(ctx, browser, fieldOf(form, '_csrf'))
