/** The code encryption port. The library behind it is large and is loaded when the first code is encrypted. */
import type { Clock, CodeEncryption } from '../core/ports.ts'
import type { AwsService } from './aws-call.ts'

export interface CodeEncryptionOptions {
  /** Keys of 32 bytes by the ARN that pools name. */
  keys: ReadonlyMap<string, Buffer>
  /** Where the other keys are; undefined: nowhere. */
  kms: AwsService | undefined
  clock: Clock
}

export const createCodeEncryption = (options: CodeEncryptionOptions): CodeEncryption => {
  let loading: Promise<CodeEncryption> | undefined
  return {
    encrypt: async (keyArn, text, context) => {
      loading ??= import('./encryption-sdk.ts').then(({ encryptionSdk }) => encryptionSdk(options))
      return (await loading).encrypt(keyArn, text, context)
    },
  }
}
