/**
 * Devices: what a user signs in from, as far as the client keeps a key and a secret for it.
 *
 * Owned by this folder: the record of a device, the secret with which it proves itself and whether it is remembered. Not
 * owned: what a sign-in asks of a device and when one is new (sign-in), the sessions that belong to one (tokens), the
 * settings of the pool (user-pools).
 *
 * A sign-in from nowhere known makes a record. Its client confirms it with a secret of its own making, as long as the
 * access token of that sign-in can live; until then no operation shows the device, and what is not confirmed goes away.
 */
import { deviceKeyExists, deviceNotFound, devicesNotTracked, invalidDeviceKey } from '../../core/errors/devices.ts'
import { userNotFound } from '../../core/errors.ts'
import { newDeviceGroupKey } from '../../core/ids.ts'
import type { SrpPassword } from '../../core/srp.ts'
import { isForeignKeyViolation } from '../../store/database.ts'
import type { DeviceRow } from '../../store/tables.ts'
import { type Context, inTransaction, type ReadContext } from '../context.ts'
import { addressOf } from '../source-address.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'

type Owner = Pick<User, 'id'>

export interface Device {
  key: string
  /** What the client hashes in the place of the pool's name. */
  groupKey: string
  name: string | undefined
  /** What is kept of the device's secret, the verifier sealed; undefined until the device is confirmed. */
  secret: { salt: string; sealedVerifier: string } | undefined
  /** The user, or the pool for all its users, has decided that the device is to be known again. */
  isRemembered: boolean
  lastIp: string | undefined
  /** Times are milliseconds since the epoch. */
  createdAt: number
  updatedAt: number
  lastAuthenticatedAt: number
}

/** A device that has left a secret. */
export type ConfirmedDevice = Device & { secret: NonNullable<Device['secret']> }

/** No access token lives longer, and only with one can a device be confirmed. */
const confirmableMs = 86_400_000
const keyLengthMax = 55

// ---------------------------------------------------------------------------------------------- the pool's settings

/** Whether the pool knows its users' devices. */
export const tracksDevices = ({ settings }: Pool): boolean => settings.DeviceConfiguration !== undefined

/** Whether a remembered device takes the place of the second factor. */
export const devicesReplaceMfa = ({ settings }: Pool): boolean =>
  settings.DeviceConfiguration?.ChallengeRequiredOnNewDevice === true

/** Whether the user is asked if a new device is to be remembered; all are otherwise. */
export const asksUserToRemember = ({ settings }: Pool): boolean =>
  settings.DeviceConfiguration?.DeviceOnlyRememberedOnUserPrompt === true

/** @throws InvalidUserPoolConfigurationException */
export const assertTracked = (pool: Pool): void => {
  if (!tracksDevices(pool)) throw devicesNotTracked()
}

// ---------------------------------------------------------------------------------------------- finding

/**
 * The user's device with this key, confirmed or not; undefined when there is none, whoever else may have one of the key.
 * Nobody has no devices, which takes the same work to find out.
 */
export const findDevice = async (
  ctx: ReadContext,
  user: Owner | undefined,
  key: string,
): Promise<Device | undefined> => {
  if (!isDeviceKey(key)) return undefined
  const row = await ctx.db
    .selectFrom('devices')
    .selectAll()
    .where('device_key', '=', key)
    .where('user_id', '=', user?.id ?? '')
    .where(is => is.or([is('expires_at', 'is', null), is('expires_at', '>', ctx.clock.now())]))
    .executeTakeFirst()
  return row && deviceFromRow(row)
}

/** Whether the text could be the key of a device. */
export const isDeviceKey = (text: string): boolean => text.length <= keyLengthMax && /^[\w-]+_[0-9a-f-]+$/.test(text)

/** As findDevice, of confirmed devices. @throws ResourceNotFoundException */
export const getDevice = async (ctx: ReadContext, user: Owner, key: string): Promise<ConfirmedDevice> => {
  const device = await findDevice(ctx, user, key)
  if (device === undefined || !isConfirmed(device)) throw deviceNotFound()
  return device
}

export const isConfirmed = (device: Device): device is ConfirmedDevice => device.secret !== undefined

export const deviceFromRow = (row: DeviceRow): Device => ({
  key: row.device_key,
  groupKey: row.group_key,
  name: row.name ?? undefined,
  secret: row.salt === null || row.verifier === null ? undefined : { salt: row.salt, sealedVerifier: row.verifier },
  isRemembered: row.remembered === 1,
  lastIp: row.last_ip ?? undefined,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  lastAuthenticatedAt: row.last_authenticated_at,
})

