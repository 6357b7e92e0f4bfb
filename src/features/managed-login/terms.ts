/** Terms documents: links to terms of use and privacy policy by language, at most one of each name for a client. */
import type { CreateTermsRequest, TermsDescriptionType, TermsType, UpdateTermsRequest } from '../../contract/types.ts'
import {
  clientNotFound,
  concurrentModification,
  invalidTermsLink,
  termsDefaultLinkMissing,
  termsExist,
  termsNotFound,
  termsOfClientNotFound,
  tooManyTerms,
} from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { isForeignKeyViolation, isUniqueViolation } from '../../store/database.ts'
import type { TermsRow } from '../../store/tables.ts'
import { type Client, getClient } from '../app-clients/client.ts'
import { type Context, inTransaction, type ReadContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'

const termsPerPoolMax = 40

export interface Terms {
  id: string
  poolId: string
  clientId: string
  name: string
  source: TermsType['TermsSource']
  enforcement: TermsType['Enforcement']
  /** URLs by language, like `cognito:german`; `cognito:default` is always there. */
  links: Record<string, string>
  version: number
  createdAt: number
  updatedAt: number
}

/**
 * @throws InvalidParameterException, LimitExceededException, TermsExistsException, ResourceNotFoundException
 */
export const createTerms = async (
  ctx: Context,
  pool: Pool,
  requested: Omit<CreateTermsRequest, 'UserPoolId'>,
): Promise<Terms> => {
  const client = await getClient(ctx, requested.ClientId, pool)
  const links = checkedLinks(requested.Links ?? {})
  const now = ctx.clock.now()
  const row = await inTransaction(ctx, async tx => {
    await holdPool(tx, pool.region, pool.id)
    const inserted = await tx.db
      .insertInto('terms')
      .values({
        id: newUuid(tx.random),
        pool_id: pool.id,
        client_id: client.id,
        name: requested.TermsName,
        source: requested.TermsSource,
        enforcement: requested.Enforcement,
        links: JSON.stringify(links),
        version: 1,
        created_at: now,
        updated_at: now,
      })
      .onConflict(conflict => conflict.columns(['client_id', 'name']).doNothing())
      .returningAll()
      .executeTakeFirst()
    if (inserted === undefined) throw termsExist(requested.TermsName, client.id)
    const { count } = await tx.db
      .selectFrom('terms')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('pool_id', '=', pool.id)
      .executeTakeFirstOrThrow()
    if (Number(count) > termsPerPoolMax) throw tooManyTerms(termsPerPoolMax)
    return inserted
  }).catch(error => {
    throw isForeignKeyViolation(error) ? clientNotFound(client.id) : error
  })
  return fromRow(row)
}

/**
 * Changes what the request gives; the links are replaced as a whole.
 * @throws InvalidParameterException, TermsExistsException, ResourceNotFoundException, ConcurrentModificationException
 */
export const updateTerms = async (
  ctx: Context,
  pool: Pool,
  id: string,
  requested: Omit<UpdateTermsRequest, 'UserPoolId' | 'TermsId'>,
): Promise<Terms> => {
  const terms = await getTerms(ctx, pool, id)
  const name = requested.TermsName ?? terms.name
  const links = requested.Links === undefined ? terms.links : checkedLinks(requested.Links)
  const row = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('terms')
      .set({
        name,
        source: requested.TermsSource ?? terms.source,
        enforcement: requested.Enforcement ?? terms.enforcement,
        links: JSON.stringify(links),
        version: terms.version + 1,
        updated_at: tx.clock.now(),
      })
      .where('id', '=', terms.id)
      .where('version', '=', terms.version)
      .returningAll()
      .executeTakeFirst(),
  ).catch(error => {
    throw isUniqueViolation(error) ? termsExist(name, terms.clientId) : error
  })
  if (row === undefined) throw concurrentModification()
  return fromRow(row)
}

/** @throws ResourceNotFoundException */
export const deleteTerms = async (ctx: Context, pool: Pool, id: string): Promise<void> => {
  const deleted = await inTransaction(ctx, tx =>
    tx.db.deleteFrom('terms').where('id', '=', id).where('pool_id', '=', pool.id).returning('id').executeTakeFirst(),
  )
  if (deleted === undefined) throw termsNotFound()
}

/** @throws ResourceNotFoundException */
export const getTerms = async (ctx: ReadContext, pool: Pool, id: string): Promise<Terms> => {
  const row = await ctx.db
    .selectFrom('terms')
    .selectAll()
    .where('id', '=', id)
    .where('pool_id', '=', pool.id)
    .executeTakeFirst()
  if (row === undefined) throw termsNotFound()
  return fromRow(row)
}

