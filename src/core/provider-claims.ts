/**
 * What an identity provider says of a user, and which attributes of the user come of it. The mapping of the provider names
 * a claim for each attribute; what it does not name has no effect.
 */

/** The claims by the names that the provider gives them: of an ID token, of userInfo, or attributes of SAML. */
export type ProviderClaims = ReadonlyMap<string, unknown>

/** Not mapped: the subject names the user, and the rest is the service's own. */
const unmappable = new Set(['username', 'sub', 'identities'])

/** Addresses with the flag that says that they are proven. */
const verifiedFlags = [
  ['email', 'email_verified'],
  ['phone_number', 'phone_number_verified'],
] as const

/**
 * The values of the attributes that the claims give, in the order of the mapping. The empty text takes the attribute away;
 * an attribute whose claim is missing is not among them and stays as it is. `current` are the attributes of a user who
 * exists.
 *
 * An address is as good as what the provider says of it in the same answer: it is verified when the mapped claim says so,
 * and otherwise it is not, unless it is the one that the user has and the provider leaves the claim out this time.
 */
export const mapClaims = (
  mapping: Readonly<Record<string, string>>,
  claims: ProviderClaims,
  current: ReadonlyMap<string, string> = new Map(),
): Map<string, string> => {
  const values = new Map<string, string>()
  for (const [attribute, claim] of Object.entries(mapping)) {
    const text = unmappable.has(attribute) ? undefined : textOf(attribute, claims.get(claim))
    if (text !== undefined) values.set(attribute, text)
  }
  for (const [address, flag] of verifiedFlags) {
    const value = values.get(address)
    const said = values.get(flag)
    values.delete(flag)
    if (value === undefined || value === '') continue
    if (said === undefined && Object.hasOwn(mapping, flag) && value === current.get(address)) continue
    values.set(flag, String(said?.toLowerCase() === 'true'))
  }
  return values
}

/** Whether the provider says in so many words that the address is not proven. */
export const disownsAddress = (
  mapping: Readonly<Record<string, string>>,
  claims: ProviderClaims,
  attribute: string,
): boolean => {
  const flag = verifiedFlags.find(([address]) => address === attribute)?.[1]
  const said = flag && textOf(flag, claims.get(mapping[flag] ?? flag))
  return said !== undefined && said.toLowerCase() !== 'true'
}

/** The value as text; undefined for a claim that is not there. */
const textOf = (attribute: string, value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value.trim() === '' ? '' : value
  if (Array.isArray(value))
    return value.length === 0 ? '' : `[${value.map(item => formEncoded(plain(item))).join(',')}]`
  // OpenID Connect Core, section 5.1.1: an address is an object, of which the user keeps the whole address.
  if (attribute === 'address' && typeof value === 'object' && 'formatted' in value) return plain(value.formatted)
  return plain(value)
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

/** Everything but letters, digits and `.-*_` is encoded, and a blank is a plus. */
const formEncoded = (text: string): string => new URLSearchParams([['', text.toWellFormed()]]).toString().slice(1)
