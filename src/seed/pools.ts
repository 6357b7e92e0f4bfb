/**
 * Pools of the seed file and the configuration in them. What is missing is made; what differs from the file is brought
 * in line with it, and what does not is left alone; nothing is deleted.
 */
import { isDeepStrictEqual } from 'node:util'
import type { SchemaAttributeType } from '../contract/types.ts'
import { addCustomAttributes, buildSchema, standardAttributes } from '../core/attributes.ts'
import { isCognitoError } from '../core/errors.ts'
import { createClient, updateClient } from '../features/app-clients/change-client.ts'
import { type Client, findClient, getClient } from '../features/app-clients/client.ts'
import { makeClientSettings } from '../features/app-clients/client-settings.ts'
import type { Context } from '../features/context.ts'
import { createGroup, getGroup, updateGroup } from '../features/groups/group.ts'
import { createProvider, updateProvider } from '../features/identity-providers/change-provider.ts'
import { findProvider, type Provider } from '../features/identity-providers/provider.ts'
import { createDomain, findDomains, updateDomain } from '../features/managed-login/domains.ts'
import {
  createResourceServer,
  getResourceServer,
  updateResourceServer,
} from '../features/resource-servers/resource-server.ts'
import { assertNoImport } from '../features/user-import/jobs.ts'
import { applyMfaConfig } from '../features/user-pools/mfa-config.ts'
import { isCaseSensitive, type Pool, type PoolSettings, readPool } from '../features/user-pools/pool.ts'
import { newPoolSettings, updatePoolSettings } from '../features/user-pools/pool-settings.ts'
import { changePool, createPool } from '../features/user-pools/pool-store.ts'
import { usesThreatProtection } from '../features/user-pools/tiers.ts'
import { SeedError, type SeedPool } from './document.ts'
import { applying } from './refused.ts'

/**
 * Makes the pool, or brings it in line with the file. Returns it as it is then. `claimed` are the ids in the file; a pool
 * that has one of them is no match for a name.
 * @throws SeedError
 */
export const applyPool = async (ctx: Context, entry: SeedPool, claimed: ReadonlySet<string>): Promise<Pool> => {
  const found = await findPoolOf(ctx, entry, claimed)
  if (found === undefined) {
    const settings = await applying(entry, 'CreateUserPool', async () => newPoolSettings(entry.input, ctx.region))
    const complete = await withMfa(ctx, entry, settings)
    const create = () => createPool(ctx, entry.input.PoolName, complete, entry.id)
    const pool = await applying(entry, 'CreateUserPool', create)
    await ctx.caches.invalidate('pools', pool.id)
    return pool
  }
  const changes = { name: entry.input.PoolName, settings: await changedSettings(ctx, entry, found) }
  if (found.name === changes.name && isSame(found.settings, changes.settings)) return found
  return applying(entry, 'UpdateUserPool', () => changePool(ctx, found.id, () => changes, assertNoImport))
}

const findPoolOf = async (
  ctx: Context,
  { path, id, input }: SeedPool,
  claimed: ReadonlySet<string>,
): Promise<Pool | undefined> => {
  if (id !== undefined) return readPool(ctx, id)
  const rows = await ctx.db
    .selectFrom('pools')
    .select('id')
    .where('region', '=', ctx.region)
    .where('name', '=', input.PoolName)
    .execute()
  const ids = rows.map(row => row.id).filter(each => !claimed.has(each))
  if (ids.length > 1) throw new SeedError(`${path}.PoolName`, `${ids.length} pools have this name; give the Id of one`)
  return ids[0] === undefined ? undefined : readPool(ctx, ids[0])
}

/** The settings with those of `mfa`, which no operation sets while it creates a pool. */
const withMfa = (ctx: Context, { mfa }: SeedPool, settings: PoolSettings): Promise<PoolSettings> | PoolSettings => {
  if (mfa === undefined) return settings
  return applying(mfa, 'SetUserPoolMfaConfig', async () => applyMfaConfig({ ...unsaved(ctx), settings }, mfa.input))
}

/** A pool that is not stored yet, as far as the rules of its settings look at it. */
const unsaved = (ctx: Context) => ({ id: '', name: '', region: ctx.region, version: 0, createdAt: 0, updatedAt: 0 })

const changedSettings = async (ctx: Context, entry: SeedPool, pool: Pool): Promise<PoolSettings> => {
  const { PoolName, Schema, AliasAttributes, UsernameAttributes, UsernameConfiguration, ...shared } = entry.input
  checkFixed(entry, pool)
  const SchemaAttributes = withSchema(entry, pool)
  const requested = {
    ...shared,
    // Creation derives the tier from the add-ons where an update does not.
    UserPoolTier: shared.UserPoolTier ?? (usesThreatProtection(shared.UserPoolAddOns) ? 'PLUS' : 'ESSENTIALS'),
    ...(entry.mfa !== undefined && { MfaConfiguration: pool.settings.MfaConfiguration ?? 'OFF' }),
  } as const
  const settings = await applying(entry, 'UpdateUserPool', async () => ({
    ...updatePoolSettings(pool, requested),
    SchemaAttributes,
  }))
  return withMfa(ctx, entry, settings)
}

