import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { CognitoError } from './errors.ts'
import { findClaimedSigner, type SignedRequest, type VerifyOptions, verifySignature } from './sigv4.ts'

// ---------------------------------------------------------------------------------------------- the client's side

const accessKeyId = 'AKIDEXAMPLE'
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const otherId = 'AKIDOTHER'
const otherSecret = 'another-secret-of-another-access-key'
const now = Date.UTC(2026, 10, 20, 12, 0, 0)

interface Draft {
  method: string
  path: string
  query: Record<string, string | string[]>
  headers: Record<string, string>
  body: string
}

interface SignOptions extends Partial<Draft> {
  accessKeyId?: string
  secret?: string
  sessionToken?: string
  region?: string
  service?: string
  at?: number
  unsignableHeaders?: string[]
  expiresIn?: number
}

const listUsers: Draft = {
  method: 'POST',
  path: '/',
  query: {},
  headers: {
    host: 'localhost:9229',
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AWSCognitoIdentityProviderService.ListUsers',
    'x-amz-user-agent': 'aws-sdk-js/3.1169.0',
  },
  body: '{"UserPoolId":"us-east-1_abcdefghi"}',
}

const signerOf = (options: SignOptions): SignatureV4 =>
  new SignatureV4({
    credentials: {
      accessKeyId: options.accessKeyId ?? accessKeyId,
      secretAccessKey: options.secret ?? secret,
      ...(options.sessionToken !== undefined && { sessionToken: options.sessionToken }),
    },
    region: options.region ?? 'us-east-1',
    service: options.service ?? 'cognito-idp',
    sha256: Sha256,
  })

const draftOf = (options: SignOptions) => ({
  method: options.method ?? listUsers.method,
  protocol: 'http:',
  hostname: 'localhost',
  path: options.path ?? listUsers.path,
  query: { ...listUsers.query, ...options.query },
  headers: { ...listUsers.headers, ...options.headers },
  body: options.body ?? listUsers.body,
})

/** A request with an Authorization header, signed by the signer of the AWS SDK. */
const signed = async (options: SignOptions = {}): Promise<SignedRequest> =>
  onTheWire(
    await signerOf(options).sign(draftOf(options), {
      signingDate: new Date(options.at ?? now),
      unsignableHeaders: new Set(options.unsignableHeaders),
    }),
  )

/** A pre-signed request; all x-amz-* headers but the target travel in the query. */
const presigned = async (options: SignOptions = {}): Promise<SignedRequest> =>
  onTheWire(
    await signerOf(options).presign(draftOf(options), {
      signingDate: new Date(options.at ?? now),
      expiresIn: options.expiresIn ?? 60,
      unhoistableHeaders: new Set(['x-amz-target']),
    }),
  )

const onTheWire = (request: {
  method: string
  path: string
  query?: Record<string, string | string[] | null>
  headers: Record<string, string>
  body?: string
}): SignedRequest => ({
  method: request.method,
  path: request.path,
  query: Object.entries(request.query ?? {})
    .flatMap(([name, value]) => [value ?? ''].flat().map(item => `${escapeUri(name)}=${escapeUri(item)}`))
    .join('&'),
  rawHeaders: Object.entries(request.headers).flatMap(([name, value]) => [name, asBytes(value)]),
  body: Buffer.from(request.body ?? ''),
})

const escapeUri = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** One character a byte, as Node reads headers. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1')

const headersOf = (request: SignedRequest): [string, string][] =>
  request.rawHeaders.flatMap((name, index, all) =>
    index % 2 === 0 ? [[name, all[index + 1] ?? ''] as [string, string]] : [],
  )

const withHeaders = (
  request: SignedRequest,
  change: (headers: [string, string][]) => [string, string][],
): SignedRequest => ({ ...request, rawHeaders: change(headersOf(request)).flat() })

const setHeader = (request: SignedRequest, name: string, value: string): SignedRequest =>
  withHeaders(request, headers => [...headers.filter(([present]) => present.toLowerCase() !== name), [name, value]])

const addHeader = (request: SignedRequest, name: string, value: string): SignedRequest =>
  withHeaders(request, headers => [...headers, [name, value]])

const headerOf = (request: SignedRequest, name: string): string =>
  headersOf(request).find(([present]) => present.toLowerCase() === name)?.[1] ?? ''

const changeAuthorization = (request: SignedRequest, change: (value: string) => string): SignedRequest =>
  setHeader(request, 'authorization', change(headerOf(request, 'authorization')))

// ---------------------------------------------------------------------------------------------- the server's side

const keys = new Map([
  [accessKeyId, { secret }],
  [otherId, { secret: otherSecret }],
])

const verify = (request: SignedRequest, options: Partial<VerifyOptions> = {}) =>
  verifySignature(request, { findKey: id => keys.get(id), now, service: 'cognito-idp', mode: 'verify', ...options })

const accepted = { accessKeyId, region: 'us-east-1' }

const refuses = (request: SignedRequest, name: string, message?: string | RegExp, options?: Partial<VerifyOptions>) =>
  assert.throws(
    () => verify(request, options),
    (error: unknown) => {
      assert.ok(error instanceof CognitoError, String(error))
      assert.equal(error.name, name, error.message)
      if (typeof message === 'string') assert.equal(error.message, message)
      if (message instanceof RegExp) assert.match(error.message, message)
      return true
    },
  )

const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
const invalidToken = 'The security token included in the request is invalid.'
const refusals = new Set([
  'MissingAuthenticationTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'UnrecognizedClientException',
])

/** Numbers in [0, 1) that repeat with the seed (mulberry32). */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}

// ---------------------------------------------------------------------------------------------- vectors

