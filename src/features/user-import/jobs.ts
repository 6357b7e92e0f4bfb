/**
 * User import: jobs that make users from the lines of a CSV file, with or without the password hashes of another system.
 *
 * Owned here: the jobs, the files they are given, the work on them and its log. Not owned: how a user is written (users)
 * and how an imported hash is checked at sign-in (passwords).
 */
import { sql } from 'kysely'
import type {
  CreateUserImportJobRequest,
  PasswordHashingAlgorithmType,
  UserImportJobStatusType,
  UserImportJobType,
} from '../../contract/types.ts'
import {
  importCompletions,
  importInProgress,
  importJobNotFound,
  importJobNotInState,
  importWithoutAutoVerified,
  noFileUploaded,
  otherImportActive,
  tooManyImportJobs,
} from '../../core/errors.ts'
import { newImportJobId } from '../../core/ids.ts'
import { uniqueConstraint } from '../../store/database.ts'
import type { UserImportJobRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type Services, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'
import { uploadUrl } from './upload.ts'

const jobsPerPoolMax = 1_000
/** A job that is not started in this time expires. */
const startWithinMs = 24 * 3_600_000

/** The row, with the status that it has at this moment. */
export type ImportJob = Omit<UserImportJobRow, 'status'> & { status: UserImportJobStatusType }

/** Statuses in which users may be coming in. */
const activeStatuses = ['Pending', 'InProgress'] as const

/**
 * Makes a job. Its file can be uploaded to the URL that `presentImportJob` shows.
 * @throws LimitExceededException when the pool has 1,000 jobs, ResourceNotFoundException when it was deleted meanwhile.
 */
export const createImportJob = async (
  ctx: Context,
  pool: Pool,
  input: CreateUserImportJobRequest,
): Promise<ImportJob> => {
  const row: UserImportJobRow = {
    id: newImportJobId(ctx.random),
    pool_id: pool.id,
    name: input.JobName,
    role_arn: input.CloudWatchLogsRoleArn,
    hashing_algorithm: input.PasswordHashingAlgorithm ?? null,
    status: 'Created',
    active: null,
    created_at: ctx.clock.now(),
    started_at: null,
    completed_at: null,
    completion_message: null,
    imported: 0,
    skipped: 0,
    failed: 0,
    upload_id: null,
    upload_until: 0,
    uploaded_bytes: null,
    header: null,
    next_offset: 0,
    lines: 0,
    lease_owner: null,
    lease_until: 0,
  }
  await inTransaction(ctx, async tx => {
    // The count holds because whoever makes a job in this pool locks its row.
    await holdPool(tx, pool.region, pool.id)
    const { count } = await tx.db
      .selectFrom('user_import_jobs')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('pool_id', '=', pool.id)
      .executeTakeFirstOrThrow()
    if (Number(count) >= jobsPerPoolMax) throw tooManyImportJobs(jobsPerPoolMax)
    await tx.db.insertInto('user_import_jobs').values(row).execute()
  })
  return jobFromRow(row, row.created_at)
}

/** @throws ResourceNotFoundException */
export const getImportJob = async (ctx: ReadContext, poolId: string, jobId: string): Promise<ImportJob> => {
  const row = await ctx.db
    .selectFrom('user_import_jobs')
    .selectAll()
    .where('id', '=', jobId)
    .where('pool_id', '=', poolId)
    .executeTakeFirst()
  if (row === undefined) throw importJobNotFound(jobId)
  return jobFromRow(row, ctx.clock.now())
}

/** Jobs of the pool, newest first, behind the one with this time of creation and id. */
export const listImportJobs = async (
  ctx: Context,
  pool: Pool,
  after: readonly [number, string] | undefined,
  limit: number,
): Promise<ImportJob[]> => {
  let query = ctx.db.selectFrom('user_import_jobs').selectAll().where('pool_id', '=', pool.id)
  if (after !== undefined) query = query.where(sql<boolean>`(created_at, id) < (${after[0]}, ${after[1]})`)
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map(row => jobFromRow(row, ctx.clock.now()))
}

/**
 * Hands the job to the background work. One job at a time is active in the whole installation.
 * @throws ResourceNotFoundException, PreconditionNotMetException (state, no file, no auto-verified attribute, another
 * active job)
 */
export const startImportJob = async (ctx: Context, pool: Pool, jobId: string): Promise<ImportJob> => {
  try {
    return await inTransaction(ctx, async tx => {
      // Changes of the pool lock its row as well, so that none is made on the assumption that there is no import.
      const held = await holdPool(tx, pool.region, pool.id)
      const job = await getImportJob(tx, pool.id, jobId)
      if (job.status !== 'Created') throw importJobNotInState(jobId, job.status)
      if ((held.settings.AutoVerifiedAttributes ?? []).length === 0) throw importWithoutAutoVerified()
      if (job.uploaded_bytes === null) throw noFileUploaded(jobId)
      const now = tx.clock.now()
      const started = await tx.db
        .updateTable('user_import_jobs')
        .set({ status: 'Pending', active: 1, started_at: now })
        .where('id', '=', jobId)
        .where('status', '=', 'Created')
        .returningAll()
        .executeTakeFirst()
      if (started === undefined) throw importJobNotInState(jobId, 'Pending')
      return jobFromRow(started, now)
    })
  } catch (error) {
    throw uniqueConstraint(error) === 'user_import_jobs(active)' ? otherImportActive() : error
  }
}

/**
 * Ends the job. What it has imported so far stays; nothing is imported any more once this resolves.
 * @throws ResourceNotFoundException, PreconditionNotMetException when the job is not active
 */
export const stopImportJob = async (ctx: Context, pool: Pool, jobId: string): Promise<ImportJob> => {
  const now = ctx.clock.now()
  const stopped = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('user_import_jobs')
      .set({ ...ended('Stopped', importCompletions.stopped), completed_at: now })
      .where('id', '=', jobId)
      .where('pool_id', '=', pool.id)
      .where('status', 'in', activeStatuses)
      .returningAll()
      .executeTakeFirst(),
  )
  if (stopped !== undefined) return jobFromRow(stopped, now)
  throw importJobNotInState(jobId, (await getImportJob(ctx, pool.id, jobId)).status)
}

