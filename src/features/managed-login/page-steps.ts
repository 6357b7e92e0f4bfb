/**
 * What a page hands to the next one while somebody signs in or up. It stays on the server, sealed, under a random name
 * that stands in the URL, so that a reload shows the same page and two tabs do not disturb each other. A step opens for
 * the client and the browser that it was kept for and for nobody else.
 */
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'

export interface StepOwner {
  client: Client
  /** The random value that the browser keeps in a cookie. */
  browser: string
}

const purpose = 'page-step'
const idBytes = 18

/** Keeps the content, which must be JSON, for so many milliseconds. Returns the name of the step. */
export const keepStep = async (
  ctx: Context,
  owner: StepOwner,
  content: object,
  lifetimeMs: number,
): Promise<string> => {
  const id = ctx.random.bytes(idBytes).toString('base64url')
  const row = {
    id,
    pool_id: owner.client.poolId,
    content: ctx.seal.seal(purpose, JSON.stringify(content), boundTo(owner, id)),
    expires_at: ctx.clock.now() + lifetimeMs,
  }
  await inTransaction(ctx, tx => tx.db.insertInto('page_steps').values(row).execute())
  return id
}

/** The content as it was kept; undefined when there is no such step, or it has expired, or it belongs to somebody else. */
export const findStep = async (ctx: Context, owner: StepOwner, id: string): Promise<unknown> => {
  if (!stepId.test(id)) return undefined
  const row = await ctx.db
    .selectFrom('page_steps')
    .select('content')
    .where('id', '=', id)
    .where('expires_at', '>', ctx.clock.now())
    .executeTakeFirst()
  const opened = row && ctx.seal.open(purpose, row.content, boundTo(owner, id))
  return opened && JSON.parse(opened.toString('utf8'))
}

/** Forgets a step that led on, so that going back to it says so instead of showing a page that cannot work any more. */
export const dropStep = async (ctx: Context, id: string): Promise<void> => {
  await inTransaction(ctx, tx => tx.db.deleteFrom('page_steps').where('id', '=', id).execute())
}

const stepId = /^[\w-]{24}$/

const boundTo = ({ client, browser }: StepOwner, id: string): string => `${id} ${client.id} ${browser}`
