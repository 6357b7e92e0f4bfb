/**
 * Keeping the metadata of SAML providers up to date: a copy is good for six hours, and then the next sign-in reads it again
 * from where it is published. A provider that cannot be reached just then does not keep its users out, but for a day only:
 * it may have withdrawn a key.
 */
import { changedMeanwhile } from '../../core/errors/federation.ts'
import { samlMetadataOutdated } from '../../core/errors/saml.ts'
import { isCognitoError } from '../../core/errors.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Provider, SamlSettings } from './provider.ts'
import { fetchMetadata } from './provider-details.ts'

const hourMs = 3_600_000
const goodForMs = 6 * hourMs
const usableForMs = 24 * hourMs
/** One sign-in tries at a time, and the others go on with what is known. */
const retryAfterMs = 300_000

/**
 * The provider with metadata that can be relied on.
 * @throws OAuthError when it is too old and cannot be read, and for a provider that is one of SAML no longer
 */
export const withCurrentMetadata = async (ctx: Context, provider: Provider): Promise<SamlProvider> => {
  const { saml, details } = provider.settings
  if (saml === undefined) throw changedMeanwhile()
  const url = details['MetadataURL']
  const now = ctx.clock.now()
  const current = { ...provider, saml }
  if (url === undefined || now - saml.readAt < goodForMs) return current
  const isUsable = now - saml.readAt < usableForMs
  if (
    isUsable &&
    (now - (saml.triedAt ?? 0) < retryAfterMs || !(await store(ctx, current, { ...saml, triedAt: now })))
  ) {
    return current
  }
  const fresh = await read(ctx, current, url)
  if (fresh === undefined) {
    if (!isUsable) throw samlMetadataOutdated()
    return current
  }
  await store(ctx, { ...current, saml: isUsable ? { ...saml, triedAt: now } : saml }, fresh)
  return { ...current, saml: fresh }
}

/** A provider whose metadata is known. */
export interface SamlProvider extends Provider {
  saml: SamlSettings
}

/** Undefined when there is none, or that of somebody else: the entity id is who the provider is. */
const read = async (ctx: Context, { name, saml }: SamlProvider, url: string): Promise<SamlSettings | undefined> => {
  try {
    const fresh = await fetchMetadata(ctx, url)
    if (fresh.metadata.entityId === saml.metadata.entityId) return fresh
    ctx.log.warn({ provider: name, url }, 'SAML metadata has another entity id; the known metadata stays in use')
  } catch (cause) {
    if (!isCognitoError(cause)) throw cause
    ctx.log.warn({ provider: name, url, cause: cause.message }, 'SAML metadata could not be read again')
  }
  return undefined
}

/** Writes the metadata unless somebody has changed it meanwhile; returns whether it did. It is no change of the provider. */
const store = async (ctx: Context, { poolId, name, settings, version, saml }: SamlProvider, next: SamlSettings) => {
  const written = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('identity_providers')
      .set({ settings: JSON.stringify({ ...settings, saml: next }) })
      .where('pool_id', '=', poolId)
      .where('name', '=', name)
      .where('version', '=', version)
      .where('settings', '=', JSON.stringify({ ...settings, saml }))
      .returning('name')
      .executeTakeFirst(),
  )
  return written !== undefined
}
