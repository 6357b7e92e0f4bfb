/**
 * The arithmetic of OAuth 2.0 and OpenID Connect: parameters, redirects, PKCE and the hash that ties an ID token to its
 * access token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'

/** The parameters of a request, each once; an empty one counts as absent (RFC 6749, section 3.1). */
export interface Parameters {
  get(name: string): string | undefined
  /** Whether the parameter was given more than once. */
  isRepeated(name: string): boolean
  /** The names that were given more than once. */
  readonly repeated: readonly string[]
  /** All that was given, in its order. */
  readonly entries: readonly [string, string][]
}

export const readParameters = (search: URLSearchParams): Parameters => {
  const values = new Map<string, string>()
  const repeated = new Set<string>()
  for (const [name, value] of search) {
    if (values.has(name)) repeated.add(name)
    else values.set(name, value)
  }
  return {
    get: name => values.get(name) || undefined,
    isRepeated: name => repeated.has(name),
    repeated: [...repeated],
    entries: [...search],
  }
}

/** The items of a list that is separated by blanks, each once, in their order. */
export const wordsOf = (text: string | undefined): string[] => [
  ...new Set((text ?? '').split(' ').filter(word => word !== '')),
]

/** Where the parameters of an answer stand in the redirect. */
export type ResponsePlace = 'query' | 'fragment'

/**
 * The registered URI with the parameters of an answer behind it. The URI stays byte for byte what it is, because it is
 * what the application has registered.
 */
export const withParameters = (
  uri: string,
  parameters: Readonly<Record<string, string | undefined>>,
  place: ResponsePlace = 'query',
): string => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const text = new URLSearchParams(given).toString()
  if (text === '') return uri
  if (place === 'fragment') return `${uri}#${text}`
  if (!uri.includes('?')) return `${uri}?${text}`
  return /[?&]$/.test(uri) ? uri + text : `${uri}&${text}`
}

// ---------------------------------------------------------------------------------------------- PKCE (RFC 7636)

/** A challenge of method S256 is 32 bytes in base64url. */
export const isCodeChallenge = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)

/** Whether the verifier has the form of one and the challenge was made from it. */
export const matchesChallenge = (verifier: string, challenge: string): boolean => {
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false
  const expected = Buffer.from(challenge, 'base64url')
  const given = createHash('sha256').update(verifier).digest()
  return expected.length === given.length && timingSafeEqual(given, expected)
}

// ---------------------------------------------------------------------------------------------- tokens

/** `at_hash`: the left half of the SHA-256 of the access token (OpenID Connect Core, section 3.1.3.6). */
export const accessTokenHash = (accessToken: string): string =>
  createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')

/** Scopes that tell which attributes of the user a token is about. */
export const attributeScopes = ['email', 'phone', 'profile'] as const

const pairs: Record<string, 'email' | 'phone'> = {
  email: 'email',
  email_verified: 'email',
  phone_number: 'phone',
  phone_number_verified: 'phone',
}

/**
 * Whether an attribute belongs to what the scopes ask for. `openid` alone asks for everything; beside other scopes of the
 * kind it asks for nothing more than they do.
 */
export const attributesInScope = (scope: string): ((attribute: string) => boolean) => {
  const scopes = new Set(wordsOf(scope))
  if (!attributeScopes.some(name => scopes.has(name))) return () => true
  return attribute => scopes.has(pairs[attribute] ?? 'profile')
}

// ---------------------------------------------------------------------------------------------- resources (RFC 8707)

const resourceLengthMax = 2_048

/** Schemes that name nothing an access token could be for. */
const senselessSchemes = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:'])

/** A resource is an https URL, a URL on `http://localhost`, or one of an application's own scheme; without a fragment. */
export const isResource = (text: string): boolean => {
  if (text.length > resourceLengthMax || /[\s\p{Cc}\\#"<>]/u.test(text)) return false
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\/./i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined || senselessSchemes.has(scheme) || !URL.canParse(text)) return false
  return scheme !== 'http:' || new URL(text).hostname === 'localhost'
}
