/**
 * Step-up: a sign-in that must reach a level of authentication asks for what is missing, and gives no tokens below it.
 */
import { targetLevelUnreachable } from '../../core/errors/user-auth.ts'
import { type MfaFactor, mfaFactors } from '../../core/mfa-decision.ts'
import { liftingFactors, reaches } from '../../core/step-up.ts'
import type { Context } from '../context.ts'
import { codesBesidePassword, decideMfaOf, proofOfFactor } from '../mfa/factors.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import type { AcrTarget } from './attempt.ts'
import type { Outcome, Progress } from './progress.ts'
import { beginAmong } from './second-factor.ts'

/** The codes with which the user can lift a password that is proven to the level. */
export const missingCodes = async (ctx: Context, pool: Pool, user: User, target: AcrTarget): Promise<MfaFactor[]> => {
  const { level, credited } = target
  if (!credited.includes('pwd')) return []
  const lifting = liftingFactors(credited, level, await codesBesidePassword(ctx, pool, user))
  return mfaFactors.filter(factor => lifting.includes(proofOfFactor[factor]))
}

/** The sign-in with what is credited to it among what is proven. */
export const withCredit = (progress: Progress): Progress => {
  const { target } = progress.signIn
  return target === undefined
    ? progress
    : { ...progress, factors: [...new Set([...target.credited, ...progress.factors])] }
}

/**
 * The challenge of the code that is missing to the level; undefined when nothing is. Among several, those come first that
 * the pool's MFA would ask for.
 * @throws InvalidParameterException when the user has lost the factor meanwhile, and what beginAmong throws.
 */
export const beginLift = async (ctx: Context, progress: Progress): Promise<Outcome | undefined> => {
  const { signIn, user, factors: proven } = progress
  const { pool, target } = signIn
  if (target === undefined || reaches(proven, target.level)) return undefined
  const missing = await missingCodes(ctx, pool, user, { ...target, credited: proven })
  if (missing.length === 0) throw targetLevelUnreachable()
  const asked = await askedByMfa(ctx, pool, user)
  const both = missing.filter(factor => asked?.includes(factor))
  return beginAmong(ctx, progress, both.length > 0 ? both : missing)
}

/** Whether what is proven is also what the pool's MFA would ask for: the levels do not lower that. */
export const meetsMfa = async (ctx: Context, { signIn, user, factors: proven }: Progress): Promise<boolean> => {
  const asked = await askedByMfa(ctx, signIn.pool, user)
  return asked === undefined || asked.some(factor => proven.includes(proofOfFactor[factor])) || proven.includes('otp')
}

/** Undefined when MFA asks for nothing. */
const askedByMfa = async (ctx: Context, pool: Pool, user: User): Promise<MfaFactor[] | undefined> => {
  const decision = await decideMfaOf(ctx, pool, user)
  switch (decision.step) {
    case 'none':
      return undefined
    case 'challenge':
      return [decision.factor]
    case 'select':
      return decision.factors
    default:
      return []
  }
}
