/** USER_AUTH: the user chooses among the first factors, or the client has chosen one before. */

import { userAuthUnavailableInTier } from '../../../core/errors/user-auth.ts'
import { incorrectUsernameOrPassword, userDisabled } from '../../../core/errors.ts'
import { preventsUserExistenceErrors } from '../../app-clients/client.ts'
import type { Context } from '../../context.ts'
import { assertNotLocked } from '../../passwords/lockout.ts'
import { signInAfterSignUp } from '../after-sign-up.ts'
import type { SignIn } from '../attempt.ts'
import { required } from '../challenges/challenge.ts'
import { beginSelection } from '../challenges/select-challenge.ts'
import { unprovenDevice } from '../device.ts'
import { finishSignIn } from '../finish.ts'
import { beginFirstFactor, type FirstFactor, offeredFactors, readFirstFactor } from '../first-factors.ts'
import { preAuthenticate } from '../pre-authentication.ts'
import type { Outcome } from '../progress.ts'
import { missingCodes } from '../step-up.ts'
import { pickTarget, readStepUp } from '../step-up-target.ts'
import { assertMaySignIn, findSubject, type Subject } from '../subject.ts'
import type { Flow } from './flow.ts'

export const userAuth: Flow = {
  operations: ['InitiateAuth', 'AdminInitiateAuth', 'ManagedLogin'],
  parameters: ['USERNAME'],
  begin: async (ctx, signIn, parameters, session) => {
    const { pool, face } = signIn
    // The pages of such a pool ask for the password at once.
    if (face === 'api' && pool.settings.UserPoolTier === 'LITE') throw userAuthUnavailableInTier('LITE')
    if (session !== undefined) return signInAfterSignUp(ctx, signIn, parameters, session)
    const name = required(parameters, 'USERNAME')
    const wanted = parameters['PREFERRED_CHALLENGE']
    const preferred = wanted === undefined ? undefined : readFirstFactor(wanted, parameters)
    const stepUp = readStepUp(signIn, parameters)
    const password = preferred === 'PASSWORD' ? parameters['PASSWORD'] : undefined
    const found = await findSubject(ctx, signIn, name, parameters['SECRET_HASH'], password)
    await assertNotLocked(ctx, found.lockoutKey)
    const { subject, offered } = await offer(ctx, signIn, await preAuthenticate(ctx, signIn, found, name), name)
    const request = { name, parameters, preferred }
    const target = stepUp && (await pickTarget(ctx, signIn, subject, name, stepUp))
    if (target === undefined) return beginAmong(ctx, signIn, subject, { ...request, offered })
    return beginToward(ctx, { ...signIn, target }, subject, request)
  },
}

interface Request {
  name: string
  parameters: Record<string, string>
  preferred: FirstFactor | undefined
}

/** The preferred factor or the only one, else the choice. */
const beginAmong = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  { name, parameters, preferred, offered }: Request & { offered: FirstFactor[] },
): Promise<Outcome> => {
  const device = unprovenDevice(signIn, parameters)
  const factor = chosen(offered, preferred)
  if (factor === undefined) return beginSelection(ctx, signIn, subject, offered, device)
  const settle = () => Promise.resolve()
  const choice = { signIn, subject, name, values: parameters, device, isFirstAnswer: true, settle }
  return listing(await beginFirstFactor(ctx, factor, choice), factor, offered)
}

/** What is missing to the level that the sign-in must reach: a code beside a password that is credited, or a first factor. */
const beginToward = async (ctx: Context, signIn: SignIn, subject: Subject, request: Request): Promise<Outcome> => {
  const { target } = signIn
  const { user, nameKey } = subject
  if (target !== undefined && user !== undefined && (await missingCodes(ctx, signIn.pool, user, target)).length > 0) {
    const device = unprovenDevice(signIn, request.parameters)
    return finishSignIn(ctx, { signIn, user, nameKey, factors: target.credited, device, isFirstAnswer: true })
  }
  return beginAmong(ctx, signIn, subject, {
    ...request,
    offered: await offeredFactors(ctx, signIn, subject, request.name),
  })
}

/**
 * What the subject may choose among. A user who has nothing to sign in with is told so, or passes for nobody.
 * @throws NotAuthorizedException and what assertMaySignIn throws
 */
const offer = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  name: string,
): Promise<{ subject: Subject; offered: FirstFactor[] }> => {
  const isHidden = preventsUserExistenceErrors(signIn.client)
  if (subject.user?.enabled === false && !isHidden) throw userDisabled()
  const offered = await offeredFactors(ctx, signIn, subject, name)
  if (offered.length > 0) return { subject, offered }
  assertMaySignIn(signIn.client, subject.user)
  if (!isHidden || subject.user === undefined) throw incorrectUsernameOrPassword()
  return offer(ctx, signIn, { ...subject, user: undefined, lockoutKey: subject.nameKey }, name)
}

/** The preferred factor, or the only one. Undefined when it is the user's choice. */
const chosen = (offered: FirstFactor[], preferred: FirstFactor | undefined): FirstFactor | undefined => {
  if (preferred !== undefined) return offered.find(factor => factor === preferred)
  return offered.length === 1 ? offered[0] : undefined
}

/** A challenge that is a factor itself comes with the list of those that could be chosen. */
const listing = (outcome: Outcome, factor: FirstFactor, available: FirstFactor[]): Outcome =>
  'challenge' in outcome && outcome.challenge === factor ? { ...outcome, available } : outcome
