import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { isP256Signature } from './der.ts'

describe('an ECDSA signature in DER', () => {
  test('is what signing makes, whatever its numbers are', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (let round = 0; round < 300; round += 1) {
      assert.equal(isP256Signature(sign('sha256', Buffer.from(String(round)), privateKey)), true)
    }
  })

  test('may have short numbers', () => assert.equal(isP256Signature(Buffer.from('3006020101020101', 'hex')), true))

  for (const [title, hex] of [
    ['nothing', ''],
    ['another tag', '3106020101020101'],
    ['bytes behind the end', '300602010102010100'],
    ['bytes behind the numbers', '30070201010201010 0'.replace(' ', '')],
    ['a length that is too short', '3005020101020101'],
    ['a length in two bytes', '308106020101020101'],
    ['an indefinite length', '30800201010201010000'],
    ['one number', '3003020101'],
    ['another type of number', '3006030101020101'],
    ['a number without bytes', '30050200020101'],
    ['the number zero', '3006020100020101'],
    ['a zero too many', '300702020001020101'],
    ['a negative number', '3006020180020101'],
    ['a number of 34 bytes', `3027022201${'00'.repeat(33)}020101`],
    ['a number that ends too early', '300602010102021f'],
  ] as const) {
    test(`is not ${title}`, () => assert.equal(isP256Signature(Buffer.from(hex, 'hex')), false))
  }
})
