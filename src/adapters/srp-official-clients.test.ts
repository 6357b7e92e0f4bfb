/**
 * The SRP code that Amazon ships to applications, signing in against the server's. What differs between SRP
 * implementations is encoding: leading zeros, sign bytes, odd digits. So the clients run as they are, thousands of
 * times, with short values made on purpose where chance makes too few. Only their modular exponentiation, which takes
 * a hundred times as long as OpenSSL's, is exchanged for most of the runs.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Compute } from '../core/ports.ts'
import {
  claimSignature,
  k,
  N,
  pad,
  parseA,
  parseSalt,
  parseSrpTimestamp,
  parseVerifier,
  passwordVerifier,
  type SrpPassword,
  serverChallenge,
  sessionKey,
  toGroupBytes,
  toInteger,
  toIntegerHex,
} from '../core/srp.ts'
import { createCompute } from './compute.ts'
import { modPowByRsa, withAnyNumbers } from './mod-pow.ts'

// ---------------------------------------------------------------------------------------------- amazon-cognito-identity-js

interface BigInteger {
  toString(radix: number): string
  mod(modulus: BigInteger): BigInteger
}

type Callback<Result> = (error: unknown, result: Result) => void

interface BigIntegerClass {
  new (hex: string, radix: number): BigInteger
  prototype: { modPow(exponent: BigInteger, modulus: BigInteger, callback: Callback<BigInteger>): BigInteger }
}

interface AuthenticationHelper {
  getLargeAValue(callback: Callback<BigInteger>): void
  getPasswordAuthenticationKey(
    username: string,
    password: string,
    serverBValue: BigInteger,
    salt: BigInteger,
    callback: Callback<Uint8Array>,
  ): void
  generateHashDevice(groupKey: string, deviceKey: string, callback: Callback<null>): void
  getRandomPassword(): string
  getSaltDevices(): string
  getVerifierDevices(): string
  computehkdf(ikm: Buffer, salt: Buffer): Uint8Array
}

interface AuthenticationHelperClass {
  new (poolName: string): AuthenticationHelper
  prototype: { generateRandomSmallA(): BigInteger }
}

const require = createRequire(import.meta.url)
const ofClient = createRequire(require.resolve('amazon-cognito-identity-js'))
const { default: BigInteger } = ofClient('./BigInteger') as { default: BigIntegerClass }
const { default: AuthenticationHelper } = ofClient('./AuthenticationHelper') as { default: AuthenticationHelperClass }
const { default: DateHelper } = ofClient('./DateHelper') as { default: new () => { getNowString(): string } }
const { Sha256 } = ofClient('@aws-crypto/sha256-js') as {
  Sha256: new (key: Uint8Array) => { update(data: Uint8Array): void; digestSync(): Uint8Array }
}

const promised = <Result>(start: (callback: Callback<Result>) => void): Promise<Result> =>
  new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result))))

const randomSmallA = AuthenticationHelper.prototype.generateRandomSmallA
/** A client whose secret a is this hex, or its own random 1024 bits. */
const newHelper = (poolName: string, a?: string): AuthenticationHelper => {
  AuthenticationHelper.prototype.generateRandomSmallA = a === undefined ? randomSmallA : () => new BigInteger(a, 16)
  return new AuthenticationHelper(poolName)
}

// ---------------------------------------------------------------------------------------------- fast exponentiation

const compute = createCompute()
after(() => compute.close())

const fastModPow = withAnyNumbers(modPowByRsa)
const evenHex = (hex: string): string => (hex.length % 2 === 0 ? hex : `0${hex}`)

/** g^x as the server has computed it, by x: a client that arrives at the same x need not compute it again. */
const knownPowers = new Map<string, string>()
const rememberingCompute: Pick<Compute, 'modPow'> = {
  async modPow(base, exponent) {
    const result = await compute.modPow(base, exponent)
    knownPowers.set(`${toIntegerHex(base)} ${toIntegerHex(exponent)}`, result.toString('hex'))
    return result
  },
}

const slowModPow = BigInteger.prototype.modPow
const useFastModPow = (): void => {
  BigInteger.prototype.modPow = function (this: BigInteger, exponent, modulus, callback) {
    const [base, e] = [this.mod(modulus).toString(16), exponent.toString(16)]
    const power =
      knownPowers.get(`${base} ${e}`) ??
      fastModPow(Buffer.from(evenHex(base), 'hex'), Buffer.from(evenHex(e), 'hex')).toString('hex')
    const result = new BigInteger(power, 16)
    callback(null, result)
    return result
  }
}
const useOwnModPow = (): void => {
  BigInteger.prototype.modPow = slowModPow
}

