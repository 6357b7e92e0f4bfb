/**
 * Message templates: `{####}` stands for the code or temporary password, `{username}` for the user's name and
 * `{##text##}` for a link with that text.
 */

/** A message with placeholders, or filled. Text messages have no subject; theirs is empty. */
export interface MessageTemplate {
  subject: string
  body: string
}

/** What a message says where the pool has no text of its own, in mails and text messages alike. */
export const defaultMessages = {
  /** A code that verifies an address, confirms a sign-up or resets a password. */
  verification: { subject: 'Your verification code', body: 'Your verification code is {####}. ' },
  /** A link that confirms a sign-up; mails only. */
  link: {
    subject: 'Your verification link',
    body: 'Please click the link below to verify your email address. {##Verify Email##} ',
  },
  /** A code at sign-in. The subject, and the body in mails, are not published. */
  authentication: { subject: 'Your authentication code', body: 'Your authentication code is {####}. ' },
  /** An account made by an administrator. */
  invitation: {
    subject: 'Your temporary password',
    body: 'Your username is {username} and temporary password is {####}. ',
  },
  /** The same for a user who gets no password. The subject is not published. */
  invitationWithoutPassword: { subject: 'Your account', body: 'Your username is {username}.' },
} satisfies Record<string, MessageTemplate>

export interface TemplateValues {
  code?: string
  username?: string
  /** An absolute URL. */
  link?: string
}

const codePlaceholder = '{####}'
const usernamePlaceholder = '{username}'
const linkOpening = '{##'
const linkClosing = '##}'

/**
 * The message with its placeholders filled. Those without a value stay as they are. Each text is read once, from left to
 * right, in linear time, so that nothing in a value is ever taken for a placeholder.
 *
 * The body of a mail is HTML by its author's choice: username and link are escaped in it, the code stands as it is. A
 * subject is one line: line breaks and other control characters become blanks, so that nothing in it can begin another
 * header line. Links are made in the body of mails only.
 */
export const fillTemplate = (
  template: MessageTemplate,
  values: TemplateValues,
  medium: 'EMAIL' | 'SMS',
): MessageTemplate => ({
  subject: oneLine(fillText(template.subject, values, false)),
  body: fillText(template.body, values, medium === 'EMAIL'),
})

const fillText = (template: string, values: TemplateValues, isHtml: boolean): string => {
  const lastClosing = template.lastIndexOf(linkClosing)
  let text = ''
  let at = 0
  for (;;) {
    const open = template.indexOf('{', at)
    if (open === -1) break
    text += template.slice(at, open)
    if (template.startsWith(codePlaceholder, open)) {
      text += values.code ?? codePlaceholder
      at = open + codePlaceholder.length
    } else if (values.username !== undefined && template.startsWith(usernamePlaceholder, open)) {
      text += isHtml ? escapeHtml(values.username) : values.username
      at = open + usernamePlaceholder.length
    } else if (
      values.link !== undefined &&
      isHtml &&
      template.startsWith(linkOpening, open) &&
      lastClosing >= open + linkOpening.length
    ) {
      const close = template.indexOf(linkClosing, open + linkOpening.length)
      text += `<a href="${escapeHtml(values.link)}">${template.slice(open + linkOpening.length, close)}</a>`
      at = close + linkClosing.length
    } else {
      text += '{'
      at = open + 1
    }
  }
  return text + template.slice(at)
}

/** Whether the template has a place for the code. */
export const hasCodePlaceholder = (template: string): boolean => template.includes(codePlaceholder)

/** Whether the template has a place for a link; the place for the code, which looks alike, is none. */
export const hasLinkPlaceholder = (template: string): boolean => {
  const text = template.replaceAll(codePlaceholder, '')
  const open = text.indexOf(linkOpening)
  return open !== -1 && text.includes(linkClosing, open + linkOpening.length)
}

/** The text with the characters that mean something in HTML, in elements and in quoted attributes, as entities. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => entities[character] ?? '')

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** The text as one line: line breaks and other control characters become blanks. */
export const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
