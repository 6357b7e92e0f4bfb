/**
 * `/passkeys/add`: a user who is signed in adds a passkey, and goes back to the application. Applications send users here,
 * and the pages do so themselves after a sign-up.
 */
import { withParameters } from '../../core/oauth.ts'
import { findBrowserSession } from '../../features/authorization/single-sign-on.ts'
import { countRequest } from '../../features/limits.ts'
import { parseCredential } from '../../features/passkeys/credential-json.ts'
import { completeRegistration, type Registrant, startRegistration } from '../../features/passkeys/registration.ts'
import type { BrowserSession } from '../../features/tokens/browser-sessions.ts'
import { withPasskeyAfter } from './after-sign-in.ts'
import { button, buttons, paragraph } from './components.ts'
import { showProblem } from './error-page.ts'
import { type Fault, faultsOf } from './faults.ts'
import { returnToApplication } from './finish.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { orFaults, type Page, pageForm, pageUrl, redirectTo, seeOther, sendPage, sortFaults } from './page.ts'
import { passkeyPrompt, passkeysWorkHere } from './passkey.ts'
import { passkeyScriptPath } from './passkey-script.ts'

const path = '/passkeys/add'

/** After a sign-up a passkey is offered once, where users can have one. */
export const offeringPasskey = async (page: Page): Promise<Page> =>
  page.managed && (await passkeysWorkHere(page)) ? withPasskeyAfter(page) : page

export const showAddPasskey = async (page: Page): Promise<Response> => {
  if (!page.managed) return showProblem(page, page.texts.pageNotFound, 404)
  const session = await sessionOf(page)
  return session === undefined ? seeOther(page, pageUrl(withPasskeyAfter(page), '/login')) : showPrompt(page, session)
}

export const takeAddPasskey = async (page: Page): Promise<Response> => {
  if (!page.managed) return showProblem(page, page.texts.pageNotFound, 404)
  const session = await sessionOf(page)
  if (session === undefined) return seeOther(page, pageUrl(withPasskeyAfter(page), '/login'))
  if (page.form.has('skip')) return leave(page, session)
  return orFaults(
    page,
    async () => {
      await countRequest(page.ctx, 'CompleteWebAuthnRegistration', { ClientId: page.client.id })
      await completeRegistration(
        page.ctx,
        registrantOf(page, session),
        parseCredential(fieldOf(page.form, 'credential')),
      )
      return leave(page, session)
    },
    faults => showPrompt(page, session, faults),
  )
}

/** Whoever is signed in here, however long ago: the sign-in is not what the application waits for. */
const sessionOf = ({ c, ctx, pool, client }: Page): Promise<BrowserSession | undefined> =>
  findBrowserSession(ctx, pool, client, c.req.header('cookie'))

const registrantOf = ({ pool, client }: Page, { id, user }: BrowserSession): Registrant => ({
  pool,
  user,
  client,
  session: id,
})

const showPrompt = async (page: Page, session: BrowserSession, given: readonly Fault[] = []): Promise<Response> => {
  const { texts } = page
  const [options, refused] = await begin(page, session)
  const { message, failed } = sortFaults([...given, ...refused], [])
  return sendPage(page, {
    heading: texts.addPasskeyHeading,
    ...(message && { message }),
    failed,
    script: passkeyScriptPath,
    content: html`${paragraph(texts.addPasskeyHint)}${pageForm(page, path, [
      options !== undefined &&
        passkeyPrompt(texts, { kind: 'create', options, label: texts.addPasskey, isImmediate: false }),
      buttons(button({ label: texts.notNow, kind: 'secondary', name: 'skip', value: 'true' })),
    ])}`,
  })
}

/** What the browser is asked for, or why the user can have no passkey. */
const begin = async (page: Page, session: BrowserSession): Promise<[string | undefined, Fault[]]> => {
  try {
    await countRequest(page.ctx, 'StartWebAuthnRegistration', { ClientId: page.client.id })
    return [JSON.stringify(await startRegistration(page.ctx, registrantOf(page, session))), []]
  } catch (error) {
    return [undefined, faultsOf(page.texts, error)]
  }
}

/** Back to the application: with an answer where it has asked for one. */
const leave = (page: Page, session: BrowserSession): Promise<Response> | Response => {
  const { request, query } = page
  if (query.has('response_type')) return returnToApplication(page, session)
  return redirectTo(page, withParameters(request.redirectUri, { state: request.state }))
}
