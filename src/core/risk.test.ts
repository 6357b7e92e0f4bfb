import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distanceKm, networkOf, type Origin, type PastSignIn, riskLevel, riskSignals } from './risk.ts'

const hour = 3_600_000
const now = 1_800_000_000_000
const lyon = { city: 'Lyon', country: 'France', latitude: 45.76, longitude: 4.84 }
const paris = { city: 'Paris', country: 'France', latitude: 48.86, longitude: 2.35 }
const tokyo = { city: 'Tokyo', country: 'Japan', latitude: 35.68, longitude: 139.69 }

const home: Origin = { address: '192.0.2.7', device: 'laptop', place: lyon }
const past = (change: Partial<PastSignIn> = {}): PastSignIn => ({
  ...home,
  at: now - hour,
  isDistrusted: false,
  isPassed: true,
  ...change,
})

const table: [
  title: string,
  origin: Partial<Origin>,
  past: PastSignIn[],
  failures: number,
  level: string | undefined,
][] = [
  ['the first sign-in of a user', {}, [], 0, undefined],
  ['the same device at the same place', {}, [past()], 0, undefined],
  ['another address of the same network', { address: '192.0.2.99' }, [past()], 0, undefined],
  ['another network', { address: '198.51.100.7' }, [past()], 0, 'Low'],
  ['another device', { device: 'phone' }, [past()], 0, 'Low'],
  ['another device in another network', { device: 'phone', address: '198.51.100.7' }, [past()], 0, 'Medium'],
  ['a device that is known from before', { device: 'phone' }, [past(), past({ device: 'phone' })], 0, undefined],
  [
    'a device that was seen in a sign-in that failed',
    { device: 'phone' },
    [past(), past({ device: 'phone', isPassed: false })],
    0,
    'Low',
  ],
  [
    'a server that tells neither address nor device',
    { address: undefined, device: undefined, place: undefined },
    [past()],
    0,
    undefined,
  ],
  ['a device where none was ever known', {}, [past({ device: undefined })], 0, undefined],
  ['another city within reach', { place: paris }, [past()], 0, undefined],
  [
    'another country after a day',
    { address: '198.51.100.7', place: tokyo },
    [past({ at: now - 24 * hour })],
    0,
    'Medium',
  ],
  ['another continent after an hour', { address: '198.51.100.7', place: tokyo }, [past()], 0, 'High'],
  ['a city far away after a minute', { place: paris }, [past({ at: now - 60_000 })], 0, 'Medium'],
  ['four wrong passwords before', {}, [past()], 4, undefined],
  ['five wrong passwords before', {}, [past()], 5, 'Low'],
  ['ten wrong passwords before', {}, [past()], 10, 'Medium'],
  ['ten wrong passwords before the first sign-in of all', {}, [], 10, 'Medium'],
  [
    'ten wrong passwords, another device and network',
    { device: 'phone', address: '198.51.100.7' },
    [past()],
    10,
    'High',
  ],
  [
    'an address that the user has called foreign',
    { device: 'phone' },
    [past({ device: 'other', isDistrusted: true })],
    0,
    'High',
  ],
  ['a device that the user has called foreign', { address: '198.51.100.7' }, [past({ isDistrusted: true })], 0, 'High'],
]

for (const [title, origin, history, failures, level] of table) {
  test(`${title}: ${level ?? 'no risk'}`, () => {
    assert.equal(riskLevel(riskSignals({ ...home, ...origin }, history, { now, failures })), level)
  })
}

test('networks are those of a household', () => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2'],
    ['2001:db8:1:2::3', '2001:db8:1'],
    ['2001:DB8:0001::', '2001:db8:1'],
    ['2001:db8::1', '2001:db8:0'],
    ['::1', '0:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1'],
    ['fe80::1%eth0', 'fe80:0:0'],
  ] as const) {
    assert.equal(networkOf(address), network, address)
  }
})

test('distances are those of the globe', () => {
  assert.ok(Math.abs(distanceKm(lyon, paris) - 391) < 5)
  assert.ok(Math.abs(distanceKm(lyon, tokyo) - 9_900) < 100)
  assert.equal(distanceKm(lyon, lyon), 0)
})
