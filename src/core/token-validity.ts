/** How long the tokens of an app client live. */
import type { TokenValidityUnitsType } from '../contract/types.ts'
import { invalidTokenValidity } from './errors.ts'

/** What of an app client decides how long its tokens live. */
export interface TokenValiditySettings {
  AccessTokenValidity?: number
  IdTokenValidity?: number
  RefreshTokenValidity?: number
  TokenValidityUnits?: TokenValidityUnitsType
}

/** Lifetimes in seconds. */
export interface TokenLifetimes {
  accessTokenSeconds: number
  idTokenSeconds: number
  refreshTokenSeconds: number
}

const unitSeconds = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 }

const defaultUnits = { AccessToken: 'hours', IdToken: 'hours', RefreshToken: 'days' } as const

const defaultRefreshTokenSeconds = 30 * unitSeconds.days

/**
 * The lifetimes in force. An access or ID token without a value lives for one unit: an hour, unless the client counts
 * in days. A refresh token without a value, or with 0, lives for 30 days, whatever its unit.
 */
export const tokenLifetimes = (client: TokenValiditySettings): TokenLifetimes => {
  const units = { ...defaultUnits, ...definedUnits(client) }
  return {
    accessTokenSeconds: (client.AccessTokenValidity ?? 1) * unitSeconds[units.AccessToken],
    idTokenSeconds: (client.IdTokenValidity ?? 1) * unitSeconds[units.IdToken],
    refreshTokenSeconds: client.RefreshTokenValidity
      ? client.RefreshTokenValidity * unitSeconds[units.RefreshToken]
      : defaultRefreshTokenSeconds,
  }
}

/** The units that the client names. */
const definedUnits = ({ TokenValidityUnits }: TokenValiditySettings): TokenValidityUnitsType =>
  Object.fromEntries(Object.entries(TokenValidityUnits ?? {}).filter(([, unit]) => unit !== undefined))

/**
 * Throws InvalidParameterException unless access and ID tokens live from 5 minutes to 1 day and the refresh token lives
 * from 60 minutes to 3650 days and no shorter than the others.
 */
export const checkTokenValidity = (client: TokenValiditySettings): void => {
  const { accessTokenSeconds, idTokenSeconds, refreshTokenSeconds } = tokenLifetimes(client)
  const inRange =
    isWithin(accessTokenSeconds, 5 * unitSeconds.minutes, unitSeconds.days) &&
    isWithin(idTokenSeconds, 5 * unitSeconds.minutes, unitSeconds.days) &&
    isWithin(refreshTokenSeconds, unitSeconds.hours, 3650 * unitSeconds.days) &&
    refreshTokenSeconds >= Math.max(accessTokenSeconds, idTokenSeconds)
  if (!inRange) throw invalidTokenValidity()
}

const isWithin = (seconds: number, min: number, max: number): boolean => seconds >= min && seconds <= max

/**
 * The settings as they are stored and returned: access and ID token only when they were sent, the refresh token always
 * (its default in the unit of the client), and all three units when one was sent, none otherwise.
 */
export const completeTokenValidity = (client: TokenValiditySettings): TokenValiditySettings => {
  const named = definedUnits(client)
  const refreshTokenUnit = named.RefreshToken ?? defaultUnits.RefreshToken
  return {
    ...(client.AccessTokenValidity !== undefined && { AccessTokenValidity: client.AccessTokenValidity }),
    ...(client.IdTokenValidity !== undefined && { IdTokenValidity: client.IdTokenValidity }),
    RefreshTokenValidity: client.RefreshTokenValidity || defaultRefreshTokenSeconds / unitSeconds[refreshTokenUnit],
    TokenValidityUnits: Object.keys(named).length === 0 ? {} : { ...defaultUnits, ...named },
  }
}
