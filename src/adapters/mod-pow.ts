/**
 * base^exponent mod N in the SRP group, by the fastest way that the crypto library at hand allows.
 *
 * The RSA way is not constant in time. That is sound here because no secret exponent is used twice where somebody
 * could measure it: b is new for every sign-in, u is public, and x is used only when its owner sends the password.
 */
import { constants, createDiffieHellman, createPublicKey, publicEncrypt } from 'node:crypto'
import { groupBytes, N, toGroupBytes, toInteger } from '../core/srp.ts'

/** 384 bytes from a base in 2 … N - 2 of 384 bytes and an exponent in 1 … N - 2 without leading zero bytes. */
export type ModPow = (base: Buffer, exponent: Buffer) => Buffer

const modulus = toGroupBytes(N).toString('base64url')

/**
 * RSA without padding is exactly this function: the base is the message, the exponent is the public exponent. OpenSSL
 * takes long public exponents for moduli of up to 3072 bits. Making the key costs a twentieth of the whole.
 */
export const modPowByRsa: ModPow = (base, exponent) => {
  const jwk = { kty: 'RSA', n: modulus, e: exponent.toString('base64url') }
  return publicEncrypt({ key: createPublicKey({ key: jwk, format: 'jwk' }), padding: constants.RSA_NO_PADDING }, base)
}

/** For libraries that insist on odd RSA exponents: base^e = base^(e-1) · base. */
export const withOddExponents =
  (modPow: ModPow): ModPow =>
  (base, exponent) => {
    const last = exponent.length - 1
    if (((exponent[last] ?? 0) & 1) === 1) return modPow(base, exponent)
    // e - 1 for the e = 2 … that are left: the borrow runs through the zero bytes at the end.
    const odd = toMinimalBytes(toInteger(exponent) - 1n)
    return toGroupBytes((toInteger(modPow(base, odd)) * toInteger(base)) % N)
  }

/** A Diffie-Hellman secret is the same function too. Made once: OpenSSL tests N for being prime, which takes a second. */
export const modPowByDiffieHellman = (): ModPow => {
  const diffieHellman = createDiffieHellman(toGroupBytes(N), 2)
  return (base, exponent) => {
    diffieHellman.setPrivateKey(exponent)
    return diffieHellman.computeSecret(base)
  }
}

/** Square and multiply; ten times as slow, needs nothing but the language. */
export const modPowByBigInt: ModPow = (base, exponent) => {
  const factor = toInteger(base)
  let power = 1n
  for (const bit of toInteger(exponent).toString(2)) {
    power = (power * power) % N
    if (bit === '1') power = (power * factor) % N
  }
  return toGroupBytes(power)
}

const toMinimalBytes = (value: bigint): Buffer => {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

/**
 * Any base and exponent (unsigned, big-endian, any length) brought into the form that `ModPow` takes. What RSA and
 * Diffie-Hellman treat as errors, such as the bases 0, 1 and N - 1, is answered here.
 */
export const withAnyNumbers =
  (modPow: ModPow): ModPow =>
  (base, exponent) => {
    const b = toInteger(base) % N
    let start = 0
    while (exponent[start] === 0) start += 1
    let e = exponent.subarray(start)
    if (b === 0n) return toGroupBytes(e.length === 0 ? 1n : 0n)
    // Fermat: exponents of a non-zero base count modulo N - 1.
    if (e.length >= groupBytes) {
      const reduced = toInteger(e) % (N - 1n)
      e = reduced === 0n ? Buffer.alloc(0) : toMinimalBytes(reduced)
    }
    const isEven = ((e.at(-1) ?? 0) & 1) === 0
    if (e.length === 0 || b === 1n || (b === N - 1n && isEven)) return toGroupBytes(1n)
    return b === N - 1n ? toGroupBytes(b) : modPow(toGroupBytes(b), e)
  }

/** The ways in the order of their speed; each entry makes one. */
export const modPowWays: Record<string, () => ModPow> = {
  rsa: () => modPowByRsa,
  rsaOdd: () => withOddExponents(modPowByRsa),
  diffieHellman: modPowByDiffieHellman,
  bigInt: () => modPowByBigInt,
}

// A base of full length with exponents of 1, 17 and 256 bits, and the odd successor of the last, which costs no second
// long exponentiation to know.
const testBase = toGroupBytes(N / 3n)
const testExponents = ['01', '010002', `9${'5'.repeat(62)}4`, `9${'5'.repeat(63)}`].map(hex => Buffer.from(hex, 'hex'))
const testPowers = (): Buffer[] => {
  const powers = testExponents.slice(0, -1).map(exponent => modPowByBigInt(testBase, exponent))
  const last = powers.at(-1) ?? testBase
  return [...powers, toGroupBytes((toInteger(last) * toInteger(testBase)) % N)]
}

/** True when this way computes what square and multiply computes; false when it errs or refuses. */
export const passesSelfTest = (modPow: ModPow): boolean => {
  const powers = testPowers()
  try {
    return testExponents.every((exponent, index) => powers[index]?.equals(modPow(testBase, exponent)))
  } catch {
    return false
  }
}

/** The first way that works here, for any numbers. */
export const chooseModPow = (ways: Record<string, () => ModPow> = modPowWays): { way: string; modPow: ModPow } => {
  for (const [way, make] of Object.entries(ways)) {
    try {
      const modPow = make()
      if (passesSelfTest(modPow)) return { way, modPow: withAnyNumbers(modPow) }
    } catch {
      // This way cannot even be made here, for example under a FIPS provider; the next one is tried.
    }
  }
  return { way: 'bigInt', modPow: withAnyNumbers(modPowByBigInt) }
}
