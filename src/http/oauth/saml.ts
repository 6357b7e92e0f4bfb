/**
 * `/saml2/idpresponse` and `/saml2/logout`: where SAML providers have the browser post their answers. Cookies do not go along
 * with such a form, so the answer to a request is kept, and the browser is sent here once more by itself. An answer that
 * nobody has asked for belongs to no browser and is taken at once.
 */
import { AuthorizationError } from '../../core/errors/oauth.ts'
import { invalidRelayState, invalidSamlAnswer } from '../../core/errors/saml.ts'
import { finishReturn, returnedSignIn } from '../../features/authorization/federated-sign-in.ts'
import { isForHost } from '../../features/authorization/pool-of-request.ts'
import { finishUnsolicited, isUnsolicited } from '../../features/authorization/unsolicited-sign-in.ts'
import type { Context } from '../../features/context.ts'
import { keepPostedAnswer } from '../../features/federation/requests.ts'
import { arriveBySaml, messageLengthMax } from '../../features/federation/saml/arrive.ts'
import { consumerPath, type RememberedRequest } from '../../features/federation/saml/depart.ts'
import { arriveFromSignOut, logoutPath } from '../../features/federation/saml/sign-out.ts'
import { readForm } from '../form.ts'
import { browserOf } from '../pages/browser.ts'
import { showSignedOut } from '../pages/error-page.ts'
import { sendNotice } from '../pages/place.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { answerHeaders } from './endpoint.ts'
import { orErrorPage } from './error-page.ts'
import { returnToApplication } from './idp-response.ts'

/** A message of the longest kind, with room for what the encoding of forms adds to it. */
const formBytesMax = 262_144

export const addSaml = (routes: Routes, options: ContextOptions): void => {
  const add = (path: string, methods: string, answer: (ctx: Context, c: RequestContext) => Promise<Response>): void => {
    routes.all(path, async c => {
      const ctx = contextOf(c, options)
      for (const [name, value] of Object.entries(answerHeaders(ctx))) c.header(name, value)
      if (!methods.split(', ').includes(c.req.method)) return c.body(null, 405, { allow: methods })
      return orErrorPage(c, options, () => answer(ctx, c))
    })
  }
  add(consumerPath, 'GET, POST', async (ctx, c) =>
    c.req.method === 'POST' ? takeResponse(ctx, c) : c.redirect(await answerRequest(ctx, c), 302),
  )
  add(logoutPath, 'POST', (ctx, c) => finishSignOut(ctx, c, options))
}

const takeResponse = async (ctx: Context, c: RequestContext): Promise<Response> => {
  const { message, relayState } = await readPost(c)
  if (isUnsolicited(relayState)) {
    const host = c.req.header('host')
    const authorization = await finishUnsolicited(ctx, { host, message, relayState })
    return c.redirect(await returnToApplication(ctx, c, authorization), 302)
  }
  const form = new URLSearchParams({ SAMLResponse: message })
  if (!(await keepPostedAnswer(ctx, relayState, form, ({ type }) => type === 'SAML'))) throw invalidRelayState()
  return c.redirect(`${basePath(ctx)}${consumerPath}?${new URLSearchParams({ RelayState: relayState })}`, 303)
}

/** The second time, the browser brings its cookie. */
const answerRequest = async (ctx: Context, c: RequestContext): Promise<string> => {
  const state = new URL(c.req.url).searchParams.get('RelayState') ?? ''
  const there = { host: c.req.header('host'), state, browser: browserOf(c, ctx) }
  const returned = await returnedSignIn(ctx, there).catch((error: unknown) => {
    throw error instanceof AuthorizationError ? invalidSamlAnswer() : error
  })
  const message = returned.posted?.get('SAMLResponse')
  if (!message) throw invalidSamlAnswer()
  const authorization = await finishReturn(ctx, returned, (at, provider) =>
    arriveBySaml(at, provider, message, returned.remembered as RememberedRequest),
  )
  return returnToApplication(ctx, c, authorization)
}

const finishSignOut = async (ctx: Context, c: RequestContext, options: ContextOptions): Promise<Response> => {
  const { pool, location } = await arriveFromSignOut(ctx, await readPost(c))
  if (!(await isForHost(ctx, c.req.header('host'), pool))) throw invalidRelayState()
  if (location === undefined) return sendNotice(c, options, showSignedOut)
  return c.redirect(location.startsWith('/') ? basePath(ctx) + location : location, 302)
}

/** What a provider has posted. @throws AuthorizationError for the error page */
const readPost = async (c: RequestContext): Promise<{ message: string; relayState: string }> => {
  const form = await readForm(c, formBytesMax)
  if (typeof form === 'string') throw invalidSamlAnswer()
  const [message = '', ...messages] = form.getAll('SAMLResponse')
  const [relayState = '', ...relayStates] = form.getAll('RelayState')
  if (message === '' || message.length > messageLengthMax || messages.length > 0) throw invalidSamlAnswer()
  if (relayState === '' || relayStates.length > 0) throw invalidRelayState()
  return { message, relayState }
}
