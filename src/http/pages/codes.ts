/** What the pages that ask for a code have in common. */
import { button, codeField, quoted } from './components.ts'
import { fieldOf } from './forms.ts'
import { type Html, html } from './html.ts'
import { type Page, type PagePath, pageForm } from './page.ts'
import type { Delivery } from './steps.ts'
import { fillHtml, type TextKey } from './texts/index.ts'

/** Longer than any code, with room for blanks that come along when one is pasted. */
const codeLengthMax = 16

export const codeInput = (options: Omit<Parameters<typeof codeField>[0], 'maxLength'>): Html =>
  codeField({ ...options, maxLength: codeLengthMax })

/** The code as it was typed, without the blanks that some put between the digits. */
export const codeOf = ({ form }: Pick<Page, 'form'>): string => fieldOf(form, 'code').replace(/\s/g, '')

/** The sentence that says where a code went. */
export const sentTo = (
  { texts }: Pick<Page, 'texts'>,
  { medium, destination }: Delivery,
  keys: Record<Delivery['medium'], TextKey>,
): Html => fillHtml(texts[keys[medium]], { destination: quoted(destination) })

/** The button that asks for another code. */
export const resendForm = (page: Page, path: PagePath): Html =>
  pageForm(
    page,
    path,
    html`<p class="row redirect-customizable">${page.texts.didNotReceiveCode} ${button({
      label: page.texts.resendCode,
      kind: 'link',
      name: 'resend',
      value: 'true',
    })}</p>`,
  )
