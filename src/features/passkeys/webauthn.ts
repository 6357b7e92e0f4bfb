/**
 * What the answers of authenticators prove (WebAuthn Level 3, sections 7.1 and 7.2). The only file that knows the
 * library, which is loaded when it is first needed.
 *
 * Attestations are not asked for, and whom an authenticator was made by decides nothing. Those with certificates are
 * refused unread: to verify one means to fetch what its certificates name.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { cborLength, isOneCborItem } from '../../core/cbor.ts'
import { isP256Signature } from '../../core/der.ts'
import {
  malformedPasskey,
  passkeyAttestationNotSupported,
  passkeyKeyNotSupported,
  passkeyOfOtherRelyingParty,
  passkeyOriginNotAllowed,
  passkeyUserNotVerified,
} from '../../core/errors/passkeys.ts'
import type { AssertionJson, RegistrationJson } from './credential-json.ts'
import type { Passkey } from './passkey.ts'

/** COSE algorithms: ES256 and RS256. */
export const algorithms = [-7, -257] as const

export interface Expectation {
  relyingPartyId: string
  isOrigin(origin: string): boolean
  userVerification: 'required' | 'preferred'
}

/** The part of the client data that is looked at. */
export interface ClientData {
  type: string
  challenge: string
  origin: string
  /** The page was inside of one from elsewhere. */
  isFramed: boolean
}

export type RegisteredKey = Pick<Passkey, 'publicKey' | 'signCount' | 'backupEligible' | 'backedUp'> & {
  /** The model of the authenticator, as a UUID. */
  aaguid: string
}

export interface Assertion {
  signCount: number
  backupEligible: boolean
  backedUp: boolean
  userVerified: boolean
}

/** What the browser says of the request that it has answered; undefined when it says that in no form that it may have. */
export const readClientData = (clientDataJSON: string): ClientData | undefined => {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
    if (typeof data !== 'object' || data === null) return undefined
    const { type, challenge, origin, crossOrigin = false, topOrigin } = data as Record<string, unknown>
    if (typeof type !== 'string' || typeof challenge !== 'string' || typeof origin !== 'string') return undefined
    return { type, challenge, origin, isFramed: crossOrigin !== false || topOrigin !== undefined }
  } catch {
    return undefined
  }
}

/**
 * The key of a new passkey. That the challenge is the right one is the caller's to see.
 * @throws InvalidParameterException, WebAuthnOriginNotAllowedException, WebAuthnRelyingPartyMismatchException,
 * WebAuthnCredentialNotSupportedException
 */
export const verifyRegistration = async (
  credential: RegistrationJson,
  client: ClientData,
  { relyingPartyId, isOrigin, userVerification }: Expectation,
): Promise<RegisteredKey> => {
  if (client.type !== 'webauthn.create') throw malformedPasskey()
  if (client.isFramed || !isOrigin(client.origin)) throw passkeyOriginNotAllowed()
  const { format, statement, data, keyAlgorithm } = await readAttestation(credential.attestationObject)
  const { rpIdHash, flags, credentialID } = data
  if (!createHash('sha256').update(relyingPartyId).digest().equals(rpIdHash)) throw passkeyOfOtherRelyingParty()
  if (Buffer.from(credentialID).toString('base64url') !== credential.id) throw malformedPasskey()
  if (userVerification === 'required' && !flags.uv) throw passkeyUserNotVerified()
  const isSelfAttested =
    format === 'packed' &&
    !statement.has('x5c') &&
    !statement.has('ecdaaKeyId') &&
    statement.get('alg') === keyAlgorithm
  if (format !== 'none' && !isSelfAttested) throw passkeyAttestationNotSupported()

  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const { verified, registrationInfo } = await orMalformed(() =>
    verifyRegistrationResponse({
      response: {
        id: credential.id,
        rawId: credential.id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON: credential.clientDataJSON, attestationObject: credential.attestationObject },
      },
      expectedChallenge: client.challenge,
      expectedOrigin: client.origin,
      expectedRPID: relyingPartyId,
      requireUserVerification: userVerification === 'required',
      supportedAlgorithmIDs: [...algorithms],
    }),
  )
  if (!verified) throw malformedPasskey()
  return {
    publicKey: Buffer.from(registrationInfo.credential.publicKey).toString('base64url'),
    signCount: registrationInfo.credential.counter,
    backupEligible: registrationInfo.credentialDeviceType === 'multiDevice',
    backedUp: registrationInfo.credentialBackedUp,
    aaguid: registrationInfo.aaguid,
  }
}

