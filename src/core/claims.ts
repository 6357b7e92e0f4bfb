/**
 * What ID and access tokens say. The names, types and conditions of the claims are Cognito's; their order is that of its
 * tokens. An attribute of the user never takes the place of a claim that the server states itself.
 */

import { identitiesAttribute, identitiesClaim } from './identities.ts'
import { uuidFromBytes } from './ids.ts'
import type { Claims } from './jwt.ts'
import type { Random } from './ports.ts'

/** The scope of tokens from the API, which the self-service operations ask for. */
export const selfServiceScope = 'aws.cognito.signin.user.admin'

export interface GroupInToken {
  name: string
  roleArn: string | undefined
  /** The lower, the stronger; undefined is the weakest. */
  precedence: number | undefined
}

/** What ID and access token of one issue have in common. Times are seconds since the epoch. */
export interface TokenFacts {
  issuer: string
  clientId: string
  sub: string
  username: string
  groups: readonly GroupInToken[]
  eventId: string
  authTime: number
  issuedAt: number
  /** Absent when the client does not revoke tokens; then there is no `jti` either. */
  originJti: string | undefined
  /** The device that the user has signed in from; absent where the pool does not track devices. */
  deviceKey?: string | undefined
  /** Absent when the pool's tier does not tell how users signed in. */
  authentication: { acr: string; amr: readonly string[] } | undefined
}

/**
 * The claims of an access token; `jti` is used only when tokens can be revoked. Those of the authorization endpoint have a
 * version, and an audience when the request has named one.
 */
export const accessClaims = (
  facts: TokenFacts,
  {
    jti,
    scope,
    lifetimeSeconds,
    hosted,
  }: { jti: string; scope: string; lifetimeSeconds: number; hosted?: { resource?: string } | undefined },
): Claims => ({
  sub: facts.sub,
  ...(facts.deviceKey !== undefined && { device_key: facts.deviceKey }),
  ...(facts.groups.length > 0 && { 'cognito:groups': facts.groups.map(group => group.name) }),
  iss: facts.issuer,
  ...(hosted && { version: 2 }),
  client_id: facts.clientId,
  ...(hosted?.resource !== undefined && { aud: hosted.resource }),
  ...(facts.originJti !== undefined && { origin_jti: facts.originJti }),
  event_id: facts.eventId,
  token_use: 'access',
  scope,
  auth_time: facts.authTime,
  ...facts.authentication,
  exp: facts.issuedAt + lifetimeSeconds,
  iat: facts.issuedAt,
  ...(facts.originJti !== undefined && { jti }),
  username: facts.username,
})

/** The claims of an access token that a client got for itself: about no user, so without name, groups and session. */
export const clientClaims = (
  facts: Pick<TokenFacts, 'issuer' | 'clientId' | 'issuedAt'>,
  { jti, scope, lifetimeSeconds }: { jti: string; scope: string; lifetimeSeconds: number },
): Claims => ({
  sub: facts.clientId,
  token_use: 'access',
  scope,
  auth_time: facts.issuedAt,
  iss: facts.issuer,
  exp: facts.issuedAt + lifetimeSeconds,
  iat: facts.issuedAt,
  version: 2,
  jti,
  client_id: facts.clientId,
})

/**
 * The claims of an ID token, with those of the attributes that `isReadable` lets through. Identities are told whatever
 * the client may read.
 */
export const idClaims = (
  facts: TokenFacts,
  { jti, lifetimeSeconds }: { jti: string; lifetimeSeconds: number },
  attributes: ReadonlyMap<string, string>,
  isReadable: (attribute: string) => boolean,
): Claims => {
  const roles = facts.groups.flatMap(group => group.roleArn ?? [])
  const preferred = preferredRole(facts.groups)
  const identities = attributes.get(identitiesAttribute)
  const claims: Claims = {
    sub: facts.sub,
    ...(facts.groups.length > 0 && { 'cognito:groups': facts.groups.map(group => group.name) }),
    ...verifiedClaim('email', attributes, isReadable),
    ...(preferred !== undefined && { 'cognito:preferred_role': preferred }),
    iss: facts.issuer,
    ...verifiedClaim('phone_number', attributes, isReadable),
    'cognito:username': facts.username,
    ...(facts.originJti !== undefined && { origin_jti: facts.originJti }),
    ...(roles.length > 0 && { 'cognito:roles': roles }),
    aud: facts.clientId,
    ...(identities !== undefined && { identities: identitiesClaim(identities) }),
    event_id: facts.eventId,
    token_use: 'id',
    auth_time: facts.authTime,
    ...facts.authentication,
    exp: facts.issuedAt + lifetimeSeconds,
    iat: facts.issuedAt,
    ...(facts.originJti !== undefined && { jti }),
  }
  for (const [name, value] of attributes) {
    const belongs = name !== 'email_verified' && name !== 'phone_number_verified' && !Object.hasOwn(claims, name)
    if (belongs && isReadable(name)) claims[name] = claimValue(name, value)
  }
  return claims
}

