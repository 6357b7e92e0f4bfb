/**
 * Rate limits: how many requests of a category a pool takes per second, on each node. They are off unless the
 * configuration turns them on; then whatever exceeds them is refused before it does any work.
 */
import type { LimitDefinitionType, LimitType, OperationName } from '../contract/types.ts'
import { limitAboveQuota, limitBelowFree, limitNotAdjustable, tooManyRequests } from '../core/errors.ts'
import { subscriberOf } from '../core/forwarded-for.ts'
import {
  answersFactor,
  type Category,
  categoryLimit,
  categoryOf,
  type DomainLimit,
  type Draw,
  domainRates,
  drawAll,
  isCategory,
  perOperationRate,
  perUserRate,
} from '../core/rate-limits.ts'
import { type Context, inTransaction, type Services } from './context.ts'
import { findPoolIdOf } from './request-pool.ts'
import type { Settings } from './settings.ts'

/** An account can have a limit raised up to this many times the free one. */
const quotaFactor = 10

/**
 * Counts the request.
 * @throws TooManyRequestsException when a limit is reached; then it does not count.
 */
export const countRequest = async (ctx: Context, operation: OperationName, input: unknown): Promise<void> => {
  if (ctx.settings.rateLimits === undefined) return
  const poolId = await findPoolIdOf(ctx, input)
  const category = categoryOf(operation, input as object)
  // The id of a pool begins with its region.
  const region = poolId === undefined ? ctx.region : poolId.slice(0, poolId.lastIndexOf('_'))
  const rate = await rateOf(ctx, region, category)
  if (!drawAll(drawsOf(ctx, operation, input, poolId ?? ctx.region, category, rate), ctx.clock.now())) {
    throw tooManyRequests()
  }
}

/** What a request at the authorization server or the pages is counted by, as far as it is known. */
export interface DomainRequest {
  /** Count the address that it comes from. */
  address?: boolean
  pool?: { id: string } | undefined
  client?: { id: string } | undefined
}

/**
 * Counts a request at the authorization server or the pages.
 * @throws TooManyRequestsException when a limit is reached; then it does not count.
 */
export const countAtDomain = (ctx: Context, { address = false, pool, client }: DomainRequest): void => {
  const { rateLimits } = ctx.settings
  if (rateLimits === undefined) return
  const draw = (limit: DomainLimit, buckets: Draw['buckets'], key: string | undefined): Draw[] =>
    key === undefined ? [] : [{ buckets, key: `${limit} ${key}`, rate: rateLimits[limit] ?? domainRates[limit] }]
  const { poolRates, userRates } = ctx.caches
  const draws = [
    ...draw('DomainAddress', userRates, address ? subscriberOf(ctx.sourceIp) : undefined),
    ...draw('DomainClient', poolRates, client?.id),
    ...draw('Domain', poolRates, pool?.id),
  ]
  if (!drawAll(draws, ctx.clock.now())) throw tooManyRequests()
}

/**
 * Counts a sign-in through an identity provider of the pool.
 * @throws TooManyRequestsException when the limit is reached; then it does not count.
 */
export const countFederatedSignIn = async (ctx: Context, pool: { id: string; region: string }): Promise<void> => {
  if (ctx.settings.rateLimits === undefined) return
  const rate = await rateOf(ctx, pool.region, 'UserFederation')
  const draw = { buckets: ctx.caches.poolRates, key: `${pool.id} UserFederation`, rate }
  if (!drawAll([draw], ctx.clock.now())) throw tooManyRequests()
}

