/** LambdaConfig: which functions are assigned to which triggers. Running them is not decided here. */
import type { LambdaConfigType } from '../../contract/types.ts'
import { invalidPoolSetting } from '../../core/errors.ts'

/**
 * The triggers of a pool as stored and shown. The two slots for pre token generation are one: each fills the other,
 * the legacy one with the first version of the event.
 * @throws InvalidParameterException when the two slots differ, or a custom sender has no key to encrypt codes for.
 */
export const completeLambdaConfig = (requested: LambdaConfigType | undefined): LambdaConfigType => {
  if (requested === undefined) return {}
  const legacy = requested.PreTokenGeneration
  const versioned = requested.PreTokenGenerationConfig
  if (legacy !== undefined && versioned !== undefined && legacy !== versioned.LambdaArn) {
    throw invalidPoolSetting('preTokenArns')
  }
  const sends = requested.CustomSMSSender !== undefined || requested.CustomEmailSender !== undefined
  if (sends && requested.KMSKeyID === undefined) throw invalidPoolSetting('senderWithoutKey')
  const arn = legacy ?? versioned?.LambdaArn
  return {
    ...requested,
    ...(arn !== undefined && {
      PreTokenGeneration: arn,
      PreTokenGenerationConfig: versioned ?? { LambdaVersion: 'V1_0', LambdaArn: arn },
    }),
  }
}
