/**
 * The public keys of providers. They are kept for a few minutes; a key that nobody knows yet makes the server ask again, at
 * most once a minute, and as long as the provider does not answer the keys that are known stay good for a day.
 */
import { keysTimeout, keysUnusable } from '../../../core/errors/federation.ts'
import { CognitoError } from '../../../core/errors.ts'
import type { PublishedKey } from '../../../core/id-token.ts'
import type { Context } from '../../context.ts'
import { discoverEndpoints } from '../../identity-providers/discovery.ts'
import type { Provider } from '../../identity-providers/provider.ts'
import { callProvider, successOf } from './call.ts'

export interface KnownKeys {
  keys: readonly PublishedKey[]
  /** Milliseconds since the epoch. */
  readAt: number
  /** When the provider was last asked, with or without success. */
  askedAt: number
}

const freshMs = 300_000
const retryMs = 60_000
const usableMs = 86_400_000
const keysMax = 100

/**
 * The keys of the provider, among them the one with this id if there is one.
 * @throws OAuthError when there are none and none can be had
 */
export const publishedKeys = async (
  ctx: Context,
  provider: Provider,
  kid: string | undefined,
): Promise<readonly PublishedKey[]> => {
  const place = `${provider.poolId} ${provider.name} ${provider.version}`
  const now = ctx.clock.now()
  const known = ctx.caches.providerKeys.get(place)
  if (known === undefined || now - known.readAt >= usableMs) return readKeys(ctx, provider, place)
  const isFresh = now - known.readAt < freshMs && known.keys.some(key => key.kid === kid)
  if (isFresh || now - known.askedAt < retryMs) return known.keys
  ctx.caches.providerKeys.set(place, { ...known, askedAt: now })
  return readKeys(ctx, provider, place).catch(() => known.keys)
}

const readKeys = async (ctx: Context, provider: Provider, place: string): Promise<readonly PublishedKey[]> => {
  const answer = await callProvider(ctx, await keysUrl(ctx, provider), { purpose: 'keys of a provider' }, keysTimeout)
  const listed = successOf(answer)?.['keys']
  if (!Array.isArray(listed) || listed.length > keysMax) throw keysUnusable()
  const keys = listed.filter(isNamedKey)
  const now = ctx.clock.now()
  ctx.caches.providerKeys.set(place, { keys, readAt: now, askedAt: now })
  return keys
}

const isNamedKey = (value: unknown): value is PublishedKey =>
  typeof value === 'object' && value !== null && 'kid' in value && typeof value.kid === 'string'

/** As configured; of a social provider, as it says itself. */
const keysUrl = async (ctx: Context, { settings: { details } }: Provider): Promise<string> => {
  const url = details['jwks_uri']
  if (url !== undefined) return url
  const { jwks_uri: discovered } = await discoverEndpoints(ctx, details['oidc_issuer'] ?? '').catch(error => {
    throw error instanceof CognitoError ? keysUnusable() : error
  })
  if (discovered === undefined) throw keysUnusable()
  return discovered
}
