/**
 * User pools: the record behind one, and how every other feature finds it. The settings stay in the AWS shape, with
 * the defaults of creation already filled in; what an untouched pool does not show is absent here too.
 *
 * The folder owns the pool itself, its schema, MFA settings, tags and signing keys. It does not own what lives in a
 * pool: clients, users and groups have folders of their own.
 */
import type { PasswordPolicyType, SetUserPoolMfaConfigRequest, UserPoolType } from '../../contract/types.ts'
import { userPoolNotFound } from '../../core/errors.ts'
import { defaultPasswordPolicy } from '../../core/password-policy.ts'
import type { PoolRow } from '../../store/tables.ts'
import type { Context, Services } from '../context.ts'

/**
 * Everything that CreateUserPool and UpdateUserPool set, as DescribeUserPool shows it, and what only
 * SetUserPoolMfaConfig sets. The factors other than SMS are in force while MfaConfiguration is not OFF; SMS is a factor
 * as soon as there is an SmsConfiguration.
 */
export type PoolSettings = Omit<
  UserPoolType,
  | 'Id'
  | 'Name'
  | 'Arn'
  | 'CreationDate'
  | 'LastModifiedDate'
  | 'EstimatedNumberOfUsers'
  | 'Status'
  // The domains have rows of their own.
  | 'Domain'
  | 'CustomDomain'
> &
  PoolMfaSettings

export type PoolMfaSettings = Pick<
  SetUserPoolMfaConfigRequest,
  'SoftwareTokenMfaConfiguration' | 'EmailMfaConfiguration' | 'WebAuthnConfiguration'
>

export interface Pool {
  id: string
  region: string
  name: string
  settings: PoolSettings
  version: number
  /** Milliseconds since the epoch, like all times of our own records. */
  createdAt: number
  updatedAt: number
}

/** The part of the pool id after the underscore: the pool's name in SRP. */
export const srpPoolName = (pool: Pool): string => pool.id.slice(pool.id.indexOf('_') + 1)

/** False only when the pool was created with UsernameConfiguration.CaseSensitive false. */
export const isCaseSensitive = (pool: Pool): boolean => pool.settings.UsernameConfiguration?.CaseSensitive !== false

/** The password policy in force. */
export const passwordPolicy = (pool: Pool): PasswordPolicyType =>
  pool.settings.Policies?.PasswordPolicy ?? defaultPasswordPolicy

/** A pool that was deleted and still has rows to be removed lies in no region, where nothing finds it. */
export const regionOfDeleted = ''

/** The pool from the cache or the database; undefined when there is none. Treat it as read-only. */
export const findPool = (ctx: Services, poolId: string): Promise<Pool | undefined> =>
  ctx.caches.pools.get(poolId, () => readPool(ctx, poolId))

/** The pool as it is in the database now; undefined when there is none. */
export const readPool = async (ctx: Pick<Services, 'db'>, poolId: string): Promise<Pool | undefined> => {
  const row = await ctx.db
    .selectFrom('pools')
    .selectAll()
    .where('id', '=', poolId)
    .where('region', '<>', regionOfDeleted)
    .executeTakeFirst()
  return row && poolFromRow(row)
}

/**
 * The pool, which must belong to the region of the request.
 * @throws ResourceNotFoundException when it does not exist there.
 */
export const getPool = async (ctx: Context, poolId: string): Promise<Pool> => {
  const pool = await findPool(ctx, poolId)
  if (pool === undefined || pool.region !== ctx.region) throw userPoolNotFound(poolId)
  return pool
}

export const poolFromRow = (row: PoolRow): Pool => ({
  id: row.id,
  region: row.region,
  name: row.name,
  settings: JSON.parse(row.settings) as PoolSettings,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** Wraps an operation that names its pool: loads it first. Errors: ResourceNotFoundException. */
export const inPool =
  <Input extends { UserPoolId: string }, Output>(
    operation: (ctx: Context, pool: Pool, input: Input) => Promise<Output>,
  ): ((ctx: Context, input: Input) => Promise<Output>) =>
  async (ctx, input) =>
    operation(ctx, await getPool(ctx, input.UserPoolId), input)
