/** Relying parties: which origins may use the passkeys of one (WebAuthn Level 3, sections 5.1.3 and 13.4.9). */

const originLengthMax = 512

/**
 * Whether a page of this origin may use passkeys of the relying party: its host is the relying party's id or below it,
 * over HTTPS and on the usual port or that of this server's own URL. On `localhost` and below, which browsers trust as
 * they are, any port will do, and HTTP as well.
 */
export const isOriginOf = (relyingPartyId: string, origin: string, publicUrl: string): boolean => {
  if (origin.length > originLengthMax || !URL.canParse(origin)) return false
  const url = new URL(origin)
  // One spelling only: no path, no letter in upper case, no port that goes without saying.
  if (url.origin !== origin) return false
  if (url.hostname !== relyingPartyId && !url.hostname.endsWith(`.${relyingPartyId}`)) return false
  if (isLocal(relyingPartyId)) return url.protocol === 'https:' || url.protocol === 'http:'
  return url.protocol === 'https:' && (url.port === '' || url.port === new URL(publicUrl).port)
}

const isLocal = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')
