/** The end of a sign-in. */
import type { AuthenticationResultType } from '../../contract/types.ts'
import { newDeviceKey } from '../../core/ids.ts'
import type { Context } from '../context.ts'
import { createDevice, type Device, noteSignIn } from '../devices/device.ts'
import { holderOf } from '../threat-protection/auth-events.ts'
import {
  admitSignIn,
  completeSignIn,
  judgeSignIn,
  refuseSignIn,
  type SignInEvent,
  suspendSignIn,
} from '../threat-protection/sign-in-events.ts'
import { beginSession } from '../tokens/sessions.ts'
import type { User } from '../users/user.ts'
import { asksDevice, beginDeviceChallenge, findNamedDevice, replacesMfa, usesDevices } from './device.ts'
import { postAuthenticate } from './post-authentication.ts'
import type { Outcome, Progress } from './progress.ts'
import { withCredit } from './step-up.ts'

/**
 * Tokens for a user of whom no more is asked, once a remembered device has proven itself; for the pages the proof, because
 * their tokens come later and may be others.
 * @throws NotAuthorizedException when threat protection refuses the sign-in, ResourceNotFoundException for a device that was
 * forgotten, and what postAuthenticate throws.
 */
export const issueAfterProof = async (ctx: Context, proven: Progress): Promise<Outcome> => {
  const progress = withCredit(proven)
  const { signIn, factors, tokenSource } = progress
  const { pool, client, flow, face } = signIn
  await admitSignIn(ctx, signIn, { user: progress.user, holder: holderOf(progress.user) })
  const device = await findNamedDevice(ctx, progress)
  const event = progress.event ?? (await judgeAtEnd(ctx, progress, replacesMfa(progress, device)))
  if (asksDevice(progress, device)) {
    await suspendSignIn(ctx, signIn, progress.user, factors, event, 'other')
    return beginDeviceChallenge(ctx, { ...progress, event }, device)
  }
  const user = await postAuthenticate(ctx, pool, progress.user, usesDevices(signIn) && device === undefined)
  const outcome =
    face === 'pages'
      ? { proven: { user, factors, tokenSource, eventId: event?.id } }
      : { tokens: await tokensFrom(ctx, { ...progress, user, event }, device) }
  await completeSignIn(ctx, signIn, user, factors, event)
  ctx.events.record({ name: 'SignIn', result: 'Pass', userPoolId: pool.id, clientId: client.id, userId: user.id, flow })
  return outcome
}

/**
 * The judgement on a sign-in that comes here at once: by a passkey that counts for two factors, or by custom challenges,
 * which have no place for a second factor and are refused where risk requires one that no device stands in for.
 * @throws NotAuthorizedException
 */
const judgeAtEnd = async (
  ctx: Context,
  { signIn, user, factors }: Progress,
  deviceSkipsMfa: boolean,
): Promise<SignInEvent | undefined> => {
  const event = await judgeSignIn(ctx, signIn, user, { factors })
  const lacksFactor = signIn.flow === 'CUSTOM_AUTH' && new Set(factors).size < 2 && !deviceSkipsMfa
  return event?.mfa === 'required' && lacksFactor ? refuseSignIn(ctx, signIn, user, factors, event) : event
}

/** The tokens of a session that belongs to the device, or to a new one where the pool tracks devices. */
const tokensFrom = async (
  ctx: Context,
  { signIn, user, factors, tokenSource, event }: Progress,
  device: Device | undefined,
): Promise<AuthenticationResultType> => {
  const { pool, client } = signIn
  const key = device?.key ?? (usesDevices(signIn) ? newDeviceKey(ctx.random, pool.region) : undefined)
  const granted = { ...(key !== undefined && { device: key }), ...(event !== undefined && { eventId: event.id }) }
  const tokens = await beginSession(ctx, { pool, client, user, factors, source: tokenSource, granted })
  return { ...tokens, ...(await recordDevice(ctx, user, key, device)) }
}

/** After the tokens: when signing fails, nothing has changed. */
const recordDevice = async (
  ctx: Context,
  user: User,
  key: string | undefined,
  known: Device | undefined,
): Promise<Pick<AuthenticationResultType, 'NewDeviceMetadata'>> => {
  if (key === undefined) return {}
  if (known === undefined) {
    return { NewDeviceMetadata: { DeviceKey: key, DeviceGroupKey: await createDevice(ctx, user, key) } }
  }
  await noteSignIn(ctx, user, key)
  return {}
}
