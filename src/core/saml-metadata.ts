/**
 * What a SAML 2.0 identity provider says of itself (OASIS SAML 2.0 Metadata): its entity id, where the browser is sent,
 * and the certificates whose keys sign its messages.
 */
import { X509Certificate } from 'node:crypto'
import { invalidXml, unusableSamlMetadata } from './errors.ts'
import { childElements, parseXml, textOf, type XmlElement, XmlFault } from './xml.ts'

export interface SamlMetadata {
  entityId: string
  /** SingleSignOnService with the binding HTTP-Redirect. */
  signOnUrl: string
  /** SingleLogoutService with the binding HTTP-Redirect; absent when there is none. */
  logoutUrl?: string
  /** DER in base64 without lines. Never empty: without a key nothing could be checked. */
  certificates: string[]
}

const metadataNamespace = 'urn:oasis:names:tc:SAML:2.0:metadata'
const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#'
const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol'
const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const certificateLengthMax = 4_096
const certificatesMax = 20
const textLengthMax = 2_048

/**
 * Reads the metadata of one identity provider. Certificates that are no longer valid `now` (milliseconds since the
 * epoch) are left out.
 * @throws InvalidParameterException for what is no XML, not the metadata of one identity provider, has no place to
 * redirect to, or has no signing certificate that is still valid.
 */
export const readSamlMetadata = (document: string, now: number): SamlMetadata => {
  const entity = findEntity(readXml(document))
  const entityId = entity.attributes.get('entityID')
  const role = childElements(entity, metadataNamespace, 'IDPSSODescriptor').find(descriptor =>
    descriptor.attributes.get('protocolSupportEnumeration')?.split(/\s+/).includes(protocol),
  )
  if (!entityId || entityId.length > textLengthMax || role === undefined) throw unusableSamlMetadata('provider')
  const signOnUrl = redirectLocation(role, 'SingleSignOnService')
  if (signOnUrl === undefined) throw unusableSamlMetadata('signOn')
  const logoutUrl = redirectLocation(role, 'SingleLogoutService')
  return {
    entityId,
    signOnUrl,
    ...(logoutUrl !== undefined && { logoutUrl }),
    certificates: signingCertificates(role, now),
  }
}

const readXml = (document: string): XmlElement => {
  try {
    return parseXml(document)
  } catch (error) {
    throw error instanceof XmlFault ? invalidXml() : error
  }
}

/** The root, or the one entity of a list that is an identity provider. */
const findEntity = (root: XmlElement): XmlElement => {
  if (root.namespace !== metadataNamespace) throw invalidXml()
  if (root.name === 'EntityDescriptor') return root
  const [entity, ...others] =
    root.name === 'EntitiesDescriptor'
      ? childElements(root, metadataNamespace, 'EntityDescriptor').filter(
          candidate => childElements(candidate, metadataNamespace, 'IDPSSODescriptor').length > 0,
        )
      : []
  if (entity === undefined || others.length > 0) throw unusableSamlMetadata('provider')
  return entity
}

/** A place in the web where the browser can be sent; nothing else could be redirected to. */
const redirectLocation = (role: XmlElement, service: string): string | undefined =>
  childElements(role, metadataNamespace, service)
    .filter(endpoint => endpoint.attributes.get('Binding') === redirectBinding)
    .map(endpoint => endpoint.attributes.get('Location') ?? '')
    .find(isWebAddress)

const isWebAddress = (text: string): boolean =>
  text.length <= textLengthMax && URL.canParse(text) && ['https:', 'http:'].includes(new URL(text).protocol)

/** A key without `use` signs as well as encrypts (section 2.4.1.1). */
const signingCertificates = (role: XmlElement, now: number): string[] => {
  const texts = childElements(role, metadataNamespace, 'KeyDescriptor')
    .filter(key => (key.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap(key => childElements(key, signatureNamespace, 'KeyInfo'))
    .flatMap(info => childElements(info, signatureNamespace, 'X509Data'))
    .flatMap(data => childElements(data, signatureNamespace, 'X509Certificate'))
    .map(certificate => textOf(certificate).replaceAll(/\s/g, ''))
  const certificates = [...new Set(texts)]
  if (certificates.length === 0) throw unusableSamlMetadata('certificate')
  if (certificates.length > certificatesMax) throw unusableSamlMetadata('certificates')
  const valid = certificates.filter(certificate => expiryOf(certificate) > now)
  if (valid.length === 0) throw unusableSamlMetadata('expired')
  return valid
}

/** When the certificate stops being valid, in milliseconds since the epoch. */
const expiryOf = (certificate: string): number => {
  if (certificate.length > certificateLengthMax) throw unusableSamlMetadata('certificateLength')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(certificate)) throw unusableSamlMetadata('certificateForm')
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64')).validToDate.getTime()
  } catch {
    throw unusableSamlMetadata('certificateForm')
  }
}