describe('the signing test suite of AWS', () => {
  const unreserved = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const vanilla = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'
  const form = 'application/x-www-form-urlencoded'
  const vectors: {
    name: string
    target: string
    signature: string
    method?: string
    headers?: [string, string][]
    signedHeaders?: string
    body?: string
    service?: string
    host?: string
  }[] = [
    { name: 'get-vanilla', target: '/', signature: vanilla },
    { name: 'get-vanilla without a path', target: '', signature: vanilla },
    {
      name: 'get-vanilla-query',
      target: '/?Param1=value1',
      signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
    },
    {
      name: 'get-vanilla-query-order-key-case',
      target: '/?Param2=value2&Param1=value1',
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    },
    {
      name: 'get-vanilla-query-order-key',
      target: '/?Param1=value2&Param1=value1',
      signature: '5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694',
    },
    {
      name: 'get-vanilla-query-order-value',
      target: '/?Param1=value2&Param1=Value1',
      signature: 'eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1',
    },
    {
      name: 'get-vanilla-query-unreserved',
      target: `/?${unreserved}=${unreserved}`,
      signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    },
    {
      name: 'get-vanilla-utf8-query',
      target: asBytes('/?ሴ=bar'),
      signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
    },
    {
      name: 'get-vanilla-utf8-query, escaped',
      target: '/?%E1%88%b4=bar',
      signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
    },
    {
      name: 'get-unreserved',
      target: `/${unreserved}`,
      signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
    },
    {
      name: 'get-utf8',
      target: asBytes('/ሴ'),
      signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
    },
    { name: 'get-relative', target: '/example/..', signature: vanilla },
    { name: 'get-relative-relative', target: '/example1/example2/../..', signature: vanilla },
    { name: 'get-slash', target: '//', signature: vanilla },
    { name: 'get-slash-dot-slash', target: '/./', signature: vanilla },
    {
      name: 'get-slash-pointless-dot',
      target: '/./example',
      signature: 'ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5',
    },
    {
      name: 'get-slashes',
      target: '//example//',
      signature: '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
    },
    {
      name: 'get-header-key-duplicate',
      target: '/',
      headers: [
        ['My-Header1', 'value2'],
        ['My-Header1', 'value2'],
        ['My-Header1', 'value1'],
      ],
      signedHeaders: 'host;my-header1;x-amz-date',
      signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
    },
    {
      name: 'get-header-value-order',
      target: '/',
      headers: ['value4', 'value1', 'value3', 'value2'].map(value => ['My-Header1', value]),
      signedHeaders: 'host;my-header1;x-amz-date',
      signature: '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
    },
    {
      name: 'get-header-value-trim',
      target: '/',
      headers: [
        ['My-Header1', ' value1'],
        ['My-Header2', ' "a   b   c" '],
      ],
      signedHeaders: 'host;my-header1;my-header2;x-amz-date',
      signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    },
    {
      name: 'post-vanilla',
      method: 'POST',
      target: '/',
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    },
    {
      name: 'post-vanilla-query',
      method: 'POST',
      target: '/?Param1=value1',
      signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
    },
    {
      name: 'post-header-key-case',
      method: 'POST',
      target: '/',
      headers: [['MY-HEADER1', 'value1']],
      signedHeaders: 'host;my-header1;x-amz-date',
      signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
    },
    {
      name: 'post-header-value-case',
      method: 'POST',
      target: '/',
      headers: [['My-Header1', 'VALUE1']],
      signedHeaders: 'host;my-header1;x-amz-date',
      signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
    },
    {
      name: 'post-x-www-form-urlencoded',
      method: 'POST',
      target: '/',
      headers: [['Content-Type', form]],
      signedHeaders: 'content-type;host;x-amz-date',
      body: 'Param1=value1',
      signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    },
    {
      name: 'post-x-www-form-urlencoded-parameters',
      method: 'POST',
      target: '/',
      headers: [['Content-Type', `${form}; charset=utf8`]],
      signedHeaders: 'content-type;host;x-amz-date',
      body: 'Param1=value1',
      signature: '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
    },
    {
      name: 'the worked example of the IAM manual',
      service: 'iam',
      host: 'iam.amazonaws.com',
      target: '/?Action=ListUsers&Version=2010-05-08',
      headers: [['Content-Type', `${form}; charset=utf-8`]],
      signedHeaders: 'content-type;host;x-amz-date',
      signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    },
  ]

  const requestOf = (vector: (typeof vectors)[number]): SignedRequest => {
    const [path = '', ...query] = vector.target.split('?')
    const authorization = [
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20150830/us-east-1/${vector.service ?? 'service'}/aws4_request`,
      `SignedHeaders=${vector.signedHeaders ?? 'host;x-amz-date'}`,
      `Signature=${vector.signature}`,
    ].join(', ')
    return {
      method: vector.method ?? 'GET',
      path,
      query: query.join('?'),
      rawHeaders: [
        ...['Host', vector.host ?? 'example.amazonaws.com', 'X-Amz-Date', '20150830T123600Z'],
        ...(vector.headers ?? []).flat(),
        ...['Authorization', authorization],
      ],
      body: Buffer.from(vector.body ?? ''),
    }
  }
  const then = Date.UTC(2015, 7, 30, 12, 36, 0)

  for (const vector of vectors) {
    test(`${vector.name} verifies, and with another signature does not`, () => {
      const options = { now: then, service: vector.service ?? 'service' }
      assert.deepEqual(verify(requestOf(vector), options), accepted)
      const flipped = vector.signature.replace(/^./, digit => (digit === '0' ? '1' : '0'))
      refuses(requestOf({ ...vector, signature: flipped }), 'InvalidSignatureException', mismatch, options)
    })
  }

  test('post-sts-header-before has a right signature, and its session token is refused all the same', () => {
    const vector = {
      name: 'post-sts-header-before',
      method: 'POST',
      target: '/',
      headers: [
        [
          'X-Amz-Security-Token',
          'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==',
        ] as [string, string],
      ],
      signedHeaders: 'host;x-amz-date;x-amz-security-token',
      signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
    }
    const options = { now: then, service: 'service' }
    refuses(requestOf(vector), 'UnrecognizedClientException', invalidToken, options)
    refuses(
      requestOf({ ...vector, signature: `1${vector.signature.slice(1)}` }),
      'InvalidSignatureException',
      mismatch,
      options,
    )
  })
})

// ---------------------------------------------------------------------------------------------- the SDK's signer

describe('requests of the AWS SDK', () => {
  test('a signed request says who signed and for which region', async () => {
    assert.deepEqual(verify(await signed()), accepted)
    assert.deepEqual(verify(await signed({ accessKeyId: otherId, secret: otherSecret, region: 'eu-central-1' })), {
      accessKeyId: otherId,
      region: 'eu-central-1',
    })
  })

  test('the content type may be left unsigned, as the SDKs for PHP and JavaScript 2 do', async () => {
    const request = await signed({ unsignableHeaders: ['content-type'] })
    assert.ok(!headerOf(request, 'authorization').includes('content-type'))
    assert.deepEqual(verify(request), accepted)
  })

  test('a request without a payload hash header verifies, because the body is hashed here', async () => {
    const request = await signed({ unsignableHeaders: ['x-amz-content-sha256'] })
    assert.deepEqual(
      verify(withHeaders(request, headers => headers.filter(([name]) => name !== 'x-amz-content-sha256'))),
      accepted,
    )
  })

  test('parameters of the Authorization header may stand in any order and without blanks', async () => {
    const request = await signed()
    const reorder = (separator: string) => (value: string) => {
      const [algorithm, ...parameters] = value.split(/,? /)
      return `${algorithm} ${parameters.reverse().join(separator)}`
    }
    assert.deepEqual(verify(changeAuthorization(request, reorder(','))), accepted)
    assert.deepEqual(verify(changeAuthorization(request, reorder(', \t '))), accepted)
  })

  test('any headers, paths, queries and bodies verify as signed, and not when a part is swapped', async () => {
    const random = seeded(1)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
    const alphabet = [...'abcXYZ019-_.~ /%+&=:;,?#\'"()*!@$[]{}|\\^`<>é水😀']
    const text = (max: number) => Array.from({ length: Math.floor(random() * max) }, () => pick(alphabet)).join('')
    const segment = () => pick(['a', 'users', '.', '..', '', 'a%20b', '%2F', 'c+d', 'e;f'])
    for (let round = 0; round < 200; round += 1) {
      const draft = {
        method: pick(['GET', 'POST', 'PUT']),
        path: `/${Array.from({ length: Math.floor(random() * 5) }, segment).join('/')}`,
        query: Object.fromEntries(
          Array.from({ length: Math.floor(random() * 4) }, () => [`k${text(6)}`, pick([text(9), [text(9), text(9)]])]),
        ),
        headers: { 'x-amz-extra': ` ${text(20)}  end`, 'my-header': `start\t${text(20)} ` },
        body: text(50),
      }
      const request = await signed(draft)
      assert.deepEqual(verify(request), accepted, JSON.stringify(draft))
      const other = pick<Partial<SignedRequest>>([
        { method: `${request.method}S` },
        { path: `${request.path}/more` },
        { query: `${request.query}&more` },
        { body: Buffer.from(`${draft.body}.`) },
        setHeader(request, 'x-amz-extra', 'other'),
        setHeader(request, 'my-header', 'other'),
      ])
      refuses({ ...request, ...other }, 'InvalidSignatureException')
    }
  })

  test('a pre-signed request verifies with its body', async () => {
    const request = await presigned()
    assert.match(request.query, /X-Amz-Signature=/)
    assert.deepEqual(verify(request), accepted)
    refuses({ ...request, body: Buffer.from('{}') }, 'InvalidSignatureException', mismatch)
  })

  test('the same request is accepted again while it is fresh, and never later', async () => {
    const request = await signed()
    assert.deepEqual(verify(request, { now: now + 10_000 }), accepted)
    assert.deepEqual(verify(request, { now: now + 10_000 }), accepted)
    refuses(request, 'InvalidSignatureException', /^Signature expired: /, { now: now + 6 * 60_000 })
  })
})

