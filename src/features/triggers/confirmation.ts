/** Pre sign-up and post confirmation: before a user is stored, and after he is confirmed. */
import type { AttributeType } from '../../contract/types.ts'
import { booleanOf } from '../../core/trigger-response.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { clientMetadataOf, hasTrigger, runTrigger, type TriggerSource, userAttributesOf } from './run.ts'

export interface PreSignUpDecision {
  autoConfirmUser: boolean
  autoVerifyEmail: boolean
  autoVerifyPhone: boolean
}

/**
 * Asks the pool's function about a user who is about to be stored; without one, all flags are false.
 * @throws UserLambdaValidationException when it refuses the user, and what runTrigger throws.
 */
export const runPreSignUp = async (
  ctx: Context,
  pool: Pool,
  source: TriggerSource<'PreSignUp'>,
  user: {
    username: string
    attributes: ReadonlyMap<string, string>
    validationData: readonly AttributeType[] | undefined
  },
): Promise<PreSignUpDecision> => {
  const { username, attributes, validationData } = user
  // Whether an address is verified is what the function is about to say.
  const told = [...attributes].filter(
    ([name, value]) => source === 'AdminCreateUser' || !(name.endsWith('_verified') && value === 'false'),
  )
  const response =
    (await runTrigger(ctx, pool, 'PreSignUp', {
      source,
      username,
      request: {
        userAttributes: { ...Object.fromEntries(told), ...(source === 'ExternalProvider' && noAliases) },
        validationData:
          validationData === undefined
            ? null
            : Object.fromEntries(validationData.map(({ Name, Value }) => [Name, Value ?? ''])),
        ...clientMetadataOf(ctx),
      },
    })) ?? {}
  return {
    autoConfirmUser: booleanOf(response, 'autoConfirmUser') ?? false,
    autoVerifyEmail: booleanOf(response, 'autoVerifyEmail') ?? false,
    autoVerifyPhone: booleanOf(response, 'autoVerifyPhone') ?? false,
  }
}

/** What the service tells of users from identity providers besides. */
const noAliases = { 'cognito:email_alias': '', 'cognito:phone_number_alias': '' }

/**
 * Tells the pool's function about a user who is confirmed or has set a new password. That stays so when it fails. The
 * user is loaded only where there is a function.
 * @throws what runTrigger throws.
 */
export const runPostConfirmation = async (
  ctx: Context,
  pool: Pool,
  source: TriggerSource<'PostConfirmation'>,
  load: () => Promise<User | undefined>,
): Promise<void> => {
  const confirmed = hasTrigger(pool, 'PostConfirmation') ? await load() : undefined
  if (confirmed === undefined) return
  await runTrigger(ctx, pool, 'PostConfirmation', {
    source,
    username: confirmed.username,
    request: { userAttributes: userAttributesOf(confirmed), ...clientMetadataOf(ctx) },
  })
}
