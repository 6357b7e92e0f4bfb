/** NEW_PASSWORD_REQUIRED: the user replaces a temporary password and supplies the attributes that are missing. */
import {
  type AttributeChanges,
  checkAttributes,
  missingAttributes,
  readableAttributes,
  writableAttributes,
} from '../../../core/attributes.ts'
import {
  aliasExists,
  attributeAlreadyProvided,
  attributeMissingInChallenge,
  invalidSession,
} from '../../../core/errors.ts'
import { checkPassword } from '../../../core/password-policy.ts'
import { type Context, inTransaction, type TransactionContext } from '../../context.ts'
import { checkHistory, makePassword, replacePassword } from '../../passwords/password.ts'
import { holderOf, noRisk, recordEvent } from '../../threat-protection/auth-events.ts'
import { checkNewPassword } from '../../threat-protection/compromised-passwords.ts'
import { type Pool, passwordPolicy } from '../../user-pools/pool.ts'
import { findUserById, NameTaken, type User, writeAttributes, writeSignInNames } from '../../users/user.ts'
import { consumeAttempt, newAttempt, sealSession } from '../attempt.ts'
import { finishSignIn } from '../finish.ts'
import { firstAnswerParameters, type Outcome, type Progress } from '../progress.ts'
import { type Challenge, type Resumed, required, resume, takesNoDeviceChallenge } from './challenge.ts'

const attributePrefix = 'userAttributes.'

/** The challenge with the user's attributes, as far as the client may read them, and the names of those that are due. */
export const beginNewPassword = (ctx: Context, progress: Progress): Outcome => {
  const { signIn, user } = progress
  const { pool, client } = signIn
  const schema = pool.settings.SchemaAttributes ?? []
  const readable = readableAttributes(client.settings, schema)
  const attempt = newAttempt(ctx, signIn, { ...progress, step: 'NEW_PASSWORD_REQUIRED' })
  return {
    challenge: 'NEW_PASSWORD_REQUIRED',
    session: sealSession(ctx, client, attempt),
    parameters: {
      ...firstAnswerParameters(progress),
      requiredAttributes: JSON.stringify(
        missingAttributes(schema, user.attributes).map(name => `${attributePrefix}${name}`),
      ),
      userAttributes: JSON.stringify(Object.fromEntries([...user.attributes].filter(([name]) => readable.has(name)))),
    },
  }
}

/**
 * Checks attributes and password, then puts both in force and confirms the user.
 * @throws InvalidParameterException, NotAuthorizedException, InvalidPasswordException,
 * PasswordHistoryPolicyViolationException, AliasExistsException
 */
export const answerNewPassword: Challenge = async (ctx, answer) => {
  const resumed = await resume(ctx, answer)
  const { attempt, signIn, user } = resumed
  const { pool } = signIn
  const password = required(answer.responses, 'NEW_PASSWORD')
  const changes = checkSuppliedAttributes(resumed, suppliedAttributes(answer.responses))
  checkPassword(passwordPolicy(pool), password, 'password')
  const compromised = await checkNewPassword(ctx, pool, signIn.client, 'PASSWORD_CHANGE', password)
  await checkHistory(ctx, pool, user, password)
  const made = await makePassword(ctx, pool, user, password)
  const confirmed = await inTransaction(ctx, async tx => {
    await consumeAttempt(tx, attempt)
    const stillDue = { status: 'FORCE_CHANGE_PASSWORD', securityEpoch: attempt.securityEpoch } as const
    if (!(await replacePassword(tx, pool, user, made, { status: 'CONFIRMED' }, stillDue))) throw invalidSession()
    await supplyAttributes(tx, pool, user, changes)
    return findUserById(tx, pool, user.id)
  })
  if (confirmed === undefined) throw invalidSession()
  await recordEvent(ctx, {
    ...{ pool, client: signIn.client, user: confirmed, holder: holderOf(confirmed) },
    ...{ type: 'PasswordChange', response: 'Pass', risk: { ...noRisk, compromised } },
  })
  return finishSignIn(ctx, {
    ...attempt,
    signIn,
    user: confirmed,
    isFirstAnswer: false,
    noDeviceChallenge: takesNoDeviceChallenge(answer),
    tokenSource: 'NewPasswordChallenge',
  })
}

const suppliedAttributes = (responses: Record<string, string>): Map<string, string> =>
  new Map(
    Object.entries(responses)
      .filter(([key]) => key.startsWith(attributePrefix))
      .map(([key, value]) => [key.slice(attributePrefix.length), value]),
  )

const checkSuppliedAttributes = ({ signIn, user }: Resumed, supplied: Map<string, string>): AttributeChanges => {
  const { pool, client } = signIn
  const schema = pool.settings.SchemaAttributes ?? []
  for (const { Name = '', Required } of schema) {
    if (Required && Name !== 'sub' && supplied.has(Name) && user.attributes.has(Name)) {
      throw attributeAlreadyProvided(Name)
    }
  }
  const [missing] = missingAttributes(schema, user.attributes).filter(name => !supplied.get(name))
  if (missing !== undefined) throw attributeMissingInChallenge(missing)
  return checkAttributes(
    {
      schema,
      phase: 'update',
      writable: writableAttributes(client.settings, schema),
      current: user.attributes,
    },
    [...supplied].map(([Name, Value]) => ({ Name, Value })),
  )
}

/** A new address is not verified, whatever the one before was. No code is sent: the user asks for one when signed in. */
const supplyAttributes = async (
  tx: TransactionContext,
  pool: Pool,
  user: User,
  { values, removed }: AttributeChanges,
): Promise<void> => {
  const changes = new Map<string, string | undefined>(values)
  for (const name of removed) changes.set(name, undefined)
  for (const name of ['email', 'phone_number']) {
    const value = values.get(name)
    if (value !== undefined && value !== user.attributes.get(name)) changes.set(`${name}_verified`, 'false')
  }
  if (changes.size === 0) return
  await writeAttributes(tx, user, changes)
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
