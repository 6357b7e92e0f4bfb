/** Which claim of a provider becomes which attribute of the user, and which level of the provider which of the pool. */
import type { IdentityProviderTypeType } from '../../contract/types.ts'
import { acrMappingNotSupported, invalidAcrMapping, invalidAttributeMapping } from '../../core/errors.ts'
import type { Pool } from '../user-pools/pool.ts'

/** The claim that names the user; it is part of the mapping and cannot be chosen. SAML takes the NameID, unmapped. */
const usernameClaims: Record<IdentityProviderTypeType, string | undefined> = {
  Google: 'sub',
  Facebook: 'id',
  LoginWithAmazon: 'user_id',
  SignInWithApple: 'sub',
  OIDC: 'sub',
  SAML: undefined,
}

/** Set by the service alone. */
const unmappable = new Set(['sub', 'identities'])

/**
 * The mapping of a request, with the one of the user name.
 * @throws InvalidParameterException that names the targets which are not attributes of the pool or cannot be mapped.
 */
export const makeAttributeMapping = (
  pool: Pool,
  type: IdentityProviderTypeType,
  requested: Record<string, string> = {},
): Record<string, string> => {
  const attributes = new Set(pool.settings.SchemaAttributes?.map(attribute => attribute.Name))
  const usernameClaim = usernameClaims[type]
  const invalid = Object.entries(requested).filter(([target, claim]) =>
    target === 'username' ? claim !== usernameClaim : claim === '' || unmappable.has(target) || !attributes.has(target),
  )
  if (invalid.length > 0) throw invalidAttributeMapping(invalid.map(([target]) => target))
  return { ...requested, ...(usernameClaim !== undefined && { username: usernameClaim }) }
}

const levels = new Set(['Level1', 'Level2', 'Level3', 'Level4'])
const acrLengthMax = 2_048

/**
 * The mapping of levels; undefined for none.
 * @throws InvalidParameterException
 */
export const makeAcrMapping = (
  type: IdentityProviderTypeType,
  requested: Record<string, string> | undefined,
): Record<string, string> | undefined => {
  const entries = Object.entries(requested ?? {})
  if (entries.length === 0) return undefined
  if (type !== 'OIDC') throw acrMappingNotSupported(type)
  const isValid = ([level, value]: [string, string]) =>
    levels.has(level) && value.length <= acrLengthMax && /^[^\s\p{Cc}]+$/u.test(value)
  if (!entries.every(isValid)) throw invalidAcrMapping()
  return Object.fromEntries(entries)
}
