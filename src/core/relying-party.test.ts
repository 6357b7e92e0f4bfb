import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isOriginOf } from './relying-party.ts'

const publicUrl = 'https://auth.example.com:8443'

describe('an origin may use passkeys', () => {
  for (const [relyingParty, origin] of [
    ['example.com', 'https://example.com'],
    ['example.com', 'https://app.example.com'],
    ['example.com', 'https://a.b.example.com'],
    ['example.com', 'https://auth.example.com:8443'],
    ['localhost', 'http://localhost:3000'],
    ['localhost', 'http://localhost'],
    ['localhost', 'https://localhost:9229'],
    ['localhost', 'http://demo.localhost:9229'],
    ['demo.localhost', 'http://demo.localhost:9229'],
  ] as const) {
    test(`of ${relyingParty} at ${origin}`, () => assert.equal(isOriginOf(relyingParty, origin, publicUrl), true))
  }
})

describe('an origin may not use passkeys', () => {
  for (const [relyingParty, origin] of [
    ['example.com', 'http://example.com'],
    ['example.com', 'https://example.com:444'],
    ['example.com', 'https://example.com:443'],
    ['example.com', 'https://example.com.'],
    ['example.com', 'https://example.com/'],
    ['example.com', 'https://EXAMPLE.com'],
    ['example.com', 'https://example.com@evil.example'],
    ['example.com', 'https://user@example.com'],
    ['example.com', 'https://notexample.com'],
    ['example.com', 'https://example.com.evil.example'],
    ['example.com', 'https://com'],
    ['example.com', 'https://example.org'],
    ['example.com', 'https://app.example.com:8443/path'],
    ['app.example.com', 'https://example.com'],
    ['app.example.com', 'https://other.example.com'],
    ['example.com', 'http://localhost:3000'],
    ['example.com', 'null'],
    ['example.com', ''],
    ['example.com', 'android:apk-key-hash:abc'],
    ['example.com', 'chrome-extension://example.com'],
    ['example.com', 'https://[::1]'],
    ['example.com', `https://${'a'.repeat(600)}.example.com`],
    ['localhost', 'ftp://localhost'],
    ['localhost', 'http://127.0.0.1:3000'],
    ['localhost', 'http://localhost.evil.example'],
    ['demo.localhost', 'http://localhost:9229'],
    ['demo.localhost', 'http://other.localhost:9229'],
  ] as const) {
    test(`of ${relyingParty} at ${origin.slice(0, 60)}`, () =>
      assert.equal(isOriginOf(relyingParty, origin, publicUrl), false))
  }
})
