/** The file of an import job: the signed URL it goes to, how it is taken in, and how it is read and dropped again. */
import type { uploadRefusals } from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import type { UserImportJobRow } from '../../store/tables.ts'
import { type Context, inTransaction, type Services } from '../context.ts'
import { nextTurn } from './turns.ts'

const urlValidMs = 15 * 60_000
/** An upload that was cut off together with its node gives way to another one after this time. */
const uploadMs = 5 * 60_000
/** 100 MB. */
export const uploadBytesMax = 100 * 1_024 * 1_024
/** Small enough to be sealed and written in a millisecond or two. */
export const chunkBytes = 96 * 1_024
const chunksAtOnce = 16

type JobId = Pick<UserImportJobRow, 'id' | 'pool_id'>

// ---------------------------------------------------------------------------------------------- the URL

/** The URL that takes the file. It is the same one each time and valid for 15 minutes after the job was made. */
export const uploadUrl = (
  ctx: Pick<Context, 'seal' | 'publicUrl'>,
  job: JobId & Pick<UserImportJobRow, 'created_at'>,
): string => {
  const expires = String(Math.floor((job.created_at + urlValidMs) / 1_000))
  const signature = ctx.seal.digest(signaturePurpose, signedText(job, expires))
  return `${ctx.publicUrl}/_cenote/user-import/${job.pool_id}/${job.id}?expires=${expires}&signature=${signature}`
}

const signaturePurpose = 'user-import-upload'

const signedText = (job: JobId, expires: string): string => `${job.pool_id}\n${job.id}\n${expires}`

// ---------------------------------------------------------------------------------------------- taking the file

export interface Upload {
  poolId: string
  jobId: string
  /** Of the URL. */
  expires: string | undefined
  signature: string | undefined
  /** As declared, if it is. */
  length: number | undefined
  body: AsyncIterable<Uint8Array>
}

/** Why an upload is refused; undefined when all of it is stored. */
export type UploadRefusal = keyof typeof uploadRefusals

/**
 * Stores the file of a job, in parts as they arrive. A file is taken once; an upload that breaks off leaves nothing and
 * can be repeated.
 */
export const takeUpload = async (ctx: Services, upload: Upload): Promise<UploadRefusal | undefined> => {
  const job = { id: upload.jobId, pool_id: upload.poolId }
  const { expires = '', signature = '' } = upload
  if (!/^[0-9]{1,15}$/.test(expires)) return 'signature'
  if (!ctx.seal.matches(signaturePurpose, signedText(job, expires), signature)) return 'signature'
  if (Number(expires) * 1_000 <= ctx.clock.now()) return 'expired'
  if (upload.length !== undefined && upload.length > uploadBytesMax) return 'tooLarge'

  const uploadId = newUuid(ctx.random)
  if (!(await claimUpload(ctx, job, uploadId))) return (await isUploadable(ctx, job)) ? 'busy' : 'done'
  let refusal: UploadRefusal | undefined = 'interrupted'
  try {
    const length = await storeChunks(ctx, job, uploadId, upload.body)
    const isWhole = length !== undefined && (upload.length === undefined || upload.length === length)
    if (length === undefined) refusal = 'tooLarge'
    else if (isWhole && (await finishUpload(ctx, job, uploadId, length))) refusal = undefined
  } catch (error) {
    if (!(error instanceof BodyInterrupted)) throw error
  } finally {
    if (refusal !== undefined) await giveUpUpload(ctx, job, uploadId)
  }
  return refusal
}

/** The first upload of a job gets the right to deliver, for some minutes or until it gives up. */
const claimUpload = async (ctx: Services, job: JobId, uploadId: string): Promise<boolean> => {
  const now = ctx.clock.now()
  const claimed = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('user_import_jobs')
      .set({ upload_id: uploadId, upload_until: now + uploadMs })
      .where('id', '=', job.id)
      .where('pool_id', '=', job.pool_id)
      .where('status', '=', 'Created')
      .where('uploaded_bytes', 'is', null)
      .where('upload_until', '<=', now)
      .returning('id')
      .executeTakeFirst(),
  )
  return claimed !== undefined
}

const isUploadable = async (ctx: Services, job: JobId): Promise<boolean> => {
  const found = await ctx.db
    .selectFrom('user_import_jobs')
    .select('id')
    .where('id', '=', job.id)
    .where('status', '=', 'Created')
    .where('uploaded_bytes', 'is', null)
    .executeTakeFirst()
  return found !== undefined
}

/** Returns false when the upload took longer than it may, so that its parts may be gone, or the job has ended. */
const finishUpload = async (ctx: Services, job: JobId, uploadId: string, length: number): Promise<boolean> => {
  const finished = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('user_import_jobs')
      .set({ uploaded_bytes: length, upload_until: 0 })
      .where('id', '=', job.id)
      .where('status', '=', 'Created')
      .where('upload_id', '=', uploadId)
      .where('upload_until', '>', ctx.clock.now())
      .where('uploaded_bytes', 'is', null)
      .returning('id')
      .executeTakeFirst(),
  )
  return finished !== undefined
}

