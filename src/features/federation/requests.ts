/**
 * Sign-ins that are under way at a provider. What the provider is given to bring back, `state` or RelayState, names a row
 * here, of which the database keeps the digest. The row opens once, for the browser that was sent there, and within five
 * minutes; what stands in it is sealed and bound to pool, client, provider and browser.
 */
import { type Client, findClient } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import { findProvider, type Provider } from '../identity-providers/provider.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'

/** What is to be known again when the user comes back. */
export interface PendingSignIn {
  /** The parameters of the authorization request, as they came. */
  parameters: string
  /** What the protocol of the provider has to remember, such as a nonce. */
  remembered: Record<string, string>
}

interface PendingPlace {
  client: Client
  providerName: string
  /** The random value that the browser keeps in a cookie. */
  browser: string
}

/** A sign-in whose user has come back. It has ended with that. */
export interface ReturnedSignIn extends PendingSignIn {
  pool: Pool
  client: Client
  providerName: string
  /** What the provider had the browser post, if that was its way. */
  posted: URLSearchParams | undefined
}

const purpose = 'federation-state'
const contentPurpose = 'federation-request'
const postedPurpose = 'federation-answer'
const stateBytes = 32
const stateForm = /^[\w-]{43}$/
const lifetimeMs = 300_000

/** Keeps the sign-in and returns its state. */
export const keepPendingSignIn = async (ctx: Context, place: PendingPlace, content: PendingSignIn): Promise<string> => {
  const { client, providerName } = place
  const state = ctx.random.bytes(stateBytes).toString('base64url')
  const digest = ctx.seal.digest(purpose, state)
  const row = {
    digest,
    pool_id: client.poolId,
    client_id: client.id,
    provider_name: providerName,
    content: ctx.seal.seal(contentPurpose, JSON.stringify(content), boundTo(digest, client.id, place)),
    posted: null,
    expires_at: ctx.clock.now() + lifetimeMs,
  }
  await inTransaction(ctx, tx => tx.db.insertInto('federation_requests').values(row).execute())
  return state
}

/**
 * Keeps what a provider has had the browser post, so that the browser can come again by itself: its cookie does not go along
 * with what another site posts. Returns false when no sign-in waits for that answer.
 */
export const keepPostedAnswer = async (
  ctx: Context,
  state: string,
  form: URLSearchParams,
  answersByForm: (provider: Provider) => boolean,
): Promise<boolean> => {
  const row = await findRow(ctx, state)
  const pool = row && (await findPool(ctx, row.pool_id))
  const provider = pool && (await findProvider(ctx, pool, row.provider_name))
  if (row === undefined || provider === undefined || !answersByForm(provider)) return false
  const posted = ctx.seal.seal(postedPurpose, form.toString(), row.digest)
  const kept = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('federation_requests')
      .set({ posted })
      .where('digest', '=', row.digest)
      .where('posted', 'is', null)
      .returning('digest')
      .executeTakeFirst(),
  )
  return kept !== undefined
}

/**
 * Ends the waiting of the sign-in with this state: of many who ask exactly one gets it. Undefined for any other state, when
 * its time is over, and for another browser.
 */
export const takePendingSignIn = async (
  ctx: Context,
  state: string,
  browser: string,
): Promise<ReturnedSignIn | undefined> => {
  const row = await findRow(ctx, state)
  if (row === undefined) return undefined
  const { digest, client_id: clientId, provider_name: providerName } = row
  const opened = ctx.seal.open(contentPurpose, row.content, boundTo(digest, clientId, { providerName, browser }))
  const [client, pool] = await Promise.all([findClient(ctx, clientId), findPool(ctx, row.pool_id)])
  if (opened === undefined || client === undefined || pool === undefined) return undefined
  const taken = await inTransaction(ctx, tx =>
    tx.db.deleteFrom('federation_requests').where('digest', '=', digest).returning('posted').executeTakeFirst(),
  )
  if (taken === undefined) return undefined
  const posted = taken.posted === null ? undefined : ctx.seal.open(postedPurpose, taken.posted, digest)
  return {
    ...(JSON.parse(opened.toString('utf8')) as PendingSignIn),
    ...{ pool, client, providerName },
    posted: posted && new URLSearchParams(posted.toString('utf8')),
  }
}

const findRow = async (ctx: Context, state: string) => {
  if (!stateForm.test(state)) return undefined
  return ctx.db
    .selectFrom('federation_requests')
    .selectAll()
    .where('digest', '=', ctx.seal.digest(purpose, state))
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
}

const boundTo = (
  digest: string,
  clientId: string,
  { providerName, browser }: Pick<PendingPlace, 'providerName' | 'browser'>,
): string => JSON.stringify([digest, clientId, providerName, browser])
