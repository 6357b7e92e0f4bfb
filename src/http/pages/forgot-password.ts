/** Forgotten passwords: whose it is, and then the code with the new one. */
import { confirmForgotPassword, forgotPassword } from '../../features/passwords/recovery.ts'
import { signInOffer } from '../../features/sign-in/offer.ts'
import { codeInput, codeOf, resendForm, sentTo } from './codes.ts'
import { button, buttons, field, linkRow, paragraph } from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { counted } from './limits.ts'
import { leadTo, missingFields, orFaults, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { newPasswordFields, passwordFaults } from './passwords.ts'
import { nameField, usernameLengthMax } from './sign-in.ts'
import { deliveryOf, type Step } from './steps.ts'

type ResetStep = Extract<Step, { kind: 'reset' }>

export const showForgotPassword = (page: Page, given: readonly Fault[] = []): Response => {
  const { texts, pool, client, managed, form } = page
  const { names } = signInOffer(pool, client, managed)
  const { of, message, failed } = sortFaults(given, ['username'])
  return sendPage(page, {
    heading: texts.forgotPasswordHeading,
    introduction: texts.forgotPasswordHint,
    ...(message && { message }),
    failed,
    content: html`${pageForm(page, '/forgotPassword', [
      field({
        name: 'username',
        ...nameField(texts, names),
        autocomplete: 'username',
        maxLength: usernameLengthMax,
        value: fieldOf(form, 'username'),
        error: of('username'),
        autofocus: true,
        describedBy: message && 'message',
      }),
      buttons(button({ label: texts.resetMyPassword })),
    ])}${linkRow({ label: texts.backToSignIn, href: pageUrl(page, '/login') })}`,
  })
}

export const takeForgotPassword = (page: Page): Promise<Response> | Response => {
  const missing = missingFields(page, ['username'])
  if (missing.length > 0) return showForgotPassword(page, missing)
  const username = fieldOf(page.form, 'username')
  return orFaults(
    page,
    async () => leadTo(page, '/confirmforgotPassword', await sendResetCode(page, { kind: 'reset', username })),
    faults => showForgotPassword(page, faults),
  )
}

const sendResetCode = async (page: Page, step: ResetStep): Promise<ResetStep> => {
  const { ctx, client, pool } = page
  const { Username } = await counted(page, 'ForgotPassword', { Username: step.username })
  return { ...step, delivery: deliveryOf(await forgotPassword(ctx, client, pool, Username)) }
}

export const showResetPassword = (page: Page, step: ResetStep, given: readonly Fault[] = []): Response => {
  const { texts } = page
  const faults = sortFaults(given, ['code', 'password', 'confirmation'])
  const notice = noticeOf(page, step)
  return sendPage(page, {
    heading: texts.resetPasswordHeading,
    ...((faults.message ?? notice) && { message: faults.message ?? notice }),
    failed: faults.failed,
    content: html`${step.delivery && paragraph(sentTo(page, step.delivery, resetTexts))}${pageForm(
      page,
      '/confirmforgotPassword',
      [
        codeInput({
          label: texts.verificationCode,
          error: faults.of('code'),
          autofocus: given.length === 0,
        }),
        newPasswordFields(page, faults, { password: texts.newPassword, confirmation: texts.confirmNewPassword }),
        buttons(button({ label: texts.changePassword })),
      ],
    )}${resendForm(page, '/resendcode')}${linkRow({ label: texts.backToSignIn, href: pageUrl(page, '/login') })}`,
  })
}

const resetTexts = { EMAIL: 'resetCodeSentByEmail', SMS: 'resetCodeSentBySms' } as const

const noticeOf = ({ texts }: Page, { resent, required }: ResetStep) => {
  if (resent) return { kind: 'success', text: texts.codeResent } as const
  return required && ({ kind: 'warning', text: texts.passwordResetRequired } as const)
}

export const takeResetPassword = (page: Page, step: ResetStep): Promise<Response> | Response => {
  const faults = [...missingFields(page, ['code', 'password']), ...passwordFaults(page)]
  if (faults.length > 0) return showResetPassword(page, step, faults)
  const { username } = step
  return orFaults(
    page,
    async () => {
      const { ctx, client, pool, form } = page
      const input = await counted(page, 'ConfirmForgotPassword', {
        Username: username,
        ConfirmationCode: codeOf(page),
        Password: fieldOf(form, 'password'),
      })
      await confirmForgotPassword(ctx, client, pool, input)
      return leadTo(page, '/login', { kind: 'notice', username, notice: 'passwordChanged' })
    },
    refused => showResetPassword(page, step, refused),
  )
}

export const resendResetCode = (page: Page, step: ResetStep): Promise<Response> =>
  orFaults(
    page,
    async () => leadTo(page, '/confirmforgotPassword', { ...(await sendResetCode(page, step)), resent: true }),
    faults => showResetPassword(page, step, faults),
  )
