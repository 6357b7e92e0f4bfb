/**
 * The mails of threat protection. `{username}`, `{login-time}` and the like stand for what is known of the sign-in; what is
 * not known reads `unknown`.
 */
import type { NotifyEmailType } from '../contract/types.ts'
import { escapeHtml, type MessageTemplate, oneLine } from './templates.ts'

export type NotificationValue =
  | 'username'
  | 'ip-address'
  | 'city'
  | 'country'
  | 'login-time'
  | 'device-name'
  | 'one-click-link-valid'
  | 'one-click-link-invalid'
  | 'event-id'
  | 'feedback-token'

export type NotificationValues = Readonly<Record<NotificationValue, string | undefined>>

/**
 * Subject and body with their placeholders filled, in one pass, so that nothing in a value is taken for a placeholder. The
 * body is HTML, in which values are escaped; a text without HTML becomes one whose lines stay lines. The text, where there
 * is one, is plain.
 */
export const fillNotification = (
  { Subject, HtmlBody, TextBody }: NotifyEmailType,
  values: NotificationValues,
): MessageTemplate & { text: string | undefined } => ({
  subject: oneLine(fill(Subject, values, text => text)),
  body: fill(HtmlBody ?? escapeHtml(TextBody ?? '').replace(/\r?\n/g, '<br>\n'), values, escapeHtml),
  text: TextBody === undefined ? undefined : fill(TextBody, values, text => text),
})

const fill = (template: string, values: NotificationValues, encode: (text: string) => string): string =>
  template.replace(/\{([a-z-]{4,22})\}/g, (placeholder, name: string) =>
    Object.hasOwn(values, name) ? encode(values[name as NotificationValue] ?? 'unknown') : placeholder,
  )
