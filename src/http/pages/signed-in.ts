/** The page for a browser in which somebody is signed in: go on as the same user, or sign in as another. */
import { sessionForRequest } from '../../features/authorization/single-sign-on.ts'
import { shownName } from '../../features/sign-in/offer.ts'
import type { BrowserSession } from '../../features/tokens/browser-sessions.ts'
import { button, buttonLink, buttons, paragraph, quoted } from './components.ts'
import { returnToApplication } from './finish.ts'
import { html } from './html.ts'
import { type Page, pageForm, pageUrl, sendPage } from './page.ts'
import { fill, fillHtml } from './texts/index.ts'

/**
 * The session that the request can go on with; undefined when there is none.
 * @throws AuthorizationError when the application wants no page
 */
export const sessionOf = ({ c, ctx, request }: Page): Promise<BrowserSession | undefined> =>
  sessionForRequest(ctx, request, c.req.header('cookie'))

export const showSignedIn = (page: Page, { user }: BrowserSession): Response => {
  const { ctx, texts, pool, query } = page
  const name = shownName(pool, user)
  const another = new URLSearchParams(query)
  another.set('prompt', 'login')
  return sendPage(page, {
    heading: texts.signInHeading,
    content: html`${paragraph(fillHtml(texts.signedInAs, { user: quoted(name) }))}${pageForm(
      page,
      '/login',
      buttons(
        button({ label: fill(texts.continueAs, { user: name }), name: 'continue', value: 'true' }),
        buttonLink({
          label: texts.signInAsAnother,
          kind: 'secondary',
          href: pageUrl({ ctx, query: another }, '/login'),
        }),
      ),
    )}`,
  })
}

/** Back to the application as the user who is signed in; undefined when nobody is any more. */
export const continueSession = async (page: Page): Promise<Response | undefined> => {
  const session = await sessionOf(page)
  return session && returnToApplication(page, session)
}
