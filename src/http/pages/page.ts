/** What all pages have in common: whom a request is about, where a page leads, and how one is sent. */
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { authSessionMs, type Client } from '../../features/app-clients/client.ts'
import type { AuthorizationRequest } from '../../features/authorization/request.ts'
import type { Context } from '../../features/context.ts'
import { dropStep, keepStep } from '../../features/managed-login/page-steps.ts'
import type { Pool } from '../../features/user-pools/pool.ts'
import { basePath, type RequestContext } from '../request-context.ts'
import { formToken } from './browser.ts'
import { type AlertOptions, form } from './components.ts'
import { type Fault, faultsOf } from './faults.ts'
import { type Form, fieldOf } from './forms.ts'
import { pageHeaders, redirectHeaders } from './headers.ts'
import type { Html, HtmlValue } from './html.ts'
import { type Frame, type PageOptions, renderPage } from './layout.ts'
import type { Step } from './steps.ts'
import type { Texts } from './texts/index.ts'

/** Where a page is shown, also before it is known for whom. */
export interface Place {
  c: RequestContext
  ctx: Context
  frame: Frame
  texts: Texts
  /** Where a form of the page may lead in the end. */
  redirectUri?: string
}

/** A place whose client is known. */
export interface ClientPlace extends Place {
  pool: Pool
  client: Client
}

/** One request for a page. */
export interface Page extends ClientPlace {
  /** Managed login, or the classic pages. */
  managed: boolean
  /** What the application asks for, checked. */
  request: AuthorizationRequest
  /** The parameters of that request as they came, which every page hands on. */
  query: URLSearchParams
  /** The random value of the browser's cookie. */
  browser: string
  /** What the page before has left for this one, and its name. */
  step: Step | undefined
  stepId: string | undefined
  /** What was sent; empty unless a form was. */
  form: Form
}

export type PagePath =
  | '/login'
  | '/device'
  | '/signup'
  | '/confirm'
  | '/resendcode'
  | '/forgotPassword'
  | '/confirmforgotPassword'
  | '/resetpassword'
  | '/mfa'
  | '/mfaoption'
  | '/mfasetup'
  | '/passkey'
  | '/passkeys/add'

/** Names the step in the address of a page. */
export const stepParameter = '_step'

/** The address of a page in the same flow, without a host: a link never follows what a request says of one. */
export const pageUrl = ({ ctx, query }: Pick<Page, 'ctx' | 'query'>, path: PagePath, stepId?: string): string => {
  const parameters = new URLSearchParams(query)
  if (stepId !== undefined) parameters.set(stepParameter, stepId)
  return `${basePath(ctx)}${path}?${parameters}`
}

/** Sends a page. Refused input is a client's fault, and so is its status, unless another one is given. */
export const sendPage = (
  { c, ctx, frame, redirectUri }: Place,
  options: PageOptions,
  status: ContentfulStatusCode = options.failed ? 400 : 200,
): Response => {
  const { leadsToProviders } = options
  const headers = pageHeaders(ctx, { redirectUri, leadsToProviders, hasScript: options.script !== undefined })
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  const script = options.script && basePath(ctx) + options.script
  return c.body(renderPage(frame, { ...options, ...(script !== undefined && { script }) }).toString(), status)
}

/** Leads the browser to another page, with something for it to go on with. The step that it comes from has had its day. */
export const leadTo = async (page: Page, path: PagePath, step?: Step): Promise<Response> => {
  const id = step && (await keepStep(page.ctx, page, step, stepLifetimeMs(page, step)))
  if (page.stepId !== undefined) await dropStep(page.ctx, page.stepId)
  return seeOther(page, pageUrl(page, path, id))
}

/** To another page by GET, whatever the method of the request was (RFC 9110, section 15.4.4). */
export const seeOther = (at: Pick<Page, 'c' | 'ctx'>, url: string): Response => redirectTo(at, url, 303)

/** Leads the browser away, with 302 to an application as on the service. */
export const redirectTo = ({ c, ctx }: Pick<Page, 'c' | 'ctx'>, url: string, status: 302 | 303 = 302): Response => {
  for (const [name, value] of Object.entries(redirectHeaders(ctx, url))) c.header(name, value)
  return c.redirect(url, status)
}

const minuteMs = 60_000

/** A sign-in lasts as long as the client lets it; a code that was sent, as long as it is good for. */
const stepLifetimeMs = ({ client }: Page, step: Step): number => {
  switch (step.kind) {
    case 'challenge':
      return authSessionMs(client)
    case 'confirm':
      return 24 * 60 * minuteMs
    case 'reset':
      return 60 * minuteMs
    case 'notice':
      return 15 * minuteMs
  }
}

/** The form of a page, which posts to the page itself unless it says otherwise. */
export const pageForm = (page: Page, path: PagePath, content: HtmlValue, hidden?: Record<string, string>): Html =>
  form({
    action: pageUrl(page, path, page.stepId),
    csrfToken: formToken(page.ctx, page.browser),
    content,
    ...(hidden !== undefined && { hidden }),
  })

/** What is wrong with the input, by field. */
export interface Faults {
  of(field: string): string | undefined
  /** What is about the page as a whole, or about a field that it does not have. */
  message: AlertOptions | undefined
  failed: boolean
}

/** Sorts the faults into those of the fields that the page shows and the others. */
export const sortFaults = (faults: readonly Fault[], fields: readonly string[]): Faults => {
  const isOf = (field: string | undefined): field is string => field !== undefined && fields.includes(field)
  const general = faults.filter(({ field }) => !isOf(field)).map(({ text }) => text)
  return {
    of: name => faults.find(({ field }) => field === name && isOf(field))?.text,
    message: general.length === 0 ? undefined : { kind: 'error', text: general.join(' '), id: 'message' },
    failed: faults.length > 0,
  }
}

/** The required fields that were left empty. */
export const missingFields = (page: Page, names: readonly string[]): Fault[] =>
  names.filter(name => fieldOf(page.form, name) === '').map(field => ({ field, text: page.texts.fieldRequired }))

/** Runs the work of a form. What is refused comes back to the page that shows it. */
export const orFaults = async (
  page: Page,
  work: () => Promise<Response>,
  show: (faults: Fault[]) => Response | Promise<Response>,
): Promise<Response> => {
  try {
    return await work()
  } catch (error) {
    return show(faultsOf(page.texts, error))
  }
}
