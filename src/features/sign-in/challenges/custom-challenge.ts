/**
 * CUSTOM_CHALLENGE: the pool's functions define which challenges there are, make each of them and judge the answers. What
 * they decide is taken only in the form that it must have; everything else ends the sign-in.
 */
import type { Factor } from '../../../core/claims.ts'
import {
  customStateTooLong,
  incorrectUsernameOrPassword,
  invalidSession,
  missingParameter,
  triggerOutputUnusable,
} from '../../../core/errors.ts'
import type { Members } from '../../../core/trigger-response.ts'
import { booleanOf, textMapOf, textOf } from '../../../core/trigger-response.ts'
import { checkSecretHash } from '../../app-clients/client.ts'
import { type Context, inTransaction } from '../../context.ts'
import { recordFailedSignIn } from '../../threat-protection/sign-in-events.ts'
import { clientMetadataOf, runTrigger, userAttributesOf } from '../../triggers/run.ts'
import { findUserById } from '../../users/user.ts'
import {
  type Attempt,
  assertInForce,
  type CustomAnswer,
  consumeAttempt,
  isUntouched,
  newAttempt,
  openSession,
  type SignIn,
  sealSession,
} from '../attempt.ts'
import { namedDevice } from '../device.ts'
import { issueAfterProof } from '../issue.ts'
import type { Outcome, Progress } from '../progress.ts'
import {
  assertMaySignIn,
  assertMaySignInWithPassword,
  findSubjectOfAttempt,
  isNameOf,
  type Subject,
} from '../subject.ts'
import { type Challenge, required } from './challenge.ts'

const sessionLengthMax = 2_048
const source = 'Authentication'

/** Whom the functions are told about: the subject, under the name that the sign-in began with when nobody has it. */
interface Told {
  subject: Subject
  name: string
}

/** What comes before the first custom challenge and after the last. */
type Proven = Pick<Progress, 'factors' | 'device'>

/**
 * The step that the pool's functions want after these answers: another challenge, or tokens.
 * @throws NotAuthorizedException when they fail the sign-in, InvalidLambdaResponseException when they want nothing that
 * there is, and what runTrigger throws.
 */
export const nextCustomStep = async (
  ctx: Context,
  signIn: SignIn,
  told: Told,
  proven: Proven,
  answers: CustomAnswer[],
): Promise<Outcome> => {
  const { factors, device } = proven
  const session = [...factors.flatMap(presentProof), ...answers.map(presentAnswer)]
  const { issueTokens, challengeName } = await define(ctx, signIn, told, session)
  if (issueTokens) return issue(ctx, signIn, told.subject, proven)
  if (challengeName !== 'CUSTOM_CHALLENGE') throw triggerOutputUnusable()
  const made = await fire(ctx, signIn, 'CreateAuthChallenge', told, { challengeName, session })
  const attempt = newAttempt(ctx, signIn, { ...told.subject, step: 'CUSTOM_CHALLENGE', factors, device })
  attempt.custom = {
    name: told.name,
    answers,
    secrets: [...(textMapOf(made, 'privateChallengeParameters') ?? [])],
    metadata: textOf(made, 'challengeMetadata'),
  }
  const sealed = sealSession(ctx, signIn.client, attempt)
  if (sealed.length > sessionLengthMax) throw customStateTooLong()
  return {
    challenge: 'CUSTOM_CHALLENGE',
    session: sealed,
    parameters: {
      ...Object.fromEntries(textMapOf(made, 'publicChallengeParameters') ?? []),
      USERNAME: told.subject.user?.username ?? told.name,
    },
  }
}

/**
 * Whether the pool's functions want a password first, which the client has offered; they may want nothing else then.
 * @throws as nextCustomStep
 */
export const assertPasswordWanted = async (ctx: Context, signIn: SignIn, told: Told): Promise<void> => {
  const { issueTokens, challengeName } = await define(ctx, signIn, told, [srpA])
  if (issueTokens || challengeName !== 'PASSWORD_VERIFIER') throw triggerOutputUnusable()
}

/** @throws NotAuthorizedException when the function fails the sign-in, whatever else it says. */
const define = async (ctx: Context, signIn: SignIn, told: Told, session: object[]) => {
  const defined = await fire(ctx, signIn, 'DefineAuthChallenge', told, { session })
  const issueTokens = booleanOf(defined, 'issueTokens') ?? false
  const failed = booleanOf(defined, 'failAuthentication') ?? false
  const challengeName = textOf(defined, 'challengeName')
  if (failed) {
    const { user, lockoutKey } = told.subject
    await recordFailedSignIn(ctx, signIn, { user, holder: lockoutKey }, [])
    throw incorrectUsernameOrPassword()
  }
  return { issueTokens, challengeName }
}

