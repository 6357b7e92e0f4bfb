/**
 * Messages to SAML providers and the HTTP-Redirect binding (SAML Bindings, section 3.4): the message is compressed into the
 * query of a URL, to which the browser takes it.
 */
import { deflateRawSync } from 'node:zlib'
import { escapeAttribute, escapeText } from './canonical-xml.ts'
import { ns, postBinding, rsaSha256 } from './names.ts'
import type { NameId } from './response.ts'

/** The entity id of a pool, which providers know it by. */
export const entityIdOf = (poolId: string): string => `urn:amazon:cognito:sp:${poolId}`

interface MessageHead {
  /** Begins with a letter or an underscore. */
  id: string
  /** Milliseconds since the epoch. */
  now: number
  destination: string
  issuer: string
}

/** The request for a sign-in, in the form of the service. */
export const authnRequest = ({
  consumerUrl,
  forceAuthn,
  ...head
}: MessageHead & {
  /** Where the response is posted to. */
  consumerUrl: string
  /** Whether the user is to prove anew who he is. */
  forceAuthn: boolean
}): string =>
  message('AuthnRequest', head, {
    AssertionConsumerServiceURL: consumerUrl,
    ...(forceAuthn && { ForceAuthn: 'true' }),
    ProtocolBinding: postBinding,
  })

/** The request to end the provider's session of the user. */
export const logoutRequest = ({
  nameId: { value, format, nameQualifier, spNameQualifier },
  sessionIndex,
  ...head
}: MessageHead & { nameId: NameId; sessionIndex: string | undefined }): string => {
  const attributes = { Format: format, NameQualifier: nameQualifier, SPNameQualifier: spNameQualifier }
  const name = `<saml2:NameID${attributesOf(attributes)}>${escapeText(value)}</saml2:NameID>`
  const index =
    sessionIndex === undefined ? '' : `<saml2p:SessionIndex>${escapeText(sessionIndex)}</saml2p:SessionIndex>`
  return message('LogoutRequest', head, {}, name + index)
}

const message = (
  name: string,
  { id, now, destination, issuer }: MessageHead,
  attributes: Record<string, string>,
  content = '',
): string => {
  const all = {
    ...attributes,
    Destination: destination,
    ID: id,
    IssueInstant: new Date(now).toISOString(),
    Version: '2.0',
  }
  return `<?xml version="1.0" encoding="UTF-8"?><saml2p:${name} xmlns:saml2="${ns.assertion}" xmlns:saml2p="${ns.protocol}"${attributesOf(all)}><saml2:Issuer>${escapeText(issuer)}</saml2:Issuer>${content}</saml2p:${name}>`
}

const attributesOf = (attributes: Record<string, string | undefined>): string =>
  Object.entries(attributes)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeAttribute(value)}"`))
    .join('')

/**
 * The URL that takes a request to the provider. `sign` is given the octets that a signature is about and makes one of RSA
 * with SHA-256, in base64; without it the request is not signed.
 */
export const redirectTo = async (
  destination: string,
  { request, relayState }: { request: string; relayState: string },
  sign: ((octets: string) => Promise<string>) | undefined,
): Promise<string> => {
  const parameter = (name: string, value: string) => `${name}=${encodeURIComponent(value)}`
  const parts = [
    parameter('SAMLRequest', deflateRawSync(request).toString('base64')),
    parameter('RelayState', relayState),
  ]
  if (sign !== undefined) {
    parts.push(parameter('SigAlg', rsaSha256))
    parts.push(parameter('Signature', await sign(parts.join('&'))))
  }
  return `${destination}${destination.includes('?') ? '&' : '?'}${parts.join('&')}`
}
