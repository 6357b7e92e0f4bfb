import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuMsOf } from '../../test/support/cpu-time.ts'
import { deviceOf, deviceType } from './user-agents.ts'

const cases: [string | undefined, string][] = [
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.60 Safari/537.36',
    'Chrome 125 / macOS 15.0',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
    'Safari 17 / macOS 10.15.7',
  ],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0', 'Firefox 126 / Windows 10'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68',
    'Edge 126 / Windows 10',
  ],
  [
    'Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36',
    'Samsung Internet 25 / Android 14',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1',
    'Chrome 125 / iOS 17.5.1',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1',
    'Safari 16 / iPadOS 16.6',
  ],
  [
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36',
    'Chrome 124 / ChromeOS',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0', 'Firefox 127 / Linux'],
  ['Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7)', 'Android 13'],
  ['Chrome/', 'Chrome'],
  ['curl/8.5.0', 'unknown'],
  ['', 'unknown'],
  [undefined, 'unknown'],
]

for (const [userAgent, expected] of cases) {
  test(`${userAgent ?? 'no header'} is ${expected}`, () => assert.equal(deviceType(userAgent), expected))
}

test('browser and system are also told apart', () => {
  assert.deepEqual(deviceOf('Chrome/126.0 (Windows NT 6.1)'), { browser: 'Chrome 126', system: 'Windows 6.1' })
})

test('a header of any length is read at once', () => {
  for (const text of ['Chrome/'.repeat(100_000), `Windows NT ${'1.'.repeat(500_000)}`, '_'.repeat(1_000_000)]) {
    assert.ok(cpuMsOf(() => assert.ok(deviceType(text).length < 100)) < 500)
  }
})