const giveUpUpload = async (ctx: Services, job: JobId, uploadId: string): Promise<void> => {
  await inTransaction(ctx, tx =>
    tx.db
      .updateTable('user_import_jobs')
      .set({ upload_id: null, upload_until: 0 })
      .where('id', '=', job.id)
      .where('upload_id', '=', uploadId)
      .where('uploaded_bytes', 'is', null)
      .execute(),
  )
  while (await dropChunks(ctx, { jobId: job.id, uploadId })) await nextTurn()
}

/** Returns the length of the file in bytes, or undefined as soon as it is too large. */
const storeChunks = async (
  ctx: Services,
  job: JobId,
  uploadId: string,
  body: AsyncIterable<Uint8Array>,
): Promise<number | undefined> => {
  let pending: Uint8Array[] = []
  let pendingLength = 0
  let length = 0
  let sequence = 0
  const store = async (bytes: Buffer): Promise<void> => {
    const content = ctx.seal.seal(chunkPurpose, bytes, chunkPlace(job.id, uploadId, sequence))
    const row = { job_id: job.id, upload_id: uploadId, sequence, content }
    await inTransaction(ctx, tx => tx.db.insertInto('user_import_chunks').values(row).execute())
    sequence += 1
  }
  for await (const part of interruptible(body)) {
    length += part.byteLength
    if (length > uploadBytesMax) return undefined
    pending.push(part)
    pendingLength += part.byteLength
    if (pendingLength < chunkBytes) continue
    const bytes = Buffer.concat(pending)
    const whole = bytes.length - (bytes.length % chunkBytes)
    for (let at = 0; at < whole; at += chunkBytes) await store(bytes.subarray(at, at + chunkBytes))
    pending = [bytes.subarray(whole)]
    pendingLength = bytes.length - whole
  }
  if (pendingLength > 0) await store(Buffer.concat(pending))
  return length
}

/** The client broke off. Tells its failures from those of the database. */
class BodyInterrupted extends Error {}

async function* interruptible(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = body[Symbol.asyncIterator]()
  let finished = false
  try {
    for (;;) {
      const next = await parts.next().catch(cause => {
        finished = true
        throw new BodyInterrupted('The body was interrupted.', { cause })
      })
      if (next.done) {
        finished = true
        return
      }
      yield next.value
    }
  } finally {
    if (!finished) await parts.return?.()
  }
}

// ---------------------------------------------------------------------------------------------- reading and dropping

const chunkPurpose = 'user-import-file'

const chunkPlace = (jobId: string, uploadId: string, sequence: number): string => `${jobId} ${uploadId} ${sequence}`

/** A part of the file of a job; undefined when it is not there or not what was stored. */
export const readChunk = async (
  ctx: Services,
  job: Pick<UserImportJobRow, 'id' | 'upload_id'>,
  sequence: number,
): Promise<Buffer | undefined> => {
  const uploadId = job.upload_id ?? ''
  const row = await ctx.db
    .selectFrom('user_import_chunks')
    .select('content')
    .where('job_id', '=', job.id)
    .where('upload_id', '=', uploadId)
    .where('sequence', '=', sequence)
    .executeTakeFirst()
  return row && ctx.seal.open(chunkPurpose, row.content, chunkPlace(job.id, uploadId, sequence))
}

/** Deletes some parts of an upload, few enough to hold nothing up. Returns true when there may be others left. */
const dropChunks = (ctx: Services, { jobId, uploadId }: { jobId: string; uploadId: string }): Promise<boolean> =>
  inTransaction(ctx, async tx => {
    const dropped = await tx.db
      .deleteFrom('user_import_chunks')
      .where('job_id', '=', jobId)
      .where('upload_id', '=', uploadId)
      .where('sequence', 'in', select =>
        select
          .selectFrom('user_import_chunks')
          .select('sequence')
          .where('job_id', '=', jobId)
          .where('upload_id', '=', uploadId)
          .orderBy('sequence')
          .limit(chunksAtOnce),
      )
      .returning('sequence')
      .execute()
    return dropped.length === chunksAtOnce
  })

/**
 * Drops the files of jobs that have ended, and what uploads left behind that were cut off together with their node.
 */
export const dropUnusedUploads = async (ctx: Services): Promise<void> => {
  const now = ctx.clock.now()
  const unused = await ctx.db
    .selectFrom('user_import_chunks')
    .innerJoin('user_import_jobs', 'user_import_jobs.id', 'user_import_chunks.job_id')
    .select(['user_import_chunks.job_id as jobId', 'user_import_chunks.upload_id as uploadId'])
    .distinct()
    .where(row =>
      row.or([
        row('user_import_jobs.status', 'not in', ['Created', 'Pending', 'InProgress']),
        row('user_import_jobs.upload_id', 'is', null),
        row('user_import_jobs.upload_id', '<>', row.ref('user_import_chunks.upload_id')),
        row.and([row('user_import_jobs.uploaded_bytes', 'is', null), row('user_import_jobs.upload_until', '<=', now)]),
      ]),
    )
    .execute()
  for (const upload of unused) {
    while (await dropChunks(ctx, upload)) await nextTurn()
  }
}