// ---------------------------------------------------------------------------------------------- the secret

const purpose = 'device-verifier'
const boundTo = (user: Owner, key: string): string => `${user.id} ${key}`

/** Salt and verifier of the device's secret. */
export const secretOf = (ctx: Pick<Context, 'seal'>, user: Owner, { key, secret }: ConfirmedDevice): SrpPassword => {
  const verifier = ctx.seal.open(purpose, secret.sealedVerifier, boundTo(user, key))
  if (verifier === undefined) throw new Error(`The verifier of device ${key} cannot be opened with the master key.`)
  return { salt: secret.salt, verifier }
}

// ---------------------------------------------------------------------------------------------- writing

/**
 * Records the device with this new key, from which the user has just signed in, and returns its group key.
 * @throws UserNotFoundException when the user was deleted meanwhile.
 */
export const createDevice = async (ctx: Context, user: Owner, key: string): Promise<string> => {
  const now = ctx.clock.now()
  const groupKey = newDeviceGroupKey(ctx.random)
  const device: DeviceRow = {
    device_key: key,
    user_id: user.id,
    group_key: groupKey,
    name: null,
    salt: null,
    verifier: null,
    remembered: 0,
    last_ip: addressOf(ctx),
    created_at: now,
    updated_at: now,
    last_authenticated_at: now,
    expires_at: now + confirmableMs,
  }
  try {
    await inTransaction(ctx, tx => tx.db.insertInto('devices').values(device).execute())
  } catch (error) {
    throw isForeignKeyViolation(error) ? userNotFound() : error
  }
  return groupKey
}

/**
 * Notes that the user has signed in from the device.
 * @throws ResourceNotFoundException when it was forgotten meanwhile.
 */
export const noteSignIn = async (ctx: Context, user: Owner, key: string): Promise<void> => {
  const noted = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('devices')
      .set({ last_authenticated_at: tx.clock.now(), last_ip: addressOf(ctx) })
      .where('device_key', '=', key)
      .where('user_id', '=', user.id)
      .returning('device_key')
      .executeTakeFirst(),
  )
  if (noted === undefined) throw deviceNotFound()
}

/**
 * Registers the device under the secret that its client has made: of many who do so at once exactly one succeeds. Where
 * the pool does not ask its users, the device is remembered from now on.
 * @throws InvalidParameterException when the user has no device of this key, DeviceKeyExistsException when it is
 * registered.
 */
export const confirmDevice = async (
  ctx: Context,
  pool: Pool,
  user: Owner,
  { key, name, salt, verifier }: { key: string; name: string | undefined } & SrpPassword,
): Promise<void> => {
  const registered = {
    name: name ?? null,
    salt,
    verifier: ctx.seal.seal(purpose, verifier, boundTo(user, key)),
    remembered: asksUserToRemember(pool) ? 0 : 1,
    expires_at: null,
  }
  const confirmed = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('devices')
      .set({ ...registered, updated_at: tx.clock.now() })
      .where('device_key', '=', key)
      .where('user_id', '=', user.id)
      .where('expires_at', '>', tx.clock.now())
      .returning('device_key')
      .executeTakeFirst(),
  )
  if (confirmed !== undefined) return
  throw (await findDevice(ctx, user, key)) === undefined ? invalidDeviceKey() : deviceKeyExists()
}

/** @throws ResourceNotFoundException when the user has no confirmed device of this key. */
export const rememberDevice = async (ctx: Context, user: Owner, key: string, isRemembered: boolean): Promise<void> => {
  const changed = await inTransaction(ctx, tx =>
    tx.db
      .updateTable('devices')
      .set({ remembered: isRemembered ? 1 : 0, updated_at: tx.clock.now() })
      .where('device_key', '=', key)
      .where('user_id', '=', user.id)
      .where('expires_at', 'is', null)
      .returning('device_key')
      .executeTakeFirst(),
  )
  if (changed === undefined) throw deviceNotFound()
}

/**
 * Forgets the device, also one that is not confirmed. Its sessions cannot be refreshed any more.
 * @throws ResourceNotFoundException when the user has no device of this key.
 */
export const forgetDevice = async (ctx: Context, user: Owner, key: string): Promise<void> => {
  const forgotten = await inTransaction(ctx, tx =>
    tx.db
      .deleteFrom('devices')
      .where('device_key', '=', key)
      .where('user_id', '=', user.id)
      .returning('device_key')
      .executeTakeFirst(),
  )
  if (forgotten === undefined) throw deviceNotFound()
}
