/** What all challenges have in common: the answer as it came, and taking up the attempt that its Session names. */
import type { ChallengeNameType } from '../../../contract/types.ts'
import { invalidSession, missingParameter, userDisabled } from '../../../core/errors.ts'
import { type Client, checkSecretHash, findClient, preventsUserExistenceErrors } from '../../app-clients/client.ts'
import type { Context } from '../../context.ts'
import { assertNotLocked } from '../../passwords/lockout.ts'
import { recordFailedFactor, recordFailedSignIn } from '../../threat-protection/sign-in-events.ts'
import { findPool, type Pool } from '../../user-pools/pool.ts'
import type { User } from '../../users/user.ts'
import {
  type Attempt,
  assertInForce,
  clientIdOf,
  type Face,
  type NamedDevice,
  openSession,
  type SignIn,
} from '../attempt.ts'
import { namedDevice, unprovenDevice } from '../device.ts'
import { isAnswerTo } from '../edges.ts'
import type { Outcome } from '../progress.ts'
import { findSubjectOfAttempt, isNameOf, type Subject } from '../subject.ts'

export interface Answer {
  pool: Pool
  client: Client
  face: Face
  challenge: ChallengeNameType
  /** The USERNAME of the responses. */
  username: string
  session: string | undefined
  responses: Record<string, string>
}

/** Takes the answer to one kind of challenge. */
export type Challenge = (ctx: Context, answer: Answer) => Promise<Outcome>

/**
 * The value of a response or parameter, which must not be empty.
 * @throws InvalidParameterException
 */
export const required = (values: Record<string, string>, name: string): string => {
  const value = values[name]
  if (value === undefined || value === '') throw missingParameter(name)
  return value
}

export interface Resumed {
  attempt: Attempt
  signIn: SignIn
  user: User
}

/** A sign-in in which nothing is proven yet; it may be that of nobody. */
export interface Unproven {
  attempt: Attempt
  signIn: SignIn
  subject: Subject
}

/**
 * The attempt of the answer's Session and its user, who is as the last step left him and may go on.
 * @throws InvalidParameterException without a Session, NotAuthorizedException for a wrong secret hash and for a Session
 * that is unknown, expired, used, of another client, user or challenge, and while the user is locked out,
 * ResourceNotFoundException for a device that is not the user's.
 */
export const resume = async (ctx: Context, answer: Answer): Promise<Resumed> => {
  const { attempt, signIn, user } = proven(await resumeAttempt(ctx, answer))
  return {
    attempt: withDevice(attempt, await namedDevice(ctx, signIn, user, answer.responses, attempt.device)),
    signIn,
    user,
  }
}

/** As resume, for a step before the first proof. A device is looked for when there is one. */
export const resumeUnproven = async (ctx: Context, answer: Answer): Promise<Unproven> => {
  const { attempt, signIn, subject } = await resumeAttempt(ctx, answer)
  return { attempt: withDevice(attempt, unprovenDevice(signIn, answer.responses)), signIn, subject }
}

const withDevice = (attempt: Attempt, device: NamedDevice | undefined): Attempt =>
  device === undefined ? attempt : { ...attempt, device }

const resumeAttempt = async (ctx: Context, answer: Answer): Promise<Unproven> => {
  const { pool, client, face, challenge, username, responses } = answer
  if (answer.session === undefined) throw missingParameter('Session')
  const attempt = openSession(ctx, answer, answer.session)
  const subject = attempt && (await findSubjectOfAttempt(ctx, pool, attempt))
  const realName = subject?.user === undefined ? [] : [subject.user.username]
  if (face === 'api') checkSecretHash(client, [username, ...realName], responses['SECRET_HASH'])
  if (attempt === undefined || subject === undefined || !isAnswerTo(attempt.step, challenge)) throw invalidSession()
  if (!(await isNameOf(ctx, pool, subject, username))) throw invalidSession()
  return takeUp(ctx, { pool, client, face, flow: attempt.flow, target: attempt.target }, attempt, subject)
}

/**
 * As resume, for operations that are told nothing but the Session.
 * @throws NotAuthorizedException
 */
export const resumeSession = async (
  ctx: Context,
  session: string,
  step: ChallengeNameType,
  face: Face,
): Promise<Resumed> => {
  const clientId = clientIdOf(session)
  const client = clientId === undefined ? undefined : await findClient(ctx, clientId)
  const pool = client && (await findPool(ctx, client.poolId))
  const attempt = client && openSession(ctx, { client, face }, session)
  if (client === undefined || pool === undefined || attempt?.step !== step) throw invalidSession()
  const subject = await findSubjectOfAttempt(ctx, pool, attempt)
  return proven(await takeUp(ctx, { pool, client, face, flow: attempt.flow, target: attempt.target }, attempt, subject))
}

const takeUp = async (ctx: Context, signIn: SignIn, attempt: Attempt, subject: Subject): Promise<Unproven> => {
  // Before the first proof a client that hides users is not told.
  const isHidden = attempt.factors.length === 0 && preventsUserExistenceErrors(signIn.client)
  if (subject.user?.enabled === false && !isHidden) throw userDisabled()
  await assertInForce(ctx, attempt, subject.user)
  await assertNotLocked(ctx, subject.lockoutKey)
  return { attempt, signIn, subject }
}

const proven = ({ attempt, signIn, subject: { user } }: Unproven): Resumed => {
  if (user === undefined) throw invalidSession()
  return { attempt, signIn, user }
}

/**
 * In the answers to some challenges AWS's clients neither name their device nor take a challenge of it. The device of the
 * sign-in stays what it is then, and is not asked for its proof.
 */
export const takesNoDeviceChallenge = ({ responses }: Answer): boolean => !responses['DEVICE_KEY']

/** Tells the outside, and the history of the user, that a step of a sign-in was answered wrongly. */
export const recordFailure = async (ctx: Context, failed: Resumed | Unproven): Promise<void> => {
  const { attempt, signIn } = failed
  const { pool, client, flow } = signIn
  const user = 'subject' in failed ? failed.subject.user : failed.user
  ctx.events.record({
    name: 'SignIn',
    result: 'Fail',
    userPoolId: pool.id,
    clientId: client.id,
    userId: user?.id,
    flow,
  })
  if ('subject' in failed) await recordFailedSignIn(ctx, signIn, { user, holder: failed.subject.lockoutKey }, [])
  else await recordFailedFactor(ctx, signIn, failed.user, attempt.factors, attempt.event)
}