/** The parts of an attestation object, with a key that is one of those that are asked for. */
const readAttestation = async (attestationObject: string) => {
  const bytes = Buffer.from(attestationObject, 'base64url')
  if (!isOneCborItem(bytes)) throw malformedPasskey()
  const { decodeAttestationObject, decodeCredentialPublicKey, parseAuthenticatorData } = await import(
    '@simplewebauthn/server/helpers'
  )
  const { parts, data, key } = await orMalformed(() => {
    const parts = decodeAttestationObject(bytes)
    const authData = parts.get('authData')
    if (!hasSoundCbor(Buffer.from(authData))) throw malformedPasskey()
    const data = parseAuthenticatorData(authData)
    if (data.credentialID === undefined || data.credentialPublicKey === undefined) throw malformedPasskey()
    const key: unknown = decodeCredentialPublicKey(data.credentialPublicKey)
    if (!(key instanceof Map)) throw malformedPasskey()
    return { parts, data: { ...data, credentialID: data.credentialID }, key }
  })
  const keyAlgorithm = key.get(coseAlgorithm)
  if (!isStrongKey(keyAlgorithm, key)) throw passkeyKeyNotSupported()
  const statement = parts.get('attStmt') as unknown
  if (!(statement instanceof Map)) throw malformedPasskey()
  return { format: parts.get('fmt') as string, statement, data, keyAlgorithm }
}

/**
 * What the assertion says; undefined when it was not made just now, here, by the passkey. That its counter has not gone
 * back is the caller's to see.
 */
export const verifyAssertion = async (
  credential: AssertionJson,
  { credentialId, publicKey }: Pick<Passkey, 'credentialId' | 'publicKey'>,
  challenge: string,
  { relyingPartyId, isOrigin, userVerification }: Expectation,
): Promise<Assertion | undefined> => {
  const client = readClientData(credential.clientDataJSON)
  if (client === undefined || client.isFramed || !isOrigin(client.origin)) return undefined
  if (credential.id !== credentialId || !hasSoundCbor(Buffer.from(credential.authenticatorData, 'base64url'))) {
    return undefined
  }
  const [{ verifyAuthenticationResponse }, { decodeCredentialPublicKey }] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ])
  const key = new Uint8Array(Buffer.from(publicKey, 'base64url'))
  const isEs256 = decodeCredentialPublicKey(key).get(coseAlgorithm) === algorithms[0]
  if (isEs256 && !isP256Signature(Buffer.from(credential.signature, 'base64url'))) return undefined
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: credential.id,
        rawId: credential.id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: credential.clientDataJSON,
          authenticatorData: credential.authenticatorData,
          signature: credential.signature,
        },
      },
      expectedChallenge: challenge,
      expectedOrigin: client.origin,
      expectedRPID: relyingPartyId,
      credential: { id: credentialId, publicKey: key, counter: 0 },
      requireUserVerification: userVerification === 'required',
    })
    if (!verified) return undefined
    return {
      signCount: authenticationInfo.newCounter,
      backupEligible: authenticationInfo.credentialDeviceType === 'multiDevice',
      backedUp: authenticationInfo.credentialBackedUp,
      userVerified: authenticationInfo.userVerified,
    }
  } catch {
    return undefined
  }
}

/** The library throws an error of its own for whatever it does not like. */
const orMalformed = async <T>(work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch {
    throw malformedPasskey()
  }
}

/** Whether the CBOR in authenticator data (WebAuthn, section 6.1) is sound, and nothing stands behind it. */
const hasSoundCbor = (data: Buffer): boolean => {
  const flags = data[32]
  if (flags === undefined || data.length < 37) return false
  let end: number | undefined = 37
  const skip = (offset: number): number | undefined => {
    const length = cborLength(data, offset)
    return length === undefined ? undefined : offset + length
  }
  if (flags & 0x40) end = data.length < 55 ? undefined : skip(55 + data.readUInt16BE(53))
  if (flags & 0x80) end = end && skip(end)
  return end === data.length
}

// ---------------------------------------------------------------------------------------------- keys

/** Labels of a COSE_Key (RFC 9052, section 7; RFC 9053, section 7.1.1; RFC 8230, section 4). */
const coseType = 1
const coseAlgorithm = 3
const [ellipticCurve, ellipticX, ellipticY] = [-1, -2, -3]
const [rsaModulus, rsaExponent] = [-1, -2]

/** More than this takes long to verify, and nobody has it. */
const rsaBitsMax = 4_096

/** Whether this is a key of the algorithm, and one that protects: a point on the curve, or a modulus of 2,048 bits. */
const isStrongKey = (algorithm: unknown, key: ReadonlyMap<number, unknown>): boolean => {
  const [es256, rs256] = algorithms
  if (algorithm === es256) {
    const [x, y] = [bytesOf(key.get(ellipticX)), bytesOf(key.get(ellipticY))]
    if (key.get(coseType) !== 2 || key.get(ellipticCurve) !== 1 || x?.length !== 32 || y?.length !== 32) return false
    return readKey({ kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') }) !== undefined
  }
  if (algorithm === rs256) {
    const [n, e] = [bytesOf(key.get(rsaModulus)), bytesOf(key.get(rsaExponent))]
    if (key.get(coseType) !== 3 || n === undefined || n.length > rsaBitsMax / 8 || e === undefined || e.length > 4) {
      return false
    }
    const read = readKey({ kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') })
    const { modulusLength = 0, publicExponent = 0n } = read?.asymmetricKeyDetails ?? {}
    return modulusLength >= 2_048 && publicExponent >= 3n && publicExponent % 2n === 1n
  }
  return false
}

const bytesOf = (value: unknown): Buffer | undefined => (value instanceof Uint8Array ? Buffer.from(value) : undefined)

const readKey = (jwk: Record<string, string>): KeyObject | undefined => {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}
