/**
 * The risk configuration: what threat protection does about passwords that are known to others, about sign-ins that look
 * like somebody else's, and about certain addresses. A pool has one, and each client can have one of its own, which takes
 * the place of the pool's as a whole. It can be set in every tier and takes effect while threat protection is on.
 *
 * The folder owns the configuration; scoring and its consequences read it through `riskRules`.
 */
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type {
  AccountTakeoverEventActionType,
  CompromisedCredentialsEventActionType,
  EventFilterType,
  NotifyConfigurationType,
  NotifyEmailType,
  RiskConfigurationType,
  SetRiskConfigurationRequest,
} from '../../contract/types.ts'
import { clientNotFound, globalSettingInReplica, invalidIpRange } from '../../core/errors.ts'
import type { RiskConfigurationRow } from '../../store/tables.ts'
import type { Client } from '../app-clients/client.ts'
import { riskConfigurationKey } from '../caches.ts'
import { type Context, inTransaction, type Services, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'

/** The three parts; each is absent when it was not set. */
export type RiskConfiguration = Omit<SetRiskConfigurationRequest, 'UserPoolId' | 'ClientId'>

/** Whose configuration it is: the pool's, or that of one of its clients. */
type Owner = { pool: Pool; client: Client | undefined }

const allEvents: EventFilterType[] = ['SIGN_IN', 'PASSWORD_CHANGE', 'SIGN_UP']

/** The sender of notifications, which a secondary region has for itself. */
type RegionalPart = Pick<NotifyConfigurationType, 'SourceArn' | 'From'>

const ownerId = ({ pool, client }: Owner): string => client?.id ?? pool.id

/** The row of the owner in a region; null when there is none. */
const findRow = (ctx: Services, owner: Owner, region: string): Promise<RiskConfigurationRow | null> =>
  ctx.caches.riskConfigurations.get(cacheKey(owner, region), async () => {
    const row = await ctx.db
      .selectFrom('risk_configurations')
      .selectAll()
      .where('owner_id', '=', ownerId(owner))
      .where('region', '=', region)
      .executeTakeFirst()
    return row ?? null
  })

const cacheKey = (owner: Owner, region: string): string => riskConfigurationKey(ownerId(owner), region)

/** The configuration as the region of the request sees it; undefined when none is set for this owner. */
const findConfiguration = async (
  ctx: Context,
  owner: Owner,
): Promise<{ configuration: RiskConfiguration; updatedAt: number } | undefined> => {
  const row = await findRow(ctx, owner, owner.pool.region)
  if (row === null) return undefined
  const configuration = JSON.parse(row.settings) as RiskConfiguration
  const regional = ctx.region === owner.pool.region ? null : await findRow(ctx, owner, ctx.region)
  return {
    configuration: regional === null ? configuration : withSender(configuration, regional),
    updatedAt: Math.max(row.updated_at, regional?.updated_at ?? 0),
  }
}

const withSender = (configuration: RiskConfiguration, regional: RiskConfigurationRow): RiskConfiguration => {
  const takeover = configuration.AccountTakeoverRiskConfiguration
  if (takeover?.NotifyConfiguration === undefined) return configuration
  const { From, SourceArn, ...texts } = takeover.NotifyConfiguration
  const sender = JSON.parse(regional.settings) as RegionalPart
  return {
    ...configuration,
    AccountTakeoverRiskConfiguration: { ...takeover, NotifyConfiguration: { ...texts, ...sender } },
  }
}

/** RiskConfigurationType of the owner; without its parts when nothing is set, so that the client has the pool's. */
export const describeRisk = async (ctx: Context, owner: Owner): Promise<RiskConfigurationType> =>
  present(owner, await findConfiguration(ctx, owner))

const present = (
  { pool, client }: Owner,
  found: { configuration: RiskConfiguration; updatedAt: number } | undefined,
): RiskConfigurationType => ({
  UserPoolId: pool.id,
  ...(client !== undefined && { ClientId: client.id }),
  ...found?.configuration,
  ...(found !== undefined && { LastModifiedDate: new Date(found.updatedAt) }),
})

/**
 * Replaces the configuration of the owner; one without any part removes it. In a secondary region of the pool only the
 * sender of notifications changes. Returns RiskConfigurationType.
 * @throws InvalidParameterException, ResourceNotFoundException when pool or client were deleted meanwhile.
 */
export const setRisk = async (
  ctx: Context,
  owner: Owner,
  requested: RiskConfiguration,
): Promise<RiskConfigurationType> => {
  const configuration = complete(requested)
  const isPrimary = ctx.region === owner.pool.region
  const stored: unknown = isPrimary ? configuration : await regionalChange(ctx, owner, configuration)
  const updatedAt = ctx.clock.now()
  await inTransaction(ctx, async tx => {
    await holdPool(tx, owner.pool.region, owner.pool.id)
    if (owner.client !== undefined) await assertClientExists(tx, owner.client)
    const removed = tx.db.deleteFrom('risk_configurations').where('owner_id', '=', ownerId(owner))
    if (isPrimary && Object.keys(configuration).length === 0) {
      await removed.execute()
      return
    }
    await removed.where('region', '=', ctx.region).execute()
    await tx.db
      .insertInto('risk_configurations')
      .values({
        owner_id: ownerId(owner),
        region: ctx.region,
        pool_id: owner.pool.id,
        client_id: owner.client?.id ?? null,
        settings: JSON.stringify(stored),
        updated_at: updatedAt,
      })
      .execute()
  })
  const regions = [owner.pool.region, ctx.region, owner.pool.replica?.region ?? ctx.region]
  await Promise.all(
    [...new Set(regions)].map(region => ctx.caches.invalidate('riskConfigurations', cacheKey(owner, region))),
  )
  const isSet = Object.keys(configuration).length > 0
  return present(owner, isSet ? { configuration, updatedAt } : undefined)
}

const assertClientExists = async (tx: TransactionContext, client: Client): Promise<void> => {
  const row = await tx.db.selectFrom('clients').select('id').where('id', '=', client.id).executeTakeFirst()
  if (row === undefined) throw clientNotFound(client.id)
}

/**
 * What a secondary region stores: the sender, when all else is as it is.
 * @throws InvalidParameterException
 */
const regionalChange = async (ctx: Context, owner: Owner, configuration: RiskConfiguration): Promise<RegionalPart> => {
  const inForce = (await findConfiguration(ctx, owner))?.configuration ?? {}
  if (!isDeepStrictEqual(withoutSender(configuration), withoutSender(inForce))) throw globalSettingInReplica()
  const { SourceArn, From } = configuration.AccountTakeoverRiskConfiguration?.NotifyConfiguration ?? {}
  if (SourceArn === undefined) throw globalSettingInReplica()
  return { SourceArn, ...(From !== undefined && { From }) }
}

/** Through JSON, as it would be stored: members without a value do not count. */
const withoutSender = (configuration: RiskConfiguration): unknown =>
  JSON.parse(
    JSON.stringify({
      ...configuration,
      AccountTakeoverRiskConfiguration: configuration.AccountTakeoverRiskConfiguration && {
        ...configuration.AccountTakeoverRiskConfiguration,
        NotifyConfiguration: configuration.AccountTakeoverRiskConfiguration.NotifyConfiguration && {
          ...configuration.AccountTakeoverRiskConfiguration.NotifyConfiguration,
          SourceArn: undefined,
          From: undefined,
        },
      },
    }),
  )

/** The parts that were sent, with the default of the one member that has one. */
const complete = (requested: RiskConfiguration): RiskConfiguration => {
  const {
    CompromisedCredentialsRiskConfiguration: credentials,
    AccountTakeoverRiskConfiguration: takeover,
    RiskExceptionConfiguration: exceptions,
  } = requested
  for (const range of [...(exceptions?.BlockedIPRangeList ?? []), ...(exceptions?.SkippedIPRangeList ?? [])]) {
    if (!isIpRange(range)) throw invalidIpRange(range)
  }
  return {
    ...(credentials !== undefined && {
      CompromisedCredentialsRiskConfiguration: {
        ...credentials,
        EventFilter: [...new Set(credentials.EventFilter?.length ? credentials.EventFilter : allEvents)],
      },
    }),
    ...(takeover !== undefined && { AccountTakeoverRiskConfiguration: takeover }),
    ...(exceptions !== undefined && { RiskExceptionConfiguration: exceptions }),
  }
}

/** The longest is an address of IPv6 with its prefix. */
const ipRangeLengthMax = 49

/** A block in CIDR notation (RFC 4632, RFC 4291). */
const isIpRange = (text: string): boolean => {
  if (text.length > ipRangeLengthMax) return false
  const [address = '', prefix = '', ...rest] = text.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

// ---------------------------------------------------------------------------------------------- in force

/** What to do about a sign-in of one level of risk. */
export interface TakeoverRule {
  action: AccountTakeoverEventActionType
  notify: boolean
}

/** The configuration in force for a client, complete with the defaults. */
export interface RiskRules {
  compromised: { events: ReadonlySet<EventFilterType>; action: CompromisedCredentialsEventActionType }
  takeover: { Low: TakeoverRule; Medium: TakeoverRule; High: TakeoverRule }
  /** Sender and texts of notifications; undefined when there is no sender. */
  notification: (NotifyConfigurationType & Required<Pick<NotifyConfigurationType, NotificationText>>) | undefined
  /** CIDR blocks. An address in both lists is blocked. */
  blocked: readonly string[]
  skipped: readonly string[]
}

type NotificationText = 'BlockEmail' | 'NoActionEmail' | 'MfaEmail'

/**
 * The rules for a client: its own configuration, else the pool's, else Cognito's defaults, which also stand in for each
 * part that is not set: passwords known to others are refused at all three events, and every risk blocks without a
 * notification. Whether they are applied at all is the pool's AdvancedSecurityMode.
 */
export const riskRules = async (ctx: Context, pool: Pool, client: Client): Promise<RiskRules> => {
  const found =
    (await findConfiguration(ctx, { pool, client })) ?? (await findConfiguration(ctx, { pool, client: undefined }))
  const {
    CompromisedCredentialsRiskConfiguration: credentials,
    AccountTakeoverRiskConfiguration: takeover,
    RiskExceptionConfiguration: exceptions,
  } = found?.configuration ?? {}
  const rule = (level: 'LowAction' | 'MediumAction' | 'HighAction'): TakeoverRule => {
    if (takeover === undefined) return { action: 'BLOCK', notify: false }
    const action = takeover.Actions[level]
    return { action: action?.EventAction ?? 'NO_ACTION', notify: action?.Notify ?? false }
  }
  const notify = takeover?.NotifyConfiguration
  return {
    compromised: {
      events: new Set(credentials?.EventFilter ?? allEvents),
      action: credentials?.Actions.EventAction ?? 'BLOCK',
    },
    takeover: { Low: rule('LowAction'), Medium: rule('MediumAction'), High: rule('HighAction') },
    notification: notify && { ...defaultTexts, ...notify },
    blocked: exceptions?.BlockedIPRangeList ?? [],
    skipped: exceptions?.SkippedIPRangeList ?? [],
  }
}

const notificationText = (Subject: string, sentence: string): NotifyEmailType => ({
  Subject,
  TextBody: `${sentence}\n\nTime: {login-time}\nDevice: {device-name}\nLocation: {city}, {country}\n\nIf this was not you: {one-click-link-invalid}\nIf this was you: {one-click-link-valid}\n`,
  HtmlBody: `<p>${sentence}</p><p>Time: {login-time}<br>Device: {device-name}<br>Location: {city}, {country}</p><p><a href="{one-click-link-invalid}">This was not me</a></p><p><a href="{one-click-link-valid}">This was me</a></p>`,
})

const defaultTexts: Record<NotificationText, NotifyEmailType> = {
  BlockEmail: notificationText(
    'Blocked sign-in attempt',
    'We blocked an attempt to sign in to your account that we did not recognize.',
  ),
  NoActionEmail: notificationText(
    'New sign-in attempt',
    'We observed a sign-in to your account that we did not recognize.',
  ),
  MfaEmail: notificationText(
    'New sign-in attempt',
    'We asked for a second factor because we did not recognize an attempt to sign in to your account.',
  ),
}
