/** The sign-up page. */
import { termsOf } from '../../features/managed-login/terms.ts'
import { signUpForm } from '../../features/sign-up/form.ts'
import { permitsSignUp, type SignedUp, signUp } from '../../features/sign-up/sign-up.ts'
import { attributeField, attributeFieldName, suppliedAttributes } from './attributes.ts'
import { button, buttons, field, linkRow, termsSentence } from './components.ts'
import { afterConfirmation } from './confirm.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import { counted } from './limits.ts'
import { leadTo, missingFields, orFaults, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { newPasswordFields, passwordFaults } from './passwords.ts'
import { nameField, usernameLengthMax } from './sign-in.ts'
import { deliveryOf } from './steps.ts'

export const showSignUp = async (page: Page, given: readonly Fault[] = []): Promise<Response> => {
  const { ctx, texts, pool, client, managed, form, frame } = page
  if (!permitsSignUp(pool)) return showNotPermitted(page)
  const { usernames, attributes, passwordOptional } = signUpForm(pool, client, managed)
  const faults = sortFaults(given.map(bareField(usernames)), ['username', 'password', 'confirmation', ...attributes])
  const terms = managed ? await termsOf(ctx, pool, client, frame.language.tag) : undefined
  return sendPage(page, {
    heading: texts.signUpHeading,
    introduction: texts.signUpHint,
    ...(faults.message && { message: faults.message }),
    failed: faults.failed,
    content: html`${pageForm(page, '/signup', [
      field({
        name: 'username',
        ...nameField(texts, usernames),
        autocomplete: 'username',
        maxLength: usernameLengthMax,
        value: fieldOf(form, 'username'),
        error: faults.of('username'),
        autofocus: given.length === 0,
      }),
      attributes.map(name =>
        attributeField(page, {
          name,
          value: fieldOf(form, attributeFieldName(name)),
          error: faults.of(name),
          required: !usernames.some(kind => kind === name),
        }),
      ),
      newPasswordFields(
        page,
        faults,
        { password: texts.password, confirmation: texts.confirmPassword },
        passwordOptional,
      ),
      terms && termsSentence(texts, terms),
      buttons(button({ label: texts.signUp })),
    ])}${linkRow({ text: texts.alreadyHaveAccount, label: texts.signIn, href: pageUrl(page, '/login') })}`,
  })
}

const showNotPermitted = (page: Page): Response => {
  const { texts } = page
  return sendPage(page, {
    heading: texts.signUpHeading,
    message: { kind: 'error', text: texts.signUpNotPermitted },
    failed: true,
    content: linkRow({ label: texts.backToSignIn, href: pageUrl(page, '/login') }),
  })
}

/** Faults name attributes, not fields; and what is said of the attribute that is the username belongs to that field. */
const bareField =
  (usernames: readonly string[]) =>
  (fault: Fault): Fault => {
    const [, name = fault.field] = /^requiredAttributes\[(.+)\]$/.exec(fault.field ?? '') ?? []
    if (name === undefined) return fault
    return { ...fault, field: usernames.length === 1 && usernames[0] === name ? 'username' : name }
  }

export const takeSignUp = async (page: Page): Promise<Response> => {
  const { ctx, pool, client, managed, form } = page
  const { usernames, attributes, passwordOptional } = signUpForm(pool, client, managed)
  const due = attributes.filter(name => !usernames.some(kind => kind === name))
  const faults = [
    ...missingFields(page, ['username', ...due.map(attributeFieldName), ...(passwordOptional ? [] : ['password'])]),
    ...passwordFaults(page),
  ]
  if (faults.length > 0 && permitsSignUp(pool)) return showSignUp(page, faults)
  const username = fieldOf(form, 'username')
  return orFaults(
    page,
    async () => {
      const input = await counted(page, 'SignUp', {
        Username: username,
        ...(fieldOf(form, 'password') !== '' && { Password: fieldOf(form, 'password') }),
        UserAttributes: suppliedAttributes(page),
      })
      return afterSignUp(page, username, await signUp(ctx, client, pool, input))
    },
    refused => showSignUp(page, refused),
  )
}

/** For so long the password that was chosen need not be typed again. */
const freshMs = 15 * 60_000

const afterSignUp = (page: Page, username: string, { user, delivery }: SignedUp): Promise<Response> | Response => {
  const { ctx, texts } = page
  const fresh = { userId: user.id, securityEpoch: user.securityEpoch, freshUntil: ctx.clock.now() + freshMs }
  if (user.status === 'CONFIRMED') return afterConfirmation(page, username, fresh, undefined)
  if (delivery !== undefined) {
    return leadTo(page, '/confirm', { kind: 'confirm', username, signUp: fresh, delivery: deliveryOf(delivery) })
  }
  return sendPage(page, {
    heading: texts.signUpHeading,
    message: { kind: 'warning', text: texts.waitForAdministrator },
    content: linkRow({ label: texts.backToSignIn, href: pageUrl(page, '/login') }),
  })
}
