/** From HTTP to a face: by method and path. The POST of the AWS JSON face stands in `listener.ts`. */
import { Hono } from 'hono'
import type { Services } from '../features/context.ts'
import { findUiImage } from '../features/managed-login/ui-customization.ts'
import { feedbackPath } from '../features/threat-protection/notification.ts'
import type { Authenticator } from './aws/authentication.ts'
import { preflight } from './aws/cors.ts'
import { addDomainLimits } from './domain-limits.ts'
import { type LocalFaceOptions, localFace } from './local.ts'
import { addOAuth } from './oauth/routes.ts'
import { pageAssets } from './pages/assets.ts'
import { eventFeedbackPage } from './pages/event-feedback.ts'
import { addPages } from './pages/face.ts'
import { poolPath, type Routes } from './request-context.ts'
import { putImportFile } from './user-import.ts'

export interface FaceOptions extends LocalFaceOptions {
  services: Services
  authenticator: Authenticator
  /** Base of issuer and links, without a final slash; `auto` follows the request's Host. */
  publicUrl: () => string
  /** False while the server starts or drains. */
  ready: () => Promise<boolean>
}

export type { Routes } from './request-context.ts'

export const createFaces = (options: FaceOptions): Routes => {
  const { services } = options
  const app: Routes = new Hono()

  app.use(async (c, next) => {
    if (isDisguised(c.env?.incoming?.url ?? c.req.path)) return c.json({ message: 'Not found' }, 404)
    return next()
  })

  app.options('/', c => preflight(c.req.header('access-control-request-headers')))

  app.get(`${poolPath}/:target/:version/assets/images/image.jpg`, async c => {
    const { poolId = '', target = '', version = '' } = c.req.param()
    const image =
      target.length > 128 || version.length > 20 ? undefined : await findUiImage(services, poolId, target, version)
    if (image === undefined) return c.json({ message: 'Not found' }, 404)
    return c.body(Buffer.from(image.bytes), 200, {
      'content-type': image.contentType,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      ...openToAll,
    })
  })

  app.route('/pages', pageAssets(services))
  addDomainLimits(app, options)
  addOAuth(app, options)
  addPages(app, options)
  app.route(feedbackPath, eventFeedbackPage(options))

  app.get('/health', c => c.json({ status: 'ok' }))
  app.get('/ready', async c =>
    (await options.ready()) ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503),
  )
  // Before the local face: the signed URL is all that an upload needs.
  app.put('/_cenote/user-import/:poolId/:jobId', c => putImportFile(c, services))
  app.route('/_cenote', localFace(options))

  app.notFound(c => c.json({ message: 'Not found' }, 404))
  app.onError((cause, c) => {
    if (c.env?.incoming?.complete === false) {
      services.log.debug({ path: c.req.path }, 'the client went away within its request')
      return c.body(null, 400)
    }
    services.log.error({ path: c.req.path, cause }, 'request failed')
    return c.json({ message: 'Internal error' }, 500)
  })
  return app
}

const openToAll = { 'access-control-allow-origin': '*' }

/**
 * True for a target that routes may read as another path than the one that was sent: absolute form, empty or dot
 * segments, backslashes, and letters, digits and the like in percent-encoding (RFC 3986, section 6.2.2). Routes must mean
 * what a proxy before them saw, and no client has a reason to write one.
 */
const isDisguised = (target: string): boolean => {
  const path = target.split('?', 1)[0] ?? ''
  return !path.startsWith('/') || /\/\/|\\|%5c|\/\.{1,2}(?:\/|$)/i.test(path) || encodedUnreserved.test(path)
}

/** `-` `.` `0-9` `A-Z` `a-z` `_` `~` */
const encodedUnreserved = /%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i
