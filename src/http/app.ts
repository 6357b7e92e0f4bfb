/**
 * From HTTP to a face: by method and path. Request id, size limit and headers of every answer are here; rules are not.
 */
import type { IncomingMessage } from 'node:http'
import { Hono, type Context as HonoContext } from 'hono'
import { newUuid } from '../core/ids.ts'
import type { Services } from '../features/context.ts'
import { issuerOf } from '../features/settings.ts'
import { findPool } from '../features/user-pools/pool.ts'
import { getSigningKeys, presentJwks } from '../features/user-pools/signing-keys.ts'
import type { Authenticator } from './aws/authentication.ts'
import { preflight } from './aws/cors.ts'
import { type AwsRequest, handleAws } from './aws/handler.ts'
import { type LocalFaceOptions, localFace } from './local.ts'

export interface FaceOptions extends LocalFaceOptions {
  services: Services
  authenticator: Authenticator
  /** Base of issuer and links, without a final slash; `auto` follows the request's Host. */
  publicUrl: () => string
  /** False while the server starts or drains. */
  ready: () => Promise<boolean>
}

/** What @hono/node-server puts beside the request; absent when `fetch` is called without a socket. */
interface Bindings {
  incoming?: IncomingMessage
}

type App = Hono<{ Bindings: Bindings }>
type RequestContext = HonoContext<{ Bindings: Bindings }>

/** Two megabytes: the largest input of the API are branding assets. */
const bodyBytesMax = 2 * 1024 * 1024

export const createFaces = (options: FaceOptions): App => {
  const { services } = options
  const app: App = new Hono()

  app.post('/', async c => {
    const requestId = newUuid(services.random)
    const body = await readBody(c)
    if (body === undefined) {
      return c.body('', 413, { connection: 'close', 'access-control-allow-origin': '*', 'x-amzn-requestid': requestId })
    }
    const answer = await handleAws(services, options.authenticator, awsRequest(c, options, requestId, body))
    return new Response(answer.body, { status: answer.status, headers: answer.headers })
  })
  app.options('/', c => preflight(c.req.header('access-control-request-headers')))

  app.get('/:poolId/.well-known/jwks.json', async c => {
    const pool = await findPool(services, c.req.param('poolId'))
    if (pool === undefined) return c.json({ message: 'User pool not found' }, 404, openToAll)
    return c.json(presentJwks(await getSigningKeys(services, pool)), 200, wellKnown)
  })
  app.get('/:poolId/.well-known/openid-configuration', async c => {
    const pool = await findPool(services, c.req.param('poolId'))
    if (pool === undefined) return c.json({ message: 'User pool not found' }, 404, openToAll)
    const publicUrl = publicUrlOf(c, options)
    return c.json(discovery(issuerOf(services.settings, publicUrl, pool), `${publicUrl}/${pool.id}`), 200, wellKnown)
  })

  app.get('/health', c => c.json({ status: 'ok' }))
  app.get('/ready', async c =>
    (await options.ready()) ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503),
  )
  app.route('/_cenote', localFace(options))

  app.notFound(c => c.json({ message: 'Not found' }, 404))
  app.onError((cause, c) => {
    services.log.error({ path: c.req.path, cause }, 'request failed')
    return c.json({ message: 'Internal error' }, 500)
  })
  return app
}

const openToAll = { 'access-control-allow-origin': '*' }
const wellKnown = { ...openToAll, 'cache-control': 'public, max-age=300' }

/** OpenID Connect Discovery 1.0, the part that holds without a domain. */
const discovery = (issuer: string, base: string) => ({
  issuer,
  jwks_uri: `${base}/.well-known/jwks.json`,
  id_token_signing_alg_values_supported: ['RS256'],
  subject_types_supported: ['public'],
  response_types_supported: ['code', 'token'],
  scopes_supported: ['openid', 'email', 'phone', 'profile'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
})

const awsRequest = (c: RequestContext, options: FaceOptions, requestId: string, body: Uint8Array): AwsRequest => {
  const incoming = c.env?.incoming
  const target = incoming?.url ?? `${c.req.path}${new URL(c.req.url).search}`
  const [path = '/', query = ''] = splitOnce(target, '?')
  return {
    method: c.req.method,
    path,
    query,
    rawHeaders: incoming?.rawHeaders ?? [...c.req.raw.headers].flat(),
    body,
    header: name => c.req.header(name),
    requestId,
    publicUrl: publicUrlOf(c, options),
    sourceIp: incoming?.socket.remoteAddress,
  }
}

const splitOnce = (text: string, separator: string): string[] => {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

const publicUrlOf = (c: RequestContext, options: FaceOptions): string => {
  const configured = options.publicUrl()
  if (configured !== 'auto') return configured
  const url = new URL(c.req.url)
  return `${url.protocol}//${url.host}`
}

/** The whole body, or undefined when it is larger than the limit. */
const readBody = async (c: RequestContext): Promise<Uint8Array | undefined> => {
  const declared = Number(c.req.header('content-length') ?? Number.NaN)
  if (declared > bodyBytesMax) return undefined
  if (declared >= 0) return new Uint8Array(await c.req.arrayBuffer())
  const stream = c.req.raw.body
  if (stream === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.byteLength
    if (length > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
