/** Mail by SMTP. Text messages have no way out here; they stay in the outbox. */
import { createTransport } from 'nodemailer'
import type { Delivery } from '../core/ports.ts'
import { isEmailFormat } from '../core/usernames.ts'

/** Sender of pools that name none. */
const defaultFrom = 'no-reply@verificationemail.com'
const timeoutMs = 5_000

/**
 * Delivery through an SMTP server given by URL (`smtp://` or `smtps://`, with credentials and nodemailer's options in
 * the query). `send` rejects when the server refuses the message or is silent for five seconds, and sends to exactly
 * the one address of the message.
 */
export const smtpDelivery = (url: string): Delivery & { close(): void } => {
  const transport = createTransport({
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
  })
  return {
    send: async message => {
      if (message.medium !== 'EMAIL') return
      // Attributes are checked when they are written; this keeps line breaks, groups and second addresses out for good.
      if (!isEmailFormat(message.to)) throw new Error('The recipient is not a single e-mail address.')
      const from = mailbox(message.from ?? defaultFrom)
      await transport.sendMail({
        from,
        to: { name: '', address: message.to },
        envelope: { from: from.address, to: [message.to] },
        ...(message.replyTo !== undefined && { replyTo: mailbox(message.replyTo) }),
        subject: message.subject,
        html: message.body,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
    },
    close: () => transport.close(),
  }
}

/** `address` or `Name <address>` in parts: an address that comes as an object is not parsed for lists and groups. */
const mailbox = (text: string): { name: string; address: string } => {
  const open = text.lastIndexOf('<')
  if (open === -1 || !text.endsWith('>')) return { name: '', address: text }
  const name = text.slice(0, open).trim()
  const quoted = name.length > 1 && name.startsWith('"') && name.endsWith('"')
  return { name: quoted ? name.slice(1, -1) : name, address: text.slice(open + 1, -1) }
}
