/**
 * Feedback: whether a sign-in was the user's. An administrator may give it for any event, and again; the user gives it once,
 * with the token of the mail that told of the sign-in.
 */
import type { FeedbackValueType } from '../../contract/types.ts'
import { authEventNotFound, invalidFeedbackToken } from '../../core/errors/threat-protection.ts'
import { inTransaction, type Services } from '../context.ts'
import { announceLog, logEntry, queueLog } from '../log-delivery.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserByName, getUserByName, type User } from '../users/user.ts'
import { presentInLog } from './present-event.ts'
import { assertProtected } from './protection.ts'

const tokenBytes = 32
const tokenLifetimeMs = 30 * 86_400_000
const tokenLengthMax = 256

/** A token for the user of this event, and what is kept of it. */
export const newFeedbackToken = (
  ctx: Pick<Services, 'random' | 'seal'>,
  eventId: string,
): { text: string; digest: string } => {
  const text = ctx.random.bytes(tokenBytes).toString('base64url')
  return { text, digest: digestOf(ctx, eventId, text) }
}

const digestOf = (ctx: Pick<Services, 'seal'>, eventId: string, token: string): string =>
  ctx.seal.digest('feedback-token', `${eventId}\n${token}`)

/**
 * Feedback of an administrator, in the place of any earlier one.
 * @throws UserPoolAddOnNotEnabledException, UserNotFoundException, ResourceNotFoundException
 */
export const giveFeedbackAsAdmin = async (
  ctx: Services,
  pool: Pool,
  { username, eventId, value }: { username: string; eventId: string; value: FeedbackValueType },
): Promise<void> => {
  assertProtected(pool)
  const user = await getUserByName(ctx, pool, username)
  if (!(await store(ctx, pool, user, { eventId, value, provider: 'Admin' }))) throw authEventNotFound()
}

export interface UserFeedback {
  username: string
  eventId: string
  token: string
  value: FeedbackValueType
}

/**
 * Feedback of the user. Of many who hold the token exactly one gives it.
 * @throws UserPoolAddOnNotEnabledException, NotAuthorizedException for a token that is used, older than thirty days or of
 * another event, user or pool, and for a user who does not exist.
 */
export const giveFeedback = async (ctx: Services, pool: Pool, feedback: UserFeedback): Promise<void> => {
  assertProtected(pool)
  const user = await findUserByName(ctx, pool, feedback.username)
  const { eventId, value, token } = feedback
  if (token.length > tokenLengthMax) throw invalidFeedbackToken()
  const given = { eventId, value, provider: 'User', token: digestOf(ctx, eventId, token) } as const
  // For nobody the same statement runs; it finds no event.
  const stored = await store(ctx, pool, user ?? { id: '', username: '' }, given)
  if (!stored) throw invalidFeedbackToken()
}

const store = async (
  ctx: Services,
  pool: Pool,
  user: Pick<User, 'id' | 'username'>,
  given: { eventId: string; value: FeedbackValueType; provider: 'Admin' | 'User'; token?: string },
): Promise<boolean> => {
  const now = ctx.clock.now()
  const { stored, entry } = await inTransaction(ctx, async tx => {
    const update = tx.db
      .updateTable('auth_events')
      .set({
        feedback_value: given.value,
        feedback_provider: given.provider,
        feedback_at: now,
        ...(given.token !== undefined && { feedback_token: null }),
      })
      .where('id', '=', given.eventId)
      .where('user_id', '=', user.id)
      .where('pool_id', '=', pool.id)
      .where('expires_at', '>', now)
      .$if(given.token !== undefined, query =>
        query.where('feedback_token', '=', given.token ?? '').where('created_at', '>', now - tokenLifetimeMs),
      )
    const row = await update.returningAll().executeTakeFirst()
    const entry = row && logEntry(ctx, pool, 'userAuthEvents', presentInLog(row, user))
    await queueLog(tx, entry)
    return { stored: row !== undefined, entry }
  })
  announceLog(ctx, entry)
  return stored
}
