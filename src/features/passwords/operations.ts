/** The operations on passwords. */
import { forClient } from '../app-clients/client.ts'
import type { Operations } from '../context.ts'
import { signedIn } from '../tokens/signed-in.ts'
import { inPool } from '../user-pools/pool.ts'
import { adminSetUserPassword, changePassword } from './change-password.ts'
import { adminResetUserPassword, confirmForgotPassword, forgotPassword } from './recovery.ts'

export const passwordOperations = {
  ForgotPassword: forClient(async (ctx, client, pool, input) => ({
    CodeDeliveryDetails: await forgotPassword(ctx, client, pool, input.Username),
  })),

  ConfirmForgotPassword: forClient(async (ctx, client, pool, input) => {
    await confirmForgotPassword(ctx, client, pool, input)
    return {}
  }),

  ChangePassword: signedIn(async (ctx, session, input) => {
    await changePassword(ctx, session, input.PreviousPassword, input.ProposedPassword)
    return {}
  }),

  AdminSetUserPassword: inPool(async (ctx, pool, input) => {
    await adminSetUserPassword(ctx, pool, input)
    return {}
  }),

  AdminResetUserPassword: inPool(async (ctx, pool, input) => {
    await adminResetUserPassword(ctx, pool, input.Username)
    return {}
  }),
} satisfies Operations<
  'ForgotPassword' | 'ConfirmForgotPassword' | 'ChangePassword' | 'AdminSetUserPassword' | 'AdminResetUserPassword'
>
