/** The profiles of users who come from providers: what they are called, and how they are found, made and changed. */
import { addressTaken, alreadyFound, changedMeanwhile, unusableSubject } from '../../core/errors/federation.ts'
import { subjectAttribute } from '../../core/identities.ts'
import { newUuid } from '../../core/ids.ts'
import { disownsAddress, mapClaims } from '../../core/provider-claims.ts'
import { canonicalName } from '../../core/usernames.ts'
import { isUniqueViolation } from '../../store/database.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import { joinProviderGroup } from '../groups/membership.ts'
import { findProvider, type Provider } from '../identity-providers/provider.ts'
import { isCaseSensitive, type Pool } from '../user-pools/pool.ts'
import { addIdentity, findIdentity, type IdentityName, settleIdentity } from '../users/identities.ts'
import {
  findUserById,
  getUserById,
  insertUser,
  lockUser,
  NameTaken,
  type User,
  updateUser,
  writeAttributes,
  writeSignInNames,
} from '../users/user.ts'
import type { FederatedSignIn } from './sign-in.ts'

/** The user whom an identity leads to, and the name under which it does. */
export interface Profile {
  user: User
  identity: IdentityName
}

/** What the API takes for a username, so that whoever signs in can be named there. */
const usernameLengthMax = 128
const usernameForm = /^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u

/**
 * `{provider}_{subject}`, in lower case where the pool ignores case.
 * @throws OAuthError for a subject that no username can be made of
 */
export const profileName = (pool: Pool, { name }: Provider, subject: string): string => {
  const username = `${name}_${subject}`
  if (subject === '' || username.length > usernameLengthMax || !usernameForm.test(username)) throw unusableSubject()
  return isCaseSensitive(pool) ? username : canonicalName(username, { caseSensitive: false })
}

const subjectName = ({ provider, subject }: FederatedSignIn): IdentityName => ({
  providerName: provider.name,
  attribute: subjectAttribute,
  value: subject,
})

/**
 * The profile of the subject; or the one that an administrator linked to the value of an attribute before anybody came with
 * it, unless the provider itself disowns the value. Undefined at a first sign-in.
 */
export const findProfile = async (
  ctx: Context | TransactionContext,
  signIn: FederatedSignIn,
): Promise<Profile | undefined> => {
  const { pool, provider, claims } = signIn
  const { attributeMapping } = provider.settings
  const values = mapClaims(attributeMapping, claims)
  const names = [subjectName(signIn)]
  for (const attribute of provider.linkAttributes) {
    const value = values.get(attribute)
    if (value === undefined || value === '' || disownsAddress(attributeMapping, claims, attribute)) continue
    names.push({ providerName: provider.name, attribute, value })
  }
  for (const identity of names) {
    const found = await findIdentity(ctx, pool, identity)
    const user = found && (await findUserById(ctx, pool, found.userId))
    if (user !== undefined) return { user, identity }
  }
  return undefined
}

/** Somebody else has given the identity to a user meanwhile. */
class IdentityTaken extends Error {}

/**
 * Makes the profile, its identity and its membership in the group of the provider. Of many first sign-ins at once one makes
 * it, and the others are given what they find then.
 * @throws OAuthError when its name or its address is another user's
 */
export const createProfile = async (
  ctx: Context,
  signIn: FederatedSignIn,
  attributes: ReadonlyMap<string, string>,
): Promise<{ made: User } | { found: Profile }> => {
  const { pool, provider, username } = signIn
  const id = newUuid(ctx.random)
  try {
    const made = await inTransaction(ctx, async tx => {
      if ((await findProvider(tx, pool, provider.name)) === undefined) throw changedMeanwhile()
      const status = 'EXTERNAL_PROVIDER'
      await insertUser(tx, pool, { id, username, status, password: undefined, attributes: new Map(attributes) })
      const identity = {
        ...subjectName(signIn),
        providerType: provider.type,
        issuer: provider.settings.saml?.metadata.entityId ?? null,
        primary: true,
      }
      if (!(await addIdentity(tx, { id, poolId: pool.id }, identity))) throw new IdentityTaken()
      await joinProviderGroup(tx, pool, { id }, provider.name)
      return getUserById(tx, pool, id)
    })
    return { made }
  } catch (error) {
    if (!(error instanceof NameTaken) && !(error instanceof IdentityTaken)) throw error
    const found = await findProfile(ctx, signIn)
    if (found !== undefined) return { found }
    throw error instanceof NameTaken && error.kind !== 'username' ? addressTaken(error.kind) : alreadyFound(username)
  }
}

/**
 * Writes what the provider says, and from the first sign-in of a link on, the subject. `decide` is given the user as he is
 * now. Returns the user afterwards.
 * @throws OAuthError, and what `decide` throws
 */
export const updateProfile = async (
  ctx: Context,
  signIn: FederatedSignIn,
  { user: { id }, identity }: Profile,
  decide: (current: User) => Map<string, string | undefined>,
): Promise<User> => {
  const { pool, subject } = signIn
  const user = { id, poolId: pool.id }
  return inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    const current = await getUserById(tx, pool, id)
    const isSettled = (await findIdentity(tx, pool, subjectName(signIn)))?.userId === id
    if (!isSettled && !(await settleIdentity(tx, user, identity, subject))) throw changedMeanwhile()
    const changes = changed(current, decide(current))
    if (isSettled && changes.size === 0) return current
    await writeAttributes(tx, user, changes)
    await updateUser(tx, user, {})
    const updated = await getUserById(tx, pool, id)
    await writeSignInNames(tx, pool, updated)
    return updated
  }).catch(error => {
    if (error instanceof NameTaken) throw addressTaken(error.kind)
    throw isUniqueViolation(error) ? changedMeanwhile() : error
  })
}

const changed = (
  { attributes }: User,
  values: ReadonlyMap<string, string | undefined>,
): Map<string, string | undefined> => new Map([...values].filter(([name, value]) => attributes.get(name) !== value))
