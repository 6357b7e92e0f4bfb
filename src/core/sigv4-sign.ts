/** Signing requests to AWS with Signature Version 4; its verification is in `sigv4.ts`. */
import { createHmac, hash } from 'node:crypto'

export interface Credentials {
  id: string
  secret: string
  /** Of temporary credentials. */
  sessionToken?: string | undefined
}

export interface RequestToSign {
  method: string
  /** Without query; its path is encoded as it will be sent. */
  url: URL
  /** Those that the signature must cover, all that begin with `x-amz-` among them; names in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
  region: string
  service: string
  /** Milliseconds since the epoch. */
  now: number
}

/** The given headers and those that sign the request: to be sent with it, beside a Host that is the URL's. */
export const signatureHeaders = (
  { id, secret, sessionToken }: Credentials,
  { method, url, headers, body, region, service, now }: RequestToSign,
): Record<string, string> => {
  const signedAt = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = signedAt.slice(0, 8)
  const sent = {
    ...headers,
    'x-amz-date': signedAt,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const signed: Record<string, string> = { host: url.host, ...sent }
  const names = Object.keys(signed).sort()
  // For all services but S3 the path is encoded once more than it already is.
  const path = url.pathname.split('/').map(percentEncode).join('/')
  const canonical = [
    method,
    path,
    '',
    ...names.map(name => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    hash('sha256', body, 'hex'),
  ].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const key = ['aws4_request', service, region, date].reduceRight<Buffer | string>(
    (secretSoFar, part) => createHmac('sha256', secretSoFar).update(part).digest(),
    `AWS4${secret}`,
  )
  const text = ['AWS4-HMAC-SHA256', signedAt, scope, hash('sha256', canonical, 'hex')].join('\n')
  const signature = createHmac('sha256', key).update(text).digest('hex')
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

/** RFC 3986: everything but unreserved characters. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
