/** How many messages go out, counted in several ways; a message has to pass all of them. */

/** Limits by name: how many messages, in which time. Without a number there is none unless the operator sets one. */
export const messageLimits = {
  /** Mail from pools that do not send from an account of their own (COGNITO_DEFAULT), by region. Cognito's own limit. */
  DefaultEmails: { number: 50, per: 'day' },
  /** Mail of a pool. */
  PoolEmails: { number: undefined, per: 'day' },
  /** Text messages of a pool, each of which costs. */
  PoolSms: { number: 1_000, per: 'day' },
  /** Text messages of a pool to numbers that differ in their last four digits only, which premium numbers often do. */
  PrefixSms: { number: 100, per: 'day' },
  /** Messages to one user. */
  UserMessages: { number: 30, per: 'hour' },
  /** Messages that are asked for from one IP address through app clients. */
  AddressMessages: { number: undefined, per: 'hour' },
} satisfies Record<string, { number: number | undefined; per: 'hour' | 'day' }>

export type MessageLimit = keyof typeof messageLimits

export const isMessageLimit = (name: string): name is MessageLimit => Object.hasOwn(messageLimits, name)

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Cognito's day begins at nine o'clock, UTC. */
const dayBeginsMs = 9 * hourMs

/** The hour or day that this moment (milliseconds since the epoch) belongs to, and its length. */
export const periodOf = (limit: MessageLimit, now: number): { period: number; lengthMs: number } =>
  messageLimits[limit].per === 'day'
    ? { period: Math.floor((now - dayBeginsMs) / dayMs), lengthMs: dayMs }
    : { period: Math.floor(now / hourMs), lengthMs: hourMs }
