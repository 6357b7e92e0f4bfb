/** Answers of SAML providers to the request to end their session (SAML Core, section 3.7; Profiles, section 4.4). */
import type { KeyObject } from 'node:crypto'
import { exactlyOne, isNamed, malformed, readMessage } from './elements.ts'
import { SamlFault } from './fault.ts'
import { ns, statusSuccess } from './names.ts'
import { assertUniqueIds, checkHead } from './response.ts'
import { readSigned } from './signature.ts'

export interface ExpectedLogoutResponse {
  issuer: string
  /** The URL at which the response has arrived. */
  recipient: string
  requestId: string
  keys: readonly KeyObject[]
}

/** Whether the provider's session has ended, by a response that may be any text. @throws SamlFault unless it is signed. */
export const readLogoutResponse = (text: string, expected: ExpectedLogoutResponse): { ended: boolean } => {
  const message = readMessage(text)
  if (!isNamed(message, ns.protocol, 'LogoutResponse')) throw malformed('another message')
  assertUniqueIds(message)
  const response = readSigned(message, expected.keys)
  exactlyOne(response, ns.assertion, 'Issuer')
  // A signed message names its destination (SAML Bindings, section 3.5.5.2); one for another party would do otherwise.
  if (response.attributes.get('Destination') === undefined) throw new SamlFault('destination', 'no destination')
  checkHead(response, expected)
  const status = exactlyOne(response, ns.protocol, 'Status')
  return { ended: exactlyOne(status, ns.protocol, 'StatusCode').attributes.get('Value') === statusSuccess }
}
