/** A KMS that holds keys in memory, and a function's side of custom senders: decryption by the official library. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import {
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS,
  KmsKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node'
import { type AwsAnswer, type AwsRequest, type AwsServer, startAwsServer } from './aws-services.ts'

export const keyArn = 'arn:aws:kms:us-east-1:123456789012:key/11112222-3333-4444-5555-666677778888'
export const kmsKey = { id: 'AKIDKMS', secret: 'the-secret-of-the-key-holder' }

/** Answers GenerateDataKey and Decrypt for `keyArn` to whoever signs with `kmsKey`. */
export const startKms = (): Promise<AwsServer> => {
  const masterKey = randomBytes(32)
  return startAwsServer({
    service: 'kms',
    keys: { [kmsKey.id]: kmsKey.secret },
    answer: request => answer(masterKey, request),
  })
}

const answer = (masterKey: Buffer, { headers, body }: AwsRequest): AwsAnswer => {
  const input = JSON.parse(body) as Record<string, unknown>
  const aad = Buffer.from(JSON.stringify(Object.entries(input['EncryptionContext'] ?? {}).sort()))
  switch (headers['x-amz-target']) {
    case 'TrentService.GenerateDataKey': {
      if (input['KeyId'] !== keyArn) return refusal('NotFoundException')
      const plain = randomBytes(Number(input['NumberOfBytes']))
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', masterKey, iv).setAAD(aad)
      const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return json({ KeyId: keyArn, Plaintext: plain.toString('base64'), CiphertextBlob: sealed.toString('base64') })
    }
    case 'TrentService.Decrypt': {
      const sealed = Buffer.from(String(input['CiphertextBlob']), 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', masterKey, sealed.subarray(0, 12)).setAAD(aad)
        decipher.setAuthTag(sealed.subarray(-16))
        const plain = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
        return json({ KeyId: keyArn, Plaintext: plain.toString('base64') })
      } catch {
        return refusal('InvalidCiphertextException')
      }
    }
    default:
      return refusal('UnknownOperationException')
  }
}

const json = (value: object): AwsAnswer => ({
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(value),
})
const refusal = (error: string): AwsAnswer => ({
  ...json({ __type: error }),
  status: 400,
})

// ---------------------------------------------------------------------------------------------- functions

// The policy of the service's own samples.
const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT)

export interface Decrypted {
  text: string
  encryptionContext: Readonly<Record<string, string>>
  suiteId: number
  /** Namespace and name of the key. */
  keys: [provider: string, info: string][]
}

type Keyring = KmsKeyringNode | RawAesKeyringNode

/** What a function with this key reads in `request.code`. */
export const decryptCode = async (code: unknown, keyring: Keyring): Promise<Decrypted> => {
  const { plaintext, messageHeader } = await decrypt(keyring, Buffer.from(String(code), 'base64'))
  return {
    text: plaintext.toString('utf8'),
    encryptionContext: messageHeader.encryptionContext,
    suiteId: messageHeader.suiteId,
    keys: messageHeader.encryptedDataKeys.map(({ providerId, providerInfo }) => [providerId, providerInfo]),
  }
}

/** The keyring of a function whose key stands in the configuration. */
export const localKeyring = (key: Buffer, keyName = keyArn): Keyring =>
  new RawAesKeyringNode({
    keyName,
    keyNamespace: 'cenote',
    unencryptedMasterKey: new Uint8Array(key),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })

/** The keyring of the service's own samples, with the KMS at this URL. */
export const kmsKeyring = (endpoint: string): Keyring =>
  new KmsKeyringNode({
    generatorKeyId: keyArn,
    keyIds: [keyArn],
    clientProvider: getClient(KMS, {
      endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: kmsKey.id, secretAccessKey: kmsKey.secret },
    }),
  })
