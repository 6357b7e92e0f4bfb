/** The operations on user import jobs. */
import type { Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { inPool } from '../user-pools/pool.ts'
import {
  createImportJob,
  getImportJob,
  listImportJobs,
  presentImportJob,
  startImportJob,
  stopImportJob,
} from './jobs.ts'
import { csvHeader } from './row.ts'

/** The request may ask for 60 jobs, but the list in the answer holds 50. */
const pageSizeMax = 50

export const userImportOperations = {
  GetCSVHeader: inPool(async (_ctx, pool) => ({ UserPoolId: pool.id, CSVHeader: csvHeader(pool) })),

  CreateUserImportJob: inPool(async (ctx, pool, input) => ({
    UserImportJob: presentImportJob(ctx, await createImportJob(ctx, pool, input)),
  })),

  DescribeUserImportJob: inPool(async (ctx, pool, input) => ({
    UserImportJob: presentImportJob(ctx, await getImportJob(ctx, pool.id, input.JobId)),
  })),

  ListUserImportJobs: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListUserImportJobs', scope: pool.id }
    const size = Math.min(input.MaxResults, pageSizeMax)
    const page = readPage<[number, string]>(ctx, binding, input.PaginationToken, size)
    const found = await listImportJobs(ctx, pool, page.after, page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, found, job => [job.created_at, job.id])
    return { UserImportJobs: rows.map(job => presentImportJob(ctx, job)), PaginationToken: nextToken }
  }),

  StartUserImportJob: inPool(async (ctx, pool, input) => ({
    UserImportJob: presentImportJob(ctx, await startImportJob(ctx, pool, input.JobId)),
  })),

  StopUserImportJob: inPool(async (ctx, pool, input) => ({
    UserImportJob: presentImportJob(ctx, await stopImportJob(ctx, pool, input.JobId)),
  })),
} satisfies Operations<
  | 'GetCSVHeader'
  | 'CreateUserImportJob'
  | 'DescribeUserImportJob'
  | 'ListUserImportJobs'
  | 'StartUserImportJob'
  | 'StopUserImportJob'
>
