/**
 * User migration: a name that nobody has is shown to the pool's function, which may know its user from another
 * directory. The user is stored here, and what was asked for goes on with him.
 */
import { checkAttributes } from '../../core/attributes.ts'
import { isCognitoError, migrationFailed, passwordAttemptsExceeded } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { booleanOf, type Members, textMapOf, textOf, textsOf } from '../../core/trigger-response.ts'
import { checkUsernameForm, type UsernameForm } from '../../core/usernames.ts'
import { type Client, preventsUserExistenceErrors } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { isNameOfProviderUser } from '../identity-providers/provider.ts'
import { clientMetadataOf, hasTrigger, runTrigger } from '../triggers/run.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserByName, insertUser, NameTaken, type NewUser, type User } from '../users/user.ts'
import { assertNotLocked, countFailure, lockoutKey } from './lockout.ts'
import { makePassword } from './password.ts'

/** What the function has told cannot become a user of the pool whom the name finds. */
class Unusable extends Error {}

/**
 * The user whom the function knows by this name, now stored; undefined without a function, and when it knows nobody and
 * the client hides that. With a password the function is told it, and its refusals count as failed sign-ins.
 * @throws UserLambdaValidationException when the function throws, UserNotFoundException when it knows nobody or tells
 * nothing usable and the client does not hide that, NotAuthorizedException while the name is locked out, and what
 * runTrigger throws.
 */
export const migrateUser = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  name: string,
  password: string | undefined,
): Promise<User | undefined> => {
  const form = hasTrigger(pool, 'UserMigration') ? findForm(pool, name) : undefined
  if (form === undefined || (form === 'username' && (await isNameOfProviderUser(ctx, pool, name)))) return undefined
  const key = lockoutKey(ctx, pool, name)
  if (password !== undefined) await assertNotLocked(ctx, key)
  try {
    const response = await runTrigger(ctx, pool, 'UserMigration', {
      source: password === undefined ? 'ForgotPassword' : 'Authentication',
      username: name,
      request: {
        ...(password !== undefined && { password }),
        validationData: ctx.caller?.validationData ?? null,
        ...clientMetadataOf(ctx),
      },
    })
    return await store(ctx, pool, name, form, password, response ?? {})
  } catch (error) {
    const isUseless = error instanceof Unusable || isCognitoError(error, 'InvalidLambdaResponseException')
    if (!isUseless && !isCognitoError(error, 'UserLambdaValidationException')) throw error
    // The sign-in goes on for nobody, and that is counted there.
    if (isUseless && preventsUserExistenceErrors(client)) return undefined
    if (password !== undefined && !(await countFailure(ctx, key))) throw passwordAttemptsExceeded()
    throw isUseless ? migrationFailed(client.id) : error
  }
}

/** Names of users in pools with aliases may be addresses here: they can find the user by his alias. */
const findForm = (pool: Pool, name: string): UsernameForm | 'alias' | undefined => {
  try {
    return checkUsernameForm(pool.settings, name)
  } catch {
    return pool.settings.UsernameAttributes?.length ? undefined : 'alias'
  }
}

const store = async (
  ctx: Context,
  pool: Pool,
  name: string,
  form: UsernameForm | 'alias',
  password: string | undefined,
  response: Members,
): Promise<User> => {
  const user = await readUser(ctx, pool, name, form, password, response)
  const takeOver = booleanOf(response, 'forceAliasCreation') ?? false
  try {
    return await inTransaction(ctx, async tx => {
      const inserted = await insertUser(tx, pool, user, { takeOver })
      // Whoever gave this name must not become somebody else.
      if ((await findUserByName(tx, pool, name))?.id !== user.id) throw new Unusable('another name')
      return inserted
    })
  } catch (error) {
    if (!(error instanceof NameTaken)) throw error
    // Another sign-in of the same user may have been faster; else a name of the user is somebody else's.
    const existing = await findUserByName(ctx, pool, name)
    if (existing === undefined) throw new Unusable('name taken')
    return existing
  }
}

const readUser = async (
  ctx: Context,
  pool: Pool,
  name: string,
  form: UsernameForm | 'alias',
  password: string | undefined,
  response: Members,
): Promise<NewUser> => {
  const told = textMapOf(response, 'userAttributes')
  if (told === undefined || told.size === 0) throw new Unusable('no attributes')
  // Nothing is sent to users who are migrated; the two are read so that their mistakes are not passed over.
  textOf(response, 'messageAction')
  textsOf(response, 'desiredDeliveryMediums')
  const id = newUuid(ctx.random)
  const usesAddress = form === 'email' || form === 'phone_number'
  const username = usesAddress ? id : (told.get('username') ?? name)
  told.delete('username')
  if (usesAddress) told.set(form, told.get(form) ?? name)
  else if (findForm(pool, username) !== 'username' || username.length > usernameLengthMax || /\s/.test(username)) {
    throw new Unusable('username')
  }
  const attributes = checkedAttributes(pool, told)
  const smsMfa = booleanOf(response, 'enableSMSMFA') ?? false
  if (smsMfa && !attributes.has('phone_number')) throw new Unusable('no phone number')
  return {
    id,
    username,
    status: textOf(response, 'finalUserStatus') === 'CONFIRMED' ? 'CONFIRMED' : 'RESET_REQUIRED',
    // It was good enough for the other directory, so the policy is not asked.
    password: password === undefined ? undefined : await makePassword(ctx, pool, { id, username }, password),
    attributes,
    ...(smsMfa && { mfa: { enabled: ['SMS_MFA'], preferred: 'SMS_MFA' } }),
  }
}

const usernameLengthMax = 128

/** Attributes that the pool requires may be missing. */
const checkedAttributes = (pool: Pool, told: ReadonlyMap<string, string>): Map<string, string> => {
  const schema = (pool.settings.SchemaAttributes ?? []).map(attribute => ({ ...attribute, Required: false }))
  const list = [...told].map(([Name, Value]) => ({ Name, Value }))
  try {
    return checkAttributes({ schema, phase: 'admin-create' }, list).values
  } catch (error) {
    throw isCognitoError(error) ? new Unusable('attributes') : error
  }
}
