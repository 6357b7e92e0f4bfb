import type { Context } from './context.ts'

/**
 * The address that a request came from, for records; null when it is not known. One of IPv4 that the socket shows as one
 * of IPv6 is written as what it is.
 */
export const addressOf = ({ sourceIp }: Pick<Context, 'sourceIp'>): string | null =>
  sourceIp?.replace(/^::ffff:(?=\d+\.)/i, '').slice(0, 128) ?? null
