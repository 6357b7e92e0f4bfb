/** USER_PASSWORD_AUTH and its administrator's form: the password is sent as it is. */
import type { Context } from '../../context.ts'
import { checkUserPassword } from '../../passwords/password.ts'
import { continueAfterPassword, provePassword } from '../after-password.ts'
import type { SignIn } from '../attempt.ts'
import { required } from '../challenges/challenge.ts'
import { namedDevice } from '../device.ts'
import { preAuthenticate } from '../pre-authentication.ts'
import type { Outcome } from '../progress.ts'
import { findSubject } from '../subject.ts'
import type { Flow } from './flow.ts'

/**
 * Checks name and password in the order of the service: user, lock, what the client tells about the user, password.
 * @throws NotAuthorizedException, UserNotFoundException, UserNotConfirmedException, PasswordResetRequiredException
 */
const begin = async (ctx: Context, signIn: SignIn, parameters: Record<string, string>): Promise<Outcome> => {
  const password = required(parameters, 'PASSWORD')
  const name = required(parameters, 'USERNAME')
  const found = await findSubject(ctx, signIn, name, parameters['SECRET_HASH'], password)
  const subject = await preAuthenticate(ctx, signIn, found, name)
  const user = await provePassword(ctx, signIn, subject, () =>
    checkUserPassword(ctx, signIn.pool, subject.user, password, subject.user?.username ?? subject.nameKey),
  )
  const device = await namedDevice(ctx, signIn, user, parameters)
  const proven = { signIn, user, nameKey: subject.nameKey, factors: ['pwd' as const], device, isFirstAnswer: true }
  return continueAfterPassword(ctx, proven, password)
}

export const userPasswordAuth: Flow = {
  operations: ['InitiateAuth', 'ManagedLogin'],
  parameters: ['USERNAME', 'PASSWORD'],
  begin,
}

export const adminUserPasswordAuth: Flow = {
  operations: ['AdminInitiateAuth'],
  parameters: ['USERNAME', 'PASSWORD'],
  begin,
}
