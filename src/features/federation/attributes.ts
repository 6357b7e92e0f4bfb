/** The attributes that a sign-in through a provider writes: the mapping, and what stands against its values. */
import { type AttributeChanges, checkAttributes, missingAttributes, writableAttributes } from '../../core/attributes.ts'
import { attributesRequired, invalidUserAttributes, unreadableValue } from '../../core/errors/federation.ts'
import { attributeFaults, isCognitoError } from '../../core/errors.ts'
import { mapClaims } from '../../core/provider-claims.ts'
import type { User } from '../users/user.ts'
import type { FederatedSignIn } from './sign-in.ts'

/**
 * The attributes of a new profile.
 * @throws OAuthError when a required one is missing, one is not for the client to write, or a value is none of its kind.
 */
export const newProfileAttributes = (signIn: FederatedSignIn): Map<string, string> => {
  const { pool, provider, claims } = signIn
  const values = mapClaims(provider.settings.attributeMapping, claims)
  for (const [name, value] of values) if (value === '') values.delete(name)
  const missing = missingAttributes(pool.settings.SchemaAttributes ?? [], values)
  if (missing.length > 0) throw attributesRequired(missing)
  return checked(signIn, values).values
}

/**
 * The changes to an existing profile: new values, and undefined for what the provider has left blank.
 * @throws OAuthError as above, and for an attribute that cannot be changed, which is so even if it would not change.
 */
export const valuesOf = (signIn: FederatedSignIn, current: User): Map<string, string | undefined> => {
  const { provider, claims } = signIn
  const values = mapClaims(provider.settings.attributeMapping, claims, current.attributes)
  const { values: changed, removed } = checked(signIn, values, current)
  return new Map([...changed, ...[...removed].map(name => [name, undefined] as const)])
}

/** The flags are the provider's to set with the address that they are about, so no client has a say in them. */
const flags = new Set(['email_verified', 'phone_number_verified'])

const checked = (
  { pool, client }: FederatedSignIn,
  values: ReadonlyMap<string, string>,
  current?: User,
): AttributeChanges => {
  const schema = pool.settings.SchemaAttributes ?? []
  const writable = writableAttributes(client.settings, schema)
  const refused = [...values.keys()].filter(name => !flags.has(name) && !writable.has(name))
  if (refused.length > 0) throw invalidUserAttributes(refused.map(name => `${name}: ${attributeFaults.immutable}`))
  const unreadable = [...values].filter(([, value]) => !value.isWellFormed() || value.includes('\0'))
  if (unreadable.length > 0) throw invalidUserAttributes(unreadable.map(([name]) => `${name}: ${unreadableValue}`))
  const attributes = [...values].map(([Name, Value]) => ({ Name, Value }))
  try {
    return current === undefined
      ? checkAttributes({ schema, phase: 'admin-create' }, attributes)
      : checkAttributes({ schema, phase: 'admin-update', current: current.attributes }, attributes)
  } catch (error) {
    throw isCognitoError(error) ? invalidUserAttributes(faultsIn(error.message)) : error
  }
}

/** The single faults of a message about attributes. */
const faultsIn = (message: string): string[] =>
  message
    .replace(/^Attributes did not conform to the schema: /, '')
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.replace(/^user\./, ''))
