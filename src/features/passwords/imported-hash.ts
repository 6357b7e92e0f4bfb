/** The hash of another system that a user was imported with, until the first right password replaces it. */
import { type HashText, parsePasswordHash } from '../../core/password-hash.ts'
import type { Services } from '../context.ts'
import type { User } from '../users/user.ts'

const sealPurpose = 'imported-password-hash'

/** The hash as it is kept; undefined when it is not well formed or costs more than a sign-in may. */
export const sealImportedHash = (
  ctx: Pick<Services, 'seal'>,
  user: Pick<User, 'id'>,
  hash: HashText,
): string | undefined =>
  parsePasswordHash(hash) === undefined
    ? undefined
    : ctx.seal.seal(sealPurpose, `${hash.algorithm} ${hash.text}`, user.id)

/**
 * True when the user has an imported hash and the password fits it.
 * @throws TooManyRequestsException when more checks are waiting than can be done soon.
 */
export const matchesImportedHash = async (
  ctx: Pick<Services, 'seal' | 'compute'>,
  user: Pick<User, 'id' | 'importedHash'>,
  password: string,
): Promise<boolean> => {
  if (user.importedHash === undefined) return false
  const opened = ctx.seal.open(sealPurpose, user.importedHash, user.id)?.toString('utf8')
  // Only a damaged row or a foreign master key leads here; taking it for "no password" would hide that.
  if (opened === undefined) throw new Error(`The imported password hash of user ${user.id} cannot be opened.`)
  const space = opened.indexOf(' ')
  // What was sealed was well formed, algorithm included.
  const algorithm = opened.slice(0, space) as HashText['algorithm']
  return ctx.compute.matchesHash({ algorithm, text: opened.slice(space + 1) }, password)
}
