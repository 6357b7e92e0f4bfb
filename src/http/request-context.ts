/** What the features are told of an HTTP request that came by the routes. */
import type { IncomingMessage } from 'node:http'
import type { Hono, Context as HonoContext } from 'hono'
import { clientAddress } from '../core/forwarded-for.ts'
import { newUuid } from '../core/ids.ts'
import type { Context, Services } from '../features/context.ts'

/** What @hono/node-server puts beside the request; absent when `fetch` is called without a socket. */
export interface Bindings {
  incoming?: IncomingMessage
}

export type Routes = Hono<{ Bindings: Bindings }>
export type RequestContext = HonoContext<{ Bindings: Bindings }>

/** The form of a pool's id in a path; anything else is not looked up. */
export const poolPath = '/:poolId{[\\w-]{1,45}_[0-9A-Za-z]{1,9}}'

export interface ContextOptions {
  services: Services
  /** Base of issuer and links, without a final slash; `auto` follows the request's Host. */
  publicUrl: () => string
}

/** The context of the request. The pool that it turns out to be for decides the region. */
export const contextOf = (c: RequestContext, options: ContextOptions): Context => ({
  ...options.services,
  requestId: newUuid(options.services.random),
  region: options.services.settings.region,
  publicUrl: publicUrlOf(c, options),
  sourceIp: sourceIpOf(c.env?.incoming, options.services),
  userAgent: c.req.header('user-agent'),
})

/** The address that the request came from, past the proxies of the configuration; undefined without a socket. */
export const sourceIpOf = (
  incoming: IncomingMessage | undefined,
  { settings }: Pick<Services, 'settings'>,
): string | undefined => {
  const forwardedFor = incoming?.headers['x-forwarded-for']
  const header = Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor
  return clientAddress(incoming?.socket.remoteAddress, header, settings.trustedProxies)
}

/** The configured URL, or with `auto` the one that the request came to. */
export const publicUrlOf = (c: RequestContext, options: Pick<ContextOptions, 'publicUrl'>): string => {
  const configured = options.publicUrl()
  if (configured !== 'auto') return configured
  const url = new URL(c.req.url)
  return `${url.protocol}//${url.host}`
}

/** The path under which a proxy shows the server, without a final slash; the host stays the one that was asked. */
export const basePath = ({ publicUrl }: Pick<Context, 'publicUrl'>): string =>
  new URL(publicUrl).pathname.replace(/\/$/, '')
