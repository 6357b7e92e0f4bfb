import assert from 'node:assert/strict'
import { constants, createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  type ExpectedClaims,
  faultInClaims,
  isSignedByOneOf,
  isSignedWithSecret,
  matchesSecret,
  type ParsedIdToken,
  type PublishedKey,
  parseIdToken,
} from './id-token.ts'

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const
const ec = Object.fromEntries(
  Object.entries(curves).map(([alg, namedCurve]) => [alg, generateKeyPairSync('ec', { namedCurve })]),
)

const keysOf = (alg: string) => (alg.startsWith('ES') ? (ec[alg] ?? assert.fail(alg)) : rsa)
const jwkOf = (publicKey: KeyObject, more: object = {}): PublishedKey => ({
  ...publicKey.export({ format: 'jwk' }),
  kid: 'k',
  ...more,
})

const make = (
  alg: string,
  claims: object = {},
  privateKey = keysOf(alg).privateKey,
  header: object = {},
): ParsedIdToken => {
  const text = `${encoded({ alg, kid: 'k', ...header })}.${encoded(claims)}`
  const options = alg.startsWith('ES')
    ? { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
    : alg.startsWith('PS')
      ? { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key: privateKey }
  const signature = sign(`sha${alg.slice(2)}`, Buffer.from(text), options).toString('base64url')
  return parseIdToken(`${text}.${signature}`) ?? assert.fail()
}

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

for (const alg of algorithms) {
  test(`${alg} is verified with a key of its kind, and with no other`, () => {
    const token = make(alg)
    const { publicKey } = keysOf(alg)
    assert.equal(isSignedByOneOf(token, [jwkOf(publicKey)]), true)
    assert.equal(isSignedByOneOf(token, [jwkOf(publicKey, { alg, use: 'sig' })]), true)
    assert.equal(isSignedByOneOf(token, [jwkOf(publicKey, { kid: 'other' })]), false)
    assert.equal(isSignedByOneOf(token, [jwkOf(publicKey, { use: 'enc' })]), false)
    assert.equal(isSignedByOneOf(token, [jwkOf(publicKey, { alg: alg === 'RS256' ? 'PS256' : 'RS256' })]), false)
    for (const [other, pair] of Object.entries({ ...ec, RS256: rsa })) {
      if (pair === keysOf(alg)) continue
      assert.equal(isSignedByOneOf(token, [jwkOf(pair.publicKey)]), false, other)
      assert.equal(isSignedByOneOf(token, [jwkOf(pair.publicKey), jwkOf(publicKey)]), true, other)
    }
    const [last = 0] = token.signature.subarray(-1)
    token.signature[token.signature.length - 1] = last ^ 1
    assert.equal(isSignedByOneOf(token, [jwkOf(publicKey)]), false)
    assert.equal(isSignedWithSecret(token), false)
    assert.equal(matchesSecret(token, JSON.stringify(jwkOf(publicKey))), false)
  })
}

test('HMAC takes the secret, never an empty one, and never a key that is published', () => {
  const text = `${encoded({ alg: 'HS384', kid: 'k' })}.${encoded({})}`
  const by = (secret: string) =>
    parseIdToken(`${text}.${createHmac('sha384', secret).update(text).digest('base64url')}`) ?? assert.fail()
  assert.equal(isSignedWithSecret(by('secret')), true)
  assert.equal(matchesSecret(by('secret'), 'secret'), true)
  assert.equal(matchesSecret(by('secret'), 'other'), false)
  assert.equal(matchesSecret(by(''), ''), false)
  const k = Buffer.from('secret').toString('base64url')
  assert.equal(isSignedByOneOf(by('secret'), [{ kty: 'oct', kid: 'k', k }, jwkOf(rsa.publicKey)]), false)
})

test('keys that are none, or too short, are passed over', () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const token = make('RS256', {}, short.privateKey)
  assert.equal(isSignedByOneOf(token, [jwkOf(short.publicKey)]), false)
  const broken = [{ kid: 'k' }, { kid: 'k', kty: 'RSA', n: 1 }, { kid: 'k', kty: 'RSA', n: 'AA', e: 'AQAB' }]
  assert.equal(isSignedByOneOf(make('RS256'), [...broken, jwkOf(rsa.publicKey)]), true)
  assert.equal(isSignedByOneOf(make('RS256'), broken), false)
})

