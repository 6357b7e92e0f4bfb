/**
 * Message templates: `{####}` stands for the code or temporary password, `{username}` for the user's name and
 * `{##text##}` for a link with that text.
 */

/** What a message says where the pool has no text of its own. */
export const defaultMessages = {
  /** A code that verifies an address, confirms a sign-up or resets a password. */
  verification: {
    emailSubject: 'Your verification code',
    emailMessage: 'Your verification code is {####}. ',
    smsMessage: 'Your verification code is {####}. ',
  },
  /** A link that confirms a sign-up. */
  link: {
    emailSubject: 'Your verification link',
    emailMessage: 'Please click the link below to verify your email address. {##Verify Email##} ',
  },
  /** A code at sign-in. The texts of the e-mail are not published. */
  authentication: {
    emailSubject: 'Your authentication code',
    emailMessage: 'Your authentication code is {####}. ',
    smsMessage: 'Your authentication code is {####}. ',
  },
  /** An account made by an administrator. */
  invitation: {
    emailSubject: 'Your temporary password',
    emailMessage: 'Your username is {username} and temporary password is {####}. ',
    smsMessage: 'Your username is {username} and temporary password is {####}. ',
  },
  /** The same without a password. The subject is not published. */
  passwordlessInvitation: {
    emailSubject: 'Your account',
    emailMessage: 'Your username is {username}.',
    smsMessage: 'Your username is {username}.',
  },
} as const

export interface TemplateValues {
  code?: string
  username?: string
  /** An absolute URL. */
  link?: string
}

/** Where the text goes: the body of a mail is HTML, a subject is one line, a text message is plain. */
export type TemplateUse = 'email' | 'subject' | 'sms'

const codePlaceholder = '{####}'
const usernamePlaceholder = '{username}'
const linkOpening = '{##'
const linkClosing = '##}'

/**
 * The text with its placeholders filled. Those without a value stay as they are, so that a username is never taken for
 * a placeholder of its own: the template is read once, from left to right, in linear time.
 *
 * In mails, username and link are escaped for HTML; the template itself is HTML by its author's choice, and the code
 * stands as it is. In subjects, line breaks and other control characters become blanks, so that nothing in them can
 * begin another header line. Links are made in mails only.
 */
export const fillTemplate = (template: string, values: TemplateValues, use: TemplateUse): string => {
  const lastClosing = template.lastIndexOf(linkClosing)
  let text = ''
  let at = 0
  for (;;) {
    const open = template.indexOf('{', at)
    if (open === -1) break
    text += template.slice(at, open)
    if (values.code !== undefined && template.startsWith(codePlaceholder, open)) {
      text += values.code
      at = open + codePlaceholder.length
    } else if (values.username !== undefined && template.startsWith(usernamePlaceholder, open)) {
      text += use === 'email' ? escapeHtml(values.username) : values.username
      at = open + usernamePlaceholder.length
    } else if (
      values.link !== undefined &&
      use === 'email' &&
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
  text += template.slice(at)
  return use === 'subject' ? oneLine(text) : text
}

/** Whether the template has a place for the code. */
export const hasCodePlaceholder = (template: string): boolean => template.includes(codePlaceholder)

/** Whether the template has a place for a link. */
export const hasLinkPlaceholder = (template: string): boolean => {
  const open = template.indexOf(linkOpening)
  return open !== -1 && template.includes(linkClosing, open + linkOpening.length)
}

/** The text with the characters that mean something in HTML, in elements and in quoted attributes, as entities. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => entities[character] ?? '')

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
