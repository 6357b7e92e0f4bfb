import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { decryptCode, keyArn, kmsKey, kmsKeyring, localKeyring, startKms } from '../../test/support/kms.ts'
import { createCodeEncryption } from './code-encryption.ts'
import { systemClock } from './system.ts'

const context = { 'userpool-id': 'us-east-1_123456789' }
/** AES-256-GCM with HKDF-SHA384 and a signature, as in messages of the service. */
const suiteId = 0x0378

test('a function reads with its key what was encrypted for it, and with no other', async () => {
  const key = randomBytes(32)
  const encryption = createCodeEncryption({ keys: new Map([[keyArn, key]]), kms: undefined, clock: systemClock })
  for (const text of ['123456', 'Temp&lt;1&gt;ü', 'x'.repeat(256)]) {
    const code = await encryption.encrypt(keyArn, text, context)
    assert.match(code, /^[\w+/]+=*$/)
    const read = await decryptCode(code, localKeyring(key))
    const { 'aws-crypto-public-key': publicKey, ...told } = read.encryptionContext
    assert.equal(read.text, text)
    assert.deepEqual(told, context)
    assert.match(publicKey ?? '', /^[\w+/]+=*$/)
    assert.equal(read.suiteId, suiteId)
    assert.equal(read.keys.length, 1)
    assert.equal(read.keys[0]?.[0], 'cenote')
    await assert.rejects(decryptCode(code, localKeyring(randomBytes(32))))
    await assert.rejects(decryptCode(code, localKeyring(key, `${keyArn}x`)))
  }
  // The same code never looks the same.
  assert.notEqual(await encryption.encrypt(keyArn, '1', context), await encryption.encrypt(keyArn, '1', context))
})

test('with a KMS, the keyring of the official samples reads it', async () => {
  await using kms = await startKms()
  const encryption = createCodeEncryption({
    keys: new Map(),
    kms: { endpoint: kms.url, credentials: kmsKey },
    clock: systemClock,
  })
  const code = await encryption.encrypt(keyArn, '123456', context)
  const [request] = kms.requests
  assert.equal(request?.headers['x-amz-target'], 'TrentService.GenerateDataKey')
  assert.equal(request?.signer.region, 'us-east-1')
  assert.equal(JSON.parse(request?.body ?? '').EncryptionContext['userpool-id'], context['userpool-id'])
  const read = await decryptCode(code, kmsKeyring(kms.url))
  assert.equal(read.text, '123456')
  assert.equal(read.encryptionContext['userpool-id'], context['userpool-id'])
  assert.equal(read.suiteId, suiteId)
  assert.deepEqual(read.keys, [['aws-kms', keyArn]])
})

test('without a key nothing is encrypted', async () => {
  await using kms = await startKms()
  const none = createCodeEncryption({ keys: new Map(), kms: undefined, clock: systemClock })
  await assert.rejects(none.encrypt(keyArn, '123456', context), /No key is configured/)
  const far = (credentials: typeof kmsKey, endpoint = kms.url) =>
    createCodeEncryption({ keys: new Map(), kms: { endpoint, credentials }, clock: systemClock })
  await assert.rejects(far(kmsKey).encrypt(`${keyArn}x`, '123456', context), /KMS answered 400/)
  await assert.rejects(far({ ...kmsKey, secret: 'wrong' }).encrypt(keyArn, '123456', context), /KMS answered 403/)
  await assert.rejects(far(kmsKey, 'http://127.0.0.1:1').encrypt(keyArn, '123456', context))
})
