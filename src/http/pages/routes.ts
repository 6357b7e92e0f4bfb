/** The pages by path, whatever the case of its letters. */
import { showAddPasskey, takeAddPasskey } from './add-passkey.ts'
import { pathOf } from './advance.ts'
import { showFirstFactor, takeFirstFactor } from './choose-factor.ts'
import { resendConfirmation, showConfirm, takeConfirm } from './confirm.ts'
import { showDevice, takeDevice } from './device.ts'
import { showSessionOver } from './error-page.ts'
import {
  resendResetCode,
  showForgotPassword,
  showResetPassword,
  takeForgotPassword,
  takeResetPassword,
} from './forgot-password.ts'
import { showCode, showMfaChoice, takeCode, takeMfaChoice } from './mfa.ts'
import { showMfaSetup, takeMfaSetup } from './mfa-setup.ts'
import { showNewPassword, takeNewPassword } from './new-password.ts'
import { type Page, type PagePath, pageUrl, seeOther } from './page.ts'
import { showPasskey, takePasskey } from './passkey.ts'
import { isProviderSearch, signsInLocally, wayToProvider } from './providers.ts'
import { showSignIn, takeProviderSearch, takeSignIn } from './sign-in.ts'
import { showSignUp, takeSignUp } from './sign-up.ts'
import { continueSession, sessionOf, showSignedIn } from './signed-in.ts'
import type { ChallengeStep, Step } from './steps.ts'

type Answer = Response | Promise<Response>
type Handler = (page: Page) => Answer

export interface Route {
  get?: Handler
  post?: Handler
  /** An application may lead here without asking for an answer. */
  needsNoResponseType?: true
}

/** A page that only a step of its kind leads to. */
const ofStep =
  <Kind extends Step['kind']>(
    kind: Kind,
    handler: (page: Page, step: Extract<Step, { kind: Kind }>) => Answer,
  ): Handler =>
  page => {
    const { step, stepId } = page
    if (step?.kind === kind) return handler(page, step as Extract<Step, { kind: Kind }>)
    return stepId === undefined ? seeOther(page, pageUrl(page, '/login')) : showSessionOver(page)
  }

/** A page of a sign-in that is under way; a step that belongs to another page leads there. */
const ofChallenge = (path: PagePath, handler: (page: Page, step: ChallengeStep) => Answer): Handler =>
  ofStep('challenge', (page, step) => {
    const own = pathOf(step.challenge)
    return own === path ? handler(page, step) : seeOther(page, pageUrl(page, own, page.stepId))
  })

/** A page for users of the pool itself, whom not every client has. */
const local =
  (handler: Handler): Handler =>
  page =>
    signsInLocally(page) ? handler(page) : seeOther(page, pageUrl(page, '/login'))

const showLogin: Handler = async page => {
  const { step, stepId } = page
  if (step?.kind === 'challenge') return ofChallenge('/login', showFirstFactor)(page)
  if (step === undefined && stepId !== undefined) return showSessionOver(page)
  const session = step === undefined ? await sessionOf(page) : undefined
  if (session !== undefined) return showSignedIn(page, session)
  const way = wayToProvider(page)
  return way === undefined ? showSignIn(page) : seeOther(page, way)
}

const takeLogin: Handler = async page => {
  if (page.step?.kind === 'challenge') return ofChallenge('/login', takeFirstFactor)(page)
  if (page.form.has('continue')) return (await continueSession(page)) ?? showSignIn(page)
  if (isProviderSearch(page)) return takeProviderSearch(page)
  return local(takeSignIn)(page)
}

const resend: Handler = page =>
  page.step?.kind === 'reset' ? resendResetCode(page, page.step) : ofStep('confirm', resendConfirmation)(page)

const routes: Record<string, Route | undefined> = {
  '/login': { get: showLogin, post: takeLogin },
  '/device': { get: showDevice, post: takeDevice },
  '/signup': { get: local(page => showSignUp(page)), post: local(takeSignUp) },
  '/confirm': {
    get: ofStep('confirm', (page, step) => showConfirm(page, step)),
    post: ofStep('confirm', takeConfirm),
  },
  '/resendcode': { post: resend },
  '/forgotpassword': { get: local(page => showForgotPassword(page)), post: local(takeForgotPassword) },
  '/confirmforgotpassword': {
    get: ofStep('reset', (page, step) => showResetPassword(page, step)),
    post: ofStep('reset', takeResetPassword),
  },
  '/resetpassword': {
    get: ofChallenge('/resetpassword', (page, step) => showNewPassword(page, step)),
    post: ofChallenge('/resetpassword', takeNewPassword),
  },
  '/mfa': { get: ofChallenge('/mfa', (page, step) => showCode(page, step)), post: ofChallenge('/mfa', takeCode) },
  '/mfaoption': {
    get: ofChallenge('/mfaoption', (page, step) => showMfaChoice(page, step)),
    post: ofChallenge('/mfaoption', takeMfaChoice),
  },
  '/passkey': {
    get: ofChallenge('/passkey', (page, step) => showPasskey(page, step)),
    post: ofChallenge('/passkey', takePasskey),
  },
  '/passkeys/add': { get: showAddPasskey, post: takeAddPasskey, needsNoResponseType: true },
  '/mfasetup': { get: ofChallenge('/mfasetup', showMfaSetup), post: ofChallenge('/mfasetup', takeMfaSetup) },
}

/** The page at a path. */
export const routeOf = (path: string): Route | undefined => {
  const key = normalPath(path)
  return Object.hasOwn(routes, key) ? routes[key] : undefined
}

/** In small letters, without a slash at the end. */
export const normalPath = (path: string): string => path.toLowerCase().replace(/\/$/, '')
