/** How long an app client takes up a session of the browser instead of asking the user to sign in again. */
import type { ClientSSOSessionConfigType } from '../../contract/types.ts'
import { clientNotFound, sessionsNotTracked } from '../../core/errors.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { holdPool } from '../user-pools/pool-store.ts'
import { assertTierTracksSessions, tracksSessions } from '../user-pools/session-configuration.ts'
import type { Client } from './client.ts'

/**
 * Sets the client's maximum age of a session. It stays as it is, dormant, while the pool does not track sessions.
 * @throws FeatureUnavailableInTierException, OperationNotEnabledException when the pool does not track sessions,
 * ResourceNotFoundException when pool or client were deleted meanwhile.
 */
export const setClientSessions = async (
  ctx: Context,
  pool: Pool,
  client: Client,
  { MaxValidityMinutes }: ClientSSOSessionConfigType,
): Promise<void> => {
  const changed = await inTransaction(ctx, async tx => {
    const held = await holdPool(tx, ctx.region, pool.id)
    assertTierTracksSessions(held)
    if (!tracksSessions(held)) throw sessionsNotTracked()
    return tx.db
      .updateTable('clients')
      .set({ sso_session_minutes: MaxValidityMinutes })
      .where('id', '=', client.id)
      .returning('id')
      .executeTakeFirst()
  })
  await ctx.caches.invalidate('clients', client.id)
  if (changed === undefined) throw clientNotFound(client.id)
}
