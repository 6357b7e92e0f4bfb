/** The addresses that the details of a provider name: what they may be, and what a failed call says about them. */

import { isIP } from 'node:net'
import {
  type CognitoError,
  endpointPrivate,
  endpointReserved,
  invalidProviderDetail,
  oidcEndpointNotHttps,
} from '../../core/errors.ts'
import { addressKind, hostOf, isAllowedAddress, isAllowedHost } from '../../core/network-addresses.ts'
import { FetchFailure } from '../../core/ports.ts'
import type { Services } from '../context.ts'

const urlLengthMax = 2_048
const ports = new Set(['', '443', '80'])

/**
 * Checks a URL of the details before anything is called: https, port 443 or 80, no address that is not public. Hosts and
 * addresses that the configuration allows are free to use http and other ports. What a host name leads to is checked
 * when it is called.
 * @throws InvalidParameterException
 */
export const checkEndpoint = (ctx: Pick<Services, 'settings'>, key: string, text: string): void => {
  if (text.length > urlLengthMax || /\s/.test(text) || !URL.canParse(text)) throw invalidProviderDetail(key, 'url')
  const url = new URL(text)
  const free = isFree(ctx, hostOf(url))
  if (url.protocol !== 'https:' && !(free && url.protocol === 'http:')) throw oidcEndpointNotHttps()
  if (url.username !== '' || url.password !== '' || url.hash !== '') throw invalidProviderDetail(key, 'url')
  if (free) return
  if (isIP(hostOf(url)) !== 0) {
    const kind = addressKind(hostOf(url))
    if (kind !== 'public') throw kind === 'private' ? endpointPrivate() : endpointReserved()
  }
  if (!ports.has(url.port)) throw invalidProviderDetail(key, 'port')
}

/** Whether the configuration lists the host: by name, by address, or as the own machine. */
const isFree = ({ settings: { allowedNetworks } }: Pick<Services, 'settings'>, host: string): boolean => {
  if (isAllowedHost(allowedNetworks, host) || isAllowedAddress(allowedNetworks, host)) return true
  const isOwnMachine = host === 'localhost' || host.endsWith('.localhost')
  return isOwnMachine && isAllowedAddress(allowedNetworks, '127.0.0.1')
}

/** What a failed call says about the URL; `otherwise` when it only says that the server did not answer as it should. */
export const endpointFault = (failure: unknown, otherwise: CognitoError): unknown => {
  if (!(failure instanceof FetchFailure)) return failure
  if (failure.reason === 'private-address') return endpointPrivate()
  if (failure.reason === 'reserved-address') return endpointReserved()
  return otherwise
}
