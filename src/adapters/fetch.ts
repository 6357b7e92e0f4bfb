/**
 * Calls to servers that others name: identity providers, metadata, webhooks. What such a URL leads to is decided here
 * and nowhere else: https only, public addresses only, unless the host or the network is on the list of the
 * configuration. Addresses are judged when the connection is made, so that a name which changes its address between two
 * look-ups gains nothing.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import {
  type AllowedNetworks,
  addressKind,
  hostOf,
  isAllowedAddress,
  isAllowedHost,
  noNetworks,
} from '../core/network-addresses.ts'
import { type Fetch, FetchFailure, type FetchRequest, type FetchResponse } from '../core/ports.ts'
import { version } from '../version.ts'

const defaultTimeoutMs = 5_000
const defaultBytesMax = 1_048_576
const defaultRedirectsMax = 3
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** What goes along to another origin; anything else may be a credential for the first one. */
const headersForAll = new Set(['accept', 'accept-language', 'user-agent'])

// Connections are used once, and agents of our own never go through a proxy that the environment names.
const httpAgent = new HttpAgent({ keepAlive: false })
const httpsAgent = new HttpsAgent({ keepAlive: false })

/** Looks up all addresses of a host name. */
export type LookupAll = (
  hostname: string,
  options: { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface GuardedFetchOptions {
  networks: AllowedNetworks
  /** The system's resolver by default. */
  lookup?: LookupAll
}

/** Makes the guarded fetch: see the port for what it takes, returns and throws. */
export const guardedFetch =
  ({ networks, lookup = systemLookup }: GuardedFetchOptions): Fetch =>
  async (url, request) => {
    const signal = AbortSignal.timeout(request.timeoutMs ?? defaultTimeoutMs)
    const redirectsMax = (request.method ?? 'GET') === 'GET' ? (request.redirectsMax ?? defaultRedirectsMax) : 0
    let allowed = networks
    let headers = request.headers ?? {}
    let target = readTarget(url, request)
    for (let redirects = 0; ; redirects += 1) {
      const { response, reachedPublic } = await exchange({ target, request, headers, allowed, lookup, signal })
      const location = response.headers['location']
      if (!redirectStatuses.has(response.status) || location === undefined || redirectsMax === 0) return response
      if (redirects === redirectsMax) throw new FetchFailure('redirect', `${request.purpose}: too many redirects`)
      const next = readTarget(location, request, target)
      if (target.protocol === 'https:' && next.protocol !== 'https:') {
        throw new FetchFailure('redirect', `${request.purpose}: a redirect from https to http`)
      }
      // A public server has no say in what of the operator's own network is called.
      if (reachedPublic) allowed = noNetworks
      if (next.origin !== target.origin) {
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => headersForAll.has(name.toLowerCase())))
      }
      target = next
    }
  }

const readTarget = (url: string, { purpose }: FetchRequest, base?: URL): URL => {
  if (!URL.canParse(url, base?.href)) throw new FetchFailure('url', `${purpose}: not a URL`)
  const target = new URL(url, base?.href)
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    throw new FetchFailure('url', `${purpose}: only https is allowed`)
  }
  if (target.username !== '' || target.password !== '') {
    throw new FetchFailure('url', `${purpose}: a URL with credentials in it`)
  }
  return target
}

interface Exchange {
  target: URL
  request: FetchRequest
  headers: Record<string, string>
  allowed: AllowedNetworks
  lookup: LookupAll
  signal: AbortSignal
}