// ---------------------------------------------------------------------------------------------- attacks

describe('the body', () => {
  test('a single flipped bit is refused', async () => {
    const random = seeded(2)
    const request = await signed()
    const bare = withHeaders(await signed({ unsignableHeaders: ['x-amz-content-sha256'] }), headers =>
      headers.filter(([name]) => name !== 'x-amz-content-sha256'),
    )
    for (let round = 0; round < 200; round += 1) {
      const body = Buffer.from(request.body)
      const index = Math.floor(random() * body.length)
      body[index] = (body[index] ?? 0) ^ (1 << Math.floor(random() * 8))
      refuses({ ...request, body }, 'InvalidSignatureException', mismatch)
      refuses({ ...bare, body }, 'InvalidSignatureException', mismatch)
    }
    assert.deepEqual(verify(request), accepted)
    assert.deepEqual(verify(bare), accepted)
  })

  const otherHash = createHash('sha256').update('other').digest('hex')
  const declared = [
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    otherHash,
    '',
  ]
  for (const value of declared) {
    test(`a signed payload hash of '${value}' is refused`, async () => {
      const request = await signed({ headers: { 'x-amz-content-sha256': value } })
      assert.equal(headerOf(request, 'x-amz-content-sha256'), value)
      refuses(request, 'InvalidSignatureException', mismatch)
      refuses(await presigned({ headers: { 'x-amz-content-sha256': value } }), 'InvalidSignatureException', mismatch)
    })
  }

  test('the right payload hash is accepted in both forms', async () => {
    const headers = { 'x-amz-content-sha256': createHash('sha256').update(listUsers.body).digest('hex') }
    assert.deepEqual(verify(await signed({ headers })), accepted)
    assert.deepEqual(verify(await presigned({ headers })), accepted)
  })
})

