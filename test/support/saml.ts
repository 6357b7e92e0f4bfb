/** SAML metadata of identity providers that exist only in tests. */
import { generateKeyPairSync } from 'node:crypto'
import { makeSigningCertificate } from '../../src/features/user-pools/certificate.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** One moment for all certificates of a test run, so that the same name gives the same certificate. */
const yesterday = Date.now() - 86_400_000

/** A certificate (DER in base64) that is valid for ten years from this moment on; each name has one of its own. */
export const testCertificate = (from = yesterday, name = 'idp'): string =>
  makeSigningCertificate({ id: name }, { kid: name, privateKey, publicKey, publicJwk: {}, createdAt: from }, from)

export interface TestMetadata {
  entityId?: string
  /** Everything inside of IDPSSODescriptor instead of the usual. */
  role?: string
}

export const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'

export const keyDescriptor = (certificate: string, use = ' use="signing"'): string =>
  `<md:KeyDescriptor${use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n${certificate.replace(/.{64}/g, '$&\n')}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`

export const service = (name: string, location: string, binding = redirectBinding): string =>
  `<md:${name} Binding="${binding}" Location="${location}"/>`

/** An EntityDescriptor of an identity provider. */
export const samlMetadata = ({
  entityId = 'https://idp.example.com/saml',
  role,
}: TestMetadata = {}): string => `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${entityId}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${role ?? [keyDescriptor(testCertificate()), service('SingleLogoutService', 'https://idp.example.com/slo'), service('SingleSignOnService', 'https://idp.example.com/sso')].join('\n    ')}
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`