/** The columns of a job that has ended, but for the time. */
export const ended = (status: 'Stopped' | 'Succeeded' | 'Failed' | 'Expired', message: string) => ({
  status,
  completion_message: message,
  active: null,
  lease_owner: null,
  lease_until: 0,
})

/**
 * Passes while no job of the pool is active. In a transaction that has locked the pool's row it holds until the end.
 * @throws UserImportInProgressException
 */
export const assertNoImport = async (tx: TransactionContext, poolId: string): Promise<void> => {
  const active = await tx.db
    .selectFrom('user_import_jobs')
    .select('id')
    .where('active', '=', 1)
    .where('pool_id', '=', poolId)
    .executeTakeFirst()
  if (active !== undefined) throw importInProgress()
}

/** Ends the jobs that were not started in time. */
export const expireImportJobs = async (ctx: Services): Promise<void> => {
  const madeBefore = ctx.clock.now() - startWithinMs
  const isDue = await ctx.db
    .selectFrom('user_import_jobs')
    .select('id')
    .where('status', '=', 'Created')
    .where('created_at', '<=', madeBefore)
    .limit(1)
    .executeTakeFirst()
  if (isDue === undefined) return
  await inTransaction(ctx, tx =>
    tx.db
      .updateTable('user_import_jobs')
      .set(row => ({
        ...ended('Expired', importCompletions.expired),
        completed_at: sql<number>`${row.ref('created_at')} + ${startWithinMs}`,
      }))
      .where('status', '=', 'Created')
      .where('created_at', '<=', madeBefore)
      .execute(),
  )
}

const jobFromRow = (row: UserImportJobRow, now: number): ImportJob => {
  const isExpired = row.status === 'Created' && row.created_at + startWithinMs <= now
  return isExpired
    ? { ...row, ...ended('Expired', importCompletions.expired), completed_at: row.created_at + startWithinMs }
    : { ...row, status: row.status as UserImportJobStatusType }
}

/** ImportJob → UserImportJobType. */
export const presentImportJob = (ctx: Pick<Context, 'seal' | 'publicUrl'>, job: ImportJob): UserImportJobType => ({
  JobName: job.name,
  JobId: job.id,
  UserPoolId: job.pool_id,
  PreSignedUrl: uploadUrl(ctx, job),
  CreationDate: new Date(job.created_at),
  ...(job.started_at !== null && { StartDate: new Date(job.started_at) }),
  ...(job.completed_at !== null && { CompletionDate: new Date(job.completed_at) }),
  Status: job.status,
  CloudWatchLogsRoleArn: job.role_arn,
  ImportedUsers: job.imported,
  SkippedUsers: job.skipped,
  FailedUsers: job.failed,
  ...(job.completion_message !== null && { CompletionMessage: job.completion_message }),
  ...(job.hashing_algorithm !== null && {
    PasswordHashingAlgorithm: job.hashing_algorithm as PasswordHashingAlgorithmType,
  }),
})
