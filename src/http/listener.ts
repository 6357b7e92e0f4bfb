/**
 * The listener of Node.js' HTTP server. The one POST of the AWS JSON face is answered on Node's own objects, because it
 * carries nearly all traffic and needs the raw headers; everything else goes through the routes of `app.ts`.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import { newUuid } from '../core/ids.ts'
import type { FaceOptions, Routes } from './app.ts'
import { handleAws } from './aws/handler.ts'
import { sourceIpOf } from './request-context.ts'

/** Two megabytes: the largest inputs of the API are branding assets. */
const bodyBytesMax = 2 * 1024 * 1024

/** Answers every request of the server. */
export const createListener = (options: FaceOptions, routes: Routes): RequestListener => {
  const answerOthers = getRequestListener(routes.fetch, { overrideGlobalObjects: false })
  return (incoming, outgoing) => {
    if (hasTwoHosts(incoming)) {
      outgoing.writeHead(400, { connection: 'close' }).end()
      return
    }
    const { path, query } = splitTarget(incoming.url ?? '/')
    if (incoming.method === 'POST' && path === '/') {
      answerAws(options, incoming, outgoing, query).catch(cause => {
        options.services.log.error({ cause }, 'request failed')
        outgoing.destroy()
      })
    } else answerOthers(incoming, outgoing)
  }
}

/** Refused as RFC 9112, section 3.2 demands: a proxy in front may have looked at the other one. Node.js keeps the first. */
const hasTwoHosts = ({ rawHeaders }: IncomingMessage): boolean => {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

const splitTarget = (target: string): { path: string; query: string } => {
  const at = target.indexOf('?')
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) }
}

const answerAws = async (
  options: FaceOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  query: string,
): Promise<void> => {
  const { services, authenticator } = options
  const requestId = newUuid(services.random)
  const body = await readBody(incoming)
  if (body === 'aborted') return
  if (body === 'too large') {
    const headers = { connection: 'close', 'access-control-allow-origin': '*', 'x-amzn-requestid': requestId }
    outgoing.writeHead(413, headers).end()
    return
  }
  const answer = await handleAws(services, authenticator, {
    method: 'POST',
    path: '/',
    query,
    rawHeaders: incoming.rawHeaders,
    body,
    header: name => {
      const value = incoming.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    requestId,
    publicUrl: publicUrlOf(options, incoming),
    sourceIp: sourceIpOf(incoming, services),
  })
  const text = Buffer.from(answer.body)
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': text.length }).end(text)
}

/** The configured URL, or with `auto` the one the request came to. */
const publicUrlOf = (options: FaceOptions, incoming: IncomingMessage): string => {
  const configured = options.publicUrl()
  if (configured !== 'auto') return configured
  const scheme = (incoming.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http'
  const url = `${scheme}://${incoming.headers.host ?? 'localhost'}`
  return URL.canParse(url) ? new URL(url).origin : `${scheme}://localhost`
}

/** The whole body. A body that is too large is not read to its end; the connection is closed after the answer. */
const readBody = (incoming: IncomingMessage): Promise<Buffer | 'too large' | 'aborted'> =>
  new Promise(resolve => {
    if (Number(incoming.headers['content-length']) > bodyBytesMax) return resolve('too large')
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > bodyBytesMax) {
        incoming.pause()
        resolve('too large')
      } else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)))
    incoming.on('error', () => resolve('aborted'))
    incoming.on('close', () => resolve('aborted'))
  })
