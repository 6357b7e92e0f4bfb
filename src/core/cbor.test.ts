import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cborLength, isOneCborItem } from './cbor.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

describe('the length of a CBOR item', () => {
  for (const [title, hex, length] of [
    ['a small integer', '17', 1],
    ['a negative integer', '26', 1],
    ['an integer of one byte', '18 ff', 2],
    ['an integer of four bytes', '1a ffffffff', 5],
    ['bytes', '43 010203', 4],
    ['text of 24 bytes', `78 18 ${'61'.repeat(24)}`, 26],
    ['an empty list', '80', 1],
    ['a list', '82 01 41 ff', 4],
    ['an empty map', 'a0', 1],
    ['a map', 'a2 01 02 61 61 a0', 6],
    ['true', 'f5', 1],
    ['what stands before other bytes', '01 02 03', 1],
  ] as const) {
    test(`is found for ${title}`, () => assert.equal(cborLength(bytes(hex)), length))
  }

  test('is found from an offset on', () => assert.equal(cborLength(bytes('ff ff 42 0102 00'), 2), 3))

  for (const [title, hex] of [
    ['nothing', ''],
    ['bytes that end too early', '44 010203'],
    ['a head that ends too early', '19 01'],
    ['a list that ends too early', '82 01'],
    ['a map without its last value', 'a1 01'],
    ['bytes of indefinite length', '5f 41 01 ff'],
    ['a list of indefinite length', '9f 01 ff'],
    ['a map of indefinite length', 'bf 01 02 ff'],
    ['a break', 'ff'],
    ['a tag', 'c0 60'],
    ['an integer of eight bytes', '1b 0000000000000001'],
    ['a number with a point', 'f9 3c00'],
    ['undefined', 'f7'],
    ['a reserved head', '1c'],
    ['a list of four billion items', '9a ffffffff 01'],
    ['a map of four billion pairs', 'ba ffffffff 0101'],
    ['nine lists in one another', `${'81'.repeat(9)}01`],
    ['ten thousand lists in one another', `${'81'.repeat(10_000)}01`],
  ] as const) {
    test(`does not exist for ${title}`, () => assert.equal(cborLength(bytes(hex)), undefined))
  }

  test('tells whether anything stands behind the item', () => {
    assert.equal(isOneCborItem(bytes('a1 01 02')), true)
    assert.equal(isOneCborItem(bytes('a1 01 02 00')), false)
    assert.equal(isOneCborItem(bytes('')), false)
  })
})