describe('the signed headers', () => {
  const mustBeSigned = (name: string) => `'${name}' must be a 'SignedHeader' in the AWS Authorization.`

  test('an operation that is not signed cannot be exchanged', async () => {
    const request = await signed({ unsignableHeaders: ['x-amz-target'] })
    const target = 'AWSCognitoIdentityProviderService.AdminDeleteUser'
    refuses(setHeader(request, 'x-amz-target', target), 'InvalidSignatureException', mustBeSigned('x-amz-target'))
    refuses(request, 'InvalidSignatureException', mustBeSigned('x-amz-target'))
    refuses(setHeader(await signed(), 'x-amz-target', target), 'InvalidSignatureException', mismatch)
  })

  test('every x-amz header of the request must be signed', async () => {
    const request = await signed()
    refuses(addHeader(request, 'X-Amz-More', '1'), 'InvalidSignatureException', mustBeSigned('x-amz-more'))
    refuses(addHeader(await presigned(), 'X-Amz-More', '1'), 'InvalidSignatureException', mustBeSigned('x-amz-more'))
    assert.deepEqual(verify(addHeader(request, 'X-Amzn-Trace-Id', 'Root=1')), accepted)
    assert.deepEqual(verify(addHeader(request, 'User-Agent', 'any')), accepted)
  })

  test('the host must be there, signed and the one that was signed', async () => {
    const host = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    const request = await signed()
    refuses(await signed({ unsignableHeaders: ['host'] }), 'InvalidSignatureException', host)
    refuses(
      withHeaders(request, headers => headers.filter(([name]) => name !== 'host')),
      'InvalidSignatureException',
      host,
    )
    refuses(setHeader(request, 'host', 'localhost:9230'), 'InvalidSignatureException', mismatch)
  })

  test('a header that is signed but absent is refused, even when it was signed as empty', async () => {
    const request = await signed({ headers: { 'my-header': '' } })
    assert.deepEqual(verify(request), accepted)
    refuses(
      withHeaders(request, headers => headers.filter(([name]) => name !== 'my-header')),
      'InvalidSignatureException',
      mismatch,
    )
  })

  for (const name of [
    'Authorization',
    'Host',
    'Content-Type',
    'X-Amz-Date',
    'X-Amz-Target',
    'X-Amz-Content-Sha256',
    'X-Amz-User-Agent',
  ]) {
    test(`a second ${name} header is refused, before and behind the first, equal or not`, async () => {
      const request = await signed()
      const message = `The request must not contain '${name.toLowerCase()}' more than once.`
      for (const value of [headerOf(request, name.toLowerCase()), 'other']) {
        refuses(addHeader(request, name, value), 'IncompleteSignatureException', message)
        refuses(
          withHeaders(request, headers => [[name, value], ...headers]),
          'IncompleteSignatureException',
          message,
        )
      }
    })
  }

  const lists: [string, (list: string) => string][] = [
    ['unsorted', list => list.split(';').reverse().join(';')],
    ['with a repetition', list => `host;${list}`],
    ['with an adjacent repetition', list => list.replace('host', 'host;host')],
    ['with an empty name', list => list.replace(';', ';;')],
    ['with an empty name at the end', list => `${list};`],
    ['in upper case', list => list.toUpperCase().replace('HOST', 'host')],
    ['with a header more', list => `a;${list}`],
    ['with a blank', list => list.replace(';x', '; x')],
    ['with 500 names', list => [...Array.from({ length: 500 }, (_, index) => `a${1000 + index}`), list].join(';')],
    ['with a name of an inherited property', list => `__proto__;${list}`],
  ]
  for (const [name, change] of lists) {
    test(`a list ${name} is refused`, async () => {
      const request = changeAuthorization(await signed(), value =>
        value.replace(/SignedHeaders=([^,]*)/, (_, list: string) => `SignedHeaders=${change(list)}`),
      )
      refuses(request, 'InvalidSignatureException', mismatch)
    })
  }

  test('100 signed headers are accepted, 101 are not', async () => {
    const extra = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`my-header-${index}`, 'x']))
    const own = headerOf(await signed(), 'authorization').split(';').length
    assert.deepEqual(verify(await signed({ headers: extra(100 - own) })), accepted)
    refuses(await signed({ headers: extra(101 - own) }), 'InvalidSignatureException', mismatch)
  })

  test('only blanks within a value are folded', async () => {
    const request = await signed({ headers: { 'my-header': 'a b' } })
    assert.deepEqual(verify(setHeader(request, 'my-header', ' a \t  b ')), accepted)
    for (const value of ['ab', 'a\u00a0b', 'a\nb', 'a b\0', 'a b,', 'A b']) {
      refuses(setHeader(request, 'my-header', value), 'InvalidSignatureException', mismatch)
    }
  })
})

