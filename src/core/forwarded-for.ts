/** Where a request comes from that proxies have handed on. */
import { isIP } from 'node:net'
import { type AllowedNetworks, ipv4Of, isAllowedAddress } from './network-addresses.ts'

const headerLengthMax = 4_096

/**
 * The address of the client: that of the connection or, when that is a trusted proxy, the last one in X-Forwarded-For that
 * is none. Each proxy writes down whom it was called by, so what stands before the first stranger is only what he says.
 */
export const clientAddress = (
  connected: string | undefined,
  forwardedFor: string | undefined,
  trusted: AllowedNetworks | undefined,
): string | undefined => {
  if (trusted === undefined || forwardedFor === undefined || forwardedFor.length > headerLengthMax) return connected
  let address = connected
  for (const entry of forwardedFor.split(',').reverse()) {
    if (address === undefined || !isAllowedAddress(trusted, ipv4Of(address) ?? address)) return address
    const before = addressIn(entry.trim())
    if (before === undefined) return address
    address = before
  }
  return address
}

/** Some proxies write the port, too. */
const addressIn = (entry: string): string | undefined => {
  const [, bracketed] = /^\[([\da-f:.]+)\](?::\d{1,5})?$/i.exec(entry) ?? []
  const [, dotted] = /^([\d.]+):\d{1,5}$/.exec(entry) ?? []
  const address = bracketed ?? dotted ?? entry
  return isIP(address) === 0 ? undefined : address
}

/** Addresses that one subscriber has at will are one: those of an IPv6 network of 64 bits (RFC 6177). */
export const subscriberOf = (address: string | undefined): string => {
  if (address === undefined) return 'unknown'
  const v4 = ipv4Of(address)
  if (v4 !== undefined || isIP(address) !== 6) return v4 ?? address
  return fullGroups(address).slice(0, 4).join(':')
}

/** The eight groups of an IPv6 address, or at least the four that come first. */
const fullGroups = (address: string): string[] => {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => group.replace(/^0+(?=.)/, '')))
  const before = groups(head)
  if (tail === undefined) return before
  const after = groups(tail)
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
}
