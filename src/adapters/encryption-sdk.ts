/**
 * What custom senders are given, as messages of the AWS Encryption SDK: under a key that stands in the configuration, or
 * under a data key of AWS KMS, or of a server that speaks like it.
 *
 * As messages of the service that were captured show, the algorithm suite is 0x0378 (AES-256-GCM with HKDF-SHA384 and an
 * ECDSA P-384 signature, without key commitment) and there is one encrypted data key.
 */
import { buildEncrypt } from '@aws-crypto/encrypt-node'
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  EncryptedDataKey,
  KeyringNode,
  KeyringTraceFlag,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node'
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node'
import type { Clock, CodeEncryption } from '../core/ports.ts'
import { type AwsService, awsCaller, errorNameIn } from './aws-call.ts'
import type { CodeEncryptionOptions } from './code-encryption.ts'

/** The namespace of keys in the configuration; their name is the ARN. */
const keyNamespace = 'cenote'

const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384
const { encrypt } = buildEncrypt(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)

export const encryptionSdk = ({ keys, kms, clock }: CodeEncryptionOptions): CodeEncryption => {
  const generate = kms === undefined ? undefined : dataKeyGenerator(kms, clock)
  const keyringOf = (keyArn: string): KeyringNode => {
    const key = keys.get(keyArn)
    if (key !== undefined) {
      return new RawAesKeyringNode({
        keyName: keyArn,
        keyNamespace,
        // The keyring empties what it is given.
        unencryptedMasterKey: new Uint8Array(key),
        wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
      })
    }
    if (generate === undefined) throw new Error(`No key is configured for ${keyArn}.`)
    return new KmsEncryptingKeyring(keyArn, generate)
  }
  return {
    encrypt: async (keyArn, text, context) => {
      const { result } = await encrypt(keyringOf(keyArn), text, { encryptionContext: { ...context }, suiteId })
      return result.toString('base64')
    },
  }
}

// ---------------------------------------------------------------------------------------------- KMS

interface DataKey {
  plaintext: Uint8Array
  encrypted: Uint8Array
  keyId: string
}

type GenerateDataKey = (keyArn: string, bytes: number, context: Readonly<Record<string, string>>) => Promise<DataKey>

/** @throws Error when there is no key, or none of that length. */
const dataKeyGenerator = (kms: AwsService, clock: Clock): GenerateDataKey => {
  const ask = awsCaller(kms, clock)
  return async (keyArn, bytes, context) => {
    const { status, headers, body } = await ask({
      purpose: 'KMS',
      host: 'kms',
      service: 'kms',
      region: keyArn.split(':')[3] ?? kms.region ?? '',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.GenerateDataKey' },
      body: JSON.stringify({ KeyId: keyArn, NumberOfBytes: bytes, EncryptionContext: context }),
      credentials: kms.credentials,
    })
    if (status !== 200) throw new Error(`KMS answered ${status} with ${errorNameIn(headers['x-amzn-errortype'])}.`)
    const { Plaintext, CiphertextBlob, KeyId } = JSON.parse(body.toString('utf8')) as Partial<Record<string, unknown>>
    if (typeof Plaintext !== 'string' || typeof CiphertextBlob !== 'string' || typeof KeyId !== 'string') {
      throw new Error('KMS answered without a data key.')
    }
    return {
      plaintext: new Uint8Array(Buffer.from(Plaintext, 'base64')),
      encrypted: new Uint8Array(Buffer.from(CiphertextBlob, 'base64')),
      keyId: KeyId,
    }
  }
}

/** Encrypts as the KMS keyring of the Encryption SDK does, with requests of our own. */
class KmsEncryptingKeyring extends KeyringNode {
  readonly #keyArn: string
  readonly #generate: GenerateDataKey

  constructor(keyArn: string, generate: GenerateDataKey) {
    super()
    this.#keyArn = keyArn
    this.#generate = generate
  }

  override async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    const { suite, encryptionContext } = material
    const { plaintext, encrypted, keyId } = await this.#generate(this.#keyArn, suite.keyLengthBytes, encryptionContext)
    const flags = KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY | KeyringTraceFlag.WRAPPING_KEY_SIGNED_ENC_CTX
    return material
      .setUnencryptedDataKey(plaintext, {
        keyNamespace: 'aws-kms',
        keyName: keyId,
        flags: flags | KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY,
      })
      .addEncryptedDataKey(
        new EncryptedDataKey({ providerId: 'aws-kms', providerInfo: keyId, encryptedDataKey: encrypted }),
        flags,
      )
  }

  override _onDecrypt(): Promise<NodeDecryptionMaterial> {
    return Promise.reject(new Error('This keyring only encrypts.'))
  }
}
