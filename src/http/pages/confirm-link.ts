/** The page that the link in a message leads to: it confirms a sign-up. */
import { isCognitoError, userCannotBeConfirmed } from '../../core/errors.ts'
import { confirmSignUp } from '../../features/sign-up/confirm.ts'
import { faultsOf } from './faults.ts'
import { counted } from './limits.ts'
import { type ClientPlace, sendPage } from './page.ts'

/** A link may be opened more than once, and by programs that look at it before the user does: the first time counts. */
export const confirmByLink = async (place: ClientPlace, parameters: URLSearchParams): Promise<Response> => {
  const { ctx, client, pool, texts } = place
  try {
    const input = await counted(place, 'ConfirmSignUp', {
      Username: parameters.get('user_name') ?? '',
      ConfirmationCode: parameters.get('confirmation_code') ?? '',
    })
    await confirmSignUp(ctx, client, pool, input)
  } catch (error) {
    if (!isConfirmedAlready(error)) {
      const text = faultsOf(texts, error).map(fault => fault.text)
      return sendPage(place, {
        heading: texts.somethingWrongHeading,
        message: { kind: 'error', text: text.join(' ') },
        failed: true,
        content: undefined,
      })
    }
  }
  return sendPage(place, {
    heading: texts.confirmedHeading,
    message: { kind: 'success', text: texts.registrationConfirmed },
    content: undefined,
  })
}

const isConfirmedAlready = (error: unknown): boolean =>
  isCognitoError(error, 'NotAuthorizedException') && error.message === userCannotBeConfirmed('CONFIRMED').message
