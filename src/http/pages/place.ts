/** Where a request for a page belongs: pool and client, the look of the pages there, and the language. */
import { getCookie, setCookie } from 'hono/cookie'
import { type PoolOfRequest, poolOfRequest } from '../../features/authorization/pool-of-request.ts'
import type { Context } from '../../features/context.ts'
import { basePath, type ContextOptions, contextOf, type RequestContext } from '../request-context.ts'
import { isSecure } from './browser.ts'
import { type Look, lookBelow, lookOf, plainLook } from './look.ts'
import type { Place } from './page.ts'
import { chooseLanguage, findLanguage, loadLanguage } from './texts/index.ts'

/** A place with what led there. */
export interface Located {
  place: Place
  at: PoolOfRequest | undefined
  search: URLSearchParams
  /** Whether the client has pages at all. */
  hasPages: boolean
}

/** Finds the place of a request. The pool decides the region, and the client is what triggers are told of. */
export const locate = async (c: RequestContext, options: ContextOptions): Promise<Located> => {
  const general = contextOf(c, options)
  const search = new URL(c.req.url).searchParams
  const at = await poolOfRequest(general, c.req.header('host'), search.get('client_id') ?? undefined)
  const ctx = at === undefined ? general : { ...general, region: at.pool.region, caller: { clientId: at.client?.id } }
  const look = await findLook(ctx, at)
  const place = await placeOf(c, ctx, search, lookBelow(basePath(ctx), look ?? plainLook(at?.managedLoginVersion ?? 2)))
  return { place, at, search, hasPages: look !== undefined }
}

/** Shows a page that belongs to no step of the pages, such as what an endpoint has to tell the user. */
export const sendNotice = async (
  c: RequestContext,
  options: ContextOptions,
  show: (place: Place) => Response,
): Promise<Response> => show((await locate(c, options)).place)

/** Undefined when the client has no pages. On a host that is no pool's domain, it has them without a style as well. */
const findLook = async (ctx: Context, at: PoolOfRequest | undefined): Promise<Look | undefined> => {
  if (at?.client === undefined) return undefined
  const { pool, client, managedLoginVersion, domain } = at
  const look = await lookOf(ctx, pool, client, managedLoginVersion)
  return look ?? (domain === undefined ? plainLook(managedLoginVersion) : undefined)
}

const placeOf = async (c: RequestContext, ctx: Context, search: URLSearchParams, look: Look): Promise<Place> => {
  const language = await loadLanguage(languageOf(c, ctx, look, search))
  const languageHref = (tag: string): string => {
    const parameters = new URLSearchParams(search)
    parameters.set('lang', tag)
    return `?${parameters}`
  }
  return { c, ctx, frame: { look, language, languageHref }, texts: language.texts }
}

const languageCookie = 'lang'

/** The classic pages are English. A language that is asked for is kept for the pages that follow. */
const languageOf = (c: RequestContext, ctx: Context, { kind }: Look, search: URLSearchParams): string => {
  if (kind === 'classic') return 'en'
  const parameter = search.get('lang') ?? undefined
  const asked = parameter === undefined ? undefined : findLanguage(parameter)
  if (asked !== undefined) {
    setCookie(c, languageCookie, asked, { path: '/', sameSite: 'Lax', httpOnly: true, secure: isSecure(ctx) })
  }
  return chooseLanguage({ parameter, cookie: getCookie(c, languageCookie), accepted: c.req.header('accept-language') })
}
