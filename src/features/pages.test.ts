import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeal } from '../store/sealed.ts'
import { type PageBinding, readPage, writePage } from './pages.ts'

const hourMs = 3_600_000
let now = 1_800_000_000_000
const ctx = { seal: createSeal([{ id: 'k1', key: Buffer.alloc(32, 1) }]), clock: { now: () => now } }
const binding: PageBinding = { operation: 'ListUsers', scope: 'us-east-1_pool', parameters: ['email = "a"', undefined] }
const refused = { name: 'InvalidParameterException', message: 'Invalid pagination token.' }

/** A token behind row 2 of 3. */
const tokenFor = (of: PageBinding): string => {
  const page = readPage<[number, string]>(ctx, of, undefined, 2)
  const { nextToken } = writePage(ctx, of, page, [1, 2, 3], row => [row, `row ${row}`])
  assert.ok(nextToken !== undefined)
  return nextToken
}

test('a page shows no more rows than asked for and its token leads behind the last one shown', () => {
  const page = readPage<[number]>(ctx, binding, undefined, 2)
  assert.deepEqual(page, { limit: 2, after: undefined })
  const written = writePage(ctx, binding, page, ['a', 'b', 'c'], row => [row.charCodeAt(0)])
  assert.deepEqual(written.rows, ['a', 'b'])
  assert.deepEqual(readPage(ctx, binding, written.nextToken, 5), { limit: 5, after: [98] })
})

test('the last page has no token, whether it is full, short or empty', () => {
  const page = readPage<[number]>(ctx, binding, undefined, 2)
  for (const rows of [[1, 2], [1], []]) {
    assert.deepEqual(
      writePage(ctx, binding, page, rows, row => [row]),
      { rows, nextToken: undefined },
    )
  }
})

test('no limit and the limit 0 mean 60', () => {
  assert.equal(readPage(ctx, binding, undefined, undefined).limit, 60)
  assert.equal(readPage(ctx, binding, undefined, 0).limit, 60)
})

test('a token belongs to one operation, pool and set of parameters', () => {
  const token = tokenFor(binding)
  assert.deepEqual(readPage(ctx, binding, token, 2).after, [2, 'row 2'])
  const others: PageBinding[] = [
    { ...binding, operation: 'ListUsersInGroup' },
    { ...binding, scope: 'us-east-1_other' },
    { ...binding, parameters: ['email = "b"', undefined] },
    { ...binding, parameters: ['email = "a"', ''] },
    { ...binding, parameters: ['email = "a"'] },
    { operation: 'ListUsers', scope: 'us-east-1_pool' },
  ]
  for (const other of others) assert.throws(() => readPage(ctx, other, token, 2), refused)
})

test('parameters cannot be shifted into one another', () => {
  const token = tokenFor({ ...binding, parameters: ['a","b'] })
  assert.throws(() => readPage(ctx, { ...binding, parameters: ['a', 'b'] }, token, 2), refused)
})

test('a token lives for an hour', () => {
  const token = tokenFor(binding)
  now += hourMs - 1
  assert.deepEqual(readPage(ctx, binding, token, 2).after, [2, 'row 2'])
  now += 1
  assert.throws(() => readPage(ctx, binding, token, 2), refused)
})

test('whatever was not made here is refused', () => {
  const token = tokenFor(binding)
  const bytes = Buffer.from(token, 'base64url')
  const foreign = createSeal([{ id: 'k1', key: Buffer.alloc(32, 2) }])
  const content = JSON.stringify({ after: [0, ''], expiresAt: now + hourMs })
  const wrong = ['', ' ', 'null', token.slice(1), token.slice(0, -1), `${token}=`, token.repeat(1_000)]
  wrong.push(foreign.seal('page-token', content, JSON.stringify(['ListUsers', 'us-east-1_pool', 'email = "a"', null])))
  wrong.push(ctx.seal.seal('message', content, JSON.stringify(['ListUsers', 'us-east-1_pool', 'email = "a"', null])))
  wrong.push(content, Buffer.from(content).toString('base64url'))
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    wrong.push(flipped.toString('base64url'))
  }
  for (const candidate of wrong) assert.throws(() => readPage(ctx, binding, candidate, 2), refused, candidate)
})

test('a token tells nothing of the position and holds no white space', () => {
  const token = tokenFor(binding)
  assert.match(token, /^\S+$/)
  assert.equal(Buffer.from(token, 'base64url').includes('row 2'), false)
})
