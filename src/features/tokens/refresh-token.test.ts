import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSeal } from '../../store/sealed.ts'
import { openRefreshToken, type RefreshToken, sealRefreshToken } from './refresh-token.ts'

const key = (id: string) => ({ id, key: randomBytes(32) })
const [first, second] = [key('first'), key('second')]
const context = (...keys: ReturnType<typeof key>[]) => {
  let now = 1_700_000_000_000
  return {
    seal: createSeal(keys),
    clock: { now: () => now },
    random: { bytes: (length: number) => randomBytes(length) },
    advance: (ms: number) => {
      now += ms
    },
  }
}

const token: RefreshToken = {
  poolId: 'us-east-1_AbCdEf123',
  clientId: 'client',
  userId: '11111111-2222-4333-8444-555555555555',
  originJti: 'origin',
  sessionEpoch: 3,
  authTime: 1_700_000_000,
  expiresAt: 1_700_000_100_000,
  generation: 2,
  scope: 'a b',
  factors: ['pwd'],
}

test('a refresh token has the form of a compact JWE and says nothing to its holder', () => {
  const ctx = context(first)
  const text = sealRefreshToken(ctx, token)
  assert.match(text, /^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}$/)
  const header = JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>
  assert.deepEqual(header, { cty: 'JWT', enc: 'A256GCM', alg: 'dir', kid: 'first.19675' })
  assert.deepEqual(openRefreshToken(ctx, text), token)
  assert.notEqual(sealRefreshToken(ctx, token), text)
  for (const part of text.split('.').slice(2)) {
    assert.equal(Buffer.from(part, 'base64url').toString('latin1').includes('AbCdEf123'), false)
  }
})

test('a refresh token opens under an older master key and on later days, not in another installation', () => {
  const ctx = context(first)
  const text = sealRefreshToken(ctx, token)
  assert.deepEqual(openRefreshToken(context(second, first), text), token)
  ctx.advance(400 * 86_400_000)
  assert.deepEqual(openRefreshToken(ctx, text), token)
  assert.equal(openRefreshToken(context(second), text), undefined)
  assert.equal(openRefreshToken(context({ id: 'first', key: randomBytes(32) }), text), undefined)
})

test('no byte of a refresh token can be changed', () => {
  const ctx = context(first)
  const text = sealRefreshToken(ctx, token)
  for (let index = 0; index < text.length; index++) {
    for (const character of ['A', 'z', '.', '=', '']) {
      const changed = `${text.slice(0, index)}${character}${text.slice(index + 1)}`
      if (changed !== text) assert.equal(openRefreshToken(ctx, changed), undefined, `${index} ${character}`)
    }
  }
  assert.deepEqual(openRefreshToken(ctx, text), token)
})

test('nothing else is a refresh token', () => {
  const ctx = context(first)
  const text = sealRefreshToken(ctx, token)
  const [header = '', , nonce, encrypted, tag] = text.split('.')
  const withKid = (kid: string) =>
    `${Buffer.from(JSON.stringify({ cty: 'JWT', enc: 'A256GCM', alg: 'dir', kid })).toString('base64url')}..${nonce}.${encrypted}.${tag}`
  for (const hostile of [
    '',
    '....',
    header,
    `${header}.x.${nonce}.${encrypted}.${tag}`,
    `${header}..${nonce}..${tag}`,
    `${text}.`,
    ` ${text}`,
    ctx.seal.seal('refresh-token', JSON.stringify(token)),
    withKid('first.19676'),
    withKid('second.19675'),
    withKid('__proto__.19675'),
    withKid('../../x'),
    'A'.repeat(1_048_576),
  ]) {
    assert.equal(openRefreshToken(ctx, hostile), undefined, hostile.slice(0, 80))
  }
})