/** What a pool keeps for life. @throws SeedError when the file wants it otherwise. */
const checkFixed = ({ path, input }: SeedPool, { settings, ...pool }: Pool): void => {
  const setOf = (names: readonly string[] | undefined) => new Set(names)
  for (const name of ['AliasAttributes', 'UsernameAttributes'] as const) {
    if (!isDeepStrictEqual(setOf(input[name]), setOf(settings[name]))) throw fixed(`${path}.${name}`)
  }
  const wanted = input.UsernameConfiguration?.CaseSensitive !== false
  if (wanted !== isCaseSensitive({ ...pool, settings })) throw fixed(`${path}.UsernameConfiguration`)
}

const fixed = (path: string) => new SeedError(path, 'cannot be changed once the pool exists')

/** The schema of the pool with the attributes of the file that it lacks. */
const withSchema = (entry: SeedPool, { settings }: Pool): SchemaAttributeType[] => {
  const current = settings.SchemaAttributes ?? []
  const missing = (entry.input.Schema ?? []).filter((attribute, index) => {
    const path = `${entry.path}.Schema[${index}]`
    const wanted = wantedAttribute(path, attribute)
    const existing = current.find(({ Name }) => Name === wanted.Name)
    if (existing !== undefined && !isSame(existing, wanted)) throw fixed(path)
    return existing === undefined && wanted.Name !== 'identities'
  })
  return refusing(`${entry.path}.Schema`, () => addCustomAttributes(current, missing))
}

/** The attribute as it stands in the schema of a pool that is created with it. */
const wantedAttribute = (path: string, attribute: SchemaAttributeType): SchemaAttributeType => {
  const built = refusing(path, () => buildSchema([attribute]))
  const isCustom = attribute.Name !== 'identities' && built.length > standardAttributes().length
  const wanted = isCustom ? built.at(-1) : built.find(({ Name }) => Name === attribute.Name)
  return wanted ?? attribute
}

const refusing = <T>(path: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw isCognitoError(error) ? new SeedError(path, error.message) : error
  }
}

/** As they would be stored: members without a value do not count. */
const isSame = (one: unknown, other: unknown): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))

// ---------------------------------------------------------------------------------------------- in a pool

/** What the work finds; undefined when it says that there is none. */
const orUndefined = <T>(work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (isCognitoError(error, 'ResourceNotFoundException')) return undefined
    throw error
  })

/** @throws SeedError */
export const applyResourceServer = (
  ctx: Context,
  pool: Pool,
  entry: SeedPool['resourceServers'][number],
): Promise<void> =>
  applying(entry, 'CreateResourceServer', async () => {
    const { Identifier, Name, Scopes = [] } = entry.input
    const found = await orUndefined(getResourceServer(ctx, pool, Identifier))
    if (found === undefined) await createResourceServer(ctx, pool, Identifier, entry.input)
    else if (found.name !== Name || !isSame(found.scopes, Scopes)) {
      await updateResourceServer(ctx, pool, Identifier, entry.input)
    }
  })

/** @throws SeedError */
export const applyProvider = (ctx: Context, pool: Pool, entry: SeedPool['identityProviders'][number]): Promise<void> =>
  applying(entry, 'CreateIdentityProvider', async () => {
    const input = { ...entry.input, UserPoolId: pool.id }
    const found = await findProvider(ctx, pool, input.ProviderName)
    if (found === undefined) {
      await createProvider(ctx, pool, input)
      return
    }
    if (found.type !== input.ProviderType) {
      throw new SeedError(`${entry.path}.ProviderType`, 'cannot be changed once the provider exists')
    }
    const complete = { AttributeMapping: {}, AcrMapping: {}, IdpIdentifiers: [], ...input }
    if (!hasMembers(found, complete)) await updateProvider(ctx, pool, complete)
  })

type ProviderMembers = Required<
  Pick<SeedPool['identityProviders'][number]['input'], 'AttributeMapping' | 'AcrMapping' | 'IdpIdentifiers'>
> &
  SeedPool['identityProviders'][number]['input']

/** Details that the server sets by itself, whatever a request says. */
const setByServer = new Set(['attributes_url_add_attributes', 'token_request_method'])

/**
 * Whether the provider is as the file says. Endpoints and metadata that the file does not name were read from the
 * provider's server; to ask for them again at each start would make the start depend on that server.
 */
