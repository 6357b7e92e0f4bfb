/**
 * What the pages load from this server: style sheets, the script for passkeys, the pictures of branding styles, and fixed files. All of it is
 * public. An address that is not up to date still answers with what is in force now, but is not kept.
 */
import { Hono, type Context as HonoContext } from 'hono'
import type { Services } from '../../features/context.ts'
import { findBrandingAsset, findBrandingStyle } from '../../features/managed-login/branding.ts'
import { uiCustomizationOf } from '../../features/managed-login/ui-customization.ts'
import { passkeyScript, passkeyScriptPath } from './passkey-script.ts'
import { classicSheet, contentHash, managedSheet, type Sheet } from './styles/index.ts'

const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0972d3"/><path d="M16 8a5 5 0 0 1 2.5 9.33V23a2.5 2.5 0 0 1-5 0v-5.67A5 5 0 0 1 16 8z" fill="#fff"/></svg>`

export const faviconPath = `/pages/favicon/${contentHash(favicon)}.svg`

/** For ever where the address says which content it means. */
const keep = 'public, max-age=31536000, immutable'
const doNotKeep = 'no-store'

/** A picture that is opened by itself must be nothing but a picture. */
const asData = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}

/** The routes below `/pages`. */
export const pageAssets = (services: Services): Hono => {
  const face = new Hono()

  face.get('/passkey/:file{[\\w-]+\\.js}', c =>
    c.body(passkeyScript, 200, {
      'content-type': 'text/javascript; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': c.req.path === passkeyScriptPath ? keep : doNotKeep,
    }),
  )

  face.get('/favicon/:file', c =>
    c.body(favicon, 200, { ...asData, 'content-type': 'image/svg+xml', 'cache-control': keep }),
  )

  face.get('/styles/managed/:file{[\\w-]+\\.css}', c => sendSheet(c, managedSheet(undefined)))
  face.get('/styles/managed/:brandingId{[\\da-f-]{36}}/:file{[\\w-]+\\.css}', async c => {
    const style = await findBrandingStyle(services, c.req.param('brandingId'))
    return style === undefined ? notFound(c) : sendSheet(c, managedSheet(style))
  })
  face.get('/styles/classic/:file{[\\w-]+\\.css}', c => sendSheet(c, classicSheet(undefined)))
  face.get('/styles/classic/:poolId{[\\w-]{1,55}}/:target{[\\w+]{1,128}}/:file{[\\w-]+\\.css}', async c => {
    const { poolId, target } = c.req.param()
    return sendSheet(c, classicSheet(await uiCustomizationOf(services, { id: poolId }, { id: target })))
  })

  face.get('/assets/:brandingId{[\\da-f-]{36}}/:version{\\d{1,10}}/:position{\\d{1,3}}', async c => {
    const { brandingId, version, position } = c.req.param()
    const file = await findBrandingAsset(services, brandingId, Number(position))
    if (file === undefined) return notFound(c)
    return c.body(Buffer.from(file.bytes), 200, {
      ...asData,
      'content-type': file.contentType,
      'cache-control': file.version === Number(version) ? keep : doNotKeep,
    })
  })
  return face
}

const notFound = (c: HonoContext): Response => c.json({ message: 'Not found' }, 404)

const sendSheet = (c: HonoContext, sheet: Sheet): Response =>
  c.body(sheet.css(), 200, {
    'content-type': 'text/css; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': c.req.path === sheet.path ? keep : doNotKeep,
  })
