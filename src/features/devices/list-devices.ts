/** Devices as operations list and show them. */
import type { DeviceType } from '../../contract/types.ts'
import type { Context } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import type { Pool } from '../user-pools/pool.ts'
import type { User } from '../users/user.ts'
import { type ConfirmedDevice, deviceFromRow } from './device.ts'

export interface DevicePage {
  Devices: DeviceType[]
  PaginationToken?: string
}

/**
 * The confirmed devices of the user, newest first.
 * @throws InvalidParameterException for a token of another list.
 */
export const listDevices = async (
  ctx: Context,
  pool: Pool,
  user: Pick<User, 'id'>,
  {
    operation,
    token,
    limit,
  }: { operation: PageBinding['operation']; token: string | undefined; limit: number | undefined },
): Promise<DevicePage> => {
  const binding: PageBinding = { operation, scope: pool.id, parameters: [user.id] }
  const page = readPage<[number, string]>(ctx, binding, token, limit)
  const [createdAt, key] = page.after ?? [Number.MAX_SAFE_INTEGER, '']
  const found = await ctx.db
    .selectFrom('devices')
    .selectAll()
    .where('user_id', '=', user.id)
    .where('expires_at', 'is', null)
    .where(row =>
      row.or([
        row('created_at', '<', createdAt),
        row.and([row('created_at', '=', createdAt), row('device_key', '<', key)]),
      ]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('device_key', 'desc')
    .limit(page.limit + 1)
    .execute()
  const { rows, nextToken } = writePage(ctx, binding, page, found, row => [row.created_at, row.device_key])
  return {
    Devices: rows.map(row => presentDevice(deviceFromRow(row))),
    ...(nextToken !== undefined && { PaginationToken: nextToken }),
  }
}

/** The last sign-in is told in whole seconds. */
export const presentDevice = (device: Omit<ConfirmedDevice, 'secret'>): DeviceType => ({
  DeviceKey: device.key,
  DeviceAttributes: Object.entries({
    device_status: 'valid',
    device_name: device.name,
    'dev:device_remembered_status': device.isRemembered ? 'remembered' : 'not_remembered',
    last_ip_used: device.lastIp,
  }).flatMap(([Name, Value]) => (Value === undefined ? [] : [{ Name, Value }])),
  DeviceCreateDate: new Date(device.createdAt),
  DeviceLastModifiedDate: new Date(device.updatedAt),
  DeviceLastAuthenticatedDate: new Date(Math.floor(device.lastAuthenticatedAt / 1_000) * 1_000),
})
