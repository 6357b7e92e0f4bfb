/**
 * What the function of pre token generation may change in tokens, and what it may not. What it may not change it may name
 * all the same: that is left out without a word, as the service does.
 */
import type { GroupInToken } from './claims.ts'
import { invalidLambdaResponse } from './errors.ts'
import type { Claims } from './jwt.ts'
import { asMembers, type Members, memberOf, membersOf, textOf, textsOf } from './trigger-response.ts'

/** Groups in the place of the user's own. */
export interface GroupOverride {
  groups: string[]
  roles: string[]
  preferredRole: string | undefined
}

export interface TokenChanges {
  /** Claims to add or to replace. */
  claims: ReadonlyMap<string, unknown>
  suppressed: ReadonlySet<string>
}

export interface TokenOverrides {
  /** Undefined: the user's own groups stay. */
  groups: GroupOverride | undefined
  id: TokenChanges
  access: TokenChanges
  scopesToAdd: readonly string[]
  scopesToSuppress: ReadonlySet<string>
}

const noChanges: TokenChanges = { claims: new Map(), suppressed: new Set() }

/** As many claims and scopes may be added and suppressed in all. */
const changesMax = 5_000
/** How long the values of all added claims may be together, as JSON; tokens travel in headers. */
const valuesLengthMax = 65_536

/**
 * The changes in the `response` of the function; undefined when it wants none. The first version of the event knows the
 * ID token only.
 * @throws InvalidLambdaResponseException when a member has another type, or there are too many changes.
 */
export const readTokenOverrides = (response: Members, version: '1' | '2' | '3'): TokenOverrides | undefined => {
  const details = membersOf(response, version === '1' ? 'claimsOverrideDetails' : 'claimsAndScopeOverrideDetails')
  if (details === undefined) return undefined
  const idDetails = version === '1' ? details : membersOf(details, 'idTokenGeneration')
  const accessDetails = version === '1' ? undefined : membersOf(details, 'accessTokenGeneration')
  const overrides: TokenOverrides = {
    groups: readGroups(details),
    id: readChanges(idDetails, version === '1'),
    access: readChanges(accessDetails, false),
    scopesToAdd: (accessDetails && textsOf(accessDetails, 'scopesToAdd')) ?? [],
    scopesToSuppress: new Set((accessDetails && textsOf(accessDetails, 'scopesToSuppress')) ?? []),
  }
  assertBounded(overrides)
  return overrides
}

/** A member that is there and holds nothing takes all groups away. */
const readGroups = (details: Members): GroupOverride | undefined => {
  if (!Object.hasOwn(details, 'groupOverrideDetails')) return undefined
  const groups = membersOf(details, 'groupOverrideDetails') ?? {}
  return {
    groups: textsOf(groups, 'groupsToOverride') ?? [],
    roles: textsOf(groups, 'iamRolesToOverride') ?? [],
    preferredRole: textOf(groups, 'preferredRole'),
  }
}

const readChanges = (details: Members | undefined, textsOnly: boolean): TokenChanges => {
  if (details === undefined) return noChanges
  const claims = asMembers(memberOf(details, 'claimsToAddOrOverride') ?? {})
  if (textsOnly) for (const name of Object.keys(claims)) textOf(claims, name)
  return { claims: new Map(Object.entries(claims)), suppressed: new Set(textsOf(details, 'claimsToSuppress') ?? []) }
}

const assertBounded = ({ id, access, scopesToAdd, scopesToSuppress }: TokenOverrides): void => {
  const claims = [id, access].reduce((sum, change) => sum + change.claims.size + change.suppressed.size, 0)
  const values = JSON.stringify([...id.claims, ...access.claims]).length + scopesToAdd.join(' ').length
  if (claims + scopesToAdd.length + scopesToSuppress.size > changesMax || values > valuesLengthMax) {
    throw invalidLambdaResponse('The trigger changes too many claims and scopes.')
  }
}

// ---------------------------------------------------------------------------------------------- applying

