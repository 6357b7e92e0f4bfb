/** The sign-in page: name and password on one page, or the name first and then a choice. */
import type { AuthFlowType } from '../../contract/types.ts'
import { isCognitoError } from '../../core/errors.ts'
import { type NameKind, type SignInOffer, signInOffer } from '../../features/sign-in/offer.ts'
import { begin } from '../../features/sign-in/sign-in.ts'
import { advance } from './advance.ts'
import { button, buttons, field, linkRow, paragraph, passwordField, waysToSignIn } from './components.ts'
import { showProblem } from './error-page.ts'
import type { Fault } from './faults.ts'
import { fieldOf } from './forms.ts'
import { html } from './html.ts'
import type { PageOptions } from './layout.ts'
import { counted } from './limits.ts'
import { leadTo, missingFields, orFaults, type Page, pageForm, pageUrl, sendPage, sortFaults } from './page.ts'
import { findByDomain, providerSection, signsInLocally } from './providers.ts'
import type { TextKey, Texts } from './texts/index.ts'

export const showSignIn = async (
  page: Page,
  faults: readonly Fault[] = [],
  username = initialName(page),
): Promise<Response> => {
  const { texts, frame } = page
  const providers = await providerSection(page, faults.find(({ field }) => field === 'provider')?.text)
  const leadsToProviders = providers?.hasSearch ?? false
  // Where there are several ways to sign in, the classic pages say above each one which it is.
  if (!signsInLocally(page)) {
    if (providers === undefined) return showProblem(page, texts.pagesUnavailable)
    return sendPage(page, {
      heading: texts.signInHeading,
      ...(page.managed && { introduction: texts.signInWithAnyProvider }),
      failed: faults.length > 0,
      content: providers.content,
      leadsToProviders,
    })
  }
  const own = faults.filter(({ field }) => field !== 'provider')
  const { introduction, content, ...options } = localSignIn(page, own, username)
  const failed = faults.length > 0
  if (providers === undefined) return sendPage(page, { ...options, introduction, failed, content })
  const local = page.managed ? content : html`${paragraph(introduction)}${content}`
  return sendPage(page, {
    ...options,
    ...(page.managed && { introduction }),
    failed,
    content: waysToSignIn(texts, frame.look, providers.content, local),
    leadsToProviders,
  })
}

/** The part of the page for users of the pool itself. */
const localSignIn = (
  page: Page,
  faults: readonly Fault[],
  username: string,
): PageOptions & { introduction: string } => {
  const { texts, pool, client, managed, step } = page
  const offer = signInOffer(pool, client, managed)
  const { of, message } = sortFaults(faults, offer.asksNameFirst ? ['username'] : ['username', 'password'])
  const notice = step?.kind === 'notice' ? ({ kind: 'success', text: texts[step.notice] } as const) : undefined
  const isRefused = message !== undefined
  return {
    heading: texts.signInHeading,
    introduction: offer.asksNameFirst ? texts.signInHint : texts[introductions[introductionOf(offer)]],
    ...((message ?? notice) && { message: message ?? notice }),
    content: html`${pageForm(page, '/login', [
      field({
        name: 'username',
        id: 'signInFormUsername',
        ...nameField(texts, offer.names),
        autocomplete: 'username',
        maxLength: usernameLengthMax,
        value: username,
        error: of('username'),
        autofocus: username === '' && !isRefused,
        describedBy: isRefused ? 'message' : undefined,
      }),
      !offer.asksNameFirst &&
        passwordField({
          name: 'password',
          id: 'signInFormPassword',
          label: texts.password,
          kind: 'current',
          maxLength: passwordLengthMax,
          error: of('password'),
          autofocus: username !== '' || isRefused,
          describedBy: isRefused ? 'message' : undefined,
        }),
      !offer.asksNameFirst &&
        offer.recovery &&
        linkRow({ label: texts.forgotPasswordLink, href: pageUrl(page, '/forgotPassword') }),
      buttons(
        button({ label: offer.asksNameFirst ? texts.next : texts.signIn, name: 'signInSubmitButton', value: 'true' }),
      ),
    ])}${offer.asksNameFirst && offer.recovery && linkRow({ label: texts.forgotPasswordLink, href: pageUrl(page, '/forgotPassword') })}${
      offer.signUp &&
      linkRow(
        managed
          ? { text: texts.newHere, label: texts.createAccount, href: pageUrl(page, '/signup') }
          : { text: texts.needAccount, label: texts.signUp, href: pageUrl(page, '/signup') },
      )
    }`,
  }
}

