/** What a code proves beside the sign-in: that the address it went to is the user's. */
import type { TransactionContext } from '../context.ts'
import type { ProvenCode } from '../messages/codes.ts'
import type { Pool } from '../user-pools/pool.ts'
import { type User, writeAttributes, writeSignInNames } from '../users/user.ts'

/**
 * Marks the address as verified, with which it finds the user where addresses are names.
 * @throws NameTaken when it is a name of another user.
 */
export const writeVerified = async (
  tx: TransactionContext,
  pool: Pool,
  user: User,
  { attribute, destination }: ProvenCode,
): Promise<void> => {
  const flag = `${attribute}_verified`
  if (user.attributes.get(flag) === 'true') return
  const changes = new Map([
    [attribute, destination],
    [flag, 'true'],
  ])
  await writeAttributes(tx, user, changes)
  await writeSignInNames(tx, pool, { ...user, attributes: new Map([...user.attributes, ...changes]) })
}
