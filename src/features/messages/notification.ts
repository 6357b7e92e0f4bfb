/** Mails that carry no code: the pool's risk configuration words them and names their sender. */
import type { OutgoingMessage } from '../../core/ports.ts'
import type { MessageTemplate } from '../../core/templates.ts'
import type { Context } from '../context.ts'
import { customSenderCall } from '../triggers/custom-sender.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { noticeSlot } from './hand-over.ts'
import { dispatch } from './send.ts'
import { envelope, senderOf } from './texts.ts'

export interface NotificationMail extends MessageTemplate {
  to: string
  /** What the mail says in plain text, where that is not the body without its markup. */
  text: string | undefined
  from: string | undefined
  /** ARN of the identity that stands for the sender where there is no other. */
  sourceArn: string
  replyTo: string | undefined
  /** What a custom sender is told in the place of the user's attributes. */
  details: Readonly<Record<string, string>>
}

/** A notice is of no use after this time. */
const usefulMs = 24 * 3_600_000

/** Keeps the mail in the outbox and hands it over. The answer to the caller neither waits for that nor tells of a failure. */
export const sendNotification = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'id' | 'username'>,
  { to, subject, body, text, from, sourceArn, replyTo, details }: NotificationMail,
): Promise<void> => {
  const source = 'AccountTakeOverNotification'
  const { username } = user
  // What the request carries for functions is not for this one.
  const silent = { ...ctx, caller: { clientId: ctx.caller?.clientId } }
  const sender = customSenderCall(silent, pool, 'EMAIL', { source, username, userAttributes: details })
  const named = from ?? senderOf(sourceArn)
  const message: OutgoingMessage = {
    ...envelope(ctx, pool, user, 'EMAIL'),
    ...{ to, subject, body, source, sourceArn },
    ...(text !== undefined && { text }),
    ...(named !== undefined && { from: named }),
    ...(replyTo !== undefined && { replyTo }),
  }
  const parcel = { message, sender, slot: `${noticeSlot}${message.id}`, expiresAt: message.sentAt + usefulMs }
  await dispatch(ctx, pool, user, parcel, { manners: 'unnoticed' })
}