/** One request and its answer; and whether the address was public rather than one that the configuration allows. */
const exchange = (options: Exchange): Promise<{ response: FetchResponse; reachedPublic: boolean }> =>
  new Promise((resolve, reject) => {
    const { target, request, headers, signal, lookup } = options
    const { purpose } = request
    const secure = target.protocol === 'https:'
    const host = hostOf(target)
    const judge = judgeOf(options, host)
    const fail = (error: unknown) => {
      outgoing?.destroy()
      reject(asFailure(purpose, signal, error))
    }
    let outgoing: ClientRequest | undefined
    let reachedPublic = true

    signal.addEventListener('abort', () => fail(signal.reason), { once: true })
    if (signal.aborted) return fail(signal.reason)
    // Node connects to a literal address without looking it up.
    const refusal = isIP(host) === 0 ? undefined : judge(host)
    if (refusal !== undefined) return fail(refusal)
    try {
      outgoing = (secure ? httpsRequest : httpRequest)({
        agent: secure ? httpsAgent : httpAgent,
        method: request.method ?? 'GET',
        host,
        port: target.port === '' ? (secure ? 443 : 80) : Number(target.port),
        path: `${target.pathname}${target.search}`,
        headers: {
          'user-agent': `Cenote/${version}`,
          accept: '*/*',
          ...lowerCased(headers),
          host: target.host,
          'accept-encoding': 'identity',
        },
        lookup: checkedLookup(lookup, judge),
        ...(secure && { rejectUnauthorized: true, minVersion: 'TLSv1.2' as const }),
        ...(secure && isIP(host) === 0 && { servername: host }),
      })
    } catch (error) {
      return fail(error)
    }
    outgoing.on('error', fail)
    outgoing.on('socket', socket =>
      socket.once('connect', () => {
        const address = socket.remoteAddress ?? ''
        reachedPublic = addressKind(address) === 'public' && !isAllowedHost(options.allowed, host)
        const late = judge(address)
        if (late !== undefined) fail(late)
      }),
    )
    outgoing.on('response', incoming => {
      readBody(purpose, incoming, request.bytesMax ?? defaultBytesMax).then(
        body =>
          resolve({
            response: { status: incoming.statusCode ?? 0, headers: headersOf(incoming), body },
            reachedPublic,
          }),
        fail,
      )
    })
    outgoing.end(request.body)
  })

type Judge = (address: string) => FetchFailure | undefined

/** What speaks against an address of the host; undefined when nothing does. Without TLS only listed ones are called. */
const judgeOf =
  ({ target, request: { purpose }, allowed }: Exchange, host: string): Judge =>
  address => {
    if (isAllowedHost(allowed, host) || isAllowedAddress(allowed, address)) return undefined
    const kind = addressKind(address)
    if (kind !== 'public') return new FetchFailure(`${kind}-address`, `${purpose}: the address of the host is ${kind}`)
    return target.protocol === 'https:' ? undefined : new FetchFailure('url', `${purpose}: only https is allowed`)
  }

/** Looks the name up and leaves out the addresses that may not be called. Fails when none is left. */
const checkedLookup =
  (lookup: LookupAll, judge: Judge): LookupFunction =>
  (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const permitted = error === null ? addresses.filter(({ address }) => judge(address) === undefined) : []
      const [first] = permitted
      if (error !== null || first === undefined) {
        const refusal = error ?? judge(addresses[0]?.address ?? '') ?? new Error('The name has no address.')
        callback(refusal, '', 0)
      } else if (options.all) callback(null, permitted)
      else callback(null, first.address, first.family)
    })

/** The whole body. Compressed ones are not asked for and not taken, because they may unfold to any length. */
const readBody = (purpose: string, incoming: IncomingMessage, bytesMax: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const tooLarge = () => {
      incoming.destroy()
      reject(new FetchFailure('too-large', `${purpose}: the answer has more than ${bytesMax} bytes`))
    }
    const encoding = incoming.headers['content-encoding']
    if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
      incoming.destroy()
      reject(new FetchFailure('unreachable', `${purpose}: the answer is compressed`))
      return
    }
    if (Number(incoming.headers['content-length'] ?? 0) > bytesMax) return tooLarge()
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > bytesMax) tooLarge()
      else chunks.push(chunk)
    })
    incoming.on('error', reject)
    incoming.on('end', () => {
      if (incoming.complete) resolve(Buffer.concat(chunks))
      else reject(new FetchFailure('unreachable', `${purpose}: the answer is incomplete`))
    })
  })

const headersOf = (incoming: IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const asFailure = (purpose: string, signal: AbortSignal, error: unknown): FetchFailure => {
  if (error instanceof FetchFailure) return error
  if (signal.aborted) return new FetchFailure('timeout', `${purpose}: no answer in time`, error)
  // Several addresses were tried, and each has an error of its own.
  const errors = error instanceof AggregateError ? error.errors : []
  const refusal = errors.find(one => one instanceof FetchFailure)
  return refusal ?? new FetchFailure('unreachable', `${purpose}: the server cannot be reached`, error)
}
