/** The pages of codes: as a second factor, as a first one, and the choice among the second factors of a user. */
import type { ChallengeNameType } from '../../contract/types.ts'
import { sendCodeAgain } from '../../features/sign-in/send-again.ts'
import { advance, answerStep, guarded } from './advance.ts'
import { codeInput, codeOf, resendForm } from './codes.ts'
import { button, buttons, type Choice, choiceButtons, linkRow, paragraph, quoted } from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { type Html, html } from './html.ts'
import { counted } from './limits.ts'
import { missingFields, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import type { ChallengeStep } from './steps.ts'
import { fillHtml, type Texts } from './texts/index.ts'

interface CodeChallenge {
  /** The response that carries the code. */
  response: string
  prompt: (texts: Texts, destination: Html) => Html
  /** The code was sent, and can be sent once more. */
  isSent: boolean
}

const byMail: Omit<CodeChallenge, 'response'> = {
  prompt: (texts, destination) => fillHtml(texts.emailCodeSent, { destination }),
  isSent: true,
}
const byTextMessage: Omit<CodeChallenge, 'response'> = {
  prompt: (texts, destination) => fillHtml(texts.smsCodeSent, { destination }),
  isSent: true,
}

const codeChallenges: Partial<Record<ChallengeNameType, CodeChallenge>> = {
  SMS_MFA: { response: 'SMS_MFA_CODE', ...byTextMessage },
  SMS_OTP: { response: 'SMS_OTP_CODE', ...byTextMessage },
  EMAIL_OTP: { response: 'EMAIL_OTP_CODE', ...byMail },
  SOFTWARE_TOKEN_MFA: {
    response: 'SOFTWARE_TOKEN_MFA_CODE',
    prompt: texts => html`${texts.authenticatorCodePrompt}`,
    isSent: false,
  },
}

const challengeOf = ({ challenge }: ChallengeStep): CodeChallenge => {
  const found = codeChallenges[challenge]
  if (found === undefined) throw new Error(`${challenge} asks for no code.`)
  return found
}

export const showCode = (page: Page, step: ChallengeStep, faults: readonly Fault[] = []): Response => {
  const { texts } = page
  const { prompt, isSent } = challengeOf(step)
  const { of, message, failed } = sortFaults(faults, ['code'])
  const notice = step.resent && ({ kind: 'success', text: texts.codeResent } as const)
  return sendPage(page, {
    heading: texts.enterCodeHeading,
    ...((message ?? notice) && { message: message ?? notice }),
    failed,
    content: html`${paragraph(prompt(texts, quoted(step.parameters['CODE_DELIVERY_DESTINATION'] ?? '')))}${pageForm(
      page,
      '/mfa',
      [
        codeInput({ label: texts.code, error: of('code'), autofocus: true, describedBy: message && 'message' }),
        buttons(button({ label: texts.signIn })),
      ],
    )}${isSent && resendForm(page, '/mfa')}${linkRow({ label: texts.startAgain, href: pageUrl(page, '/login') })}`,
  })
}

export const takeCode = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  if (page.form.has('resend')) return sendAgain(page, step)
  const missing = missingFields(page, ['code'])
  if (missing.length > 0) return showCode(page, step, missing)
  const show = (faults: Fault[]) => showCode(page, step, faults)
  return answerStep(page, step, { [challengeOf(step).response]: codeOf(page) }, show)
}

const sendAgain = (page: Page, step: ChallengeStep): Promise<Response> =>
  guarded(
    page,
    async () => {
      const { ctx, pool, client } = page
      const { challenge, session, username, newAddress } = step
      await counted(page, 'RespondToAuthChallenge', {
        ChallengeName: challenge,
        Session: session,
        ChallengeResponses: { USERNAME: username },
      })
      const outcome = await sendCodeAgain(ctx, {
        pool,
        client,
        face: 'pages',
        challenge,
        session,
        username,
        newAddress,
      })
      return advance(page, username, outcome, { resent: true, ...(newAddress !== undefined && { newAddress }) })
    },
    faults => showCode(page, step, faults),
  )

// ---------------------------------------------------------------------------------------------- the choice of a factor

export const showMfaChoice = (page: Page, step: ChallengeStep, faults: readonly Fault[] = []): Response => {
  const { texts } = page
  const { message, failed } = sortFaults(faults, [])
  const offered = namesIn(step.parameters['MFAS_CAN_CHOOSE'])
  return sendPage(page, {
    heading: texts.chooseMfaHeading,
    introduction: texts.chooseMfaHint,
    ...(message && { message }),
    failed,
    content: html`${pageForm(page, '/mfaoption', choiceButtons({ name: 'answer', choices: factorChoices(texts, offered) }))}${linkRow(
      { label: texts.startAgain, href: pageUrl(page, '/login') },
    )}`,
  })
}

/** The list that a parameter holds as JSON. */
export const namesIn = (parameter: string | undefined): string[] => JSON.parse(parameter ?? '[]') as string[]

/** The second factors among these, as a list to choose from. */
export const factorChoices = (texts: Texts, names: readonly string[]): Choice[] => {
  const choices: Choice[] = [
    {
      value: 'SOFTWARE_TOKEN_MFA',
      label: texts.factorAuthenticator,
      hint: texts.factorAuthenticatorHint,
      graphic: 'authenticator',
    },
    { value: 'EMAIL_OTP', label: texts.factorEmailCode, hint: texts.factorEmailCodeHintPlain, graphic: 'email' },
    { value: 'SMS_MFA', label: texts.factorSmsCode, hint: texts.factorSmsCodeHintPlain, graphic: 'sms' },
  ]
  return choices.filter(({ value }) => names.includes(value))
}

export const takeMfaChoice = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  const show = (faults: Fault[] = []) => showMfaChoice(page, step, faults)
  if (missingFields(page, ['answer']).length > 0) return show()
  return answerStep(page, step, { ANSWER: fieldOf(page.form, 'answer') }, show)
}
