/**
 * What threat protection does in a sign-in. When the first factor is proven, the sign-in is judged once; what follows from
 * that goes on with the sign-in from step to step: `event` is undefined where nothing watches.
 */
import type { AccountTakeoverEventActionType, AuthFlowType } from '../../contract/types.ts'
import { type Factor, newEventId } from '../../core/claims.ts'
import { blockedForSecurity } from '../../core/errors/threat-protection.ts'
import { failureWindowMs, riskLevel, riskSignals } from '../../core/risk.ts'
import type { Client } from '../app-clients/client.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type User, updateUser } from '../users/user.ts'
import { assertAddressAllowed, isInRanges } from './address-rules.ts'
import {
  type EventHolder,
  type EventRisk,
  failuresSince,
  holderOf,
  pastSignIns,
  updateEvent,
  writeEvent,
} from './auth-events.ts'
import { judgePassword } from './compromised-passwords.ts'
import { newFeedbackToken } from './feedback.ts'
import { type NotificationKind, notifyUser } from './notification.ts'
import type { Challenges } from './present-event.ts'
import { protectionMode } from './protection.ts'
import { type RequestOrigin, requestOrigin } from './request-origin.ts'
import { type RiskRules, riskRules, type TakeoverRule } from './risk-configuration.ts'

/** The sign-in that is judged. */
export interface WatchedSignIn {
  pool: Pool
  client: Client
  flow: AuthFlowType
}

/** What a judged sign-in carries from step to step. */
export interface SignInEvent {
  /** Also the `event_id` of the tokens. */
  id: string
  /** Whether risk asks for a second factor. */
  mfa: 'required' | 'if-configured' | undefined
}

/** A judged sign-in whose event is not stored yet. */
export interface JudgedSignIn extends SignInEvent {
  risk: EventRisk
  origin: RequestOrigin
  /** The user is told, in these words. */
  notice: RiskRules['notification']
}

/**
 * Refuses a sign-in from a blocked address. `subject` is the user who was named, or stands for nobody.
 * @throws NotAuthorizedException, InvalidParameterException for an IpAddress that is none.
 */
export const admitSignIn = (ctx: Context, { pool, client, flow }: WatchedSignIn, subject: EventHolder): Promise<void> =>
  assertAddressAllowed(ctx, pool, client, protectionMode(pool, flow), { ...subject, type: 'SignIn' })

/** Leaves the event of a sign-in that failed before the user had proven anything. */
export const recordFailedSignIn = async (
  ctx: Context,
  { pool, client, flow }: WatchedSignIn,
  subject: EventHolder,
  challenges: Challenges,
): Promise<void> => {
  if (protectionMode(pool, flow) === 'OFF') return
  const origin = requestOrigin(ctx, pool, client)
  await writeEvent(ctx, { ...subject, pool, client, type: 'SignIn', response: 'Fail', challenges, origin })
}

/**
 * Judges a sign-in whose first factor is proven. Undefined where nothing watches. Nothing is stored yet, unless the
 * sign-in is refused.
 * @throws NotAuthorizedException when the risk configuration blocks it. A user with a password that is known to others has
 * to reset it from then on.
 */
export const judgeSignIn = async (
  ctx: Context,
  signIn: WatchedSignIn,
  user: User,
  { factors, password }: { factors: readonly Factor[]; password?: string | undefined },
): Promise<JudgedSignIn | undefined> => {
  const { pool, client, flow } = signIn
  const mode = protectionMode(pool, flow)
  if (mode === 'OFF') return undefined
  const rules = await riskRules(ctx, pool, client)
  const origin = requestOrigin(ctx, pool, client)
  const id = newEventId(ctx.random, user.sessionEpoch)
  const { compromised, blocked } =
    password === undefined
      ? { compromised: false, blocked: false }
      : await judgePassword(ctx, pool, client, { event: 'SIGN_IN', password, mode })
  const level = isInRanges(rules.skipped, origin.address) ? undefined : await levelOf(ctx, user, origin)
  const rule = level === undefined || mode === 'AUDIT' ? undefined : rules.takeover[level]
  const risk: EventRisk = { decision: level === undefined ? 'NoRisk' : 'AccountTakeover', level, compromised }
  const judged: JudgedSignIn = {
    id,
    mfa: mfaOf(rule),
    risk,
    origin,
    notice: rule?.notify ? rules.notification : undefined,
  }
  const mustReset = blocked && user.status === 'CONFIRMED'
  if (rule?.action !== 'BLOCK' && !mustReset) return judged
  if (mustReset) {
    await inTransaction(ctx, tx =>
      updateUser(tx, user, { status: 'RESET_REQUIRED', breakSignIns: true }, { status: user.status }),
    )
  }
  return refuse(ctx, signIn, user, factors, { ...judged, notice: rule?.action === 'BLOCK' ? judged.notice : undefined })
}