// ---------------------------------------------------------------------------------------------- one sign-in

const poolName = 'TESTPOOL1'
const secretBlock = randomBytes(48).toString('base64')

interface Sizes {
  /** Hex digits of the integers, leading zeros not counted. */
  A: number
  B: number
  S: number
  u: number
  salt: number
}

/** Signs in as the client does and returns whether the server agrees, with the sizes of the values that were hashed. */
const signIn = async (
  helper: AuthenticationHelper,
  pool: string,
  userId: string,
  password: string,
  record: SrpPassword,
  b: Buffer = randomBytes(32),
): Promise<{ agreed: boolean; sizes: Sizes }> => {
  const sizes: Sizes = { A: 0, B: 0, S: 0, u: 0, salt: record.salt.length }
  const hkdf = helper.computehkdf
  helper.computehkdf = (ikm, salt) => {
    sizes.S = toIntegerHex(ikm).length
    sizes.u = toIntegerHex(salt).length
    return hkdf.call(helper, ikm, salt)
  }

  const srpA = (await promised<BigInteger>(callback => helper.getLargeAValue(callback))).toString(16)
  const A = parseA(srpA)
  assert.ok(A !== undefined)
  const challenge = await serverChallenge(compute, record.verifier, b)
  const srpB = toIntegerHex(challenge.B)
  sizes.A = srpA.length
  sizes.B = srpB.length

  const key = await promised<Uint8Array>(callback =>
    helper.getPasswordAuthenticationKey(
      userId,
      password,
      new BigInteger(srpB, 16),
      new BigInteger(record.salt, 16),
      callback,
    ),
  )
  const timestamp = new DateHelper().getNowString()
  const hmac = new Sha256(key)
  const names = [Buffer.from(pool), Buffer.from(userId)]
  hmac.update(Buffer.concat([...names, Buffer.from(secretBlock, 'base64'), Buffer.from(timestamp)]))
  const signature = Buffer.from(hmac.digestSync())

  assert.ok(Math.abs((parseSrpTimestamp(timestamp) ?? 0) - Date.now()) < 5_000)
  const K = await sessionKey(compute, { A, B: challenge.B, b: challenge.b, verifier: record.verifier })
  assert.ok(K !== undefined)
  const expected = claimSignature(K, pool, userId, Buffer.from(secretBlock, 'base64'), timestamp)
  return { agreed: signature.length === expected.length && timingSafeEqual(signature, expected), sizes }
}

const alphabet = [...'abcXYZ0189!"$%&/()=?`^ \u00e4\u00df\u03a9\u4e2d\u{1f600}:']
const randomPassword = (): string =>
  Array.from({ length: randomInt(6, 40) }, () => alphabet[randomInt(alphabet.length)]).join('')

const newRecord = (userId: string, password: string, salt = randomBytes(16)): Promise<SrpPassword> =>
  passwordVerifier(rememberingCompute, poolName, userId, password, salt)

/** A random a of this many bytes in hex; never zero. */
const secret = (bytes: number): string =>
  randomBytes(bytes)
    .fill(1, bytes - 1)
    .toString('hex')

// ---------------------------------------------------------------------------------------------- tests

before(useFastModPow)

test('10,000 sign-ins of amazon-cognito-identity-js succeed, short values among them', async t => {
  const seen = new Map<string, number>()
  const count = (what: string, holds: boolean): void => {
    if (holds) seen.set(what, (seen.get(what) ?? 0) + 1)
  }
  const full: Sizes = { A: 768, B: 768, S: 768, u: 64, salt: 32 }
  let users = 0
  const signInTwice = async (): Promise<void> => {
    const user = users++
    const userId = user % 5 === 0 ? `j\u00fcrgen-${user}` : `user-${user}`
    const password = randomPassword()
    const salt = randomBytes(16)
    // Every fourth salt begins with a zero nibble, zero bytes, or a lone top bit.
    if (user % 4 === 0) salt.set([[0x0f], [0x00], [0x00, 0x00, 0x80], [0x80]][(user / 4) % 4] ?? [])
    const record = await newRecord(userId, password, salt)
    for (const round of [0, 1]) {
      // The client's own a has 1024 bits. Shorter ones give an A of full length all the same, and save time.
      const a = user % 100 === round ? undefined : secret(user % 10 === 0 ? 32 : 8)
      const { agreed, sizes } = await signIn(newHelper(poolName, a), poolName, userId, password, record)
      assert.ok(agreed, `user ${userId}, password ${password}, salt ${record.salt}`)
      for (const name of ['A', 'B', 'S', 'u', 'salt'] as const) {
        count(`${name} of full length`, sizes[name] === full[name])
        count(`${name} with a leading zero nibble`, sizes[name] === full[name] - 1)
        count(`${name} with a leading zero byte`, sizes[name] <= full[name] - 2)
      }
    }
  }
  for (let group = 0; group < 500; group += 1) {
    await Promise.all(Array.from({ length: 10 }, signInTwice))
    knownPowers.clear()
  }
  assert.equal(users, 5_000)
  for (const name of Object.keys(full)) {
    for (const form of ['of full length', 'with a leading zero nibble', 'with a leading zero byte']) {
      assert.ok((seen.get(`${name} ${form}`) ?? 0) > 0, `no ${name} ${form} came up`)
    }
  }
  t.diagnostic([...seen].map(([what, times]) => `${what}: ${times}`).join(', '))
})

