/**
 * Changing and verifying attributes: one set of rules for the user's and the administrator's form of the operations.
 */
import type { AttributeType, CodeDeliveryDetailsType } from '../../contract/types.ts'
import { type AttributePhase, checkAttributes, writableAttributes } from '../../core/attributes.ts'
import { aliasExists, attributeNotSet, attributeNotVerifiable, codeExpired, userNotFound } from '../../core/errors.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import { consumeCode, issueCode, limitByHour, proveCode, type VerifiableAttribute } from '../messages/codes.ts'
import { type MessageSource, sendCode } from '../messages/send.ts'
import type { Pool } from '../user-pools/pool.ts'
import { getUserById, NameTaken, updateUser, type User, writeAttributes, writeSignInNames } from './user.ts'

const verifiable: readonly VerifiableAttribute[] = ['email', 'phone_number']
const codesPerHour = 5
const verificationsPerHour = 15

/** Who changes: a user through a client, who may write what the client may, or an administrator. */
export type ChangedBy = { client: Client } | 'administrator'

/** A code that waits to be sent when the change is committed. */
interface DueCode {
  attribute: VerifiableAttribute
  destination: string
  code: string
}

/**
 * Sets attributes; an empty value removes one. A new address is unverified, gets a code when the pool verifies such
 * addresses by itself, and waits for that code when the pool asks for verification before the update. Returns where
 * codes were sent.
 * @throws InvalidParameterException, NotAuthorizedException (attribute not writable), AliasExistsException,
 * CodeDeliveryFailureException
 */
export const changeAttributes = async (
  ctx: Context,
  pool: Pool,
  user: User,
  attributes: readonly AttributeType[],
  by: ChangedBy,
): Promise<CodeDeliveryDetailsType[]> => {
  const schema = pool.settings.SchemaAttributes ?? []
  const phase: AttributePhase = by === 'administrator' ? 'admin-update' : 'update'
  const writable = by === 'administrator' ? {} : { writable: writableAttributes(by.client.settings, schema) }
  const { values, removed } = checkAttributes({ schema, phase, ...writable, current: user.attributes }, attributes)

  const due = await inTransaction(ctx, async tx => {
    const current = await lockUser(tx, pool, user)
    const codes: DueCode[] = []
    const changes = new Map<string, string | undefined>(values)
    for (const name of removed) changes.set(name, undefined)
    for (const attribute of verifiable) {
      const value = values.get(attribute)
      if (value === undefined || value === current.attributes.get(attribute)) continue
      const declaredVerified = values.get(`${attribute}_verified`) === 'true'
      if (!declaredVerified && pool.settings.AutoVerifiedAttributes?.includes(attribute)) {
        codes.push({ attribute, destination: value, code: await issueCode(tx, user, purposeOf(attribute), attribute, value) })
      }
      if (!declaredVerified && verifiesBeforeUpdate(pool, attribute)) {
        changes.delete(attribute)
        await writePending(tx, user, attribute, value)
      } else {
        if (!values.has(`${attribute}_verified`)) changes.set(`${attribute}_verified`, 'false')
        await dropPending(tx, user, attribute)
      }
    }
    await applyAttributes(tx, pool, current, changes)
    return codes
  })
  return sendAll(ctx, pool, user, 'UpdateUserAttribute', due)
}

const purposeOf = (attribute: VerifiableAttribute) => `verify-${attribute}` as const

const verifiesBeforeUpdate = (pool: Pool, attribute: VerifiableAttribute): boolean =>
  pool.settings.UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate?.includes(attribute) ?? false

/** The user as it is now, while no other transaction can change it: touching the row takes its lock. */
const lockUser = async (tx: TransactionContext, pool: Pool, user: User): Promise<User> => {
  if (!(await updateUser(tx, user, {}))) throw userNotFound()
  return getUserById(tx, pool, user.id)
}