/** @throws ResourceNotFoundException when there is no such client, or it has no document of the name. */
export const getTermsByClient = async (ctx: Context, pool: Pool, clientId: string, name: string): Promise<Terms> => {
  const client = await getClient(ctx, clientId, pool)
  const terms = (await findTermsOfClient(ctx, client)).find(candidate => candidate.name === name)
  if (terms === undefined) throw termsOfClientNotFound(name, client.id)
  return terms
}

const findTermsOfClient = async (ctx: ReadContext, client: Client): Promise<Terms[]> => {
  const rows = await ctx.db
    .selectFrom('terms')
    .selectAll()
    .where('client_id', '=', client.id)
    .where('pool_id', '=', client.poolId)
    .execute()
  return rows.map(fromRow)
}

/** Up to `limit` documents of the pool, the oldest first, those behind `after`: a time of creation and an id. */
export const listTerms = async (
  ctx: ReadContext,
  pool: Pool,
  after: readonly [number, string] | undefined,
  limit: number,
): Promise<Terms[]> => {
  const [createdAt, id] = after ?? [-1, '']
  const rows = await ctx.db
    .selectFrom('terms')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where(where => where(where.refTuple('created_at', 'id'), '>', where.tuple(createdAt, id)))
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** The languages of the pages, by the value of their `lang` parameter. */
const linkKeys = new Map([
  ['de', 'cognito:german'],
  ['en', 'cognito:english'],
  ['es', 'cognito:spanish'],
  ['fr', 'cognito:french'],
  ['id', 'cognito:bahasa-indonesia'],
  ['it', 'cognito:italian'],
  ['ja', 'cognito:japanese'],
  ['ko', 'cognito:korean'],
  ['nl', 'cognito:dutch'],
  ['pt-BR', 'cognito:portuguese-brazil'],
  ['zh-CN', 'cognito:chinese-simplified'],
  ['zh-TW', 'cognito:chinese-traditional'],
])
const defaultLinkKey = 'cognito:default'

/**
 * The links of the sign-up page in the language (a value of `lang`), else the default ones. Undefined unless the client
 * has both documents: the sentence on the page names both.
 */
export const termsOf = async (
  ctx: ReadContext,
  pool: Pool,
  client: Client,
  language: string,
): Promise<{ termsOfUse: string; privacyPolicy: string } | undefined> => {
  if (client.poolId !== pool.id) return undefined
  const documents = await findTermsOfClient(ctx, client)
  const linkOf = (name: string): string | undefined => {
    const links = documents.find(terms => terms.name === name)?.links
    return links?.[linkKeys.get(language) ?? defaultLinkKey] ?? links?.[defaultLinkKey]
  }
  const [termsOfUse, privacyPolicy] = [linkOf('terms-of-use'), linkOf('privacy-policy')]
  return termsOfUse === undefined || privacyPolicy === undefined ? undefined : { termsOfUse, privacyPolicy }
}

/** The pages show the links as they are, so only those that lead to a web page are accepted. */
const checkedLinks = (links: Record<string, string>): Record<string, string> => {
  if (links[defaultLinkKey] === undefined) throw termsDefaultLinkMissing()
  for (const [key, link] of Object.entries(links)) {
    const url = URL.parse(link)
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw invalidTermsLink(key)
  }
  return links
}

const fromRow = (row: TermsRow): Terms => ({
  id: row.id,
  poolId: row.pool_id,
  clientId: row.client_id,
  name: row.name,
  // The columns hold what the contract let through.
  source: row.source as Terms['source'],
  enforcement: row.enforcement as Terms['enforcement'],
  links: JSON.parse(row.links) as Record<string, string>,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** Terms → TermsType. */
export const presentTerms = (terms: Terms): TermsType => ({
  TermsId: terms.id,
  UserPoolId: terms.poolId,
  ClientId: terms.clientId,
  TermsName: terms.name,
  TermsSource: terms.source,
  Enforcement: terms.enforcement,
  Links: terms.links,
  CreationDate: new Date(terms.createdAt),
  LastModifiedDate: new Date(terms.updatedAt),
})

/** Terms → TermsDescriptionType. */
export const presentTermsInList = (terms: Terms): TermsDescriptionType => ({
  TermsId: terms.id,
  TermsName: terms.name,
  Enforcement: terms.enforcement,
  CreationDate: new Date(terms.createdAt),
  LastModifiedDate: new Date(terms.updatedAt),
})
