/** What browsers are told at the endpoints that they come to. */
import { AuthorizationError } from '../../core/errors/oauth.ts'
import { showError } from '../pages/error-page.ts'
import { sendNotice } from '../pages/place.ts'
import type { ContextOptions, RequestContext } from '../request-context.ts'

/** What is refused is told the application, or the user where nobody else may be told. */
export const orErrorPage = async (
  c: RequestContext,
  options: ContextOptions,
  work: () => Promise<Response>,
): Promise<Response> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AuthorizationError)) throw error
    if (error.location !== undefined) return c.redirect(error.location, 302)
    return sendNotice(c, options, place => showError(place, error.message))
  }
}
