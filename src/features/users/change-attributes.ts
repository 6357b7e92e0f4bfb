/**
 * Changing and verifying attributes: one set of rules for the user's and the administrator's form of the operations.
 */
import type { AttributeType, CodeDeliveryDetailsType } from '../../contract/types.ts'
import { type AttributeChanges, checkAttributes, writableAttributes } from '../../core/attributes.ts'
import {
  aliasExists,
  attributeNotSet,
  attributeNotVerifiable,
  codeExpired,
  tooManyRequests,
  userNotFound,
  usernameOfProviderUser,
} from '../../core/errors.ts'
import { countAttempt } from '../../store/one-time.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import { isNameOfProviderUser } from '../identity-providers/provider.ts'
import {
  consumeCode,
  dropCode,
  issueCode,
  limitByHour,
  proveCode,
  type VerifiableAttribute,
} from '../messages/codes.ts'
import { sendCode, sendNewCode } from '../messages/send.ts'
import type { Pool } from '../user-pools/pool.ts'
import {
  findUserByName,
  getUserById,
  NameTaken,
  type User,
  updateUser,
  writeAttributes,
  writeSignInNames,
} from './user.ts'

const verifiable: readonly VerifiableAttribute[] = ['email', 'phone_number']
const codesPerHour = 5
const verificationsPerHour = 15
/** How many changes of addresses may send a code; each could go to somebody who did not ask for it. */
const changesPerHour = 30
const hourMs = 3_600_000

/** Who changes: a user through a client, who may write what the client may, or an administrator. */
export type ChangedBy = { client: Client } | 'administrator'

/** New values by name; undefined removes the attribute. */
type Changes = Map<string, string | undefined>

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
 * TooManyRequestsException (30 codes an hour by changes of the user), CodeDeliveryFailureException,
 * UserNotFoundException when the user was deleted meanwhile
 */
export const changeAttributes = async (
  ctx: Context,
  pool: Pool,
  user: User,
  attributes: readonly AttributeType[],
  by: ChangedBy,
): Promise<CodeDeliveryDetailsType[]> => {
  const due = await inTransaction(ctx, async tx => {
    const current = await getForChange(tx, pool, user)
    const checked = checkChanges(pool, current, attributes, by)
    if (by !== 'administrator') await checkPreferredUsername(tx, pool, checked.values.get('preferred_username'))
    const changes: Changes = new Map(checked.values)
    for (const name of checked.removed) changes.set(name, undefined)
    const codes: DueCode[] = []
    for (const attribute of verifiable) {
      if (!changes.has(attribute)) continue
      const destination = await changeAddress(tx, pool, current, attribute, changes)
      if (destination === undefined) continue
      if (by !== 'administrator') await countChange(tx, user)
      const code = await issueCode(tx, user, purposeOf(attribute), attribute, destination)
      codes.push({ attribute, destination, code })
    }
    await applyChanges(tx, pool, current, changes)
    return codes
  })
  const details: CodeDeliveryDetailsType[] = []
  for (const { attribute, destination, code } of due) {
    const told = { ...user, attributes: new Map([...user.attributes, [attribute, destination]]) }
    const target = { purpose: purposeOf(attribute), attribute, destination }
    const options = { later: by === 'administrator' }
    details.push(await sendCode(ctx, pool, told, 'UpdateUserAttribute', target, code, options))
  }
  return details
}

/** A name that finds its user at sign-in must not be one that a user of an identity provider will have. */
const checkPreferredUsername = async (tx: TransactionContext, pool: Pool, name: string | undefined): Promise<void> => {
  const isAlias = pool.settings.AliasAttributes?.includes('preferred_username') ?? false
  if (name !== undefined && isAlias && (await isNameOfProviderUser(tx, pool, name))) throw usernameOfProviderUser()
}

const checkChanges = (
  pool: Pool,
  current: User,
  attributes: readonly AttributeType[],
  by: ChangedBy,
): AttributeChanges => {
  const schema = pool.settings.SchemaAttributes ?? []
  const check = { schema, current: current.attributes }
  return by === 'administrator'
    ? checkAttributes({ ...check, phase: 'admin-update' }, attributes)
    : checkAttributes(
        { ...check, phase: 'update', writable: writableAttributes(by.client.settings, schema) },
        attributes,
      )
}

/**
 * What else follows from a changed address: the verified flag in `changes`, and whether the address waits instead of
 * taking effect. Returns where a code is due.
 */
