import assert from 'node:assert/strict'
import { createHash, getDiffieHellman } from 'node:crypto'
import { test } from 'node:test'
import type { Compute } from './ports.ts'
import {
  claimSignature,
  fakeSalt,
  fakeVerifier,
  k,
  N,
  pad,
  parseA,
  parseSalt,
  parseSrpTimestamp,
  parseVerifier,
  passwordVerifier,
  serverChallenge,
  sessionKey,
  toGroupBytes,
  toInteger,
  toIntegerHex,
  verifyPassword,
} from './srp.ts'

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % N
    if (bit === '1') result = (result * base) % N
  }
  return result
}

const compute: Pick<Compute, 'modPow'> = {
  modPow: async (base, exponent) => toGroupBytes(power(toInteger(base), toInteger(exponent))),
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

interface Vector {
  title: string
  poolName: string
  userId: string
  password: string
  salt: string
  a: string
  b: string
  verifier: string
  A?: string
  aDigits?: number
  bDigits?: number
  B: string
  u: string
  S: string
  K: string
  secretBlock: string
  timestamp: string
  signature: string
}

// `verifier`, `A`, `B` and `S` are SHA-256 of the padded integer.
const vectors: Vector[] = [
  {
    title: 'a user whose salt has its top bit set',
    poolName: 'TESTPOOL1',
    userId: '3f2a1c0e-7a1b-40c3-9d5e-0123456789ab',
    password: 'Passw0rd!',
    salt: '8badf00d0123456789abcdef01234567',
    a: 'aa'.repeat(32),
    b: 'bb'.repeat(32),
    verifier: '3beab3deb827846fd2a1868ac1682f02f97d02d8d1d55bfa0cf9d01faed34390',
    A: 'bfbf0e4034f75dfc8413d8a14e8e80cd97e3448c805043013a7622b52e57c6a1',
    B: '397dab93b2a569c4a0d21ff69e5d99005498855b9f05bfb02782ae45e7776d91',
    u: '58552acb824b660f8c656e5f6d03a225de5881f7505af535820379c50fa127c5',
    S: '65acb9f380a24af4595150fb31c45b1a5d385c10b9802ee37c0401e3da20b0aa',
    K: '285376a145ecb09bf35a903d8b113e4c',
    secretBlock: 'c2VjcmV0LWJsb2NrLWJ5dGVzLTAxMjM0NTY3ODk=',
    timestamp: 'Sat Nov 7 00:09:40 UTC 2026',
    signature: 'OeOveIXRkV0vddVHOBfPcCVqAHp/hFgy63tZUxQbVbc=',
  },
  {
    title: 'a user with A, B and salt of an odd number of digits and names beyond ASCII',
    poolName: 'abCdEf123',
    userId: 'j\u00fcrgen',
    password: 'p\u00e4ssword \u03a9 1!',
    salt: 'a1b2c3d4e5f60718293a4b5c6d7e8f9',
    a: 'f46dd28a5499d8efef0b8fb8ee1ec1c5a5e407c9381741d576ba8deb4f59ec3f',
    b: '40d674998c07527b12a31e2963b0603a34bb46ba1dbfdd51220a010f3b364d94',
    verifier: 'e50ab6196c76392b8ed5b6588b4da427344906f32e9fcf12de9994434e1aa7eb',
    A: '984fe4c155753d7dd02032f9fae3b93ed74f290707736479b2bdfccbdc36be9d',
    aDigits: 767,
    B: '7f4de7cf94d0f1e0ff75184a048b0fd3f5b36ab79aff1570c1ef7208be9ead1c',
    bDigits: 767,
    u: '498b0da7fd44bf3cd8fe70d3e7fc3ae6753028f3f9a13d9078947840d1a059ea',
    S: 'e0dde3e483fa863d26589b18bea41fa8d719932c5fcd8f6ae584b36ceadbfd26',
    K: 'e1b34e91a4cd05ad98d6b54f500641da',
    secretBlock: 'AAECc2VjcmV0',
    timestamp: 'Wed Mar 18 13:05:09 UTC 2026',
    signature: 'LBkDlJVWr+yS2+53rkircMKf3EEBSXENd+dUvXXpU9M=',
  },
  {
    title: 'a device whose u has its top bit set',
    poolName: '-AbCdEfGh',
    userId: 'us-east-1_11111111-2222-3333-4444-555555555555',
    password: 'cmFuZG9tLXBhc3N3b3JkLTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=',
    salt: '11223344556677889900aabbccddeeff',
    a: 'aa'.repeat(32),
    b: 'bb'.repeat(32),
    verifier: '67f4965c19d9f932c10acfb7eccb330b5b554fbe600825ec9cfcff2fc42c626d',
    B: '3ed13158daad8abc77915ac32e55e9b0edc6ff4c8925633cf3d1c2697abd9b51',
    u: 'b1f4b8d91acbb0701053a023a00a91e8502a78abed937e0924ee212f6d704cf8',
    S: '559ed459421eed5e087666ffa4fb36627a62387576950ca5bf03e412fc29bdf3',
    K: '320fccfe1b138f99db9940483835f75a',
    secretBlock: 'ZGV2aWNlLXNlY3JldC1ibG9jaw==',
    timestamp: 'Sat Nov 7 00:09:40 UTC 2026',
    signature: 'pLoYOBNljII3XyBgHhVJo4GDS7d/m70ctzg9KwF8HhQ=',
  },
]

for (const vector of vectors) {
  test(`the published arithmetic comes out for ${vector.title}`, async () => {
    const { poolName, userId, password } = vector
    const record = await passwordVerifier(compute, poolName, userId, password, hex(vector.salt.padStart(32, '0')))
    assert.equal(record.salt, vector.salt)
    assert.equal(record.verifier.length, 384)
    assert.equal(digest(pad(record.verifier)), vector.verifier)
    assert.equal(await verifyPassword(compute, poolName, userId, password, record), true)

    const aHex = power(2n, BigInt(`0x${vector.a}`)).toString(16)
    const A = parseA(aHex)
    assert.ok(A !== undefined)
    if (vector.A !== undefined) assert.equal(digest(pad(A)), vector.A)
    if (vector.aDigits !== undefined) assert.equal(aHex.length, vector.aDigits)

    const { b, B } = await serverChallenge(compute, record.verifier, hex(vector.b))
    assert.equal(digest(pad(B)), vector.B)
    assert.equal(b.toString('hex'), vector.b)
    if (vector.bDigits !== undefined) assert.equal(toIntegerHex(B).length, vector.bDigits)

    const powers: Buffer[] = []
    const watched: Pick<Compute, 'modPow'> = {
      async modPow(base, exponent) {
        const result = await compute.modPow(base, exponent)
        powers.push(exponent, result)
        return result
      },
    }
    const K = await sessionKey(watched, { A, B, b, verifier: record.verifier })
    assert.equal(powers[0]?.toString('hex'), vector.u)
    assert.equal(digest(pad(powers[3] ?? Buffer.alloc(0))), vector.S)
    assert.equal(K?.toString('hex'), vector.K)

    const secretBlock = Buffer.from(vector.secretBlock, 'base64')
    const signature = claimSignature(K ?? Buffer.alloc(0), poolName, userId, secretBlock, vector.timestamp)
    assert.equal(signature.toString('base64'), vector.signature)
  })
}

test('N is the prime of RFC 3526, group 15, and k the multiplier that clients use', () => {
  assert.equal(N, BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`))
  assert.equal(k.toString(16), '538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6')
})

test('PAD writes the shortest form with a sign bit', () => {
  const table: [input: string, expected: string][] = [
    ['', '00'],
    ['00', '00'],
    ['0000', '00'],
    ['01', '01'],
    ['7f', '7f'],
    ['80', '0080'],
    ['ff', '00ff'],
    ['0080', '0080'],
    ['000080', '0080'],
    ['00007f', '7f'],
    ['0100', '0100'],
    ['8badf0', '008badf0'],
    ['0a1b', '0a1b'],
  ]
  for (const [input, expected] of table) assert.equal(pad(hex(input)).toString('hex'), expected, input)
})

test('SRP_A is read in either case, with odd length and with leading zeros', () => {
  const table: [input: string, expected: bigint][] = [
    ['2', 2n],
    ['abc', 0xabcn],
    ['ABC', 0xabcn],
    ['aBcD', 0xabcdn],
    [`${'0'.repeat(769)}2`, 2n],
    [(N - 2n).toString(16), N - 2n],
    [`00${(N - 2n).toString(16).toUpperCase()}`, N - 2n],
    [(N >> 9n).toString(16), N >> 9n],
  ]
  for (const [input, expected] of table) assert.deepEqual(parseA(input), toGroupBytes(expected), input)
})

test('SRP_A is refused where it is no hex, too long, or would fix the session key', () => {
  const numbers = [0n, 1n, N - 1n, N, N + 1n, N + 2n, 2n * N, 3n * N, 100n * N]
  const texts = ['', ' ', '0x2', '-1', '+2', '2 ', ' 2', '2\n', '1e5g', '\u0662', 'zz', '00', '2'.repeat(771)]
  for (const input of [...texts, ...numbers.map(number => number.toString(16)), '0'.repeat(770), '2'.repeat(100_000)]) {
    assert.equal(parseA(input), undefined, input.slice(0, 40))
  }
})

test('a verifier from outside is read with and without its sign byte', () => {
  const bytes = toGroupBytes(N - 2n)
  assert.deepEqual(parseVerifier(bytes), bytes)
  assert.deepEqual(parseVerifier(pad(bytes)), bytes)
  assert.deepEqual(parseVerifier(hex('0203')), toGroupBytes(0x203n))
})

test('a verifier from outside that lets anyone in is refused', () => {
  for (const number of [0n, 1n, N - 1n, N, N + 1n, 2n * N]) {
    assert.equal(parseVerifier(pad(hex(number.toString(16).padStart(770, '0')))), undefined)
  }
  assert.equal(parseVerifier(Buffer.alloc(0)), undefined)
  assert.equal(parseVerifier(Buffer.alloc(386, 0).fill(5, 385)), undefined)
  assert.equal(parseVerifier(Buffer.alloc(100_000, 7)), undefined)
})

test('a salt from outside becomes the hex of its integer', () => {
  assert.equal(parseSalt(Buffer.from('ESIzRFVmd4iZAKq7zN3u/w==', 'base64')), '11223344556677889900aabbccddeeff')
  assert.equal(parseSalt(hex(`00${'ff'.repeat(16)}`)), 'ff'.repeat(16))
  assert.equal(parseSalt(hex(`0a${'00'.repeat(15)}`)), `a${'00'.repeat(15)}`)
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(16), Buffer.alloc(65, 1)])
    assert.equal(parseSalt(bytes), undefined)
})

test('salts with leading zeros give the verifier that clients compute from the integer', async () => {
  const long = await passwordVerifier(compute, 'pool', 'ann', 'Passw0rd!', hex(`0000${'7a'.repeat(14)}`))
  const short = await passwordVerifier(compute, 'pool', 'ann', 'Passw0rd!', hex('7a'.repeat(14)))
  assert.deepEqual(long, short)
  assert.equal(long.salt, '7a'.repeat(14))
})

test('only the right password of the right user in the right pool fits a verifier', async () => {
  const record = await passwordVerifier(compute, 'pool', 'ann', 'Passw0rd!', hex('1f'.repeat(16)))
  const attempts: [poolName: string, userId: string, password: string, salt: string, fits: boolean][] = [
    ['pool', 'ann', 'Passw0rd!', record.salt, true],
    ['pool', 'ann', 'Passw0rd', record.salt, false],
    ['pool', 'ann', '', record.salt, false],
    ['pool', 'Ann', 'Passw0rd!', record.salt, false],
    ['Pool', 'ann', 'Passw0rd!', record.salt, false],
    ['pool', 'ann', 'Passw0rd!', '1f', false],
  ]
  for (const [poolName, userId, password, salt, fits] of attempts) {
    const { verifier } = record
    assert.equal(await verifyPassword(compute, poolName, userId, password, { salt, verifier }), fits)
  }
  const cut = { salt: record.salt, verifier: record.verifier.subarray(1) }
  assert.equal(await verifyPassword(compute, 'pool', 'ann', 'Passw0rd!', cut), false)
})

test('a challenge takes at least 256 bits of randomness', async () => {
  const verifier = toGroupBytes(power(2n, 12345n))
  await assert.rejects(serverChallenge(compute, verifier, Buffer.alloc(31, 1)), RangeError)
  const one = await serverChallenge(compute, verifier, Buffer.alloc(32, 1))
  const other = await serverChallenge(compute, verifier, Buffer.alloc(32, 2))
  assert.notDeepEqual(one.B, other.B)
  assert.equal(one.b.length, 32)
})

test('B is never zero modulo N', async () => {
  const randomBytes = Buffer.alloc(32, 0x5a)
  const inverseOfK = power(k, N - 2n)
  const verifier = ((N - power(2n, toInteger(randomBytes))) * inverseOfK) % N
  const { b, B } = await serverChallenge(compute, toGroupBytes(verifier), randomBytes)
  assert.notEqual(toInteger(B), 0n)
  assert.notDeepEqual(b, randomBytes)
  assert.equal(toInteger(B), (k * verifier + power(2n, toInteger(b))) % N)
})

test('an exchange ends when u is zero', async () => {
  const verifier = toGroupBytes(power(2n, 99n))
  const exchange = { A: toGroupBytes(5n), B: toGroupBytes(6n), b: Buffer.alloc(32, 3), verifier }
  assert.equal((await sessionKey(compute, exchange))?.length, 16)
  assert.equal(await sessionKey(compute, exchange, () => Buffer.alloc(32)), undefined)
})

test('TIMESTAMP is read in the form of Java and JavaScript clients', () => {
  const table: [text: string, time: string][] = [
    ['Sat Nov 7 00:09:40 UTC 2026', '2026-11-07T00:09:40Z'],
    ['Sat Nov 07 00:09:40 UTC 2026', '2026-11-07T00:09:40Z'],
    ['Wed Mar 18 13:05:09 UTC 2026', '2026-03-18T13:05:09Z'],
    ['Thu Feb 29 23:59:59 UTC 2024', '2024-02-29T23:59:59Z'],
    ['Thu Jan 1 00:00:00 UTC 1970', '1970-01-01T00:00:00Z'],
  ]
  for (const [text, time] of table) assert.equal(parseSrpTimestamp(text), Date.parse(time), text)
})

test('TIMESTAMP in any other form is refused', () => {
  const texts = [
    '',
    'Sun Nov 7 00:09:40 UTC 2026',
    'Sat Nov  7 00:09:40 UTC 2026',
    'Sat Nov 007 00:09:40 UTC 2026',
    'sat Nov 7 00:09:40 UTC 2026',
    'Sat NOV 7 00:09:40 UTC 2026',
    'Sa. Nov 7 00:09:40 UTC 2026',
    'Sam Nov 7 00:09:40 UTC 2026',
    'Sat Nov 7 00:09:40 GMT 2026',
    'Sat Nov 7 00:09:40 CET 2026',
    'Sat Nov 7 0:09:40 UTC 2026',
    'Sat Nov 7 24:00:00 UTC 2026',
    'Fri Nov 6 24:00:00 UTC 2026',
    'Sat Nov 7 00:60:40 UTC 2026',
    'Sat Nov 7 00:09:60 UTC 2026',
    'Sat Nov 7 00:09:40 UTC 26',
    'Thu Jan 1 00:00:00 UTC 0070',
    'Sun Feb 29 00:00:00 UTC 2026',
    'Sun Mar 0 00:00:00 UTC 2026',
    'Sat Nov 7 00:09:40 UTC 2026\n',
    ' Sat Nov 7 00:09:40 UTC 2026',
    'Sat Nov 7 00:09:40 UTC 20266',
    '2026-11-07T00:09:40.000Z',
    'Sat, 07 Nov 2026 00:09:40 GMT',
    `Sat Nov 7 00:09:40 UTC 2026${' '.repeat(1_000_000)}`,
    '\u0660'.repeat(28),
  ]
  for (const text of texts) assert.equal(parseSrpTimestamp(text), undefined, text.slice(0, 40))
})

test('an unknown user has the same salt and verifier each time, and no other user has them', () => {
  const key = Buffer.alloc(32, 9)
  const salts = new Set<string>()
  const verifiers = new Set<string>()
  const names: [key: Buffer, poolId: string, username: string][] = [
    [key, 'eu-west-1_AAAAAAAAA', 'ann'],
    [key, 'eu-west-1_AAAAAAAAA', 'bob'],
    [key, 'eu-west-1_BBBBBBBBB', 'ann'],
    [Buffer.alloc(32, 8), 'eu-west-1_AAAAAAAAA', 'ann'],
    [key, 'eu-west-1_AAAAAAAAAann', ''],
    [key, '', 'eu-west-1_AAAAAAAAAann'],
  ]
  for (const name of names) {
    assert.equal(fakeSalt(...name), fakeSalt(...name))
    assert.deepEqual(fakeVerifier(...name), fakeVerifier(...name))
    salts.add(fakeSalt(...name))
    verifiers.add(fakeVerifier(...name).toString('hex'))
  }
  assert.deepEqual([salts.size, verifiers.size], [names.length, names.length])
})

test('the salts of unknown users have the lengths that real ones have', () => {
  const lengths = new Map<number, number>()
  for (let index = 0; index < 4096; index += 1) {
    const { length } = fakeSalt(Buffer.alloc(32, 1), 'eu-west-1_AAAAAAAAA', `user-${index}`)
    lengths.set(length, (lengths.get(length) ?? 0) + 1)
  }
  // Fifteen of sixteen random integers of 16 bytes have 32 digits, one in 16 is shorter.
  const full = (lengths.get(32) ?? 0) / 4096
  assert.ok(full > 0.92 && full < 0.955, String(full))
  assert.equal(Math.max(...lengths.keys()), 32)
})

test('the verifiers of unknown users are squares below N, as real ones are', () => {
  for (const name of ['ann', 'bob', 'cyd']) {
    const verifier = fakeVerifier(Buffer.alloc(32, 1), 'eu-west-1_AAAAAAAAA', name)
    assert.equal(verifier.length, 384)
    assert.ok(toInteger(verifier) > 1n && toInteger(verifier) < N - 1n)
    assert.equal(power(toInteger(verifier), (N - 1n) / 2n), 1n)
  }
})
