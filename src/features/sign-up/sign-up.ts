/**
 * Sign-up by the users themselves; an administrator's is in `admin-create-user.ts`. Not owned here: the verification of
 * addresses after the confirmation (`users/change-attributes.ts`).
 */
import type { CodeDeliveryDetailsType, SignUpRequest } from '../../contract/types.ts'
import { checkAttributes, writableAttributes } from '../../core/attributes.ts'
import {
  nothingToVerify,
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
import type { CodeTarget, VerifiableAttribute } from '../messages/codes.ts'
import { sendNewCode } from '../messages/send.ts'
import { makePassword } from '../passwords/password.ts'
import { assertAddressAllowed } from '../threat-protection/address-rules.ts'
import { holderOf, noRisk, recordEvent } from '../threat-protection/auth-events.ts'
import { checkNewPassword } from '../threat-protection/compromised-passwords.ts'
import { runPostConfirmation, runPreSignUp } from '../triggers/confirmation.ts'
import { hasTrigger } from '../triggers/run.ts'
import { type Pool, passwordPolicy } from '../user-pools/pool.ts'
import { findUserByName, insertUser, NameTaken, type User } from '../users/user.ts'

export interface SignedUp {
  user: User
  /** Where the confirmation code went; absent when none was sent. */
  delivery: CodeDeliveryDetailsType | undefined
}

/**
 * Creates an unconfirmed user and sends the confirmation code. When the code cannot be sent, the user exists all the
 * same and can ask for another.
 * @throws InvalidParameterException, NotAuthorizedException, InvalidPasswordException, UsernameExistsException,
 * CodeDeliveryFailureException, and what the triggers throw
 */
export const signUp = async (ctx: Context, client: Client, pool: Pool, input: SignUpRequest): Promise<SignedUp> => {
  const password = suppliedPassword(pool, input.Password)
  if (!permitsSignUp(pool)) throw signUpNotPermitted()
  const form = checkUsernameForm(pool.settings, input.Username)
  if (form === 'username' && (await isNameOfProviderUser(ctx, pool, input.Username))) throw usernameOfProviderUser()
  const attributes = newAttributes(pool, client, input, form)
  if (password !== undefined) checkPassword(passwordPolicy(pool), password, 'password')
  await assertAddressAllowed(ctx, pool, client)
  const compromised = password !== undefined && (await checkNewPassword(ctx, pool, client, 'SIGN_UP', password))

  const id = newUuid(ctx.random)
  const identity = { id, username: form === 'username' ? input.Username : id }
  const { autoConfirm, autoVerified } = await decideByTrigger(ctx, pool, input, form, identity.username, attributes)
  for (const attribute of autoVerified) attributes.set(`${attribute}_verified`, 'true')
  const made = password === undefined ? undefined : await makePassword(ctx, pool, identity, password)
  const status = autoConfirm ? 'CONFIRMED' : 'UNCONFIRMED'
  const user = await inTransaction(ctx, tx =>
    // An address that the trigger has verified is an alias at once, even if somebody else has it until now.
    insertUser(tx, pool, { ...identity, status, password: made, attributes }, { takeOver: autoVerified.length > 0 }),
  ).catch((error: unknown) => {
    throw error instanceof NameTaken ? taken(error.kind) : error
  })
  await recordEvent(ctx, {
    ...{ pool, client, user, holder: holderOf(user) },
    ...{ type: 'SignUp', response: 'Pass', risk: { ...noRisk, compromised } },
  })
  if (autoConfirm) {
    await runPostConfirmation(ctx, pool, 'ConfirmSignUp', async () => user)
    return { user, delivery: undefined }
  }
  const target = confirmationTarget(pool, user)
  // What is verified already needs no code.
  if (target === undefined || autoVerified.includes(target.attribute)) return { user, delivery: undefined }
  return { user, delivery: await sendNewCode(ctx, pool, user, 'SignUp', target) }
}

/** What pre sign-up decides. It runs for names that are free, as far as that can be known before the user is stored. */
const decideByTrigger = async (
  ctx: Context,
  pool: Pool,
  input: SignUpRequest,
  form: UsernameForm,
  username: string,
  attributes: ReadonlyMap<string, string>,
): Promise<{ autoConfirm: boolean; autoVerified: VerifiableAttribute[] }> => {
  if (!hasTrigger(pool, 'PreSignUp')) return { autoConfirm: false, autoVerified: [] }
  if ((await findUserByName(ctx, pool, input.Username)) !== undefined) throw taken(form)
  const { autoConfirmUser, autoVerifyEmail, autoVerifyPhone } = await runPreSignUp(ctx, pool, 'SignUp', {
    username,
    attributes,
    validationData: input.ValidationData,
  })
  const autoVerified: VerifiableAttribute[] = []
  if (autoVerifyEmail) autoVerified.push('email')
  if (autoVerifyPhone) autoVerified.push('phone_number')
  const missing = autoVerified.find(attribute => !attributes.get(attribute))
  if (missing !== undefined) throw nothingToVerify(missing)
  return { autoConfirm: autoConfirmUser, autoVerified }
}

/** Whether users may sign up by themselves. */
export const permitsSignUp = (pool: Pool): boolean => !pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly

/** Whether users of the pool may do without a password, because a code can be their first factor. */
export const mayLackPassword = (pool: Pool): boolean => {
  const factors = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
  return factors.includes('EMAIL_OTP') || factors.includes('SMS_OTP')
}

/**
 * The password; undefined where the pool's users may do without. A blank one counts as none.
 * @throws InvalidParameterException
 */
const suppliedPassword = (pool: Pool, password: string | undefined): string | undefined => {
  if (password) return password
  if (mayLackPassword(pool)) return undefined
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
