/**
 * Sign-up by the users themselves; an administrator's is in `admin-create-user.ts`. Not owned here: the verification of
 * addresses after the confirmation (`users/change-attributes.ts`).
 */
import type { CodeDeliveryDetailsType, SignUpRequest } from '../../contract/types.ts'
import { checkAttributes, writableAttributes } from '../../core/attributes.ts'
import {
  preferredUsernameAtSignUp,
  signUpNotPermitted,
  signUpPasswordBlank,
  signUpPasswordMissing,
  usernameAttributeExists,
  usernameExists,
  usernameOfProviderUser,
} from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { checkPassword } from '../../core/password-policy.ts'
import { checkUsernameForm, type UsernameForm } from '../../core/usernames.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { isNameOfProviderUser } from '../identity-providers/provider.ts'
import type { CodeTarget } from '../messages/codes.ts'
import { sendNewCode } from '../messages/send.ts'
import { makePassword } from '../passwords/password.ts'
import { type Pool, passwordPolicy } from '../user-pools/pool.ts'
import { insertUser, NameTaken, type User } from '../users/user.ts'

export interface SignedUp {
  user: User
  /** Where the confirmation code went; absent when none was sent. */
  delivery: CodeDeliveryDetailsType | undefined
}

/**
 * Creates an unconfirmed user and sends the confirmation code. When the code cannot be sent, the user exists all the
 * same and can ask for another.
 * @throws InvalidParameterException, NotAuthorizedException, InvalidPasswordException, UsernameExistsException,
 * CodeDeliveryFailureException
 */
export const signUp = async (ctx: Context, client: Client, pool: Pool, input: SignUpRequest): Promise<SignedUp> => {
  const password = suppliedPassword(pool, input.Password)
  if (pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly) throw signUpNotPermitted()
  const form = checkUsernameForm(pool.settings, input.Username)
  if (form === 'username' && (await isNameOfProviderUser(ctx, pool, input.Username))) throw usernameOfProviderUser()
  const attributes = newAttributes(pool, client, input, form)
  if (password !== undefined) checkPassword(passwordPolicy(pool), password, 'password')

  const id = newUuid(ctx.random)
  const identity = { id, username: form === 'username' ? input.Username : id }
  const made = password === undefined ? undefined : await makePassword(ctx, pool, identity, password)
  const user = await inTransaction(ctx, tx =>
    insertUser(tx, pool, { ...identity, status: 'UNCONFIRMED', password: made, attributes }),
  ).catch((error: unknown) => {
    throw error instanceof NameTaken ? taken(error.kind) : error
  })
  const target = confirmationTarget(pool, user)
  return { user, delivery: target && (await sendNewCode(ctx, pool, user, 'SignUp', target)) }
}

/**
 * The password; undefined where the pool's users may do without. A blank one counts as none.
 * @throws InvalidParameterException
 */
const suppliedPassword = (pool: Pool, password: string | undefined): string | undefined => {
  if (password) return password
  const factors = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
  if (factors.includes('EMAIL_OTP') || factors.includes('SMS_OTP')) return undefined
  throw password === undefined ? signUpPasswordMissing() : signUpPasswordBlank()
}

/** The attributes of the new user, with the username among them where the pool's usernames are addresses. */
const newAttributes = (
  pool: Pool,
  client: Client,
  { Username, UserAttributes = [] }: SignUpRequest,
  form: UsernameForm,
): Map<string, string> => {
  const schema = pool.settings.SchemaAttributes ?? []
  const writable = writableAttributes(client.settings, schema)
  const { values } =
    form === 'username'
      ? checkAttributes({ schema, phase: 'sign-up', writable }, UserAttributes)
      : checkAttributes({ schema, phase: 'sign-up', writable: new Set([...writable, form]) }, [
          ...UserAttributes,
          { Name: form, Value: Username },
        ])
  if (values.has('preferred_username') && pool.settings.AliasAttributes?.includes('preferred_username')) {
    throw preferredUsernameAtSignUp()
  }
  for (const attribute of ['email', 'phone_number']) {
    if (values.has(attribute)) values.set(`${attribute}_verified`, 'false')
  }
  return values
}

/** In pools that sign in with addresses, a taken address is a taken username. Aliases clash at the confirmation only. */
const taken = (kind: string) => (kind === 'username' ? usernameExists() : usernameAttributeExists(kind))

/** Where the confirmation code goes: the number before the address, if the pool verifies it and the user has it. */
export const confirmationTarget = (pool: Pool, user: Pick<User, 'attributes'>): CodeTarget | undefined => {
  for (const attribute of ['phone_number', 'email'] as const) {
    const destination = user.attributes.get(attribute)
    if (destination !== undefined && pool.settings.AutoVerifiedAttributes?.includes(attribute)) {
      return { purpose: 'sign-up', attribute, destination }
    }
  }
  return undefined
}
