/**
 * Which authentication flows a client allows: the values of ExplicitAuthFlows, old and new, as one question.
 */
import type { AuthFlowType, ExplicitAuthFlowsType } from '../../contract/types.ts'
import { featureUnavailableInTier, invalidParameter } from '../../core/errors.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { Client, ClientSettings } from './client.ts'

/** In force when a client was created without ExplicitAuthFlows. */
const defaultFlows: readonly string[] = ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH']

/** The new value that each legacy value adds; SRP and refresh come with every legacy client. */
const legacyFlows: Record<string, string[]> = {
  ADMIN_NO_SRP_AUTH: ['ALLOW_ADMIN_USER_PASSWORD_AUTH'],
  USER_PASSWORD_AUTH: ['ALLOW_USER_PASSWORD_AUTH'],
  CUSTOM_AUTH_FLOW_ONLY: ['ALLOW_CUSTOM_AUTH'],
}

const requiredValue: Record<AuthFlowType, string> = {
  USER_SRP_AUTH: 'ALLOW_USER_SRP_AUTH',
  USER_PASSWORD_AUTH: 'ALLOW_USER_PASSWORD_AUTH',
  ADMIN_USER_PASSWORD_AUTH: 'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  ADMIN_NO_SRP_AUTH: 'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  CUSTOM_AUTH: 'ALLOW_CUSTOM_AUTH',
  USER_AUTH: 'ALLOW_USER_AUTH',
  REFRESH_TOKEN: 'ALLOW_REFRESH_TOKEN_AUTH',
  REFRESH_TOKEN_AUTH: 'ALLOW_REFRESH_TOKEN_AUTH',
}

/** True when the client's ExplicitAuthFlows let this flow run. */
export const allowsFlow = (client: Pick<Client, 'settings'>, flow: AuthFlowType): boolean =>
  effectiveFlows(client.settings).has(requiredValue[flow])

/** True when the client may get tokens for itself by GetClientToken. */
export const allowsClientToken = (client: Pick<Client, 'settings'>): boolean =>
  client.settings.ExplicitAuthFlows?.includes('ALLOW_CLIENT_TOKEN_AUTH') ?? false

const effectiveFlows = (settings: ClientSettings): Set<string> => {
  const configured = settings.ExplicitAuthFlows ?? []
  if (configured.length === 0) return new Set(defaultFlows)
  if (!isLegacy(configured)) return new Set(configured)
  const flows = new Set(['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH'])
  for (const value of configured) for (const flow of legacyFlows[value] ?? []) flows.add(flow)
  if (configured.includes('CUSTOM_AUTH_FLOW_ONLY')) flows.delete('ALLOW_USER_SRP_AUTH')
  return flows
}

const isLegacy = (flows: readonly string[]): boolean => flows.some(flow => Object.hasOwn(legacyFlows, flow))

/**
 * Checks ExplicitAuthFlows as sent. The texts are not published but for the one about refresh.
 * @throws InvalidParameterException, FeatureUnavailableInTierException
 */
export const checkAuthFlows = (
  pool: Pool,
  flows: readonly ExplicitAuthFlowsType[] | undefined,
  { hasSecret, rotates }: { hasSecret: boolean; rotates: boolean },
): void => {
  if (flows === undefined || flows.length === 0) return
  const legacy = flows.filter(flow => Object.hasOwn(legacyFlows, flow))
  if (legacy.length > 0 && legacy.length < flows.length) {
    throw invalidParameter('ExplicitAuthFlows must not mix legacy values with values that begin with ALLOW_.')
  }
  if (flows.includes('ALLOW_CLIENT_TOKEN_AUTH')) {
    if (flows.length > 1)
      throw invalidParameter('ALLOW_CLIENT_TOKEN_AUTH cannot be combined with other authentication flows.')
    if (!hasSecret) throw invalidParameter('ALLOW_CLIENT_TOKEN_AUTH needs a client secret.')
    return
  }
  if (flows.includes('ALLOW_USER_AUTH') && pool.settings.UserPoolTier === 'LITE') {
    throw featureUnavailableInTier(
      'The following features need to be disabled for the LITE pricing tier configured: Choice-based sign-in',
    )
  }
  if (legacy.length > 0) return
  const refreshes = flows.includes('ALLOW_REFRESH_TOKEN_AUTH')
  if (rotates && refreshes) {
    throw invalidParameter(
      'Refresh token rotation cannot be enabled when ALLOW_REFRESH_TOKEN_AUTH is in ExplicitAuthFlows.',
    )
  }
  if (!rotates && !refreshes) throw invalidParameter('REFRESH_TOKEN_AUTH should always be allowed.')
}