describe('what a careless signer could sign', () => {
  const date = '20261120T120000Z'
  const scope = '20261120/us-east-1/cognito-idp/aws4_request'
  const payloadHash = createHash('sha256').update('{}').digest('hex')

  /** A request whose signature is right for its canonical request, whatever stands in that. */
  const handSigned = async (headers: [string, string][], signedHeaders: string): Promise<SignedRequest> => {
    const all = new Map([['host', 'localhost'], ['x-amz-date', date], ...headers])
    const canonical = [
      'POST',
      '/',
      '',
      ...signedHeaders.split(';').map(name => `${name}:${all.get(name) ?? ''}`),
      '',
      signedHeaders,
      payloadHash,
    ].join('\n')
    const hashed = createHash('sha256').update(canonical).digest('hex')
    const signature = await signerOf({}).sign(['AWS4-HMAC-SHA256', date, scope, hashed].join('\n'), {
      signingDate: new Date(now),
    })
    const credential = `Credential=${accessKeyId}/${scope}`
    const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`
    return {
      method: 'POST',
      path: '/',
      query: '',
      rawHeaders: [...[...all].flat(), 'authorization', authorization],
      body: Buffer.from('{}'),
    }
  }

  test('a plain request is accepted', async () => {
    assert.deepEqual(verify(await handSigned([], 'host;x-amz-date')), accepted)
    assert.deepEqual(verify(await handSigned([['my-header', 'a b']], 'host;my-header;x-amz-date')), accepted)
  })

  for (const list of ['x-amz-date;host', 'host;host;x-amz-date', 'host;x-amz-date;absent', 'absent;host;x-amz-date']) {
    test(`the list ${list} is refused although its signature is right`, async () => {
      refuses(await handSigned([], list), 'InvalidSignatureException', mismatch)
    })
  }

  test('a line break within a value is refused although its signature is right', async () => {
    for (const value of ['a\nb', 'a\rb', 'a\0b']) {
      refuses(
        await handSigned([['my-header', value]], 'host;my-header;x-amz-date'),
        'InvalidSignatureException',
        mismatch,
      )
    }
  })

  test('a payload hash that is not that of the body is refused although the signature is right', async () => {
    const name = 'x-amz-content-sha256'
    const list = `host;${name};x-amz-date`
    assert.deepEqual(verify(await handSigned([[name, payloadHash]], list)), accepted)
    for (const value of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', payloadHash.toUpperCase(), '']) {
      refuses(await handSigned([[name, value]], list), 'InvalidSignatureException', mismatch)
    }
  })
})

describe('the time', () => {
  const minutes = (count: number) => now + count * 60_000
  for (const at of [minutes(-4.5), minutes(4.5), minutes(-5), minutes(5), now]) {
    test(`a request signed at ${new Date(at).toISOString()} is accepted at noon`, async () => {
      assert.deepEqual(verify(await signed({ at })), accepted)
    })
  }

  const outside: [at: number, message: string][] = [
    [
      minutes(-5) - 1000,
      'Signature expired: 20261120T115459Z is now earlier than 20261120T115500Z (20261120T120000Z - 5 min.)',
    ],
    [
      minutes(-5.5),
      'Signature expired: 20261120T115430Z is now earlier than 20261120T115500Z (20261120T120000Z - 5 min.)',
    ],
    [
      minutes(-24 * 60),
      'Signature expired: 20261119T120000Z is now earlier than 20261120T115500Z (20261120T120000Z - 5 min.)',
    ],
    [
      minutes(5) + 1000,
      'Signature not yet current: 20261120T120501Z is still later than 20261120T120500Z (20261120T120000Z + 5 min.)',
    ],
    [
      minutes(5.5),
      'Signature not yet current: 20261120T120530Z is still later than 20261120T120500Z (20261120T120000Z + 5 min.)',
    ],
  ]
  for (const [at, message] of outside) {
    test(`a request signed at ${new Date(at).toISOString()} is refused at noon`, async () => {
      refuses(await signed({ at }), 'InvalidSignatureException', message)
    })
  }

  test('the day may change between signing and receiving', async () => {
    const midnight = Date.UTC(2026, 10, 21)
    const last = await signed({ at: midnight - 1000 })
    assert.deepEqual(verify(last, { now: midnight + 1000 }), accepted)
    assert.deepEqual(verify(await signed({ at: midnight }), { now: midnight - 1000 }), accepted)
  })

  test('the date of the scope must be the day of X-Amz-Date', async () => {
    const request = changeAuthorization(await signed(), value => value.replace('/20261120/', '/20261119/'))
    refuses(
      request,
      'InvalidSignatureException',
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261119' != '20261120', from '20261120T120000Z'.",
    )
  })

  for (const date of [
    '',
    '20261120',
    '2026-11-20T12:00:00Z',
    '20261120T120000',
    '20261120T120000z',
    '20261120T120000ZZ',
    '20261120T120000.0Z',
    '20261320T120000Z',
    '20261131T120000Z',
    '20261120T240000Z',
    '20261120T120060Z',
    '00261120T120000Z',
    '٢٠٢٦١١٢٠T120000Z',
    'Fri, 20 Nov 2026 12:00:00 GMT',
  ]) {
    test(`X-Amz-Date '${date}' is refused as malformed`, async () => {
      const request = await signed()
      refuses(
        setHeader(request, 'x-amz-date', date),
        'IncompleteSignatureException',
        /^Date must be in ISO-8601 'basic format'/,
      )
    })
  }

  test('a Date header does not stand in for X-Amz-Date', async () => {
    const request = withHeaders(await signed(), headers => [
      ...headers.filter(([name]) => name !== 'x-amz-date'),
      ['date', 'Fri, 20 Nov 2026 12:00:00 GMT'],
    ])
    refuses(
      request,
      'IncompleteSignatureException',
      "Authorization header requires existence of a 'X-Amz-Date' header.",
    )
  })
})

describe('the credential', () => {
  const scope = (change: string) => async () =>
    changeAuthorization(await signed(), value => value.replace(/Credential=[^,]*/, `Credential=${change}`))
  const cases: [name: string, credential: string, error: string, message: string][] = [
    [
      'another region',
      `${accessKeyId}/20261120/eu-west-1/cognito-idp/aws4_request`,
      'InvalidSignatureException',
      mismatch,
    ],
    [
      'no region',
      `${accessKeyId}/20261120//cognito-idp/aws4_request`,
      'InvalidSignatureException',
      'Credential should be scoped to a valid region.',
    ],
    [
      'a region of odd characters',
      `${accessKeyId}/20261120/us_east%1/cognito-idp/aws4_request`,
      'InvalidSignatureException',
      'Credential should be scoped to a valid region.',
    ],
    [
      'a region that is too long',
      `${accessKeyId}/20261120/${'a'.repeat(33)}/cognito-idp/aws4_request`,
      'InvalidSignatureException',
      'Credential should be scoped to a valid region.',
    ],
    ...['s3', 'cognito-identity', 'sts', '', 'COGNITO-IDP'].map((service): [string, string, string, string] => [
      `the service '${service}'`,
      `${accessKeyId}/20261120/us-east-1/${service}/aws4_request`,
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 'cognito-idp'.",
    ]),
    [
      'another terminator',
      `${accessKeyId}/20261120/us-east-1/cognito-idp/aws5_request`,
      'InvalidSignatureException',
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
    ],
    [
      'everything wrong',
      `${accessKeyId}/b/C/d/e`,
      'InvalidSignatureException',
      "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'cognito-idp'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20261120', from '20261120T120000Z'.",
    ],
    [
      'four parts',
      `${accessKeyId}/20261120/us-east-1/cognito-idp`,
      'IncompleteSignatureException',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${accessKeyId}/20261120/us-east-1/cognito-idp'`,
    ],
    [
      'six parts',
      `${accessKeyId}/20261120/us-east-1/cognito-idp/aws4_request/x`,
      'IncompleteSignatureException',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${accessKeyId}/20261120/us-east-1/cognito-idp/aws4_request/x'`,
    ],
  ]
  for (const [name, credential, error, message] of cases) {
    test(`a scope with ${name} is refused`, async () => refuses(await scope(credential)(), error, message))
  }

  for (const service of ['s3', 'cognito-identity']) {
    test(`a request that is rightly signed for ${service} is refused`, async () => {
      refuses(await signed({ service }), 'InvalidSignatureException', /correct service/)
    })
  }

  for (const id of ['', 'AKIDUNKNOWN', '__proto__', 'constructor', 'toString', 'akidexample', `${accessKeyId} `]) {
    test(`the unknown access key '${id}' is refused, whatever it signs with`, async () => {
      refuses(await signed({ accessKeyId: id, secret }), 'UnrecognizedClientException', invalidToken)
      refuses(await signed({ accessKeyId: id, secret: 'no access key has this secret' }), 'UnrecognizedClientException')
    })
  }

  test('an access key with a slash or of 10 KB is refused', async () => {
    refuses(await signed({ accessKeyId: 'AKID/EXAMPLE' }), 'IncompleteSignatureException', /exactly 5 slash-delimited/)
    refuses(await signed({ accessKeyId: 'A'.repeat(10_240) }), 'IncompleteSignatureException')
  })

  test('a wrong secret is refused', async () => {
    refuses(await signed({ secret: otherSecret }), 'InvalidSignatureException', mismatch)
  })

  test('a key that is taken away or gets another secret is refused at once', async () => {
    const request = await signed()
    const replaced = { secret: otherSecret }
    const rotating = new Map([[accessKeyId, { secret }]])
    const options = { findKey: (id: string) => rotating.get(id) }
    assert.deepEqual(verify(request, options), accepted)
    rotating.set(accessKeyId, replaced)
    refuses(request, 'InvalidSignatureException', mismatch, options)
    assert.deepEqual(verify(await signed({ secret: otherSecret }), options), accepted)
    rotating.delete(accessKeyId)
    refuses(request, 'UnrecognizedClientException', invalidToken, options)
  })

  test('one key signs for more regions than are remembered', async () => {
    for (let index = 0; index < 40; index += 1) {
      const region = `region-${index % 20}`
      assert.deepEqual(verify(await signed({ region })), { accessKeyId, region })
    }
  })

  test('a session token is refused, signed, unsigned and pre-signed', async () => {
    refuses(await signed({ sessionToken: 'token' }), 'UnrecognizedClientException', invalidToken)
    refuses(await presigned({ sessionToken: 'token' }), 'UnrecognizedClientException', invalidToken)
    refuses(
      addHeader(await signed(), 'X-Amz-Security-Token', 'token'),
      'InvalidSignatureException',
      /x-amz-security-token/,
    )
  })
})

