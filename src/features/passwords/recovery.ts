/** Forgotten passwords: ForgotPassword, ConfirmForgotPassword, AdminResetUserPassword. */
import type { CodeDeliveryDetailsType } from '../../contract/types.ts'
import {
  CognitoError,
  codeExpired,
  codeMismatch,
  contactAdministrator,
  noRecoveryMedium,
  passwordNotResettable,
  userDisabled,
  userNotConfirmed,
  usernameClientNotFound,
} from '../../core/errors.ts'
import { checkPassword } from '../../core/password-policy.ts'
import { type Client, preventsUserExistenceErrors } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { type CodeTarget, consumeCode, limitByHour, proveCode, type VerifiableAttribute } from '../messages/codes.ts'
import { sendNewCode } from '../messages/send.ts'
import { assertAddressAllowed } from '../threat-protection/address-rules.ts'
import { noRisk, recordEvent } from '../threat-protection/auth-events.ts'
import { checkNewPassword } from '../threat-protection/compromised-passwords.ts'
import { runPostConfirmation } from '../triggers/confirmation.ts'
import { hasTrigger } from '../triggers/run.ts'
import { type Pool, passwordPolicy } from '../user-pools/pool.ts'
import {
  findUserById,
  findUserByName,
  getUserById,
  getUserByName,
  type User,
  type UserStatus,
  updateUser,
} from '../users/user.ts'
import { clearFailures, lockoutKey } from './lockout.ts'
import { checkHistory, makePassword, replacePassword } from './password.ts'
import { codeHolder, eventHolder, findNamedUser, type NamedUser, sendOrSimulate } from './unknown-user.ts'
import { migrateUser } from './user-migration.ts'

/** ForgotPassword and ConfirmForgotPassword together, for each user. */
const recoveriesPerHour = 20

/** Statuses in which there is no password of the user's own that could be forgotten. */
const notResettable: readonly UserStatus[] = ['FORCE_CHANGE_PASSWORD', 'EXTERNAL_PROVIDER']

/**
 * Sends a code that resets the password and returns where it went. The password and the status stay as they are.
 * @throws UserNotFoundException, NotAuthorizedException, InvalidParameterException (no verified address),
 * LimitExceededException, CodeDeliveryFailureException. Where the client hides users, a destination is made up instead
 * for users who are unknown, disabled or without a verified address.
 */
export const forgotPassword = async (
  ctx: Context,
  client: Client,
  pool: Pool,
  username: string,
): Promise<CodeDeliveryDetailsType> => {
  const hidden = preventsUserExistenceErrors(client)
  if (hasTrigger(pool, 'UserMigration') && (await findUserByName(ctx, pool, username)) === undefined) {
    await migrateUser(ctx, pool, client, username, undefined)
  }
  const named = await findNamedUser(ctx, client, pool, username)
  const { user, holder } = named
  const attributes = recoveryAttributes(pool)
  const active = user?.enabled ? user : undefined
  if (user !== undefined && active === undefined && !hidden) throw userDisabled()
  if (active !== undefined && notResettable.includes(active.status)) throw passwordNotResettable()
  const target = active && recoveryTarget(pool, active, attributes)
  if (target === undefined && !hidden) throw noRecoveryMedium()

  await limitByHour(ctx, recoveryLimit, holder, recoveriesPerHour)
  await recordEvent(ctx, { ...eventHolder(named), pool, client, type: 'ForgotPassword', response: 'InProgress' })
  const sent = { purpose: 'reset-password', source: 'ForgotPassword', attributes, unnoticed: hidden } as const
  return sendOrSimulate(ctx, pool, named, username, target, sent)
}

const recoveryLimit = 'ForgotPassword'

/** Whether users can have a new password by themselves. */
export const offersRecovery = ({ settings }: Pool): boolean =>
  !settings.AccountRecoverySetting?.RecoveryMechanisms?.some(({ Name }) => Name === 'admin_only')

/**
 * Where the pool lets codes for a new password go, in order of preference.
 * @throws NotAuthorizedException when only an administrator resets passwords.
 */
const recoveryAttributes = (pool: Pool): VerifiableAttribute[] => {
  const mechanisms = pool.settings.AccountRecoverySetting?.RecoveryMechanisms
  if (mechanisms === undefined) return ['phone_number', 'email']
  const names = mechanisms.toSorted((one, other) => one.Priority - other.Priority).map(mechanism => mechanism.Name)
  if (names.includes('admin_only')) throw contactAdministrator()
  return names.map(name => (name === 'verified_email' ? 'email' : 'phone_number'))
}

const recoveryTarget = (pool: Pool, user: User, attributes: readonly VerifiableAttribute[]): CodeTarget | undefined => {
  for (const attribute of attributes) {
    const destination = user.attributes.get(attribute)
    const verified = user.attributes.get(`${attribute}_verified`) === 'true'
    if (destination !== undefined && verified && !isSecondFactor(pool, user, attribute)) {
      return { purpose: 'reset-password', attribute, destination }
    }
  }
  return undefined
}

