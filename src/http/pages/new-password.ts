/** The page that replaces a temporary password and asks for what else is missing. */
import { answerStep } from './advance.ts'
import { attributeField, attributeFieldName } from './attributes.ts'
import { button, buttons, linkRow, paragraph } from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { namesIn } from './mfa.ts'
import { missingFields, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { newPasswordFields, passwordFaults } from './passwords.ts'
import type { ChallengeStep } from './steps.ts'

const attributePrefix = 'userAttributes.'

/** The names of the attributes that are due. */
const dueOf = (step: ChallengeStep): string[] =>
  namesIn(step.parameters['requiredAttributes']).map(name => name.slice(attributePrefix.length))

export const showNewPassword = (page: Page, step: ChallengeStep, given: readonly Fault[] = []): Response => {
  const { texts, form } = page
  const due = dueOf(step)
  const faults = sortFaults(given, ['password', 'confirmation', ...due])
  return sendPage(page, {
    heading: texts.newPasswordHeading,
    introduction: texts.newPasswordHint,
    ...(faults.message && { message: faults.message }),
    failed: faults.failed,
    content: html`${pageForm(page, '/resetpassword', [
      newPasswordFields(page, faults, { password: texts.newPassword, confirmation: texts.confirmNewPassword }),
      due.length > 0 && paragraph(texts.additionalDetailsHint),
      due.map(name =>
        attributeField(page, { name, value: fieldOf(form, attributeFieldName(name)), error: faults.of(name) }),
      ),
      buttons(button({ label: texts.changePassword })),
    ])}${linkRow({ label: texts.startAgain, href: pageUrl(page, '/login') })}`,
  })
}

export const takeNewPassword = (page: Page, step: ChallengeStep): Promise<Response> | Response => {
  const { form } = page
  const due = dueOf(step)
  const faults = [
    ...missingFields(page, ['password', ...due.map(attributeFieldName)]).map(bareField),
    ...passwordFaults(page),
  ]
  if (faults.length > 0) return showNewPassword(page, step, faults)
  const attributes = due.map(name => [`${attributePrefix}${name}`, fieldOf(form, attributeFieldName(name))] as const)
  const responses = { NEW_PASSWORD: fieldOf(form, 'password'), ...Object.fromEntries(attributes) }
  return answerStep(page, step, responses, refused => showNewPassword(page, step, refused))
}

/** Faults name attributes, not the fields that ask for them. */
const bareField = ({ field, text }: Fault): Fault => {
  const [, name] = /^requiredAttributes\[(.+)\]$/.exec(field ?? '') ?? []
  return { text, ...(field !== undefined && { field: name ?? field }) }
}
