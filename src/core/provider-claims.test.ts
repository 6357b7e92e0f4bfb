import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { disownsAddress, mapClaims } from './provider-claims.ts'

const mapped = (
  mapping: Record<string, string>,
  claims: Record<string, unknown>,
  current?: Record<string, string>,
): Record<string, string> =>
  Object.fromEntries(
    mapClaims(
      mapping,
      new Map(Object.entries(claims)),
      current === undefined ? undefined : new Map(Object.entries(current)),
    ),
  )

describe('a claim becomes text', () => {
  const cases: [string, unknown, string | undefined][] = [
    ['text stays', 'Ann', 'Ann'],
    ['a blank clears', '', ''],
    ['blanks alone clear', '  ', ''],
    ['a missing claim changes nothing', undefined, undefined],
    ['null counts as missing', null, undefined],
    ['a number', 42, '42'],
    ['a switch', true, 'true'],
    ['several values', ['a b', 'c,d', 'ä*-._'], '[a+b,c%2Cd,%C3%A4*-._]'],
    ['no values', [], ''],
    ['an object', { a: 1 }, '{"a":1}'],
  ]
  for (const [what, value, expected] of cases) {
    test(what, () => {
      assert.deepEqual(mapped({ nickname: 'n' }, { n: value }), expected === undefined ? {} : { nickname: expected })
    })
  }

  test('an address is the whole of it', () => {
    assert.deepEqual(mapped({ address: 'address' }, { address: { formatted: 'Here 1', country: 'X' } }), {
      address: 'Here 1',
    })
  })
})

test('one claim feeds several attributes, and names of every object are ordinary claims', () => {
  assert.deepEqual(mapped({ name: 'n', nickname: 'n', locale: 'constructor' }, { n: 'Ann' }), {
    name: 'Ann',
    nickname: 'Ann',
  })
})

test('user name, subject and identities are never mapped', () => {
  const mapping = { username: 'sub', sub: 'x', identities: 'x', name: 'x' }
  assert.deepEqual(mapped(mapping, { sub: '1', x: '2' }), { name: '2' })
})

describe('an address is verified', () => {
  const mapping = { email: 'email', email_verified: 'email_verified' }
  const cases: [unknown, string][] = [
    [true, 'true'],
    ['true', 'true'],
    ['TRUE', 'true'],
    [false, 'false'],
    ['false', 'false'],
    [1, 'false'],
    ['yes', 'false'],
    [['true'], 'false'],
    [{}, 'false'],
    ['', 'false'],
    [null, 'false'],
    [undefined, 'false'],
  ]
  for (const [said, expected] of cases) {
    test(`${expected} when the provider says ${JSON.stringify(said)}`, () => {
      assert.deepEqual(mapped(mapping, { email: 'a@b.c', email_verified: said }), {
        email: 'a@b.c',
        email_verified: expected,
      })
    })
  }

  test('not without a mapping of the flag', () => {
    assert.deepEqual(mapped({ email: 'email' }, { email: 'a@b.c', email_verified: true }, { email: 'a@b.c' }), {
      email: 'a@b.c',
      email_verified: 'false',
    })
  })

  test('as it was, when it is the same and the flag is left out this time', () => {
    assert.deepEqual(mapped(mapping, { email: 'a@b.c' }, { email: 'a@b.c' }), { email: 'a@b.c' })
    assert.deepEqual(mapped(mapping, { email: 'x@b.c' }, { email: 'a@b.c' }), {
      email: 'x@b.c',
      email_verified: 'false',
    })
  })

  test('only together with the address itself', () => {
    assert.deepEqual(mapped({ email_verified: 'email_verified' }, { email_verified: true }), {})
    assert.deepEqual(mapped(mapping, { email: '', email_verified: true }), { email: '' })
  })
})

test('a provider disowns an address by saying anything but that it is verified', () => {
  const says = (claims: Record<string, unknown>, mapping = {}) =>
    disownsAddress(mapping, new Map(Object.entries(claims)), 'email')
  assert.equal(says({}), false)
  assert.equal(says({ email_verified: true }), false)
  assert.equal(says({ email_verified: false }), true)
  assert.equal(says({ checked: 'no' }, { email_verified: 'checked' }), true)
  assert.equal(disownsAddress({}, new Map([['email_verified', false]]), 'nickname'), false)
})
