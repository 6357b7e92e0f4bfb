/** The user of a grant that was made a while ago. */
import { invalidGrant } from '../../../core/errors/oauth.ts'
import type { Context } from '../../context.ts'
import type { Pool } from '../../user-pools/pool.ts'
import { findUserById, type User } from '../../users/user.ts'

/**
 * The user, to whom nothing may have happened since the grant that ends sessions.
 * @throws OAuthError `invalid_grant`
 */
export const findGrantedUser = async (
  ctx: Context,
  pool: Pool,
  { userId, sessionEpoch }: { userId: string; sessionEpoch: number },
): Promise<User> => {
  const user = await findUserById(ctx, pool, userId)
  if (user === undefined || user.sessionEpoch !== sessionEpoch || !user.enabled) throw invalidGrant()
  if (user.status === 'UNCONFIRMED' || user.status === 'RESET_REQUIRED') throw invalidGrant()
  return user
}
