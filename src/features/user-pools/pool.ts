/**
 * User pools: the record behind one, and how every other feature finds it. The settings stay in the AWS shape, with
 * the defaults of creation already filled in; what an untouched pool does not show is absent here too.
 *
 * The folder owns the pool itself, its schema, MFA settings, tags and signing keys. It does not own what lives in a
 * pool: clients, users and groups have folders of their own.
 */
import type {
  LogConfigurationType,
  PasswordPolicyType,
  SetUserPoolMfaConfigRequest,
  UserPoolType,
} from '../../contract/types.ts'
import { userPoolNotFound } from '../../core/errors.ts'
import { defaultPasswordPolicy } from '../../core/password-policy.ts'
import type { PoolRow } from '../../store/tables.ts'
import type { Context, Services } from '../context.ts'
import { poolSeenFrom, type Replica, replicaFromRow } from './replica.ts'
import type { SessionConfiguration } from './session-configuration.ts'

/**
 * Everything that CreateUserPool and UpdateUserPool set, as DescribeUserPool shows it, and what operations of their own
 * set: MFA, sessions, logs. The factors other than SMS are in force while MfaConfiguration is not OFF; SMS is a factor
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
  PoolMfaSettings & {
    /** Absent until it is set. */
    SessionConfiguration?: SessionConfiguration
    LogConfigurations?: LogConfigurationType[]
  }

export type PoolMfaSettings = Pick<
  SetUserPoolMfaConfigRequest,
  'SoftwareTokenMfaConfiguration' | 'EmailMfaConfiguration' | 'WebAuthnConfiguration'
>

export interface Pool {
  id: string
  region: string
  name: string
  settings: PoolSettings
  /** The pool in a second region, which may be gone meanwhile: `replicaStatus` tells. */
  replica?: Replica | undefined
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
 * The pool as the region of the request sees it, which must be its own or that of its replica.
 * @throws ResourceNotFoundException when it does not exist there.
 */
export const getPool = async (ctx: Context, poolId: string): Promise<Pool> => {
  const pool = await findPool(ctx, poolId)
  const seen = pool && poolSeenFrom(pool, ctx.region, ctx.clock.now())
  if (seen === undefined) throw userPoolNotFound(poolId)
  return seen
}

export const poolFromRow = (row: PoolRow): Pool => ({
  id: row.id,
  region: row.region,
  name: row.name,
  settings: JSON.parse(row.settings) as PoolSettings,
  replica: replicaFromRow(row),
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
