/** Mails that carry no code: the pool's risk configuration words them and names their sender. */

import { newUuid } from '../../core/ids.ts'
import type { MessageTemplate } from '../../core/templates.ts'
import type { Context } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { send, senderOf } from './send.ts'

export interface NotificationMail extends MessageTemplate {
  to: string
  from: string | undefined
  /** ARN of the identity that stands for the sender where there is no other. */
  sourceArn: string
  replyTo: string | undefined
}

/** Keeps the mail in the outbox and hands it over. The answer to the caller neither waits for that nor tells of a failure. */
export const sendNotification = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'username'>,
  { to, subject, body, from, sourceArn, replyTo }: NotificationMail,
): Promise<void> => {
  const sender = from ?? senderOf(sourceArn)
  await send(
    ctx,
    pool,
    {
      id: newUuid(ctx.random),
      userPoolId: pool.id,
      username: user.username,
      medium: 'EMAIL',
      to,
      subject,
      body,
      source: 'AccountTakeOverNotification',
      sentAt: ctx.clock.now(),
      ...(sender !== undefined && { from: sender }),
      ...(replyTo !== undefined && { replyTo }),
    },
    { unnoticed: true },
  )
}
