/** From one step of a sign-in to the next: the page of a challenge, or the end. */
import type { ChallengeNameType } from '../../contract/types.ts'
import { isCognitoError } from '../../core/errors.ts'
import type { Outcome } from '../../features/sign-in/progress.ts'
import { answer } from '../../features/sign-in/sign-in.ts'
import { showSessionOver } from './error-page.ts'
import { type Fault, faultsOf, isSessionOver } from './faults.ts'
import { finish } from './finish.ts'
import { counted } from './limits.ts'
import { leadTo, type Page, type PagePath } from './page.ts'
import { passkeysWorkHere } from './passkey.ts'
import { detourOf } from './sign-in.ts'
import type { ChallengeStep } from './steps.ts'

const paths: Partial<Record<ChallengeNameType, PagePath>> = {
  SELECT_CHALLENGE: '/login',
  NEW_PASSWORD_REQUIRED: '/resetpassword',
  SELECT_MFA_TYPE: '/mfaoption',
  MFA_SETUP: '/mfasetup',
  SMS_MFA: '/mfa',
  SMS_OTP: '/mfa',
  EMAIL_OTP: '/mfa',
  SOFTWARE_TOKEN_MFA: '/mfa',
  WEB_AUTHN: '/passkey',
}

/** The page of a challenge. */
export const pathOf = (challenge: ChallengeNameType): PagePath => {
  const path = paths[challenge]
  if (path === undefined) throw new Error(`There is no page for ${challenge}.`)
  return path
}

/**
 * Leads to the page of the next challenge, or ends the sign-in. `username` is the name that it began with, `more` what the
 * page is told besides. Passkeys that browsers cannot use here are no choice.
 */
export const advance = async (
  page: Page,
  username: string,
  outcome: Outcome,
  more: Partial<ChallengeStep> = {},
): Promise<Response> => {
  if ('proven' in outcome) return finish(page, outcome.proven)
  if ('tokens' in outcome) throw new Error('A sign-in of the pages has ended with tokens.')
  const step: ChallengeStep = { kind: 'challenge', username, ...outcome, ...more }
  if (step.available?.includes('WEB_AUTHN') && !(await passkeysWorkHere(page))) {
    step.available = step.available.filter(name => name !== 'WEB_AUTHN')
  }
  return leadTo(page, pathOf(outcome.challenge), step)
}

/**
 * Answers the pending challenge, under its own name unless another is given, and goes on from there; the next page is told
 * the rest.
 */
export const answerStep = (
  page: Page,
  step: ChallengeStep,
  responses: Record<string, string>,
  show: (faults: Fault[]) => Response | Promise<Response>,
  { challenge = step.challenge, ...more }: Partial<ChallengeStep> = {},
): Promise<Response> =>
  guarded(
    page,
    async () => {
      const { ctx, pool, client } = page
      const ChallengeResponses = { ...responses, USERNAME: step.username }
      await counted(page, 'RespondToAuthChallenge', {
        ChallengeName: challenge,
        Session: step.session,
        ChallengeResponses,
      })
      const request = {
        pool,
        client,
        face: 'pages',
        challenge,
        session: step.session,
        responses: ChallengeResponses,
      } as const
      const outcome = await answer(ctx, request).catch(error => detourOf(page, step.username, error))
      return outcome instanceof Response ? outcome : advance(page, step.username, outcome, more)
    },
    show,
  )

/** Runs a step of a sign-in. A sign-in that has ended begins anew; what else is refused, the page of the step shows. */
export const guarded = async (
  page: Page,
  work: () => Promise<Response>,
  show: (faults: Fault[]) => Response | Promise<Response>,
): Promise<Response> => {
  try {
    return await work()
  } catch (error) {
    if (isCognitoError(error) && isSessionOver(error)) return showSessionOver(page)
    return show(faultsOf(page.texts, error))
  }
}
