/**
 * The page behind the links in the mails of threat protection. Opening it changes nothing, because scanners of mail open
 * links as well; the answer is given with a button. The token in the link is all that it needs, so it works on any host.
 */
import { Hono } from 'hono'
import { CognitoError } from '../../core/errors.ts'
import type { Context, Services } from '../../features/context.ts'
import { giveFeedback } from '../../features/threat-protection/feedback.ts'
import { feedbackPath } from '../../features/threat-protection/notification.ts'
import { findPool } from '../../features/user-pools/pool.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext, type Routes } from '../request-context.ts'
import { alert, button, buttons, hiddenFields, paragraph } from './components.ts'
import { pageHeaders } from './headers.ts'
import { html } from './html.ts'
import { type PageOptions, renderPage } from './layout.ts'
import { lookBelow, plainLook } from './look.ts'
import { chooseLanguage, loadLanguage, type Texts } from './texts/index.ts'

const bodyBytesMax = 4_096

/** What the link and the form carry. */
const names = ['userPoolId', 'userName', 'eventId', 'feedbackToken'] as const
type Values = Record<(typeof names)[number], string>

/** The routes below `/eventFeedback`. */
export const eventFeedbackPage = (options: ContextOptions): Routes => {
  const { services } = options
  const send = answer(options)
  const face: Routes = new Hono()
  face.get('/', async c => {
    const values = readValues(c.req.query())
    if (values === undefined) return send(c, 400, somethingWrong)
    const suggestion = c.req.query('feedbackValue') === 'Invalid' ? 'Invalid' : 'Valid'
    return send(c, 200, (texts, ctx) => question(texts, basePath(ctx) + feedbackPath, values, suggestion))
  })
  face.post('/', async c => {
    if (Number(c.req.header('content-length') ?? Number.NaN) > bodyBytesMax) return send(c, 413, somethingWrong)
    const form = new URLSearchParams(await readBody(c))
    const values = readValues(Object.fromEntries(form))
    const value = form.get('feedbackValue')
    if (values === undefined || (value !== 'Valid' && value !== 'Invalid')) return send(c, 400, somethingWrong)
    return (await isRecorded(services, values, value)) ? send(c, 200, thanks) : send(c, 400, somethingWrong)
  })
  return face
}

/** At most as much as the form can have. */
const readBody = async (c: RequestContext): Promise<string> => {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of c.req.raw.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > bodyBytesMax) return ''
  }
  return text
}

const valueLengthMax = 512

const readValues = (given: Readonly<Record<string, string>>): Values | undefined => {
  const values = names.map(name => [name, given[name] ?? ''] as const)
  const isUsable = (value: string) => value !== '' && value.length <= valueLengthMax && value.isWellFormed()
  return values.every(([, value]) => isUsable(value) && !value.includes('\0'))
    ? (Object.fromEntries(values) as Values)
    : undefined
}

const isRecorded = async (services: Services, values: Values, value: 'Valid' | 'Invalid'): Promise<boolean> => {
  const pool = await findPool(services, values.userPoolId)
  if (pool === undefined) return false
  try {
    const { userName: username, eventId, feedbackToken: token } = values
    await giveFeedback(services, pool, { username, eventId, token, value })
    return true
  } catch (error) {
    if (error instanceof CognitoError) return false
    throw error
  }
}

const question = (texts: Texts, action: string, values: Values, suggestion: 'Valid' | 'Invalid'): PageOptions => {
  const answers = [
    ['Valid', texts.feedbackYes],
    ['Invalid', texts.feedbackNo],
  ] as const
  const [first, second] = suggestion === 'Valid' ? answers : answers.toReversed()
  const choice = ([value, label]: readonly [string, string], kind: 'primary' | 'secondary') =>
    button({ label, kind, name: 'feedbackValue', value })
  return {
    heading: texts.feedbackHeading,
    content: [
      paragraph(texts.feedbackQuestion),
      html`<form class="form" method="post" action="${action}">${hiddenFields(values)}${buttons(
        first && choice(first, 'primary'),
        second && choice(second, 'secondary'),
      )}</form>`,
      alert({ kind: 'info', text: texts.feedbackAdvice }),
    ],
  }
}

const thanks = (texts: Texts): PageOptions => ({
  heading: texts.feedbackHeading,
  message: { kind: 'success', text: texts.feedbackThanks },
  content: alert({ kind: 'info', text: texts.feedbackAdvice }),
})

const somethingWrong = (texts: Texts): PageOptions => ({
  heading: texts.somethingWrongHeading,
  message: { kind: 'error', text: texts.errorOnPage },
  content: undefined,
})

const answer =
  (options: ContextOptions) =>
  async (
    c: RequestContext,
    status: 200 | 400 | 413,
    show: (texts: Texts, ctx: Context) => PageOptions,
  ): Promise<Response> => {
    const ctx = contextOf(c, options)
    const language = await loadLanguage(chooseLanguage({ accepted: c.req.header('accept-language') }))
    const page = renderPage({ look: lookBelow(basePath(ctx), plainLook(2)), language }, show(language.texts, ctx))
    // The address holds a token.
    return c.html(page.toString(), status, { ...pageHeaders(ctx), 'referrer-policy': 'no-referrer' })
  }
