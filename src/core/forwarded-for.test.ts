import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddress, subscriberOf } from './forwarded-for.ts'
import { parseNetworks } from './network-addresses.ts'

const proxies = parseNetworks(['10.0.0.0/8', 'fd00::/8'])

test('the client is the last address before the trusted proxies', () => {
  const cases: [connected: string | undefined, header: string | undefined, expected: string | undefined][] = [
    ['10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['fd00::1', '2001:db8::7', '2001:db8::7'],
    ['10.0.0.1', '203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['10.0.0.1', '203.0.113.7:4711,10.0.0.2:80', '203.0.113.7'],
    ['10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    // What a client has written himself.
    ['10.0.0.1', '127.0.0.1, 203.0.113.7', '203.0.113.7'],
    ['10.0.0.1', '10.0.0.9, 203.0.113.7', '203.0.113.7'],
    // Who is no proxy is not believed.
    ['203.0.113.7', '127.0.0.1', '203.0.113.7'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.7, _hidden', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.7,'.repeat(500), '10.0.0.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
    [undefined, '203.0.113.7', undefined],
  ]
  for (const [connected, header, expected] of cases) {
    assert.equal(clientAddress(connected, header, proxies), expected, `${connected} ${header}`)
  }
  assert.equal(clientAddress('10.0.0.1', '203.0.113.7', undefined), '10.0.0.1')
})

test('a network of IPv6 that one subscriber has is one address', () => {
  const cases: [string | undefined, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    [undefined, 'unknown'],
  ]
  for (const [address, expected] of cases) assert.equal(subscriberOf(address), expected, address)
})
