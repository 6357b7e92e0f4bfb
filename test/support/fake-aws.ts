/**
 * A server that stands for services of AWS: it takes requests that are signed with a key it knows, as AWS's own signer
 * signs them, and keeps them.
 */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'

export interface AwsRequest {
  service: string
  region: string
  method: string
  path: string
  headers: Record<string, string>
  body: string
}

export type AwsAnswer = { status?: number; body?: string | object }

export interface FakeAws {
  url: string
  requests: AwsRequest[]
  /** What to answer; 200 with an empty object by default. */
  answer: (request: AwsRequest) => AwsAnswer
  close(): Promise<void>
}

export const fakeCredentials = { id: 'AKIDLOGS', secret: 'a-secret-of-this-test', sessionToken: 'session' }

export const startFakeAws = async (): Promise<FakeAws> => {
  const server = createServer(async (incoming, outgoing) => {
    const { status = 200, body = {} } = await take(incoming).catch((error: Error) => ({
      status: 403,
      body: error.message,
    }))
    outgoing.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const take = async (incoming: IncomingMessage): Promise<AwsAnswer> => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const request = await verified(incoming, Buffer.concat(chunks).toString('utf8'))
    fake.requests.push(request)
    return fake.answer(request)
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: () => ({}),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

/** The request, when its signature is the one that AWS's signer gives it. */
const verified = async (incoming: IncomingMessage, body: string): Promise<AwsRequest> => {
  const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
  const { authorization = '', host = '' } = headers
  const [, signedNames = ''] = /SignedHeaders=([^,]+)/.exec(authorization) ?? []
  const [, region = '', service = ''] = /\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(authorization) ?? []
  const names = signedNames.split(';')
  for (const name of Object.keys(headers)) {
    assert.ok(!name.startsWith('x-amz-') || names.includes(name), `${name} is not signed`)
  }
  const path = incoming.url ?? ''
  const signer = new SignatureV4({
    service,
    region,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    applyChecksum: service === 's3',
    credentials: {
      accessKeyId: fakeCredentials.id,
      secretAccessKey: fakeCredentials.secret,
      sessionToken: fakeCredentials.sessionToken,
    },
  })
  const signed = await signer.sign(
    {
      method: incoming.method ?? '',
      protocol: 'http:',
      hostname: host.split(':')[0] ?? '',
      port: Number(host.split(':')[1]),
      path,
      query: {},
      headers: Object.fromEntries(names.map(name => [name, headers[name] ?? ''])),
      body,
    },
    { signingDate: dateOf(headers['x-amz-date'] ?? ''), signableHeaders: new Set(names) },
  )
  assert.equal(authorization, signed.headers['authorization'])
  return { service, region, method: incoming.method ?? '', path, headers, body }
}

const dateOf = (text: string): Date =>
  new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
