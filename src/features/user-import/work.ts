/**
 * The work on an import job. It runs as part of the background work, in slices small enough that nothing else waits, and
 * notes with each batch of users how far it has come: a run that ends, for whatever reason, is continued from there by
 * another one, on any node, and no line counts twice.
 */

import type { PasswordHashingAlgorithmType } from '../../contract/types.ts'
import { type CsvLine, createLineSplitter, lineLengthMax, splitCells } from '../../core/csv.ts'
import { importCompletions, importEntries } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import type { UserImportJobRow } from '../../store/tables.ts'
import { inTransaction, type Services, type TransactionContext } from '../context.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'
import { insertUsers, NamesMoved } from '../users/user.ts'
import { ended, expireImportJobs } from './jobs.ts'
import { headerFault, type ImportRow, readRow } from './row.ts'
import { giveWay } from './turns.ts'
import { chunkBytes, dropUnusedUploads, readChunk } from './upload.ts'

const usersMax = 500_000
/** A few milliseconds of SQLite, which writes on the main thread; its cost is the commit rather than the rows. */
const linesPerBatch = 16
/** How often a batch is tried again because somebody else took a name at that moment. */
const triesMax = 5
/** A run that ends without giving its job up, because its node died, is followed by another after this time. */
const leaseMs = 60_000
/** How long one call works before it lets other background work have its turn. */
const workMs = 20_000
const logKeptMs = 30 * 86_400_000
const logRowsAtOnce = 500

/**
 * Ends jobs that were not started in time, drops files that are of no more use, and works on the active job, if there is
 * one and no other node does, for up to 20 seconds or until `isStopping`.
 */
export const importUsers = async (ctx: Services, isStopping: () => boolean = () => false): Promise<void> => {
  await expireImportJobs(ctx)
  await dropUnusedUploads(ctx)
  await dropOldLogs(ctx)
  const owner = newUuid(ctx.random)
  const job = await claimJob(ctx, owner)
  if (job === undefined) return
  const until = ctx.clock.now() + workMs
  try {
    await work(ctx, job, owner, () => isStopping() || ctx.clock.now() >= until)
  } catch (error) {
    // Stopped by its owner, or taken over after a pause that was longer than the lease: the rest is not ours.
    if (!(error instanceof JobLost)) throw error
  }
}

/** What became of the lines so far, one text a line, in the order of the file. */
export async function* readImportLog(ctx: Services, jobId: string): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const rows = await ctx.db
      .selectFrom('user_import_log')
      .select(['line', 'entries'])
      .where('job_id', '=', jobId)
      .where('line', '>', after)
      .orderBy('line')
      .limit(logRowsAtOnce)
      .execute()
    if (rows.length === 0) return
    yield rows.map(row => row.entries).join('')
    after = rows.at(-1)?.line ?? after
  }
}

// ---------------------------------------------------------------------------------------------- the right to work

class JobLost extends Error {}

const claimJob = async (ctx: Services, owner: string): Promise<UserImportJobRow | undefined> => {
  const now = ctx.clock.now()
  const free = await ctx.db
    .selectFrom('user_import_jobs')
    .select('id')
    .where('active', '=', 1)
    .where('lease_until', '<=', now)
    .executeTakeFirst()
  if (free === undefined) return undefined
  return inTransaction(ctx, tx =>
    tx.db
      .updateTable('user_import_jobs')
      .set({ status: 'InProgress', lease_owner: owner, lease_until: now + leaseMs })
      .where('id', '=', free.id)
      .where('status', 'in', ['Pending', 'InProgress'])
      .where('lease_until', '<=', now)
      .returningAll()
      .executeTakeFirst(),
  )
}

/** What a batch changes in its job. */
type JobChanges = Partial<Omit<UserImportJobRow, 'id' | 'imported' | 'skipped' | 'failed'>> & Partial<Counts>
interface Counts {
  imported: number
  skipped: number
  failed: number
}

/**
 * Changes the job, adding the counts to those it has.
 * @throws JobLost when the job is not this run's any more: roll back.
 */
const changeJob = async (
  tx: TransactionContext,
  job: Pick<UserImportJobRow, 'id'>,
  owner: string,
  { imported = 0, skipped = 0, failed = 0, ...changes }: JobChanges,
): Promise<void> => {
  const changed = await tx.db
    .updateTable('user_import_jobs')
    .set(row => ({
      lease_until: tx.clock.now() + leaseMs,
      imported: row('imported', '+', imported),
      skipped: row('skipped', '+', skipped),
      failed: row('failed', '+', failed),
      ...changes,
    }))
    .where('id', '=', job.id)
    .where('status', '=', 'InProgress')
    .where('lease_owner', '=', owner)
    .returning('id')
    .executeTakeFirst()
  if (changed === undefined) throw new JobLost()
}

// ---------------------------------------------------------------------------------------------- the work

/** One run: the job as it was claimed, and what it has read since. */
interface Run {
  job: UserImportJobRow
  owner: string
  /** The columns of the file; undefined until the first line is read. */
  header: string[] | undefined
  counts: Counts
}

