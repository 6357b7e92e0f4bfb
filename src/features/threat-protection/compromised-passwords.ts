/**
 * Passwords that are known to others: the common ones that everybody knows, and those of the operator's file where there
 * is one.
 */
import { hash } from 'node:crypto'
import type { EventFilterType } from '../../contract/types.ts'
import { isCommonPassword } from '../../core/common-passwords.ts'
import { compromisedPassword } from '../../core/errors/threat-protection.ts'
import type { Client } from '../app-clients/client.ts'
import type { Context, Services } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type ProtectionMode, protectionMode } from './protection.ts'
import { riskRules } from './risk-configuration.ts'

/** What is found out about a password that was shown or chosen. */
export interface PasswordJudgement {
  compromised: boolean
  /** The risk configuration refuses it. */
  blocked: boolean
}

const harmless: PasswordJudgement = { compromised: false, blocked: false }

/** Looks the password up where the risk configuration wants that for this event. */
export const judgePassword = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  { event, password, mode }: { event: EventFilterType; password: string; mode: ProtectionMode },
): Promise<PasswordJudgement> => {
  if (mode === 'OFF') return harmless
  const { compromised: rule } = await riskRules(ctx, pool, client)
  if (!rule.events.has(event) || !(await isKnownToOthers(ctx, password))) return harmless
  return { compromised: true, blocked: mode === 'ENFORCED' && rule.action === 'BLOCK' }
}

/**
 * Whether a new password is known to others; the event that it is chosen in says so.
 * @throws InvalidPasswordException when the risk configuration refuses such passwords.
 */
export const checkNewPassword = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  event: 'SIGN_UP' | 'PASSWORD_CHANGE',
  password: string,
): Promise<boolean> => {
  const judgement = await judgePassword(ctx, pool, client, { event, password, mode: protectionMode(pool) })
  if (judgement.blocked) throw compromisedPassword()
  return judgement.compromised
}

const isKnownToOthers = async (ctx: Pick<Services, 'leakedPasswords'>, password: string): Promise<boolean> =>
  isCommonPassword(password) || ((await ctx.leakedPasswords?.has(hash('sha1', password, 'hex').toUpperCase())) ?? false)
