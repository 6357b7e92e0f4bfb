/** One page for each state that the pages can be in, put together from their parts with made-up values. */
import {
  alert,
  button,
  buttonLink,
  buttons,
  checkbox,
  choiceButtons,
  choiceRadios,
  codeField,
  type FieldOptions,
  field,
  form,
  instructions,
  linkRow,
  paragraph,
  passwordField,
  passwordRules,
  providerButtons,
  quoted,
  steps,
  termsSentence,
  waysToSignIn,
} from '../../src/http/pages/components.ts'
import type { HtmlValue } from '../../src/http/pages/html.ts'
import { type Frame, type PageOptions, renderPage } from '../../src/http/pages/layout.ts'
import { passkeyPrompt } from '../../src/http/pages/passkey.ts'
import { qrBlock } from '../../src/http/pages/qr-code.ts'
import { fill, fillHtml } from '../../src/http/pages/texts/index.ts'

const providers = [
  { name: 'Google', type: 'Google', href: '/oauth2/authorize?identity_provider=Google' },
  { name: 'Facebook', type: 'Facebook', href: '/oauth2/authorize?identity_provider=Facebook' },
  { name: 'SignInWithApple', type: 'SignInWithApple', href: '/oauth2/authorize?identity_provider=SignInWithApple' },
  { name: 'LoginWithAmazon', type: 'LoginWithAmazon', href: '/oauth2/authorize?identity_provider=LoginWithAmazon' },
  { name: 'Contoso', type: 'SAML', href: '/oauth2/authorize?identity_provider=Contoso' },
]
const terms = { termsOfUse: 'https://example.com/terms', privacyPolicy: 'https://example.com/privacy' }
const policy = {
  MinimumLength: 8,
  RequireLowercase: true,
  RequireUppercase: true,
  RequireNumbers: true,
  RequireSymbols: true,
}
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const uri = `otpauth://totp/Example:ann?secret=${secret}&issuer=Example`

