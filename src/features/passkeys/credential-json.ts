/**
 * Credentials as browsers write them in JSON (WebAuthn Level 3, sections 5.1 and 5.8.1), read member by member. Members
 * that decide nothing are not looked at.
 */
import { malformedPasskey } from '../../core/errors/passkeys.ts'
import type { Passkey } from './passkey.ts'

/** What the authenticator and the browser have answered to a request for a new passkey. */
export interface RegistrationJson {
  id: string
  clientDataJSON: string
  attestationObject: string
  attachment: Passkey['attachment']
  transports: string[]
}

/** What they have answered to the request for a proof. */
export interface AssertionJson {
  id: string
  clientDataJSON: string
  authenticatorData: string
  signature: string
  userHandle: string | undefined
}

/** WebAuthn Level 3, section 4, Credential ID: 1,023 bytes. */
const credentialIdBytesMax = 1_023
const clientDataBytesMax = 4_096
/** Room for an attestation with certificates. */
const attestationBytesMax = 16_384
const authenticatorDataBytesMax = 4_096
/** An RSA signature of 4,096 bits takes 512. */
const signatureBytesMax = 512
/** WebAuthn Level 3, section 5.4.3. */
const userHandleBytesMax = 64
/** Of the whole as text. */
const credentialLengthMax = 32_768

const knownTransports = ['ble', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']

/** @throws InvalidParameterException */
export const readRegistration = (credential: unknown): RegistrationJson => {
  const { members, response, id } = readCredential(credential)
  const { authenticatorAttachment: attachment } = members
  const { transports } = response
  return {
    id,
    clientDataJSON: base64url(response['clientDataJSON'], clientDataBytesMax),
    attestationObject: base64url(response['attestationObject'], attestationBytesMax),
    attachment: attachment === 'platform' || attachment === 'cross-platform' ? attachment : undefined,
    // What a later version of the standard may add is of no use to the browsers of today.
    transports: knownTransports.filter(known => Array.isArray(transports) && transports.includes(known)),
  }
}

/** @throws InvalidParameterException */
export const readAssertion = (text: string): AssertionJson => {
  const { response, id } = readCredential(parseCredential(text))
  const { userHandle } = response
  return {
    id,
    clientDataJSON: base64url(response['clientDataJSON'], clientDataBytesMax),
    authenticatorData: base64url(response['authenticatorData'], authenticatorDataBytesMax),
    signature: base64url(response['signature'], signatureBytesMax),
    userHandle:
      userHandle === undefined || userHandle === null || userHandle === ''
        ? undefined
        : base64url(userHandle, userHandleBytesMax),
  }
}

const readCredential = (value: unknown) => {
  const members = membersOf(value)
  const id = base64url(members['id'], credentialIdBytesMax)
  if (members['rawId'] !== id || members['type'] !== 'public-key') throw malformedPasskey()
  return { members, response: membersOf(members['response']), id }
}

/** The JSON that a browser has written, in one line or several. @throws InvalidParameterException */
export const parseCredential = (text: string): unknown => {
  if (text.length > credentialLengthMax) throw malformedPasskey()
  try {
    return JSON.parse(text)
  } catch {
    throw malformedPasskey()
  }
}

const membersOf = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformedPasskey()
  return value as Record<string, unknown>
}

/** The text, when it is base64url without padding in its one canonical spelling, of one byte to so many. */
const base64url = (value: unknown, bytesMax: number): string => {
  if (typeof value !== 'string' || value === '' || value.length > Math.ceil((bytesMax * 4) / 3))
    throw malformedPasskey()
  if (Buffer.from(value, 'base64url').toString('base64url') !== value) throw malformedPasskey()
  return value
}
