/** Mail by SMTP. Text messages have no way out here; they stay in the outbox. */
import { createTransport } from 'nodemailer'
import type { Delivery } from '../core/ports.ts'

/** Sender of pools that name none. */
const defaultFrom = 'no-reply@verificationemail.com'
const timeoutMs = 5_000

/**
 * Delivery through an SMTP server given by URL. `send` rejects when the server refuses the message or does not answer
 * within five seconds.
 */
export const smtpDelivery = (url: string): Delivery & { close(): void } => {
  const transport = createTransport(url, undefined)
  Object.assign(transport.options, {
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  })
  return {
    send: async message => {
      if (message.medium !== 'EMAIL') return
      await transport.sendMail({
        from: message.from ?? defaultFrom,
        // An address object is never parsed for groups, comments or further addresses.
        to: { name: '', address: message.to },
        ...(message.replyTo !== undefined && { replyTo: message.replyTo }),
        subject: message.subject,
        html: message.body,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
    },
    close: () => transport.close(),
  }
}
