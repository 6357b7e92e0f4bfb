/**
 * The parts of the pages. Each is a pure function from texts and values to markup, works without a script, and names
 * its labels, hints and errors to assistive technology. The looks give them their form by class; the classes that end
 * in `-customizable` are the published ones of the classic look.
 */
import type { PasswordPolicyType } from '../../contract/types.ts'
import { brokenPasswordRules, type PasswordRule } from '../../core/password-policy.ts'
import { attributes, type Html, type HtmlValue, html } from './html.ts'
import { chevron, type Graphic, graphics, marks, organizationMark, providerMarks } from './icons.ts'
import type { Look, Picture } from './look.ts'
import { fill, fillHtml, type Texts } from './texts/index.ts'

// ---------------------------------------------------------------------------------------------- text

export const paragraph = (text: HtmlValue): Html => html`<p class="text textDescription-customizable">${text}</p>`

/** Small print. */
export const legal = (text: HtmlValue): Html => html`<p class="legal legalText-customizable">${text}</p>`

/**
 * A value that somebody typed or was sent, such as a user name or a masked number: shown as it is, in its own direction.
 * Signs and digits alone have none, and would otherwise be turned around in a text from right to left.
 */
export const quoted = (text: string): Html => html`<bdi dir="${rightToLeft.test(text) ? 'auto' : 'ltr'}">${text}</bdi>`

const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

export const textLink = ({ label, href }: { label: string; href: string }): Html => html`<a href="${href}">${label}</a>`

/** A question and the link that answers it, or a link alone. */
export const linkRow = ({ text, label, href }: { text?: string; label: string; href: string }): Html =>
  html`<p class="row redirect-customizable">${text !== undefined && html`${text} `}${textLink({ label, href })}</p>`

/** A line between two ways to go on. */
export const separator = (text: string): Html => html`<p class="separator"><span>${text}</span></p>`

/** Where the user stands in a flow of several pages. */
export const steps = (texts: Texts, current: number, total: number): Html =>
  html`<p class="steps">${fill(texts.step, { current: String(current), total: String(total) })}</p>`

/** Things to do one after the other. */
export const instructions = (items: readonly HtmlValue[]): Html =>
  html`<ol class="instructions">${items.map(item => html`<li>${item}</li>`)}</ol>`

export interface AlertOptions {
  kind: 'error' | 'warning' | 'success' | 'info'
  text: HtmlValue
  heading?: string
  /** For `describedBy` of a field. */
  id?: string
}

/** A message about the page as a whole. Errors and warnings interrupt what a screen reader says. */
export const alert = ({ kind, text, heading, id }: AlertOptions): Html =>
  html`<div class="alert alert-${kind}${kind === 'error' && ' errorMessage-customizable'}"${attributes({
    id,
    role: kind === 'error' || kind === 'warning' ? 'alert' : 'status',
  })}>${marks[kind]}<div>${heading !== undefined && html`<p class="alert-heading">${heading}</p>`}<p>${text}</p></div></div>`

/** In the dark another picture may take its place. */
export const pictureOf = ({ src, dark }: Picture, named: Record<string, string | number>): Html =>
  html`<picture>${
    dark !== undefined && html`<source srcset="${dark}" media="(prefers-color-scheme: dark)">`
  }<img${attributes({ ...named, src })}></picture>`

// ---------------------------------------------------------------------------------------------- forms

export interface FormOptions {
  action: string
  csrfToken: string
  /** Values that travel with the form unseen. */
  hidden?: Readonly<Record<string, string>>
  id?: string
  content: HtmlValue
}

/**
 * A form that posts. What is wrong with the input is told by the server, in the language of the page, so the browser's
 * own checks are off.
 */
export const form = ({ action, csrfToken, hidden = {}, id, content }: FormOptions): Html =>
  html`<form class="form cognito-asf" method="post" action="${action}" novalidate${attributes({ id })}>${hiddenFields({
    _csrf: csrfToken,
    ...hidden,
  })}${content}</form>`