const work = async (ctx: Services, job: UserImportJobRow, owner: string, isOver: () => boolean): Promise<void> => {
  const { imported, skipped, failed } = job
  const header = job.header === null ? undefined : (JSON.parse(job.header) as string[])
  const run: Run = { job, owner, header, counts: { imported, skipped, failed } }
  const chunks = Math.ceil((job.uploaded_bytes ?? 0) / chunkBytes)
  const splitter = createLineSplitter({ offset: job.next_offset, lines: job.lines })
  let skip = job.next_offset % chunkBytes
  for (let sequence = Math.floor(job.next_offset / chunkBytes); sequence <= chunks; sequence += 1) {
    let lines: CsvLine[]
    if (sequence === chunks) lines = splitter.finish()
    else {
      const chunk = await readChunk(ctx, job, sequence)
      if (chunk === undefined) return endJob(ctx, run, 'Failed', importCompletions.unreadable)
      lines = splitter.push(chunk.subarray(skip))
      skip = 0
    }
    const filled = lines.filter(line => line.fault !== undefined || line.text.trim() !== '')
    if (filled.length === 0) {
      if (isOver()) return giveUpJob(ctx, run)
      await passBlankLines(ctx, run, lines.at(-1))
      await giveWay()
    }
    for (let at = 0; at < filled.length; ) {
      if (isOver()) return giveUpJob(ctx, run)
      const batch = filled.slice(at, at + (run.header === undefined ? 1 : linesPerBatch))
      at += batch.length
      const fault = await (run.header === undefined ? takeHeader(ctx, run, batch) : takeLines(ctx, run, batch))
      if (fault !== undefined) return endJob(ctx, run, 'Failed', fault)
      await giveWay()
    }
  }
  if (run.header === undefined) return endJob(ctx, run, 'Failed', importCompletions.header)
  const { counts } = run
  // How many are too many is not published; a file of which most users come in is not one of too many failures.
  const tooMany = counts.skipped + counts.failed > counts.imported
  return tooMany
    ? endJob(ctx, run, 'Failed', importCompletions.tooManyFailed)
    : endJob(ctx, run, 'Succeeded', importCompletions.succeeded)
}

/** Where the line ends, as the job notes it. */
const positionBehind = (line: CsvLine) => ({ lines: line.number, next_offset: line.end })

/** A part of the file without a user; renews the right to work. */
const passBlankLines = (ctx: Services, { job, owner }: Run, last: CsvLine | undefined): Promise<void> =>
  inTransaction(ctx, tx => changeJob(tx, job, owner, last === undefined ? {} : positionBehind(last)))

/** Takes the header, the first line that is not blank. Returns why the job cannot go on, if so. */
const takeHeader = async (ctx: Services, run: Run, [line]: CsvLine[]): Promise<string | undefined> => {
  const pool = await poolOf(ctx, run.job)
  if (line === undefined) return undefined
  const header = splitCells(line.text)
  const fault = lineFault(line) ?? headerFault(pool, algorithmOf(run.job), header)
  const entries = fault === undefined ? [] : [{ line: line.number, outcome: 'FAILED', text: fault } as const]
  await inTransaction(ctx, async tx => {
    await changeJob(tx, run.job, run.owner, {
      ...positionBehind(line),
      ...(fault === undefined && { header: JSON.stringify(header) }),
    })
    await writeLog(tx, run.job, entries)
  })
  logEntries(ctx, run.job, entries)
  if (fault !== undefined) return importCompletions.header
  run.header = header
  return undefined
}

/** Takes some lines after the header, none of them blank. Returns why the job cannot go on, if so. */
const takeLines = async (ctx: Services, run: Run, lines: readonly CsvLine[]): Promise<string | undefined> => {
  const { job, header = [], counts } = run
  const pool = await poolOf(ctx, job)
  const room = usersMax - counts.imported - counts.skipped - counts.failed
  const rows = lines.slice(0, room).map(line => {
    const fault = lineFault(line)
    const row: ImportRow =
      fault === undefined ? readRow(ctx, pool, algorithmOf(job), header, splitCells(line.text)) : { fault }
    return { line: line.number, row }
  })
  const last = lines.at(-1)
  const entries = await withFreeNames(ctx, async tx => {
    const made = await storeRows(tx, pool, rows)
    await changeJob(tx, job, run.owner, {
      ...countsOf(made),
      ...(last !== undefined && positionBehind(last)),
    })
    await writeLog(tx, job, made)
    return made
  })
  const added = countsOf(entries)
  run.counts = {
    imported: counts.imported + added.imported,
    skipped: counts.skipped + added.skipped,
    failed: counts.failed + added.failed,
  }
  logEntries(ctx, job, entries)
  return lines.length > room ? importCompletions.tooManyUsers : undefined
}

const algorithmOf = (job: UserImportJobRow): PasswordHashingAlgorithmType | null =>
  job.hashing_algorithm as PasswordHashingAlgorithmType | null