const hasMembers = ({ settings, secrets }: Provider, members: ProviderMembers): boolean => {
  const stored = new Map(Object.entries({ ...settings.details, ...secrets.details }))
  const { username, ...mapping } = settings.attributeMapping
  const { username: _, ...wantedMapping } = members.AttributeMapping
  return (
    Object.entries(members.ProviderDetails).every(
      ([key, value]) => value === '' || setByServer.has(key) || stored.get(key)?.toLowerCase() === value.toLowerCase(),
    ) &&
    isSame(mapping, wantedMapping) &&
    isSame(settings.acrMapping ?? {}, members.AcrMapping) &&
    isSame(settings.identifiers, [...new Set(members.IdpIdentifiers)])
  )
}

/** @throws SeedError */
export const applyClient = async (
  ctx: Context,
  pool: Pool,
  entry: SeedPool['clients'][number],
  claimed: ReadonlySet<string>,
): Promise<void> => {
  const found = await findClientOf(ctx, pool, entry, claimed)
  if (found === undefined) {
    const client = await applying(entry, 'CreateUserPoolClient', () =>
      createClient(ctx, pool, entry.input, { id: entry.id }),
    )
    await ctx.caches.invalidate('clients', client.id)
    return
  }
  warnOfSecret(ctx, entry, found)
  const { GenerateSecret, ClientSecret, ...members } = entry.input
  const input = { ...members, UserPoolId: pool.id, ClientId: found.id }
  await applying(entry, 'CreateUserPoolClient', async () => {
    const hasSecret = found.secrets.length > 0
    const { ClientType: clientType } = found.settings
    const settings = await makeClientSettings(ctx, pool, input, { hasSecret, activity: 'updating', clientType })
    const isUnchanged = found.name === input.ClientName && isSame(found.settings, settings)
    if (!isUnchanged) await updateClient(ctx, pool, found, input)
  })
}

const findClientOf = async (
  ctx: Context,
  pool: Pool,
  { path, id, input }: SeedPool['clients'][number],
  claimed: ReadonlySet<string>,
): Promise<Client | undefined> => {
  if (id !== undefined) {
    const client = await findClient(ctx, id)
    if (client !== undefined && client.poolId !== pool.id) {
      throw new SeedError(`${path}.ClientId`, 'a client of another pool has this id')
    }
    return client
  }
  const rows = await ctx.db
    .selectFrom('clients')
    .select('id')
    .where('pool_id', '=', pool.id)
    .where('name', '=', input.ClientName)
    .execute()
  const ids = rows.map(row => row.id).filter(each => !claimed.has(each))
  if (ids.length > 1) {
    throw new SeedError(`${path}.ClientName`, `${ids.length} clients have this name; give the ClientId of one`)
  }
  return ids[0] === undefined ? undefined : getClient(ctx, ids[0], pool)
}

/**
 * A client keeps the secrets that it has: one that was deleted, perhaps because it had leaked, must not come back with
 * the next start.
 */
const warnOfSecret = (ctx: Context, { path, input }: SeedPool['clients'][number], { id, secrets }: Client): void => {
  const wantsSecret = input.GenerateSecret === true || input.ClientSecret !== undefined
  const isOther = input.ClientSecret !== undefined && secrets.every(({ value }) => value !== input.ClientSecret)
  if (!isOther && wantsSecret === secrets.length > 0) return
  ctx.log.warn({ clientId: id, path }, 'the secret of the client is not the one of the seed file and stays as it is')
}

/** @throws SeedError */
export const applyDomain = (ctx: Context, pool: Pool, entry: SeedPool['domains'][number]): Promise<void> =>
  applying(entry, 'CreateUserPoolDomain', async () => {
    const { input } = entry
    const found = (await findDomains(ctx, pool.id)).find(domain => domain.name === input.Domain)
    if (found === undefined) {
      await createDomain(ctx, pool.id, input)
      return
    }
    const { ManagedLoginVersion, CustomDomainConfig, Routing } = found.settings
    const current = { ManagedLoginVersion, CustomDomainConfig, Routing }
    const wanted = {
      ManagedLoginVersion: input.ManagedLoginVersion ?? 1,
      CustomDomainConfig: input.CustomDomainConfig,
      Routing: input.Routing?.Failover === undefined ? Routing : input.Routing,
    }
    if (!isSame(current, wanted)) await updateDomain(ctx, pool.id, { ...input, ...wanted })
  })

/** @throws SeedError */
export const applyGroup = (ctx: Context, pool: Pool, entry: SeedPool['groups'][number]): Promise<void> =>
  applying(entry, 'CreateGroup', async () => {
    const { GroupName, Description, RoleArn, Precedence } = entry.input
    const found = await orUndefined(getGroup(ctx, pool, GroupName))
    if (found === undefined) {
      await createGroup(ctx, pool, GroupName, entry.input)
      return
    }
    const wanted = {
      description: Description ?? found.description,
      role_arn: RoleArn ?? found.role_arn,
      precedence: Precedence ?? found.precedence,
    }
    const isUnchanged = Object.entries(wanted).every(([name, value]) => found[name as keyof typeof wanted] === value)
    if (!isUnchanged) await updateGroup(ctx, pool, GroupName, entry.input)
  })