describe('the signature', () => {
  const real = 'Signature=([0-9a-f]{64})$'
  const changes: [string, (signature: string) => string, string][] = [
    ['of 63 digits', signature => signature.slice(1), 'InvalidSignatureException'],
    ['of 65 digits', signature => `${signature}0`, 'InvalidSignatureException'],
    ['in upper case', signature => signature.toUpperCase(), 'InvalidSignatureException'],
    ['that is not hexadecimal', signature => `${signature.slice(1)}g`, 'InvalidSignatureException'],
    ['with a blank behind', signature => `${signature} `, 'InvalidSignatureException'],
    ['that is empty', () => '', 'IncompleteSignatureException'],
    ['of a megabyte', () => 'a'.repeat(1_048_576), 'IncompleteSignatureException'],
    ['of two', signature => `${signature},Signature=${signature}`, 'IncompleteSignatureException'],
  ]
  for (const [name, change, error] of changes) {
    test(`a signature ${name} is refused`, async () => {
      const request = changeAuthorization(await signed(), value =>
        value.replace(new RegExp(real), (_, signature: string) => `Signature=${change(signature)}`),
      )
      refuses(request, error)
    })
  }

  test('every flipped bit of the signature is refused', async () => {
    const request = await signed()
    for (let bit = 0; bit < 256; bit += 1) {
      const changed = changeAuthorization(request, value =>
        value.replace(new RegExp(real), (_, signature: string) => {
          const bytes = Buffer.from(signature, 'hex')
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          return `Signature=${bytes.toString('hex')}`
        }),
      )
      refuses(changed, 'InvalidSignatureException', mismatch)
    }
  })
})

describe('the Authorization header', () => {
  test('without one, and without a pre-signed query, the token is missing', async () => {
    const request = withHeaders(await signed(), headers => headers.filter(([name]) => name !== 'authorization'))
    refuses(request, 'MissingAuthenticationTokenException', 'Missing Authentication Token')
  })

  const digest = (value: string) => createHash('sha256').update(value).digest('base64')
  const unparsable = [
    '',
    ' ',
    'AWS4-HMAC-SHA256',
    'AWS AKIDEXAMPLE:c2lnbmF0dXJl',
    'Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln',
    'eyJhbGciOiJSUzI1NiJ9.e30.c2ln',
    'Basic QUtJRDpzZWNyZXQ=',
    'AWS4-HMAC-SHA256 Credential',
    'AWS4-HMAC-SHA256 Credential=a,,Signature=b,SignedHeaders=c',
    'AWS4-HMAC-SHA256 Credential=a, =x, Signature=b, SignedHeaders=c',
  ]
  for (const value of unparsable) {
    test(`'${value}' cannot be parsed, and is not repeated in the message`, async () => {
      refuses(
        setHeader(await signed(), 'authorization', value),
        'IncompleteSignatureException',
        `Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '${digest(value)}'.`,
      )
    })
  }

  test('missing parameters are named', async () => {
    const value = 'AWS4-HMAC-SHA256 Credential='
    refuses(
      setHeader(await signed(), 'authorization', value),
      'IncompleteSignatureException',
      `Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=${digest(value)}`,
    )
  })

  for (const algorithm of ['AWS4-ECDSA-P256-SHA256', 'AWS4-HMAC-SHA512', 'AWS4-HMAC-SHA256-PAYLOAD']) {
    test(`the algorithm ${algorithm} is refused`, async () => {
      refuses(
        changeAuthorization(await signed(), value => value.replace('AWS4-HMAC-SHA256', algorithm)),
        'IncompleteSignatureException',
        `Unsupported AWS 'algorithm': '${algorithm}' (only AWS4-HMAC-SHA256 for now). `,
      )
    })
  }

  test('what a message repeats of the request is short and printable', async () => {
    const strange = `${'\u0001ÿ'.repeat(300)}`
    const requests = [
      changeAuthorization(await signed(), value => value.replace('AWS4-HMAC-SHA256', `AWS4-${strange}`)),
      changeAuthorization(await signed(), value => value.replace('Credential=', `Credential=${strange}/`)),
      changeAuthorization(await signed(), value => value.replace('aws4_request', strange)),
      setHeader(await signed(), 'x-amz-date', strange),
      addHeader(await signed(), `x-amz-${strange}`, '1'),
    ]
    for (const request of requests) {
      assert.throws(
        () => verify(request),
        (error: unknown) =>
          error instanceof CognitoError && error.message.length < 400 && /^[\x20-\x7e]+$/.test(error.message),
      )
    }
  })

  // Inserted anywhere, none of these can leave a header that means the same.
  const classes: Record<string, string[]> = {
    'control characters': ['\0', '\u0001', '\u000b', '\u001f', '\u007f'],
    'characters beyond ASCII': ['\u00a0', 'é', 'ÿ', '\u0085'],
    'characters beyond a byte': ['水', '\u2028', '\ud800', '😀'],
    separators: [',', ';', '/', '=', ':', '"'],
    'letters and digits': ['a', 'Z', '0', '9'],
    'escapes and wildcards': ['%', '%2F', '+', '*', '?', '\\'],
    'names of inherited properties': ['__proto__', 'constructor', 'toString='],
    'long runs': ['a'.repeat(5_000), ','.repeat(9_000), '='.repeat(9_000), 'Credential=a,'.repeat(700)],
  }
  for (const [name, characters] of Object.entries(classes)) {
    test(`with ${name} inserted it is refused and nothing else happens, 500 times`, async () => {
      const random = seeded(characters.length)
      const request = await signed()
      const value = headerOf(request, 'authorization')
      for (let round = 0; round < 500; round += 1) {
        const at = Math.floor(random() * (value.length + 1))
        const inserted = characters[Math.floor(random() * characters.length)] ?? ''
        const hostile = setHeader(request, 'authorization', value.slice(0, at) + inserted + value.slice(at))
        assert.throws(
          () => verify(hostile),
          (error: unknown) => error instanceof CognitoError && refusals.has(error.name),
          JSON.stringify(inserted.slice(0, 20)) + at,
        )
      }
      assert.deepEqual(verify(request), accepted)
    })
  }

  test('headers out of a grammar are refused or ignored, and nothing else is thrown', () => {
    const random = seeded(7)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
    const rules: Record<string, string[]> = {
      header: ['<algorithm><blank><parameters>', '<parameters>', '<blank>', '<algorithm>', '<header>,<header>'],
      algorithm: ['AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256 ', 'AWS4-', 'AWS4-ECDSA-P256-SHA256', 'Bearer', ''],
      blank: [' ', '', '\t', '  '],
      parameters: ['<parameter>', '<parameter>,<blank><parameters>', '<parameter><parameters>', ''],
      parameter: ['<name>=<value>', '<name>', '=<value>', '<name>==<value>', '<name>='],
      name: ['Credential', 'SignedHeaders', 'Signature', 'credential', '__proto__', 'X', ''],
      value: [
        '<id>/20261120/us-east-1/cognito-idp/aws4_request',
        'host;x-amz-date',
        '<hex>',
        '////',
        ';;',
        '\u0000',
        '',
      ],
      id: ['AKIDEXAMPLE', '', '__proto__', 'A/B'],
      hex: ['0'.repeat(64), 'f'.repeat(63), 'é'],
    }
    const expand = (text: string, depth: number): string =>
      depth > 12 ? '' : text.replace(/<(\w+)>/g, (_, rule: string) => expand(pick(rules[rule] ?? ['']), depth + 1))
    for (let round = 0; round < 5_000; round += 1) {
      const request = {
        method: 'POST',
        path: '/',
        query: random() < 0.2 ? 'X-Amz-Signature=a' : '',
        rawHeaders: ['Host', 'localhost', 'X-Amz-Date', '20261120T120000Z', 'Authorization', expand('<header>', 0)],
        body: Buffer.from('{}'),
      }
      assert.throws(
        () => verify(request),
        (error: unknown) => error instanceof CognitoError && refusals.has(error.name),
        request.rawHeaders[5],
      )
      findClaimedSigner(request, 'cognito-idp')
    }
  })
})

