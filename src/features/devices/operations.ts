/** The operations on devices, in the form for users and in the one for administrators. */
import type { DeviceRememberedStatusType, DeviceSecretVerifierConfigType } from '../../contract/types.ts'
import { invalidDeviceKey, invalidDeviceVerifier } from '../../core/errors/devices.ts'
import { missingParameter } from '../../core/errors.ts'
import { parseSalt, parseVerifier, type SrpPassword } from '../../core/srp.ts'
import type { Context, Operations } from '../context.ts'
import { getSignedIn, type SignedIn, signedIn } from '../tokens/signed-in.ts'
import { inPool, type Pool } from '../user-pools/pool.ts'
import { getUserByName, type User } from '../users/user.ts'
import { asksUserToRemember, assertTracked, confirmDevice, forgetDevice, getDevice, rememberDevice } from './device.ts'
import { listDevices, presentDevice } from './list-devices.ts'

export const deviceOperations = {
  ConfirmDevice: signedIn(async (ctx, { pool, user, claims }, input) => {
    assertTracked(pool)
    const secret = readSecret(input.DeviceSecretVerifierConfig)
    // A token speaks for the device of its own session only.
    if (claims.device_key !== input.DeviceKey) throw invalidDeviceKey()
    await confirmDevice(ctx, pool, user, { key: input.DeviceKey, name: input.DeviceName, ...secret })
    return { UserConfirmationNecessary: asksUserToRemember(pool) }
  }),

  ForgetDevice: async (ctx, input) => {
    const { user } = await holder(ctx, input.AccessToken)
    await forgetDevice(ctx, user, input.DeviceKey)
  },

  AdminForgetDevice: inPool(async (ctx, pool, input) => {
    await forgetDevice(ctx, await userOf(ctx, pool, input.Username), input.DeviceKey)
  }),

  GetDevice: async (ctx, input) => {
    const { user } = await holder(ctx, input.AccessToken)
    return { Device: presentDevice(await getDevice(ctx, user, input.DeviceKey)) }
  },

  AdminGetDevice: inPool(async (ctx, pool, input) => {
    const user = await userOf(ctx, pool, input.Username)
    return { Device: presentDevice(await getDevice(ctx, user, input.DeviceKey)) }
  }),

  ListDevices: signedIn(async (ctx, { pool, user }, input) => {
    assertTracked(pool)
    return listDevices(ctx, pool, user, {
      operation: 'ListDevices',
      token: input.PaginationToken,
      limit: input.Limit,
    })
  }),

  AdminListDevices: inPool(async (ctx, pool, input) =>
    listDevices(ctx, pool, await userOf(ctx, pool, input.Username), {
      operation: 'AdminListDevices',
      token: input.PaginationToken,
      limit: input.Limit,
    }),
  ),

  UpdateDeviceStatus: signedIn(async (ctx, { pool, user }, input) => {
    assertTracked(pool)
    await changeStatus(ctx, user, input.DeviceKey, input.DeviceRememberedStatus)
    return {}
  }),

  AdminUpdateDeviceStatus: inPool(async (ctx, pool, input) => {
    const user = await userOf(ctx, pool, input.Username)
    await changeStatus(ctx, user, input.DeviceKey, input.DeviceRememberedStatus)
    return {}
  }),
} satisfies Operations<
  | 'AdminForgetDevice'
  | 'AdminGetDevice'
  | 'AdminListDevices'
  | 'AdminUpdateDeviceStatus'
  | 'ConfirmDevice'
  | 'ForgetDevice'
  | 'GetDevice'
  | 'ListDevices'
  | 'UpdateDeviceStatus'
>

/** The model leaves the access token to the caller, but nothing else says whose device it is. */
const holder = async (ctx: Context, token: string | undefined): Promise<SignedIn> => {
  if (token === undefined) throw missingParameter('AccessToken')
  const session = await getSignedIn(ctx, token)
  assertTracked(session.pool)
  return session
}

const userOf = (ctx: Context, pool: Pool, username: string): Promise<User> => {
  assertTracked(pool)
  return getUserByName(ctx, pool, username)
}

/** Without a status nothing changes, but the device must be there. */
const changeStatus = async (
  ctx: Context,
  user: User,
  key: string,
  status: DeviceRememberedStatusType | undefined,
): Promise<void> => {
  if (status === undefined) await getDevice(ctx, user, key)
  else await rememberDevice(ctx, user, key, status === 'remembered')
}

/** Longer than the text of any verifier that can be one. */
const textLengthMax = 1_024

/** @throws InvalidParameterException for what is missing or would let others in. */
const readSecret = ({ PasswordVerifier, Salt }: DeviceSecretVerifierConfigType = {}): SrpPassword => {
  if (PasswordVerifier === undefined) throw missingParameter('PasswordVerifier')
  if (Salt === undefined) throw missingParameter('Salt')
  const verifier = parseVerifier(bytesOf(PasswordVerifier))
  const salt = parseSalt(bytesOf(Salt))
  if (verifier === undefined || salt === undefined) throw invalidDeviceVerifier()
  return { salt, verifier }
}

/** @throws InvalidParameterException for what is not base64. */
const bytesOf = (text: string): Buffer => {
  if (text.length > textLengthMax || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw invalidDeviceVerifier()
  return Buffer.from(text, 'base64')
}
