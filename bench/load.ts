/** A closed loop of requests over keep-alive connections, bounded in time. The client's own CPU is not counted. */
import { Agent, request } from 'node:http'
import { cpuSeconds, type Server } from './processes.ts'

export const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** One call of the AWS JSON API; resolves to the parsed answer, rejects when the server refuses. */
export const call = <Answer = Record<string, unknown>>(
  server: Server,
  operation: string,
  input: object,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify(input)
    const outgoing = request(
      server.url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'content-length': Buffer.byteLength(body),
          'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
          'x-amz-date': '20260101T000000Z',
          authorization:
            'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/cognito-idp/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, ' +
            `Signature=${'0'.repeat(64)}`,
        },
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          if (response.statusCode === 200) resolve((text === '' ? {} : JSON.parse(text)) as Answer)
          else reject(new Error(`${server.name} ${operation}: ${response.statusCode} ${text.slice(0, 300)}`))
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })

export interface Measured {
  perSecond: number
  /** Milliseconds of the server's CPU for one operation. */
  cpuMs: number
  p50Ms: number
  p99Ms: number
}

export interface LoadOptions {
  seconds?: number
  connections?: number
  warmUp?: number
}

/** Runs the operation over and over, each connection one at a time. `index` counts the calls. */
export const measure = async (
  server: Server,
  operation: (index: number) => Promise<unknown>,
  { seconds = 4, connections = 8, warmUp = 0.5 }: LoadOptions = {},
): Promise<Measured> => {
  let index = 0
  const run = async (untilMs: number, times?: number[]) => {
    const worker = async () => {
      while (performance.now() < untilMs) {
        const begun = performance.now()
        await operation(index++)
        times?.push(performance.now() - begun)
      }
    }
    await Promise.all(Array.from({ length: connections }, worker))
  }
  await run(performance.now() + warmUp * 1_000)
  const times: number[] = []
  const cpuBefore = cpuSeconds(server.pid)
  const begun = performance.now()
  await run(begun + seconds * 1_000, times)
  const elapsed = (performance.now() - begun) / 1_000
  const cpu = cpuSeconds(server.pid) - cpuBefore
  times.sort((a, b) => a - b)
  return {
    perSecond: times.length / elapsed,
    cpuMs: (cpu * 1_000) / times.length,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? Number.NaN,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN,
  }
}