describe('the pre-signed form', () => {
  const changeQuery = (request: SignedRequest, name: string, change: (value: string) => string): SignedRequest => ({
    ...request,
    query: request.query.replace(
      new RegExp(`(${name}=)([^&]*)`),
      (_, key: string, value: string) => key + change(value),
    ),
  })

  test('a signature in header and query is refused', async () => {
    const both = addHeader(await presigned(), 'Authorization', headerOf(await signed(), 'authorization'))
    const message = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    refuses(both, 'InvalidSignatureException', message)
    refuses({ ...(await signed()), query: 'X-Amz-Credential=x' }, 'InvalidSignatureException', message)
  })

  test('it lives as long as it says, and never more than five minutes', async () => {
    const short = await presigned({ expiresIn: 60 })
    assert.deepEqual(verify(short, { now: now + 60_000 }), accepted)
    refuses(
      short,
      'InvalidSignatureException',
      'Signature expired: 20261120T120000Z is now earlier than 20261120T120001Z (20261120T120101Z - 1 min.)',
      { now: now + 61_000 },
    )
    refuses(await presigned({ expiresIn: 90 }), 'InvalidSignatureException', /\(20261120T120131Z - 90 sec\.\)$/, {
      now: now + 91_000,
    })
    const long = await presigned({ expiresIn: 604_800 })
    assert.deepEqual(verify(long, { now: now + 300_000 }), accepted)
    refuses(long, 'InvalidSignatureException', /^Signature expired: .* - 5 min\.\)$/, { now: now + 301_000 })
    refuses(await presigned({ at: now + 301_000 }), 'InvalidSignatureException', /^Signature not yet current: /)
  })

  for (const expires of ['604801', '-1', '0', 'NaN', '1e2', '60.5', '%2B60', '0x3c', '9'.repeat(400)]) {
    test(`X-Amz-Expires=${expires.slice(0, 20)} is refused`, async () => {
      refuses(
        changeQuery(await presigned(), 'X-Amz-Expires', () => expires),
        'IncompleteSignatureException',
        'X-Amz-Expires must be a number of seconds between 1 and 604800.',
      )
    })
  }

  for (const name of ['Algorithm', 'Credential', 'Signature', 'SignedHeaders', 'Date', 'Expires']) {
    const parameter = `X-Amz-${name}`
    test(`without ${parameter}, with an empty and with a second one it is refused`, async () => {
      const request = await presigned()
      const missing = `AWS query-string parameters must include '${parameter}'. Re-examine the query-string parameters.`
      const without = { ...request, query: request.query.replace(new RegExp(`&?${parameter}=[^&]*`), '') }
      refuses(without, 'IncompleteSignatureException', missing)
      refuses(
        changeQuery(request, parameter, () => ''),
        'IncompleteSignatureException',
        missing,
      )
      for (const query of [`${request.query}&${parameter}=1`, `${parameter.toLowerCase()}=1&${request.query}`]) {
        refuses({ ...request, query }, 'IncompleteSignatureException', /more than once/)
      }
    })
  }

  test('a changed parameter is refused', async () => {
    const request = await presigned()
    refuses(
      changeQuery(request, 'X-Amz-Expires', () => '61'),
      'InvalidSignatureException',
      mismatch,
    )
    refuses(
      changeQuery(request, 'X-Amz-Signature', value => `${value}0`),
      'InvalidSignatureException',
      mismatch,
    )
    refuses({ ...request, query: `${request.query}&more=1` }, 'InvalidSignatureException', mismatch)
    refuses(
      changeQuery(request, 'X-Amz-Algorithm', () => 'AWS4-ECDSA-P256-SHA256'),
      'IncompleteSignatureException',
      /^Unsupported AWS 'algorithm'/,
    )
  })
})

