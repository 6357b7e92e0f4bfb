/** Why a message of a SAML provider is not accepted. */

export type SamlReason =
  | 'malformed'
  | 'status'
  | 'signature'
  | 'responseSignature'
  | 'notEncrypted'
  | 'issuer'
  | 'destination'
  | 'inResponseTo'
  | 'unsolicited'
  | 'subject'
  | 'confirmation'
  | 'recipient'
  | 'period'
  | 'audience'
  | 'conditions'
  | 'authentication'
  | 'session'
  | 'tooOld'
  | 'attributes'
  | 'replayed'

/** `detail` is what the provider has said, for the reason `status`. The message is for the log. */
export class SamlFault extends Error {
  override readonly name = 'SamlFault'
  readonly reason: SamlReason
  readonly detail: string | undefined

  constructor(reason: SamlReason, message: string, detail?: string) {
    super(message)
    this.reason = reason
    this.detail = detail
  }
}