export const hiddenFields = (values: Readonly<Record<string, string>>): Html[] =>
  Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)

export interface FieldOptions {
  name: string
  label: string
  type?: 'text' | 'email' | 'tel' | 'date' | 'number' | 'url'
  value?: string | undefined
  hint?: string | undefined
  error?: string | undefined
  /** Beside the label, for example that the field is optional. */
  note?: string | undefined
  /** The purpose of the field (HTML, "autofill detail tokens"). */
  autocomplete?: string
  /** True unless it says otherwise. */
  required?: boolean
  readonly?: boolean
  /** The field that the cursor is in at first; a field with an error always asks for it. */
  autofocus?: boolean
  maxLength?: number
  /** The name when absent. */
  id?: string
  /** The id of an alert that is about this field. */
  describedBy?: string | undefined
}

/** Label, input, hint and error of one value. */
export const field = (options: FieldOptions): Html => {
  const { type = 'text' } = options
  const isFreeText = type === 'text'
  return labelled(options, {
    type,
    value: options.value,
    autocomplete: options.autocomplete,
    autocapitalize: isFreeText ? 'none' : undefined,
    spellcheck: isFreeText ? 'false' : undefined,
    // Addresses and numbers are written from left to right in every language.
    dir: isFreeText ? 'auto' : type === 'date' ? undefined : 'ltr',
  })
}

/** A password is never sent back, so there is no value. */
export const passwordField = (
  options: Omit<FieldOptions, 'type' | 'value' | 'autocomplete'> & { kind: 'current' | 'new' },
): Html =>
  labelled(options, { type: 'password', autocomplete: `${options.kind}-password`, dir: 'ltr', spellcheck: 'false' })

/** A code of digits, which browsers offer to fill in from a message. */
export const codeField = (
  options: Omit<FieldOptions, 'type' | 'name' | 'autocomplete' | 'value'> & { name?: string },
): Html =>
  labelled(
    { name: 'code', ...options },
    {
      type: 'text',
      inputmode: 'numeric',
      autocomplete: 'one-time-code',
      autocapitalize: 'none',
      spellcheck: 'false',
      dir: 'ltr',
    },
    'input-code',
  )

