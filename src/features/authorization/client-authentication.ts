/**
 * Who asks at the token endpoint: a client by its id and, when it has one, its secret, in the Authorization header or in
 * the body (RFC 6749, section 2.3.1).
 */
import { invalidClient, invalidClientSecret, invalidRequest } from '../../core/errors/oauth.ts'
import type { Parameters } from '../../core/oauth.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import { countAtDomain } from '../limits.ts'
import { provesClient } from '../tokens/client-proof.ts'
import type { Pool } from '../user-pools/pool.ts'
import { poolOfRequest } from './pool-of-request.ts'

/** What a client sends to the endpoints that want to know who it is. */
export interface FormRequest {
  /** The Host header. */
  host: string | undefined
  /** The Authorization header. */
  authorization: string | undefined
  form: Parameters
}

/** What a request says of its client. `secrets` are the ways in which the secret can be read. */
interface ClientCredentials {
  clientId: string | undefined
  secrets: string[]
}

/**
 * The client of the request, when it has proven that it is the one: with a secret of its own, or without one when it has
 * none. `status` is that of the error; Cognito's token endpoint has 400 for it.
 * @throws OAuthError `invalid_client`, also when header and body name different clients or secrets; `invalid_request` when a
 * parameter is repeated; TooManyRequestsException at the limit of the client or its domain, and after very many wrong secrets
 * from the same place.
 */
export const authenticateClient = async (
  ctx: Context,
  { host, authorization, form }: FormRequest,
  status: 400 | 401 = 400,
): Promise<{ pool: Pool; client: Client }> => {
  if (form.repeated.length > 0) throw invalidRequest()
  const credentials = readCredentials(authorization, form)
  const at = credentials && (await poolOfRequest(ctx, host, credentials.clientId))
  if (credentials === undefined || at?.client === undefined) throw invalidClient(undefined, status)
  const { pool, client } = at
  countAtDomain(ctx, { pool, client })
  if (!(await provesClient(ctx, client, credentials.secrets))) throw invalidClientSecret(status)
  return { pool, client }
}

/** Undefined when header and body contradict one another, and for a header of another kind. */
const readCredentials = (authorization: string | undefined, form: Parameters): ClientCredentials | undefined => {
  const clientId = form.get('client_id')
  const secret = form.get('client_secret')
  if (authorization === undefined) return { clientId, secrets: secret === undefined ? [] : [secret] }
  const basic = readBasic(authorization)
  const differs = (given: string | undefined, readings: readonly string[]): boolean =>
    given !== undefined && !readings.includes(given)
  if (basic === undefined || differs(clientId, basic.ids) || differs(secret, basic.secrets)) return undefined
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
