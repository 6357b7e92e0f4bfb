/**
 * The part of the configuration that the rules need. `config.ts` fills it; nothing here knows of options, files or
 * environment variables.
 */
import type { MessageLimit } from '../core/message-limits.ts'
import type { AllowedNetworks } from '../core/network-addresses.ts'
import type { OAuthExtension } from '../core/oauth-extensions.ts'
import type { Category, DomainLimit } from '../core/rate-limits.ts'

export type RateLimits = Readonly<Partial<Record<Category | DomainLimit, number>>>

export interface Settings {
  /** Region of requests that name none. */
  region: string
  /** Twelve digits, used in ARNs. */
  account: string
  /** `url`, `aws`, or a template with {region} and {poolId}. */
  issuer: string
  testMode: boolean
  /**
   * Present when rate limits are enforced: the free limits that differ from the service's own, by category, in requests
   * per second.
   */
  rateLimits?: RateLimits | undefined
  /** Present when messages are limited: the limits that differ from those of `core/message-limits.ts`. */
  messageLimits?: Readonly<Partial<Record<MessageLimit, number>>> | undefined
  /** What may be called beyond the public internet, when an administrator of a pool names it. */
  allowedNetworks: AllowedNetworks
  /** Proxies whose word counts for where a request comes from; none when absent. */
  trustedProxies?: AllowedNetworks | undefined
  /** What the authorization server does beyond Cognito; its defaults when absent. */
  oauthExtensions?: readonly OAuthExtension[] | undefined
}

/** What of a pool decides on its issuer. */
interface IssuingPool {
  id: string
  region: string
  settings: { IssuerConfiguration?: { Type?: 'ORIGINAL' | 'UPDATED' } }
}

/**
 * The issuer of a pool's tokens: the `iss` claim and the base of its discovery document. In Cognito's own form the pool
 * chooses between the original host and the one that several regions share.
 */
export const issuerOf = (settings: Settings, publicUrl: string, pool: IssuingPool): string => {
  if (settings.issuer === 'url') return `${publicUrl}/${pool.id}`
  if (settings.issuer === 'aws') {
    const host = pool.settings.IssuerConfiguration?.Type === 'UPDATED' ? 'issuer-cognito-idp' : 'cognito-idp'
    return `https://${host}.${pool.region}.amazonaws.com/${pool.id}`
  }
  return settings.issuer.replaceAll('{region}', pool.region).replaceAll('{poolId}', pool.id)
}

/** ARN of a pool. */
export const poolArn = (settings: Settings, pool: { id: string; region: string }): string =>
  `arn:aws:cognito-idp:${pool.region}:${settings.account}:userpool/${pool.id}`
