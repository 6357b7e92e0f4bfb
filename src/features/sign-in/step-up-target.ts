/**
 * Step-up: what a request asks for by TARGET_ACR_VALUES, MAX_AGE and ACCESS_TOKEN. What the access token says was proven
 * is credited.
 */
import { type Factor, type Level, selfServiceScope } from '../../core/claims.ts'
import {
  accessTokenWithoutTarget,
  invalidMaxAge,
  targetLevelReached,
  targetLevelUnknown,
  targetLevelUnreachable,
} from '../../core/errors/user-auth.ts'
import { invalidAccessToken } from '../../core/errors.ts'
import { levelsNamed, reaches } from '../../core/step-up.ts'
import type { Context } from '../context.ts'
import { signedInBy, verifyAccessToken } from '../tokens/signed-in.ts'
import type { AcrTarget, SignIn } from './attempt.ts'
import { offeredFactors } from './first-factors.ts'
import { missingCodes } from './step-up.ts'
import type { Subject } from './subject.ts'

/** What a request asks for. */
export interface StepUp {
  /** In the order in which they are wanted. */
  levels: Level[]
  /** How old the sign-in of the access token may be to count. */
  maxAgeSeconds: number | undefined
  accessToken: string | undefined
}

const targetLengthMax = 2_048

/**
 * What the parameters ask for; undefined when that is nothing. On the pages it is a wish, which unknown names do not make
 * a fault.
 * @throws InvalidParameterException
 */
export const readStepUp = ({ pool, face }: SignIn, parameters: Record<string, string>): StepUp | undefined => {
  const { TARGET_ACR_VALUES: wanted, MAX_AGE: maxAge, ACCESS_TOKEN: accessToken } = parameters
  if (maxAge !== undefined && !/^\d{1,10}$/.test(maxAge)) throw invalidMaxAge()
  if (wanted === undefined) {
    if (accessToken !== undefined) throw accessTokenWithoutTarget()
    return undefined
  }
  const names = wanted.length > targetLengthMax ? [] : wanted.split(' ')
  const levels = levelsNamed(names, pool.settings.AcrConfiguration)
  if (levels.length > 0)
    return { levels, maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge), accessToken }
  if (face === 'api') throw targetLevelUnknown()
  return undefined
}

/**
 * The first of the levels that the subject can reach, and what is credited. On the pages undefined when it is none.
 * @throws InvalidParameterException when it is none, or the access token has it already; NotAuthorizedException for an
 * access token that is not in force, or is not the subject's at this client.
 */
export const pickTarget = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  name: string,
  asked: StepUp,
): Promise<AcrTarget | undefined> => {
  const credited = await creditOf(ctx, signIn, subject, asked)
  for (const level of asked.levels) {
    if (reaches(credited, level)) throw targetLevelReached()
    const target = { level, credited }
    if (subject.user !== undefined && (await missingCodes(ctx, signIn.pool, subject.user, target)).length > 0)
      return target
    if ((await offeredFactors(ctx, { ...signIn, target }, subject, name)).length > 0) return target
  }
  if (signIn.face === 'api') throw targetLevelUnreachable()
  return undefined
}

const factors: readonly string[] = ['pwd', 'otp', 'sms', 'email_otp', 'swk', 'hwk', 'fed'] satisfies Factor[]

const creditOf = async (
  ctx: Context,
  { pool, client }: SignIn,
  { user }: Subject,
  { accessToken, maxAgeSeconds }: StepUp,
): Promise<Factor[]> => {
  if (accessToken === undefined) return []
  const verified = await verifyAccessToken(ctx, accessToken)
  const signedIn = await signedInBy(ctx, verified, selfServiceScope)
  if (signedIn.pool.id !== pool.id || signedIn.client.id !== client.id || signedIn.user.id !== user?.id) {
    throw invalidAccessToken()
  }
  const age = Math.floor(ctx.clock.now() / 1_000) - signedIn.claims.auth_time
  // Zero wants everything to be proven anew, even within the second of the last time.
  if (maxAgeSeconds !== undefined && (maxAgeSeconds === 0 || age > maxAgeSeconds)) return []
  const { amr } = verified.claims
  return Array.isArray(amr) ? amr.filter((each): each is Factor => factors.includes(each)) : []
}
