/** Values that several parts of the configuration share, and the mistakes in them. */
import type { Credentials } from './core/sigv4-sign.ts'

/** A mistake in the configuration, told to the operator in one line. */
export class ConfigError extends Error {}

/** The text. @throws ConfigError unless it is a URL with one of the protocols, for example `https:`, or undefined. */
export const readUrl = <Text extends string | undefined>(
  name: string,
  text: Text,
  protocols: readonly string[],
): Text => {
  if (text === undefined) return text
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw new ConfigError(
      `${name} must be a URL that begins with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`,
    )
  }
  return text
}

export const httpProtocols = ['http:', 'https:']

/** An access key of AWS in one text. @throws ConfigError */
export const readCredentials = (name: string, text: string | undefined): Credentials | undefined => {
  if (text === undefined) return undefined
  const [id = '', secret = '', sessionToken, ...rest] = text.split(':')
  if (id === '' || secret === '' || sessionToken === '' || rest.length > 0)
    throw new ConfigError(`${name} must have the form ID:SECRET or ID:SECRET:SESSION_TOKEN`)
  return { id, secret, sessionToken }
}

/**
 * The members of a mapping in the file, all of them texts, numbers, switches, lists or mappings as they stand there.
 * @throws ConfigError when it is no mapping, or has a key that is not one of these.
 */
export const readMembers = <Key extends string>(
  where: string,
  value: unknown,
  keys: readonly Key[],
): Partial<Record<Key, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`${where} must be a mapping of ${keys.join(', ')}`)
  const unknown = Object.keys(value).find(key => !keys.some(known => known === key))
  if (unknown !== undefined) throw new ConfigError(`${where}: unknown key ${unknown}`)
  return value
}

/** A text of the file; undefined when it is not there. @throws ConfigError for anything else, and for an empty text. */
export const readText = (where: string, value: unknown): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw new ConfigError(`${where} must be a text`)
  return value
}

const secretLengthMin = 16

/** A URL to post to, with the secret that signs what is posted. @throws ConfigError */
export const readWebhook = (where: string, value: unknown): { url: string; secret: string } => {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  const { url, secret } = readMembers(where, isMapping ? value : {}, ['url', 'secret'])
  if (typeof url !== 'string' || typeof secret !== 'string')
    throw new ConfigError(`${where} must have url and secret as texts`)
  if (secret.length < secretLengthMin)
    throw new ConfigError(`${where}: the secret must have at least ${secretLengthMin} characters`)
  return { url: readUrl(`${where}.url`, url, httpProtocols), secret }
}