/** What the server states itself. Names that begin with `cognito:` belong to it as well. */
const reserved = new Set([
  'acr',
  'amr',
  'at_hash',
  'aud',
  'auth_time',
  'azp',
  'client_id',
  'device_key',
  'event_id',
  'exp',
  'iat',
  'identities',
  'iss',
  'jti',
  'nbf',
  'nonce',
  'origin_jti',
  'scope',
  'sub',
  'token_use',
  'username',
  'version',
])

const groupClaims = ['cognito:groups', 'cognito:roles', 'cognito:preferred_role']

/** The types of claims that stay what OpenID Connect says they are, in ID tokens. */
const fixedTypes: Record<string, (value: unknown) => boolean> = {
  email_verified: value => typeof value === 'boolean',
  phone_number_verified: value => typeof value === 'boolean',
  updated_at: value => typeof value === 'number',
  address: value => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** The groups of the tokens as claims.ts takes them. Their roles are told apart from them: see idClaimsOverridden. */
export const groupsOverridden = (
  groups: readonly GroupInToken[],
  overrides: TokenOverrides | undefined,
): readonly GroupInToken[] =>
  overrides?.groups === undefined
    ? groups
    : overrides.groups.groups.map(name => ({ name, roleArn: undefined, precedence: undefined }))

/** The claims of an ID token with the changes. */
export const idClaimsOverridden = (
  claims: Claims,
  { groups, id }: TokenOverrides,
  version: '1' | '2' | '3',
): Claims => {
  const { roles = [], preferredRole } = groups ?? {}
  const withRoles = {
    ...claims,
    ...(roles.length > 0 && { 'cognito:roles': roles }),
    ...(preferredRole !== undefined && { 'cognito:preferred_role': preferredRole }),
  }
  const isAllowed = (name: string, value: unknown): boolean => {
    const fits = fixedTypes[name]
    return !isReserved(name) && (version === '1' || !Object.hasOwn(fixedTypes, name) || fits?.(value) === true)
  }
  return changed(withRoles, id, isAllowed)
}

/**
 * The claims of an access token with the changes; `aud` may be added when it names the client and the token is not bound
 * to a resource.
 */
export const accessClaimsOverridden = (claims: Claims, { access }: TokenOverrides, clientId: string): Claims =>
  changed(claims, access, (name, value) =>
    name === 'aud' ? value === clientId && !Object.hasOwn(claims, 'aud') : !isReserved(name),
  )

/** The scope with the changes. What is added and suppressed is suppressed. */
export const scopeOverridden = (scope: string, { scopesToAdd, scopesToSuppress }: TokenOverrides): string => {
  const added = scopesToAdd.filter(name => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name) && !isReservedScope(name))
  const scopes = new Set([...scope.split(' ').filter(name => name !== ''), ...added])
  return [...scopes].filter(name => !scopesToSuppress.has(name)).join(' ')
}

/** Of the scopes that are AWS's own, only the self-service scope can be added. */
const isReservedScope = (name: string): boolean =>
  name.startsWith('aws.cognito.') && name !== 'aws.cognito.signin.user.admin'

const isReserved = (name: string): boolean =>
  reserved.has(name) || name.startsWith('cognito:') || name.startsWith('dev:')

const isSuppressible = (name: string): boolean =>
  name === 'cognito:groups' || (!reserved.has(name) && !name.startsWith('cognito:'))

const changed = (
  claims: Claims,
  { claims: added, suppressed }: TokenChanges,
  isAllowed: (name: string, value: unknown) => boolean,
): Claims => {
  const result = new Map(Object.entries(claims))
  for (const [name, value] of added) {
    if (value !== null && value !== undefined && isAllowed(name, value)) result.set(name, value)
  }
  for (const name of suppressed) if (isSuppressible(name)) result.delete(name)
  // Roles come with groups and go with them.
  if (suppressed.has('cognito:groups')) for (const name of groupClaims) result.delete(name)
  return Object.fromEntries(result)
}
