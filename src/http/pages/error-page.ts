/** Pages that say that something does not work. */
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { buttonLink, buttons, paragraph } from './components.ts'
import { type Page, type Place, pageUrl, sendPage } from './page.ts'

/** A page with a message and nothing to do. */
export const showProblem = (place: Place, text: string, status: ContentfulStatusCode = 400): Response =>
  sendPage(
    place,
    {
      heading: place.texts.somethingWrongHeading,
      message: { kind: 'error', text },
      failed: true,
      content: undefined,
    },
    status,
  )

/** The end of a session, when the browser has nowhere to go on to. */
export const showSignedOut = (place: Place): Response =>
  sendPage(place, { heading: place.texts.signedOutHeading, content: paragraph(place.texts.signedOut) })

/** What is wrong with a request of which only the user may learn. `detail` is a message of this server. */
export const showError = (place: Place, detail: string | undefined): Response => {
  const { errorOnPage } = place.texts
  return showProblem(place, detail === undefined ? errorOnPage : `${errorOnPage} ${detail}`)
}

/**
 * The message in the address of the error page, if it is one of this server: the address could be anybody's, and so could
 * what it says.
 */
export const knownError = (error: string | null): string | undefined =>
  error !== null && known.test(error) ? error : undefined

const known =
  /^(?:redirect_mismatch|Client does not exist\.|Required String parameter '[a-z_]{1,40}' is not present|Parameter '[a-z_]{1,40}' must not be repeated|Login option is not available\. Please try another one)$/

/** A sign-in that has ended, or a form that was made in another browser: it begins anew. */
export const showSessionOver = (page: Page, status: 400 | 403 = 400): Response => {
  const { texts } = page
  return sendPage(
    page,
    {
      heading: texts.somethingWrongHeading,
      failed: true,
      content: [
        paragraph(texts.sessionEnded),
        buttons(buttonLink({ label: texts.startAgain, href: pageUrl(page, '/login') })),
      ],
    },
    status,
  )
}
