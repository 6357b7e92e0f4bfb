import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { N, toGroupBytes, toInteger } from '../core/srp.ts'
import {
  chooseModPow,
  type ModPow,
  modPowByBigInt,
  modPowByRsa,
  modPowWays,
  passesSelfTest,
  withAnyNumbers,
  withOddExponents,
} from './mod-pow.ts'

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  let square = base % N
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % N
    square = (square * square) % N
  }
  return result
}

const bytes = (value: bigint): Buffer => {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

const ways = Object.entries(modPowWays).map(([way, make]): [way: string, modPow: ModPow] => [way, make()])

for (const [way, modPow] of ways) {
  test(`${way} computes powers of random bases, and exponents of every length and parity`, () => {
    for (const length of [1, 2, 16, 31, 32, 33, 64, 128]) {
      for (const last of [0, 1, 0x80, 0xff]) {
        const [base, exponent] = [randomBytes(384), randomBytes(length)]
        base[0] = (base[0] ?? 0) & 0x7f
        exponent[length - 1] = last
        const expected = toGroupBytes(power(toInteger(base), toInteger(exponent)))
        assert.deepEqual(withAnyNumbers(modPow)(base, exponent), expected, `${length} bytes ending in ${last}`)
      }
    }
  })

  test(`${way} answers the numbers at the edges`, () => {
    const bases = [0n, 1n, 2n, N - 2n, N - 1n, N, N + 1n, N + 2n, 2n ** 3072n - 1n, 2n ** 3100n + 1n]
    const exponents = [0n, 1n, 2n, 3n, 256n, 2n ** 255n, 2n ** 256n - 1n]
    for (const base of bases) {
      for (const exponent of exponents) {
        const expected = toGroupBytes(power(base, exponent))
        assert.deepEqual(withAnyNumbers(modPow)(bytes(base), bytes(exponent)), expected, `${base}^${exponent}`)
      }
    }
  })

  test(`${way} passes its self-test`, () => assert.equal(passesSelfTest(modPow), true))
}

test('empty and padded numbers count as what they stand for', () => {
  const modPow = withAnyNumbers(modPowByRsa)
  assert.deepEqual(modPow(Buffer.alloc(0), Buffer.of(3)), toGroupBytes(0n))
  assert.deepEqual(modPow(Buffer.of(3), Buffer.alloc(0)), toGroupBytes(1n))
  assert.deepEqual(modPow(Buffer.alloc(0), Buffer.alloc(0)), toGroupBytes(1n))
  assert.deepEqual(modPow(Buffer.of(0, 0, 3), Buffer.of(0, 0, 5)), toGroupBytes(243n))
  assert.deepEqual(modPow(Buffer.of(3), Buffer.alloc(500)), toGroupBytes(1n))
})

test('exponents that are longer than N are reduced', () => {
  const modPow = withAnyNumbers(modPowByRsa)
  for (const exponent of [N - 2n, N - 1n, N, N + 4n, 5n * (N - 1n) + 3n]) {
    const expected = toGroupBytes(power(7n, exponent % (N - 1n)))
    assert.deepEqual(modPow(Buffer.of(7), bytes(exponent)), expected)
  }
})

test('odd exponents are all that some libraries need to take', () => {
  const asked: number[] = []
  const oddOnly = withOddExponents((base, exponent) => {
    asked.push((exponent.at(-1) ?? 0) & 1)
    return modPowByBigInt(base, exponent)
  })
  for (const exponent of [2n, 3n, 256n, 65_536n, 65_537n, 2n ** 200n]) {
    assert.deepEqual(oddOnly(toGroupBytes(N / 7n), bytes(exponent)), toGroupBytes(power(N / 7n, exponent)))
  }
  assert.deepEqual(new Set(asked), new Set([1]))
})

test('a way that is wrong, refuses or cannot be made is passed over', () => {
  const refuses = () => {
    throw new Error('not in this library')
  }
  const refusesEven: ModPow = (base, exponent) =>
    ((exponent.at(-1) ?? 0) & 1) === 0 ? refuses() : modPowByRsa(base, exponent)
  const choices: [ways: Record<string, () => ModPow>, way: string][] = [
    [modPowWays, 'rsa'],
    [{ wrong: () => () => Buffer.alloc(384), right: () => modPowByRsa }, 'right'],
    [{ refuses: () => refuses, right: () => modPowByRsa }, 'right'],
    [{ unmade: refuses, right: () => modPowByRsa }, 'right'],
    [{ rsa: () => refusesEven, rsaOdd: () => withOddExponents(refusesEven) }, 'rsaOdd'],
    [{ refuses: () => refuses }, 'bigInt'],
    [{}, 'bigInt'],
  ]
  for (const [offered, expected] of choices) {
    const { way, modPow } = chooseModPow(offered)
    assert.equal(way, expected)
    assert.deepEqual(modPow(Buffer.of(3), Buffer.of(4)), toGroupBytes(81n))
  }
})
