/**
 * Where a request comes from: address, device and place of its user. A public client is its user's device, so its own
 * address counts. A server speaks for somebody else: an administrator's says the address in ContextData; that of a
 * client with a secret may do so in UserContextData where the client propagates it. An address that nobody may tell is
 * ignored, never believed.
 */
import { isIP } from 'node:net'
import { parseEncodedData } from '../../core/encoded-data.ts'
import { invalidIpAddress } from '../../core/errors/threat-protection.ts'
import { ipv4Of } from '../../core/network-addresses.ts'
import type { Place } from '../../core/ports.ts'
import type { Origin } from '../../core/risk.ts'
import { deviceOf } from '../../core/user-agents.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { hasTier } from '../user-pools/tiers.ts'

export interface RequestOrigin extends Origin {
  /** For example `Chrome 126, Windows 10`. */
  deviceName: string | undefined
  /** Hours and minutes from UTC, such as `-07:00`. */
  timezone: string | undefined
  /** The request carried data that a context library had collected. */
  hasContextData: boolean
}

/** @throws InvalidParameterException for an IpAddress that counts and is none. */
export const requestOrigin = (ctx: Context, pool: Pool, client: Client): RequestOrigin => {
  const { claimed } = ctx
  const address = addressOf(ctx, pool, client)
  const claims = claimed?.encodedData === undefined ? undefined : parseEncodedData(claimed.encodedData, pool.id)
  const userAgent = claims?.userAgent ?? (claimed?.isServer ? claimed.userAgent : ctx.userAgent)
  const { browser, system } = deviceOf(userAgent)
  const parts = claims?.model === undefined ? [browser, system] : [claims.model, claims.platform ?? system]
  const name = parts.filter(part => part !== undefined).join(', ')
  return {
    address,
    device: deviceKey(ctx, pool, claims?.deviceId, name),
    deviceName: name === '' ? undefined : name.slice(0, nameLengthMax),
    timezone: claims?.timezone,
    place: address === undefined ? undefined : placeOf(ctx, address),
    hasContextData: claims !== undefined,
  }
}

const nameLengthMax = 128

const addressOf = (ctx: Context, pool: Pool, client: Client): string | undefined => {
  const { claimed } = ctx
  const mayTell =
    claimed?.isServer ||
    (hasTier(pool.settings, 'PLUS') &&
      client.settings.EnablePropagateAdditionalUserContextData === true &&
      client.secrets.length > 0)
  if (mayTell && claimed?.ipAddress !== undefined) {
    if (isIP(claimed.ipAddress) === 0 || claimed.ipAddress.includes('%')) throw invalidIpAddress()
    return plainAddress(claimed.ipAddress)
  }
  return claimed?.isServer || ctx.sourceIp === undefined ? undefined : plainAddress(ctx.sourceIp)
}

/** An address of IPv4 that is written as one of IPv6 counts as what it is. */
const plainAddress = (address: string): string => ipv4Of(address) ?? address

/**
 * A device is known by its id, else by its browser and system without their versions, which change every few weeks. Only a
 * digest is kept.
 */
const deviceKey = (ctx: Context, pool: Pool, id: string | undefined, name: string): string | undefined => {
  if (id !== undefined) return ctx.seal.digest('device', `${pool.id}\nid\n${id}`)
  const family = name.replace(/ [\d.]+(?=,|$)/g, '')
  return family === '' ? undefined : ctx.seal.digest('device', `${pool.id}\nname\n${family}`)
}

const placeOf = (ctx: Context, address: string): Place | undefined => ctx.places?.find(address)
