/**
 * Names of user pool domains: what a prefix and a custom domain look like, and which of them the host of a request
 * may stand for. A prefix has no dot and a custom domain has one, so that no name is both.
 */
import { invalidCustomDomain, invalidDomainName, reservedWordInDomain } from './errors.ts'

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const labelLengthMax = 63
const hostLengthMax = 253
const reservedWords = ['aws', 'amazon', 'cognito']

const isLabel = (text: string): boolean => text.length <= labelLengthMax && label.test(text)

/** @throws InvalidParameterException for a name that is no label of a host, and for a reserved word anywhere in it. */
export const checkDomainPrefix = (prefix: string): void => {
  if (!isLabel(prefix)) throw invalidDomainName()
  const word = reservedWords.find(reserved => prefix.includes(reserved))
  if (word !== undefined) throw reservedWordInDomain(word)
}

/**
 * Checks the name of a custom domain. `publicUrl` is the base URL of this server: what stands directly below its host
 * is the host of a prefix.
 * @throws InvalidParameterException
 */
export const checkCustomDomain = (name: string, publicUrl: string): void => {
  const labels = name.split('.')
  if (name.length > hostLengthMax || !labels.every(isLabel)) throw invalidDomainName()
  // A name of one label is a top-level domain; a last label of digits makes an IP address (RFC 3696, section 2).
  if (labels.length < 2 || /^[0-9]+$/.test(labels.at(-1) ?? '')) throw invalidCustomDomain()
  const parent = labels.slice(1).join('.')
  if (prefixParents(publicUrl).includes(parent)) {
    throw invalidCustomDomain(`The names directly below ${parent} belong to domain prefixes.`)
  }
}

/**
 * The names of domains that the Host header of a request may stand for, the custom domain before the prefix; empty
 * when it can be none. A port is ignored, and so are letter case and the dot of the root.
 */
export const domainNamesOfHost = (host: string, publicUrl: string): string[] => {
  const name = hostnameOf(host)
  if (name === undefined || !name.includes('.')) return []
  const dot = name.indexOf('.')
  const [prefix, parent] = [name.slice(0, dot), name.slice(dot + 1)]
  return prefixParents(publicUrl).includes(parent) ? [name, prefix] : [name]
}

/** The host under which a prefix answers: below the server's own host, or below `localhost` when that has no names. */
export const hostOfPrefix = (prefix: string, publicUrl: string): string => {
  const { hostname } = new URL(publicUrl)
  const hasNames = hostname.split('.').every(isLabel) && !/^[0-9.]+$/.test(hostname)
  return `${prefix}.${hasNames ? hostname : 'localhost'}`
}

/**
 * The base URL of a domain, without a final slash; scheme and port are those of the public URL.
 */
export const domainUrl = (publicUrl: string, domain: { name: string; kind: 'prefix' | 'custom' }): string => {
  const { protocol, port } = new URL(publicUrl)
  const host = domain.kind === 'custom' ? domain.name : hostOfPrefix(domain.name, publicUrl)
  return `${protocol}//${host}${port === '' ? '' : `:${port}`}`
}

/** `localhost`, below which browsers find every name without DNS, and the host of the server's own URL. */
const prefixParents = (publicUrl: string): string[] => ['localhost', new URL(publicUrl).hostname]

const hostnameOf = (host: string): string | undefined => {
  // Room for the dot of the root and a port of five digits.
  if (host.length > hostLengthMax + 7) return undefined
  const name = host
    .replace(/:[0-9]{1,5}$/, '')
    .replace(/\.$/, '')
    .toLowerCase()
  return name.length <= hostLengthMax && name.split('.').every(isLabel) ? name : undefined
}
