/** User import in tests: files, uploads, jobs. */
import assert from 'node:assert/strict'
import type { PasswordHashingAlgorithmType, UserImportJobType } from '@aws-sdk/client-cognito-identity-provider'
import type { TestApp } from './app.ts'

export const roleArn = 'arn:aws:iam::123456789012:role/CognitoCloudWatchLogsRole'

/** The bodies that fetch takes, as far as the tests send them. */
export type UploadBody = string | Buffer<ArrayBuffer> | ReadableStream

/** A row as an object; what is left out is empty, but for what every row needs. */
export type ImportedRow = Record<string, string>

const needed = { 'cognito:mfa_enabled': 'FALSE', email_verified: 'TRUE' }

/** A user with a verified address. */
export const imported = (username: string, more: ImportedRow = {}): ImportedRow => ({
  'cognito:username': username,
  email: `${username}@example.com`,
  ...more,
})

/** The file of these rows with the pool's own header, and with the column of password hashes if asked for. */
export const csvOf = async (
  app: TestApp,
  poolId: string,
  rows: readonly ImportedRow[],
  { hashes = false } = {},
): Promise<string> => {
  const { CSVHeader = [] } = await app.aws.getCSVHeader({ UserPoolId: poolId })
  return csvWith([...CSVHeader, ...(hashes ? ['password_hash'] : [])], rows)
}

export const csvWith = (header: readonly string[], rows: readonly ImportedRow[]): string => {
  const line = (row: ImportedRow) =>
    header.map(name => ({ ...needed, ...row })[name]?.replaceAll(',', '\\,') ?? '').join(',')
  return [header.join(','), ...rows.map(line), ''].join('\n')
}

export const createJob = async (
  app: TestApp,
  poolId: string,
  algorithm?: PasswordHashingAlgorithmType,
): Promise<{ jobId: string; url: string }> => {
  const { UserImportJob } = await app.aws.createUserImportJob({
    UserPoolId: poolId,
    JobName: 'job',
    CloudWatchLogsRoleArn: roleArn,
    ...(algorithm !== undefined && { PasswordHashingAlgorithm: algorithm }),
  })
  return { jobId: UserImportJob?.JobId ?? '', url: UserImportJob?.PreSignedUrl ?? '' }
}

/** As the AWS documentation has it done with curl. */
export const put = (url: string, body: UploadBody): Promise<Response> =>
  fetch(url, {
    method: 'PUT',
    headers: { 'x-amz-server-side-encryption': 'aws:kms' },
    body,
    duplex: 'half',
  } as RequestInit)

export const describeJob = async (app: TestApp, poolId: string, jobId: string): Promise<UserImportJobType> => {
  const { UserImportJob } = await app.aws.describeUserImportJob({ UserPoolId: poolId, JobId: jobId })
  return UserImportJob ?? {}
}

/** A job that has its file and is started, but not worked on. */
export const startJob = async (
  app: TestApp,
  poolId: string,
  file: UploadBody,
  algorithm?: PasswordHashingAlgorithmType,
): Promise<string> => {
  const { jobId, url } = await createJob(app, poolId, algorithm)
  const answer = await put(url, file)
  assert.equal(answer.status, 200, await answer.text())
  await app.aws.startUserImportJob({ UserPoolId: poolId, JobId: jobId })
  return jobId
}

/** Imports the file and resolves to the job as it ended. */
export const importFile = async (
  app: TestApp,
  poolId: string,
  file: UploadBody,
  algorithm?: PasswordHashingAlgorithmType,
): Promise<UserImportJobType> => {
  const jobId = await startJob(app, poolId, file, algorithm)
  await app.app.tick()
  return describeJob(app, poolId, jobId)
}

/** The log of a job, a text for each line. */
export const logOf = async (app: TestApp, poolId: string, jobId: string | undefined): Promise<string[]> => {
  const answer = await fetch(`${app.url}/_cenote/user-import/${poolId}/${jobId}/log`)
  assert.equal(answer.status, 200)
  return (await answer.text()).split('\n').slice(0, -1)
}

/** Imported, skipped and failed users. */
export const countsOf = (job: UserImportJobType) => [job.ImportedUsers, job.SkippedUsers, job.FailedUsers]
