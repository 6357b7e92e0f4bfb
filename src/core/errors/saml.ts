/**
 * What a sign-in or sign-out through a SAML provider can be refused with. The wordings that are known of the service are
 * marked; the others are made after them. A blank at the end is the service's.
 */
import type { SamlFault, SamlReason } from '../saml/fault.ts'
import { AuthorizationError, OAuthError } from './oauth.ts'

/** What is wrong with a response, behind `Invalid SAML response received: `. */
export const samlFaults: Readonly<Record<Exclude<SamlReason, 'status'>, string>> = {
  // [verified]
  signature: 'SAML Assertion signature is invalid.',
  // [known], and so are audience and period as to their sense.
  responseSignature: 'Response Signature is invalid.',
  audience: 'Audience restriction was violated.',
  period: 'SAML Assertion is not within the validity period.',
  malformed: 'The response cannot be read.',
  notEncrypted: 'SAML Assertion is not encrypted.',
  issuer: 'Issuer does not match the identity provider.',
  destination: 'Destination does not match.',
  inResponseTo: 'InResponseTo does not match the request.',
  unsolicited: 'An unsolicited response must not have InResponseTo.',
  subject: 'Subject has no NameID.',
  confirmation: 'Subject has no bearer confirmation.',
  recipient: 'Recipient does not match.',
  conditions: 'SAML Assertion has no conditions that can be met.',
  authentication: 'SAML Assertion has no AuthnStatement.',
  session: 'The session at the identity provider has ended.',
  tooOld: 'SAML Assertion was issued too long ago.',
  attributes: 'An attribute value is too long or has characters that are not supported.',
  replayed: 'SAML Assertion has been used already.',
}

/** The application is told. What the provider says when it refuses takes the place of a reason. */
export const invalidSamlResponse = ({ reason, detail }: Pick<SamlFault, 'reason' | 'detail'>): OAuthError =>
  new OAuthError(
    'server_error',
    `Invalid SAML response received: ${reason === 'status' ? (detail ?? '') : samlFaults[reason]} `,
  )

/** The wording is not published. */
export const samlMetadataOutdated = () =>
  new OAuthError('server_error', 'The metadata of the identity provider cannot be retrieved ')

// ---------------------------------------------------------------------------------------------- the error page

/** RelayState is none of this server. [verified] */
export const invalidRelayState = () => new AuthorizationError('Invalid relayState from identity provider')
/** The response belongs to no sign-in of this browser, or is none. [known] */
export const invalidSamlAnswer = () =>
  new AuthorizationError('Invalid samlResponse or relayState from identity provider')
