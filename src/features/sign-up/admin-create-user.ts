/**
 * AdminCreateUser, the administrator's sign-up of somebody else: a new user with a temporary password, one without
 * password, or the invitation once more.
 */
import type { AdminCreateUserRequest } from '../../contract/types.ts'
import { checkAttributes } from '../../core/attributes.ts'
import {
  aliasExists,
  type CognitoError,
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
import { runPreSignUp } from '../triggers/confirmation.ts'
import { type Pool, passwordPolicy } from '../user-pools/pool.ts'
import {
  findUserByName,
  getUserById,
  getUserByName,
  insertUser,
  NameTaken,
  type NewUser,
  type User,
  updateUser,
} from '../users/user.ts'

/** What the API leaves to the server and the seed file can decide. */
export interface CreationOptions {
  /** The `sub`. */
  id?: string | undefined
  /** The password of the request is not a temporary one, and the user is confirmed. */
  permanentPassword?: boolean
  enabled?: boolean | undefined
}

/**
 * Creates the user and sends the invitation, or renews the temporary password of an invited one (RESEND). Returns the
 * user as stored; a failing delivery leaves it stored.
 * @throws UsernameExistsException, AliasExistsException, InvalidPasswordException, InvalidParameterException,
 * UserNotFoundException, UnsupportedUserStateException, CodeDeliveryFailureException
 */
export const adminCreateUser = (
  ctx: Context,
  pool: Pool,
  input: AdminCreateUserRequest,
  options: CreationOptions = {},
): Promise<User> =>
  input.MessageAction === 'RESEND' ? resendInvitation(ctx, pool, input) : createUser(ctx, pool, input, options)

const createUser = async (
  ctx: Context,
  pool: Pool,
  input: AdminCreateUserRequest,
  { id = newUuid(ctx.random), permanentPassword = false, enabled }: CreationOptions,
): Promise<User> => {
  const form = checkUsernameForm(pool.settings, input.Username)
  const requested = input.UserAttributes ?? []
  // In pools that sign in with addresses the given name is the address; it wins over an attribute of that name.
  const attributes = form === 'username' ? requested : [...requested, { Name: form, Value: input.Username }]
  const passwordless = !input.TemporaryPassword && allowsNoPassword(pool)
  const schema = pool.settings.SchemaAttributes ?? []
  const { values } = checkAttributes({ schema, phase: 'admin-create', passwordless }, attributes)
  const password = passwordless ? undefined : initialPassword(ctx, pool, input.TemporaryPassword, permanentPassword)
  if ((await findUserByName(ctx, pool, input.Username)) !== undefined) throw nameTaken(pool, form)
  const invitations = input.MessageAction === 'SUPPRESS' ? [] : invitationsTo(values, input.DesiredDeliveryMediums)

  const username = form === 'username' ? input.Username : id
  // Its flags are for users who sign up themselves.
  await runPreSignUp(ctx, pool, 'AdminCreateUser', {
    username,
    attributes: values,
    validationData: input.ValidationData,
  })
  const make = permanentPassword ? makePassword : makeTemporary
  const user = await insert(ctx, pool, input.ForceAliasCreation === true, {
    id,
    username,
    status: password === undefined || permanentPassword ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD',
    password: password === undefined ? undefined : await make(ctx, pool, { id, username }, password),
    enabled,
    attributes: values,
  })
  await send(ctx, pool, user, invitations, password)
  return user
}

const insert = (ctx: Context, pool: Pool, takeOver: boolean, user: NewUser): Promise<User> =>
  inTransaction(ctx, tx => insertUser(tx, pool, user, { takeOver })).catch((error: unknown) => {
    throw error instanceof NameTaken ? nameTaken(pool, error.kind) : error
  })

/** Which error a taken name is: in pools that sign in with addresses these are usernames, elsewhere aliases. */
const nameTaken = (pool: Pool, kind: string): CognitoError => {
  if (kind === 'username') return userAccountExists()
  const isUsername = pool.settings.UsernameAttributes?.some(attribute => attribute === kind)
  return isUsername ? usernameAttributeExists(kind) : aliasExists(kind)
}

/** Users without password exist where a code can be the first factor. */
const allowsNoPassword = (pool: Pool): boolean =>
  pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors?.some(
    factor => factor === 'EMAIL_OTP' || factor === 'SMS_OTP',
  ) ?? false

const initialPassword = (ctx: Context, pool: Pool, given: string | undefined, permanent: boolean): string => {
  if (!given) return generatePassword(passwordPolicy(pool), ctx.random)
  checkPassword(passwordPolicy(pool), given, permanent ? 'password' : 'temporary password')
  return given
}

const makeTemporary = (ctx: Context, pool: Pool, owner: Pick<User, 'id' | 'username'>, password: string) =>
  makePassword(ctx, pool, owner, password, { temporaryUntil: temporaryPasswordUntil(pool, ctx.clock.now()) })

const resendInvitation = async (ctx: Context, pool: Pool, input: AdminCreateUserRequest): Promise<User> => {
  const user = await getUserByName(ctx, pool, input.Username)
  if (user.status !== 'FORCE_CHANGE_PASSWORD') throw resendNotPossible(input.Username)
  const password = initialPassword(ctx, pool, input.TemporaryPassword, false)
  const invitations = invitationsTo(user.attributes, input.DesiredDeliveryMediums)
  const stored = await makeTemporary(ctx, pool, user, password)
  const renewed = await inTransaction(ctx, async tx => {
    const stillInvited = await updateUser(tx, user, { password: stored }, { status: 'FORCE_CHANGE_PASSWORD' })
    if (!stillInvited) throw resendNotPossible(input.Username)
    return getUserById(tx, pool, user.id)
  })
  await send(ctx, pool, renewed, invitations, password)
  return renewed
}

// ---------------------------------------------------------------------------------------------- invitations

interface Invitation {
  attribute: VerifiableAttribute
  address: string
}

/**
 * Where invitations go. A medium that the caller asked for needs its address; the default, a text message, is left out
 * when the user has no number.
 */
const invitationsTo = (
  attributes: ReadonlyMap<string, string>,
  asked: AdminCreateUserRequest['DesiredDeliveryMediums'] = [],
): Invitation[] => {
  const mediums = asked.length === 0 ? (['SMS'] as const) : new Set(asked)
  return [...mediums].flatMap(medium => {
    const attribute = medium === 'EMAIL' ? 'email' : 'phone_number'
    const address = attributes.get(attribute)
    if (address !== undefined) return [{ attribute, address } as const]
    if (asked.length > 0) throw noDestinationForInvitation(attribute)
    return []
  })
}

const send = async (
  ctx: Context,
  pool: Pool,
  user: User,
  invitations: Invitation[],
  password: string | undefined,
): Promise<void> => {
  for (const { attribute, address: destination } of invitations) {
    await sendInvitation(ctx, pool, user, {
      name: nameToSignInWith(pool, user),
      attribute,
      destination,
      temporaryPassword: password,
      expiresAt: temporaryPasswordUntil(pool, ctx.clock.now()),
    })
  }
}

/** The address, in pools whose users sign in with one: their username is an id that they have never seen. */
const nameToSignInWith = (pool: Pool, { username, attributes }: User): string =>
  pool.settings.UsernameAttributes?.map(name => attributes.get(name)).find(address => address !== undefined) ?? username
