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
}

/** Whose history an event of this user belongs to. */
export const eventHolder = ({ user, holder }: NamedUser): EventHolder => ({
  user,
  holder: user === undefined ? holder : holderOf(user),
})

/**
 * The user whom a request names by username or alias.
 * @throws UserNotFoundException when there is none and the client may know.
 */
export const findNamedUser = async (ctx: Context, client: Client, pool: Pool, name: string): Promise<NamedUser> => {
  const user = await findUserByName(ctx, pool, name)
  const nobody = lockoutKey(ctx, pool, name)
  if (user !== undefined) return { user, holder: user.id }
  if (!preventsUserExistenceErrors(client)) throw usernameClientNotFound()
  return { user: undefined, holder: nobody }
}

/**
 * The delivery details of a code that is not sent: for a name that nobody has, and for a user who can get none. The
 * destination is the same each time and looks like a user's; `attributes` are those that codes of this kind go to, the
 * preferred one first.
 */
export const simulateDelivery = (
  ctx: Context,
  pool: Pool,
  named: NamedUser,
  name: string,
  { purpose, source, attributes, ...more }: SimulatedCode,
): Promise<CodeDeliveryDetailsType> => {
  const target = { purpose, ...more, ...simulatedTarget(ctx, pool, nameKey(pool, name), attributes) }
  const recipient = named.user ?? simulatedRecipient(ctx, pool, named.holder)
  return sendNewCode(ctx, pool, recipient, source, target, { unnoticed: true, simulated: true })
}

interface SimulatedCode extends Omit<CodeTarget, 'attribute' | 'destination'> {
  source: MessageSource
  attributes: VerifiableAttribute[]
}

/** Whose codes are stored and tried: the user's, or those of the name that nobody has. */
export const codeHolder = (pool: Pool, { user, holder }: NamedUser): CodeHolder =>
  user ?? { id: holder, poolId: pool.id, isNobody: true }

/** A user such as many are, in the place of the one whom the name does not find. */
const simulatedRecipient = (ctx: Pick<Context, 'seal'>, pool: Pool, holder: string): Recipient => ({
  id: holder,
  poolId: pool.id,
  isNobody: true,
  username: simulatedUserId(ctx, holder),
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
  ctx: Pick<Context, 'seal'>,
  pool: Pool,
  name: string,
  attributes: readonly VerifiableAttribute[],
): Pick<CodeTarget, 'attribute' | 'destination'> => {
  const format = isEmailFormat(name) ? 'email' : isPhoneFormat(name) ? 'phone_number' : undefined
  // A user who is named by an address most likely gets the code there.
  if (format !== undefined && attributes.includes(format)) {
    return { attribute: format, destination: maskDestination(format, name) }
  }
  const verifiable = attributes.filter(attribute => pool.settings.AutoVerifiedAttributes?.includes(attribute))
  const attribute = verifiable[0] ?? attributes[0] ?? 'email'
  return { attribute, destination: maskDestination(attribute, inventedDestination(ctx, pool, name, attribute)) }
}

/** First letters about as frequent as those of names and of mail domains. */
const firstLetters = 'aaaaabbbccccddddeeefffgghhiijjjjjkkkllllmmmmmmnnnooppprrrrsssssstttuvvwyz'
const domainLetters = 'ggggggggyyyhhhoooiiaaccmmwwlptf'

/** An address of which the mask shows no more than its first letters, or a number of which it shows four digits. */
const inventedDestination = (
  ctx: Pick<Context, 'seal'>,
  pool: Pool,
  name: string,
  attribute: VerifiableAttribute,
): string => {
  const bytes = Buffer.from(ctx.seal.digest('simulated-destination', `${pool.id}\n${name}`), 'base64url')
  if (attribute === 'phone_number') return `+1${String(bytes.readUInt32BE(0) % 10_000).padStart(10, '5')}`
  const [first, domain] = [firstLetters, domainLetters].map(
    (text, index) => text[bytes.readUInt32BE(4 * index) % text.length],
  )
  return `${first}@${domain}`
}