/** The flag stands only beside an address, and then says false as well. */
const verifiedClaim = (
  attribute: 'email' | 'phone_number',
  attributes: ReadonlyMap<string, string>,
  isReadable: (attribute: string) => boolean,
): Claims => {
  const flag = `${attribute}_verified`
  if (!attributes.has(attribute) || !isReadable(flag)) return {}
  return { [flag]: attributes.get(flag)?.toLowerCase() === 'true' }
}

/** OpenID Connect Core, section 5.1: an address is an object and updated_at a number. All else is text. */
const claimValue = (name: string, value: string): unknown => {
  if (name === 'address') return { formatted: value }
  if (name === 'updated_at' && /^\d{1,15}$/.test(value)) return Number(value)
  return value
}

/**
 * The role of the strongest group that has one. Groups of equal strength must agree; otherwise there is no preferred
 * role.
 */
export const preferredRole = (groups: readonly GroupInToken[]): string | undefined => {
  const withRole = groups.filter(group => group.roleArn !== undefined)
  const strength = (group: GroupInToken): number => group.precedence ?? Number.POSITIVE_INFINITY
  const strongest = Math.min(...withRole.map(strength))
  const roles = new Set(withRole.filter(group => strength(group) === strongest).map(group => group.roleArn))
  return roles.size === 1 ? [...roles][0] : undefined
}

// ---------------------------------------------------------------------------------------------- how the user signed in

/** A factor as `amr` names it, or a sign-in through a provider that vouches for a level. */
export type Factor = OwnFactor | FederatedFactor
type OwnFactor = 'pwd' | 'otp' | 'sms' | 'email_otp' | 'swk' | 'hwk'
type FederatedFactor = 'fed' | 'fed2' | 'fed3' | 'fed4'

export type Level = 'Level1' | 'Level2' | 'Level3' | 'Level4'

/** What a sign-in through a provider proves, by the level that the provider vouches for. */
export const federatedFactors: Readonly<Record<Level, FederatedFactor>> = {
  Level1: 'fed',
  Level2: 'fed2',
  Level3: 'fed3',
  Level4: 'fed4',
}

/** From the lowest to the highest. */
export const levels: readonly Level[] = ['Level1', 'Level2', 'Level3', 'Level4']

/** The names that a pool gives to the levels; the default names are `urn:cognito:loa:1` to `urn:cognito:loa:4`. */
export type LevelNames = Readonly<Partial<Record<string, { AcrValue?: string | undefined }>>>

/** `acr` and `amr` for the factors that the user has proven, without repetition and in the order of proof. */
export const authenticationClaims = (
  factors: readonly Factor[],
  names: LevelNames = {},
): { acr: string; amr: string[] } => {
  const methods = [...new Set(factors.map(factor => (isFederated(factor) ? 'fed' : factor)))]
  const isMultiple = methods.filter(method => method !== 'fed').length > 1
  return { acr: nameOfLevel(levelOf(new Set(factors)), names), amr: isMultiple ? [...methods, 'mfa'] : methods }
}

const isFederated = (factor: Factor): boolean => Object.values<Factor>(federatedFactors).includes(factor)

/** The name of the level in the pool. */
export const nameOfLevel = (level: Level, names: LevelNames = {}): string =>
  names[level]?.AcrValue ?? `urn:cognito:loa:${level.slice(-1)}`

/** The level of what is proven. Of a sign-in through a provider it is the one that the provider vouches for. */
export const levelOf = (factors: ReadonlySet<Factor>): Level => {
  const federated = levels.find(level => factors.has(federatedFactors[level]))
  if (federated !== undefined) return federated
  if (factors.has('pwd') && factors.has('otp')) return 'Level4'
  const possession = factors.has('sms') || factors.has('email_otp')
  if (factors.has('swk') || factors.has('hwk') || (factors.has('pwd') && possession)) return 'Level3'
  return possession ? 'Level2' : 'Level1'
}

// ---------------------------------------------------------------------------------------------- event ids

/** Bytes of an event id that mask the epoch: random ones that neither version nor variant overwrites. */
const maskOffset = 12

/**
 * A new `event_id`. It is a UUID whose first four bytes are the user's session epoch, masked with four of its random
 * bytes: so each token tells, without a row of its own, whether all sessions of the user have been ended since.
 */
export const newEventId = (random: Random, sessionEpoch: number): string => {
  const bytes = Buffer.from(random.bytes(16))
  bytes.writeUInt32BE((sessionEpoch ^ bytes.readUInt32BE(maskOffset)) >>> 0, 0)
  return uuidFromBytes(bytes)
}

/** Whether the event id was made in this epoch. */
export const isOfEpoch = (eventId: string, sessionEpoch: number): boolean => {
  const bytes = Buffer.from(eventId.replaceAll('-', ''), 'hex')
  if (bytes.length !== 16) return false
  return (bytes.readUInt32BE(0) ^ bytes.readUInt32BE(maskOffset)) >>> 0 === sessionEpoch >>> 0
}
