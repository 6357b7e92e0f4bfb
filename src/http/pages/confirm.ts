/** The confirmation of a sign-up: by the code on a page, or by the link in a message. */
import { confirmSignUp, resendConfirmationCode } from '../../features/sign-up/confirm.ts'
import { offeringPasskey } from './add-passkey.ts'
import { codeInput, codeOf, resendForm, sentTo } from './codes.ts'
import { button, buttons, linkRow, paragraph } from './components.ts'
import type { Fault } from './faults.ts'
import { html } from './html.ts'
import { counted } from './limits.ts'
import { leadTo, missingFields, orFaults, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { deliveryOf, type Step } from './steps.ts'

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

const noticeOf = ({ texts }: Page, { resent, isNew }: ConfirmStep) => {
  if (resent) return { kind: 'success', text: texts.codeResent } as const
  return isNew ? undefined : ({ kind: 'warning', text: texts.userNotConfirmed } as const)
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
      await confirmSignUp(ctx, client, pool, input)
      return leadTo(await offeringPasskey(page), '/login', {
        kind: 'notice',
        username,
        notice: 'registrationConfirmed',
      })
    },
    faults => showConfirm(page, step, faults),
  )
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
