/**
 * Branding styles of managed login: settings and image files, at most one style for each client. The files have rows of
 * their own, which are read only where they are shown.
 */
import type {
  AssetCategoryType,
  AssetExtensionType,
  AssetType,
  CreateManagedLoginBrandingRequest,
  ManagedLoginBrandingType,
  UpdateManagedLoginBrandingRequest,
} from '../../contract/types.ts'
import { checkBrandingSettings, type JsonObject, mergeBrandingSettings } from '../../core/branding-settings.ts'
import {
  brandingExists,
  brandingNotFound,
  brandingOfClientNotFound,
  brandingSource,
  clientNotFound,
  concurrentModification,
  invalidAsset,
  tooManyBrandings,
} from '../../core/errors.ts'
import { newUuid } from '../../core/ids.ts'
import { hasModestSize, readImage } from '../../core/images.ts'
import { findSvgFault } from '../../core/svg.ts'
import { isForeignKeyViolation } from '../../store/database.ts'
import type { ManagedLoginAssetRow, ManagedLoginBrandingRow } from '../../store/tables.ts'
import { type Client, getClient } from '../app-clients/client.ts'
import { type Context, inTransaction, type ReadContext, type TransactionContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'

const brandingsPerPoolMax = 20

export interface Branding {
  id: string
  poolId: string
  clientId: string
  usesProvidedValues: boolean
  /** The caller's own settings, in the form of the request; undefined while the provided values are used. */
  settings: JsonObject | undefined
  version: number
  createdAt: number
  updatedAt: number
}

/** An image file of a style, without its content. */
export interface BrandingAsset {
  /** Tells the files of one style apart. */
  position: number
  category: string
  colorMode: string
  extension: string
  /** For a button's icon: the name of its provider. */
  resourceId: string | undefined
}

/**
 * @throws InvalidParameterException, LimitExceededException, ManagedLoginBrandingExistsException,
 * ResourceNotFoundException
 */
export const createBranding = async (
  ctx: Context,
  pool: Pool,
  requested: Omit<CreateManagedLoginBrandingRequest, 'UserPoolId'>,
): Promise<Branding> => {
  const client = await getClient(ctx, requested.ClientId, pool)
  const values = checkedValues(requested)
  const assets = checkedAssets(requested.Assets ?? [])
  const now = ctx.clock.now()
  const row = await inTransaction(ctx, async tx => {
    await holdPool(tx, pool.region, pool.id)
    const inserted = await tx.db
      .insertInto('managed_login_brandings')
      .values({
        id: newUuid(tx.random),
        pool_id: pool.id,
        client_id: client.id,
        ...values,
        version: 1,
        created_at: now,
        updated_at: now,
      })
      .onConflict(conflict => conflict.column('client_id').doNothing())
      .returningAll()
      .executeTakeFirst()
    if (inserted === undefined) throw brandingExists(client.id)
    const { count } = await tx.db
      .selectFrom('managed_login_brandings')
      .select(select => select.fn.countAll<number>().as('count'))
      .where('pool_id', '=', pool.id)
      .executeTakeFirstOrThrow()
    if (Number(count) > brandingsPerPoolMax) throw tooManyBrandings(brandingsPerPoolMax)
    await insertAssets(tx, inserted.id, assets)
    return inserted
  }).catch(error => {
    throw isForeignKeyViolation(error) ? clientNotFound(client.id) : error
  })
  return fromRow(row)
}

/**
 * Replaces the settings, and the files when the request names any list of them.
 * @throws InvalidParameterException, ResourceNotFoundException, ConcurrentModificationException
 */
export const updateBranding = async (
  ctx: Context,
  pool: Pool,
  id: string,
  requested: Omit<UpdateManagedLoginBrandingRequest, 'UserPoolId' | 'ManagedLoginBrandingId'>,
): Promise<Branding> => {
  const branding = await getBranding(ctx, pool, id)
  const values = checkedValues(requested)
  const assets = requested.Assets === undefined ? undefined : checkedAssets(requested.Assets)
  const row = await inTransaction(ctx, async tx => {
    const updated = await tx.db
      .updateTable('managed_login_brandings')
      .set({ ...values, version: branding.version + 1, updated_at: tx.clock.now() })
      .where('id', '=', branding.id)
      .where('version', '=', branding.version)
      .returningAll()
      .executeTakeFirst()
    if (updated === undefined) throw concurrentModification()
    if (assets !== undefined) {
      await tx.db.deleteFrom('managed_login_assets').where('branding_id', '=', branding.id).execute()
      await insertAssets(tx, branding.id, assets)
    }
    return updated
  })
  return fromRow(row)
}

/** @throws ResourceNotFoundException */
export const deleteBranding = async (ctx: Context, pool: Pool, id: string): Promise<void> => {
  const deleted = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('managed_login_brandings')
      .where('id', '=', id)
      .where('pool_id', '=', pool.id)
      .returning('id')
      .executeTakeFirst(),
  )
  if (deleted === undefined) throw brandingNotFound()
}

