/**
 * Pushed authorization requests (RFC 9126), an extension: the client leaves its request here, and the browser brings no more
 * than a reference to it. It is good until the request is answered, and for ten minutes at most.
 */
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'

/** Begins every reference to a pushed request. */
export const requestUriPrefix = 'urn:ietf:params:oauth:request_uri:'
const purpose = 'pushed-request'
const referenceBytes = 32
export const pushedRequestSeconds = 600

/** Keeps the parameters for the client; returns the request URI. */
export const keepPushedRequest = async (ctx: Context, client: Client, parameters: URLSearchParams): Promise<string> => {
  const requestUri = `${requestUriPrefix}${ctx.random.bytes(referenceBytes).toString('base64url')}`
  await inTransaction(ctx, tx =>
    tx.db
      .insertInto('pushed_requests')
      .values({
        digest: tx.seal.digest(purpose, requestUri),
        client_id: client.id,
        parameters: parameters.toString(),
        expires_at: tx.clock.now() + pushedRequestSeconds * 1_000,
      })
      .execute(),
  )
  return requestUri
}

/** The parameters that the client has left under this URI; undefined when there are none. */
export const findPushedRequest = async (
  ctx: Context,
  client: Client,
  requestUri: string,
): Promise<URLSearchParams | undefined> => {
  if (!requestUri.startsWith(requestUriPrefix) || requestUri.length > 128) return undefined
  const row = await ctx.db
    .selectFrom('pushed_requests')
    .select('parameters')
    .where('digest', '=', ctx.seal.digest(purpose, requestUri))
    .where('client_id', '=', client.id)
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
  return row && new URLSearchParams(row.parameters)
}

/** Uses the request up: of many who answer it at once exactly one does. */
export const takePushedRequest = (ctx: Context, client: Client, requestUri: string): Promise<boolean> =>
  inTransaction(ctx, async tx => {
    const row = await tx.db
      .deleteFrom('pushed_requests')
      .where('digest', '=', tx.seal.digest(purpose, requestUri))
      .where('client_id', '=', client.id)
      .returning('digest')
      .executeTakeFirst()
    return row !== undefined
  })
