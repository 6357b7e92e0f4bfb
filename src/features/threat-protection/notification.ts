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
  const now = ctx.clock.now()
  const values = {
    username: user.username,
    'ip-address': origin.address,
    city: origin.place?.city,
    country: origin.place?.country,
    'login-time': new Date(now).toUTCString(),
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
    details: {
      EVENT_ID: eventId,
      USER_NAME: user.username,
      IP_ADDRESS: origin.address ?? '',
      ACCOUNT_TAKE_OVER_ACTION: actions[kind],
      ONE_CLICK_LINK_VALID: values['one-click-link-valid'],
      ONE_CLICK_LINK_INVALID: values['one-click-link-invalid'],
      LOGIN_TIME: loginTime(now),
      FEEDBACK_TOKEN: token,
      ...(origin.place?.city !== undefined && { CITY: origin.place.city }),
      ...(origin.place?.country !== undefined && { COUNTRY: origin.place.country }),
      ...(origin.deviceName !== undefined && { DEVICE_NAME: origin.deviceName }),
    },
  })
}

/** What a custom sender is told of what was done. */
const actions = { block: 'BLOCK', mfa: 'MFA', 'no-action': 'NO_ACTION' } as const

/** As events of the service show it: `Friday, March 19, 2021 02:25 PM UTC`. */
const loginTime = (at: number): string => {
  const write = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' }).format(at)
  const date = write({ weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' })
  return `${date} ${write({ hour: '2-digit', minute: '2-digit' })} UTC`
}
