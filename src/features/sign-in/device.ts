/**
 * The device that a sign-in comes from. A request names it by its key, which proves nothing: where the device takes the
 * place of anything, it proves itself by its secret before there are tokens.
 */
import { deviceNotFound } from '../../core/errors/devices.ts'
import type { Context } from '../context.ts'
import {
  type ConfirmedDevice,
  type Device,
  devicesReplaceMfa,
  findDevice,
  isConfirmed,
  isDeviceKey,
  tracksDevices,
} from '../devices/device.ts'
import type { User } from '../users/user.ts'
import { type NamedDevice, newAttempt, type SignIn, sealSession } from './attempt.ts'
import { firstAnswerParameters, type Outcome, type Progress } from './progress.ts'

/** Whether sign-ins like this one have devices: neither those of the pages nor those by an administrator's password. */
export const usesDevices = ({ pool, flow, face }: SignIn): boolean =>
  tracksDevices(pool) && face === 'api' && flow !== 'ADMIN_USER_PASSWORD_AUTH' && flow !== 'ADMIN_NO_SRP_AUTH'

/**
 * The device of a sign-in after a request that may name one by DEVICE_KEY. It must be a device of the user, or of nobody,
 * who has none; one on which the sign-in relies already is not exchanged for another.
 * @throws ResourceNotFoundException, the same for a key that nobody has and for one of somebody else.
 */
export const namedDevice = async (
  ctx: Context,
  signIn: SignIn,
  user: Pick<User, 'id'> | undefined,
  { DEVICE_KEY: key }: Record<string, string>,
  before?: NamedDevice | undefined,
): Promise<NamedDevice | undefined> => {
  if (key === undefined || key === '' || !usesDevices(signIn)) return before
  if (before?.proof !== undefined) {
    if (key !== before.key) throw deviceNotFound()
    return before
  }
  if ((await findDevice(ctx, user, key)) === undefined) throw deviceNotFound()
  return { key }
}

/** A device that is named before anything is proven, and that is looked for when it is. */
export const unprovenDevice = (signIn: SignIn, { DEVICE_KEY: key }: Record<string, string>): NamedDevice | undefined =>
  key !== undefined && isDeviceKey(key) && usesDevices(signIn) ? { key } : undefined

/**
 * The device that the sign-in has named, as it is now; undefined when it has named none and when the device is gone.
 * @throws ResourceNotFoundException when the sign-in relies on a device that is no longer remembered.
 */
export const findNamedDevice = async (
  ctx: Context,
  { signIn, user, device: named }: Pick<Progress, 'signIn' | 'user' | 'device'>,
): Promise<Device | undefined> => {
  if (named === undefined) return undefined
  const device = usesDevices(signIn) ? await findDevice(ctx, user, named.key) : undefined
  if (named.proof !== undefined && !device?.isRemembered) throw deviceNotFound()
  return device
}

/**
 * Whether the device has yet to prove itself: a remembered one does, unless the user has shown no password, or the client
 * takes no challenge of a device now.
 */
export const asksDevice = (
  { signIn, factors, device: named, noDeviceChallenge = false }: Progress,
  device: Device | undefined,
): device is ConfirmedDevice => {
  if (named?.proof === 'given' || device === undefined || !device.isRemembered || !isConfirmed(device)) return false
  if (named?.proof === 'due') return true
  return !noDeviceChallenge && (factors.includes('pwd') || signIn.flow === 'CUSTOM_AUTH')
}

/** Whether the device stands in for the second factor, with the proof that it has given or is yet to give. */
export const replacesMfa = (progress: Progress, device: Device | undefined): boolean =>
  devicesReplaceMfa(progress.signIn.pool) && (progress.device?.proof === 'given' || asksDevice(progress, device))

/** DEVICE_SRP_AUTH, which the client answers with the first value of an SRP exchange. */
export const beginDeviceChallenge = (ctx: Context, progress: Progress, { key }: ConfirmedDevice): Outcome => {
  const { signIn, user } = progress
  const attempt = newAttempt(ctx, signIn, { ...progress, step: 'DEVICE_SRP_AUTH', device: { key, proof: 'due' } })
  return {
    challenge: 'DEVICE_SRP_AUTH',
    session: sealSession(ctx, signIn.client, attempt),
    parameters: { ...firstAnswerParameters(progress), USERNAME: user.username },
  }
}
