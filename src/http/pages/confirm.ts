/** The confirmation of a sign-up: by the code on a page, or by the link in a message. */
import { isCognitoError } from '../../core/errors.ts'
import type { VerifiableAttribute } from '../../features/messages/codes.ts'
import { beginAfterSignUp } from '../../features/sign-in/sign-in.ts'
import { confirmSignUp, resendConfirmationCode } from '../../features/sign-up/confirm.ts'
import { offeringPasskey } from './add-passkey.ts'
import { advance } from './advance.ts'
import { codeInput, codeOf, resendForm, sentTo } from './codes.ts'
import { button, buttons, linkRow, paragraph } from './components.ts'
import type { Fault } from './faults.ts'
import { html } from './html.ts'
import { counted } from './limits.ts'
import { leadTo, missingFields, orFaults, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { deliveryOf, type SignUpInBrowser, type Step } from './steps.ts'

type ConfirmStep = Extract<Step, { kind: 'confirm' }>

export const showConfirm = (page: Page, step: ConfirmStep, given: readonly Fault[] = []): Response => {
  const { texts } = page
  const { of, message, failed } = sortFaults(given, ['code'])
  const notice = noticeOf(page, step)
  return sendPage(page, {
    heading: texts.confirmHeading,
    ...((message ?? notice) && { message: message ?? notice }),
    failed,
    content: html`${step.delivery && paragraph(sentTo(page, step.delivery, confirmTexts))}${pageForm(page, '/confirm', [
      codeInput({
        label: texts.verificationCode,
        error: of('code'),
        autofocus: true,
        describedBy: message && 'message',
      }),
      buttons(button({ label: texts.confirmAccount })),
    ])}${resendForm(page, '/resendcode')}${linkRow({ label: texts.backToSignIn, href: pageUrl(page, '/login') })}`,
  })
}

const noticeOf = ({ texts }: Page, { resent, signUp }: ConfirmStep) => {
  if (resent) return { kind: 'success', text: texts.codeResent } as const
  return signUp !== undefined ? undefined : ({ kind: 'warning', text: texts.userNotConfirmed } as const)
}

const confirmTexts = { EMAIL: 'confirmCodeSentByEmail', SMS: 'confirmCodeSentBySms' } as const

export const takeConfirm = (page: Page, step: ConfirmStep): Promise<Response> | Response => {
  const missing = missingFields(page, ['code'])
  if (missing.length > 0) return showConfirm(page, step, missing)
  const { username } = step
  return orFaults(
    page,
    async () => {
      const { ctx, client, pool } = page
      const input = await counted(page, 'ConfirmSignUp', { Username: username, ConfirmationCode: codeOf(page) })
      const { attribute } = await confirmSignUp(ctx, client, pool, input)
      return afterConfirmation(page, username, step.signUp, attribute)
    },
    faults => showConfirm(page, step, faults),
  )
}

/** Signs in whom the browser has just signed up, and leads all others to the sign-in page. */
export const afterConfirmation = async (
  before: Page,
  username: string,
  signUp: SignUpInBrowser | undefined,
  confirmed: VerifiableAttribute | undefined,
): Promise<Response> => {
  const page = await offeringPasskey(before)
  const { ctx, client, pool } = page
  if (signUp !== undefined && ctx.clock.now() < signUp.freshUntil) {
    try {
      const fresh = { ...signUp, confirmed }
      return await advance(page, username, await beginAfterSignUp(ctx, { pool, client, username, signUp: fresh }))
    } catch (error) {
      // The user is confirmed all the same; what keeps him out is told at his next sign-in.
      if (!isCognitoError(error)) throw error
    }
  }
  return leadTo(page, '/login', { kind: 'notice', username, notice: 'registrationConfirmed' })
}

export const resendConfirmation = (page: Page, step: ConfirmStep): Promise<Response> =>
  orFaults(
    page,
    async () => {
      const { ctx, client, pool } = page
      const { Username } = await counted(page, 'ResendConfirmationCode', { Username: step.username })
      const delivery = deliveryOf(await resendConfirmationCode(ctx, client, pool, Username))
      return leadTo(page, '/confirm', { ...step, delivery, resent: true })
    },
    faults => showConfirm(page, step, faults),
  )
