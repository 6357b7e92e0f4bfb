/** The operations of sign-up. */
import { forClient } from '../app-clients/client.ts'
import type { Operations } from '../context.ts'
import { inPool } from '../user-pools/pool.ts'
import { adminConfirmSignUp, confirmSignUp, resendConfirmationCode } from './confirm.ts'
import { newSignUpSession } from './session.ts'
import { signUp } from './sign-up.ts'

export const signUpOperations = {
  SignUp: forClient(async (ctx, client, pool, input) => {
    const { user, delivery } = await signUp(ctx, client, pool, input)
    return {
      UserConfirmed: user.status === 'CONFIRMED',
      CodeDeliveryDetails: delivery,
      UserSub: user.id,
      Session: user.status === 'UNCONFIRMED' ? newSignUpSession(ctx, client, pool, user) : undefined,
    }
  }),

  ConfirmSignUp: forClient(async (ctx, client, pool, input) => {
    const { user, attribute } = await confirmSignUp(ctx, client, pool, input)
    return { Session: newSignUpSession(ctx, client, pool, user, attribute) }
  }),

  ResendConfirmationCode: forClient(async (ctx, client, pool, input) => ({
    CodeDeliveryDetails: await resendConfirmationCode(ctx, client, pool, input.Username),
  })),

  AdminConfirmSignUp: inPool(async (ctx, pool, input) => {
    await adminConfirmSignUp(ctx, pool, input.Username)
    return {}
  }),
} satisfies Operations<'SignUp' | 'ConfirmSignUp' | 'ResendConfirmationCode' | 'AdminConfirmSignUp'>
