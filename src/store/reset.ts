/** Empties the database, for test mode. What belongs to the installation (migrations, the key check) stays. */
import type { Transaction } from 'kysely'
import type { Tables } from './tables.ts'

const tables = [
  'messages',
  'simulated_messages',
  'log_records',
  'refresh_rotations',
  'revoked_sessions',
  'one_time_marks',
  'attempts',
  'sign_in_failures',
  'provisioned_limits',
  // All that hangs on a pool goes with it.
  'pools',
] as const

export const emptyTables = async (tx: Transaction<Tables>): Promise<void> => {
  for (const table of tables) await tx.deleteFrom(table).execute()
}
