/** Many users at once, written straight into the database of a stopped server: the API would take hours for a million. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createCompute } from '../src/adapters/compute.ts'
import { systemClock, systemRandom } from '../src/adapters/system.ts'
import { passwordVerifier } from '../src/core/srp.ts'
import { canonicalName } from '../src/core/usernames.ts'
import { searchText } from '../src/features/users/search.ts'
import { openDatabase, transaction } from '../src/store/database.ts'
import { createSeal, loadMasterKey } from '../src/store/sealed.ts'

const batch = 500

export interface FillOptions {
  address: (index: number) => string
  /** Users sign in with their address and this password; without it they have names `seeded-N` and no password. */
  withPassword?: string
}

/** Adds users 1 to count - 1 to the pool of the server whose data folder this is. */
export const fillPool = async (data: string, poolId: string, count: number, options: FillOptions): Promise<void> => {
  const database = await openDatabase({ file: join(data, 'cenote.db') })
  const seal = createSeal([loadMasterKey({ dataDir: data })])
  const compute = createCompute({ threads: 2 })
  const now = systemClock.now()
  const key = (name: string) => canonicalName(name, { caseSensitive: true })
  try {
    for (let from = 1; from < count; from += batch) {
      const indexes = Array.from({ length: Math.min(batch, count - from) }, (_, offset) => from + offset)
      const users = await Promise.all(
        indexes.map(async index => {
          const id = randomUUID()
          const username = options.withPassword === undefined ? `seeded-${index}` : id
          const password =
            options.withPassword === undefined
              ? undefined
              : await passwordVerifier(
                  compute,
                  poolId.split('_')[1] ?? '',
                  username,
                  options.withPassword,
                  systemRandom.bytes(16),
                )
          return { id, username, index, password, email: options.address(index) }
        }),
      )
      await transaction(database.db, async tx => {
        await tx
          .insertInto('users')
          .values(
            users.map(({ id, username, password }) => ({
              id,
              pool_id: poolId,
              username,
              username_search: key(username),
              status: 'CONFIRMED',
              enabled: 1,
              created_at: now,
              updated_at: now,
              password_salt: password?.salt ?? null,
              password_verifier: password === undefined ? null : seal.seal('password-verifier', password.verifier, id),
              password_set_at: now,
              temporary_password_expires_at: null,
            })),
          )
          .execute()
        await tx
          .insertInto('user_attributes')
          .values(
            users.map(({ id, email }) => ({
              user_id: id,
              pool_id: poolId,
              name: 'email',
              value: email,
              search: searchText('email', email),
            })),
          )
          .execute()
        await tx
          .insertInto('sign_in_names')
          .values(
            users.flatMap(({ id, username, email }) => [
              { pool_id: poolId, name_key: key(username), kind: 'username', user_id: id },
              ...(options.withPassword === undefined
                ? []
                : [{ pool_id: poolId, name_key: key(email), kind: 'email', user_id: id }]),
            ]),
          )
          .execute()
      })
    }
  } finally {
    await compute.close()
    await database.close()
  }
}
