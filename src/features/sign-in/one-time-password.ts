/** Codes in the place of a password: EMAIL_OTP and SMS_OTP as first factor. Their answer is in `challenges/`. */
import type { Factor } from '../../core/claims.ts'
import { preventsUserExistenceErrors } from '../app-clients/client.ts'
import type { Context } from '../context.ts'
import type { CodePurpose, VerifiableAttribute } from '../messages/codes.ts'
import { sendOrSimulate } from '../passwords/unknown-user.ts'
import { newAttempt, type SignIn, sealSession } from './attempt.ts'
import type { PendingOutcome } from './progress.ts'
import type { Subject } from './subject.ts'

export type OneTimePassword = 'EMAIL_OTP' | 'SMS_OTP'

interface CodeFactor {
  attribute: VerifiableAttribute
  /** What codes of this kind are good for, and no others. */
  purpose: CodePurpose
  proves: Factor
  /** The response that carries the code. */
  response: string
}

export const oneTimePasswords: Record<OneTimePassword, CodeFactor> = {
  EMAIL_OTP: { attribute: 'email', purpose: 'sign-in-email', proves: 'email_otp', response: 'EMAIL_OTP_CODE' },
  SMS_OTP: {
    attribute: 'phone_number',
    purpose: 'sign-in-phone_number',
    proves: 'sms',
    response: 'SMS_OTP_CODE',
  },
}

/**
 * Sends a code that only this sign-in takes. For nobody, and for a disabled user whom the client hides, the sending is
 * simulated; `name` is what was given as name.
 * @throws CodeDeliveryFailureException where the client tells who exists
 */
export const beginOneTimePassword = async (
  ctx: Context,
  signIn: SignIn,
  subject: Subject,
  name: string,
  challenge: OneTimePassword,
): Promise<PendingOutcome> => {
  const { pool, client } = signIn
  const { attribute, purpose } = oneTimePasswords[challenge]
  const attempt = {
    ...newAttempt(ctx, signIn, { ...subject, step: challenge, factors: [] }),
    isFirstFactor: true,
  }
  const { user, nameKey, simulatedId } = subject
  const destination = user?.enabled ? user.attributes.get(attribute) : undefined
  const { nonce: bound, expiresAt } = attempt
  const code = { purpose, bound, expiresAt }
  const target = destination === undefined ? undefined : { ...code, attribute, destination }
  const details = await sendOrSimulate(ctx, pool, { user, holder: nameKey, nameKey, simulatedId }, name, target, {
    ...code,
    source: 'Authentication',
    attributes: [attribute],
    unnoticed: preventsUserExistenceErrors(client),
  })
  return {
    challenge,
    session: sealSession(ctx, client, attempt),
    parameters: {
      CODE_DELIVERY_DELIVERY_MEDIUM: details.DeliveryMedium ?? '',
      CODE_DELIVERY_DESTINATION: details.Destination ?? '',
    },
  }
}
