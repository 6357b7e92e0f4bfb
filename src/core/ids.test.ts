import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newClientId, newCode, randomText } from './ids.ts'
import type { Random } from './ports.ts'

/** All bytes, one as often as another, over and over. */
const everyByte = (): Random => {
  let next = 0
  return { bytes: length => Buffer.from(Array.from({ length }, () => next++ % 256)) }
}

test('every character of an alphabet is as likely as another', () => {
  for (const alphabet of ['0123456789', 'abc', '0123456789abcdefghijklmnopqrstuvwxyz']) {
    const usable = 256 - (256 % alphabet.length)
    const text = randomText(everyByte(), alphabet, 8 * usable)
    for (const character of alphabet) {
      assert.equal(text.split(character).length - 1, (8 * usable) / alphabet.length, `${character} of ${alphabet}`)
    }
  }
})

test('codes keep their leading zeros, and nothing is shorter than it should be', () => {
  const zeros: Random = { bytes: length => Buffer.alloc(length) }
  assert.equal(newCode(zeros, 6), '000000')
  assert.equal(newCode(zeros, 8), '00000000')
  assert.equal(newClientId(zeros).length, 26)
})
