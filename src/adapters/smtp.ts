/** Mail by SMTP. */
import { createTransport } from 'nodemailer'
import { plainTextOf } from '../core/plain-text.ts'
import { type Delivery, DeliveryFailure, type OutgoingMessage } from '../core/ports.ts'
import { isEmailFormat } from '../core/usernames.ts'

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with credentials, and nodemailer's options in the query. */
  url: string
  /** Sender of pools that name none. */
  from: string
}

const timeoutMs = 5_000

/**
 * Delivery through an SMTP server. `send` rejects when the server refuses the message or is silent for five seconds, and
 * sends to exactly the one address of the message. The id of the message is in its Message-ID, so that whoever receives
 * it twice can tell.
 */
export const smtpDelivery = ({ url, from: defaultFrom }: SmtpOptions): Delivery & { close(): void } => {
  const transport = createTransport({
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
  })
  return {
    media: ['EMAIL'],
    send: async message => {
      // Attributes are checked when they are written; this keeps line breaks, groups and second addresses out for good.
      if (!isEmailFormat(message.to))
        throw new DeliveryFailure('refused', 'The recipient is not a single e-mail address.')
      const from = mailbox(message.from ?? defaultFrom)
      await transport
        .sendMail({
          from,
          to: { name: '', address: message.to },
          envelope: { from: from.address, to: [message.to] },
          ...(message.replyTo !== undefined && { replyTo: mailbox(message.replyTo) }),
          messageId: `<${message.id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
          subject: message.subject,
          text: message.text ?? plainTextOf(message.body),
          html: message.body,
          disableFileAccess: true,
          disableUrlAccess: true,
        })
        .catch((error: unknown) => {
          throw asFailure(error, message)
        })
    },
    close: () => transport.close(),
  }
}

const answerLengthMax = 200

/** What the server answered with 500 and above it would answer again (RFC 5321, section 4.2.1). */
const asFailure = (error: unknown, message: OutgoingMessage): DeliveryFailure => {
  const { code, command, response, responseCode } = error as Partial<Record<string, string | number>>
  const told = String(response ?? (error instanceof Error ? error.message : error)).slice(0, answerLengthMax)
  // A server may repeat what it was given.
  const repeats = [message.to, message.code].some(secret => secret !== undefined && told.includes(secret))
  const isRefusal = Number(responseCode) >= 500 && code !== 'EAUTH'
  const what = repeats ? `with ${responseCode ?? 'an error'}` : `: ${told.replace(/\s+/g, ' ')}`
  return new DeliveryFailure(
    isRefusal ? 'refused' : 'unavailable',
    `The mail server failed ${command === undefined ? '' : `at ${command} `}${what}`,
  )
}

/** `address` or `Name <address>` in parts: an address that comes as an object is not parsed for lists and groups. */
const mailbox = (text: string): { name: string; address: string } => {
  const open = text.lastIndexOf('<')
  if (open === -1 || !text.endsWith('>')) return { name: '', address: text }
  const name = text.slice(0, open).trim()
  const quoted = name.length > 1 && name.startsWith('"') && name.endsWith('"')
  return { name: quoted ? name.slice(1, -1) : name, address: text.slice(open + 1, -1) }
}