const applyAttributes = async (
  tx: TransactionContext,
  pool: Pool,
  user: User,
  changes: Map<string, string | undefined>,
): Promise<void> => {
  await writeAttributes(tx, user, changes)
  const attributes = new Map(user.attributes)
  for (const [name, value] of changes) {
    if (value === undefined || value === '') attributes.delete(name)
    else attributes.set(name, value)
  }
  try {
    await writeSignInNames(tx, pool, { ...user, attributes })
  } catch (error) {
    throw error instanceof NameTaken ? aliasExists(error.kind) : error
  }
}

const writePending = async (tx: TransactionContext, user: User, name: string, value: string): Promise<void> => {
  const row = { value, created_at: tx.clock.now() }
  await tx.db
    .insertInto('pending_attributes')
    .values({ user_id: user.id, name, ...row })
    .onConflict(conflict => conflict.columns(['user_id', 'name']).doUpdateSet(row))
    .execute()
}

const dropPending = async (tx: TransactionContext, user: User, name: string): Promise<void> => {
  await tx.db.deleteFrom('pending_attributes').where('user_id', '=', user.id).where('name', '=', name).execute()
}

const findPending = async (ctx: Pick<TransactionContext, 'db'> | Context, user: User, name: string) => {
  const row = await ctx.db
    .selectFrom('pending_attributes')
    .select('value')
    .where('user_id', '=', user.id)
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.value
}

const sendAll = async (
  ctx: Context,
  pool: Pool,
  user: User,
  source: MessageSource,
  codes: DueCode[],
): Promise<CodeDeliveryDetailsType[]> => {
  const details: CodeDeliveryDetailsType[] = []
  for (const { attribute, destination, code } of codes) {
    details.push(await sendCode(ctx, pool, user, source, attribute, destination, code))
  }
  return details
}

const asVerifiable = (name: string): VerifiableAttribute => {
  const attribute = verifiable.find(candidate => candidate === name)
  if (attribute === undefined) throw attributeNotVerifiable(name)
  return attribute
}

/**
 * Sends a code to the user's address, or to the one that waits for verification.
 * @throws InvalidParameterException, LimitExceededException (5 an hour), CodeDeliveryFailureException
 */
export const requestVerification = async (
  ctx: Context,
  pool: Pool,
  user: User,
  name: string,
): Promise<CodeDeliveryDetailsType> => {
  const attribute = asVerifiable(name)
  const destination = (await findPending(ctx, user, attribute)) ?? user.attributes.get(attribute)
  if (destination === undefined) throw attributeNotSet(attribute)
  await limitByHour(ctx, 'GetUserAttributeVerificationCode', user.id, codesPerHour)
  const code = await inTransaction(ctx, tx => issueCode(tx, user, purposeOf(attribute), attribute, destination))
  return sendCode(ctx, pool, user, 'VerifyUserAttribute', attribute, destination, code)
}

/**
 * Verifies the address that the code was sent to, and puts it in force when it waited for that.
 * @throws CodeMismatchException, ExpiredCodeException, LimitExceededException, AliasExistsException,
 * InvalidParameterException
 */
export const verifyAttribute = async (
  ctx: Context,
  pool: Pool,
  user: User,
  name: string,
  code: string,
): Promise<void> => {
  const attribute = asVerifiable(name)
  await limitByHour(ctx, 'VerifyUserAttribute', user.id, verificationsPerHour)
  const proven = await proveCode(ctx, user, purposeOf(attribute), code)
  await inTransaction(ctx, async tx => {
    const current = await lockUser(tx, pool, user)
    await consumeCode(tx, user, proven)
    const pending = await findPending(tx, user, attribute)
    // A code proves the address it was sent to and no other; the user may have changed it since.
    if (pending !== proven.destination && current.attributes.get(attribute) !== proven.destination) throw codeExpired()
    if (pending === proven.destination) await dropPending(tx, user, attribute)
    await applyAttributes(
      tx,
      pool,
      current,
      new Map([
        [attribute, proven.destination],
        [`${attribute}_verified`, 'true'],
      ]),
    )
  })
}