/** The states by name, each in the frame. */
export const samplePages = (frame: Frame): Map<string, () => string> => {
  const { texts } = frame.language
  const { look } = frame
  const page = (options: PageOptions) => (): string => renderPage(frame, options).toString()
  const posted = (...content: HtmlValue[]) => form({ action: '/login', csrfToken: 'csrf', content })
  const to = (text: string, destination: string) => paragraph(fillHtml(text, { destination: quoted(destination) }))

  const name = (options: Partial<FieldOptions> = {}) =>
    field({ name: 'username', id: 'signInFormUsername', label: texts.username, autocomplete: 'username', ...options })
  const password = (error?: string, describedBy?: string) =>
    passwordField({
      name: 'password',
      id: 'signInFormPassword',
      kind: 'current',
      label: texts.password,
      error,
      describedBy,
    })
  const signUpRow = linkRow({ text: texts.newHere, label: texts.createAccount, href: '/signup' })
  const forgotRow = linkRow({ label: texts.forgotPasswordLink, href: '/forgotPassword' })
  const local = [
    posted(name({ autofocus: true }), password(), forgotRow, buttons(button({ label: texts.signIn }))),
    signUpRow,
  ]
  const search = posted(
    field({ name: 'email', type: 'email', label: texts.corporateEmail, hint: texts.corporateEmailHint }),
    buttons(button({ label: texts.continue, kind: 'secondary' })),
  )
  const federated = look.providers.interface === 'buttons' ? providerButtons(texts, look, providers) : search
  const both = waysToSignIn(texts, look, federated, local)
  const newPasswords = (error?: string) => [
    passwordRules(texts, policy, error === undefined ? '' : 'Abc'),
    passwordField({ name: 'password', kind: 'new', label: texts.newPassword, describedBy: 'password-rules', error }),
    passwordField({ name: 'confirm_password', kind: 'new', label: texts.confirmNewPassword }),
  ]
  const resend = button({ label: texts.resendCode, kind: 'link', name: 'resend', value: 'true' })
  const code = (error?: string) => codeField({ label: texts.code, hint: fill(texts.codeHint, { length: '6' }), error })
  const notice = (heading: string, text: string) => page({ heading, content: paragraph(text) })
  const codePage = (sent: string, destination: string) =>
    page({
      heading: texts.enterCodeHeading,
      content: [
        to(sent, destination),
        posted(
          code(),
          checkbox({ name: 'remember', label: texts.rememberDevice, hint: texts.rememberDeviceHint }),
          buttons(button({ label: texts.verify }), resend),
        ),
      ],
    })

  return new Map<string, () => string>([
    ['sign-in', page({ heading: texts.signInHeading, introduction: texts.signInHint, content: local })],
    ['sign-in-providers', page({ heading: texts.signInHeading, introduction: texts.signInHint, content: both })],
    [
      'sign-in-refused',
      page({
        heading: texts.signInHeading,
        failed: true,
        message: { kind: 'error', text: texts.incorrectCredentials, id: 'alert' },
        content: [
          posted(
            name({ value: 'ann@example.com' }),
            password(undefined, 'alert'),
            forgotRow,
            buttons(button({ label: texts.signIn })),
          ),
          signUpRow,
        ],
      }),
    ],
    [
      'sign-in-name',
      page({
        heading: texts.signInHeading,
        content: [
          posted(name({ label: texts.usernameEmailOrPhoneNumber }), buttons(button({ label: texts.next }))),
          signUpRow,
        ],
      }),
    ],
    [
      'corporate-search',
      page({
        heading: texts.signInWithCorporateId,
        content: posted(
          field({
            name: 'email',
            type: 'email',
            label: texts.corporateEmail,
            hint: texts.corporateEmailHint,
            error: texts.providerNotFound,
            value: 'ann@nowhere.example',
          }),
          buttons(button({ label: texts.continue })),
        ),
      }),
    ],
    [
      'choose-factor',
      page({
        heading: texts.chooseFactorHeading,
        content: [
          paragraph(texts.chooseFactorHint),
          posted(
            choiceButtons({
              name: 'factor',
              choices: [
                { value: 'WEB_AUTHN', label: texts.factorPasskey, hint: texts.factorPasskeyHint, graphic: 'passkey' },
                { value: 'PASSWORD', label: texts.factorPassword, hint: texts.factorPasswordHint, graphic: 'password' },
                {
                  value: 'EMAIL_OTP',
                  label: texts.factorEmailCode,
                  hint: fillHtml(texts.factorEmailCodeHint, { destination: quoted('a***@e***') }),
                  graphic: 'email',
                },
                { value: 'SMS_OTP', label: texts.factorSmsCode, hint: texts.factorSmsCodeHintPlain, graphic: 'sms' },
              ],
            }),
          ),
          linkRow({ text: texts.notYou, label: texts.signInAsAnother, href: '/login' }),
        ],
      }),
    ],
    [
      'password',
      page({
        heading: texts.enterPasswordHeading,
        content: [
          posted(
            name({ value: 'ann@example.com', readonly: true }),
            password(),
            buttons(button({ label: texts.signIn }), button({ label: texts.tryAnotherWay, kind: 'secondary' })),
          ),
          forgotRow,
        ],
      }),
    ],
    ['code-email', codePage(texts.emailCodeSent, 'a***@e***')],
    ['code-sms', codePage(texts.smsCodeSent, '+*******0100')],
    [
      'code-refused',
      page({
        heading: texts.enterCodeHeading,
        failed: true,
        content: [
          paragraph(texts.authenticatorCodePrompt),
          posted(code(texts.codeMismatch), buttons(button({ label: texts.verify }), resend)),
        ],
      }),
    ],
    [
      'choose-mfa',
      page({
        heading: texts.chooseMfaHeading,
        content: posted(
          choiceRadios({
            name: 'mfa',
            legend: texts.chooseMfaHint,
            choices: [
              {
                value: 'SOFTWARE_TOKEN_MFA',
                label: texts.factorAuthenticator,
                hint: texts.factorAuthenticatorHint,
                graphic: 'authenticator',
              },
              {
                value: 'SMS_MFA',
                label: texts.factorSmsCode,
                hint: fillHtml(texts.factorSmsCodeHint, { destination: quoted('+*******0100') }),
                graphic: 'sms',
              },
              { value: 'EMAIL_OTP', label: texts.factorEmailCode, graphic: 'email' },
            ],
          }),
          buttons(button({ label: texts.continue })),
        ),
      }),
    ],
    [
      'set-up-authenticator',
      page({
        heading: texts.setUpAuthenticatorHeading,
        content: [
          steps(texts, 2, 2),
          instructions([texts.setUpAuthenticatorStep1, texts.setUpAuthenticatorStep2, texts.setUpAuthenticatorStep3]),
          qrBlock(texts, { uri, secret }),
          posted(
            code(),
            field({
              name: 'device_name',
              label: texts.deviceName,
              note: texts.optional,
              hint: texts.deviceNameHint,
              required: false,
            }),
            buttons(
              button({ label: texts.verify }),
              button({ label: texts.back, kind: 'secondary', name: 'back', value: 'true' }),
            ),
          ),
        ],
      }),
    ],
    [
      'set-up-sms',
      page({
        heading: texts.setUpSmsHeading,
        content: [
          paragraph(texts.setUpSmsHint),
          posted(
            field({
              name: 'phone_number',
              type: 'tel',
              label: texts.phoneNumber,
              hint: texts.phoneNumberHint,
              autocomplete: 'tel',
            }),
            buttons(button({ label: texts.sendCode }), button({ label: texts.back, kind: 'secondary' })),
          ),
        ],
      }),
    ],
    [
      'new-password',
      page({
        heading: texts.newPasswordHeading,
        failed: true,
        content: [
          paragraph(texts.newPasswordHint),
          posted(
            newPasswords(texts.passwordTooShort),
            field({
              name: 'requiredAttributes[given_name]',
              label: texts.attributeGivenName,
              autocomplete: 'given-name',
            }),
            buttons(button({ label: texts.changePassword })),
          ),
        ],
      }),
    ],
    [
      'sign-up',
      page({
        heading: texts.signUpHeading,
        introduction: texts.signUpHint,
        content: [
          posted(
            field({ name: 'requiredAttributes[email]', type: 'email', label: texts.email, autocomplete: 'email' }),
            field({
              name: 'requiredAttributes[name]',
              label: texts.attributeName,
              autocomplete: 'name',
              error: texts.fieldRequired,
            }),
            field({
              name: 'requiredAttributes[birthdate]',
              type: 'date',
              label: texts.attributeBirthdate,
              autocomplete: 'bday',
            }),
            passwordRules(texts, policy),
            passwordField({ name: 'password', kind: 'new', label: texts.password, describedBy: 'password-rules' }),
            termsSentence(texts, terms),
            buttons(button({ label: texts.signUp })),
          ),
          linkRow({ text: texts.alreadyHaveAccount, label: texts.signIn, href: '/login' }),
        ],
      }),
    ],
    [
      'confirm',
      page({
        heading: texts.confirmHeading,
        message: { kind: 'success', text: texts.codeResent },
        content: [
          to(texts.confirmCodeSentByEmail, 'a***@e***'),
          posted(codeField({ label: texts.verificationCode }), buttons(button({ label: texts.confirmAccount }))),
          form({ action: '/resendcode', csrfToken: 'csrf', content: [texts.didNotReceiveCode, resend] }),
        ],
      }),
    ],
    [
      'confirmed',
      page({ heading: texts.confirmedHeading, content: alert({ kind: 'success', text: texts.registrationConfirmed }) }),
    ],
    [
      'wait-for-administrator',
      page({
        heading: texts.signUpHeading,
        message: { kind: 'warning', text: texts.waitForAdministrator },
        content: undefined,
      }),
    ],
    [
      'forgot-password',
      page({
        heading: texts.forgotPasswordHeading,
        content: [
          paragraph(texts.forgotPasswordHint),
          posted(name(), buttons(button({ label: texts.resetMyPassword }))),
          linkRow({ label: texts.backToSignIn, href: '/login' }),
        ],
      }),
    ],
    [
      'reset-password',
      page({
        heading: texts.resetPasswordHeading,
        content: [
          to(texts.resetCodeSentByEmail, 'a***@e***'),
          posted(code(), newPasswords(), buttons(button({ label: texts.changePassword }))),
        ],
      }),
    ],
    [
      'passkey',
      page({
        heading: texts.passkeySignInHeading,
        content: [
          paragraph(texts.passkeySignInHint),
          posted(passkeyPrompt(texts, { kind: 'get', options: '{}', label: texts.usePasskey, isImmediate: true })),
          linkRow({ label: texts.tryAnotherWay, href: '/login' }),
        ],
      }),
    ],
    [
      'add-passkey',
      page({
        heading: texts.addPasskeyHeading,
        content: [
          paragraph(texts.addPasskeyHint),
          posted(
            passkeyPrompt(texts, { kind: 'create', options: '{}', label: texts.addPasskey, isImmediate: false }),
            buttons(button({ label: texts.notNow, kind: 'secondary' })),
          ),
        ],
      }),
    ],
    [
      'continue-as',
      page({
        heading: texts.signInHeading,
        content: [
          paragraph(fillHtml(texts.signedInAs, { user: quoted('ann@example.com') })),
          posted(
            buttons(
              button({ label: fill(texts.continueAs, { user: 'ann@example.com' }) }),
              buttonLink({ label: texts.signInAsAnother, kind: 'secondary', href: '/login' }),
            ),
          ),
        ],
      }),
    ],
    [
      'feedback',
      page({
        heading: texts.feedbackHeading,
        content: [
          paragraph(texts.feedbackQuestion),
          posted(buttons(button({ label: texts.feedbackYes }), button({ label: texts.feedbackNo, kind: 'secondary' }))),
          alert({ kind: 'info', text: texts.feedbackAdvice }),
        ],
      }),
    ],
    [
      'error',
      page({
        heading: texts.somethingWrongHeading,
        message: { kind: 'error', heading: texts.errorOnPage, text: 'redirect_mismatch' },
        content: buttonLink({ label: texts.startAgain, href: '/login', kind: 'secondary' }),
      }),
    ],
    ['session-ended', notice(texts.somethingWrongHeading, texts.sessionEnded)],
    ['signed-out', notice(texts.signedOutHeading, texts.signedOut)],
  ])
}
