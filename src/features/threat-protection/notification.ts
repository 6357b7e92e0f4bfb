/** The mail that tells a user of a sign-in that looked like somebody else's. */
import { fillNotification } from '../../core/notification-template.ts'
import type { Context } from '../context.ts'
import { sendNotification } from '../messages/notification.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import type { RequestOrigin } from './request-origin.ts'
import type { RiskRules } from './risk-configuration.ts'

/** What was done about the sign-in. */
export type NotificationKind = 'block' | 'mfa' | 'no-action'

const texts = { block: 'BlockEmail', mfa: 'MfaEmail', 'no-action': 'NoActionEmail' } as const

/** The page on which feedback is given; its links are in the mail. */
export const feedbackPath = '/eventFeedback'

export interface Notification {
  pool: Pool
  user: User
  kind: NotificationKind
  notice: NonNullable<RiskRules['notification']>
  eventId: string
  /** The feedback token. */
  token: string
  origin: RequestOrigin
}

/**
 * Sends the mail to the user's address, verified or not; a user without one is not told. The answer to the sign-in does not
 * wait for it.
 */
export const notifyUser = async (ctx: Context, notification: Notification): Promise<void> => {
  const { pool, user, kind, notice, eventId, token, origin } = notification
  const to = user.attributes.get('email')
  if (to === undefined) return
  const link = (value: 'Valid' | 'Invalid') => {
    const query = new URLSearchParams({
      userPoolId: pool.id,
      userName: user.username,
      eventId,
      feedbackToken: token,
      feedbackValue: value,
    })
    return `${ctx.publicUrl}${feedbackPath}?${query}`
  }
  const values = {
    username: user.username,
    'ip-address': origin.address,
    city: origin.place?.city,
    country: origin.place?.country,
    'login-time': new Date(ctx.clock.now()).toUTCString(),
    'device-name': origin.deviceName,
    'one-click-link-valid': link('Valid'),
    'one-click-link-invalid': link('Invalid'),
    'event-id': eventId,
    'feedback-token': token,
  }
  await sendNotification(ctx, pool, user, {
    to,
    ...fillNotification(notice[texts[kind]], values),
    from: notice.From,
    sourceArn: notice.SourceArn,
    replyTo: notice.ReplyTo,
  })
}
