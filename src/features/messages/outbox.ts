/** The outbox: every mail and text message that was sent, newest first, its content sealed in the database. */
import type { OutgoingMessage } from '../../core/ports.ts'
import type { Services, TransactionContext } from '../context.ts'

/** How many messages are kept, over all pools; older ones are dropped by `pruneOutbox`. */
const keptMax = 10_000
const keptMs = 7 * 24 * 3_600_000
const shownMax = 1_000

export interface OutboxFilter {
  to?: string | undefined
  username?: string | undefined
  userPoolId?: string | undefined
}

/** One message as `/_cenote/messages` shows it. */
export interface OutboxMessage {
  id: string
  userPoolId: string
  username: string
  medium: string
  to: string
  subject: string
  body: string
  code?: string
  source: string
  /** ISO 8601. */
  sentAt: string
}

/** Subject, body and code of the message, sealed and bound to its id. */
const sealContent = (ctx: Pick<Services, 'seal'>, { id, subject, body, code }: OutgoingMessage): string =>
  ctx.seal.seal('message', JSON.stringify({ subject, body, code }), id)

/** Stores the message; a simulated one where nobody finds it. */
export const storeMessage = async (
  tx: TransactionContext,
  message: OutgoingMessage,
  simulated: boolean,
): Promise<void> => {
  await tx.db
    .insertInto(simulated ? 'simulated_messages' : 'messages')
    .values({
      id: message.id,
      pool_id: message.userPoolId,
      username: message.username,
      medium: message.medium,
      destination: message.to,
      source: message.source,
      content: sealContent(tx, message),
      sent_at: message.sentAt,
    })
    .execute()
}

/** The newest messages that match, at most 1,000. */
export const listMessages = async (ctx: Services, filter: OutboxFilter): Promise<OutboxMessage[]> => {
  let query = ctx.db.selectFrom('messages').selectAll()
  if (filter.to !== undefined) query = query.where('destination', '=', filter.to)
  if (filter.username !== undefined) query = query.where('username', '=', filter.username)
  if (filter.userPoolId !== undefined) query = query.where('pool_id', '=', filter.userPoolId)
  const rows = await query.orderBy('sent_at', 'desc').orderBy('sequence', 'desc').limit(shownMax).execute()
  return rows.flatMap(row => {
    const content = ctx.seal.open('message', row.content, row.id)
    if (content === undefined) return []
    const { subject, body, code } = JSON.parse(content.toString('utf8')) as Pick<
      OutgoingMessage,
      'subject' | 'body' | 'code'
    >
    return [
      {
        id: row.id,
        userPoolId: row.pool_id,
        username: row.username,
        medium: row.medium,
        to: row.destination,
        subject,
        body,
        ...(code !== undefined && { code }),
        source: row.source,
        sentAt: new Date(row.sent_at).toISOString(),
      },
    ]
  })
}

/** Drops what is older than a week or beyond the newest ten thousand. Returns how many were dropped. */
export const pruneOutbox = async (tx: TransactionContext): Promise<number> => {
  const oldest = await tx.db
    .selectFrom('messages')
    .select('sequence')
    .orderBy('sequence', 'desc')
    .offset(keptMax)
    .limit(1)
    .executeTakeFirst()
  const dropped = await tx.db
    .deleteFrom('messages')
    .where(row =>
      row.or([
        row('sent_at', '<', tx.clock.now() - keptMs),
        ...(oldest === undefined ? [] : [row('sequence', '<=', oldest.sequence)]),
      ]),
    )
    .returning('id')
    .execute()
  return dropped.length
}
