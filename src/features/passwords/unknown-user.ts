/**
 * PreventUserExistenceErrors: how the public operations answer for a name that nobody has. Where the client asks for it,
 * an unknown user meets the same answers, limits and work as a known one.
 */
import type { CodeDeliveryDetailsType } from '../../contract/types.ts'
import { usernameClientNotFound } from '../../core/errors.ts'
import { uuidFromBytes } from '../../core/ids.ts'
import { maskDestination } from '../../core/masks.ts'
import { isEmailFormat, isPhoneFormat } from '../../core/usernames.ts'
import { type Client, preventsUserExistenceErrors } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import type { CodeHolder, CodeTarget, VerifiableAttribute } from '../messages/codes.ts'
import { type MessageSource, type Recipient, sendNewCode } from '../messages/send.ts'
import { type EventHolder, holderOf } from '../threat-protection/auth-events.ts'
import type { Pool } from '../user-pools/pool.ts'
import { findUserByName, nameKey, type User } from '../users/user.ts'
import { lockoutKey } from './lockout.ts'

/** Whom a public operation names. */
export interface NamedUser {
  /** Undefined only where the client wants unknown users to be hidden. */
  user: User | undefined
  /** What limits are counted by: the user's id, or a digest of the name that nobody has. */
  holder: string
  /** A digest of the name that was given, and the `sub` that nobody would have under it; made for everyone. */
  nameKey: string
  simulatedId: string
}

/** Whose history an event of this user belongs to. */
export const eventHolder = ({ user, holder }: Pick<NamedUser, 'user' | 'holder'>): EventHolder => ({
  user,
  holder: user === undefined ? holder : holderOf(user),
})

/**
 * The user whom a request names by username or alias.
 * @throws UserNotFoundException when there is none and the client may know.
 */
export const findNamedUser = async (ctx: Context, client: Client, pool: Pool, name: string): Promise<NamedUser> => {
  const user = await findUserByName(ctx, pool, name)
  const key = lockoutKey(ctx, pool, name)
  const simulatedId = simulatedUserId(ctx, key)
  if (user === undefined && !preventsUserExistenceErrors(client)) throw usernameClientNotFound()
  return { user, holder: user?.id ?? key, nameKey: key, simulatedId }
}

/**
 * Sends a code to the target. Without one the sending is simulated, for a name that nobody has and for a user who can get
 * none: the destination is the same each time then and looks like a user's; `attributes` are those that codes of this kind
 * go to, the preferred one first. What that takes is done for everyone. Returns the delivery details.
 * @throws as `sendNewCode`, nothing of which reaches an answer that must not tell (`unnoticed`).
 */
export const sendOrSimulate = (
  ctx: Context,
  pool: Pool,
  named: NamedUser,
  name: string,
  target: CodeTarget | undefined,
  { purpose, source, attributes, unnoticed, ...more }: SentCode,
): Promise<CodeDeliveryDetailsType> => {
  const simulated = { purpose, ...more, ...simulatedTarget(pool, nameKey(pool, name), named.nameKey, attributes) }
  const nobody = simulatedRecipient(pool, named)
  return named.user !== undefined && target !== undefined
    ? sendNewCode(ctx, pool, named.user, source, target, { unnoticed })
    : sendNewCode(ctx, pool, named.user ?? nobody, source, simulated, { unnoticed: true, simulated: true })
}

interface SentCode extends Omit<CodeTarget, 'attribute' | 'destination'> {
  source: MessageSource
  attributes: VerifiableAttribute[]
  unnoticed: boolean
}

/** Whose codes are stored and tried: the user's, or those of the name that nobody has. */
export const codeHolder = (pool: Pool, { user, holder }: Pick<NamedUser, 'user' | 'holder'>): CodeHolder =>
  user ?? { id: holder, poolId: pool.id, isNobody: true }

/** A user such as many are, in the place of the one whom the name does not find. */
const simulatedRecipient = (pool: Pool, { holder, simulatedId }: NamedUser): Recipient => ({
  id: holder,
  poolId: pool.id,
  isNobody: true,
  username: simulatedId,
  status: 'CONFIRMED',
  attributes: new Map([
    ['email', 'nobody@example.com'],
    ['email_verified', 'true'],
  ]),
})

/** The `sub` of a name that nobody has, by the name's digest: the same each time. */
export const simulatedUserId = (ctx: Pick<Context, 'seal'>, key: string): string =>
  uuidFromBytes(Buffer.from(ctx.seal.digest('simulated-user-id', key), 'base64url').subarray(0, 16))

/** The destination is masked already, because nothing that was typed in the place of a name is kept in clear. */
const simulatedTarget = (
  pool: Pool,
  name: string,
  key: string,
  attributes: readonly VerifiableAttribute[],
): Pick<CodeTarget, 'attribute' | 'destination'> => {
  const format = isEmailFormat(name) ? 'email' : isPhoneFormat(name) ? 'phone_number' : undefined
  // A user who is named by an address most likely gets the code there.
  if (format !== undefined && attributes.includes(format)) {
    return { attribute: format, destination: maskDestination(format, name) }
  }
  const verifiable = attributes.filter(attribute => pool.settings.AutoVerifiedAttributes?.includes(attribute))
  const attribute = verifiable[0] ?? attributes[0] ?? 'email'
  return { attribute, destination: maskDestination(attribute, inventedDestination(key, attribute)) }
}

/** First letters about as frequent as those of names and of mail domains. */
const firstLetters = 'aaaaabbbccccddddeeefffgghhiijjjjjkkkllllmmmmmmnnnooppprrrrsssssstttuvvwyz'
const domainLetters = 'ggggggggyyyhhhoooiiaaccmmwwlptf'

/**
 * An address of which the mask shows no more than its first letters, or a number of which it shows four digits, by the
 * digest of the name, which nobody knows.
 */
const inventedDestination = (key: string, attribute: VerifiableAttribute): string => {
  const bytes = Buffer.from(key.slice(key.lastIndexOf(' ') + 1), 'base64url')
  if (attribute === 'phone_number') return `+1${String(bytes.readUInt32BE(0) % 10_000).padStart(10, '5')}`
  const [first, domain] = [firstLetters, domainLetters].map(
    (text, index) => text[bytes.readUInt32BE(4 * index) % text.length],
  )
  return `${first}@${domain}`
}