/** A pool is not deleted while it has an active job, so without one the job is not active either. */
const poolOf = async (ctx: Services, job: UserImportJobRow): Promise<Pool> => {
  const pool = await findPool(ctx, job.pool_id)
  if (pool === undefined) throw new JobLost()
  return pool
}

const lineFault = ({ fault }: CsvLine): string | undefined => {
  if (fault === undefined) return undefined
  return fault === 'too-long' ? importEntries.tooLong(lineLengthMax) : importEntries.notText
}

interface Entry {
  line: number
  outcome: 'SUCCEEDED' | 'SKIPPED' | 'FAILED'
  text: string
}

/** Inserts the users of the rows whose names are free. Users who exist stay as they are. */
const storeRows = async (
  tx: TransactionContext,
  pool: Pool,
  rows: readonly { line: number; row: ImportRow }[],
): Promise<Entry[]> => {
  const users = rows.flatMap(({ row }) => ('user' in row ? [row.user] : []))
  const leftOut = await insertUsers(tx, pool, users)
  return rows.map(({ line, row }): Entry => {
    if ('fault' in row) return { line, outcome: 'FAILED', text: row.fault }
    const kind = leftOut.get(row.user.id)
    return kind === undefined
      ? { line, outcome: 'SUCCEEDED', text: importEntries.imported }
      : { line, outcome: 'SKIPPED', text: nameTakenText(pool, kind) }
  })
}

/** As inTransaction, again when somebody took a name between the look and the insertion. */
const withFreeNames = async <T>(ctx: Services, run: (tx: TransactionContext) => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await inTransaction(ctx, run)
    } catch (error) {
      if (!(error instanceof NamesMoved) || tries === triesMax) throw error
    }
  }
}

const nameTakenText = (pool: Pool, kind: string): string => {
  const isUsername =
    kind === 'username' || (pool.settings.UsernameAttributes?.some(attribute => attribute === kind) ?? false)
  return isUsername ? importEntries.userExists : importEntries.aliasExists(kind)
}

const countsOf = (entries: readonly Entry[]): Counts => {
  const count = (outcome: Entry['outcome']) => entries.filter(entry => entry.outcome === outcome).length
  return { imported: count('SUCCEEDED'), skipped: count('SKIPPED'), failed: count('FAILED') }
}

// ---------------------------------------------------------------------------------------------- the end of a run

/** Another run may go on at once. */
const giveUpJob = (ctx: Services, { job, owner }: Run): Promise<void> =>
  inTransaction(ctx, tx => changeJob(tx, job, owner, { lease_owner: null, lease_until: 0 }))

const endJob = async (ctx: Services, run: Run, status: 'Succeeded' | 'Failed', message: string): Promise<void> => {
  const { job, owner, counts } = run
  await inTransaction(ctx, tx => changeJob(tx, job, owner, { ...ended(status, message), completed_at: tx.clock.now() }))
  ctx.events.record({ name: 'UserImport', result: status, userPoolId: job.pool_id, jobId: job.id, ...counts })
  ctx.log.info({ userPoolId: job.pool_id, jobId: job.id, status, ...counts }, message)
  await dropUnusedUploads(ctx)
}

// ---------------------------------------------------------------------------------------------- the log

const entryText = ({ line, outcome, text }: Entry): string => `[${outcome}] Line Number ${line} - ${text}`

const writeLog = async (
  tx: TransactionContext,
  job: Pick<UserImportJobRow, 'id'>,
  entries: readonly Entry[],
): Promise<void> => {
  const first = entries[0]
  if (first === undefined) return
  const text = entries.map(entry => `${entryText(entry)}\n`).join('')
  await tx.db.insertInto('user_import_log').values({ job_id: job.id, line: first.line, entries: text }).execute()
}

const logEntries = (ctx: Services, job: UserImportJobRow, entries: readonly Entry[]): void => {
  for (const entry of entries) {
    const details = { userPoolId: job.pool_id, jobId: job.id, line: entry.line, outcome: entry.outcome }
    const level = entry.outcome === 'SUCCEEDED' ? 'debug' : 'info'
    ctx.log[level](details, entryText(entry))
  }
}

/** Drops logs of jobs that ended 30 days ago, some rows each time. */
const dropOldLogs = async (ctx: Services): Promise<void> => {
  const old = await ctx.db
    .selectFrom('user_import_log')
    .innerJoin('user_import_jobs', 'user_import_jobs.id', 'user_import_log.job_id')
    .select(['user_import_log.job_id as jobId', 'user_import_log.line as line'])
    .where('user_import_jobs.completed_at', '<', ctx.clock.now() - logKeptMs)
    .limit(logRowsAtOnce)
    .execute()
  for (const [jobId, rows] of Map.groupBy(old, row => row.jobId)) {
    const lines = rows.map(row => row.line)
    await inTransaction(ctx, tx =>
      tx.db.deleteFrom('user_import_log').where('job_id', '=', jobId).where('line', 'in', lines).execute(),
    )
  }
}