const mfaOf = (rule: TakeoverRule | undefined): SignInEvent['mfa'] => {
  const byAction: Partial<Record<AccountTakeoverEventActionType, SignInEvent['mfa']>> = {
    MFA_REQUIRED: 'required',
    MFA_IF_CONFIGURED: 'if-configured',
  }
  return rule && byAction[rule.action]
}

const levelOf = async (ctx: Context, user: User, origin: RequestOrigin): Promise<EventRisk['level']> => {
  const now = ctx.clock.now()
  const past = await pastSignIns(ctx, user)
  const failures = await failuresSince(ctx, user, now - failureWindowMs)
  return riskLevel(riskSignals(origin, past, { now, failures }))
}

/**
 * Refuses a judged sign-in, for example because risk asks for a second factor that the user does not have.
 * @throws NotAuthorizedException
 */
export const refuseSignIn = (
  ctx: Context,
  signIn: WatchedSignIn,
  user: User,
  factors: readonly Factor[],
  event: SignInEvent,
): Promise<never> =>
  isUnsaved(event) ? refuse(ctx, signIn, user, factors, event) : fail(ctx, signIn, user, factors, event)

const refuse = async (
  ctx: Context,
  signIn: WatchedSignIn,
  user: User,
  factors: readonly Factor[],
  judged: JudgedSignIn,
): Promise<never> => {
  const refused = { ...judged, risk: { ...judged.risk, decision: 'Block' as const } }
  await save(ctx, signIn, user, refused, { response: 'Fail', challenges: challengesOf(factors), notification: 'block' })
  throw blockedForSecurity()
}

const fail = async (
  ctx: Context,
  { pool }: WatchedSignIn,
  user: User,
  factors: readonly Factor[],
  { id }: SignInEvent,
): Promise<never> => {
  await updateEvent(ctx, pool, user, { id, response: 'Fail', challenges: challengesOf(factors), decision: 'Block' })
  throw blockedForSecurity()
}

/** The sign-in goes on with another challenge: a second factor, or something else. */
export const suspendSignIn = async (
  ctx: Context,
  signIn: WatchedSignIn,
  user: User,
  factors: readonly Factor[],
  event: SignInEvent | undefined,
  challenged: 'mfa' | 'other',
): Promise<void> => {
  if (event === undefined || !isUnsaved(event)) return
  const notification = challenged === 'mfa' && event.mfa !== undefined ? 'mfa' : 'no-action'
  await save(ctx, signIn, user, event, { response: 'InProgress', challenges: challengesOf(factors), notification })
}

/** The sign-in has ended with tokens. */
export const completeSignIn = async (
  ctx: Context,
  signIn: WatchedSignIn,
  user: User,
  factors: readonly Factor[],
  event: SignInEvent | undefined,
): Promise<void> => {
  if (event === undefined) return
  const challenges = challengesOf(factors)
  if (isUnsaved(event)) {
    await save(ctx, signIn, user, event, { response: 'Pass', challenges, notification: 'no-action' })
  } else await updateEvent(ctx, signIn.pool, user, { id: event.id, response: 'Pass', challenges })
}

/** A second factor was answered wrongly; the user may try again. */
export const recordFailedFactor = async (
  ctx: Context,
  { pool }: WatchedSignIn,
  user: User,
  factors: readonly Factor[],
  event: SignInEvent | undefined,
): Promise<void> => {
  if (event === undefined) return
  const challenges: Challenges = [...challengesOf(factors), ['Mfa', 'Failure']]
  await updateEvent(ctx, pool, user, { id: event.id, response: 'Fail', challenges })
}

const isUnsaved = (event: SignInEvent): event is JudgedSignIn => 'risk' in event

/** The API knows passwords and second factors only. */
const challengesOf = (factors: readonly Factor[]): Challenges => {
  const password: Challenges = factors.includes('pwd') ? [['Password', 'Success']] : []
  return factors.length > 1 ? [...password, ['Mfa', 'Success']] : password
}

const save = async (
  ctx: Context,
  { pool, client }: WatchedSignIn,
  user: User,
  { id, risk, origin, notice }: JudgedSignIn,
  outcome: { response: 'Pass' | 'Fail' | 'InProgress'; challenges: Challenges; notification: NotificationKind },
): Promise<void> => {
  const token = notice === undefined ? undefined : newFeedbackToken(ctx, id)
  await writeEvent(ctx, {
    id,
    pool,
    client,
    user,
    holder: holderOf(user),
    type: 'SignIn',
    response: outcome.response,
    challenges: outcome.challenges,
    risk,
    origin,
    feedbackToken: token?.digest,
  })
  if (notice === undefined || token === undefined) return
  await notifyUser(ctx, { pool, user, kind: outcome.notification, notice, eventId: id, token: token.text, origin })
}