export const usernameLengthMax = 128
const passwordLengthMax = 256

/** After a step that names the user, or as the application suggests. */
const initialName = ({ step, managed, request }: Page): string =>
  step?.kind === 'notice' ? step.username : (managed && request.loginHint) || ''

const introductions = {
  username: 'signInWithUsername',
  email: 'signInWithEmail',
  phone_number: 'signInWithPhoneNumber',
} as const satisfies Record<NameKind, TextKey>

const introductionOf = ({ names }: SignInOffer): NameKind =>
  names.length === 1 ? (names[0] ?? 'username') : 'username'

const nameLabels: Record<string, TextKey> = {
  username: 'username',
  email: 'email',
  phone_number: 'phoneNumber',
  'email phone_number': 'emailOrPhoneNumber',
  'username email': 'usernameOrEmail',
  'username phone_number': 'usernameOrPhoneNumber',
  'username email phone_number': 'usernameEmailOrPhoneNumber',
}

/** Label and type of the field that asks for the user's name. */
export const nameField = (
  texts: Texts,
  names: readonly NameKind[],
): { label: string; type: 'text' | 'email' | 'tel'; hint?: string } => ({
  label: texts[nameLabels[names.join(' ')] ?? 'username'],
  type: names.join() === 'email' ? 'email' : names.join() === 'phone_number' ? 'tel' : 'text',
  ...(names.join() === 'phone_number' && { hint: texts.phoneNumberHint }),
})

export const takeSignIn = async (page: Page): Promise<Response> => {
  const { ctx, pool, client, managed, form, request } = page
  const { asksNameFirst } = signInOffer(pool, client, managed)
  const username = fieldOf(form, 'username')
  const missing = missingFields(page, asksNameFirst ? ['username'] : ['username', 'password'])
  if (missing.length > 0) return showSignIn(page, missing, username)
  const flow: AuthFlowType = asksNameFirst ? 'USER_AUTH' : 'USER_PASSWORD_AUTH'
  const parameters = {
    USERNAME: username,
    ...(asksNameFirst && request.acrValues.length > 0 && { TARGET_ACR_VALUES: request.acrValues.join(' ') }),
    ...(!asksNameFirst && { PASSWORD: fieldOf(form, 'password') }),
  }
  return orFaults(
    page,
    async () => {
      await counted(page, 'InitiateAuth', { AuthFlow: flow, AuthParameters: parameters })
      const outcome = await begin(ctx, { pool, client, operation: 'ManagedLogin', flow, parameters }).catch(error =>
        detourOf(page, username, error),
      )
      return outcome instanceof Response ? outcome : advance(page, username, outcome)
    },
    faults => showSignIn(page, faults, username),
  )
}

/** Leads to the provider of an address. */
export const takeProviderSearch = async (page: Page): Promise<Response> =>
  (await findByDomain(page)) ?? showSignIn(page, [{ field: 'provider', text: page.texts.providerNotFound }])

/** Some users have something to do before they can sign in; there is a page for it. */
export const detourOf = (page: Page, username: string, error: unknown): Promise<Response> => {
  if (isCognitoError(error, 'UserNotConfirmedException')) {
    return leadTo(page, '/confirm', { kind: 'confirm', username })
  }
  if (isCognitoError(error, 'PasswordResetRequiredException')) {
    return leadTo(page, '/confirmforgotPassword', { kind: 'reset', username, required: true })
  }
  throw error
}