test('sign-ins succeed with an A of any length', async () => {
  const record = await newRecord('ann', 'Passw0rd!')
  // A = 2^a, so that a counts the bits of A.
  for (let a = 1; a < 3072; a += 23) {
    const { agreed, sizes } = await signIn(newHelper(poolName, a.toString(16)), poolName, 'ann', 'Passw0rd!', record)
    assert.ok(agreed, `A = 2^${a}`)
    assert.equal(sizes.A, Math.floor(a / 4) + 1)
  }
})

/** The first b at or after a random one for which the value is as wished; g^(b+1) is one doubling away from g^b. */
const findB = (verifier: Buffer, wished: (B: bigint, b: Buffer) => boolean): Buffer => {
  const start = toInteger(randomBytes(32)) | (1n << 255n)
  const kv = (k * toInteger(verifier)) % N
  let power = toInteger(fastModPow(Buffer.of(2), toGroupBytes(start)))
  for (let b = start; ; b += 1n) {
    const bytes = Buffer.from(b.toString(16).padStart(64, '0'), 'hex')
    if (wished((kv + power) % N, bytes)) return bytes
    power = (power * 2n) % N
  }
}

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

test('sign-ins succeed with B, u and S that begin with zero bytes', async () => {
  const record = await newRecord('ann', 'Passw0rd!')
  const { verifier } = record
  const a = secret(32)
  const A = fastModPow(Buffer.of(2), Buffer.from(a, 'hex'))
  const uOf = (B: bigint): Buffer => sha256(pad(A), pad(toGroupBytes(B)))
  const sOf = (B: bigint, b: Buffer): bigint =>
    toInteger(fastModPow(toGroupBytes((toInteger(A) * toInteger(fastModPow(verifier, uOf(B)))) % N), b))
  const cases: [name: 'B' | 'S' | 'u', digits: number, rounds: number, wished: (B: bigint, b: Buffer) => boolean][] = [
    ['B', 767, 4, B => B >> 3068n === 0n],
    ['B', 766, 4, B => B >> 3064n === 0n],
    ['B', 764, 1, B => B >> 3056n === 0n],
    ['u', 63, 4, B => (uOf(B)[0] ?? 0) < 0x10],
    ['u', 62, 4, B => uOf(B)[0] === 0],
    ['u', 62, 4, B => uOf(B)[0] === 0 && (uOf(B)[1] ?? 0) >= 0x80],
    ['S', 767, 2, (B, b) => sOf(B, b) >> 3068n === 0n],
    ['S', 766, 2, (B, b) => sOf(B, b) >> 3064n === 0n],
  ]
  for (const [name, digits, rounds, wished] of cases) {
    for (let round = 0; round < rounds; round += 1) {
      const b = findB(verifier, wished)
      const { agreed, sizes } = await signIn(newHelper(poolName, a), poolName, 'ann', 'Passw0rd!', record, b)
      assert.ok(agreed, `${name} of ${digits} digits`)
      assert.ok(sizes[name] <= digits, `${name} has ${sizes[name]} digits`)
    }
  }
})

test('a sign-in with anything but the password, the user and the pool of the verifier fails', async () => {
  const record = await newRecord('ann', 'Passw0rd!')
  const attempts: [pool: string, userId: string, password: string, expected: boolean][] = [
    [poolName, 'ann', 'Passw0rd!', true],
    [poolName, 'ann', 'Passw0rd', false],
    [poolName, 'ann', '', false],
    [poolName, 'Ann', 'Passw0rd!', false],
    ['TESTPOOL2', 'ann', 'Passw0rd!', false],
  ]
  for (const [pool, userId, password, expected] of attempts) {
    assert.equal((await signIn(newHelper(pool), pool, userId, password, record)).agreed, expected)
  }
})

