/**
 * The page of devices without a browser (RFC 8628, section 3.3): the user enters the code that the device shows, signs in, and
 * decides. The decision is asked for in so many words, because the code may have come from somebody else.
 */
import { decideDeviceGrant, findDeviceGrant } from '../../features/authorization/device-grants.ts'
import { offers } from '../../features/authorization/offers.ts'
import { shownName } from '../../features/sign-in/offer.ts'
import { basePath, type ContextOptions, contextOf, type Routes } from '../request-context.ts'
import { button, buttons, field, paragraph, quoted } from './components.ts'
import { showProblem, showSessionOver } from './error-page.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { type Page, type Place, pageForm, pageUrl, seeOther, sendPage } from './page.ts'
import { sendNotice } from './place.ts'
import { sessionOf } from './signed-in.ts'
import { fillHtml } from './texts/index.ts'

/**
 * The way to the page: a code names its client, which every page of a sign-in has in its address. Without the extension there
 * is no such page.
 */
export const addDeviceEntry = (routes: Routes, options: ContextOptions): void => {
  routes.get('/device', async (c, next) => {
    const ctx = contextOf(c, options)
    const { searchParams } = new URL(c.req.url)
    if (!offers(ctx, 'device-grant') || searchParams.has('client_id')) return next()
    const userCode = searchParams.get('user_code')
    const grant = userCode === null ? undefined : await findDeviceGrant(ctx, userCode)
    if (grant === undefined) return sendNotice(c, options, place => askForCode(place, userCode))
    const onwards = new URLSearchParams({ client_id: grant.client.id, user_code: grant.userCode })
    const lang = searchParams.get('lang')
    if (lang !== null) onwards.set('lang', lang)
    return seeOther({ c, ctx }, `${basePath(ctx)}/device?${onwards}`)
  })
}

const codeLengthMax = 32

/** The field for the code; with the code that was entered, when it is none. */
const askForCode = (place: Place, entered: string | null): Response => {
  const { texts, ctx } = place
  return sendPage(place, {
    heading: texts.deviceHeading,
    failed: entered !== null,
    content: html`${paragraph(texts.deviceHint)}<form class="form" method="get" action="${basePath(ctx)}/device">${field(
      {
        name: 'user_code',
        label: texts.deviceCode,
        value: entered?.slice(0, codeLengthMax),
        error: entered === null ? undefined : texts.deviceCodeInvalid,
        maxLength: codeLengthMax,
        autofocus: true,
      },
    )}${buttons(button({ label: texts.continue }))}</form>`,
  })
}

export const showDevice = async (page: Page): Promise<Response> => {
  const { texts, request } = page
  if (request.userCode === undefined) return showProblem(page, texts.pageNotFound, 404)
  const session = await sessionOf(page)
  if (session === undefined) return seeOther(page, pageUrl(page, '/login'))
  const question = fillHtml(texts.deviceQuestion, {
    code: quoted(request.userCode),
    application: quoted(page.client.name),
    user: quoted(shownName(page.pool, session.user)),
  })
  return sendPage(page, {
    heading: texts.deviceHeading,
    content: html`${paragraph(question)}${pageForm(
      page,
      '/device',
      buttons(
        button({ label: texts.deviceAllow, name: 'decision', value: 'allow' }),
        button({ label: texts.deviceDeny, kind: 'secondary', name: 'decision', value: 'deny' }),
      ),
    )}`,
  })
}

export const takeDevice = async (page: Page): Promise<Response> => {
  const { ctx, texts, client, request, form } = page
  const decision = fieldOf(form, 'decision') === 'allow' ? 'allow' : 'deny'
  const session = await sessionOf(page)
  const { userCode } = request
  if (session === undefined || userCode === undefined) return showSessionOver(page)
  const decided = await decideDeviceGrant(ctx, { userCode, client }, session, decision)
  if (!decided) return showProblem(page, texts.deviceCodeInvalid)
  const text = decision === 'allow' ? texts.deviceAllowed : texts.deviceDenied
  return sendPage(page, { heading: texts.deviceHeading, content: paragraph(text) })
}
