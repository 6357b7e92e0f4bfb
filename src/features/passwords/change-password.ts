/** Passwords that are set by who may: ChangePassword for the signed-in user, AdminSetUserPassword for administrators. */
import {
  CognitoError,
  incorrectUsernameOrPassword,
  missingParameter,
  passwordNotResettable,
  temporaryPasswordExpired,
  userNotFound,
} from '../../core/errors.ts'
import { checkPassword } from '../../core/password-policy.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { dropCode, limitByHour } from '../messages/codes.ts'
import { holderOf, noRisk, recordEvent } from '../threat-protection/auth-events.ts'
import { checkNewPassword } from '../threat-protection/compromised-passwords.ts'
import { type Pool, passwordPolicy } from '../user-pools/pool.ts'
import { getUserByName, hasPassword, type User } from '../users/user.ts'
import { clearFailures, countedTry, lockoutKey } from './lockout.ts'
import { checkHistory, checkUserPassword, makePassword, replacePassword, temporaryPasswordUntil } from './password.ts'

const changesPerHour = 5

/**
 * Replaces the user's password, or sets the first one of a user who has none. Tokens stay valid.
 * @throws InvalidPasswordException, LimitExceededException, InvalidParameterException (no previous password),
 * NotAuthorizedException (wrong previous password; it counts in the lockout), PasswordHistoryPolicyViolationException
 */
export const changePassword = async (
  ctx: Context,
  { pool, client, user }: { pool: Pool; client: Client; user: User },
  previous: string | undefined,
  proposed: string,
): Promise<void> => {
  if (user.status === 'EXTERNAL_PROVIDER') throw passwordNotResettable()
  checkPassword(passwordPolicy(pool), proposed, 'password')
  const compromised = await checkNewPassword(ctx, pool, client, 'PASSWORD_CHANGE', proposed)
  await limitByHour(ctx, 'ChangePassword', user.id, changesPerHour)
  const change = { pool, client, user, holder: holderOf(user), type: 'PasswordChange' } as const
  await replace(ctx, pool, user, previous, proposed).catch(async (error: unknown) => {
    if (error instanceof CognitoError) await recordEvent(ctx, { ...change, response: 'Fail' })
    throw error
  })
  await recordEvent(ctx, { ...change, response: 'Pass', risk: { ...noRisk, compromised } })
}

const replace = async (
  ctx: Context,
  pool: Pool,
  user: User,
  previous: string | undefined,
  proposed: string,
): Promise<void> => {
  await provePrevious(ctx, pool, user, previous)
  await checkHistory(ctx, pool, user, proposed)
  const password = await makePassword(ctx, pool, user, proposed)
  const status = user.status === 'FORCE_CHANGE_PASSWORD' ? { status: 'CONFIRMED' as const } : {}
  const replaced = await inTransaction(ctx, tx =>
    // A password that was set meanwhile is not the one that was proven.
    replacePassword(tx, pool, user, password, status, { securityEpoch: user.securityEpoch }),
  )
  if (!replaced) throw incorrectUsernameOrPassword()
}

const provePrevious = async (ctx: Context, pool: Pool, user: User, previous: string | undefined): Promise<void> => {
  if (previous === undefined) {
    if (hasPassword(user)) throw missingParameter('PreviousPassword')
    return
  }
  const right = await countedTry(ctx, lockoutKey(ctx, pool, user), () => checkUserPassword(ctx, pool, user, previous))
  if (!right) throw incorrectUsernameOrPassword()
  const until = user.password?.temporaryUntil
  if (until !== undefined && until <= ctx.clock.now()) throw temporaryPasswordExpired()
}

/**
 * Sets a permanent or a temporary password, in whatever status the user is.
 * @throws UserNotFoundException, InvalidPasswordException, PasswordHistoryPolicyViolationException (permanent ones only)
 */
export const adminSetUserPassword = async (
  ctx: Context,
  pool: Pool,
  input: { Username: string; Password: string; Permanent?: boolean | undefined },
): Promise<void> => {
  const permanent = input.Permanent === true
  const user = await getUserByName(ctx, pool, input.Username)
  checkPassword(passwordPolicy(pool), input.Password, 'password')
  if (permanent) await checkHistory(ctx, pool, user, input.Password)
  const temporaryUntil = permanent ? undefined : temporaryPasswordUntil(pool, ctx.clock.now())
  const password = await makePassword(ctx, pool, user, input.Password, { temporaryUntil })
  await inTransaction(ctx, async tx => {
    const status = permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD'
    await dropCode(tx, user, 'sign-up')
    if (!(await replacePassword(tx, pool, user, password, { status }))) throw userNotFound()
    await clearFailures(tx, lockoutKey(ctx, pool, user))
  })
}
