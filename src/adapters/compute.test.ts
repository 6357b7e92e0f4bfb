import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { ComputeOverloaded, isCognitoError } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'
import { passwordVerifier, serverChallenge, sessionKey, toGroupBytes, verifyPassword } from '../core/srp.ts'
import { type ComputeOptions, createCompute, type ThreadedCompute } from './compute.ts'
import { modPowByBigInt } from './mod-pow.ts'

const open: ThreadedCompute[] = []
const start = (options?: ComputeOptions): ThreadedCompute => {
  const compute = createCompute(options)
  open.push(compute)
  return compute
}
after(() => Promise.all(open.map(compute => compute.close())))

const keyPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const isSignature = (text: string, publicKey: KeyObject, signature: string): boolean =>
  /^[\w-]{342}$/.test(signature) && verify('sha256', Buffer.from(text), publicKey, Buffer.from(signature, 'base64url'))
const settled = (promises: Promise<unknown>[]) => Promise.allSettled(promises)
const rejections = (results: PromiseSettledResult<unknown>[]): unknown[] =>
  results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))

test('a signature is RS256 over the UTF-8 of the text, in base64url without padding', async () => {
  const compute = start()
  const { publicKey, privateKey } = keyPair()
  for (const text of ['eyJhbGciOiJSUzI1NiJ9.e30', '', 'j\u00fcrgen \u03a9', 'x'.repeat(100_000)]) {
    assert.equal(isSignature(text, publicKey, await compute.signRs256(privateKey, text)), true)
  }
})

test('powers come back as 384 bytes, each to its own caller', async () => {
  const compute = start()
  const { publicKey, privateKey } = keyPair()
  const checks = Array.from({ length: 60 }, async (_, index) => {
    if (index % 3 === 0) {
      const signature = await compute.signRs256(privateKey, `text ${index}`)
      return isSignature(`text ${index}`, publicKey, signature)
    }
    const [base, exponent] = [Buffer.of(3, index), randomBytes(20)]
    const result = await compute.modPow(base, exponent)
    const expected = modPowByBigInt(toGroupBytes(BigInt(768 + index)), exponent)
    return result.length === 384 && result.equals(expected)
  })
  assert.deepEqual(await Promise.all(checks), Array(60).fill(true))
})

test('numbers that OpenSSL refuses are no errors', async () => {
  const compute = start()
  assert.deepEqual(await compute.modPow(Buffer.alloc(384), Buffer.of(5)), toGroupBytes(0n))
  assert.deepEqual(await compute.modPow(Buffer.of(1), Buffer.of(6)), toGroupBytes(1n))
  assert.deepEqual(await compute.modPow(Buffer.alloc(0), Buffer.alloc(0)), toGroupBytes(1n))
  assert.deepEqual(await compute.modPow(Buffer.of(9), Buffer.alloc(32)), toGroupBytes(1n))
})

test('more keys than a thread keeps are still used rightly, in any order', async () => {
  const compute = start({ threads: 2, keyLimit: 2 })
  const pairs = Array.from({ length: 5 }, keyPair)
  const order = [0, 1, 2, 3, 4, 0, 1, 0, 1, 4, 3, 2, 1, 0, 2, 2, 2, 0, 4, 4, 1, 3, 0, 1, 2, 3, 4]
  const signAll = () =>
    Promise.all(
      order.map(async (number, index) => {
        const pair = pairs[number]
        assert.ok(pair !== undefined)
        return isSignature(`${index}`, pair.publicKey, await compute.signRs256(pair.privateKey, `${index}`))
      }),
    )
  for (let round = 0; round < 3; round += 1) assert.deepEqual(await signAll(), Array(order.length).fill(true))
})

