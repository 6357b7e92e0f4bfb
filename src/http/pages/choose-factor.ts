/** USER_AUTH on the pages: the choice among the ways in which a user may begin, and the page of the password. */
import type { ChallengeNameType } from '../../contract/types.ts'
import { signInOffer } from '../../features/sign-in/offer.ts'
import { answerStep } from './advance.ts'
import {
  button,
  buttons,
  type Choice,
  choiceButtons,
  linkRow,
  paragraph,
  passwordField,
  quoted,
  textLink,
} from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { leadTo, missingFields, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { passwordLengthMax } from './passwords.ts'
import type { ChallengeStep } from './steps.ts'
import { fillHtml, type Texts } from './texts/index.ts'

const choicesOf = (texts: Texts, { available = [] }: ChallengeStep): Choice[] => {
  const all: (Choice & { value: ChallengeNameType })[] = [
    { value: 'PASSWORD', label: texts.factorPassword, hint: texts.factorPasswordHint, graphic: 'password' },
    { value: 'EMAIL_OTP', label: texts.factorEmailCode, hint: texts.factorEmailCodeHintPlain, graphic: 'email' },
    { value: 'SMS_OTP', label: texts.factorSmsCode, hint: texts.factorSmsCodeHintPlain, graphic: 'sms' },
    { value: 'WEB_AUTHN', label: texts.factorPasskey, hint: texts.factorPasskeyHint, graphic: 'passkey' },
  ]
  return all.filter(({ value }) => available.includes(value))
}

/** The way that was chosen, or the only one there is. */
const chosenOf = (page: Page, step: ChallengeStep): string | undefined => {
  const choices = choicesOf(page.texts, step)
  return step.chosen ?? (choices.length === 1 ? choices[0]?.value : undefined)
}

export const showFirstFactor = (page: Page, step: ChallengeStep): Response =>
  chosenOf(page, step) === 'PASSWORD' ? showPassword(page, step) : showChoice(page, step)

export const takeFirstFactor = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  if (page.form.has('password')) return takePassword(page, step)
  const wanted = fieldOf(page.form, 'answer')
  const isOffered = choicesOf(page.texts, step).some(({ value }) => value === wanted)
  if (!isOffered) return showFirstFactor(page, step)
  // The password is asked for on a page of its own; every other way begins at once.
  if (wanted === 'PASSWORD') return leadTo(page, '/login', { ...step, chosen: wanted })
  return answerStep(page, step, { ANSWER: wanted }, faults => showChoice(page, step, faults))
}

const showChoice = (page: Page, step: ChallengeStep, faults: readonly Fault[] = []): Response => {
  const { texts } = page
  const { message, failed } = sortFaults(faults, [])
  return sendPage(page, {
    heading: texts.chooseFactorHeading,
    introduction: texts.chooseFactorHint,
    ...(message && { message }),
    failed,
    content: html`${whoRow(page, step)}${pageForm(page, '/login', choiceButtons({ name: 'answer', choices: choicesOf(texts, step) }))}`,
  })
}

/** Whose sign-in it is, with the way back. */
const whoRow = (page: Page, { username }: ChallengeStep) =>
  paragraph([
    fillHtml(page.texts.signingInAs, { user: quoted(username) }),
    ' ',
    textLink({ label: page.texts.notYou, href: pageUrl(page, '/login') }),
  ])

const showPassword = (page: Page, step: ChallengeStep, faults: readonly Fault[] = []): Response => {
  const { texts, pool, client, managed } = page
  const { of, message, failed } = sortFaults(faults, ['password'])
  const { recovery } = signInOffer(pool, client, managed)
  const others = choicesOf(texts, step).filter(({ value }) => value !== 'PASSWORD')
  return sendPage(page, {
    heading: texts.enterPasswordHeading,
    ...(message && { message }),
    failed,
    content: html`${whoRow(page, step)}${pageForm(page, '/login', [
      // Password managers learn from it whose password this is.
      html`<input class="hidden" type="text" name="username" value="${step.username}" autocomplete="username" readonly tabindex="-1" aria-hidden="true">`,
      passwordField({
        name: 'password',
        label: texts.password,
        kind: 'current',
        maxLength: passwordLengthMax,
        error: of('password'),
        autofocus: true,
        describedBy: message && 'message',
      }),
      buttons(button({ label: texts.signIn })),
    ])}${recovery && linkRow({ label: texts.forgotPasswordLink, href: pageUrl(page, '/forgotPassword') })}${
      others.length > 0 &&
      html`<h2>${texts.tryAnotherWay}</h2>${pageForm(page, '/login', choiceButtons({ name: 'answer', choices: others }))}`
    }`,
  })
}

const takePassword = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  const show = (faults: Fault[]) => showPassword(page, step, faults)
  const missing = missingFields(page, ['password'])
  if (missing.length > 0) return show(missing)
  return answerStep(page, step, { PASSWORD: fieldOf(page.form, 'password') }, show, { challenge: 'PASSWORD' })
}
