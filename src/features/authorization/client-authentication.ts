/**
 * Who asks at the token endpoint: a client by its id and, when it has one, its secret, in the Authorization header or in
 * the body (RFC 6749, section 2.3.1).
 */
import { invalidClient, invalidClientSecret } from '../../core/errors/oauth.ts'
import type { Parameters } from '../../core/oauth.ts'
import type { Client } from '../app-clients/client.ts'
import { provesClient } from '../tokens/sign-out.ts'

/** What a request says of its client. `secrets` are the ways in which the secret can be read. */
export interface ClientCredentials {
  clientId: string | undefined
  secrets: string[]
}

/**
 * The credentials of a request.
 * @throws OAuthError `invalid_client` when header and body name different clients or different secrets, and for a header of
 * another kind.
 */
export const readClientCredentials = (authorization: string | undefined, form: Parameters): ClientCredentials => {
  const clientId = form.get('client_id')
  const secret = form.get('client_secret')
  if (authorization === undefined) return { clientId, secrets: secret === undefined ? [] : [secret] }
  const basic = readBasic(authorization)
  if (basic === undefined) throw invalidClient()
  if (clientId !== undefined && !basic.ids.includes(clientId)) throw invalidClient()
  if (secret !== undefined && !basic.secrets.includes(secret)) throw invalidClient()
  return { clientId: clientId ?? basic.ids[0], secrets: basic.secrets }
}

const headerLengthMax = 1_024

/** Id and secret are form-encoded in the header, but not by everybody; a `+` in a secret reads in two ways. */
const readBasic = (header: string): { ids: string[]; secrets: string[] } | undefined => {
  if (header.length > headerLengthMax) return undefined
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? []
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) return undefined
  return { ids: readings(text.slice(0, colon)), secrets: readings(text.slice(colon + 1)).filter(it => it !== '') }
}

const readings = (text: string): string[] => {
  try {
    return [...new Set([text, decodeURIComponent(text.replaceAll('+', ' '))])]
  } catch {
    return [text]
  }
}

/**
 * The client, when it has proven that it is the one: with a secret of its own, or without one when it has none.
 * @throws OAuthError `invalid_client`
 */
export const authenticateClient = (
  client: Client | undefined,
  { secrets }: ClientCredentials,
  status: 400 | 401 = 400,
): Client => {
  if (client === undefined) throw invalidClient(undefined, status)
  const isProven = secrets.length === 0 ? provesClient(client, undefined) : secrets.some(it => provesClient(client, it))
  if (!isProven) throw invalidClientSecret(status)
  return client
}
