/** A passkey as first factor: its challenge. The answer is in `challenges/`. */
import { invalidSession } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { drawChallenge, requestOptions } from '../passkeys/assertion.ts'
import { type NamedDevice, newAttempt, type SignIn, sealSession } from './attempt.ts'
import type { Outcome } from './progress.ts'
import type { Subject } from './subject.ts'

/**
 * What the browser is to ask the user's authenticators. For nobody there is a passkey as well, always the same one.
 * @throws NotAuthorizedException when the last passkey was deleted this very moment
 */
export const beginPasskey = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  device: NamedDevice | undefined,
): Promise<Outcome> => {
  const challenge = drawChallenge(ctx)
  const options = await requestOptions(ctx, signIn.pool, subject, challenge)
  if (options === undefined) throw invalidSession()
  const attempt = {
    ...newAttempt(ctx, signIn, { ...subject, step: 'WEB_AUTHN', factors: [], device }),
    passkeyChallenge: challenge,
  }
  return {
    challenge: 'WEB_AUTHN',
    session: sealSession(ctx, signIn.client, attempt),
    parameters: { CREDENTIAL_REQUEST_OPTIONS: JSON.stringify(options) },
  }
}
