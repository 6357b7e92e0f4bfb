/** The end of a sign-in on the pages: a session of the browser, and back to the application. */

import { type FinishedSignIn, finishAuthorization } from '../../features/authorization/finish.ts'
import { beginBrowserSession } from '../../features/authorization/single-sign-on.ts'
import { dropStep } from '../../features/managed-login/page-steps.ts'
import type { Proof } from '../../features/sign-in/progress.ts'
import { leadToPasskey } from './after-sign-in.ts'
import { type Page, redirectTo } from './page.ts'

/** Begins the session and answers the application. */
export const finish = async (page: Page, proof: Proof): Promise<Response> => {
  const { c, ctx, pool, client } = page
  const { session, cookie } = await beginBrowserSession(ctx, pool, client, proof, c.req.header('cookie'))
  c.header('set-cookie', cookie, { append: true })
  if (page.stepId !== undefined) await dropStep(ctx, page.stepId)
  return leadToPasskey(page) ?? returnToApplication(page, session)
}

/** Back to the application with its answer. */
export const returnToApplication = async (page: Page, session: FinishedSignIn): Promise<Response> =>
  redirectTo(page, await finishAuthorization(page.ctx, page.request, session))
