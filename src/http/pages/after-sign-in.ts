/** What may come between a sign-in and the application: a passkey, which the address of the page asks for. */
import { type Page, pageUrl, seeOther } from './page.ts'

const parameter = '_add_passkey'

/** The page, whose address leads on to the page that adds a passkey. */
export const withPasskeyAfter = (page: Page): Page => {
  const query = new URLSearchParams(page.query)
  query.set(parameter, 'true')
  query.set('response_type', page.request.responseType)
  return { ...page, query }
}

/** The way to the page that adds a passkey, when the sign-in that has just ended was to lead there. */
export const leadToPasskey = (page: Page): Response | undefined => {
  if (!page.managed || !page.query.has(parameter)) return undefined
  const query = new URLSearchParams(page.query)
  query.delete(parameter)
  return seeOther(page, pageUrl({ ctx: page.ctx, query }, '/passkeys/add'))
}
