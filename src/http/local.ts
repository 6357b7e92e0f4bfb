/**
 * `/_cenote`: the outbox, the logs of user imports, and in test mode the clock and the reset. All of it is open in local
 * mode; when access keys are configured it wants a signature like the operations that AWS signs.
 */
import type { IncomingMessage } from 'node:http'
import { Hono, type Context as HonoContext } from 'hono'
import { CognitoError } from '../core/errors.ts'
import { parseDuration } from '../core/iso-duration.ts'
import type { Services } from '../features/context.ts'
import { listMessages } from '../features/messages/outbox.ts'
import { getImportJob } from '../features/user-import/jobs.ts'
import { readImportLog } from '../features/user-import/work.ts'
import type { Authenticator } from './aws/authentication.ts'
import { statusOf } from './aws/errors.ts'
import { sourceIpOf } from './request-context.ts'

export interface LocalFaceOptions {
  services: Services
  authenticator: Authenticator
  /** True when no access keys are configured. */
  local: boolean
  /** Present in test mode only. */
  testControls: TestControls | undefined
}

export interface TestControls {
  /** Moves the clock forward. */
  advance(ms: number): void
  /** Empties everything and sets the clock back. */
  reset(): Promise<void>
}

const bodyBytesMax = 65_536
const hangUp = { connection: 'close' }

type Bindings = { Bindings: { incoming?: IncomingMessage } }

export const localFace = (options: LocalFaceOptions): Hono<Bindings> => {
  const { services, testControls } = options
  const face = new Hono<Bindings>()
  face.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
    // Before the caller is known, nothing of any size is read on his behalf.
    if (c.req.header('transfer-encoding') !== undefined)
      return c.json({ message: 'Content-Length is missing' }, 411, hangUp)
    if (Number(c.req.header('content-length') ?? 0) > bodyBytesMax)
      return c.json({ message: 'Body too large' }, 413, hangUp)
    if (!options.local) {
      const body = new Uint8Array(await c.req.arrayBuffer())
      const caller = options.authenticator.authenticate({ auth: 'sigv4' }, rawRequest(c, body))
      // The outbox spans all pools and holds codes: a key that is restricted to some pools does not read it.
      caller.authorize('cenote:ListMessages', '*', {
        sourceIp: sourceIpOf(c.env?.incoming, services),
        now: services.clock.now(),
      })
    }
    return next()
  })
  face.onError((error, c) => {
    if (error instanceof CognitoError) return c.json({ __type: error.name, message: error.message }, statusOf(error))
    throw error
  })

  face.get('/messages', async c => {
    const { to, username, userPoolId } = c.req.query()
    if ([to, username, userPoolId].some(text => text?.includes('\0'))) return c.json([])
    return c.json(await listMessages(services, { to, username, userPoolId }))
  })

  face.get('/user-import/:poolId/:jobId/log', async c => {
    const { poolId, jobId } = c.req.param()
    const job = await getImportJob(services, poolId, jobId)
    const text = ReadableStream.from(readImportLog(services, job.id)).pipeThrough(new TextEncoderStream())
    return c.body(text, 200, { 'content-type': 'text/plain; charset=utf-8' })
  })

  if (testControls !== undefined) {
    face.post('/clock', async c => {
      const body = await c.req.json<{ advance?: unknown } | null>().catch(() => null)
      const advance = body?.advance
      const ms = typeof advance === 'string' || typeof advance === 'number' ? parseDuration(advance) : undefined
      if (ms === undefined) {
        return c.json({ message: 'Send {"advance": "PT1H"}: an ISO 8601 duration or a number of seconds.' }, 400)
      }
      testControls.advance(ms)
      return c.json({ now: new Date(services.clock.now()).toISOString() })
    })
    face.post('/reset', async c => {
      await testControls.reset()
      return c.json({ now: new Date(services.clock.now()).toISOString() })
    })
  }
  return face
}

const rawRequest = (c: HonoContext<Bindings>, body: Uint8Array) => {
  const target = c.env?.incoming?.url ?? c.req.url.slice(new URL(c.req.url).origin.length)
  const at = target.indexOf('?')
  return {
    method: c.req.method,
    path: at < 0 ? target : target.slice(0, at),
    query: at < 0 ? '' : target.slice(at + 1),
    rawHeaders: c.env?.incoming?.rawHeaders ?? [...c.req.raw.headers].flat(),
    body,
  }
}
