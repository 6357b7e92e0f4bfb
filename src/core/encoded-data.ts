/**
 * EncodedData: what the context libraries of Cognito's clients tell of a device. It is base64 of
 * `{ payload, signature, version }`; the payload is JSON again. The signature is made with the client's id, which
 * everybody knows, so it proves nothing and is not looked at: all of this is what the device says of itself. What is not
 * in this form counts as not sent.
 */

/** What can be read; members that were not sent, or are no text of a sensible length, are undefined. */
export interface DeviceClaims {
  /** The same for each sign-in from one installation. */
  deviceId: string | undefined
  userAgent: string | undefined
  /** Of applications on phones: the model. */
  model: string | undefined
  platform: string | undefined
  /** Hours and minutes from UTC, such as `-07:00`. */
  timezone: string | undefined
}

const lengthMax = 16_384
const textLengthMax = 512

/** The claims for this pool; undefined for what is no EncodedData, or one that was made for another pool. */
export const parseEncodedData = (text: string, poolId: string): DeviceClaims | undefined => {
  if (text.length > lengthMax) return undefined
  const outer = objectOf(Buffer.from(text, 'base64').toString('utf8'))
  const payload = typeof outer?.['payload'] === 'string' ? objectOf(outer['payload']) : undefined
  const data = payload?.['contextData']
  if (payload?.['userPoolId'] !== poolId || typeof data !== 'object' || data === null) return undefined
  const member = (name: string): string | undefined => {
    const value = (data as Record<string, unknown>)[name]
    return typeof value === 'string' && value !== '' && value.length <= textLengthMax ? value : undefined
  }
  const timezone = member('ClientTimezone')
  return {
    deviceId: member('DeviceId'),
    userAgent: member('UserAgent'),
    model: member('DeviceName'),
    platform: member('DevicePlatform') ?? member('Platform'),
    timezone: timezone !== undefined && /^[+-]\d\d:\d\d$/.test(timezone) ? timezone : undefined,
  }
}

const objectOf = (json: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
