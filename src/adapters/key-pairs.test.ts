import assert from 'node:assert/strict'
import { sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { createKeyPairs, type SpareKeyPairs } from './key-pairs.ts'

test('a pair is RSA-2048 with the exponent 65537, and its halves belong together', async () => {
  const keyPairs = createKeyPairs({ spares: 0 })
  const { publicKey, privateKey } = await keyPairs.take()
  assert.deepEqual(privateKey.asymmetricKeyDetails, { modulusLength: 2048, publicExponent: 65537n })
  const text = Buffer.from('text')
  assert.equal(verify('sha256', text, publicKey, sign('sha256', text, privateKey)), true)
  keyPairs.close()
})

test('nobody is given a pair that another one has been given, with spares or without', async () => {
  for (const spares of [0, 2]) {
    const keyPairs = createKeyPairs({ spares })
    const pairs = await Promise.all(Array.from({ length: 6 }, () => keyPairs.take()))
    const moduli = new Set(pairs.map(({ publicKey }) => publicKey.export({ format: 'jwk' }).n))
    assert.equal(moduli.size, 6)
    keyPairs.close()
  }
})

/** True when the pair was there already: a promise that is settled needs no turn of the event loop. */
const isTakenAtOnce = async (keyPairs: SpareKeyPairs): Promise<boolean> => {
  let taken = false
  const take = keyPairs.take().then(() => {
    taken = true
  })
  await new Promise(resolve => setImmediate(resolve))
  const atOnce = taken
  await take
  return atOnce
}

test('spares are there at once, and others take their places', async () => {
  const keyPairs = createKeyPairs({ spares: 2 })
  assert.equal(await isTakenAtOnce(keyPairs), false)
  let taken = 0
  for (let attempt = 0; attempt < 100 && taken < 4; attempt += 1) {
    await new Promise(resolve => setTimeout(resolve, 100))
    if (await isTakenAtOnce(keyPairs)) taken += 1
  }
  assert.equal(taken, 4)
  keyPairs.close()
})

test('whoever waits when the pairs are closed is told so, as is whoever comes later', async () => {
  const keyPairs = createKeyPairs()
  const waiting = [keyPairs.take(), keyPairs.take()]
  keyPairs.close()
  for (const take of [...waiting, keyPairs.take()]) await assert.rejects(take, /have been closed/)
  keyPairs.warm()
  await assert.rejects(keyPairs.take(), /have been closed/)
})
