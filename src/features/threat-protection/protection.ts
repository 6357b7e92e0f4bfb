/** Whether threat protection watches a pool, and whether it acts. */
import type { AuthFlowType } from '../../contract/types.ts'
import { addOnNotEnabled } from '../../core/errors/threat-protection.ts'
import type { Pool } from '../user-pools/pool.ts'
import { hasTier, usesThreatProtection } from '../user-pools/tiers.ts'

/** AUDIT records and judges; ENFORCED acts on it as well. */
export type ProtectionMode = 'OFF' | 'AUDIT' | 'ENFORCED'

/** The mode for a sign-in by this flow, and without one for everything else. Custom challenges have a mode of their own. */
export const protectionMode = ({ settings }: Pool, flow?: AuthFlowType): ProtectionMode => {
  const addOns = settings.UserPoolAddOns
  if (addOns === undefined || !usesThreatProtection(addOns) || !hasTier(settings, 'PLUS')) return 'OFF'
  if (flow === 'CUSTOM_AUTH') return addOns.AdvancedSecurityAdditionalFlows?.CustomAuthMode ?? 'OFF'
  return addOns.AdvancedSecurityMode
}

/** @throws UserPoolAddOnNotEnabledException while threat protection is off. */
export const assertProtected = (pool: Pool): void => {
  if (protectionMode(pool) === 'OFF') throw addOnNotEnabled()
}
