/** The addresses that a risk configuration always blocks, and those for which it judges no risk. */
import { isIP } from 'node:net'
import { blockedForSecurity } from '../../core/errors/threat-protection.ts'
import { isAllowedAddress, parseNetworks } from '../../core/network-addresses.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type NewEvent, writeEvent } from './auth-events.ts'
import { type ProtectionMode, protectionMode } from './protection.ts'
import { type RequestOrigin, requestOrigin } from './request-origin.ts'
import { riskRules } from './risk-configuration.ts'

/** Whether the address lies in one of the CIDR blocks of its own family: ::/0 is meant for IPv6 alone. */
export const isInRanges = (ranges: readonly string[], address: string | undefined): boolean => {
  if (address === undefined) return false
  const ofFamily = ranges.filter(range => isIP(range.split('/', 1)[0] ?? '') === isIP(address))
  return ofFamily.length > 0 && isAllowedAddress(parseNetworks(ofFamily), address)
}

/**
 * Refuses a request from an address that is always blocked, before anything is found out about its user. `event` is what
 * it leaves in the history when there is a user.
 * @throws NotAuthorizedException, InvalidParameterException for an IpAddress that is none.
 */
export const assertAddressAllowed = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  mode: ProtectionMode = protectionMode(pool),
  event?: Pick<NewEvent, 'user' | 'holder' | 'type'>,
): Promise<void> => {
  if (mode === 'OFF') return
  const origin = requestOrigin(ctx, pool, client)
  if (!(await isBlocked(ctx, pool, client, mode, origin))) return
  if (event !== undefined) {
    const risk = { decision: 'Block', level: undefined, compromised: false } as const
    await writeEvent(ctx, { ...event, pool, client, response: 'Fail', risk, origin })
  }
  throw blockedForSecurity()
}

const isBlocked = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  mode: ProtectionMode,
  { address }: RequestOrigin,
): Promise<boolean> => mode === 'ENFORCED' && isInRanges((await riskRules(ctx, pool, client)).blocked, address)
