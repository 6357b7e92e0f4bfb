/** Requests below the SDK: any bytes under any headers, over a kept-alive connection or a bare socket. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { operations } from '../../src/contract/model.ts'
import type { OperationName } from '../../src/contract/types.ts'

export const targetPrefix = 'AWSCognitoIdentityProviderService.'
export const jsonType = 'application/x-amz-json-1.1'

/** A signature that is written correctly and proves nothing; enough for a server without access keys. */
export const signatureForm =
  'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=00'

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** `__type` and `message` of a JSON body; empty when there are none. */
  type: string
  message: string
}

export interface Wire {
  /** Sends the body to the operation, signed in form where the operation is signed. Text and bytes go out as they are. */
  call(operation: string, body: unknown, headers?: OutgoingHttpHeaders): Promise<Answer>
  /** Sends any request. */
  send(options: {
    method?: string
    path?: string
    headers?: OutgoingHttpHeaders
    body?: string | Buffer
  }): Promise<Answer>
  close(): void
}

/** A client of the server at this URL. Close it. */
export const createWire = (url: string): Wire => {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const { hostname, port } = new URL(url)
  const send: Wire['send'] = ({ method = 'POST', path = '/', headers = {}, body = '' }) =>
    new Promise((resolve, reject) => {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      const outgoing = request(
        { agent, host: hostname, port, method, path, headers: { ...present(headers), 'content-length': bytes.length } },
        incoming => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, ...readError(text) })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(bytes)
    })
  return {
    send,
    call: (operation, body, headers = {}) =>
      send({
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        headers: {
          'content-type': jsonType,
          'x-amz-target': `${targetPrefix}${operation}`,
          ...(isSigned(operation) && { authorization: signatureForm }),
          ...headers,
        },
      }),
    close: () => agent.destroy(),
  }
}

/** A header that is undefined is left out. */
const present = (headers: OutgoingHttpHeaders): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))

const isSigned = (operation: string): boolean =>
  Object.hasOwn(operations, operation) && operations[operation as OperationName].auth === 'sigv4'

const readError = (text: string): { type: string; message: string } => {
  const none = { type: '', message: '' }
  if (!text.startsWith('{')) return none
  try {
    const { __type: type = '', message = '' } = JSON.parse(text) as { __type?: string; message?: string }
    return { type, message }
  } catch {
    return none
  }
}

export interface Exchange {
  /** All that the server sent. */
  text: string
  /** True when the server ended the connection. */
  closed: boolean
  /** Status of each answer, in order. */
  statuses: number[]
}

export interface ExchangeOptions {
  /** Reading ends when nothing has come for so long; two seconds by default. */
  quietMs?: number
  /** Reading ends when so many answers have begun to come and 50 ms more have passed. */
  answers?: number
}

/**
 * Writes the pieces to a bare socket and reads until the server closes it or nothing more comes. Each piece waits for
 * the one before to be written, and a number waits that many milliseconds.
 */
export const exchange = (
  url: string,
  pieces: (string | Buffer | number)[],
  { quietMs = 2_000, answers = Number.POSITIVE_INFINITY }: ExchangeOptions = {},
): Promise<Exchange> =>
  new Promise(resolve => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    let text = ''
    let closed = false
    let writing = true
    let timer: NodeJS.Timeout | undefined
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed, statuses: statusesIn(text) })
    }
    const rest = () => {
      clearTimeout(timer)
      if (!writing) timer = setTimeout(finish, statusesIn(text).length < answers ? quietMs : 50)
    }
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      rest()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      closed = true
      finish()
    })
    const write = async () => {
      for (const piece of pieces) {
        if (closed) return
        if (typeof piece === 'number') await new Promise(go => setTimeout(go, piece))
        else await new Promise(go => (socket.write(piece, go) ? undefined : socket.once('close', go)))
      }
      writing = false
      rest()
    }
    void write()
  })

const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.[01] (\d{3}) [A-Z]/g)].map(([, code]) => Number(code))

/** The bytes of a well-formed request for an operation, for a bare socket. */
export const rawRequest = (operation: string, body: string, headers: string[] = []): string =>
  [
    'POST / HTTP/1.1',
    'Host: localhost',
    `Content-Type: ${jsonType}`,
    `X-Amz-Target: ${targetPrefix}${operation}`,
    ...(isSigned(operation) ? [`Authorization: ${signatureForm}`] : []),
    ...headers,
    ...(headers.some(header => /^(content-length|transfer-encoding)/i.test(header))
      ? []
      : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n')