const drawsOf = (
  { caches }: Services,
  operation: OperationName,
  input: unknown,
  scope: string,
  category: Category,
  rate: number,
): Draw[] => {
  const { perOperation, perUser } = categoryLimit(category)
  const buckets = caches.poolRates
  const ofCategory: Draw = { buckets, key: `${scope} ${category}`, rate }
  const isAnswer = category === 'UserAuthentication' && operation.endsWith('RespondToAuthChallenge')
  const user = perUser && userOf(input)
  return [
    isAnswer ? { buckets, key: `${scope} answers`, rate: rate * answersFactor, otherwise: ofCategory } : ofCategory,
    ...(perOperation ? [{ buckets, key: `${scope} ${operation}`, rate: perOperationRate }] : []),
    ...(user === undefined
      ? []
      : [{ buckets: caches.userRates, key: `${scope} ${perUser} ${user}`, rate: perUserRate }]),
  ]
}

const userTextMax = 128

/**
 * What tells users apart here: the name, or the end of the access token, because anybody can write a name into a token
 * but not another's signature. Undefined when the request names no user.
 */
const userOf = (input: unknown): string | undefined => {
  const { Username, AuthParameters, ChallengeResponses, AccessToken } = input as {
    Username?: unknown
    AuthParameters?: { USERNAME?: unknown }
    ChallengeResponses?: { USERNAME?: unknown }
    AccessToken?: unknown
  }
  if (typeof AccessToken === 'string') return `token ${AccessToken.slice(-userTextMax)}`
  const name = Username ?? AuthParameters?.USERNAME ?? ChallengeResponses?.USERNAME
  return typeof name === 'string' ? `name ${name.slice(0, userTextMax).toLowerCase()}` : undefined
}

/** The limit that the configuration gives a category, in requests per second. */
const freeRate = ({ rateLimits }: Settings, category: Category): number =>
  rateLimits?.[category] ?? categoryLimit(category).rate

/** The limit in force: what was provisioned, or the free one. */
const rateOf = async (ctx: Services, region: string, category: Category): Promise<number> => {
  const free = freeRate(ctx.settings, category)
  if (!categoryLimit(category).adjustable) return free
  const provisioned = await ctx.caches.provisionedLimits.get(region, async () => {
    const rows = await ctx.db
      .selectFrom('provisioned_limits')
      .select(['category', 'value'])
      .where('region', '=', region)
      .execute()
    return new Map(rows.map(row => [row.category, row.value]))
  })
  return Math.max(free, provisioned.get(category) ?? free)
}

/** @throws InvalidParameterException for a category whose limit is fixed, or that does not exist. */
export const readLimit = async (ctx: Context, definition: LimitDefinitionType): Promise<LimitType> => {
  const category = adjustableCategory(definition)
  return presentLimit(ctx.settings, category, await rateOf(ctx, ctx.region, category))
}

/**
 * Changes the limit of a category for all pools of the region.
 * @throws InvalidParameterException for a category whose limit is fixed and for less than the free limit,
 * ServiceQuotaExceededException for more than the account can have.
 */
export const changeLimit = async (ctx: Context, definition: LimitDefinitionType, value: number): Promise<LimitType> => {
  const category = adjustableCategory(definition)
  const free = freeRate(ctx.settings, category)
  if (value < free) throw limitBelowFree(free)
  if (value > free * quotaFactor) throw limitAboveQuota(free * quotaFactor)
  await inTransaction(ctx, tx =>
    tx.db
      .insertInto('provisioned_limits')
      .values({ region: ctx.region, category, value })
      .onConflict(conflict => conflict.columns(['region', 'category']).doUpdateSet({ value }))
      .execute(),
  )
  await ctx.caches.invalidate('provisionedLimits', ctx.region)
  return presentLimit(ctx.settings, category, value)
}

const adjustableCategory = ({ Attributes }: LimitDefinitionType): Category => {
  const { Category: name, ...others } = Attributes
  if (name === undefined || !isCategory(name) || Object.keys(others).length > 0) throw limitNotAdjustable()
  if (!categoryLimit(name).adjustable) throw limitNotAdjustable()
  return name
}

const presentLimit = (settings: Settings, category: Category, value: number): LimitType => ({
  LimitDefinition: { LimitClass: 'API_CATEGORY', Attributes: { Category: category } },
  ProvisionedLimitValue: value,
  FreeLimitValue: freeRate(settings, category),
})