/** @throws ResourceNotFoundException */
export const getBranding = async (ctx: ReadContext, pool: Pool, id: string): Promise<Branding> => {
  const row = await ctx.db
    .selectFrom('managed_login_brandings')
    .selectAll()
    .where('id', '=', id)
    .where('pool_id', '=', pool.id)
    .executeTakeFirst()
  if (row === undefined) throw brandingNotFound()
  return fromRow(row)
}

/** @throws ResourceNotFoundException when there is no such client, or it has no style. */
export const getBrandingByClient = async (ctx: Context, pool: Pool, clientId: string): Promise<Branding> => {
  const client = await getClient(ctx, clientId, pool)
  const branding = await findBrandingByClient(ctx, client)
  if (branding === undefined) throw brandingOfClientNotFound(client.id)
  return branding
}

const findBrandingByClient = async (ctx: ReadContext, client: Client): Promise<Branding | undefined> => {
  const row = await ctx.db
    .selectFrom('managed_login_brandings')
    .selectAll()
    .where('client_id', '=', client.id)
    .where('pool_id', '=', client.poolId)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** What the pages of managed login need to know of a style. */
export interface BrandingStyle {
  id: string
  /** Changes with each update. */
  version: number
  /**
   * All settings. Colours are eight hexadecimal digits; words and the members below `components.idpButton.custom` are
   * the caller's own and not to be trusted.
   */
  settings: JsonObject
  assets: BrandingAsset[]
}

/** The style of the client; undefined when it has none, and with that no pages. */
export const brandingOf = async (ctx: ReadContext, pool: Pool, client: Client): Promise<BrandingStyle | undefined> => {
  const branding = client.poolId === pool.id ? await findBrandingByClient(ctx, client) : undefined
  return branding && styleOf(ctx, branding)
}

/** The style behind the address of its sheet. */
export const findBrandingStyle = async (ctx: ReadContext, id: string): Promise<BrandingStyle | undefined> => {
  const row = await ctx.db.selectFrom('managed_login_brandings').selectAll().where('id', '=', id).executeTakeFirst()
  return row && styleOf(ctx, fromRow(row))
}

const styleOf = async (ctx: ReadContext, branding: Branding): Promise<BrandingStyle> => {
  const rows = await ctx.db
    .selectFrom('managed_login_assets')
    .select(['position', 'category', 'color_mode', 'extension', 'resource_id'])
    .where('branding_id', '=', branding.id)
    .orderBy('position')
    .execute()
  const assets = rows.map(row => ({
    position: row.position,
    category: row.category,
    colorMode: row.color_mode,
    extension: row.extension,
    resourceId: row.resource_id ?? undefined,
  }))
  return { id: branding.id, version: branding.version, settings: mergeBrandingSettings(branding.settings), assets }
}

const contentTypes: Record<string, string> = {
  ICO: 'image/x-icon',
  JPEG: 'image/jpeg',
  PNG: 'image/png',
  SVG: 'image/svg+xml',
}

/** The content of a file of a style, with the version of the style. Serve it with this type and no other. */
export const findBrandingAsset = async (
  ctx: ReadContext,
  brandingId: string,
  position: number,
): Promise<{ contentType: string; bytes: Uint8Array; version: number } | undefined> => {
  const row = await ctx.db
    .selectFrom('managed_login_assets')
    .innerJoin('managed_login_brandings', 'managed_login_brandings.id', 'managed_login_assets.branding_id')
    .select(['extension', 'content', 'version'])
    .where('branding_id', '=', brandingId)
    .where('position', '=', position)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    contentType: contentTypes[row.extension] ?? 'application/octet-stream',
    bytes: Buffer.from(row.content, 'base64'),
    version: row.version,
  }
}

/**
 * Either the provided values or settings: exactly one source of the style must be named, in create and update alike.
 * Files may stand beside both.
 */
