/** `PUT /_cenote/user-import/{poolId}/{jobId}`: takes the file of an import job, as the signed URL of S3 does on AWS. */
import type { Context as HonoContext } from 'hono'
import { uploadRefusals } from '../core/errors.ts'
import type { Services } from '../features/context.ts'
import { takeUpload } from '../features/user-import/upload.ts'

/**
 * Stores the body while it arrives. The headers that S3 wants for encryption are accepted and change nothing: what is
 * stored is always sealed.
 */
export const putImportFile = async (c: HonoContext, services: Services): Promise<Response> => {
  const declared = c.req.header('content-length')
  const refusal = await takeUpload(services, {
    poolId: c.req.param('poolId') ?? '',
    jobId: c.req.param('jobId') ?? '',
    expires: c.req.query('expires'),
    signature: c.req.query('signature'),
    length: declared === undefined ? undefined : Number(declared),
    body: c.req.raw.body ?? noBody(),
  })
  if (refusal === undefined) return new Response(null, { status: 200, headers: common })
  const { status, code, message } = uploadRefusals[refusal]
  // What is left of the body is not read, so the connection cannot be used again.
  return new Response(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    { status, headers: { ...common, 'content-type': 'application/xml', connection: 'close' } },
  )
}

const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

async function* noBody(): AsyncGenerator<Uint8Array> {}