const changeAddress = async (
  tx: TransactionContext,
  pool: Pool,
  current: User,
  attribute: VerifiableAttribute,
  changes: Changes,
): Promise<string | undefined> => {
  const flag = `${attribute}_verified`
  const address = changes.get(attribute)
  // The last word counts: an earlier address that still waits for its code is given up, and so is the code.
  await dropPending(tx, current, attribute)
  if (address === current.attributes.get(attribute)) return undefined
  await dropCode(tx, current, purposeOf(attribute))
  if (address === undefined || changes.get(flag) === 'true') return undefined
  if (verifiesBeforeUpdate(pool, attribute)) {
    await checkUsernameFree(tx, pool, current, attribute, address)
    await writePending(tx, current, attribute, address)
    // What is in force keeps its flag, whatever the request says of the address that waits.
    changes.delete(attribute)
    changes.delete(flag)
    return address
  }
  changes.set(flag, 'false')
  return pool.settings.AutoVerifiedAttributes?.includes(attribute) ? address : undefined
}

const countChange = async (tx: TransactionContext, user: User): Promise<void> => {
  const count = await countAttempt(tx.db, `UpdateUserAttributes ${user.id}`, tx.clock.now(), hourMs)
  if (count > changesPerHour) throw tooManyRequests()
}

const purposeOf = (attribute: VerifiableAttribute) => `verify-${attribute}` as const

const verifiesBeforeUpdate = (pool: Pool, attribute: VerifiableAttribute): boolean =>
  pool.settings.UserAttributeUpdateSettings?.AttributesRequireVerificationBeforeUpdate?.includes(attribute) ?? false

/**
 * In pools whose users sign in with addresses, one that another user has is refused before a code goes to it. Which of
 * several waiting users gets a free one is decided when they verify it.
 */
const checkUsernameFree = async (
  tx: TransactionContext,
  pool: Pool,
  user: User,
  attribute: VerifiableAttribute,
  address: string,
): Promise<void> => {
  if (!pool.settings.UsernameAttributes?.includes(attribute)) return
  const holder = await findUserByName(tx, pool, address)
  if (holder !== undefined && holder.id !== user.id) throw aliasExists(attribute)
}

/** The user as it is now, and for as long as the transaction lasts: the changed row is locked. */
const getForChange = async (tx: TransactionContext, pool: Pool, user: User): Promise<User> => {
  if (!(await updateUser(tx, user, {}))) throw userNotFound()
  return getUserById(tx, pool, user.id)
}

const namingAttributes = new Set([...verifiable.flatMap(name => [name, `${name}_verified`]), 'preferred_username'])

const applyChanges = async (tx: TransactionContext, pool: Pool, user: User, changes: Changes): Promise<void> => {
  await writeAttributes(tx, user, changes)
  if (![...changes.keys()].some(name => namingAttributes.has(name))) return
  const attributes = new Map(user.attributes)
  for (const [name, value] of changes) {
    if (value === undefined) attributes.delete(name)
    else attributes.set(name, value)
  }
  try {
    await writeSignInNames(tx, pool, { ...user, attributes })
  } catch (error) {
    throw error instanceof NameTaken ? aliasExists(error.kind) : error
  }
}

// ---------------------------------------------------------------------------------------------- waiting addresses

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

const findPending = async (ctx: ReadContext, user: User, name: string): Promise<string | undefined> => {
  const row = await ctx.db
    .selectFrom('pending_attributes')
    .select('value')
    .where('user_id', '=', user.id)
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.value
}

// ---------------------------------------------------------------------------------------------- verification

const asVerifiable = (name: string): VerifiableAttribute => {
  const attribute = verifiable.find(candidate => candidate === name)
  if (attribute === undefined) throw attributeNotVerifiable(name)
  return attribute
}

/**
 * Sends a code to the user's address, or to the one that waits for verification.
 * @throws InvalidParameterException, LimitExceededException (5 an hour), CodeDeliveryFailureException,
 * UserNotFoundException when the user was deleted meanwhile
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
  const target = { purpose: purposeOf(attribute), attribute, destination }
  return sendNewCode(ctx, pool, user, 'VerifyUserAttribute', target)
}

/**
 * Verifies the address that the code was sent to, and puts it in force when it waited for that. An alias that another
 * user has stays there; the code can be used again when it is free.
 * @throws CodeMismatchException, ExpiredCodeException, LimitExceededException (15 an hour), AliasExistsException,
 * InvalidParameterException, UserNotFoundException when the user was deleted meanwhile
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
    const current = await getForChange(tx, pool, user)
    await consumeCode(tx, user, proven)
    const pending = await findPending(tx, user, attribute)
    // A code proves the address it was sent to and no other; the user may have changed it since.
    if (proven.destination !== (pending ?? current.attributes.get(attribute))) throw codeExpired()
    if (pending !== undefined) await dropPending(tx, user, attribute)
    await applyChanges(
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
