import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type AddressKind,
  addressKind,
  hostOf,
  isAllowedAddress,
  isAllowedHost,
  loopbackNetworks,
  noNetworks,
  parseNetworks,
} from './network-addresses.ts'

describe('the kind of an address', () => {
  const kinds: [string, AddressKind][] = [
    ['8.8.8.8', 'public'],
    ['93.184.216.34', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['168.63.129.15', 'public'],
    ['2606:4700::1111', 'public'],
    ['2a00:1450:4001::200e', 'public'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'private'],
    ['100.100.100.200', 'private'],
    ['127.0.0.1', 'private'],
    ['127.255.255.254', 'private'],
    ['169.254.169.254', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['::1', 'private'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'private'],
    ['fe80::1', 'private'],
    ['0.0.0.0', 'reserved'],
    ['0.1.2.3', 'reserved'],
    ['168.63.129.16', 'reserved'],
    ['192.0.0.8', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['198.19.255.255', 'reserved'],
    ['203.0.113.9', 'reserved'],
    ['224.0.0.1', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['::', 'reserved'],
    ['::ffff:127.0.0.1', 'reserved'],
    ['::ffff:8.8.8.8', 'reserved'],
    ['::ffff:7f00:1', 'reserved'],
    ['::127.0.0.1', 'reserved'],
    ['64:ff9b::7f00:1', 'reserved'],
    ['64:ff9b:1::1', 'reserved'],
    ['100::1', 'reserved'],
    ['2001::1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['2002:7f00:1::1', 'reserved'],
    ['3fff::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['ff02::1', 'reserved'],
    ['fe80::1%eth0', 'reserved'],
    ['', 'reserved'],
    ['localhost', 'reserved'],
    ['127.1', 'reserved'],
    ['0x7f000001', 'reserved'],
    ['1.2.3.4.5', 'reserved'],
  ]
  for (const [address, kind] of kinds) {
    test(`${address || 'nothing'} is ${kind}`, () => assert.equal(addressKind(address), kind))
  }
})

describe('allowed networks', () => {
  const networks = parseNetworks(['10.20.0.0/16', '192.168.7.7', 'fd12::/16', '::1', 'IdP.internal', 'localhost'])

  const addresses: [string, boolean][] = [
    ['10.20.0.1', true],
    ['10.20.255.255', true],
    ['10.21.0.1', false],
    ['192.168.7.7', true],
    ['192.168.7.8', false],
    ['fd12::9', true],
    ['fd13::9', false],
    ['::1', true],
    ['::2', false],
    ['::ffff:10.20.0.1', false],
    ['8.8.8.8', false],
    ['idp.internal', false],
    ['', false],
  ]
  for (const [address, allowed] of addresses) {
    test(`${address || 'nothing'} is ${allowed ? '' : 'not '}among them`, () =>
      assert.equal(isAllowedAddress(networks, address), allowed))
  }

  test('a host is compared as a whole', () => {
    assert.equal(isAllowedHost(networks, 'idp.internal'), true)
    assert.equal(isAllowedHost(networks, 'localhost'), true)
    assert.equal(isAllowedHost(networks, 'evil.idp.internal'), false)
    assert.equal(isAllowedHost(networks, 'internal'), false)
  })

  test('without entries nothing is allowed', () => {
    assert.equal(isAllowedAddress(noNetworks, '127.0.0.1'), false)
    assert.equal(isAllowedHost(noNetworks, 'localhost'), false)
  })

  test('loopback is both families', () => {
    const loopback = parseNetworks(loopbackNetworks)
    assert.equal(isAllowedAddress(loopback, '127.0.0.1'), true)
    assert.equal(isAllowedAddress(loopback, '::1'), true)
    assert.equal(isAllowedAddress(loopback, '0.0.0.0'), false)
    assert.equal(isAllowedAddress(loopback, '10.0.0.1'), false)
  })

  for (const entry of [
    '',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0',
    '256.0.0.1',
    'a b',
    '*.internal',
    '-a',
    '::/129',
    '10.0.0.0/-1',
    'http://a',
  ]) {
    test(`${entry || 'nothing'} is refused as an entry`, () =>
      assert.throws(
        () => parseNetworks(['10.0.0.0/8', entry]),
        new RangeError(`${entry} is not a host name, an address or a CIDR block`),
      ))
  }
})

describe('the host of a URL', () => {
  const hosts: [string, string][] = [
    ['https://IdP.Example.com/a', 'idp.example.com'],
    ['https://localhost./', 'localhost'],
    ['https://[::1]:8443/', '::1'],
    ['https://2130706433/', '127.0.0.1'],
    ['https://0177.0.0.1/', '127.0.0.1'],
    ['https://0x7f.1/', '127.0.0.1'],
    ['https://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
  ]
  for (const [url, host] of hosts) test(`${url} leads to ${host}`, () => assert.equal(hostOf(new URL(url)), host))
})
