/**
 * DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER: a remembered device proves that it is the one that was confirmed, in an
 * SRP exchange like the user's. The names are the device's group key and key, the password is the secret that its client
 * has made.
 */
import { deviceNotFound } from '../../../core/errors/devices.ts'
import { incorrectUsernameOrPassword } from '../../../core/errors.ts'
import { type Context, inTransaction } from '../../context.ts'
import { type ConfirmedDevice, isConfirmed, secretOf } from '../../devices/device.ts'
import { assertDeviceNotLocked, countedDeviceTry } from '../../devices/tries.ts'
import { consumeAttempt, newAttempt, sealSession } from '../attempt.ts'
import { findNamedDevice } from '../device.ts'
import { finishSignIn } from '../finish.ts'
import { type Challenge, type Resumed, recordFailure, required, resume } from './challenge.ts'
import { beginExchange, isCurrent, isProof, openBlock, readA, readClaim } from './srp-exchange.ts'

/**
 * Begins the exchange.
 * @throws InvalidParameterException for an A that no client computes, ResourceNotFoundException for another device and
 * for one that is no longer remembered, NotAuthorizedException (session, lock)
 */
export const answerDeviceSrpAuth: Challenge = async (ctx, answer) => {
  const resumed = await resume(ctx, answer)
  required(answer.responses, 'DEVICE_KEY')
  const A = readA(required(answer.responses, 'SRP_A'))
  const { attempt, signIn, user } = resumed
  const device = await dueDevice(ctx, resumed)
  await assertDeviceNotLocked(ctx, user)
  const next = newAttempt(ctx, signIn, { ...attempt, user, step: 'DEVICE_PASSWORD_VERIFIER' })
  const exchange = await beginExchange(ctx, signIn.client, next, secretOf(ctx, user, device), A)
  await inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  return {
    challenge: 'DEVICE_PASSWORD_VERIFIER',
    session: sealSession(ctx, signIn.client, next),
    parameters: { ...exchange, DEVICE_KEY: device.key, USERNAME: user.username },
  }
}

/**
 * Compares the proof, and ends the sign-in when it is right.
 * @throws as answerDeviceSrpAuth, and NotAuthorizedException for a wrong proof.
 */
export const answerDevicePasswordVerifier: Challenge = async (ctx, answer) => {
  const resumed = await resume(ctx, answer)
  required(answer.responses, 'DEVICE_KEY')
  const claim = readClaim(answer.responses)
  const { attempt, signIn, user } = resumed
  const device = await dueDevice(ctx, resumed)
  const block = openBlock(ctx, answer, claim)
  if (block?.nonce !== attempt.nonce || !isCurrent(ctx, claim)) throw incorrectUsernameOrPassword()
  const { verifier } = secretOf(ctx, user, device)
  const isRight = await countedDeviceTry(ctx, user, () =>
    isProof(ctx, block, verifier, [device.groupKey, device.key], claim),
  )
  if (!isRight) {
    await recordFailure(ctx, resumed)
    throw incorrectUsernameOrPassword()
  }
  await inTransaction(ctx, tx => consumeAttempt(tx, attempt))
  return finishSignIn(ctx, {
    ...attempt,
    signIn,
    user,
    device: { key: device.key, proof: 'given' },
    isFirstAnswer: false,
    tokenSource: 'AuthenticateDevice',
  })
}

/** The device that must prove itself in this attempt. */
const dueDevice = async (ctx: Context, { attempt, signIn, user }: Resumed): Promise<ConfirmedDevice> => {
  const device = await findNamedDevice(ctx, { signIn, user, device: attempt.device })
  if (device === undefined || !isConfirmed(device)) throw deviceNotFound()
  return device
}
