/** How many messages are sent, counted in the database for all nodes. Without limits in the settings nothing is counted. */
import { dailyEmailLimitExceeded, messageLimitExceeded } from '../../core/errors/messages.ts'
import { isCognitoError } from '../../core/errors.ts'
import { type MessageLimit, messageLimits, periodOf } from '../../core/message-limits.ts'
import type { Medium } from '../../core/ports.ts'
import { countAttempt } from '../../store/one-time.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'

export interface CountedMessage {
  /** The user's id, or what stands for a name that nobody has. */
  holder: string
  medium: Medium
  to: string
  source: string
  /** The pool's function delivers it: it costs us nothing. */
  bySender: boolean
  /** It is not sent at all. It is counted so that the answer takes as long as for one that is, but not with those. */
  simulated?: boolean
}

/**
 * Counts the message. One that is over a limit does not count.
 * @throws LimitExceededException, or TooManyRequestsException for operations that know no other.
 */
export const countMessage = async (ctx: Context, pool: Pool, message: CountedMessage): Promise<void> => {
  const { messageLimits: changed } = ctx.settings
  if (changed === undefined) return
  const now = ctx.clock.now()
  const counted = scopesOf(ctx, pool, message).flatMap(([limit, scope]) => {
    const number = changed[limit] ?? messageLimits[limit].number
    return number === undefined ? [] : [{ limit, scope, number }]
  })
  if (counted.length === 0) return
  await inTransaction(ctx, async tx => {
    const over: MessageLimit[] = []
    for (const { limit, scope, number } of counted) {
      const { period, lengthMs } = periodOf(limit, now)
      const key = `messages ${message.simulated ? 'simulated ' : ''}${limit} ${scope} ${period}`
      // The period is in the key, so a window never ends within it.
      if ((await countAttempt(tx.db, key, now, 2 * lengthMs)) > number) over.push(limit)
    }
    const [first] = over
    if (first !== undefined) throw refusal(first, message.source)
  })
}

/** Whether the error says that a limit was reached. */
export const isOverLimit = (error: unknown): boolean =>
  isCognitoError(error, 'LimitExceededException') || isCognitoError(error, 'TooManyRequestsException')

/** Operations that can answer with LimitExceededException, by what they send. */
const knowLimits = ['SignUp', 'ResendCode', 'ForgotPassword', 'VerifyUserAttribute']

const refusal = (limit: MessageLimit, source: string) => {
  const isDeclared = knowLimits.includes(source)
  return limit === 'DefaultEmails' && isDeclared ? dailyEmailLimitExceeded() : messageLimitExceeded(isDeclared)
}

/** What the message counts for. The order is the same everywhere, so that no two transactions wait for one another. */
const scopesOf = (
  ctx: Context,
  pool: Pool,
  { holder, medium, to, bySender }: CountedMessage,
): [limit: MessageLimit, scope: string][] => {
  const ofUser: [MessageLimit, string] = ['UserMessages', `${medium} ${holder}`]
  const isPublic = ctx.caller?.clientId !== undefined && ctx.sourceIp !== undefined
  const ofAddress: [MessageLimit, string][] = isPublic ? [['AddressMessages', ctx.sourceIp ?? '']] : []
  if (bySender) return [ofUser, ...ofAddress]
  if (medium === 'SMS') {
    const prefix = ctx.seal.digest('attempts', to.slice(0, -4))
    return [ofUser, ...ofAddress, ['PrefixSms', `${pool.id} ${prefix}`], ['PoolSms', pool.id]]
  }
  const sendsOwnMail = pool.settings.EmailConfiguration?.EmailSendingAccount === 'DEVELOPER'
  const ofRegion: [MessageLimit, string][] = sendsOwnMail ? [] : [['DefaultEmails', pool.region]]
  return [ofUser, ...ofAddress, ['PoolEmails', pool.id], ...ofRegion]
}
