/**
 * Linking: what somebody is at an identity provider becomes a user of the pool who exists already, or stops being that
 * user. Only an administrator links; nothing here follows from what a provider says.
 *
 * The folder owns who is who between the pool and its providers. It does not own the providers themselves.
 */
import type { ProviderUserIdentifierType } from '../../contract/types.ts'
import {
  identityNotLinked,
  identityProviderNotFound,
  providerUserIncomplete,
  sourceAttributeNotMapped,
  sourceUserIncomplete,
  sourceUserIsLocal,
  sourceUserLinked,
  sourceUserSignedUp,
  tooManyLinks,
  tooManySourceAttributes,
  userNotFound,
} from '../../core/errors.ts'
import { subjectAttribute } from '../../core/identities.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import { findProvider, getProvider, isSocial, localProvider, type Provider } from '../identity-providers/provider.ts'
import { dropCode } from '../messages/codes.ts'
import type { Pool } from '../user-pools/pool.ts'
import {
  addIdentity,
  countLinks,
  findIdentity,
  findUserBySubject,
  type IdentityName,
  removeLink,
} from '../users/identities.ts'
import { findUserByName, getUserByName, lockUser, type User, updateUser } from '../users/user.ts'

const linksMax = 5
const sourceAttributesMax = 5
/** As long as the value of an attribute can be. */
const valueLengthMax = 2_048

/**
 * Links the source, who has never signed in, to the destination, who exists: whoever signs in as the source is the
 * destination from then on.
 * @throws InvalidParameterException, ResourceNotFoundException (provider), UserNotFoundException (destination),
 * LimitExceededException
 */
export const linkProviderUser = async (
  ctx: Context,
  pool: Pool,
  destination: ProviderUserIdentifierType,
  source: ProviderUserIdentifierType,
): Promise<void> => {
  if (isLocal(source)) throw sourceUserIsLocal()
  const name = identityName(source)
  if (name === undefined) throw sourceUserIncomplete()
  const provider = await getProvider(ctx, pool, name.providerName)
  checkSourceAttribute(provider, name.attribute)
  const user = await findDestination(ctx, pool, destination)
  if (user === undefined) throw userNotFound()
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    const known = await findIdentity(tx, pool, name)
    if (known !== undefined) throw takenBy(known.userId, user)
    if ((await countLinks(tx, user)) >= linksMax) throw tooManyLinks(linksMax)
    if (name.attribute !== subjectAttribute) await noteSourceAttribute(tx, pool, provider, name.attribute)
    const identity = {
      ...name,
      providerType: provider.type,
      issuer: provider.settings.saml?.metadata.entityId ?? null,
      primary: false,
    }
    // Somebody else may have linked it meanwhile, or the source has just signed in for the first time.
    if (!(await addIdentity(tx, user, identity))) {
      throw takenBy((await findIdentity(tx, pool, name))?.userId, user)
    }
    await updateUser(tx, user, {})
  })
}

const takenBy = (ownerId: string | undefined, user: User) =>
  ownerId === user.id ? sourceUserLinked() : sourceUserSignedUp()

const isLocal = ({ ProviderName }: ProviderUserIdentifierType): boolean => ProviderName?.toUpperCase() === localProvider

/** The identity that the caller names; undefined when a part is missing or longer than any value could be. */
const identityName = (given: ProviderUserIdentifierType): IdentityName | undefined => {
  const { ProviderName: providerName, ProviderAttributeName: attribute, ProviderAttributeValue: value } = given
  if (!providerName || !attribute || !value || value.length > valueLengthMax) return undefined
  return { providerName, attribute, value }
}

/** A source is named by its subject, or, unless the provider is a social one, by an attribute that a claim is mapped to. */
const checkSourceAttribute = (provider: Provider, attribute: string): void => {
  if (attribute === subjectAttribute) return
  const isMapped = attribute !== 'username' && Object.hasOwn(provider.settings.attributeMapping, attribute)
  if (isSocial(provider.type) || !isMapped) throw sourceAttributeNotMapped(attribute)
}

/** A user of the pool by name, or a federated one by the subject at the provider. The name of the attribute is ignored. */
const findDestination = async (
  ctx: Context,
  pool: Pool,
  destination: ProviderUserIdentifierType,
): Promise<User | undefined> => {
  const { ProviderName: providerName, ProviderAttributeValue: value } = destination
  if (!providerName || !value) throw providerUserIncomplete()
  if (isLocal(destination)) return findUserByName(ctx, pool, value)
  return findUserBySubject(ctx, pool, providerName, value)
}

/** Keeps the list of the attributes that sign-in has to look at. */
const noteSourceAttribute = async (
  tx: TransactionContext,
  pool: Pool,
  provider: Provider,
  attribute: string,
): Promise<void> => {
  const row = await tx.db
    .updateTable('identity_providers')
    .set(row => ({ link_attributes: row.ref('link_attributes') }))
    .where('pool_id', '=', pool.id)
    .where('name', '=', provider.name)
    .returning('link_attributes')
    .executeTakeFirst()
  if (row === undefined) throw identityProviderNotFound(provider.name)
  const attributes = JSON.parse(row.link_attributes) as string[]
  if (attributes.includes(attribute)) return
  if (attributes.length >= sourceAttributesMax) throw tooManySourceAttributes(sourceAttributesMax)
  await tx.db
    .updateTable('identity_providers')
    .set({ link_attributes: JSON.stringify([...attributes, attribute]) })
    .where('pool_id', '=', pool.id)
    .where('name', '=', provider.name)
    .execute()
}

/**
 * Ends a link: whoever signs in as that identity then is somebody new. For a user of the pool itself it ends the
 * password, which stops working at once, together with sign-ins that are under way.
 * @throws InvalidParameterException, ResourceNotFoundException (provider), UserNotFoundException
 */
export const disableProviderUser = async (
  ctx: Context,
  pool: Pool,
  given: ProviderUserIdentifierType,
): Promise<void> => {
  const name = identityName(given)
  if (name === undefined) throw providerUserIncomplete()
  if (isLocal(given)) return disablePassword(ctx, pool, name)
  const identity = await findIdentity(ctx, pool, name)
  if (identity === undefined) {
    if ((await findProvider(ctx, pool, name.providerName)) === undefined) {
      throw identityProviderNotFound(name.providerName)
    }
    throw userNotFound()
  }
  if (identity.primary) throw identityNotLinked()
  const user = { id: identity.userId, poolId: pool.id }
  await inTransaction(ctx, async tx => {
    await lockUser(tx, user)
    if (!(await removeLink(tx, user, name))) throw userNotFound()
    await updateUser(tx, user, {})
  })
}

const disablePassword = async (ctx: Context, pool: Pool, { attribute, value }: IdentityName): Promise<void> => {
  if (attribute !== subjectAttribute) throw providerUserIncomplete()
  const user = await getUserByName(ctx, pool, value)
  await inTransaction(ctx, async tx => {
    if (!(await updateUser(tx, user, { removePassword: true }))) throw userNotFound()
    // Else the code of a reset that is under way would bring a password back.
    await dropCode(tx, user, 'reset-password')
  })
}
