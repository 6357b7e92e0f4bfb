/**
 * Which sessions have ended. A session is what one sign-in began: its refresh tokens and all ID and access tokens that
 * came of them share an `origin_jti`. A row exists only for what was revoked one by one; what ends all sessions of a user
 * raises the session epoch of the user instead.
 */
import { prepared } from '../../store/prepared.ts'
import type { Context, TransactionContext } from '../context.ts'

/** No access token lives longer, so this long a revocation outlives the refresh token. */
const accessTokenMsMax = 86_400_000

/** Ends one session; ending it again changes nothing. `refreshExpiresAt` is the end of its refresh token. */
export const revokeSession = async (
  tx: TransactionContext,
  originJti: string,
  refreshExpiresAt: number,
): Promise<void> => {
  await tx.db
    .insertInto('revoked_sessions')
    .values({
      origin_jti: originJti,
      revoked_at: tx.clock.now(),
      expires_at: refreshExpiresAt + accessTokenMsMax,
    })
    .onConflict(conflict => conflict.column('origin_jti').doNothing())
    .execute()
  await tx.db.deleteFrom('token_sessions').where('origin_jti', '=', originJti).execute()
}

/** Whether the session was revoked. */
export const isRevoked = async (ctx: Pick<Context, 'db'>, originJti: string): Promise<boolean> => {
  const rows = await selectRevoked(ctx.db, originJti)
  return rows.length > 0
}

const selectRevoked = prepared((db, originJti: string) =>
  db.selectFrom('revoked_sessions').select('origin_jti').where('origin_jti', '=', originJti),
)
