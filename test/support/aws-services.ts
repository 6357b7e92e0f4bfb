/** Servers that stand in for services of AWS: they verify the signature of each request and keep what was asked. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isCognitoError } from '../../src/core/errors.ts'
import { type SignedRequest, verifySignature } from '../../src/core/sigv4.ts'

export interface AwsRequest {
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** The access key that has signed, and for which region. */
  signer: { accessKeyId: string; region: string }
}

export interface AwsAnswer {
  status?: number
  headers?: Record<string, string>
  body?: string
}

export interface AwsServer extends AsyncDisposable {
  url: string
  /** Those with a valid signature, the oldest first. */
  requests: AwsRequest[]
}

export interface AwsServerOptions {
  /** The name of the service in signatures. */
  service: string
  /** Secrets by access key id. */
  keys: Readonly<Record<string, string>>
  /** The time of this server; the system's when absent. */
  now?: () => number
  answer: (request: AwsRequest) => AwsAnswer | Promise<AwsAnswer>
}

/** Answers on loopback. A request with a wrong signature is answered with 403. */
export const startAwsServer = async ({ service, keys, now, answer }: AwsServerOptions): Promise<AwsServer> => {
  const requests: AwsRequest[] = []
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const [path = '', query = ''] = (incoming.url ?? '').split('?')
    const signed = { method: incoming.method ?? '', path, query, rawHeaders: incoming.rawHeaders, body }
    const signer = signerOf(signed, { service, keys, now: (now ?? Date.now)() })
    if (signer === undefined) {
      outgoing.writeHead(403, { 'x-amzn-errortype': 'InvalidSignatureException' }).end()
      return
    }
    const request = { path, headers: incoming.headers, body: body.toString('utf8'), signer }
    requests.push(request)
    const { status = 200, headers = {}, body: answered = '' } = await answer(request)
    outgoing.writeHead(status, headers).end(answered)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () => close(server),
  }
}

const signerOf = (
  request: SignedRequest,
  { service, keys, now }: { service: string; keys: Readonly<Record<string, string>>; now: number },
): AwsRequest['signer'] | undefined => {
  let found: string | undefined
  const findKey = (id: string) => {
    const secret = keys[id]
    if (secret !== undefined) found = id
    return secret === undefined ? undefined : { secret }
  }
  try {
    return verifySignature(request, { findKey, now, service, mode: 'verify' })
  } catch (error) {
    // The verifier knows no session tokens and says so when everything else about a signature is right.
    if (!isCognitoError(error, 'UnrecognizedClientException') || found === undefined) return undefined
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headerOf(request, 'authorization'))?.[1] ?? ''
    return { accessKeyId: found, region }
  }
}

const headerOf = ({ rawHeaders }: SignedRequest, name: string): string => {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return rawHeaders[at + 1] ?? ''
}

const close = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
