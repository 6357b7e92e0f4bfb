/**
 * `/_cenote`: the outbox, and in test mode the clock and the reset. The outbox is open in local mode; when access keys
 * are configured it wants a signature like the operations that AWS signs.
 */
import type { IncomingMessage } from 'node:http'
import { Hono, type Context as HonoContext } from 'hono'
import { CognitoError } from '../core/errors.ts'
import { parseDuration } from '../core/iso-duration.ts'
import type { Services } from '../features/context.ts'
import { listMessages } from '../features/messages/outbox.ts'
import type { Authenticator } from './aws/authentication.ts'
import { statusOf } from './aws/errors.ts'

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

type Bindings = { Bindings: { incoming?: IncomingMessage } }

export const localFace = (options: LocalFaceOptions): Hono<Bindings> => {
  const { services, testControls } = options
  const face = new Hono<Bindings>()
  face.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
    if (!options.local) {
      const body = new Uint8Array(await c.req.arrayBuffer())
      const caller = options.authenticator.authenticate({ auth: 'sigv4' }, rawRequest(c, body))
      // The outbox spans all pools and holds codes: a key that is restricted to some pools does not read it.
      caller.authorize('cenote:ListMessages', '*', {
        sourceIp: c.env?.incoming?.socket.remoteAddress,
        now: services.clock.now(),
      })
    }
    await next()
  })
  face.onError((error, c) => {
    if (error instanceof CognitoError) return c.json({ __type: error.name, message: error.message }, statusOf(error))
    throw error
  })

  face.get('/messages', async c => {
    const { to, username, userPoolId } = c.req.query()
    return c.json(await listMessages(services, { to, username, userPoolId }))
  })

  if (testControls !== undefined) {
    face.post('/clock', async c => {
      const { advance } = await c.req.json<{ advance?: unknown }>().catch(() => ({ advance: undefined }))
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