test('a job that fails is rejected alone, without the key in the message', async () => {
  const compute = start({ threads: 1 })
  const { publicKey, privateKey } = keyPair()
  const results = await settled([
    compute.signRs256(privateKey, 'one'),
    compute.signRs256(publicKey, 'two'),
    compute.modPow(Buffer.of(2), Buffer.of(2)),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  for (const reason of rejections(results)) {
    assert.ok(reason instanceof Error)
    assert.doesNotMatch(reason.message, /PRIVATE|BEGIN|two/)
  }
})

test('beyond the limit jobs are refused at once, and taken again when there is room', async () => {
  const compute = start({ threads: 1, queueLimit: 20 })
  const powers = () => Array.from({ length: 50 }, () => compute.modPow(Buffer.of(2), Buffer.of(3)))
  for (let round = 0; round < 2; round += 1) {
    const refused = rejections(await settled(powers()))
    assert.equal(refused.length, 30)
    assert.ok(refused.every(reason => reason instanceof ComputeOverloaded))
    assert.ok(refused.every(reason => isCognitoError(reason, 'TooManyRequestsException')))
  }
})

/** A worker whose program is this text. */
const program = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`)

const echoOrDie = `
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', jobs => {
    if (jobs.some(job => job.text === 'die')) process.exit(7)
    if (jobs.some(job => job.text === 'throw')) throw new Error('thrown in the thread')
    parentPort.postMessage({ results: jobs.map(job => job.text) })
  })`

test('a thread that dies takes its jobs with it and is replaced', async () => {
  const logged: string[] = []
  const note = (_: object, message: string) => void logged.push(message)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  const compute = start({ threads: 1, log, workerFile: program(echoOrDie) })
  const { privateKey } = keyPair()
  const signAll = (texts: string[]) => settled(texts.map(text => compute.signRs256(privateKey, text)))
  for (const death of ['die', 'throw']) {
    assert.equal(await compute.signRs256(privateKey, 'before'), 'before')
    const reasons = rejections(await signAll(['with it', death]))
    assert.equal(reasons.length, 2)
    assert.ok(reasons.every(reason => reason instanceof Error && /stopped/.test(reason.message)))
    // Jobs that had not reached the thread yet are done by the next one.
    const many = await signAll([death, ...Array.from({ length: 40 }, (_, index) => `job ${index}`)])
    assert.ok(rejections(many).length < 41)
    assert.deepEqual(many.at(-1), { status: 'fulfilled', value: 'job 39' })
  }
  assert.ok(logged.includes('Compute thread failed'))
})

test('threads that cannot start reject their jobs instead of starting for ever', async () => {
  const compute = start({ threads: 2, workerFile: program('throw new Error("no start")') })
  const powers = Array.from({ length: 100 }, () => compute.modPow(Buffer.of(2), Buffer.of(3)))
  assert.equal(rejections(await settled(powers)).length, 100)
})

test('close rejects what is under way and what comes later', async () => {
  const compute = createCompute({ threads: 2 })
  const underWay = Array.from({ length: 100 }, () => compute.modPow(Buffer.of(2), randomBytes(32)))
  const results = settled(underWay)
  await compute.close()
  const reasons = rejections(await results)
  assert.ok(reasons.length > 0)
  assert.ok(reasons.every(reason => reason instanceof Error && !(reason instanceof ComputeOverloaded)))
  await assert.rejects(compute.modPow(Buffer.of(2), Buffer.of(2)), /have been closed/)
  await compute.close()
})

test('idle threads do not keep the process alive, working ones do', async () => {
  const script = `
    const { createCompute } = await import(${JSON.stringify(new URL('./compute.ts', import.meta.url).href)})
    const compute = createCompute()
    compute.warm()
    const power = await compute.modPow(Buffer.of(2), Buffer.of(10))
    console.log(power.at(-2), power.at(-1))`
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { timeout: 30_000 })
  assert.equal(stdout, '4 0\n')
})

test('a thousand sign-ins leave the event loop free', async t => {
  const compute = start()
  const { privateKey } = keyPair()
  const { salt, verifier } = await passwordVerifier(compute, 'pool', 'ann', 'Passw0rd!', Buffer.alloc(16, 7))
  const text = 'x'.repeat(900)
  const A = await compute.modPow(Buffer.of(2), randomBytes(128))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = process.cpuUsage()
  const mainBefore = process.threadCpuUsage()
  delay.enable()
  let left = 1000
  const signIn = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const { b, B } = await serverChallenge(compute, verifier, randomBytes(32))
      assert.equal((await sessionKey(compute, { A, B, b, verifier }))?.length, 16)
      await Promise.all([compute.signRs256(privateKey, text), compute.signRs256(privateKey, text)])
    }
  }
  await Promise.all(Array.from({ length: 32 }, signIn))
  delay.disable()
  const cpu = process.cpuUsage(before)
  const main = process.threadCpuUsage(mainBefore)
  const p99 = (delay.percentile(99) / 1e6).toFixed(2)
  t.diagnostic(`loop delay p99 ${p99} ms, of which the timer's own resolution is 1 ms`)
  t.diagnostic(
    `CPU ${((cpu.user + cpu.system) / 1e6).toFixed(3)} ms a sign-in, of it main thread ${((main.user + main.system) / 1e6).toFixed(3)} ms`,
  )
  assert.equal(await verifyPassword(compute, 'pool', 'ann', 'Passw0rd!', { salt, verifier }), true)
})