const labelled = (
  options: Omit<FieldOptions, 'type' | 'value'>,
  own: Record<string, string | undefined>,
  kind?: string,
): Html => {
  const { name, id = name, label, note, hint, error, required = true, describedBy } = options
  const about = [describedBy, error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`]
    .filter(part => typeof part === 'string')
    .join(' ')
  return html`<div class="field${error !== undefined && ' field-invalid'}"><label class="label label-customizable" for="${id}">${label}${note !== undefined && html` <span class="note">(${note})</span>`}</label>${
    hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`
  }<input class="input inputField-customizable${kind !== undefined && ` ${kind}`}"${attributes({
    id,
    name,
    ...own,
    maxlength: options.maxLength,
    required,
    readonly: options.readonly,
    autofocus: (options.autofocus ?? false) || error !== undefined,
    'aria-invalid': error !== undefined && 'true',
    'aria-describedby': about !== '' && about,
  })}>${error !== undefined && html`<p class="field-error" id="${id}-error">${marks.error}<span>${error}</span></p>`}</div>`
}

/**
 * The rules that a new password has to meet, for `hint`-like use beside its field. After a password was refused, each
 * says whether that one met it.
 */
export const passwordRules = (texts: Texts, policy: PasswordPolicyType, refused = ''): Html => {
  const broken = brokenPasswordRules(policy, refused)
  const rules: [PasswordRule, string | false][] = [
    ['length', fill(texts.passwordRuleLength, { count: String(policy.MinimumLength ?? 8) })],
    ['lowercase', policy.RequireLowercase === true && texts.passwordRuleLower],
    ['uppercase', policy.RequireUppercase === true && texts.passwordRuleUpper],
    ['numeric', policy.RequireNumbers === true && texts.passwordRuleNumber],
    ['symbol', policy.RequireSymbols === true && texts.passwordRuleSymbol],
  ]
  const item = (rule: PasswordRule, text: string): Html => {
    if (refused === '') return html`<li>${text}</li>`
    const isMet = !broken.includes(rule)
    return html`<li class="rule passwordCheck-${isMet ? 'valid' : 'notValid'}-customizable">${isMet ? marks.success : marks.error}<span>${text}</span></li>`
  }
  return html`<div class="rules" id="password-rules"><p>${texts.passwordRules}</p><ul>${rules.map(
    ([rule, text]) => text !== false && item(rule, text),
  )}</ul></div>`
}

export interface CheckboxOptions {
  name: string
  label: HtmlValue
  hint?: string
  checked?: boolean
}

export const checkbox = ({ name, label, hint, checked }: CheckboxOptions): Html =>
  html`<div class="check"><input type="checkbox" value="true"${attributes({
    id: name,
    name,
    checked,
    'aria-describedby': hint !== undefined && `${name}-hint`,
  })}><div><label for="${name}">${label}</label>${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}</div></div>`

export interface ButtonOptions {
  label: string
  /** `link` looks like a link and still posts. */
  kind?: 'primary' | 'secondary' | 'link'
  name?: string
  value?: string
  id?: string
  /** The form that it sends, when it does not stand in it. */
  form?: string
}

/** Sends its form. */
export const button = ({ label, kind = 'primary', name, value, id, form: formId }: ButtonOptions): Html =>
  html`<button type="submit" class="${buttonClass(kind)}"${attributes({ name, value, id, form: formId })}>${label}</button>`

/** A link that looks like a button. */
export const buttonLink = ({
  label,
  kind = 'primary',
  href,
}: Pick<ButtonOptions, 'label' | 'kind'> & { href: string }): Html =>
  html`<a class="${buttonClass(kind)}" href="${href}">${label}</a>`

/** A button that a script listens to; it stays hidden until the script shows it. */
export const scriptButton = ({
  label,
  kind = 'primary',
  id,
}: Pick<ButtonOptions, 'label' | 'kind'> & { id: string }): Html =>
  html`<button type="button" id="${id}" class="${buttonClass(kind)}" hidden>${label}</button>`

const buttonClass = (kind: NonNullable<ButtonOptions['kind']>): string =>
  kind === 'link' ? 'button-link' : `button button-${kind}${kind === 'primary' ? ' submitButton-customizable' : ''}`

/** Buttons below each other, the main one first. */
export const buttons = (...content: HtmlValue[]): Html => html`<div class="buttons">${content}</div>`

// ---------------------------------------------------------------------------------------------- choices

export interface Choice {
  value: string
  label: string
  hint?: HtmlValue
  graphic?: Graphic
}

export const graphic = (name: Graphic): Html =>
  html`<span class="graphic graphic-${name}" aria-hidden="true">${graphics[name]}</span>`

/** A list of ways to go on: each is a button that sends its value under the name. */
export const choiceButtons = ({ name, choices }: { name: string; choices: readonly Choice[] }): Html =>
  html`<ul class="choices">${choices.map(
    choice =>
      html`<li><button type="submit" class="choice" name="${name}" value="${choice.value}">${
        choice.graphic !== undefined && graphic(choice.graphic)
      }<span class="choice-text"><span class="choice-label">${choice.label}</span>${
        choice.hint !== undefined && html` <span class="hint">${choice.hint}</span>`
      }</span>${chevron}</button></li>`,
  )}</ul>`

/** One of several, to be sent with the rest of the form. */
export const choiceRadios = ({
  name,
  legend,
  choices,
  selected,
}: {
  name: string
  legend: string
  choices: readonly Choice[]
  /** The first one when absent. */
  selected?: string
}): Html =>
  html`<fieldset class="radios"><legend class="label label-customizable">${legend}</legend>${choices.map(
    (choice, index) => {
      const id = `${name}-${index + 1}`
      return html`<div class="radio"><input type="radio"${attributes({
        id,
        name,
        value: choice.value,
        checked: choice.value === (selected ?? choices[0]?.value),
        'aria-describedby': choice.hint !== undefined && `${id}-hint`,
      })}>${choice.graphic !== undefined && graphic(choice.graphic)}<div><label for="${id}">${choice.label}</label>${
        choice.hint !== undefined && html`<p class="hint" id="${id}-hint">${choice.hint}</p>`
      }</div></div>`
    },
  )}</fieldset>`

// ---------------------------------------------------------------------------------------------- providers

export interface ProviderOption {
  name: string
  /** `Google`, `Facebook`, `LoginWithAmazon`, `SignInWithApple`, `SAML` or `OIDC`. */
  type: string
  href: string
}

const socialNames: Record<string, string | undefined> = {
  Google: 'Google',
  Facebook: 'Facebook',
  LoginWithAmazon: 'Login with Amazon',
  SignInWithApple: 'Apple',
}

/** Links to the identity providers, in the order of the branding. */
export const providerButtons = (texts: Texts, look: Look, providers: readonly ProviderOption[]): Html => {
  const place = ({ name }: ProviderOption): number => {
    const at = look.providers.order.indexOf(name)
    return at < 0 ? look.providers.order.length : at
  }
  const sorted = providers.toSorted((a, b) => place(a) - place(b))
  return html`<ul class="providers">${sorted.map(provider => html`<li>${providerButton(texts, look, provider)}</li>`)}</ul>`
}

const providerButton = (texts: Texts, look: Look, { name, type, href }: ProviderOption): Html => {
  // Managed login says the rest of the name itself.
  const social = type === 'LoginWithAmazon' && look.kind === 'managed' ? 'Amazon' : socialNames[type]
  const own = look.providers.classes.get(name)
  // The classic pages name providers of organizations without more words.
  const isNameOnly = look.kind === 'classic' && social === undefined
  const icon = look.providers.icons.get(name)
  const mark =
    icon === undefined
      ? (providerMarks.get(type) ?? organizationMark)
      : pictureOf(icon, { class: 'icon', alt: '', width: 20, height: 20 })
  return html`<a class="provider ${social === undefined ? 'idpButton-customizable' : `socialButton-customizable provider-${type}`}${own !== undefined && ` ${own}`}" href="${href}">${
    look.providers.showIcons && html`<span class="provider-icon">${mark}</span>`
  }<span>${isNameOnly ? quoted(name) : fillHtml(texts.continueWith, { provider: quoted(social ?? name) })}</span></a>`
}

/** Two ways to sign in, the providers and the form for local users, in the order of the branding. */
export const waysToSignIn = (texts: Texts, look: Look, providers: HtmlValue, local: HtmlValue): Html =>
  look.providers.first
    ? html`${providers}${separator(texts.or)}${local}`
    : html`${local}${separator(texts.or)}${providers}`

// ---------------------------------------------------------------------------------------------- sign-up

/** The sentence on the sign-up page that names both documents. */
export const termsSentence = (texts: Texts, links: { termsOfUse: string; privacyPolicy: string }): Html =>
  legal(
    fillHtml(texts.agreeToTerms, {
      termsOfUse: newWindowLink(texts.termsOfUse, links.termsOfUse),
      privacyPolicy: newWindowLink(texts.privacyPolicy, links.privacyPolicy),
    }),
  )

/** What was typed so far stays in the window that it was typed in. */
export const newWindowLink = (label: string, href: string): Html =>
  html`<a href="${href}" target="_blank" rel="noopener noreferrer">${label}</a>`
