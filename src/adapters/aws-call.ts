/** Calls of services of AWS, or of servers that speak like them, signed where there are credentials. */
import { hostOf, parseNetworks } from '../core/network-addresses.ts'
import { type Clock, DeliveryFailure, type Fetch, FetchFailure, type FetchResponse } from '../core/ports.ts'
import { type Credentials, signatureHeaders } from '../core/sigv4-sign.ts'
import { guardedFetch } from './fetch.ts'

/** A service as the configuration names it. */
export interface AwsService {
  /** Undefined: the service's own endpoint in the region. */
  endpoint?: string | undefined
  /** Undefined: the region of what is asked for. */
  region?: string | undefined
  /** Requests are not signed without. */
  credentials?: Credentials | undefined
}

export interface AwsCall {
  /** In a word or two, for errors. */
  purpose: string
  /** First part of the service's host name, for example `email`. */
  host: string
  /** Name of the service in signatures, for example `ses`. */
  service: string
  region: string
  /** With a slash in front. */
  path?: string
  headers: Readonly<Record<string, string>>
  body: string
  credentials?: Credentials | undefined
}

/** Posts to the service. @throws FetchFailure when there is no answer. */
export const awsCaller = ({ endpoint }: AwsService, clock: Clock) => {
  const toEndpoint = endpoint === undefined ? undefined : fetchFrom(endpoint)
  return ({
    purpose,
    host,
    service,
    region,
    path = '/',
    headers,
    body,
    credentials,
  }: AwsCall): Promise<FetchResponse> => {
    const base = endpoint?.replace(/\/+$/, '') ?? `https://${host}.${region}.${domainOf(region)}`
    const url = new URL(`${base}${path}`)
    const signed =
      credentials === undefined
        ? headers
        : signatureHeaders(credentials, { method: 'POST', url, headers, body, region, service, now: clock.now() })
    return (toEndpoint ?? toPublic)(url.href, { purpose, method: 'POST', headers: signed, body })
  }
}

const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com')

const toPublic = guardedFetch({ networks: parseNetworks([]) })

/** Reaches the host of the URL, which the operator has named, whatever its address, and no other that is not public. */
export const fetchFrom = (url: string): Fetch => guardedFetch({ networks: parseNetworks([hostOf(new URL(url))]) })

/** The name that an error's header or member begins with; what follows a colon or precedes a hash is no part of it. */
export const errorNameIn = (text = ''): string => /^(?:[\w.]{1,64}#)?(\w{1,64})/.exec(text)?.[1] ?? 'no known error'

/** A try that nobody answered is one that may succeed later. */
export const asDeliveryFailure = (error: unknown): unknown =>
  error instanceof FetchFailure ? new DeliveryFailure('unavailable', error.message) : error

/** What AWS answers to a caller whose own credentials are at fault, which whoever runs this server can mend. */
const callersFaults = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])

/** Whether the same request may be answered otherwise later. */
export const isTemporary = (status: number, error: string): boolean =>
  status >= 500 || status === 429 || error.startsWith('Throttl') || callersFaults.has(error)
