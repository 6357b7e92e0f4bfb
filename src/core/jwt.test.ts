import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { isSignedWith, looksLikeSignedToken, parseToken, signingInput } from './jwt.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const signed = (text: string, key = privateKey): string =>
  `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`

const kid = 'zB90k3I9yy1mCVdq2KkKtTaACvTwr4CP+CL+q9bQPoQ='
const claims = { sub: 'ann', exp: 1, text: 'é', __proto__x: 1 }
const token = signed(signingInput(kid, claims))
const [header = '', payload = '', signature = ''] = token.split('.')
const withHeader = (value: unknown): string => signed(`${base64url(value)}.${payload}`)

test('a token that was signed comes back with its claims and verifies under its key only', () => {
  const parsed = parseToken(token)
  assert.deepEqual(parsed?.claims, claims)
  assert.equal(parsed.kid, kid)
  assert.equal(isSignedWith(parsed, publicKey), true)
  assert.equal(isSignedWith(parsed, other.publicKey), false)
  assert.equal(Buffer.from(header, 'base64url').toString(), `{"kid":"${kid}","alg":"RS256"}`)
})

test('no other form is a token', () => {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const hmacInput = `${base64url({ kid, alg: 'HS256' })}.${payload}`
  const hostile: Record<string, string> = {
    empty: '',
    'one part': header,
    'two parts': `${header}.${payload}`,
    'four parts': `${token}.x`,
    'five parts': `${header}..${payload}.${payload}.${signature}`,
    'empty header': `.${payload}.${signature}`,
    'empty payload': `${header}..${signature}`,
    'empty signature': `${header}.${payload}.`,
    'short signature': `${header}.${payload}.${signature.slice(0, -4)}`,
    'long signature': `${header}.${payload}.${signature}AAAA`,
    padding: `${header}.${payload}.${signature}==`,
    'foreign characters': `${header}.${payload}.${signature.slice(0, -1)}*`,
    'white space': ` ${token}`,
    'loose bits': `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('B') ? 'C' : 'B'}`,
    'a payload that is no object': signed(`${header}.${base64url([1])}`),
    'a payload that is no JSON': signed(`${header}.${base64url('{')}`),
    'deep nesting': `${header}.${base64url('['.repeat(60_000))}.${signature}`,
    'a megabyte': `${header}.${'A'.repeat(1_048_576)}.${signature}`,
    'the public key as secret': `${hmacInput}.${createHmac('sha256', pem).update(hmacInput).digest('base64url')}`,
  }
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS256',
    'HS384',
    'HS512',
    'ES256',
    'PS256',
    'rs256',
    ['RS256'],
    null,
  ]) {
    hostile[`alg ${JSON.stringify(alg)}`] = withHeader({ kid, alg })
    hostile[`alg ${JSON.stringify(alg)} without signature`] = `${base64url({ kid, alg })}.${payload}.`
  }
  for (const extra of [
    { typ: 'JWT' },
    { crit: ['b64'], b64: false },
    { zip: 'DEF' },
    { jku: 'https://evil.example' },
    { jwk: {} },
    { x5u: 'x' },
    { x5c: [] },
  ]) {
    hostile[`header with ${Object.keys(extra)}`] = withHeader({ kid, alg: 'RS256', ...extra })
  }
  hostile['alg missing'] = withHeader({ kid })
  hostile['kid missing'] = withHeader({ alg: 'RS256' })
  hostile['kid as list'] = withHeader({ kid: [kid], alg: 'RS256' })
  hostile['members turned round'] = withHeader({ alg: 'RS256', kid })
  hostile['alg twice'] = withHeader(`{"kid":"${kid}","alg":"none","alg":"RS256"}`)
  hostile['spaces in the header'] = withHeader(`{"kid": "${kid}","alg":"RS256"}`)
  hostile['header as list'] = withHeader(['kid', 'alg'])
  for (const [title, text] of Object.entries(hostile)) assert.equal(parseToken(text), undefined, title)
})

test('no byte of a token can be changed', () => {
  for (let index = 0; index < token.length; index++) {
    const changed = `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`
    const parsed = parseToken(changed)
    if (parsed !== undefined) assert.equal(isSignedWith(parsed, publicKey), false, `byte ${index}`)
  }
})

test('a signed token is recognised whoever signed it', () => {
  assert.equal(looksLikeSignedToken(token), true)
  assert.equal(looksLikeSignedToken(`${base64url({ typ: 'JWT', alg: 'HS256' })}.${payload}.AAAA`), true)
  for (const text of [
    '',
    'a.b.c',
    `${header}.${payload}`,
    `${token}.x`,
    `${base64url({ kid })}.a.b`,
    'A'.repeat(200_000),
  ]) {
    assert.equal(looksLikeSignedToken(text), false)
  }
})
