/**
 * What may be registered as a callback or sign-out URL: an absolute URI without fragment, https, or http on a loopback
 * name, or an application's own scheme. The endpoints compare registered URLs character by character (RFC 9700, 4.1),
 * so nothing is normalised here.
 */
import { invalidParameter } from '../../core/errors.ts'

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Schemes that a browser would run or read locally; none of them can lead back to an application. */
const dangerousSchemes = new Set([
  'javascript:',
  'data:',
  'vbscript:',
  'file:',
  'blob:',
  'about:',
  'view-source:',
  'filesystem:',
])

/** @throws InvalidParameterException; the text about http is Cognito's, the others are not published. */
export const checkRedirectUrl = (text: string): void => {
  const scheme = /^([a-z][a-z0-9+.-]*:)/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined || dangerousSchemes.has(scheme) || hasForbiddenCharacter(text)) throw notValid(text)
  if (text.includes('#')) throw invalidParameter(`${text} must not contain a fragment.`)
  if (scheme !== 'https:' && scheme !== 'http:') {
    // `myapp:` alone would name no place in the application.
    if (text.length === scheme.length) throw notValid(text)
    return
  }
  // The parser forgives `https:host`, `https:\\host` and `https:///host`; a registered URL has one spelling.
  if (!/^https?:\/\/[^/\\]/i.test(text) || !URL.canParse(text)) throw notValid(text)
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw notValid(text)
  if (scheme === 'http:' && !loopbackHosts.has(url.hostname))
    throw invalidParameter(`${text} cannot use the HTTP protocol.`)
}

const notValid = (text: string) => invalidParameter(`${text} is not a valid redirect URI.`)

/** White space, control characters and backslashes, which browsers drop or rewrite. */
const hasForbiddenCharacter = (text: string): boolean => /[\s\p{Cc}\p{Cf}\\]/u.test(text)
