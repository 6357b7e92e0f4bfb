/**
 * Encrypted assertions (XML Encryption 1.1, as SAML Core, section 6 uses it): a fresh key, encrypted to the provider's own
 * certificate with RSA-OAEP, and the assertion encrypted with that key. RSA PKCS #1 v1.5 and triple DES are refused.
 *
 * Whoever sends chosen ciphertext must not learn why it was refused (Jager and Somorovsky, "How to Break XML Encryption").
 * So every failure here is the same one, and an encrypted key that does not open counts as some key that nobody knows.
 */
import {
  type CipherGCMTypes,
  constants,
  createDecipheriv,
  createHmac,
  type KeyObject,
  privateDecrypt,
} from 'node:crypto'
import type { XmlElement } from '../xml.ts'
import { all, atMostOne, base64Of, elementsOf, exactlyOne, malformed, readMessage } from './elements.ts'
import { ns } from './names.ts'

/** Content ciphers by URI, with the length of their keys in bytes. */
const ciphers = new Map<string, { name: string; keyBytes: number; authenticated: boolean }>([
  [`${ns.encryption11}aes128-gcm`, { name: 'aes-128-gcm', keyBytes: 16, authenticated: true }],
  [`${ns.encryption11}aes192-gcm`, { name: 'aes-192-gcm', keyBytes: 24, authenticated: true }],
  [`${ns.encryption11}aes256-gcm`, { name: 'aes-256-gcm', keyBytes: 32, authenticated: true }],
  [`${ns.encryption}aes128-cbc`, { name: 'aes-128-cbc', keyBytes: 16, authenticated: false }],
  [`${ns.encryption}aes192-cbc`, { name: 'aes-192-cbc', keyBytes: 24, authenticated: false }],
  [`${ns.encryption}aes256-cbc`, { name: 'aes-256-cbc', keyBytes: 32, authenticated: false }],
])

const oaepSha1 = `${ns.encryption}rsa-oaep-mgf1p`
const oaep = `${ns.encryption11}rsa-oaep`
/** SHA-1 is harmless inside of OAEP, and the default of most providers. */
const oaepHashes = new Map([
  [`${ns.signature}sha1`, 'sha1'],
  [`${ns.encryption}sha256`, 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
  [`${ns.encryption}sha512`, 'sha512'],
])
const maskHashes = new Map([
  [`${ns.encryption11}mgf1sha1`, 'sha1'],
  [`${ns.encryption11}mgf1sha256`, 'sha256'],
  [`${ns.encryption11}mgf1sha384`, 'sha384'],
  [`${ns.encryption11}mgf1sha512`, 'sha512'],
])

const gcmNonceBytes = 12
const gcmTagBytes = 16
const cbcBlockBytes = 16

/**
 * The element inside of an EncryptedAssertion. Unless the cipher authenticates, anybody can have written it: the caller
 * verifies a signature before anything in it is believed.
 * @throws SamlFault
 */
export const decryptAssertion = (encrypted: XmlElement, privateKey: KeyObject): XmlElement => {
  const data = exactlyOne(encrypted, ns.encryption, 'EncryptedData')
  const cipher = ciphers.get(algorithmOf(data))
  if (cipher === undefined) throw malformed('another cipher')
  const key = contentKey(encryptedKeyOf(encrypted, data), privateKey, cipher.keyBytes)
  const bytes = cipherBytes(data)
  const plain = cipher.authenticated
    ? openGcm(cipher.name as CipherGCMTypes, key, bytes)
    : openCbc(cipher.name, key, bytes)
  if (plain === undefined) throw malformed('the content does not open')
  return readMessage(decodeUtf8(plain), { scope: encrypted.written.scope })
}

const algorithmOf = (element: XmlElement): string =>
  exactlyOne(element, ns.encryption, 'EncryptionMethod').attributes.get('Algorithm') ?? ''

/** It stands in the KeyInfo of the data or, with providers that refer to it from there, beside the data. */
const encryptedKeyOf = (encrypted: XmlElement, data: XmlElement): XmlElement => {
  const keyInfo = atMostOne(data, ns.signature, 'KeyInfo')
  const [key, ...others] = [encrypted, ...(keyInfo === undefined ? [] : [keyInfo])].flatMap(holder =>
    all(holder, ns.encryption, 'EncryptedKey'),
  )
  if (key === undefined || others.length > 0) throw malformed('not exactly one encrypted key')
  return key
}

const cipherBytes = (element: XmlElement): Buffer =>
  base64Of(exactlyOne(exactlyOne(element, ns.encryption, 'CipherData'), ns.encryption, 'CipherValue'))

const contentKey = (encryptedKey: XmlElement, privateKey: KeyObject, keyBytes: number): Buffer => {
  const oaepHash = oaepHashOf(exactlyOne(encryptedKey, ns.encryption, 'EncryptionMethod'))
  const bytes = cipherBytes(encryptedKey)
  try {
    const key = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, bytes)
    if (key.length === keyBytes) return key
  } catch {
    // Falls through: that the key does not open must not show before the content does not.
  }
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
  return createHmac('sha512', secret).update(bytes).digest().subarray(0, keyBytes)
}

/** The one hash of OAEP: label and mask must use the same, because Node.js has no other OAEP. */
const oaepHashOf = (method: XmlElement): string => {
  const algorithm = method.attributes.get('Algorithm')
  const digest = atMostOne(method, ns.signature, 'DigestMethod')?.attributes.get('Algorithm')
  const mask = atMostOne(method, ns.encryption11, 'MGF')?.attributes.get('Algorithm')
  const hash = digest === undefined ? 'sha1' : oaepHashes.get(digest)
  const maskHash = algorithm === oaepSha1 || mask === undefined ? 'sha1' : maskHashes.get(mask)
  const isKnown = algorithm === oaepSha1 || algorithm === oaep
  if (!isKnown || hash === undefined || hash !== maskHash) throw malformed('another encryption of the key')
  if (elementsOf(method).some(parameter => parameter.name === 'OAEPparams')) throw malformed('a label')
  return hash
}

/** Nonce, content and tag in a row (XML Encryption 1.1, section 5.2.4); undefined when the tag does not fit. */
const openGcm = (name: CipherGCMTypes, key: Buffer, bytes: Buffer): Buffer | undefined => {
  if (bytes.length < gcmNonceBytes + gcmTagBytes) return undefined
  const decipher = createDecipheriv(name, key, bytes.subarray(0, gcmNonceBytes), { authTagLength: gcmTagBytes })
  decipher.setAuthTag(bytes.subarray(-gcmTagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(gcmNonceBytes, -gcmTagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}

/** Vector and blocks; the last byte counts the bytes of padding, of which the others may be anything (section 5.2.3). */
const openCbc = (name: string, key: Buffer, bytes: Buffer): Buffer | undefined => {
  if (bytes.length < 2 * cbcBlockBytes || bytes.length % cbcBlockBytes !== 0) return undefined
  const decipher = createDecipheriv(name, key, bytes.subarray(0, cbcBlockBytes)).setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(bytes.subarray(cbcBlockBytes)), decipher.final()])
  const padding = padded.at(-1) ?? 0
  if (padding < 1 || padding > cbcBlockBytes) return undefined
  return padded.subarray(0, padded.length - padding)
}

const decodeUtf8 = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed('not UTF-8')
  }
}
