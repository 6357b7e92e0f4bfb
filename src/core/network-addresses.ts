/**
 * Which addresses are on the public internet, and which others the server may call all the same. What an administrator
 * of a pool names as the address of an identity provider must not reach the neighbours of the server.
 *
 * The rule denies by default: an address of IPv6 is public only within global unicast and outside of what the registries
 * of special purpose addresses take out of it (RFC 6890 and its successors), so that addresses which carry one of IPv4
 * (mapped, NAT64, 6to4, Teredo) are never public.
 */
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

/** `reserved` is everything that is neither public nor somebody's own network. */
export type AddressKind = 'public' | 'private' | 'reserved'

const listOf = (...subnets: string[]): BlockList => {
  const list = new BlockList()
  for (const subnet of subnets) addSubnet(list, subnet)
  return list
}

const addSubnet = (list: BlockList, subnet: string): void => {
  const [address = '', prefix] = subnet.split('/')
  const family = isIP(address)
  list.addSubnet(address, prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix), `ipv${family as 4 | 6}`)
}

const privateV4 = listOf(
  '10.0.0.0/8',
  '100.64.0.0/10', // shared by the customers of a carrier
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, the metadata services of clouds among them
  '172.16.0.0/12',
  '192.168.0.0/16',
)

const reservedV4 = listOf(
  '0.0.0.0/8',
  '168.63.129.16/32', // the host's own service on Azure, in the middle of public addresses
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
)

const privateV6 = listOf('::1/128', 'fc00::/7', 'fe80::/10', 'fec0::/10')

const globalV6 = listOf('2000::/3')

const reservedInGlobalV6 = listOf(
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32',
  '2002::/16', // 6to4
  '3fff::/20',
)

/** The kind of an address. What is not an address at all is `reserved`. */
export const addressKind = (address: string): AddressKind => {
  const family = isIP(address)
  if (family === 4) {
    if (privateV4.check(address)) return 'private'
    return reservedV4.check(address) ? 'reserved' : 'public'
  }
  // A zone, as in fe80::1%eth0, belongs to addresses of a link only.
  if (family !== 6 || address.includes('%')) return 'reserved'
  if (privateV6.check(address, 'ipv6')) return 'private'
  const isPublic = globalV6.check(address, 'ipv6') && !reservedInGlobalV6.check(address, 'ipv6')
  return isPublic ? 'public' : 'reserved'
}

/** Hosts and networks that may be called although they are not public. */
export interface AllowedNetworks {
  hosts: ReadonlySet<string>
  addresses: BlockList
}

/** Nothing beyond the public internet. */
export const noNetworks: AllowedNetworks = { hosts: new Set(), addresses: new BlockList() }

/** The server's own machine. */
export const loopbackNetworks = ['127.0.0.0/8', '::1/128']

/**
 * Reads a list of host names, addresses and CIDR blocks. Throws a RangeError that names the first entry which is none
 * of these.
 */
export const parseNetworks = (entries: readonly string[]): AllowedNetworks => {
  const hosts = new Set<string>()
  const addresses = new BlockList()
  for (const entry of entries) {
    if (isSubnet(entry)) addSubnet(addresses, entry)
    else if (isHostName(entry)) hosts.add(entry.toLowerCase())
    else throw new RangeError(`${entry} is not a host name, an address or a CIDR block`)
  }
  return { hosts, addresses }
}

/** Whether the text is an address or a CIDR block. */
export const isSubnet = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

/** The last label has a letter, so that a mistyped address is not taken for a name. */
const isHostName = (text: string): boolean =>
  text.length <= 253 &&
  text.split('.').every(label => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
  /[A-Za-z]/.test(text.slice(text.lastIndexOf('.') + 1))

export const isAllowedHost = (networks: AllowedNetworks, host: string): boolean => networks.hosts.has(host)

/** Whether the address lies in one of the networks. An address of IPv4 that is mapped into IPv6 never does. */
export const isAllowedAddress = (networks: AllowedNetworks, address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return networks.addresses.check(address)
  return family === 6 && !/^::ffff:/i.test(address) && networks.addresses.check(address, 'ipv6')
}

/** The host of a URL as it is looked up: lower case, without the brackets of IPv6 and without the final dot. */
export const hostOf = (url: URL): string => {
  const host = url.hostname.toLowerCase()
  return host.startsWith('[') ? host.slice(1, -1) : host.replace(/\.$/, '')
}

/** The IPv4 address in any spelling of ::ffff:0:0/96, or undefined for other addresses. */
export const ipv4Of = (address: string): string | undefined => {
  if (isIP(address) !== 6) return undefined
  // SocketAddress brings every spelling into the one of RFC 5952.
  const { address: canonical } = new SocketAddress({ address, family: 'ipv6' })
  const dotted = canonical.slice('::ffff:'.length)
  return canonical.startsWith('::ffff:') && isIPv4(dotted) ? dotted : undefined
}
