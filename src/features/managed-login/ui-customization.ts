/**
 * Style sheet and logo of the classic pages, for one client or for all that have none of their own. The style sheet is
 * returned as it was sent; the pages get one that was put together anew from its harmless parts.
 */
import type { SetUICustomizationRequest, UICustomizationType } from '../../contract/types.ts'
import {
  clientNotFound,
  customizationTooLarge,
  domainMissing,
  imageTooManyPixels,
  invalidLogo,
} from '../../core/errors.ts'
import { safeCss } from '../../core/hosted-ui-css.ts'
import { hasModestSize, readImage } from '../../core/images.ts'
import { isForeignKeyViolation } from '../../store/database.ts'
import type { UiCustomizationRow } from '../../store/tables.ts'
import { type Client, getClient } from '../app-clients/client.ts'
import { type Context, inTransaction, type ReadContext } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'
import { findDomains, timestamp } from './domains.ts'

/** The target of what holds for every client without a customization of its own. */
const allClients = 'ALL'

/** Style sheet and logo together, the logo in base64 as it travels. */
const customizationBytesMax = 135 * 1024

/** The target of a request, after its client was found. */
const targetOf = async (ctx: Context, pool: Pool, clientId = allClients): Promise<string> =>
  clientId === allClients ? allClients : (await getClient(ctx, clientId, pool)).id

/**
 * Sets both parts for the target: the one that is left out is removed, and without either the target has no
 * customization any more.
 * @throws InvalidParameterException, ResourceNotFoundException
 */
export const setUiCustomization = async (
  ctx: Context,
  pool: Pool,
  requested: Omit<SetUICustomizationRequest, 'UserPoolId'>,
): Promise<UICustomizationType> => {
  const target = await targetOf(ctx, pool, requested.ClientId)
  if ((await findDomains(ctx, pool.id)).length === 0) throw domainMissing()
  const content = checkedContent(requested)
  const now = ctx.clock.now()
  const row = {
    pool_id: pool.id,
    target,
    client_id: target === allClients ? null : target,
    ...content,
    created_at: now,
    updated_at: now,
  }
  const stored = await inTransaction(ctx, async tx => {
    await holdPool(tx, pool.region, pool.id)
    if (content.css === null && content.image === null) {
      await tx.db.deleteFrom('ui_customizations').where('pool_id', '=', pool.id).where('target', '=', target).execute()
      return undefined
    }
    return tx.db
      .insertInto('ui_customizations')
      .values(row)
      .onConflict(conflict => conflict.columns(['pool_id', 'target']).doUpdateSet({ ...content, updated_at: now }))
      .returningAll()
      .executeTakeFirstOrThrow()
  }).catch(error => {
    throw isForeignKeyViolation(error) ? clientNotFound(target) : error
  })
  return stored === undefined
    ? { UserPoolId: pool.id, ClientId: target, CSSVersion: timestamp(now) }
    : presentUiCustomization(ctx, stored)
}

type Content = Pick<UiCustomizationRow, 'css' | 'image' | 'image_type'>

const checkedContent = ({
  CSS: css = '',
  ImageFile: image = new Uint8Array(),
}: SetUICustomizationRequestPart): Content => {
  const encoded = Buffer.from(image.buffer, image.byteOffset, image.byteLength).toString('base64')
  if (Buffer.byteLength(css) + encoded.length > customizationBytesMax) throw customizationTooLarge()
  safeCss(css)
  return {
    css: css === '' ? null : css,
    ...(encoded === '' ? { image: null, image_type: null } : { image: encoded, image_type: logoType(image) }),
  }
}

type SetUICustomizationRequestPart = Pick<SetUICustomizationRequest, 'CSS' | 'ImageFile'>

const logoType = (bytes: Uint8Array): string => {
  const image = readImage(bytes)
  if (image?.kind !== 'PNG' && image?.kind !== 'JPEG') throw invalidLogo()
  if (!hasModestSize(image)) throw imageTooManyPixels()
  return image.kind
}

/**
 * What is in force for the client: its own customization, else the one for all, else an empty structure.
 * @throws InvalidParameterException when the pool has no domain, ResourceNotFoundException
 */
export const getUiCustomization = async (
  ctx: Context,
  pool: Pool,
  clientId: string | undefined,
): Promise<UICustomizationType> => {
  const target = await targetOf(ctx, pool, clientId)
  if ((await findDomains(ctx, pool.id)).length === 0) throw domainMissing()
  const row = await findRow(ctx, pool, target)
  return row === undefined ? {} : presentUiCustomization(ctx, row)
}

/** The target's own row, or else the one for all clients. */
const findRow = async (
  ctx: ReadContext,
  pool: Pick<Pool, 'id'>,
  target: string,
): Promise<UiCustomizationRow | undefined> => {
  const rows = await ctx.db
    .selectFrom('ui_customizations')
    .selectAll()
    .where('pool_id', '=', pool.id)
    .where('target', 'in', [target, allClients])
    .execute()
  return rows.find(row => row.target === target) ?? rows[0]
}

/** What the classic pages need to know of a customization. */
export interface UiCustomization {
  poolId: string
  /** The client that it is for, or `ALL`. */
  target: string
  /** Safe to serve: put together anew from what was understood. */
  css: string
  imagePath: string | undefined
}

/** What is in force for the client; undefined when the classic pages look as they do by themselves. */
export const uiCustomizationOf = async (
  ctx: ReadContext,
  pool: Pick<Pool, 'id'>,
  client: Pick<Client, 'id'>,
): Promise<UiCustomization | undefined> => {
  const row = await findRow(ctx, pool, client.id)
  return (
    row && {
      poolId: row.pool_id,
      target: row.target,
      css: safeCss(row.css ?? ''),
      imagePath: row.image === null ? undefined : imagePath(row),
    }
  )
}

/**
 * The logo behind an ImageUrl. Serve it with this type and no other; an older version is gone.
 */
export const findUiImage = async (
  ctx: ReadContext,
  poolId: string,
  target: string,
  version: string,
): Promise<{ contentType: string; bytes: Uint8Array } | undefined> => {
  const row = await ctx.db
    .selectFrom('ui_customizations')
    .selectAll()
    .where('pool_id', '=', poolId)
    .where('target', '=', target)
    .executeTakeFirst()
  if (row === undefined || row.image === null || timestamp(row.updated_at) !== version) return undefined
  const contentType = row.image_type === 'PNG' ? 'image/png' : 'image/jpeg'
  return { contentType, bytes: Buffer.from(row.image, 'base64') }
}

/** The service's path has this form and this name, whatever the kind of the image. */
const imagePath = (row: UiCustomizationRow): string =>
  `/${row.pool_id}/${row.target}/${timestamp(row.updated_at)}/assets/images/image.jpg`

const presentUiCustomization = (ctx: Context, row: UiCustomizationRow): UICustomizationType => ({
  UserPoolId: row.pool_id,
  ClientId: row.target,
  ...(row.image !== null && { ImageUrl: ctx.publicUrl + imagePath(row) }),
  ...(row.css !== null && { CSS: row.css }),
  CSSVersion: timestamp(row.updated_at),
  LastModifiedDate: new Date(row.updated_at),
  CreationDate: new Date(row.created_at),
})
