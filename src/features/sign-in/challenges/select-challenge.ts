/** SELECT_CHALLENGE: the user chooses among the first factors. PASSWORD and PASSWORD_SRP may answer it at once. */
import { firstFactorNotOffered } from '../../../core/errors/user-auth.ts'
import { type Context, inTransaction } from '../../context.ts'
import { migrateUser } from '../../passwords/user-migration.ts'
import { consumeAttempt, type NamedDevice, newAttempt, type SignIn, sealSession } from '../attempt.ts'
import { beginFirstFactor, type FirstFactor, offeredFactors, readFirstFactor } from '../first-factors.ts'
import type { Outcome } from '../progress.ts'
import { type Subject, subjectOf } from '../subject.ts'
import { type Answer, type Challenge, required, resumeUnproven } from './challenge.ts'

/** The choice among these factors. */
export const beginSelection = (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  available: FirstFactor[],
  device: NamedDevice | undefined,
): Outcome => ({
  challenge: 'SELECT_CHALLENGE',
  session: sealSession(
    ctx,
    signIn.client,
    newAttempt(ctx, signIn, { ...subject, step: 'SELECT_CHALLENGE', factors: [], device }),
  ),
  parameters: {},
  available,
})

/**
 * Begins the factor that ANSWER names. A Session is used up by it; a wrong password leaves it.
 * @throws InvalidParameterException for a factor that is not offered, NotAuthorizedException, and what the factor throws
 */
export const answerSelectChallenge: Challenge = (ctx, answer) =>
  choose(ctx, answer, () => required(answer.responses, 'ANSWER'))

/** As answerSelectChallenge, for the challenge whose name is the choice. */
export const answerChosen: Challenge = (ctx, answer) => choose(ctx, answer, () => answer.challenge)

const choose = async (ctx: Context, answer: Answer, readChoice: () => string): Promise<Outcome> => {
  const { responses: values, username: name } = answer
  const { attempt, signIn, subject: resumed } = await resumeUnproven(ctx, answer)
  const factor = readFirstFactor(readChoice(), values)
  if (!(await offeredFactors(ctx, signIn, resumed, name)).includes(factor)) throw firstFactorNotOffered()
  const subject = factor === 'PASSWORD' ? await migrated(ctx, signIn, resumed, name, values['PASSWORD']) : resumed
  const settle = () => inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  const { device } = attempt
  return beginFirstFactor(ctx, factor, { signIn, subject, name, values, device, isFirstAnswer: false, settle })
}

/** A name that nobody has may be that of a user who is migrated, now that there is a password to show. */
const migrated = async (
  ctx: Context,
  { pool, client }: SignIn,
  subject: Subject,
  name: string,
  password: string | undefined,
): Promise<Subject> => {
  if (subject.user !== undefined || password === undefined) return subject
  return subjectOf(ctx, pool, await migrateUser(ctx, pool, client, name, password), subject.nameKey)
}