/** What ConfirmDevice receives: base64 of the padded integers. */
const registerDevice = async (
  helper: AuthenticationHelper,
  groupKey: string,
  deviceKey: string,
): Promise<SrpPassword> => {
  await promised<null>(callback => helper.generateHashDevice(groupKey, deviceKey, callback))
  const salt = parseSalt(Buffer.from(helper.getSaltDevices(), 'hex'))
  const verifier = parseVerifier(Buffer.from(helper.getVerifierDevices(), 'hex'))
  assert.ok(salt !== undefined && verifier !== undefined)
  return { salt, verifier }
}

test('devices sign in with the verifier that they registered', async () => {
  const [groupKey, deviceKey] = ['-AbCdEfGh', 'us-east-1_11111111-2222-3333-4444-555555555555']
  for (let run = 0; run < 100; run += 1) {
    const record = await registerDevice(newHelper(groupKey, secret(8)), groupKey, deviceKey)
    const other = newHelper(groupKey, secret(8))
    await promised<null>(callback => other.generateHashDevice(groupKey, deviceKey, callback))
    const { agreed } = await signIn(other, groupKey, deviceKey, other.getRandomPassword(), record)
    assert.equal(agreed, false)
    const helper = newHelper(groupKey, secret(8))
    const own = await registerDevice(helper, groupKey, deviceKey)
    const signedIn = await signIn(helper, groupKey, deviceKey, helper.getRandomPassword(), own)
    assert.ok(signedIn.agreed, `salt ${own.salt}`)
  }
})

test('amazon-cognito-identity-js signs in untouched', async () => {
  useOwnModPow()
  for (let run = 0; run < 20; run += 1) {
    const password = randomPassword()
    const record = await newRecord('ann', password)
    assert.ok((await signIn(newHelper(poolName), poolName, 'ann', password, record)).agreed)
  }
  const helper = newHelper('-AbCdEfGh')
  const device = await registerDevice(helper, '-AbCdEfGh', 'device')
  assert.ok((await signIn(helper, '-AbCdEfGh', 'device', helper.getRandomPassword(), device)).agreed)
  useFastModPow()
})

// ---------------------------------------------------------------------------------------------- aws-amplify

interface AmplifyHelper {
  A: BigInteger
  getPasswordAuthenticationKey(input: {
    username: string
    password: string
    serverBValue: BigInteger
    salt: BigInteger
  }): Promise<Uint8Array>
}

interface AmplifySrp {
  getAuthenticationHelper(poolName: string): Promise<AmplifyHelper>
  getNowString(): string
  getSignatureString(input: {
    userPoolName: string
    username: string
    challengeParameters: { SECRET_BLOCK: string }
    dateNow: string
    hkdf: Uint8Array
  }): string
}

test('aws-amplify signs in untouched', async () => {
  // The package exports its public functions only; the modules behind them lie beside its main file.
  const srp = new URL('providers/cognito/utils/srp/', import.meta.resolve('@aws-amplify/auth'))
  const amplify = (await import(new URL('index.mjs', srp).href)) as AmplifySrp
  const numbers = (await import(new URL('BigInteger/BigInteger.mjs', srp).href)) as { default: BigIntegerClass }
  for (let run = 0; run < 10; run += 1) {
    const password = randomPassword()
    const record = await newRecord('ann', password)
    const helper = await amplify.getAuthenticationHelper(poolName)
    const A = parseA(helper.A.toString(16))
    assert.ok(A !== undefined)
    const { b, B } = await serverChallenge(compute, record.verifier, randomBytes(32))
    const hkdf = await helper.getPasswordAuthenticationKey({
      username: 'ann',
      password,
      serverBValue: new numbers.default(toIntegerHex(B), 16),
      salt: new numbers.default(record.salt, 16),
    })
    const dateNow = amplify.getNowString()
    const challengeParameters = { SECRET_BLOCK: secretBlock }
    const signature = amplify.getSignatureString({
      userPoolName: poolName,
      username: 'ann',
      challengeParameters,
      dateNow,
      hkdf,
    })
    assert.notEqual(parseSrpTimestamp(dateNow), undefined)
    const K = await sessionKey(compute, { A, B, b, verifier: record.verifier })
    assert.ok(K !== undefined)
    const expected = claimSignature(K, poolName, 'ann', Buffer.from(secretBlock, 'base64'), dateNow)
    assert.equal(signature, expected.toString('base64'))
  }
})
