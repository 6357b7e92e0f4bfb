/** A new password: its rules, and the two fields in which it is typed. */
import { passwordPolicy } from '../../features/user-pools/pool.ts'
import { passwordField, passwordRules } from './components.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { type Html, html } from './html.ts'
import type { Faults, Page } from './page.ts'

export const passwordLengthMax = 256

export interface NewPasswordLabels {
  password: string
  confirmation: string
}

/** `optional` when the user may do without a password. */
export const newPasswordFields = (
  { texts, pool, form }: Page,
  { of }: Pick<Faults, 'of'>,
  labels: NewPasswordLabels,
  optional = false,
): Html => {
  const common = { kind: 'new', maxLength: passwordLengthMax, required: !optional } as const
  return html`${passwordField({
    ...common,
    name: 'password',
    label: labels.password,
    ...(optional && { note: texts.optional, hint: texts.passwordOptionalHint }),
    error: of('password'),
    describedBy: 'password-rules',
  })}${passwordRules(texts, passwordPolicy(pool), fieldOf(form, 'password'))}${passwordField({
    ...common,
    name: 'confirmation',
    label: labels.confirmation,
    error: of('confirmation'),
  })}`
}

/** Both fields must say the same. */
export const passwordFaults = ({ form, texts }: Page): Fault[] =>
  fieldOf(form, 'password') === fieldOf(form, 'confirmation')
    ? []
    : [{ field: 'confirmation', text: texts.passwordsDiffer }]
