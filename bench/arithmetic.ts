/** The machine's own limit: the arithmetic that a sign-in cannot do without, in a bare loop on one thread. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { chooseModPow } from '../src/adapters/mod-pow.ts'

export interface Arithmetic {
  /** Milliseconds of CPU for one RSA-2048 signature. */
  signatureMs: number
  /** Milliseconds of CPU for one power with a 256-bit exponent in the SRP group. */
  powerMs: number
}

const cpuMsOf = (work: () => void, forMs: number): number => {
  for (let warm = 0; warm < 30; warm++) work()
  let count = 0
  const begun = process.cpuUsage()
  const until = performance.now() + forMs
  while (performance.now() < until) {
    work()
    count++
  }
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1_000 / count
}

export const measureArithmetic = (): Arithmetic => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const text = Buffer.from('x'.repeat(700))
  const { modPow } = chooseModPow()
  const base = randomBytes(384)
  base[0] = 1
  return {
    signatureMs: cpuMsOf(() => sign('sha256', text, privateKey), 1_500),
    powerMs: cpuMsOf(() => modPow(base, randomBytes(32)), 1_500),
  }
}