test('what has no accepted form is no token', () => {
  const good = `${encoded({ alg: 'RS256', kid: 'k' })}.${encoded({})}.AAAA`
  assert.notEqual(parseIdToken(good), undefined)
  const header = (value: unknown) => `${encoded(value)}.${encoded({})}.AAAA`
  for (const token of [
    '',
    'a.b',
    `${good}.AAAA`,
    good.replace('.AAAA', '.'),
    good.replace('.AAAA', '.AAA='),
    header({ alg: 'none' }),
    header({ alg: 'EdDSA' }),
    header({ alg: 'constructor' }),
    header({ alg: ['RS256'] }),
    header({ alg: 'RS256', kid: 1 }),
    header({ alg: 'RS256', crit: [] }),
    header([]),
    'x'.repeat(70_000),
  ]) {
    assert.equal(parseIdToken(token), undefined, token.slice(0, 80))
  }
})

describe('the claims', () => {
  const now = 1_000_000
  const expected: ExpectedClaims = { issuers: ['https://a', 'a'], clientId: 'c', nonce: 'n', accessToken: 'at', now }
  const good = { iss: 'a', aud: 'c', sub: '1', exp: now + 10, iat: now, nonce: 'n' }
  const faultOf = (claims: object, alg = 'RS256') => faultInClaims(make(alg, { ...good, ...claims }), expected)

  test('are as they have to be', () => {
    assert.equal(faultOf({}), undefined)
    assert.equal(faultOf({ aud: ['c'] }), undefined)
    assert.equal(faultOf({ exp: now - 59, iat: now - 600, nbf: now + 60 }), undefined)
  })

  test('have a hash of the access token by the algorithm of the signature', () => {
    const half = (hash: string, length: number) =>
      createHash(hash).update('at').digest().subarray(0, length).toString('base64url')
    assert.equal(faultOf({ at_hash: half('sha256', 16) }), undefined)
    assert.equal(faultOf({ at_hash: half('sha512', 32) }, 'ES512'), undefined)
    assert.equal(faultOf({ at_hash: half('sha256', 16) }, 'ES512'), 'at_hash')
    assert.equal(faultOf({ at_hash: null }), 'at_hash')
  })

  const faults: [object, string][] = [
    [{ iss: 'b' }, 'issuer'],
    [{ iss: ['a'] }, 'issuer'],
    [{ aud: undefined }, 'audience'],
    [{ aud: [] }, 'audience'],
    [{ aud: { c: 'c' } }, 'audience'],
    [{ aud: ['c', 'd'] }, 'audience'],
    [{ aud: ['c', 'd'], azp: 'd' }, 'audience'],
    [{ azp: ['c'] }, 'audience'],
    [{ exp: undefined }, 'expiry'],
    [{ exp: now - 60 }, 'expiry'],
    [{ iat: undefined }, 'issue time'],
    [{ iat: now + 61 }, 'issue time'],
    [{ nbf: now + 61 }, 'issue time'],
    [{ nbf: 'now' }, 'issue time'],
    [{ nonce: ['n'] }, 'nonce'],
    [{ sub: '' }, 'subject'],
    [{ sub: 'x'.repeat(256) }, 'subject'],
  ]
  for (const [claims, fault] of faults) {
    test(`are refused for ${JSON.stringify(claims).slice(0, 40)}: ${fault}`, () => {
      assert.equal(faultOf(claims), fault)
    })
  }
})
