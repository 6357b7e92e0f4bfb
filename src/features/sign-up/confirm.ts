/** The confirmation of a user who signed up: by code, by an administrator, and another code. */
import type { CodeDeliveryDetailsType, ConfirmSignUpRequest } from '../../contract/types.ts'
import {
  aliasExistsAtConfirmation,
  cannotResendCodes,
  codeExpired,
  codeMismatch,
  invalidSession,
  userAlreadyConfirmed,
  userCannotBeConfirmed,
  userDisabled,
  usernameClientNotFound,
} from '../../core/errors.ts'
import { type Client, preventsUserExistenceErrors } from '../app-clients/client.ts'
import { type Context, inTransaction, type TransactionContext } from '../context.ts'
import {
  consumeCode,
  dropCode,
  limitByHour,
  type ProvenCode,
  proveCode,
  type VerifiableAttribute,
} from '../messages/codes.ts'
import { codeHolder, eventHolder, findNamedUser, sendOrSimulate } from '../passwords/unknown-user.ts'
import { assertAddressAllowed } from '../threat-protection/address-rules.ts'
import { recordEvent } from '../threat-protection/auth-events.ts'
import { runPostConfirmation } from '../triggers/confirmation.ts'
import type { Pool } from '../user-pools/pool.ts'
import {
  findUserById,
  getUserById,
  getUserByName,
  NameTaken,
  type User,
  updateUser,
  writeAttributes,
  writeSignInNames,
} from '../users/user.ts'
import { openSignUpSession } from './session.ts'
import { confirmationTarget } from './sign-up.ts'

export interface Confirmed {
  user: User
  /** What the code has proven. */
  attribute: VerifiableAttribute
}

const confirmationsPerHour = 15
const resendsPerHour = 5

/**
 * Confirms the user with the code of SignUp or ResendConfirmationCode; the address that the code went to is verified by
 * it. An alias that somebody else holds moves only with ForceAliasCreation; without it the code stays good. The Session of
 * the sign-up need not be sent, and may have expired; one that is sent must be the user's.
 * @throws UserNotFoundException, NotAuthorizedException, LimitExceededException, CodeMismatchException,
 * ExpiredCodeException, AliasExistsException
 */
export const confirmSignUp = async (
  ctx: Context,
  client: Client,
  pool: Pool,
  input: ConfirmSignUpRequest,
): Promise<Confirmed> => {
  const session = input.Session === undefined ? undefined : openSignUpSession(ctx, client, input.Session)
  await assertAddressAllowed(ctx, pool, client)
  const named = await findNamedUser(ctx, client, pool, input.Username)
  const { user, holder } = named
  if (session !== undefined && session.userId !== user?.id) throw invalidSession()
  if (user !== undefined) assertConfirmable(user)
  await limitByHour(ctx, 'ConfirmSignUp', holder, confirmationsPerHour)
  const proven = await proveCode(ctx, codeHolder(pool, named), 'sign-up', input.ConfirmationCode)
  if (user === undefined) throw codeMismatch()
  const confirmed = await inTransaction(ctx, async tx => {
    await consumeCode(tx, user, proven)
    await confirm(tx, pool, user)
    return verify(tx, pool, user, proven, input.ForceAliasCreation === true)
  })
  await runPostConfirmation(ctx, pool, 'ConfirmSignUp', () => findUserById(ctx, pool, user.id))
  return { user: confirmed, attribute: proven.attribute }
}

const assertConfirmable = (user: User): void => {
  if (!user.enabled) throw userDisabled()
  if (user.status !== 'UNCONFIRMED') throw userCannotBeConfirmed(user.status)
}

/** Makes the user CONFIRMED in one statement, so that of many who try only one does. */
const confirm = async (tx: TransactionContext, pool: Pool, user: User): Promise<void> => {
  if (await updateUser(tx, user, { status: 'CONFIRMED' }, { status: 'UNCONFIRMED' })) return
  throw userCannotBeConfirmed((await getUserById(tx, pool, user.id)).status)
}

const verify = async (
  tx: TransactionContext,
  pool: Pool,
  user: User,
  { attribute, destination }: ProvenCode,
  takeOver: boolean,
): Promise<User> => {
  const current = await getUserById(tx, pool, user.id)
  if (!current.enabled) throw userDisabled()
  // The code proves the address it went to and no other.
  if (current.attributes.get(attribute) !== destination) throw codeExpired()
  const verified = [`${attribute}_verified`, 'true'] as const
  await writeAttributes(tx, user, new Map([verified]))
  const attributes = new Map([...current.attributes, verified])
  try {
    await writeSignInNames(tx, pool, { ...current, attributes }, { takeOver })
  } catch (error) {
    throw error instanceof NameTaken ? aliasExistsAtConfirmation(error.kind) : error
  }
  return current
}

/**
 * Confirms the user without a code and without verifying an address.
 * @throws UserNotFoundException, NotAuthorizedException unless the status is UNCONFIRMED
 */
export const adminConfirmSignUp = async (ctx: Context, pool: Pool, username: string): Promise<void> => {
  const user = await getUserByName(ctx, pool, username)
  await inTransaction(ctx, async tx => {
    await dropCode(tx, user, 'sign-up')
    await confirm(tx, pool, user)
  })
  await runPostConfirmation(ctx, pool, 'ConfirmSignUp', () => findUserById(ctx, pool, user.id))
}

/**
 * Sends another confirmation code in place of the last one and returns where it went.
 * @throws UserNotFoundException, InvalidParameterException, LimitExceededException, CodeDeliveryFailureException. Where
 * the client hides users, a destination is made up for users who are unknown or disabled.
 */
export const resendConfirmationCode = async (
  ctx: Context,
  client: Client,
  pool: Pool,
  username: string,
): Promise<CodeDeliveryDetailsType> => {
  const hidden = preventsUserExistenceErrors(client)
  const named = await findNamedUser(ctx, client, pool, username)
  const { user, holder } = named
  const active = user?.enabled ? user : undefined
  if (user !== undefined && active === undefined && !hidden) throw usernameClientNotFound()
  if (active !== undefined && active.status !== 'UNCONFIRMED') throw userAlreadyConfirmed()
  const attributes = codeAttributes(pool)
  if (attributes.length === 0) throw cannotResendCodes()
  const target = active && confirmationTarget(pool, active)
  if (active !== undefined && target === undefined) throw cannotResendCodes()

  await limitByHour(ctx, 'ResendConfirmationCode', holder, resendsPerHour)
  await recordEvent(ctx, { ...eventHolder(named), pool, client, type: 'ResendCode', response: 'InProgress' })
  const sent = { purpose: 'sign-up', source: 'ResendCode', attributes, unnoticed: hidden } as const
  return sendOrSimulate(ctx, pool, named, username, target, sent)
}

/** The attributes that confirmation codes of the pool go to, the preferred one first. */
const codeAttributes = (pool: Pool): VerifiableAttribute[] =>
  (['phone_number', 'email'] as const).filter(attribute => pool.settings.AutoVerifiedAttributes?.includes(attribute))
