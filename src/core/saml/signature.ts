/**
 * XML signatures as SAML uses them (SAML Core, section 5.4): enveloped, about the element that carries them, with one
 * reference and two transforms. Everything that the standard of XML signatures allows beyond that is refused.
 */
import { createHash, type KeyObject, verify, X509Certificate } from 'node:crypto'
import { type XmlElement, XmlFault } from '../xml.ts'
import { canonicalize } from './canonical-xml.ts'
import { atMostOne, base64Of, elementsOf, exactlyOne, isNamed, malformed, plainText, readMessage } from './elements.ts'
import { SamlFault } from './fault.ts'
import { ns, rsaSha256 } from './names.ts'

const moreAlgorithms = 'http://www.w3.org/2001/04/xmldsig-more#'
const envelopedTransform = `${ns.signature}enveloped-signature`

/** No SHA-1, and nothing that is verified with a secret: a certificate is none. */
const signatureAlgorithms = new Map<string, { hash: string; keyType: 'rsa' | 'ec' }>([
  [rsaSha256, { hash: 'sha256', keyType: 'rsa' }],
  [`${moreAlgorithms}rsa-sha384`, { hash: 'sha384', keyType: 'rsa' }],
  [`${moreAlgorithms}rsa-sha512`, { hash: 'sha512', keyType: 'rsa' }],
  [`${moreAlgorithms}ecdsa-sha256`, { hash: 'sha256', keyType: 'ec' }],
  [`${moreAlgorithms}ecdsa-sha384`, { hash: 'sha384', keyType: 'ec' }],
  [`${moreAlgorithms}ecdsa-sha512`, { hash: 'sha512', keyType: 'ec' }],
])

const digestAlgorithms = new Map([
  [`${ns.encryption}sha256`, 'sha256'],
  [`${moreAlgorithms}sha384`, 'sha384'],
  [`${ns.encryption}sha512`, 'sha512'],
])

const modulusBitsMin = 2_048
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
const inclusivePrefixesMax = 32

/**
 * The keys of those certificates (DER in base64) that are valid `now` (milliseconds since the epoch) and strong enough. The
 * list may be empty; then nothing can be verified.
 */
export const verificationKeys = (certificates: readonly string[], now: number): KeyObject[] =>
  certificates.flatMap(text => {
    const certificate = new X509Certificate(Buffer.from(text, 'base64'))
    const key = certificate.publicKey
    const isValid = certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime()
    return isValid && isStrong(key) ? [key] : []
  })

