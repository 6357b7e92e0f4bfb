/** AdminCreateUser: a new user with a temporary password, one without password, or the invitation once more. */
import type { AdminCreateUserRequest } from '../../contract/types.ts'
import { checkAttributes } from '../../core/attributes.ts'
import {
  aliasExists,
  noDestinationForInvitation,
  resendNotPossible,
  userAccountExists,
  usernameAttributeExists,
} from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { checkPassword, generatePassword } from '../../core/password-policy.ts'
import { checkUsernameForm } from '../../core/usernames.ts'
import { type Context, inTransaction } from '../context.ts'
import type { VerifiableAttribute } from '../messages/codes.ts'
import { sendInvitation } from '../messages/send.ts'
import { makePassword, temporaryPasswordUntil } from '../passwords/password.ts'
import { type Pool, passwordPolicy } from '../user-pools/pool.ts'
import { findUserByName, getUserByName, insertUser, NameTaken, updateUser, type User } from './user.ts'

/**
 * Creates the user and sends the invitation, or renews the temporary password of an invited one (RESEND).
 * @throws UsernameExistsException, AliasExistsException, InvalidPasswordException, InvalidParameterException,
 * UserNotFoundException, UnsupportedUserStateException, CodeDeliveryFailureException
 */
export const adminCreateUser = async (ctx: Context, pool: Pool, input: AdminCreateUserRequest): Promise<User> =>
  input.MessageAction === 'RESEND' ? resendInvitation(ctx, pool, input) : createUser(ctx, pool, input)

const createUser = async (ctx: Context, pool: Pool, input: AdminCreateUserRequest): Promise<User> => {
  const form = checkUsernameForm(pool.settings, input.Username)
  const requested = input.UserAttributes ?? []
  // In pools that sign in with addresses the given name is the address; it wins over an attribute of that name.
  const attributes = form === 'username' ? requested : [...requested, { Name: form, Value: input.Username }]
  const passwordless = !input.TemporaryPassword && allowsNoPassword(pool)
  const schema = pool.settings.SchemaAttributes ?? []
  const { values } = checkAttributes({ schema, phase: 'admin-create', passwordless }, attributes)
  const password = passwordless ? undefined : temporaryPassword(ctx, pool, input.TemporaryPassword)

  const id = newUuid(ctx.random)
  const username = form === 'username' ? input.Username : id
  if ((await findUserByName(ctx, pool, input.Username)) !== undefined) throw taken(pool, form)
  const destinations = input.MessageAction === 'SUPPRESS' ? [] : invitationDestinations(input, values)
  const stored =
    password === undefined
      ? undefined
      : await makePassword(ctx, pool, { id, username }, password, { temporaryUntil: temporaryPasswordUntil(pool, ctx.clock.now()) })
  const user = await inTransaction(ctx, tx =>
    insertUser(
      tx,
      pool,
      { id, username, status: stored === undefined ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD', password: stored, attributes: values },
      { takeOver: input.ForceAliasCreation === true },
    ),
  ).catch((error: unknown) => {
    throw error instanceof NameTaken ? taken(pool, error.kind) : error
  })
  await invite(ctx, pool, user, destinations, password)
  return user
}

/** Which error a taken name is: the names of a pool that signs in with addresses are usernames, all others aliases. */
const taken = (pool: Pool, kind: string) => {
  if (kind === 'username') return userAccountExists()
  return pool.settings.UsernameAttributes?.some(attribute => attribute === kind)
    ? usernameAttributeExists(kind)
    : aliasExists(kind)
}

/** Users without password exist where a code can be the first factor. */
const allowsNoPassword = (pool: Pool): boolean =>
  pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors?.some(factor => factor === 'EMAIL_OTP' || factor === 'SMS_OTP') ?? false

const temporaryPassword = (ctx: Context, pool: Pool, given: string | undefined): string => {
  if (!given) return generatePassword(passwordPolicy(pool), ctx.random)
  checkPassword(passwordPolicy(pool), given, 'temporary password')
  return given
}

const resendInvitation = async (ctx: Context, pool: Pool, input: AdminCreateUserRequest): Promise<User> => {
  const user = await getUserByName(ctx, pool, input.Username)
  if (user.status !== 'FORCE_CHANGE_PASSWORD') throw resendNotPossible(input.Username)
  const password = temporaryPassword(ctx, pool, input.TemporaryPassword)
  const temporaryUntil = temporaryPasswordUntil(pool, ctx.clock.now())
  const stored = await makePassword(ctx, pool, user, password, { temporaryUntil })
  const destinations = invitationDestinations(input, user.attributes)
  const renewed = await inTransaction(ctx, tx =>
    updateUser(tx, user, { password: stored }, { status: 'FORCE_CHANGE_PASSWORD' }),
  )
  if (!renewed) throw resendNotPossible(input.Username)
  await invite(ctx, pool, user, destinations, password)
  return getUserByName(ctx, pool, user.username)
}

interface Destination {
  attribute: VerifiableAttribute
  address: string
}

/**
 * Where the invitation goes. A medium that the caller asked for needs its address; the default, a text message, is
 * left out when the user has no number.
 */
const invitationDestinations = (
  input: AdminCreateUserRequest,
  attributes: ReadonlyMap<string, string>,
): Destination[] => {
  const asked = input.DesiredDeliveryMediums ?? []
  const mediums = asked.length === 0 ? (['SMS'] as const) : [...new Set(asked)]
  return mediums.flatMap(medium => {
    const attribute = medium === 'EMAIL' ? 'email' : 'phone_number'
    const address = attributes.get(attribute)
    if (address !== undefined) return [{ attribute, address } as const]
    if (asked.length > 0) throw noDestinationForInvitation(attribute)
    return []
  })
}

const invite = async (
  ctx: Context,
  pool: Pool,
  user: User,
  destinations: Destination[],
  password: string | undefined,
): Promise<void> => {
  for (const { attribute, address } of destinations) await sendInvitation(ctx, pool, user, attribute, address, password)
}
