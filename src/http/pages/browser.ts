/**
 * The browser behind a request. A random value in a cookie tells browsers apart; the tokens in forms and the steps between
 * pages hang on it. It says nothing about who is signed in.
 */
import { getCookie, setCookie } from 'hono/cookie'
import type { Context } from '../../features/context.ts'
import type { RequestContext } from '../request-context.ts'

const cookie = 'cenote-browser'
const valueBytes = 18
const valueForm = /^[\w-]{24}$/
const purpose = 'page-form'

/** The value of the browser's cookie, which is set when there is none. */
export const browserOf = (c: RequestContext, ctx: Context): string => {
  const secure = isSecure(ctx)
  const known = secure ? getCookie(c, cookie, 'host') : getCookie(c, cookie)
  if (known !== undefined && valueForm.test(known)) return known
  const fresh = ctx.random.bytes(valueBytes).toString('base64url')
  setCookie(c, cookie, fresh, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    ...(secure && { secure: true, prefix: 'host' }),
  })
  return fresh
}

/** Whether browsers come by https, so that cookies can be bound to it. */
export const isSecure = (ctx: Pick<Context, 'publicUrl'>): boolean => ctx.publicUrl.startsWith('https:')

/** The token that a form of this browser carries. */
export const formToken = (ctx: Context, browser: string): string => ctx.seal.digest(purpose, browser)

export const isFormToken = (ctx: Context, browser: string, token: string): boolean =>
  ctx.seal.matches(purpose, browser, token)

/**
 * Whether a form was sent from a page of this server, as far as the browser tells: by Sec-Fetch-Site, which scripts cannot
 * set, or else by Origin. One of them must be there.
 */
export const isFromOwnPage = (c: RequestContext, ctx: Pick<Context, 'publicUrl'>): boolean => {
  const origin = c.req.header('origin')
  const site = c.req.header('sec-fetch-site')
  // Under the referrer policy of the pages the origin of their own forms is hidden.
  const isHidden = origin === undefined || origin === 'null'
  if (site !== undefined) return site === 'same-origin' && (isHidden || isOwnOrigin(c, ctx, origin))
  return !isHidden && isOwnOrigin(c, ctx, origin)
}

/** The origin of the configured URL, or of the host that the request was sent to. */
const isOwnOrigin = (c: RequestContext, { publicUrl }: Pick<Context, 'publicUrl'>, origin: string): boolean => {
  if (!URL.canParse(origin)) return false
  const { host, protocol } = new URL(origin)
  const base = new URL(publicUrl)
  return protocol === base.protocol && (host === base.host || host === c.req.header('host')?.toLowerCase())
}
