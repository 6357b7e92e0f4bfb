import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findTotpStep, toBase32, totpCode, totpStepAt } from './totp.ts'

const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
const rfcSecret = Buffer.from('12345678901234567890', 'latin1')

test('codes are those of RFC 6238 and of authenticator applications', () => {
  for (const [key, seconds, code] of [
    [secret, 59, '555770'],
    [secret, 1_111_111_109, '678295'],
    [secret, 1_234_567_890, '232605'],
    [secret, 1_795_132_800, '469851'],
    [secret, 2_000_000_000, '440276'],
    // The last six of the eight digits in appendix B of the RFC.
    [rfcSecret, 59, '287082'],
    [rfcSecret, 1_111_111_109, '081804'],
    [rfcSecret, 1_111_111_111, '050471'],
    [rfcSecret, 1_234_567_890, '005924'],
    [rfcSecret, 2_000_000_000, '279037'],
    [rfcSecret, 20_000_000_000, '353130'],
  ] as const) {
    assert.equal(totpCode(key, totpStepAt(seconds * 1_000)), code, `at ${seconds}`)
  }
})

test('a code counts one step before and after its own, and no longer', () => {
  const now = 1_795_132_800_000
  const step = totpStepAt(now)
  for (const [away, found] of [
    [-2, undefined],
    [-1, step - 1],
    [0, step],
    [1, step + 1],
    [2, undefined],
  ] as const) {
    assert.equal(findTotpStep(secret, totpCode(secret, step + away), now), found, `${away} steps away`)
  }
  // A step lasts for 30 seconds to the millisecond.
  const code = totpCode(secret, step)
  assert.equal(findTotpStep(secret, code, now - 30_000), step)
  assert.equal(findTotpStep(secret, code, now - 30_001), undefined)
  assert.equal(findTotpStep(secret, code, now + 59_999), step)
  assert.equal(findTotpStep(secret, code, now + 60_000), undefined)
})

test('only six digits of ASCII are a code', () => {
  const now = 59_000
  assert.equal(findTotpStep(secret, '555770', now), 1)
  for (const code of [
    '',
    '55577',
    '5557700',
    '555 770',
    ' 55577',
    '0x5557',
    '-55577',
    '５５５７７０',
    '٥٥٥٧٧٠',
    '555770\n',
    '5.5e10',
  ]) {
    assert.equal(findTotpStep(secret, code, now), undefined, JSON.stringify(code))
  }
})

test('there is no step before the epoch', () => {
  assert.equal(findTotpStep(secret, totpCode(secret, 0), 0), 0)
})

test('base32 is that of RFC 4648 without padding', () => {
  for (const [text, encoded] of [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const) {
    assert.equal(toBase32(Buffer.from(text)), encoded)
  }
  assert.equal(toBase32(secret), 'AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ')
})