describe('the request line', () => {
  const same: [string, string][] = [
    ['/a/b', '/a//b'],
    ['/a/b', '/a/./b'],
    ['/a/b', '/a/c/../b'],
    ['/b', '/../b'],
    ['/a/', '/a//'],
  ]
  for (const [path, sent] of same) {
    test(`${sent} has the signature of ${path}`, async () => {
      assert.deepEqual(verify({ ...(await signed({ path })), path: sent }), accepted)
    })
  }

  const different: [string, string][] = [
    ['/a/b', '/a%2Fb'],
    ['/a%2Fb', '/a%2fb'],
    ['/a%20b', '/a b'],
    ['/a+b', '/a%20b'],
    ['/a', '/a/'],
    ['/a', '/A'],
    ['/a', '/%61'],
  ]
  for (const [path, sent] of different) {
    test(`${sent} does not have the signature of ${path}`, async () => {
      refuses({ ...(await signed({ path })), path: sent }, 'InvalidSignatureException', mismatch)
    })
  }

  const queries: [sent: string, accepts: boolean][] = [
    ['a=b%20c&a=d', true],
    ['a=d&a=b%20c', true],
    ['a=b c&a=d', true],
    ['a=b+c&a=d', false],
    ['a=b%2Bc&a=d', false],
    ['a=b%zzc&a=d', false],
    ['a=b%20c&a=d&', true],
    ['a=b%20c&a=d&a', false],
    ['a=b%20c&a=d&=', false],
    ['a=b%20c', false],
    ['A=b%20c&a=d', false],
    [`a=b%20c&a=d&b=${'x'.repeat(20_000)}`, false],
  ]
  for (const [query, accepts] of queries) {
    test(`the query ${query.slice(0, 30)} ${accepts ? 'has' : 'does not have'} the signature of a=b%20c&a=d`, async () => {
      const request = { ...(await signed({ query: { a: ['b c', 'd'] } })), query }
      if (accepts) assert.deepEqual(verify(request), accepted)
      else refuses(request, 'InvalidSignatureException', mismatch)
    })
  }

  test('an incomplete escape is refused, so that it cannot stand for the escape of itself', async () => {
    for (const query of ['a=%', 'a=%2', 'a=%zz', '%=1', 'a=%%41']) {
      const request = await signed({ query: { a: decodeURIComponent(query.slice(2).replace(/%/g, '%25')) } })
      refuses({ ...request, query }, 'InvalidSignatureException', mismatch)
    }
  })

  test('names that order differently with and without their values are ordered by name', async () => {
    assert.deepEqual(verify(await signed({ query: { a: '1', 'a-': '2', 'a!': '3', A: '4' } })), accepted)
  })

  test('characters that cannot come over the wire are refused', async () => {
    // The low byte of U+0134 is that of 4, so that a hash over the low bytes would not tell them apart.
    refuses({ ...(await signed({ path: '/4' })), path: '/\u0134' }, 'InvalidSignatureException', mismatch)
    const header = await signed({ headers: { 'my-header': '4' } })
    refuses(setHeader(header, 'my-header', '\u0134'), 'InvalidSignatureException', mismatch)
  })
})

describe('hostile sizes', () => {
  const time = (work: () => void): number => {
    const start = performance.now()
    work()
    return performance.now() - start
  }
  test('are refused in no time', async () => {
    const request = await signed()
    const long = 'a'.repeat(200_000)
    const requests: SignedRequest[] = [
      setHeader(request, 'authorization', `AWS4-HMAC-SHA256 ${'='.repeat(200_000)}`),
      setHeader(request, 'authorization', `AWS4-HMAC-SHA256 ${' '.repeat(200_000)}`),
      changeAuthorization(request, value => value.replace('host;', `${'a;'.repeat(2_000)}host;`)),
      { ...request, query: '&'.repeat(200_000) },
      { ...request, query: `a=${'%'.repeat(200_000)}` },
      { ...request, path: '/..'.repeat(70_000) },
      { ...request, path: `/${long}` },
      setHeader(request, 'x-amz-date', long),
      setHeader(request, 'my-header', ' \t'.repeat(100_000)),
      { ...request, rawHeaders: [...request.rawHeaders, ...Array.from({ length: 20_000 }, () => 'x-amz-a')] },
    ]
    for (const [index, hostile] of requests.entries()) {
      const took = time(() => {
        try {
          verify(hostile)
        } catch (error) {
          assert.ok(error instanceof CognitoError, String(error))
        }
      })
      assert.ok(took < 250, `request ${index} took ${took} ms`)
    }
  })
})

// ---------------------------------------------------------------------------------------------- form only

describe('without access keys', () => {
  const formOnly = { mode: 'form-only' as const, findKey: () => undefined }

  test('any well-formed signature is accepted for the key and region it names', async () => {
    const request = await signed({
      accessKeyId: 'local',
      secret: 'any',
      region: 'eu-west-3',
      at: 0,
      sessionToken: 'any',
    })
    assert.deepEqual(verify(request, formOnly), { accessKeyId: 'local', region: 'eu-west-3' })
    assert.deepEqual(verify({ ...request, body: Buffer.from('other') }, formOnly), {
      accessKeyId: 'local',
      region: 'eu-west-3',
    })
    assert.deepEqual(verify(await presigned({ at: 0 }), formOnly), accepted)
  })

  test('a header alone is enough', () => {
    const request = (authorization: string) => ({
      method: 'POST',
      path: '/',
      query: '',
      rawHeaders: ['Authorization', authorization],
      body: Buffer.from('{}'),
    })
    const scope = 'id/20261120/us-east-1/cognito-idp/aws4_request'
    assert.deepEqual(
      verify(request(`AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=x`), formOnly),
      { accessKeyId: 'id', region: 'us-east-1' },
    )
    refuses(
      request(`AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host`),
      'IncompleteSignatureException',
      undefined,
      formOnly,
    )
    refuses(
      request('AWS4-HMAC-SHA256 Credential=id, SignedHeaders=host, Signature=x'),
      'IncompleteSignatureException',
      undefined,
      formOnly,
    )
    refuses(
      request(`AWS4-HMAC-SHA256 Credential=${scope.replace('idp', 'identity')}, SignedHeaders=host, Signature=x`),
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 'cognito-idp'.",
      formOnly,
    )
    refuses(request('Bearer token'), 'IncompleteSignatureException', undefined, formOnly)
  })

  test('without a signature the token is missing', () => {
    const request = { method: 'POST', path: '/', query: '', rawHeaders: ['Host', 'localhost'], body: Buffer.from('{}') }
    refuses(request, 'MissingAuthenticationTokenException', 'Missing Authentication Token', formOnly)
  })
})

describe('the claimed signer', () => {
  test('is read from a signature that proves nothing', async () => {
    const request = await signed({ accessKeyId: 'unknown', region: 'ap-south-1', at: 0 })
    assert.deepEqual(findClaimedSigner(request, 'cognito-idp'), { accessKeyId: 'unknown', region: 'ap-south-1' })
  })

  test('is absent without a well-formed signature', async () => {
    const request = await signed()
    assert.equal(findClaimedSigner(setHeader(request, 'authorization', 'Bearer token'), 'cognito-idp'), undefined)
    assert.equal(findClaimedSigner(await signed({ service: 's3' }), 'cognito-idp'), undefined)
    assert.equal(findClaimedSigner({ ...request, rawHeaders: [] }, 'cognito-idp'), undefined)
  })
})
