/**
 * Custom senders: the pool's function delivers messages itself. It is told to whom and of what, and gets the code or the
 * temporary password encrypted under the key of the pool. Nobody waits for it and nothing is read from its answer.
 */
import type { Medium } from '../../core/ports.ts'
import type { Context, Services } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { clientMetadataOf, eventOf, type TriggerSource, targetOf } from './run.ts'
import { inSendersTurn } from './turns.ts'

/** The occasions of messages by either medium; the notice of a takeover goes by mail only. */
export type SenderSource = TriggerSource<'CustomSMSSender'> | TriggerSource<'CustomEmailSender'>

/** A call that waits to be made. It holds no secret. */
export interface SenderCall {
  target: string
  /** The key that the pool has named for codes. */
  keyArn: string
  poolId: string
  event: { request: object }
}

/** How long a function may take that nobody waits for. Lambda takes its event at once. */
const timeoutMs = 30_000

/** The call that delivers a message by this medium; undefined when the pool has assigned no function for it. */
export const customSenderCall = (
  ctx: Context,
  pool: Pool,
  medium: Medium,
  { source, username, userAttributes }: { source: SenderSource; username: string; userAttributes: object },
): SenderCall | undefined => {
  const isEmail = medium === 'EMAIL'
  const target = targetOf(pool, isEmail ? 'CustomEmailSender' : 'CustomSMSSender')
  const keyArn = pool.settings.LambdaConfig?.KMSKeyID
  if (target === undefined || keyArn === undefined) return undefined
  const request = {
    type: isEmail ? 'customEmailSenderRequestV1' : 'customSMSSenderRequestV1',
    code: null,
    clientMetadata: null,
    userAttributes,
    ...clientMetadataOf(ctx),
  }
  const event =
    isEmail || source === 'AccountTakeOverNotification'
      ? eventOf(ctx, pool, 'CustomEmailSender', { source, username, request })
      : eventOf(ctx, pool, 'CustomSMSSender', { source, username, request })
  return { target, keyArn, poolId: pool.id, event: { ...event, request } }
}

/**
 * Encrypts the code and hands it to the function; without encryption it is not called.
 * @throws TriggerFailure when the function cannot be run or throws, and Error when there is no key.
 */
export const runCustomSender = async (
  ctx: Services,
  { target, keyArn, poolId, event }: SenderCall,
  secret: { text: string; source: string } | undefined,
): Promise<void> => {
  const code =
    secret === undefined ? null : await ctx.codeEncryption.encrypt(keyArn, escaped(secret), { 'userpool-id': poolId })
  const complete = { ...event, request: { ...event.request, code } }
  await inSendersTurn(ctx.triggers, poolId, () =>
    ctx.triggers.invoke({ target, event: complete, timeoutMs, unanswered: true }),
  )
}

/** Temporary passwords have their angle brackets escaped, as Cognito hands them over; functions put them back. */
const escaped = ({ text, source }: { text: string; source: string }): string =>
  source === 'AdminCreateUser' ? text.replaceAll('<', '&lt;').replaceAll('>', '&gt;') : text
