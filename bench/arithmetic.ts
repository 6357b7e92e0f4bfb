/**
 * The machine's own limit: the arithmetic that a sign-in cannot do without, in a bare loop. It runs once alone and once on
 * both cores at a time, because that is how it runs in the server, and cores that share their units slow each other down.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { chooseModPow } from '../src/adapters/mod-pow.ts'

export interface Cost {
  /** Milliseconds of CPU for one RSA-2048 signature. */
  signatureMs: number
  /** Milliseconds of CPU for one power with a 256-bit exponent in the SRP group. */
  powerMs: number
}

const cpuMsOf = (work: () => void, forMs: number): number => {
  for (let warm = 0; warm < 30; warm++) work()
  let count = 0
  const begun = process.threadCpuUsage()
  const until = performance.now() + forMs
  while (performance.now() < until) {
    work()
    count++
  }
  const { user, system } = process.threadCpuUsage(begun)
  return (user + system) / 1_000 / count
}

const measureHere = (): Cost => {
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

const measureInThread = async (): Promise<Cost> => {
  const [cost] = (await once(new Worker(new URL(import.meta.url)), 'message')) as [Cost]
  return cost
}

/** The cost with both cores at work, and the cost on one core while the other rests. */
export const measureArithmetic = async (): Promise<Cost & { alone: Cost }> => {
  const alone = await measureInThread()
  const [one, other] = await Promise.all([measureInThread(), measureInThread()])
  const mean = (name: keyof Cost) => (one[name] + other[name]) / 2
  return { signatureMs: mean('signatureMs'), powerMs: mean('powerMs'), alone }
}

if (!isMainThread) parentPort?.postMessage(measureHere())
