/** Setting up a second factor during a sign-in: an authenticator application, or an address for codes by mail. */
import { otpauthUri } from '../../core/totp.ts'
import { associateInSignIn, verifyInSignIn } from '../../features/sign-in/challenges/mfa-setup.ts'
import { answerStep, guarded } from './advance.ts'
import { codeInput, codeOf } from './codes.ts'
import { button, buttons, choiceButtons, field, instructions, linkRow } from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { counted } from './limits.ts'
import { factorChoices, namesIn } from './mfa.ts'
import { leadTo, missingFields, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { qrBlock } from './qr-code.ts'
import type { ChallengeStep } from './steps.ts'

/** The factors that have a page: text messages cannot be set up during a sign-in. */
const settable = (step: ChallengeStep): string[] =>
  namesIn(step.parameters['MFAS_CAN_SETUP']).filter(name => name === 'SOFTWARE_TOKEN_MFA' || name === 'EMAIL_OTP')

/** The factor that was chosen, or the only one there is. */
const chosenOf = (step: ChallengeStep): string | undefined => {
  const names = settable(step)
  return step.chosen ?? (names.length === 1 ? names[0] : undefined)
}

export const showMfaSetup = async (page: Page, step: ChallengeStep): Promise<Response> => {
  switch (chosenOf(step)) {
    case 'SOFTWARE_TOKEN_MFA':
      return step.secret === undefined ? associate(page, step) : showSoftwareToken(page, step, step.secret)
    case 'EMAIL_OTP':
      return showAddress(page, step)
    default:
      return showChoice(page, step)
  }
}

export const takeMfaSetup = async (page: Page, step: ChallengeStep): Promise<Response> => {
  const { form } = page
  const chosen = chosenOf(step)
  if (chosen === undefined) {
    const wanted = fieldOf(form, 'answer')
    return settable(step).includes(wanted)
      ? leadTo(page, '/mfasetup', { ...step, chosen: wanted })
      : showChoice(page, step)
  }
  return chosen === 'EMAIL_OTP' ? takeAddress(page, step) : takeSoftwareToken(page, step)
}

const showChoice = (page: Page, step: ChallengeStep): Response => {
  const { texts } = page
  return sendPage(page, {
    heading: texts.setUpMfaHeading,
    introduction: texts.setUpMfaHint,
    content: [
      pageForm(page, '/mfasetup', choiceButtons({ name: 'answer', choices: factorChoices(texts, settable(step)) })),
      linkRow({ label: texts.startAgain, href: pageUrl(page, '/login') }),
    ],
  })
}

// ---------------------------------------------------------------------------------------------- authenticator applications

/** Draws the secret once; the step keeps it, so that a reload shows the same one. */
const associate = (page: Page, step: ChallengeStep): Promise<Response> =>
  guarded(
    page,
    async () => {
      await counted(page, 'AssociateSoftwareToken', { Session: step.session })
      const { secret, session } = await associateInSignIn(page.ctx, step.session, 'pages')
      return leadTo(page, '/mfasetup', { ...step, secret, session })
    },
    () => showChoice(page, step),
  )

const showSoftwareToken = (
  page: Page,
  step: ChallengeStep,
  secret: string,
  faults: readonly Fault[] = [],
): Response => {
  const { texts, pool } = page
  const { of, message, failed } = sortFaults(faults, ['code', 'deviceName'])
  const uri = otpauthUri({ issuer: pool.name, account: step.username, secret })
  return sendPage(page, {
    heading: texts.setUpAuthenticatorHeading,
    ...(message && { message }),
    failed,
    content: html`${instructions([
      texts.setUpAuthenticatorStep1,
      html`${texts.setUpAuthenticatorStep2}${qrBlock(texts, { uri, secret })}`,
      texts.setUpAuthenticatorStep3,
    ])}${pageForm(page, '/mfasetup', [
      codeInput({ label: texts.code, error: of('code'), describedBy: message && 'message' }),
      field({
        name: 'deviceName',
        label: texts.deviceName,
        note: texts.optional,
        hint: texts.deviceNameHint,
        required: false,
        value: fieldOf(page.form, 'deviceName'),
        maxLength: 100,
        error: of('deviceName'),
        autocomplete: 'off',
      }),
      buttons(button({ label: texts.verify })),
    ])}${linkRow({ label: texts.startAgain, href: pageUrl(page, '/login') })}`,
  })
}

const takeSoftwareToken = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  const { secret } = step
  if (secret === undefined) return associate(page, step)
  const show = (faults: Fault[]) => showSoftwareToken(page, step, secret, faults)
  const missing = missingFields(page, ['code'])
  if (missing.length > 0) return show(missing)
  return guarded(
    page,
    async () => {
      const input = await counted(page, 'VerifySoftwareToken', {
        Session: step.session,
        UserCode: codeOf(page),
        FriendlyDeviceName: fieldOf(page.form, 'deviceName') || undefined,
      })
      const session = await verifyInSignIn(page.ctx, step.session, input.UserCode, input.FriendlyDeviceName, 'pages')
      return answerStep(page, { ...step, session }, {}, show)
    },
    show,
  )
}

// ---------------------------------------------------------------------------------------------- addresses

const showAddress = (page: Page, _step: ChallengeStep, faults: readonly Fault[] = []): Response => {
  const { texts } = page
  const { of, message, failed } = sortFaults(faults, ['email'])
  return sendPage(page, {
    heading: texts.setUpEmailHeading,
    introduction: texts.setUpEmailHint,
    ...(message && { message }),
    failed,
    content: html`${pageForm(page, '/mfasetup', [
      field({
        name: 'email',
        label: texts.email,
        type: 'email',
        autocomplete: 'email',
        value: fieldOf(page.form, 'email'),
        error: of('email'),
        autofocus: true,
        maxLength: 2_048,
      }),
      buttons(button({ label: texts.sendCode })),
    ])}${linkRow({ label: texts.startAgain, href: pageUrl(page, '/login') })}`,
  })
}

const takeAddress = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  const show = (faults: Fault[]) => showAddress(page, step, faults)
  const missing = missingFields(page, ['email'])
  if (missing.length > 0) return show(missing)
  const newAddress = fieldOf(page.form, 'email')
  return answerStep(page, step, { EMAIL: newAddress }, show, { newAddress })
}
