/** What the endpoints that clients call have in common: how a form is read, how answers and errors are sent, CORS. */
import { formTooLarge, invalidRequest, methodNotAllowed } from '../../core/errors/oauth.ts'
import { type Parameters, readParameters } from '../../core/oauth.ts'
import type { FormRequest } from '../../features/authorization/client-authentication.ts'
import type { Context } from '../../features/context.ts'
import { readForm } from '../form.ts'
import { type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { asOAuthError, errorBody } from './errors.ts'

/** Headers of every answer of the authorization server. */
export const answerHeaders = ({
  requestId,
  publicUrl,
}: Pick<Context, 'requestId' | 'publicUrl'>): Record<string, string> => ({
  'x-amz-cognito-request-id': requestId,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000' }),
})

/** Scripts of every origin may call: there are no cookies here, only what the script itself sends. */
const openToAll = { 'access-control-allow-origin': '*' }

const allowedHeaders = 'authorization,cache-control,content-type,x-amz-user-agent'
const allowedHeadersLengthMax = 2_048

/** The preflight answer. The requested headers are allowed when they are names of headers. */
const preflight = (methods: string, requested: string | undefined): Response =>
  new Response(null, {
    status: 200,
    headers: {
      ...openToAll,
      'access-control-allow-methods': methods,
      'access-control-allow-headers':
        requested !== undefined && requested.length <= allowedHeadersLengthMax && /^[\w\-, ]+$/.test(requested)
          ? requested
          : allowedHeaders,
      'access-control-max-age': '7200',
      'content-length': '0',
    },
  })

export interface Endpoint {
  path: string
  methods: readonly ('GET' | 'POST')[]
  /** Whether scripts of browsers may call it. */
  cors: boolean
  answer(ctx: Context, c: RequestContext): Promise<Response>
}

/** Adds the endpoint to the routes. What it throws is answered as JSON, and so is a wrong method. */
export const addEndpoint = (
  routes: Routes,
  options: ContextOptions,
  { path, methods, cors, answer }: Endpoint,
): void => {
  if (cors) {
    const names = [...methods, 'OPTIONS'].join(', ')
    routes.options(path, c => preflight(names, c.req.header('access-control-request-headers')))
  }
  routes.all(path, async c => {
    const ctx = contextOf(c, options)
    for (const [name, value] of Object.entries({ ...answerHeaders(ctx), ...(cors && openToAll) })) c.header(name, value)
    try {
      if (!methods.some(method => method === c.req.method)) {
        c.header('allow', methods.join(', '))
        throw methodNotAllowed()
      }
      return await answer(ctx, c)
    } catch (thrown) {
      const error = asOAuthError(ctx, path, thrown)
      if (error.status === 429) c.header('retry-after', '1')
      return c.json(errorBody(error), error.status)
    }
  })
}

/** @throws OAuthError `invalid_request` for a body that is no form or too large. */
export const formOf = async (c: RequestContext): Promise<Parameters> => {
  const form = await readForm(c)
  if (form === 'too large') throw formTooLarge()
  if (form === 'malformed') throw invalidRequest()
  return readParameters(form)
}

/** Host, client credentials and form of a request. */
export const formRequestOf = async (c: RequestContext): Promise<FormRequest> => ({
  host: c.req.header('host'),
  authorization: c.req.header('authorization'),
  form: await formOf(c),
})
