/**
 * The identities of users at identity providers. A row says which user an identity is; the attribute `identities` of the
 * user repeats the rows in the form in which it is shown, and both are written together.
 */
import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import { type Identity, identitiesAttribute, subjectAttribute, writeIdentities } from '../../core/identities.ts'
import type { UserIdentityRow } from '../../store/tables.ts'
import type { ReadContext, TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserById, type User, writeAttributes } from './user.ts'

/** By what a provider's user is recognized: by the subject, or by the value of a mapped attribute. */
export interface IdentityName {
  providerName: string
  /** `Cognito_Subject` or the name of an attribute. */
  attribute: string
  value: string
}

/** An identity as it is stored. */
export interface UserIdentity extends IdentityName {
  userId: string
  /** True when the identity is the user, false when it is linked to the user. */
  primary: boolean
}

/** What a new identity says beyond its name. */
export interface NewIdentity extends IdentityName {
  providerType: string
  /** The entity id of a SAML provider; null for all others. */
  issuer: string | null
  primary: boolean
}

/** The identity with this name; undefined when it belongs to no user of the pool. Values are compared byte by byte. */
export const findIdentity = async (
  ctx: ReadContext,
  pool: Pick<Pool, 'id'>,
  name: IdentityName,
): Promise<UserIdentity | undefined> => {
  const row = await ctx.db
    .selectFrom('user_identities')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('provider_name', '=', name.providerName)
    .where('identity_key', '=', identityKey(name))
    .executeTakeFirst()
  return row && identityFromRow(row)
}

/** The user who has this subject at the provider; undefined when there is none. */
export const findUserBySubject = async (
  ctx: ReadContext,
  pool: Pool,
  providerName: string,
  subject: string,
): Promise<User | undefined> => {
  const identity = await findIdentity(ctx, pool, { providerName, attribute: subjectAttribute, value: subject })
  return identity && findUserById(ctx, pool, identity.userId)
}

/** How many identities are linked to the user. */
export const countLinks = async (ctx: ReadContext, user: Pick<User, 'id'>): Promise<number> => {
  const { count } = await ctx.db
    .selectFrom('user_identities')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('user_id', '=', user.id)
    .where('is_primary', '=', 0)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/**
 * Gives the user an identity. Returns false, and changes nothing, when a user has it already. The caller has inserted
 * or locked the user's row.
 */
export const addIdentity = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  identity: NewIdentity,
): Promise<boolean> => {
  const inserted = await tx.db
    .insertInto('user_identities')
    .values({
      pool_id: user.poolId,
      provider_name: identity.providerName,
      identity_key: identityKey(identity),
      user_id: user.id,
      attribute: identity.attribute,
      value: identity.value,
      provider_type: identity.providerType,
      issuer: identity.issuer,
      is_primary: identity.primary ? 1 : 0,
      created_at: tx.clock.now(),
    })
    .onConflict(conflict => conflict.doNothing())
    .returning('user_id')
    .executeTakeFirst()
  if (inserted === undefined) return false
  await tellIdentities(tx, user)
  return true
}

/**
 * Takes a linked identity from the user. Returns false when it is not linked to that user (any more). The caller has
 * locked the user's row.
 */
export const removeLink = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  name: IdentityName,
): Promise<boolean> => {
  const removed = await tx.db
    .deleteFrom('user_identities')
    .where('pool_id', '=', user.poolId)
    .where('provider_name', '=', name.providerName)
    .where('identity_key', '=', identityKey(name))
    .where('user_id', '=', user.id)
    .where('is_primary', '=', 0)
    .returning('user_id')
    .executeTakeFirst()
  if (removed === undefined) return false
  await tellIdentities(tx, user)
  return true
}

/**
 * Gives an identity that was known by an attribute the subject by which it is known from now on. Returns false when it is
 * not the user's (any more). The caller has locked the user's row.
 */
export const settleIdentity = async (
  tx: TransactionContext,
  user: Pick<User, 'id' | 'poolId'>,
  name: IdentityName,
  subject: string,
): Promise<boolean> => {
  const settled = { attribute: subjectAttribute, value: subject }
  const changed = await tx.db
    .updateTable('user_identities')
    .set({ ...settled, identity_key: identityKey(settled) })
    .where('pool_id', '=', user.poolId)
    .where('provider_name', '=', name.providerName)
    .where('identity_key', '=', identityKey(name))
    .where('user_id', '=', user.id)
    .returning('user_id')
    .executeTakeFirst()
  if (changed === undefined) return false
  await tellIdentities(tx, user)
  return true
}

/** Brings the attribute in step with the rows. The identity that is the user comes first, then those linked, by age. */
const tellIdentities = async (tx: TransactionContext, user: Pick<User, 'id' | 'poolId'>): Promise<void> => {
  const rows = await tx.db
    .selectFrom('user_identities')
    .selectAll()
    .where('user_id', '=', user.id)
    .orderBy('is_primary', 'desc')
    .orderBy('created_at')
    .orderBy('provider_name')
    .orderBy('identity_key')
    .execute()
  const value = rows.length === 0 ? undefined : writeIdentities(rows.map(shownIdentity))
  await writeAttributes(tx, user, new Map([[identitiesAttribute, value]]))
}

const shownIdentity = (row: Selectable<UserIdentityRow>): Identity => ({
  userId: row.value,
  providerName: row.provider_name,
  providerType: row.provider_type,
  issuer: row.issuer,
  primary: row.is_primary === 1,
  dateCreated: row.created_at,
})

const identityFromRow = (row: Selectable<UserIdentityRow>): UserIdentity => ({
  providerName: row.provider_name,
  attribute: row.attribute,
  value: row.value,
  userId: row.user_id,
  primary: row.is_primary === 1,
})

/** Short whatever the value is, and never the same for different names of one provider. */
const identityKey = ({ attribute, value }: Pick<IdentityName, 'attribute' | 'value'>): string =>
  createHash('sha256')
    .update(JSON.stringify([attribute, value]))
    .digest('base64url')
