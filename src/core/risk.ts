/**
 * How risky a sign-in is, judged by what is known of the user's earlier ones. Cognito does not publish how it scores;
 * this is Cenote's own rule, small enough to be explained: each signal gives points, and the points make the level. A
 * signal that cannot be compared, because nothing is known on one of the two sides, gives none: the first sign-in of a
 * user is no risk.
 */
import { isIP } from 'node:net'
import type { RiskLevelType } from '../contract/types.ts'
import type { Place } from './ports.ts'

/** Where a sign-in came from. What is not known is undefined. */
export interface Origin {
  address: string | undefined
  /** The same for every sign-in from one device. */
  device: string | undefined
  place: Place | undefined
}

/** An earlier sign-in of the user. */
export interface PastSignIn extends Origin {
  /** Milliseconds since the epoch. */
  at: number
  /** The user, or an administrator, has said that it was somebody else's. */
  isDistrusted: boolean
  /** It ended with tokens. */
  isPassed: boolean
}

export interface RiskSignals {
  newDevice: boolean
  newNetwork: boolean
  newCountry: boolean
  /** Nobody travels this fast from the place of the last sign-in. */
  impossibleTravel: boolean
  /** Wrong answers within the last hour. */
  failures: number
  /** Address or device of a sign-in that somebody has called foreign. */
  distrusted: boolean
}

/** In the order of the signals; the levels begin at 1, 2 and 4 points. */
const points = {
  newDevice: 1,
  newNetwork: 1,
  newCountry: 1,
  impossibleTravel: 3,
  someFailures: 1,
  manyFailures: 2,
  distrusted: 4,
}

const someFailuresMin = 5
const manyFailuresMin = 10
export const failureWindowMs = 3_600_000

/** The level of these signals; undefined when there is no risk. */
export const riskLevel = (signals: RiskSignals): RiskLevelType | undefined => {
  const failures =
    signals.failures >= manyFailuresMin
      ? points.manyFailures
      : signals.failures >= someFailuresMin
        ? points.someFailures
        : 0
  const score =
    (signals.newDevice ? points.newDevice : 0) +
    (signals.newNetwork ? points.newNetwork : 0) +
    (signals.newCountry ? points.newCountry : 0) +
    (signals.impossibleTravel ? points.impossibleTravel : 0) +
    (signals.distrusted ? points.distrusted : 0) +
    failures
  if (score >= 4) return 'High'
  if (score >= 2) return 'Medium'
  return score >= 1 ? 'Low' : undefined
}

/** Compares the sign-in at `now` (milliseconds since the epoch) with earlier ones, the newest first. */
export const riskSignals = (
  origin: Origin,
  past: readonly PastSignIn[],
  { now, failures }: { now: number; failures: number },
): RiskSignals => {
  const trusted = past.filter(({ isPassed, isDistrusted }) => isPassed && !isDistrusted)
  const networks = known(trusted.map(({ address }) => address && networkOf(address)))
  const devices = known(trusted.map(({ device }) => device))
  const countries = known(trusted.map(({ place }) => place?.country))
  return {
    newDevice: isNew(origin.device, devices),
    newNetwork: isNew(origin.address && networkOf(origin.address), networks),
    newCountry: isNew(origin.place?.country, countries),
    impossibleTravel: isImpossible(origin, trusted, now),
    failures,
    distrusted: past.some(
      one => one.isDistrusted && (isSame(one.address, origin.address) || isSame(one.device, origin.device)),
    ),
  }
}

const known = (values: readonly (string | undefined)[]): Set<string> =>
  new Set(values.filter((value): value is string => value !== undefined && value !== ''))

const isNew = (value: string | undefined, among: ReadonlySet<string>): boolean =>
  value !== undefined && value !== '' && among.size > 0 && !among.has(value)

const isSame = (one: string | undefined, other: string | undefined): boolean => one !== undefined && one === other

/** A little faster than an airliner, so that a wrong minute or town accuses nobody. */
const kmPerHourMax = 1_000
/** Databases of places err by less. */
const kmMin = 200

const isImpossible = (origin: Origin, trusted: readonly PastSignIn[], now: number): boolean => {
  const last = trusted.find(({ place }) => hasCoordinates(place))
  if (last === undefined || !hasCoordinates(last.place) || !hasCoordinates(origin.place)) return false
  const km = distanceKm(last.place, origin.place)
  const hours = Math.max(now - last.at, 1) / 3_600_000
  return km > kmMin && km / hours > kmPerHourMax
}

type Coordinates = Required<Pick<Place, 'latitude' | 'longitude'>>

const hasCoordinates = (place: Place | undefined): place is Place & Coordinates =>
  place?.latitude !== undefined && place.longitude !== undefined

const earthRadiusKm = 6_371

/** Along a great circle, by the haversine formula. */
export const distanceKm = (one: Coordinates, other: Coordinates): number => {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  const half = (from: number, to: number) => Math.sin(radians(to - from) / 2) ** 2
  const a =
    half(one.latitude, other.latitude) +
    Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * half(one.longitude, other.longitude)
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(a)))
}

/** The network of an address, as far as one household or office keeps it: /24 of IPv4, /48 of IPv6. */
export const networkOf = (address: string): string => {
  if (isIP(address) === 4) return address.split('.').slice(0, 3).join('.')
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const full = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ? tail.split(':') : [])]
  return full
    .slice(0, 3)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')
}
