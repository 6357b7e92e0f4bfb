/** The legacy MFA settings of a user: text messages to phone_number, on or off. They are kept and shown. */
import type { MFAOptionType } from '../../contract/types.ts'
import { mfaOptionsOtherThanSms } from '../../core/errors.ts'
import { type Context, inTransaction } from '../context.ts'
import type { Pool } from '../user-pools/pool.ts'
import { getUserById, lockUser, type User, updateUser } from './user.ts'

/**
 * Sets the options; an empty list switches them off.
 * @throws InvalidParameterException for anything else than text messages to phone_number, UserNotFoundException when
 * the user was deleted meanwhile
 */
export const setMfaOptions = async (
  ctx: Context,
  pool: Pool,
  user: User,
  options: readonly MFAOptionType[],
): Promise<void> => {
  const isSms = (option: MFAOptionType) => option.DeliveryMedium === 'SMS' && option.AttributeName === 'phone_number'
  if (!options.every(isSms)) throw mfaOptionsOtherThanSms()
  await inTransaction(ctx, async tx => {
    // The options share a column with the other MFA settings, so they are read and written under a lock.
    await lockUser(tx, user)
    const { mfa } = await getUserById(tx, pool, user.id)
    await updateUser(tx, user, { mfa: { ...mfa, mfaOptions: options.slice(0, 1) } })
  })
}
