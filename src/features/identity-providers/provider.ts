/**
 * Identity providers: the record behind one, how it is found, and how it is written. Details stay in the AWS shape, with
 * the defaults of creation already filled in.
 *
 * The folder owns the providers of a pool: their details, what is discovered from them, and how their claims are mapped.
 * It does not own who signs in there: the identities of users are in `users/`, linking and sign-in in `federation/`.
 */

import type { Selectable } from 'kysely'
import type { IdentityProviderType, IdentityProviderTypeType, ProviderDescription } from '../../contract/types.ts'
import {
  concurrentModification,
  duplicateProvider,
  identityProviderNotFound,
  idpIdentifierTaken,
  tooManyProviders,
} from '../../core/errors.ts'
import type { SamlMetadata } from '../../core/saml-metadata.ts'
import { canonicalName } from '../../core/usernames.ts'
import type { IdentityProviderRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import { isCaseSensitive, type Pool } from '../user-pools/pool.ts'
import { addIdentitiesToSchema, holdPool } from '../user-pools/pool-store.ts'
import { type EncryptionKey, encryptionCertificate } from './encryption-key.ts'

const providersPerPoolMax = 300

/** What create and update set. */
export interface ProviderSettings {
  /** Complete with defaults and what was discovered; without secrets. */
  details: Record<string, string>
  attributeMapping: Record<string, string>
  /** Other names, unique in the pool. */
  identifiers: string[]
  /** Level of the pool → value of the provider; OIDC only. */
  acrMapping?: Record<string, string>
  saml?: SamlSettings
}

export interface SamlSettings {
  metadata: SamlMetadata
  /** When the metadata was read, in milliseconds since the epoch. */
  readAt: number
  /** When it was last tried to read it again. */
  triedAt?: number
}

export interface ProviderSecrets {
  /** `client_secret` and `private_key`. */
  details: Record<string, string>
  /** The key to which a SAML provider encrypts assertions. */
  encryptionKey?: EncryptionKey
}

export interface Provider {
  poolId: string
  name: string
  type: IdentityProviderTypeType
  settings: ProviderSettings
  secrets: ProviderSecrets
  /** The attributes by which users of this provider are linked before their first sign-in. */
  linkAttributes: string[]
  version: number
  /** Milliseconds since the epoch. */
  createdAt: number
  updatedAt: number
}

/** The name that stands for the pool itself wherever providers are listed. */
export const localProvider = 'COGNITO'

// ---------------------------------------------------------------------------------------------- finding

/** The provider with this name in this pool; undefined when there is none. */
export const findProvider = async (ctx: ReadContext, pool: Pool, name: string): Promise<Provider | undefined> => {
  const row = await ctx.db
    .selectFrom('identity_providers')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('name', '=', name)
    .executeTakeFirst()
  return row && fromRow(ctx, row)
}

/** @throws ResourceNotFoundException */
export const getProvider = async (ctx: ReadContext, pool: Pool, name: string): Promise<Provider> => {
  const provider = await findProvider(ctx, pool, name)
  if (provider === undefined) throw identityProviderNotFound(name)
  return provider
}

/** The provider that has this identifier. @throws ResourceNotFoundException */
export const getProviderByIdentifier = async (ctx: ReadContext, pool: Pool, identifier: string): Promise<Provider> => {
  const found = await ctx.db
    .selectFrom('identity_provider_identifiers')
    .select('provider_name')
    .where('pool_id', '=', pool.id)
    .where('identifier', '=', identifier)
    .executeTakeFirst()
  if (found === undefined) throw identityProviderNotFound(identifier)
  return getProvider(ctx, pool, found.provider_name)
}

/** Those of the names that no provider of the pool has. */
export const findUnknownProviders = async (
  ctx: ReadContext,
  pool: Pool,
  names: readonly string[],
): Promise<string[]> => {
  if (names.length === 0) return []
  const found = await ctx.db
    .selectFrom('identity_providers')
    .select('name')
    .where('pool_id', '=', pool.id)
    .where('name', 'in', names)
    .execute()
  const known = new Set(found.map(row => row.name))
  return names.filter(name => !known.has(name))
}

/** A provider as a page offers it. */
export interface OfferedProvider {
  name: string
  type: IdentityProviderTypeType
  identifiers: readonly string[]
}

/** Those of the names that a provider of the pool has, in their order. */
export const findOfferedProviders = async (
  ctx: ReadContext,
  pool: Pool,
  names: readonly string[],
): Promise<OfferedProvider[]> => {
  if (names.every(name => name === localProvider)) return []
  const rows = await ctx.db
    .selectFrom('identity_providers')
    .select(['name', 'type', 'settings'])
    .where('pool_id', '=', pool.id)
    .where('name', 'in', names)
    .execute()
  const byName = new Map(rows.map(row => [row.name, row]))
  return names.flatMap(name => {
    const row = byName.get(name)
    if (row === undefined) return []
    const { identifiers } = JSON.parse(row.settings) as ProviderSettings
    return [{ name, type: row.type as IdentityProviderTypeType, identifiers }]
  })
}

/** A pool has at most one provider of each of these types, under the name of the type. */
const socialTypes = new Set<IdentityProviderTypeType>(['Google', 'Facebook', 'LoginWithAmazon', 'SignInWithApple'])

export const isSocial = (type: IdentityProviderTypeType): boolean => socialTypes.has(type)

/**
 * Whether the name has the form in which the users of a provider of the pool are named, `{provider}_{subject}`: nobody
 * else may choose such a name.
 */
export const isNameOfProviderUser = async (ctx: ReadContext, pool: Pool, username: string): Promise<boolean> => {
  if (!username.includes('_')) return false
  const rows = await ctx.db.selectFrom('identity_providers').select('name').where('pool_id', '=', pool.id).execute()
  const caseSensitive = isCaseSensitive(pool)
  const name = canonicalName(username, { caseSensitive })
  return rows.some(row => name.startsWith(canonicalName(`${row.name}_`, { caseSensitive })))
}

/** Up to `limit` providers of the pool in the order of their names, those behind `after`. */
export const listProviders = async (
  ctx: ReadContext,
  pool: Pool,
  after: string,
  limit: number,
): Promise<ProviderSummary[]> => {
  const rows = await ctx.db
    .selectFrom('identity_providers')
    .select(['name', 'type', 'created_at', 'updated_at'])
    .where('pool_id', '=', pool.id)
    .where('name', '>', after)
    .orderBy('name')
    .limit(limit)
    .execute()
  return rows.map(row => ({
    name: row.name,
    type: row.type as IdentityProviderTypeType,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }))
}

export type ProviderSummary = Pick<Provider, 'name' | 'type' | 'createdAt' | 'updatedAt'>

const fromRow = (ctx: Pick<ReadContext, 'seal'>, row: Selectable<IdentityProviderRow>): Provider => ({
  poolId: row.pool_id,
  name: row.name,
  type: row.type as IdentityProviderTypeType,
  settings: JSON.parse(row.settings) as ProviderSettings,
  secrets: openSecrets(ctx, row),
  linkAttributes: JSON.parse(row.link_attributes) as string[],
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

// ---------------------------------------------------------------------------------------------- secrets

const sealPurpose = 'identity-provider'
const placeOf = (poolId: string, name: string): string => `${poolId} ${name}`

const sealSecrets = (
  ctx: Pick<ReadContext, 'seal'>,
  { poolId, name }: Pick<Provider, 'poolId' | 'name'>,
  secrets: ProviderSecrets,
): string => ctx.seal.seal(sealPurpose, JSON.stringify(secrets), placeOf(poolId, name))

const openSecrets = (ctx: Pick<ReadContext, 'seal'>, row: Selectable<IdentityProviderRow>): ProviderSecrets => {
  const opened = ctx.seal.open(sealPurpose, row.secrets, placeOf(row.pool_id, row.name))
  if (opened === undefined) throw new Error(`The secrets of provider ${row.name} cannot be opened with the master key.`)
  return JSON.parse(opened.toString('utf8')) as ProviderSecrets
}

// ---------------------------------------------------------------------------------------------- writing

/** What of a provider is written. */
export type ProviderContent = Pick<Provider, 'name' | 'type' | 'settings' | 'secrets'>

/**
 * Stores a new provider. From the first one on the schema of the pool has the attribute `identities`.
 * @throws DuplicateProviderException, InvalidParameterException for an identifier that another provider has,
 * LimitExceededException, ResourceNotFoundException when the pool is gone.
 */
export const insertProvider = async (
  ctx: Context,
  pool: Pool,
  { name, type, settings, secrets }: ProviderContent,
): Promise<Provider> => {
  const provider = await inTransaction(ctx, async tx => {
    const held = await holdPool(tx, pool.region, pool.id)
    const now = tx.clock.now()
    const row = await tx.db
      .insertInto('identity_providers')
      .values({
        pool_id: pool.id,
        name,
        type,
        settings: JSON.stringify(settings),
        secrets: sealSecrets(tx, { poolId: pool.id, name }, secrets),
        version: 1,
        created_at: now,
        updated_at: now,
      })
      .onConflict(conflict => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw duplicateProvider(name)
    const { count } = await tx.db
      .selectFrom('identity_providers')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('pool_id', '=', pool.id)
      .executeTakeFirstOrThrow()
    if (Number(count) > providersPerPoolMax) throw tooManyProviders(providersPerPoolMax)
    await insertIdentifiers(tx, pool, name, settings.identifiers)
    await addIdentitiesToSchema(tx, held)
    return fromRow(tx, row)
  })
  await ctx.caches.invalidate('pools', pool.id)
  return provider
}

/**
 * Replaces settings and secrets of the provider as it was read. Returns it as it is then.
 * @throws ConcurrentModificationException, InvalidParameterException for an identifier that another provider has,
 * ResourceNotFoundException when the provider is gone.
 */
export const replaceProvider = (
  ctx: Context,
  pool: Pool,
  provider: Provider,
  { settings, secrets }: Pick<Provider, 'settings' | 'secrets'>,
): Promise<Provider> =>
  inTransaction(ctx, async tx => {
    const row = await tx.db
      .updateTable('identity_providers')
      .set({
        settings: JSON.stringify(settings),
        secrets: sealSecrets(tx, provider, secrets),
        version: provider.version + 1,
        updated_at: tx.clock.now(),
      })
      .where('pool_id', '=', pool.id)
      .where('name', '=', provider.name)
      .where('version', '=', provider.version)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) {
      await getProvider(tx, pool, provider.name)
      throw concurrentModification()
    }
    await tx.db
      .deleteFrom('identity_provider_identifiers')
      .where('pool_id', '=', pool.id)
      .where('provider_name', '=', provider.name)
      .execute()
    await insertIdentifiers(tx, pool, provider.name, settings.identifiers)
    return fromRow(tx, row)
  })

const insertIdentifiers = async (
  tx: TransactionContext,
  pool: Pool,
  name: string,
  identifiers: readonly string[],
): Promise<void> => {
  // Everyone takes identifiers in the same order, so that two providers who swap theirs do not wait for each other.
  for (const identifier of [...identifiers].sort()) {
    const inserted = await tx.db
      .insertInto('identity_provider_identifiers')
      .values({ pool_id: pool.id, identifier, provider_name: name })
      .onConflict(conflict => conflict.doNothing())
      .returning('identifier')
      .executeTakeFirst()
    if (inserted === undefined) throw idpIdentifierTaken(identifier)
  }
}

/**
 * Deletes the provider. Its users stay, and so do the clients that list it.
 * @throws ResourceNotFoundException
 */
export const deleteProvider = async (ctx: Context, pool: Pool, name: string): Promise<void> => {
  const deleted = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('identity_providers')
      .where('pool_id', '=', pool.id)
      .where('name', '=', name)
      .returning('name')
      .executeTakeFirst(),
  )
  if (deleted === undefined) throw identityProviderNotFound(name)
}

// ---------------------------------------------------------------------------------------------- presenting

/** Never shown, not even to administrators. */
const neverShown = new Set(['private_key'])

/** Provider → IdentityProviderType. Client secrets are shown, as the service does. */
export const presentProvider = (ctx: Context, provider: Provider): IdentityProviderType => {
  const { details, attributeMapping, identifiers, acrMapping, saml } = provider.settings
  const secrets = Object.entries(provider.secrets.details).filter(([key]) => !neverShown.has(key))
  return {
    UserPoolId: provider.poolId,
    ProviderName: provider.name,
    ProviderType: provider.type,
    ProviderDetails: {
      ...details,
      ...Object.fromEntries(secrets),
      ...(saml !== undefined && {
        SSORedirectBindingURI: saml.metadata.signOnUrl,
        ...(saml.metadata.logoutUrl !== undefined && { SLORedirectBindingURI: saml.metadata.logoutUrl }),
      }),
      ...(provider.secrets.encryptionKey !== undefined && {
        ActiveEncryptionCertificate: encryptionCertificate(
          provider.poolId,
          provider.secrets.encryptionKey,
          ctx.clock.now(),
        ),
      }),
    },
    AttributeMapping: attributeMapping,
    IdpIdentifiers: identifiers,
    ...(acrMapping !== undefined && { AcrMapping: acrMapping }),
    LastModifiedDate: new Date(provider.updatedAt),
    CreationDate: new Date(provider.createdAt),
  }
}

export const presentProviderSummary = (provider: ProviderSummary): ProviderDescription => ({
  ProviderName: provider.name,
  ProviderType: provider.type,
  LastModifiedDate: new Date(provider.updatedAt),
  CreationDate: new Date(provider.createdAt),
})