/**
 * Has the answer judged and asks for the next step. A wrong answer is no error by itself. Each Session is good for one
 * answer.
 * @throws InvalidParameterException without an answer, NotAuthorizedException for a Session that is not this one, and
 * what nextCustomStep throws.
 */
export const answerCustomChallenge: Challenge = async (ctx, answer) => {
  const { pool, client, face, username, session, responses } = answer
  if (session === undefined) throw missingParameter('Session')
  const challengeAnswer = required(responses, 'ANSWER')
  const attempt = openSession(ctx, answer, session)
  const subject = attempt && (await findSubjectOfAttempt(ctx, pool, attempt))
  const realName = subject?.user === undefined ? [] : [subject.user.username]
  checkSecretHash(client, [username, ...realName], responses['SECRET_HASH'])
  if (attempt?.step !== 'CUSTOM_CHALLENGE' || attempt.custom === undefined || subject === undefined)
    throw invalidSession()
  if (!(await isNameOf(ctx, pool, subject, username))) throw invalidSession()
  assertMaySignIn(client, subject.user)
  await assertInForce(ctx, attempt, subject.user)
  const signIn: SignIn = { pool, client, face, flow: attempt.flow }
  const device = await namedDevice(ctx, signIn, subject.user, responses, attempt.device)
  await inTransaction(ctx, tx => consumeAttempt(tx, attempt))

  const { name, answers, secrets, metadata } = attempt.custom
  const verified = await fire(
    ctx,
    signIn,
    'VerifyAuthChallengeResponse',
    { subject, name },
    {
      privateChallengeParameters: Object.fromEntries(secrets),
      challengeAnswer,
    },
  )
  const isRight = booleanOf(verified, 'answerCorrect')
  if (isRight === undefined) throw triggerOutputUnusable()
  const current = await stillThere(ctx, signIn, attempt, subject)
  const answered: CustomAnswer = metadata === undefined ? [isRight] : [isRight, metadata]
  const proven: Proven = { factors: attempt.factors, device }
  return nextCustomStep(ctx, signIn, { subject: current, name }, proven, [...answers, answered])
}

const passed = (challengeName: string) => ({ challengeName, challengeResult: true, challengeMetadata: null })
const srpA = passed('SRP_A')

/** What the user had proven before the first custom challenge, as steps. */
const presentProof = (factor: Factor): object[] => {
  if (factor === 'pwd') return [srpA, passed('PASSWORD_VERIFIER')]
  const challengeName = { sms: 'SMS_MFA', email_otp: 'EMAIL_OTP', otp: 'SOFTWARE_TOKEN_MFA' }[factor as string]
  return challengeName === undefined ? [] : [passed(challengeName)]
}

const presentAnswer = ([challengeResult, challengeMetadata]: CustomAnswer) => ({
  challengeName: 'CUSTOM_CHALLENGE',
  challengeResult,
  challengeMetadata: challengeMetadata ?? null,
})

/** Runs one of the three functions. One that was taken away meanwhile ends the sign-in. */
const fire = async (
  ctx: Context,
  { pool }: SignIn,
  trigger: 'DefineAuthChallenge' | 'CreateAuthChallenge' | 'VerifyAuthChallengeResponse',
  { subject: { user }, name }: Told,
  request: object,
): Promise<Members> => {
  const response = await runTrigger(ctx, pool, trigger, {
    source,
    username: user?.username ?? name,
    request: {
      userAttributes: user === undefined ? {} : userAttributesOf(user),
      ...request,
      userNotFound: user === undefined,
      ...clientMetadataOf(ctx),
    },
  })
  if (response === undefined) throw invalidSession()
  return response
}

/** The subject as it is after a function has run, which must not have been touched. */
const stillThere = async (
  ctx: Context,
  { pool }: SignIn,
  attempt: Pick<Attempt, 'userId' | 'securityEpoch'>,
  subject: Subject,
): Promise<Subject> => {
  const user = attempt.userId === undefined ? undefined : await findUserById(ctx, pool, attempt.userId)
  if (!isUntouched(attempt, user)) throw invalidSession()
  return { ...subject, user }
}

/** Nobody gets no tokens, whatever the functions say. */
const issue = async (ctx: Context, signIn: SignIn, subject: Subject, proven: Proven): Promise<Outcome> => {
  if (subject.user === undefined) throw incorrectUsernameOrPassword()
  const { id, securityEpoch } = subject.user
  const { user } = await stillThere(ctx, signIn, { userId: id, securityEpoch }, subject)
  if (user === undefined) throw incorrectUsernameOrPassword()
  assertMaySignInWithPassword(user)
  return issueAfterProof(ctx, { signIn, user, nameKey: subject.nameKey, ...proven, isFirstAnswer: false })
}