/**
 * An address that already is the user's second factor must not stand in for the first one as well. Pools without an
 * AccountRecoverySetting are older than that rule and do not follow it.
 */
const isSecondFactor = (pool: Pool, { mfa }: User, attribute: VerifiableAttribute): boolean => {
  if (pool.settings.AccountRecoverySetting === undefined) return false
  if (attribute === 'email') return mfa.enabled?.includes('EMAIL_OTP') ?? false
  return mfa.enabled?.includes('SMS_MFA') || (mfa.mfaOptions?.some(option => option.DeliveryMedium === 'SMS') ?? false)
}

/**
 * Sets a new password with the code of ForgotPassword or AdminResetUserPassword. Such codes go to verified addresses only;
 * one that has lost its mark since, because another user took over the alias, does not get it back here. The policy comes before the code, so that a bad password does not use up a try; the history comes after
 * it, because what it says is for the user alone.
 * @throws UserNotFoundException, LimitExceededException, InvalidPasswordException, CodeMismatchException,
 * ExpiredCodeException, UserNotConfirmedException, NotAuthorizedException, PasswordHistoryPolicyViolationException
 */
export const confirmForgotPassword = async (
  ctx: Context,
  client: Client,
  pool: Pool,
  input: { Username: string; ConfirmationCode: string; Password: string },
): Promise<void> => {
  await assertAddressAllowed(ctx, pool, client)
  const named = await findNamedUser(ctx, client, pool, input.Username)
  if (named.user !== undefined && !named.user.enabled && !preventsUserExistenceErrors(client)) {
    throw usernameClientNotFound()
  }
  await limitByHour(ctx, recoveryLimit, named.holder, recoveriesPerHour)
  checkPassword(passwordPolicy(pool), input.Password, 'password')
  const compromised = await checkNewPassword(ctx, pool, client, 'PASSWORD_CHANGE', input.Password)
  const change = { ...eventHolder(named), pool, client, type: 'PasswordChange' } as const
  const user = await resetPassword(ctx, pool, named, input).catch(async (error: unknown) => {
    if (error instanceof CognitoError) await recordEvent(ctx, { ...change, response: 'Fail' })
    throw error
  })
  await recordEvent(ctx, { ...change, response: 'Pass', risk: { ...noRisk, compromised } })
  await runPostConfirmation(ctx, pool, 'ConfirmForgotPassword', () => findUserById(ctx, pool, user.id))
}

/** Proves the code and puts the password in force. Returns the user, as he was before. */
const resetPassword = async (
  ctx: Context,
  pool: Pool,
  named: NamedUser,
  input: { ConfirmationCode: string; Password: string },
): Promise<User> => {
  const { user } = named
  const proven = await proveCode(ctx, codeHolder(pool, named), 'reset-password', input.ConfirmationCode)
  if (!user?.enabled) throw codeMismatch()
  assertResettable(user)
  await checkHistory(ctx, pool, user, input.Password)
  const password = await makePassword(ctx, pool, user, input.Password)
  await inTransaction(ctx, async tx => {
    await consumeCode(tx, user, proven)
    if (!(await replacePassword(tx, pool, user, password, { status: 'CONFIRMED' }, { status: user.status }))) {
      throw codeExpired()
    }
    const current = await getUserById(tx, pool, user.id)
    // The code proves the address it went to; the user may have another one by now, or have been disabled.
    if (!current.enabled || current.attributes.get(proven.attribute) !== proven.destination) throw codeExpired()
    await clearFailures(tx, lockoutKey(ctx, pool, user))
  })
  return user
}

/** An account that nobody has confirmed yet is not confirmed by way of its password. */
const assertResettable = (user: User): void => {
  if (user.status === 'UNCONFIRMED') throw userNotConfirmed()
  if (notResettable.includes(user.status)) throw passwordNotResettable()
}

/**
 * Ends the user's password and sends a code with which to set another. Tokens stay valid but answer with
 * PasswordResetRequiredException until then.
 * @throws UserNotFoundException, NotAuthorizedException, InvalidParameterException (no verified address)
 */
export const adminResetUserPassword = async (ctx: Context, pool: Pool, username: string): Promise<void> => {
  const user = await getUserByName(ctx, pool, username)
  if (!user.enabled) throw userDisabled()
  if (user.status !== 'CONFIRMED' && user.status !== 'RESET_REQUIRED') throw passwordNotResettable()
  const target = recoveryTarget(pool, user, recoveryAttributes(pool))
  if (target === undefined) throw noRecoveryMedium()
  const reset = await inTransaction(ctx, tx =>
    updateUser(tx, user, { status: 'RESET_REQUIRED', breakSignIns: true }, { status: user.status }),
  )
  // Another request was faster: the user is gone or has another status, and that decides.
  if (!reset) return adminResetUserPassword(ctx, pool, username)
  await sendNewCode(ctx, pool, user, 'ForgotPassword', target, { later: true })
}