const isStrong = ({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean =>
  type === 'rsa'
    ? (details?.modulusLength ?? 0) >= modulusBitsMin
    : type === 'ec' && curves.has(details?.namedCurve ?? '')

/** The signature that the element carries; undefined for none. @throws SamlFault for more than one. */
export const findSignature = (element: XmlElement): XmlElement | undefined =>
  atMostOne(element, ns.signature, 'Signature')

/**
 * What was signed: the element as it reads in the bytes that one of the keys vouches for. Nothing that was said in other
 * bytes is in it, and its signature is left out. Keys that the message itself brings along are not looked at.
 * @throws SamlFault when the element has no signature, or none that holds.
 */
export const readSigned = (element: XmlElement, keys: readonly KeyObject[]): XmlElement => {
  try {
    return readVerified(element, keys)
  } catch (error) {
    const isOurs = error instanceof SamlFault || error instanceof XmlFault
    throw isOurs ? new SamlFault('signature', `the signature does not hold: ${error.message}`) : error
  }
}

const readVerified = (element: XmlElement, keys: readonly KeyObject[]): XmlElement => {
  const signature = findSignature(element)
  if (signature === undefined) throw malformed('Signature is missing')
  const parts = partsOf(signature, ['SignedInfo', 'SignatureValue'], ['KeyInfo'])
  const [signedInfo, signatureValue] = parts as [XmlElement, XmlElement]
  const [method, signing, reference] = partsOf(signedInfo, [
    'CanonicalizationMethod',
    'SignatureMethod',
    'Reference',
  ]) as [XmlElement, XmlElement, XmlElement]
  const inclusivePrefixes = exclusivePrefixes(method)
  const canonical = canonicalize(element, {
    without: signature,
    inclusivePrefixes: referencePrefixes(element, reference),
  })
  checkDigest(reference, canonical)
  const signedBytes = Buffer.from(canonicalize(signedInfo, { inclusivePrefixes }))
  if (!isSignedByOneOf(keys, signing, signedBytes, base64Of(signatureValue))) throw malformed('another key')
  return readMessage(canonical)
}

/** The children, which must be these and in this order; the optional ones may follow. @throws SamlFault */
const partsOf = (element: XmlElement, names: readonly string[], optional: readonly string[] = []): XmlElement[] => {
  const parts = elementsOf(element)
  const expected = [...names, ...optional].slice(0, Math.max(names.length, parts.length))
  const fits =
    parts.length === expected.length &&
    parts.every((part, index) => isNamed(part, ns.signature, expected[index] ?? '')) &&
    element.children.every(child => typeof child !== 'string' || child.trim() === '')
  if (!fits) throw malformed(`${element.name} is not made of ${names.join(', ')}`)
  return parts
}

/** The prefixes that a method of exclusive canonicalization lists. @throws SamlFault for any other method. */
const exclusivePrefixes = (method: XmlElement): string[] => {
  if (method.attributes.get('Algorithm') !== ns.exclusive) throw malformed('another canonicalization')
  const [list, ...others] = elementsOf(method)
  if (list === undefined) return []
  if (others.length > 0 || !isNamed(list, ns.exclusive, 'InclusiveNamespaces')) throw malformed('another parameter')
  const prefixes = (list.attributes.get('PrefixList') ?? '').split(/[ \t\r\n]+/).filter(prefix => prefix !== '')
  if (prefixes.length > inclusivePrefixesMax) throw malformed('too many prefixes')
  return prefixes.map(prefix => (prefix === '#default' ? '' : prefix))
}

/** Checks that the reference is about the element, and about all of it; returns the prefixes of its canonicalization. */
const referencePrefixes = (element: XmlElement, reference: XmlElement): string[] => {
  const id = element.attributes.get('ID')
  if (!id || reference.attributes.get('URI') !== `#${id}`) throw malformed('a reference to something else')
  const [transforms] = partsOf(reference, ['Transforms', 'DigestMethod', 'DigestValue']) as [XmlElement]
  const [enveloped, exclusive] = partsOf(transforms, ['Transform', 'Transform']) as [XmlElement, XmlElement]
  if (enveloped.attributes.get('Algorithm') !== envelopedTransform || elementsOf(enveloped).length > 0) {
    throw malformed('another transform')
  }
  return exclusivePrefixes(exclusive)
}

const checkDigest = (reference: XmlElement, canonical: string): void => {
  const method = exactlyOne(reference, ns.signature, 'DigestMethod')
  const hash = digestAlgorithms.get(method.attributes.get('Algorithm') ?? '')
  if (hash === undefined) throw malformed('another digest')
  const given = base64Of(exactlyOne(reference, ns.signature, 'DigestValue'))
  if (!createHash(hash).update(canonical).digest().equals(given)) throw malformed('another digest value')
}

const isSignedByOneOf = (keys: readonly KeyObject[], method: XmlElement, bytes: Buffer, signature: Buffer): boolean => {
  const algorithm = signatureAlgorithms.get(method.attributes.get('Algorithm') ?? '')
  if (algorithm === undefined || plainText(method) !== '') throw malformed('another algorithm')
  const { hash, keyType } = algorithm
  return keys
    .filter(key => key.asymmetricKeyType === keyType)
    .some(key => verify(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, signature))
}
