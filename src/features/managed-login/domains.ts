/**
 * The domains of user pools: under which hosts a pool answers, and in which version of the pages. A pool has at most
 * one prefix and one custom domain; a name belongs to one pool, whatever its region, because the host of a prefix does
 * not name a region.
 */
import type {
  CreateUserPoolDomainRequest,
  CustomDomainConfigType,
  DomainDescriptionType,
  RoutingType,
  UpdateUserPoolDomainRequest,
} from '../../contract/types.ts'
import { checkCustomDomain, checkDomainPrefix, domainNamesOfHost } from '../../core/domain-names.ts'
import {
  customDomainToPrefix,
  domainNotFound,
  domainTaken,
  featuresUnavailableInTier,
  invalidDomainCertificate,
  invalidManagedLoginVersion,
  poolAlreadyHasDomain,
  prefixDomainToCustom,
  routingOfPrefixDomain,
  tooManyCustomDomains,
} from '../../core/errors.ts'
import type { DomainRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type Services, type TransactionContext } from '../context.ts'
import { findPool, type Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'
import { hasTier } from '../user-pools/tiers.ts'

const customDomainsPerRegionMax = 4

export interface DomainSettings {
  /** 1 for the classic pages, 2 for managed login. */
  ManagedLoginVersion: number
  /** Present for a custom domain only, and always there. */
  CustomDomainConfig?: CustomDomainConfigType
  Routing?: RoutingType
}

export interface Domain {
  /** The prefix, or the fully qualified name of a custom domain. */
  name: string
  poolId: string
  kind: 'prefix' | 'custom'
  settings: DomainSettings
  createdAt: number
  updatedAt: number
}

/** The domain of this name from the cache or the database, in any region; undefined when there is none. */
const findDomain = async (ctx: Services, name: string): Promise<Domain | undefined> => {
  // Names that are no domain are kept too: each request on the server's own host asks for one.
  const found = await ctx.caches.domains.get(name, async () => {
    const row = await ctx.db.selectFrom('domains').selectAll().where('name', '=', name).executeTakeFirst()
    return row === undefined ? null : fromRow(row)
  })
  return found ?? undefined
}

/** The domains of the pool as they are in the database now, at most one of each kind. */
export const findDomains = async (ctx: Pick<ReadContext, 'db'>, poolId: string): Promise<Domain[]> => {
  const rows = await ctx.db.selectFrom('domains').selectAll().where('pool_id', '=', poolId).execute()
  return rows.map(fromRow)
}

/** The domain that stands for the pool: the custom one before the prefix. */
export const mainDomain = async (ctx: Pick<ReadContext, 'db'>, pool: Pick<Pool, 'id'>): Promise<Domain | undefined> => {
  const domains = await findDomains(ctx, pool.id)
  return domains.find(domain => domain.kind === 'custom') ?? domains[0]
}

/**
 * The pool that answers under the host of a request (the Host header: name and port), with the domain and the version
 * of the pages that are in force there, which is 1 in the Lite tier whatever the domain says. Undefined when the host
 * is nobody's domain, as the server's own host may be.
 */
export const findPoolByDomain = async (
  ctx: Services & Pick<Context, 'publicUrl'>,
  host: string,
): Promise<{ pool: Pool; domain: Domain; managedLoginVersion: number } | undefined> => {
  for (const name of domainNamesOfHost(host, ctx.publicUrl)) {
    const domain = await findDomain(ctx, name)
    const pool = domain && (await findPool(ctx, domain.poolId))
    if (domain === undefined || pool === undefined) continue
    const managedLoginVersion = hasTier(pool.settings, 'ESSENTIALS') ? domain.settings.ManagedLoginVersion : 1
    return { pool, domain, managedLoginVersion }
  }
  return undefined
}

/** The domain, when its pool belongs to the region of the request; undefined otherwise. */
export const findDomainInRegion = async (ctx: Context, name: string): Promise<Domain | undefined> => {
  const domain = await findDomain(ctx, name)
  const pool = domain && (await findPool(ctx, domain.poolId))
  return pool?.region === ctx.region ? domain : undefined
}

/**
 * Gives the pool a domain, which is in force at once.
 * @throws InvalidParameterException, FeatureUnavailableInTierException, LimitExceededException,
 * ResourceNotFoundException when the pool is gone.
 */
export const createDomain = async (
  ctx: Context,
  poolId: string,
  requested: Omit<CreateUserPoolDomainRequest, 'UserPoolId'>,
): Promise<Domain> => {
  const { Domain: name, CustomDomainConfig } = requested
  const kind = CustomDomainConfig === undefined ? 'prefix' : 'custom'
  if (kind === 'prefix') checkDomainPrefix(name)
  else checkCustomDomain(name, ctx.publicUrl)
  const settings = checkedSettings(kind, {
    ManagedLoginVersion: requested.ManagedLoginVersion ?? 1,
    ...(CustomDomainConfig !== undefined && { CustomDomainConfig }),
    ...givenRouting(requested.Routing),
  })
  const row = await inTransaction(ctx, async tx => {
    if (kind === 'custom') await lockCustomDomains(tx, ctx.region)
    checkTier(await holdPool(tx, ctx.region, poolId), settings)
    const now = tx.clock.now()
    const inserted = await tx.db
      .insertInto('domains')
      .values({
        name,
        pool_id: poolId,
        kind,
        settings: JSON.stringify(settings),
        created_at: now,
        updated_at: now,
      })
      .onConflict(conflict => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (inserted === undefined) {
      const own = await findDomains(tx, poolId)
      throw own.some(domain => domain.kind === kind) ? poolAlreadyHasDomain() : domainTaken()
    }
    if (kind === 'custom' && (await countCustomDomains(tx, ctx.region)) > customDomainsPerRegionMax) {
      throw tooManyCustomDomains(customDomainsPerRegionMax)
    }
    return inserted
  })
  await ctx.caches.invalidate('domains', name)
  return fromRow(row)
}

/** Until the end of the transaction no other one can make a custom domain in the region, so that the count holds. */
const lockCustomDomains = async (tx: TransactionContext, region: string): Promise<void> => {
  await tx.db
    .insertInto('settings')
    .values({ key: `custom domains of ${region}`, value: '' })
    .onConflict(conflict => conflict.column('key').doUpdateSet({ value: '' }))
    .execute()
}

const countCustomDomains = async (tx: TransactionContext, region: string): Promise<number> => {
  const { count } = await tx.db
    .selectFrom('domains')
    .innerJoin('pools', 'pools.id', 'domains.pool_id')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('domains.kind', '=', 'custom')
    .where('pools.region', '=', region)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/**
 * Changes what the request gives: branding version, certificate, routing. The certificate of a custom domain has to be
 * repeated, because its absence would make the domain a prefix.
 * @throws InvalidParameterException, FeatureUnavailableInTierException, ResourceNotFoundException
 */
export const updateDomain = async (
  ctx: Context,
  poolId: string,
  requested: Omit<UpdateUserPoolDomainRequest, 'UserPoolId'>,
): Promise<Domain> => {
  const name = requested.Domain
  const row = await inTransaction(ctx, async tx => {
    const pool = await holdPool(tx, ctx.region, poolId)
    const domain = (await findDomains(tx, poolId)).find(candidate => candidate.name === name)
    if (domain === undefined) throw domainNotFound()
    const { CustomDomainConfig } = requested
    if (domain.kind === 'custom' && CustomDomainConfig === undefined) throw customDomainToPrefix()
    if (domain.kind === 'prefix' && CustomDomainConfig !== undefined) throw prefixDomainToCustom()
    const { Routing, ...before } = domain.settings
    const settings = checkedSettings(domain.kind, {
      ...before,
      ...(requested.ManagedLoginVersion !== undefined && { ManagedLoginVersion: requested.ManagedLoginVersion }),
      ...(CustomDomainConfig !== undefined && { CustomDomainConfig }),
      ...givenRouting(requested.Routing ?? Routing),
    })
    checkTier(pool, settings)
    return tx.db
      .updateTable('domains')
      .set({ settings: JSON.stringify(settings), updated_at: tx.clock.now() })
      .where('name', '=', name)
      .returningAll()
      .executeTakeFirstOrThrow()
  })
  await ctx.caches.invalidate('domains', name)
  return fromRow(row)
}

/** @throws InvalidParameterException when the pool does not exist in the region or has no such domain. */
export const deleteDomain = async (ctx: Context, poolId: string, name: string): Promise<void> => {
  const deleted = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('domains')
      .where('name', '=', name)
      .where('pool_id', 'in', select =>
        select.selectFrom('pools').select('id').where('id', '=', poolId).where('region', '=', ctx.region),
      )
      .returning('name')
      .executeTakeFirst(),
  )
  if (deleted === undefined) throw domainNotFound()
  await ctx.caches.invalidate('domains', name)
}

/** A routing without failover says nothing and is not stored. */
const givenRouting = (routing: RoutingType | undefined): { Routing?: RoutingType } =>
  routing?.Failover === undefined ? {} : { Routing: routing }

const certificateArn = /^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate\/[\w-]{1,128}$/

const checkedSettings = (kind: Domain['kind'], settings: DomainSettings): DomainSettings => {
  const { CustomDomainConfig, ManagedLoginVersion, Routing } = settings
  if (CustomDomainConfig !== undefined && !certificateArn.test(CustomDomainConfig.CertificateArn)) {
    throw invalidDomainCertificate()
  }
  if (ManagedLoginVersion !== 1 && ManagedLoginVersion !== 2) throw invalidManagedLoginVersion()
  if (kind === 'prefix' && Routing !== undefined) throw routingOfPrefixDomain()
  return settings
}

/** Managed login is not part of the Lite tier. The name of the feature in the message is not published. */
const checkTier = (pool: Pool, settings: DomainSettings): void => {
  if (settings.ManagedLoginVersion === 2 && !hasTier(pool.settings, 'ESSENTIALS')) {
    throw featuresUnavailableInTier(pool.settings.UserPoolTier ?? 'ESSENTIALS', ['Managed Login'])
  }
}

const fromRow = (row: DomainRow): Domain => ({
  name: row.name,
  poolId: row.pool_id,
  kind: row.kind === 'custom' ? 'custom' : 'prefix',
  settings: JSON.parse(row.settings) as DomainSettings,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** What create and update answer; the target of the DNS record is shown for a custom domain only. */
export const presentDomainChange = (ctx: Context, { kind, settings }: Domain) => ({
  ManagedLoginVersion: settings.ManagedLoginVersion,
  ...(kind === 'custom' && { CloudFrontDomain: dnsTarget(ctx) }),
  ...(settings.Routing !== undefined && { Routing: settings.Routing }),
})

/** Domain → DomainDescriptionType. */
export const presentDomain = (ctx: Context, { name, poolId, settings, updatedAt }: Domain): DomainDescriptionType => ({
  UserPoolId: poolId,
  AWSAccountId: ctx.settings.account,
  Domain: name,
  // There is no bucket. Clients store the member, so it has a value of the service's form.
  S3Bucket: `aws-cognito-prod-${ctx.region}-assets`,
  CloudFrontDistribution: dnsTarget(ctx),
  Version: timestamp(updatedAt),
  Status: 'ACTIVE',
  // The service shows an empty structure for a prefix, although it declares the certificate as required.
  CustomDomainConfig: settings.CustomDomainConfig ?? ({} as CustomDomainConfigType),
  ManagedLoginVersion: settings.ManagedLoginVersion,
  ...(settings.Routing !== undefined && { Routing: settings.Routing }),
})

/**
 * Where the DNS record of a custom domain has to point: this server. An invented name of a distribution could be
 * somebody else's, who would then be handed the domain.
 */
const dnsTarget = (ctx: Context): string => new URL(ctx.publicUrl).hostname

/** Milliseconds as `yyyymmddHHMMSS` in UTC, the form of versions. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)