const checkedValues = ({
  UseCognitoProvidedValues: usesProvided = false,
  Settings: settings,
}: Pick<UpdateManagedLoginBrandingRequest, 'UseCognitoProvidedValues' | 'Settings'>) => {
  if (usesProvided === (settings !== undefined)) throw brandingSource()
  return {
    use_provided_values: usesProvided ? 1 : 0,
    settings: usesProvided ? null : JSON.stringify(checkBrandingSettings(settings)),
  }
}

const pictures: readonly AssetExtensionType[] = ['PNG', 'SVG', 'JPEG']
const fileTypes: Record<AssetCategoryType, readonly AssetExtensionType[]> = {
  FAVICON_ICO: ['ICO'],
  FAVICON_SVG: ['SVG'],
  EMAIL_GRAPHIC: pictures,
  SMS_GRAPHIC: pictures,
  AUTH_APP_GRAPHIC: pictures,
  PASSWORD_GRAPHIC: pictures,
  PASSKEY_GRAPHIC: pictures,
  PAGE_HEADER_LOGO: pictures,
  PAGE_HEADER_BACKGROUND: pictures,
  PAGE_FOOTER_LOGO: pictures,
  PAGE_FOOTER_BACKGROUND: pictures,
  PAGE_BACKGROUND: pictures,
  FORM_BACKGROUND: pictures,
  FORM_LOGO: pictures,
  IDP_BUTTON_ICON: ['ICO', 'SVG'],
}

type NewAsset = Omit<ManagedLoginAssetRow, 'branding_id'>

const checkedAssets = (assets: readonly AssetType[]): NewAsset[] =>
  assets.map((asset, position) => {
    const bytes = asset.Bytes ?? new Uint8Array()
    const fault = findAssetFault(asset, bytes)
    if (fault !== undefined) throw invalidAsset(position + 1, asset.Category, fault)
    return {
      position,
      category: asset.Category,
      color_mode: asset.ColorMode,
      extension: asset.Extension,
      resource_id: asset.ResourceId ?? null,
      content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    }
  })

const findAssetFault = ({ Category, Extension }: AssetType, bytes: Uint8Array): string | undefined => {
  if (!fileTypes[Category].includes(Extension)) {
    return `the extension must be one of ${fileTypes[Category].join(', ')}.`
  }
  if (bytes.length === 0) return 'Bytes is required.'
  if (Extension === 'SVG') return findSvgFault(bytes)
  const image = readImage(bytes)
  if (image?.kind !== Extension) return `the file is no ${Extension} image.`
  return hasModestSize(image) ? undefined : 'the image has too many pixels.'
}

const insertAssets = async (tx: TransactionContext, brandingId: string, assets: readonly NewAsset[]): Promise<void> => {
  if (assets.length === 0) return
  await tx.db
    .insertInto('managed_login_assets')
    .values(assets.map(asset => ({ branding_id: brandingId, ...asset })))
    .execute()
}

const fromRow = (row: ManagedLoginBrandingRow): Branding => ({
  id: row.id,
  poolId: row.pool_id,
  clientId: row.client_id,
  usesProvidedValues: row.use_provided_values === 1,
  settings: row.settings === null ? undefined : (JSON.parse(row.settings) as JsonObject),
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/**
 * Branding → ManagedLoginBrandingType, with all files. `merged` completes the settings with the defaults; otherwise a
 * style of provided values has no settings.
 */
export const presentBranding = async (
  ctx: ReadContext,
  branding: Branding,
  merged = false,
): Promise<ManagedLoginBrandingType> => {
  const assets = await ctx.db
    .selectFrom('managed_login_assets')
    .selectAll()
    .where('branding_id', '=', branding.id)
    .orderBy('position')
    .execute()
  const settings = merged ? mergeBrandingSettings(branding.settings) : branding.settings
  return {
    ManagedLoginBrandingId: branding.id,
    UserPoolId: branding.poolId,
    UseCognitoProvidedValues: branding.usesProvidedValues,
    ...(settings !== undefined && { Settings: settings }),
    Assets: assets.map(presentAsset),
    CreationDate: new Date(branding.createdAt),
    LastModifiedDate: new Date(branding.updatedAt),
  }
}

/** The columns hold what the contract let through. */
const presentAsset = (row: ManagedLoginAssetRow): AssetType => ({
  Category: row.category as AssetType['Category'],
  ColorMode: row.color_mode as AssetType['ColorMode'],
  Extension: row.extension as AssetType['Extension'],
  Bytes: Buffer.from(row.content, 'base64'),
  ...(row.resource_id !== null && { ResourceId: row.resource_id }),
})
